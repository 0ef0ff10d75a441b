/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * presence: one packet socket that hears ARP and neighbour solicitations and nothing else.
 *
 * Solicitations go to a group that the address itself chooses, and neither the network card nor a
 * switch that listens to MLD need let it through to somebody who has not joined.  So a second
 * socket is a member of the groups of single addresses; for prefixes, which have too many, the card
 * is asked to let through all groups.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "link/presence.h"
#include "wire/arp.h"
#include "wire/ndp.h"

#define FRAME_BYTES   1514
#define READ_BURST    32  /* frames per turn */
#define ANNOUNCED_MAX 256 /* addresses of one prefix that are announced: a broadcast each */

struct presence {
	const struct log *log;
	char name[16];
	int ifindex;
	uint8_t mac[6];
	int fd;
	int groups;    /* member of solicited-node groups; -1: of none */
	bool conflict; /* somebody else's claim is in the log */
	struct prefix *prefixes;
	unsigned count, host_count;
	struct prefix *host;
};

/* ---- what is ours ---- */

static bool listed(
	const struct prefix *list, unsigned count, uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < count; i++)
		if (prefix_contains(&list[i], family, address))
			return true;
	return false;
}

static bool is_ours(const struct presence *presence, uint8_t family, const union addr *address)
{
	return listed(presence->prefixes, presence->count, family, address) &&
	       !listed(presence->host, presence->host_count, family, address);
}

/* ---- sending ---- */

static void frame_send(const struct presence *presence, const uint8_t to[6], uint16_t type,
	const void *payload, size_t length)
{
	uint8_t frame[sizeof(struct ethernet_header) + NDP_BYTES];
	struct ethernet_header *header = (struct ethernet_header *)frame;

	memcpy(header->destination, to, sizeof(header->destination));
	memcpy(header->source, presence->mac, sizeof(header->source));
	header->type = htons(type);
	memcpy(header + 1, payload, length);
	/* A full queue loses an answer, as a network does: it will be asked for again. */
	(void)!send(presence->fd, frame, sizeof(*header) + length, MSG_DONTWAIT);
}

static void arp_send(const struct presence *presence, const uint8_t to[6], const struct arp *arp)
{
	uint8_t bytes[ARP_BYTES];

	arp_build(arp, bytes);
	frame_send(presence, to, ETH_P_ARP, bytes, sizeof(bytes));
}

static void ndp_send(const struct presence *presence, const uint8_t to[6], const struct ndp *ndp)
{
	uint8_t bytes[NDP_BYTES];
	const size_t length = ndp_build(ndp, bytes);

	frame_send(presence, to, ETH_P_IPV6, bytes, length);
}

static void address_announce(
	const struct presence *presence, uint8_t family, const union addr *address)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (family == AF_INET) {
		const struct arp arp = arp_announcement(address, presence->mac);

		arp_send(presence, everybody, &arp);
	} else {
		const struct ndp ndp = ndp_announcement(address, presence->mac, 0);
		uint8_t to[6];

		ndp_group_mac(&ndp.destination, to);
		ndp_send(presence, to, &ndp);
	}
}

static void prefix_announce(const struct presence *presence, const struct prefix *prefix)
{
	const unsigned bits = addr_bits(prefix->family) - prefix->length;

	if (bits >= 16 || 1u << bits > ANNOUNCED_MAX)
		return; /* they are found by asking */
	for (unsigned i = 0; i < 1u << bits; i++) {
		const union addr address = prefix_address(prefix, i);

		if (is_ours(presence, prefix->family, &address))
			address_announce(presence, prefix->family, &address);
	}
}

void presence_announce(struct presence *presence, const uint8_t mac[6])
{
	memcpy(presence->mac, mac, sizeof(presence->mac));
	for (unsigned i = 0; i < presence->count; i++)
		prefix_announce(presence, &presence->prefixes[i]);
}

/* ---- hearing ---- */

static void conflict_log(
	struct presence *presence, uint8_t family, const union addr *address, const uint8_t mac[6])
{
	char text[ADDR_TEXT_SIZE];

	if (presence->conflict)
		return;
	presence->conflict = true;
	log_warning(presence->log,
		"%s is the gateway's by [nat], but %02x:%02x:%02x:%02x:%02x:%02x on %s has it, "
		"too: take another, or away from it",
		addr_format(family, address, text), mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
		presence->name);
}

static void arp_heard(struct presence *presence, const uint8_t *bytes, size_t length)
{
	struct arp arp;

	if (!arp_parse(bytes, length, &arp))
		return;
	if (memcmp(arp.sender_mac, presence->mac, sizeof(arp.sender_mac)) == 0)
		return;
	if (is_ours(presence, AF_INET, &arp.sender))
		conflict_log(presence, AF_INET, &arp.sender, arp.sender_mac);
	if (arp.operation == ARP_REQUEST && is_ours(presence, AF_INET, &arp.target)) {
		const struct arp reply = arp_reply(&arp, presence->mac);

		arp_send(presence, arp.sender_mac, &reply);
	}
}

static void ndp_heard(struct presence *presence, const struct ethernet_header *header,
	const uint8_t *bytes, size_t length)
{
	struct ndp ndp;
	uint8_t to[6];

	if (!ndp_parse(bytes, length, &ndp) || !is_ours(presence, AF_INET6, &ndp.target) ||
		memcmp(header->source, presence->mac, sizeof(header->source)) == 0)
		return;
	if (ndp.type == ICMP6_NEIGHBOUR_ADVERTISEMENT) {
		conflict_log(presence, AF_INET6, &ndp.target, header->source);
		return;
	}
	const struct ndp answer = ndp_answer(&ndp, presence->mac, 0);
	if (addr_is_multicast(AF_INET6, &answer.destination))
		ndp_group_mac(&answer.destination, to);
	else
		memcpy(to, ndp.has_mac ? ndp.mac : header->source, sizeof(to));
	ndp_send(presence, to, &answer);
}

