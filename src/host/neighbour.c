/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neighbour: the MAC addresses of next hops, from the kernel's neighbour tables.
 *
 * Our frames bypass the stack, so the kernel does not notice that an entry is in use and lets it go
 * stale.  NTF_EXT_MANAGED (Linux 5.16) makes it keep the entry resolved; NTF_USE, which older
 * kernels know, acts as one packet sent.  Both are set together: whoever does not know the first
 * ignores it.
 */
#include <errno.h>
#include <linux/neighbour.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include "host/handle.h"
#include "host/request.h"

struct entry {
	uint16_t state; /* NUD_*; NUD_NONE: none, or no MAC */
	bool managed;
	uint8_t mac[6];
};

static void on_neighbour(void *context, struct nlmsghdr *message)
{
	const struct ndmsg *info = nlmsg_data(message);
	struct nlattr *attributes[NDA_MAX + 1];
	struct entry *entry = context;

	if (message->nlmsg_type != RTM_NEWNEIGH ||
		nlmsg_parse(message, sizeof(*info), attributes, NDA_MAX, NULL) < 0)
		return;
	if (attributes[NDA_FLAGS_EXT])
		entry->managed = nla_get_u32(attributes[NDA_FLAGS_EXT]) & NTF_EXT_MANAGED;
	if (!attributes[NDA_LLADDR] || nla_len(attributes[NDA_LLADDR]) != sizeof(entry->mac))
		return;
	entry->state = info->ndm_state;
	memcpy(entry->mac, nla_data(attributes[NDA_LLADDR]), sizeof(entry->mac));
}

/* Tell the kernel that the entry is in use.  With `create`, make it where it is missing. */
static int use(struct host_netlink *netlink, int ifindex, uint8_t family, const union addr *address,
	bool managed, bool create)
{
	const struct ndmsg info = {
		.ndm_family = family,
		.ndm_ifindex = ifindex,
		.ndm_state = NUD_NONE,
		.ndm_flags = NTF_USE,
	};
	const uint16_t flags = NLM_F_ACK | NLM_F_REPLACE | (create ? NLM_F_CREATE : 0);
	struct request request;

	request_start(&request, RTM_NEWNEIGH, flags, &info, sizeof(info));
	request_put_addr(&request, NDA_DST, family, address);
	if (managed)
		request_put_u32(&request, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	return request_run(netlink->requests, &request, NULL, NULL);
}

/* Nobody has to touch what an administrator fixed (using it would unfix it), or what the kernel
 * looks after and has just confirmed. */
static bool looks_after_itself(const struct entry *entry)
{
	if (entry->state & (NUD_PERMANENT | NUD_NOARP))
		return true;
	return entry->managed && entry->state & (NUD_REACHABLE | NUD_DELAY | NUD_PROBE);
}

int host_neighbour_get(struct host_netlink *netlink, int ifindex, uint8_t family,
	const union addr *address, uint8_t mac[6])
{
	const struct ndmsg info = {.ndm_family = family, .ndm_ifindex = ifindex};
	struct entry entry = {.state = NUD_NONE};
	struct request request;
	int error;

	request_start(&request, RTM_GETNEIGH, 0, &info, sizeof(info));
	request_put_addr(&request, NDA_DST, family, address);
	error = request_run(netlink->requests, &request, on_neighbour, &entry);
	if (error && error != -ENOENT)
		return error;
	if (!looks_after_itself(&entry)) {
		error = use(netlink, ifindex, family, address, true, true);
		if (error)
			return error;
	}
	if (!(entry.state & NUD_USABLE))
		return -EINPROGRESS;
	memcpy(mac, entry.mac, sizeof(entry.mac));
	return 0;
}

void host_neighbour_release(
	struct host_netlink *netlink, int ifindex, uint8_t family, const union addr *address)
{
	use(netlink, ifindex, family, address, false, false);
}
