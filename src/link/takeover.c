/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * takeover: an interface of the host becomes ours, and is given back.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <net/if_arp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include "host/request.h"
#include "link/setup.h"
#include "link/takeover.h"

/* The owner of filters on interfaces of links: external ports, of which others have theirs, are
 * never as low. */
#define FILTER_OWNER 1

/* ---- what the interface is ---- */

struct interface {
	int ifindex;
	unsigned flags; /* IFF_* */
	unsigned short type;
	uint32_t mtu;
	int master; /* 0: none */
	int mode;   /* IN6_ADDR_GEN_MODE_*; -1: there is no IPv6 on it */
};

static int mode_read(struct nlattr *families)
{
	struct nlattr *family[AF_INET6 + 1], *inet6[IFLA_INET6_MAX + 1];

	if (!families || nla_parse_nested(family, AF_INET6, families, NULL) < 0 ||
		!family[AF_INET6] ||
		nla_parse_nested(inet6, IFLA_INET6_MAX, family[AF_INET6], NULL) < 0 ||
		!inet6[IFLA_INET6_ADDR_GEN_MODE])
		return -1;
	return nla_get_u8(inet6[IFLA_INET6_ADDR_GEN_MODE]);
}

static void on_interface(void *context, struct nlmsghdr *message)
{
	const struct ifinfomsg *info = nlmsg_data(message);
	struct nlattr *attributes[IFLA_MAX + 1];
	struct interface *interface = context;

	if (message->nlmsg_type != RTM_NEWLINK ||
		nlmsg_parse(message, sizeof(*info), attributes, IFLA_MAX, NULL) < 0)
		return;
	*interface = (struct interface){
		.ifindex = info->ifi_index,
		.flags = info->ifi_flags,
		.type = info->ifi_type,
		.mtu = attributes[IFLA_MTU] ? nla_get_u32(attributes[IFLA_MTU]) : 0,
		.master = attributes[IFLA_MASTER] ? (int)nla_get_u32(attributes[IFLA_MASTER]) : 0,
		.mode = mode_read(attributes[IFLA_AF_SPEC]),
	};
}

static int interface_read(struct nl_sock *socket, const char *name, struct interface *interface)
{
	const struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
	struct request request;

	interface->ifindex = 0;
	request_start(&request, RTM_GETLINK, 0, &info, sizeof(info));
	request_put_text(&request, IFLA_IFNAME, name);
	request_put_u32(&request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	const int error = request_run(socket, &request, on_interface, interface);
	return error ? error : interface->ifindex > 0 ? 0 : -ENODEV;
}

static int interface_check(
	const struct log *log, const char *name, const struct interface *interface)
{
	char master[IF_NAMESIZE];

	if (interface->flags & IFF_LOOPBACK) {
		log_error(log, "%s is the loopback interface: name another one", name);
		return -EINVAL;
	}
	if (interface->type != ARPHRD_ETHER) {
		log_error(log, "%s carries no Ethernet frames (link type %u): name another one",
			name, interface->type);
		return -EINVAL;
	}
	if (interface->master != 0) {
		log_error(log,
			"%s belongs to %s: take it out (ip link set %s nomaster), or use kind = "
			"tap with `bridge =`",
			name, if_indextoname((unsigned)interface->master, master) ? master : "?",
			name);
		return -EBUSY;
	}
	return 0;
}

/* ---- its addresses ---- */

struct addresses {
	struct takeover *takeover;
	char used[ADDR_TEXT_SIZE]; /* the first that is no link-local one of the kernel's */
};

static void on_address(void *context, struct nlmsghdr *message)
{
	const struct ifaddrmsg *info = nlmsg_data(message);
	struct nlattr *attributes[IFA_MAX + 1];
	struct addresses *addresses = context;
	struct takeover *takeover = addresses->takeover;
	union addr address = {0};

	if (message->nlmsg_type != RTM_NEWADDR || (int)info->ifa_index != takeover->ifindex ||
		(info->ifa_family != AF_INET && info->ifa_family != AF_INET6) ||
		nlmsg_parse(message, sizeof(*info), attributes, IFA_MAX, NULL) < 0)
		return;
	const struct nlattr *own =
		attributes[IFA_LOCAL] ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
	if (!own || nla_len(own) != addr_bits(info->ifa_family) / 8)
		return;
	memcpy(&address, nla_data(own), (size_t)nla_len(own));
	if (info->ifa_family == AF_INET6 && addr_is_link_local(AF_INET6, &address) &&
		takeover->address_count < TAKEOVER_ADDRESSES_MAX) {
		const unsigned i = takeover->address_count++;

		takeover->address[i].address = address;
		takeover->address[i].prefix_length = info->ifa_prefixlen;
	} else if (!addresses->used[0]) {
		addr_format(info->ifa_family, &address, addresses->used);
	}
}

static int addresses_check(
	const struct log *log, struct nl_sock *socket, const char *name, struct takeover *takeover)
{
	const struct ifaddrmsg info = {.ifa_family = AF_UNSPEC};
	struct addresses addresses = {.takeover = takeover};
	struct request request;

	request_start(&request, RTM_GETADDR, NLM_F_DUMP, &info, sizeof(info));
	const int error = request_run(socket, &request, on_address, &addresses);
	if (error) {
		log_error(log, "cannot ask for the addresses of %s: %s", name, strerror(-error));
		return error;
	}
	if (addresses.used[0]) {
		log_error(log,
			"%s has the address %s, so the host uses it: remove that (ip address flush "
			"dev %s), or name another interface",
			name, addresses.used, name);
		return -EBUSY;
	}
	return 0;
}

/* ---- changes ---- */

/* The kernel sees nothing of what comes in. */
static int filter_set(struct nl_sock *socket, struct takeover *takeover)
{
	struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, TC_ACT_SHOT)};

	takeover->filter =
		(struct clsact_filter){.ifindex = takeover->ifindex, .owner = FILTER_OWNER};
	return clsact_attach(socket, &takeover->filter, code, 1);
}