void presence_readable(struct presence *presence)
{
	uint8_t frame[FRAME_BYTES];
	const struct ethernet_header *header = (const struct ethernet_header *)frame;

	for (unsigned i = 0; i < READ_BURST; i++) {
		const ssize_t got = recv(presence->fd, frame, sizeof(frame), MSG_DONTWAIT);

		if (got < (ssize_t)sizeof(*header))
			return; /* nothing there, or the interface is down */
		if (header->type == htons(ETH_P_ARP))
			arp_heard(presence, frame + sizeof(*header), (size_t)got - sizeof(*header));
		else
			ndp_heard(presence, header, frame + sizeof(*header),
				(size_t)got - sizeof(*header));
	}
}

/* ---- groups ---- */

static void group_join(const struct presence *presence, const union addr *address)
{
	const union addr group = ndp_solicited_node(address);
	struct ipv6_mreq request = {.ipv6mr_interface = (unsigned)presence->ifindex};

	memcpy(&request.ipv6mr_multiaddr, group.bytes, sizeof(request.ipv6mr_multiaddr));
	/* Two addresses of one group, or no IPv6 on the interface: nothing is lost. */
	(void)setsockopt(
		presence->groups, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof(request));
}

static void groups_renew(struct presence *presence)
{
	struct packet_mreq all = {.mr_ifindex = presence->ifindex, .mr_type = PACKET_MR_ALLMULTI};
	bool wide = false;

	if (presence->groups >= 0)
		close(presence->groups);
	presence->groups = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (unsigned i = 0; i < presence->count; i++) {
		const struct prefix *prefix = &presence->prefixes[i];

		if (prefix->family != AF_INET6)
			continue;
		if (prefix->length == 128 && presence->groups >= 0)
			group_join(presence, &prefix->base);
		wide |= prefix->length < 128;
	}
	(void)setsockopt(presence->fd, SOL_PACKET,
		wide ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP, &all, sizeof(all));
}

/* ---- life ---- */

static struct prefix *prefixes_copy(const struct prefix *prefixes, unsigned count)
{
	struct prefix *copy = calloc(count + 1, sizeof(*copy));

	if (copy && count > 0)
		memcpy(copy, prefixes, count * sizeof(*copy));
	return copy;
}

static bool prefix_is_in(const struct prefix *list, unsigned count, const struct prefix *prefix)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i].length <= prefix->length && prefix_overlaps(&list[i], prefix))
			return true;
	return false;
}

int presence_set(struct presence *presence, const struct prefix *prefixes, unsigned count,
	const struct prefix *host, unsigned host_count)
{
	struct prefix *before = presence->prefixes, *copy = prefixes_copy(prefixes, count);
	struct prefix *host_copy = prefixes_copy(host, host_count);
	const unsigned before_count = presence->count;

	if (!copy || !host_copy) {
		free(copy);
		free(host_copy);
		return -ENOMEM;
	}
	free(presence->host);
	presence->host = host_copy;
	presence->host_count = host_count;
	presence->prefixes = copy;
	presence->count = count;
	presence->conflict = false;
	groups_renew(presence);
	for (unsigned i = 0; i < count; i++)
		if (!prefix_is_in(before, before_count, &copy[i]))
			prefix_announce(presence, &copy[i]);
	free(before);
	return 0;
}

/* ARP, and solicitations and advertisements without extension headers, which have none. */
static int filter_attach(int fd)
{
	static const uint32_t ip = sizeof(struct ethernet_header),
			      icmp = ip + sizeof(struct ipv6_header);
	struct sock_filter code[] = {
		BPF_STMT(
			BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 8),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_ARP, 7, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 5),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, ip + offsetof(struct ipv6_header, next_header)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_ICMPV6, 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, icmp),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_NEIGHBOUR_SOLICITATION, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ICMP6_NEIGHBOUR_ADVERTISEMENT, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(*code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

/* ETH_P_ALL sees packets before traffic control does, and bound last nothing else is queued. */
static int listen_on(struct presence *presence)
{
	static const int on = 1;
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = presence->ifindex,
	};

	presence->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (presence->fd < 0)
		return -errno;
	setsockopt(presence->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	int error = filter_attach(presence->fd);
	if (!error && bind(presence->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		error = -errno;
	if (error)
		close(presence->fd);
	return error;
}

int presence_open(const struct log *log, const char *name, int ifindex, const uint8_t mac[6],
	struct presence **presence)
{
	struct presence *opened = calloc(1, sizeof(*opened));
	int error = -ENOMEM;

	if (opened) {
		*opened = (struct presence){.log = log, .ifindex = ifindex, .groups = -1};
		memcpy(opened->mac, mac, sizeof(opened->mac));
		strncpy(opened->name, name, sizeof(opened->name) - 1);
		error = listen_on(opened);
	}
	if (error) {
		log_error(log, "cannot answer for addresses on %s: %s", name, strerror(-error));
		free(opened);
		return error;
	}
	*presence = opened;
	return 0;
}

void presence_close(struct presence *presence)
{
	if (presence->groups >= 0)
		close(presence->groups);
	close(presence->fd);
	free(presence->host);
	free(presence->prefixes);
	free(presence);
}

int presence_fd(const struct presence *presence)
{
	return presence->fd;
}
