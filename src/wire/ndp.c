/* SPDX-License-Identifier: BSD-2-Clause */
/* ndp: parse and build; what a valid message is, RFC 4861 says in section 7.1. */
#include "wire/ndp.h"

#include <string.h>
#include "base/cksum.h"

#define HOP_LIMIT 255 /* it was not forwarded: nobody farther away can send one */

static const union addr all_nodes = {.bytes = {0xff, 0x02, [15] = 1}};

/* ---- parsing ---- */

/* The options are well-formed; the link-layer address among them, where it is of six bytes. */
static bool options_parse(const uint8_t *option, size_t left, struct ndp *ndp)
{
	const uint8_t wanted = ndp->type == ICMP6_NEIGHBOUR_SOLICITATION ? NDP_OPTION_SOURCE_MAC
									 : NDP_OPTION_TARGET_MAC;

	while (left >= 8) {
		const size_t length = option[1] * 8U;

		if (length == 0 || length > left)
			return false;
		if (option[0] == wanted && length == sizeof(struct ndp_mac_option)) {
			memcpy(ndp->mac, option + 2, sizeof(ndp->mac));
			ndp->has_mac = true;
		}
		option += length;
		left -= length;
	}
	return left == 0;
}

static bool is_solicited_node(const union addr *destination, const union addr *target)
{
	const union addr group = ndp_solicited_node(target);

	return addr_equal(destination, &group);
}

static bool is_valid(const struct ndp *ndp)
{
	if (addr_is_multicast(AF_INET6, &ndp->target) || addr_is_multicast(AF_INET6, &ndp->source))
		return false;
	if (ndp->type == ICMP6_NEIGHBOUR_ADVERTISEMENT)
		return !addr_is_multicast(AF_INET6, &ndp->destination) ||
		       !(ndp->flags & NDP_SOLICITED);
	/* Who has no address yet asks the group, and cannot be answered directly. */
	return !addr_is_zero(&ndp->source) ||
	       (is_solicited_node(&ndp->destination, &ndp->target) && !ndp->has_mac);
}

bool ndp_parse(const uint8_t *packet, size_t length, struct ndp *ndp)
{
	const struct ipv6_header *ip = (const struct ipv6_header *)packet;
	const struct ndp_header *header = (const struct ndp_header *)(packet + sizeof(*ip));

	if (length < sizeof(*ip) + sizeof(*header) || packet[0] >> 4 != 6 ||
		ip->next_header != IPPROTO_ICMPV6 || ip->hop_limit != HOP_LIMIT)
		return false;
	const size_t bytes = ntohs(ip->payload_length);
	if (bytes < sizeof(*header) || bytes > length - sizeof(*ip) || header->code != 0 ||
		(header->type != ICMP6_NEIGHBOUR_SOLICITATION &&
			header->type != ICMP6_NEIGHBOUR_ADVERTISEMENT))
		return false;
	*ndp = (struct ndp){
		.type = header->type,
		.flags = (uint8_t)(ntohl(header->flags) >> 24),
	};
	memcpy(ndp->source.bytes, ip->source, sizeof(ip->source));
	memcpy(ndp->destination.bytes, ip->destination, sizeof(ip->destination));
	memcpy(ndp->target.bytes, header->target, sizeof(header->target));
	const uint64_t pseudo = cksum_pseudo(
		AF_INET6, &ndp->source, &ndp->destination, IPPROTO_ICMPV6, (uint32_t)bytes);
	return cksum_fold(cksum_add(header, bytes, pseudo)) == 0xffff &&
	       options_parse((const uint8_t *)(header + 1), bytes - sizeof(*header), ndp) &&
	       is_valid(ndp);
}

/* ---- building ---- */

size_t ndp_build(const struct ndp *ndp, uint8_t packet[NDP_BYTES])
{
	struct ipv6_header *ip = (struct ipv6_header *)packet;
	struct ndp_header *header = (struct ndp_header *)(ip + 1);
	struct ndp_mac_option *option = (struct ndp_mac_option *)(header + 1);
	const uint32_t bytes = sizeof(*header) + (ndp->has_mac ? sizeof(*option) : 0);

	*ip = (struct ipv6_header){
		.version_class_flow = htonl(6U << 28),
		.payload_length = htons((uint16_t)bytes),
		.next_header = IPPROTO_ICMPV6,
		.hop_limit = HOP_LIMIT,
	};
	memcpy(ip->source, ndp->source.bytes, sizeof(ip->source));
	memcpy(ip->destination, ndp->destination.bytes, sizeof(ip->destination));
	*header = (struct ndp_header){
		.type = ndp->type,
		.flags = htonl((uint32_t)ndp->flags << 24),
	};
	memcpy(header->target, ndp->target.bytes, sizeof(header->target));
	if (ndp->has_mac) {
		option->type = ndp->type == ICMP6_NEIGHBOUR_SOLICITATION ? NDP_OPTION_SOURCE_MAC
									 : NDP_OPTION_TARGET_MAC;
		option->length = 1;
		memcpy(option->mac, ndp->mac, sizeof(option->mac));
	}
	const uint64_t pseudo =
		cksum_pseudo(AF_INET6, &ndp->source, &ndp->destination, IPPROTO_ICMPV6, bytes);
	header->checksum = (be16)~cksum_fold(cksum_add(header, bytes, pseudo));
	return sizeof(*ip) + bytes;
}

struct ndp ndp_announcement(const union addr *address, const uint8_t mac[6], uint8_t flags)
{
	struct ndp ndp = {
		.type = ICMP6_NEIGHBOUR_ADVERTISEMENT,
		.flags = flags | NDP_OVERRIDE,
		.source = *address,
		.destination = all_nodes,
		.target = *address,
		.has_mac = true,
	};

	memcpy(ndp.mac, mac, sizeof(ndp.mac));
	return ndp;
}

struct ndp ndp_answer(const struct ndp *solicitation, const uint8_t mac[6], uint8_t flags)
{
	struct ndp ndp = ndp_announcement(&solicitation->target, mac, flags);

	if (addr_is_zero(&solicitation->source))
		return ndp;
	ndp.destination = solicitation->source;
	ndp.flags |= NDP_SOLICITED;
	return ndp;
}

/* ---- groups ---- */

union addr ndp_solicited_node(const union addr *address)
{
	union addr group = {.bytes = {0xff, 0x02, [11] = 1, [12] = 0xff}};

	memcpy(group.bytes + 13, address->bytes + 13, 3);
	return group;
}

void ndp_group_mac(const union addr *group, uint8_t mac[6])
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group->bytes + 12, 4);
}