static void addresses_silence(struct nl_sock *socket, struct takeover *takeover, int mode)
{
	if (mode >= 0 && mode != IN6_ADDR_GEN_MODE_NONE) {
		takeover->mode = (uint8_t)mode;
		takeover->mode_changed =
			setup_address_mode(socket, takeover->ifindex, IN6_ADDR_GEN_MODE_NONE) == 0;
	}
	for (unsigned i = 0; i < takeover->address_count; i++)
		setup_address_remove(socket, takeover->ifindex, AF_INET6,
			&takeover->address[i].address, takeover->address[i].prefix_length);
}

static void give_back(struct nl_sock *socket, const struct takeover *takeover)
{
	if (takeover->was_down)
		setup_down(socket, takeover->ifindex);
	if (takeover->mode_changed)
		setup_address_mode(socket, takeover->ifindex, takeover->mode);
	for (unsigned i = 0; i < takeover->address_count; i++)
		setup_address(socket, takeover->ifindex, AF_INET6, &takeover->address[i].address,
			takeover->address[i].prefix_length, 0);
	clsact_detach(socket, &takeover->filter);
}

static int take(const struct log *log, struct nl_sock *socket, const char *name,
	const struct interface *interface, struct takeover *takeover)
{
	int error = filter_set(socket, takeover);

	if (error) {
		log_error(log,
			"cannot keep the kernel out of %s (tc clsact, priority %d): %s; the kernel "
			"modules sch_ingress and cls_bpf are needed",
			name, CLSACT_PRIORITY, strerror(-error));
		return error;
	}
	addresses_silence(socket, takeover, interface->mode);
	takeover->was_down = !(interface->flags & IFF_UP);
	if (takeover->was_down)
		error = setup_up(socket, takeover->ifindex);
	if (error) {
		log_error(log, "cannot set %s up: %s", name, strerror(-error));
		give_back(socket, takeover);
	}
	return error;
}

int takeover_begin(const struct log *log, const char *name, struct takeover *takeover)
{
	struct interface interface;
	struct nl_sock *socket;
	int error = request_open(NETLINK_ROUTE, &socket);

	if (error) {
		log_error(log, "cannot open a netlink socket: %s", strerror(-error));
		return error;
	}
	error = interface_read(socket, name, &interface);
	if (error == 0)
		error = interface_check(log, name, &interface);
	if (error)
		goto close_socket;
	*takeover = (struct takeover){
		.ifindex = interface.ifindex,
		.mtu = interface.mtu,
		.has_carrier = interface.flags & IFF_RUNNING,
	};
	error = addresses_check(log, socket, name, takeover);
	if (error == 0)
		error = take(log, socket, name, &interface, takeover);
close_socket:
	request_close(socket);
	return error;
}

void takeover_end(const struct takeover *takeover)
{
	struct nl_sock *socket;

	if (request_open(NETLINK_ROUTE, &socket) != 0)
		return;
	give_back(socket, takeover);
	request_close(socket);
}
