/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check: the container's interface, looked at from inside its namespace.
 */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include "base/addr.h"
#include "cni.h"

/* Go there for good: the process ends soon. */
static bool enter(const char *netns, struct cni_error *error)
{
	const int fd = open(netns, O_RDONLY | O_CLOEXEC);
	const int failure = fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	if (!failure)
		return true;
	return cni_fail(error, failure == ENOENT ? CNI_CONTAINER_UNKNOWN : CNI_IO_FAILURE,
		"cannot enter the network namespace %.128s: %s", netns, strerror(failure));
}

static bool is_address(const struct sockaddr *sockaddr, uint8_t family, const union addr *address)
{
	if (!sockaddr || sockaddr->sa_family != family)
		return false;
	if (family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)sockaddr)->sin_addr.s_addr ==
		       address->v4;
	return memcmp(&((const struct sockaddr_in6 *)(const void *)sockaddr)->sin6_addr,
		       address->bytes, sizeof(address->bytes)) == 0;
}

/* Whether the interface is up and has the address "ADDRESS/LENGTH". */
static bool has_address(const struct ifaddrs *list, const char *ifname, const char *text)
{
	char ip[ADDR_TEXT_SIZE] = "";
	union addr address;
	uint8_t family;

	strncat(ip, text, strcspn(text, "/") < sizeof(ip) ? strcspn(text, "/") : 0);
	if (!addr_parse(ip, &address, &family))
		return false;
	for (; list; list = list->ifa_next)
		if (strcmp(list->ifa_name, ifname) == 0 && (list->ifa_flags & IFF_UP) &&
			is_address(list->ifa_addr, family, &address))
			return true;
	return false;
}

bool check_interface(const struct cni_call *call, struct cni_error *error)
{
	const json_t *previous = json_object_get(call->config, "prevResult"), *ip;
	struct ifaddrs *list;
	bool same = true;
	size_t i;

	if (!previous)
		return cni_fail(
			error, CNI_CONFIG_INVALID, "`prevResult`, the result of ADD, is missing");
	if (!enter(call->netns, error))
		return false;
	if (getifaddrs(&list) < 0)
		return cni_fail(error, CNI_IO_FAILURE, "cannot list the container's addresses: %s",
			strerror(errno));
	json_array_foreach(json_object_get(previous, "ips"), i, ip)
	{
		const char *text = json_string_value(json_object_get(ip, "address"));

		if (same && (!text || !has_address(list, call->ifname, text)))
			same = cni_fail(error, CNI_DIFFERENT,
				"the container's %s is not up with the address %.64s", call->ifname,
				text ? text : "(none)");
	}
	freeifaddrs(list);
	return same;
}
