/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claims: which packets are the gateway's, as a classic BPF program.
 *
 * Loads use offsets from the start of the frame: only those read through a socket buffer's
 * fragments (the SKF_NET_OFF ones see its linear part alone, which a driver may leave empty).  The
 * network protocol comes from the kernel (SKF_AD_PROTOCOL), so the link layer's length is the one
 * thing to know about it.
 *
 * A classic conditional jump reaches 255 instructions, an unconditional one any distance.  So
 * the program is made of blocks, each entered by "if equal, skip the jump over the block":
 *
 *	tagged for a VLAN, not for this host  -> other
 *	IPv4: an address of view N            go to N
 *	      an owned address                -> ours
 *	      other address                   -> other
 *	   N: later fragment                  -> portless
 *	      A = protocol, X = header length
 *	      ICMP (the guard leaves it be)   -> its types
 *	      go to L4 of N
 *	IPv6: the same with X = 40
 *	                                      -> other
 *	L4 of N: TCP, UDP                     -> their ports
 *	                                      -> portless
 *
 * "portless" is accepted by the socket and passed by the guard.  A view is some addresses of the
 * host and the ports of them that are ours: the first is that of masquerading.
 */
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>
#include <stdlib.h>
#include "host/claims.h"
#include "wire/headers.h"

#define ACCEPT_WHOLE 0x40000 /* more than any packet */

struct program {
	struct sock_filter *code;
	unsigned length;
	bool overflow;
	enum claims_use use;
	unsigned l2_bytes;
	uint32_t ours, portless, other; /* what to return */
};

/* Ports of one protocol: sorted from the highest down, disjoint. */
struct ranges {
	struct port_range *range;
	unsigned count;
};

struct view {
	const struct claimed_address *addresses;
	unsigned address_count;
	const struct port_list *external, *more;
	struct ranges tcp, udp;
	unsigned found[CLAIMS_ADDRESSES_MAX]; /* jumps from where its addresses were recognized */
	unsigned found_count;
	unsigned to_l4[2]; /* jumps to its L4 from IPv4 and IPv6 */
};

struct views {
	unsigned count;
	struct view view[1 + CLAIMS_SHARED_MAX];
};

static unsigned emit_jump(
	struct program *program, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	if (program->length == BPF_MAXINSNS) {
		program->overflow = true;
		return 0;
	}
	program->code[program->length] = (struct sock_filter){code, jt, jf, k};
	return program->length++;
}

static void emit(struct program *program, uint16_t code, uint32_t k)
{
	emit_jump(program, code, k, 0, 0);
}

static void emit_return(struct program *program, uint32_t value)
{
	emit(program, BPF_RET | BPF_K, value);
}

static void load(struct program *program, uint16_t size, uint32_t offset)
{
	emit(program, BPF_LD | size | BPF_ABS, offset);
}

/* Relative to the L4 header, X being the length of the network header. */
static void load_l4(struct program *program, uint16_t size, uint32_t offset)
{
	emit(program, BPF_LD | size | BPF_IND, program->l2_bytes + offset);
}

static void load_about(struct program *program, uint32_t what)
{
	load(program, BPF_W, SKF_AD_OFF + what);
}

/* What follows, up to block_end(), runs where A equals `k`. */
static unsigned block_when(struct program *program, uint32_t k)
{
	emit_jump(program, BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0);
	return emit_jump(program, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void block_end(struct program *program, unsigned jump)
{
	if (!program->overflow)
		program->code[jump].k = program->length - jump - 1;
}

/* Go on only where A equals `k`. */
static void require(struct program *program, uint32_t k)
{
	emit_jump(program, BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0);
	emit_return(program, program->other);
}

static void emit_range(struct program *program, struct port_range range)
{
	emit_jump(program, BPF_JMP | BPF_JGE | BPF_K, range.first, 0, 2);
	emit_jump(program, BPF_JMP | BPF_JGT | BPF_K, range.last, 1, 0);
	emit_return(program, program->ours);
}

static void emit_list(struct program *program, const struct port_list *list)
{
	for (unsigned i = list->count; i-- > 0;)
		emit_range(program, list->range[i]);
}

static void emit_ports(struct program *program, const struct ranges *ranges)
{
	load_l4(program, BPF_H, 2);
	for (unsigned i = 0; i < ranges->count; i++)
		emit_range(program, ranges->range[i]);
	emit_return(program, program->other);
}

static uint32_t addr_word(const union addr *address, unsigned word)
{
	const be16 *halves = address->words;

	return (uint32_t)ntohs(halves[2 * word]) << 16 | ntohs(halves[2 * word + 1]);
}

/* Leave neighbour discovery to whom it concerns. */
static void emit_discovery(struct program *program)
{
	const unsigned l2 = program->l2_bytes;

	load(program, BPF_B, l2 + offsetof(struct ipv6_header, next_header));
	const unsigned block = block_when(program, IPPROTO_ICMPV6);
	load(program, BPF_B, l2 + sizeof(struct ipv6_header));
	emit_jump(program, BPF_JMP | BPF_JGE | BPF_K, ICMP6_ROUTER_SOLICITATION, 0, 2);
	emit_jump(program, BPF_JMP | BPF_JGT | BPF_K, ICMP6_NEIGHBOUR_REDIRECT, 1, 0);
	emit_return(program, program->other);
	block_end(program, block);
}

static void emit_owned_prefix(
	struct program *program, const struct owned_prefix *owned, uint32_t offset)
{
	const struct prefix *prefix = &owned->prefix;
	unsigned blocks[4], count = 0;

	for (unsigned bits = 0; bits < prefix->length; bits += 32) {
		const unsigned left = prefix->length - bits;

		load(program, BPF_W, program->l2_bytes + offset + bits / 8);
		if (left < 32)
			emit(program, BPF_ALU | BPF_AND | BPF_K, UINT32_MAX << (32 - left));
		blocks[count++] = block_when(program, addr_word(&prefix->base, bits / 32));
	}
	if (prefix->family == AF_INET6 && (program->use == CLAIMS_SOCKET || owned->on_host))
		emit_discovery(program);
	emit_return(program, program->ours);
	while (count > 0)
		block_end(program, blocks[--count]);
}

static void emit_owned(
	struct program *program, const struct port_claims *claims, uint8_t family, uint32_t offset)
{
	for (unsigned i = 0; i < claims->owned_count; i++)
		if (claims->owned[i].prefix.family == family)
			emit_owned_prefix(program, &claims->owned[i], offset);
}

/* Recognize the view's addresses at `offset`. */
static void emit_view_addresses(
	struct program *program, struct view *view, uint8_t family, uint32_t offset)
{
	const unsigned words = addr_bits(family) / 32;

	view->found_count = 0;
	for (unsigned i = 0; i < view->address_count && i < CLAIMS_ADDRESSES_MAX; i++) {
		if (view->addresses[i].family != family)
			continue;
		for (unsigned word = 0; word < words; word++) {
			const uint32_t value = addr_word(&view->addresses[i].address, word);
			/* On a mismatch: over the rest of this address and its jump. */
			const uint8_t rest = (uint8_t)(2 * (words - 1 - word) + 1);

			load(program, BPF_W, program->l2_bytes + offset + 4 * word);
			emit_jump(program, BPF_JMP | BPF_JEQ | BPF_K, value, 0, rest);
		}
		view->found[view->found_count++] = emit_jump(program, BPF_JMP | BPF_JA, 0, 0, 0);
	}
}

/* Leave unless the destination at `offset` is one of ours; any is the first view's where that has
 * none. */
static void emit_addresses(struct program *program, const struct port_claims *claims,
	struct views *views, uint8_t family, uint32_t offset)
{
	for (unsigned i = 0; i < views->count; i++)
		emit_view_addresses(program, &views->view[i], family, offset);
	emit_owned(program, claims, family, offset);
	if (claims->address_count > 0)
		emit_return(program, program->other);
}

/* Here its packets arrive whose addresses were recognized. */
static void emit_view_begin(struct program *program, struct view *view)
{
	while (view->found_count > 0)
		block_end(program, view->found[--view->found_count]);
}

/* The answers to our queries carry an identifier of ours; errors are for the engine to judge; the
 * rest (echo requests, neighbour discovery) is the host's. */
static void emit_icmp(struct program *program, const struct view *view, const uint8_t *answers,
	unsigned answer_count, const uint8_t *errors, unsigned error_count)
{
	load_l4(program, BPF_B, 0);
	for (unsigned i = 0; i < error_count; i++) {
		emit_jump(program, BPF_JMP | BPF_JEQ | BPF_K, errors[i], 0, 1);
		emit_return(program, program->portless);
	}
	for (unsigned i = 0; i < answer_count; i++) {
		const unsigned block = block_when(program, answers[i]);

		load_l4(program, BPF_H, 4);
		emit_list(program, view->external);
		emit_list(program, view->more);
		emit_return(program, program->other);
		block_end(program, block);
	}
	emit_return(program, program->other);
}

static void emit_icmp4(struct program *program, const struct view *view)
{
	static const uint8_t answers[] = {ICMP4_ECHO_REPLY, ICMP4_TIMESTAMP_REPLY};
	static const uint8_t errors[] = {ICMP4_UNREACHABLE, ICMP4_SOURCE_QUENCH, ICMP4_REDIRECT,
		ICMP4_TIME_EXCEEDED, ICMP4_PARAMETER};

	emit_icmp(program, view, answers, sizeof(answers), errors, sizeof(errors));
}

static void emit_icmp6(struct program *program, const struct view *view)
{
	static const uint8_t answers[] = {ICMP6_ECHO_REPLY};
	static const uint8_t errors[] = {
		ICMP6_UNREACHABLE, ICMP6_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAMETER};

	emit_icmp(program, view, answers, sizeof(answers), errors, sizeof(errors));
}

/* A holds the protocol, X the length of the network header. */
static void emit_l4(struct program *program, const struct ranges *tcp, const struct ranges *udp)
{
	unsigned block = block_when(program, IPPROTO_TCP);

	emit_ports(program, tcp);
	block_end(program, block);
	block = block_when(program, IPPROTO_UDP);
	emit_ports(program, udp);
	block_end(program, block);
	emit_return(program, program->portless);
}

static void emit_view_ipv4(struct program *program, struct view *view)
{
	const unsigned l2 = program->l2_bytes;

	emit_view_begin(program, view);
	load(program, BPF_H, l2 + offsetof(struct ipv4_header, fragment));
	emit_jump(program, BPF_JMP | BPF_JSET | BPF_K, IPV4_OFFSET_MASK, 0, 1);
	emit_return(program, program->portless);
	emit(program, BPF_LDX | BPF_B | BPF_MSH, l2);
	load(program, BPF_B, l2 + offsetof(struct ipv4_header, protocol));
	if (program->use == CLAIMS_SOCKET) {
		const unsigned block = block_when(program, IPPROTO_ICMP);

		emit_icmp4(program, view);
		block_end(program, block);
	}
	view->to_l4[0] = emit_jump(program, BPF_JMP | BPF_JA, 0, 0, 0);
}

static void emit_view_ipv6(struct program *program, struct view *view)
{
	const unsigned l2 = program->l2_bytes;

	emit_view_begin(program, view);
	emit(program, BPF_LDX | BPF_IMM, sizeof(struct ipv6_header));
	load(program, BPF_B, l2 + offsetof(struct ipv6_header, next_header));
	if (program->use == CLAIMS_SOCKET) {
		const unsigned block = block_when(program, IPPROTO_ICMPV6);

		emit_icmp6(program, view);
		block_end(program, block);
	}
	view->to_l4[1] = emit_jump(program, BPF_JMP | BPF_JA, 0, 0, 0);
}

static int range_compare(const void *a, const void *b)
{
	const struct port_range *left = a, *right = b;

	return (int)right->first - (int)left->first;
}

/*
 * The external ranges and the published ones of `protocol`, highest first: masqueraded traffic, the
 * bulk, is at the top of the port space and matches after two comparisons.
 */
static int ranges_collect(const struct port_claims *claims, const struct port_list *more,
	uint8_t protocol, struct ranges *ranges)
{
	struct port_range *range =
		malloc((2 * PORT_RANGES_MAX + claims->published_count) * sizeof(*range));
	unsigned count = 0, merged = 0;

	if (!range)
		return -ENOMEM;
	for (unsigned i = 0; i < claims->external.count; i++)
		range[count++] = claims->external.range[i];
	for (unsigned i = 0; i < more->count; i++)
		range[count++] = more->range[i];
	for (unsigned i = 0; i < claims->published_count; i++)
		if (claims->published[i].protocol == protocol)
			range[count++] = claims->published[i].ports;
	qsort(range, count, sizeof(*range), range_compare);
	for (unsigned i = 1; i < count; i++) {
		struct port_range *above = &range[merged];

		if (range[i].last + 1 < above->first) {
			range[++merged] = range[i];
			continue;
		}
		above->first = range[i].first;
		if (range[i].last > above->last)
			above->last = range[i].last;
	}
	*ranges = (struct ranges){.range = range, .count = merged + 1};
	return 0;
}

static void views_free(struct views *views)
{
	for (unsigned i = 0; i < views->count; i++) {
		free(views->view[i].tcp.range);
		free(views->view[i].udp.range);
	}
	free(views);
}

static int view_add(struct views *views, const struct port_claims *claims,
	const struct claimed_address *addresses, unsigned address_count,
	const struct port_list *more)
{
	struct view *view = &views->view[views->count++];
	int error;

	view->addresses = addresses;
	view->address_count = address_count;
	view->external = &claims->external;
	view->more = more;
	error = ranges_collect(claims, more, IPPROTO_TCP, &view->tcp);
	return error ? error : ranges_collect(claims, more, IPPROTO_UDP, &view->udp);
}

static struct views *views_make(const struct port_claims *claims)
{
	static const struct port_list none = {0};
	struct views *views = calloc(1, sizeof(*views));
	int error;

	if (!views)
		return NULL;
	error = view_add(views, claims, claims->addresses, claims->address_count, &none);
	for (unsigned i = 0; i < claims->shared_count && i < CLAIMS_SHARED_MAX && !error; i++)
		error = view_add(
			views, claims, &claims->shared[i].address, 1, &claims->shared[i].ports);
	if (error) {
		views_free(views);
		return NULL;
	}
	return views;
}

static void emit_program(
	struct program *program, const struct port_claims *claims, struct views *views)
{
	unsigned block;

	load_about(program, SKF_AD_VLAN_TAG_PRESENT);
	require(program, 0);
	if (program->use == CLAIMS_SOCKET) {
		load_about(program, SKF_AD_PKTTYPE);
		require(program, PACKET_HOST);
	}
	load_about(program, SKF_AD_PROTOCOL);
	block = block_when(program, ETH_P_IP);
	emit_addresses(program, claims, views, AF_INET, offsetof(struct ipv4_header, destination));
	for (unsigned i = 0; i < views->count; i++)
		emit_view_ipv4(program, &views->view[i]);
	block_end(program, block);
	block = block_when(program, ETH_P_IPV6);
	emit_addresses(program, claims, views, AF_INET6, offsetof(struct ipv6_header, destination));
	for (unsigned i = 0; i < views->count; i++)
		emit_view_ipv6(program, &views->view[i]);
	block_end(program, block);
	emit_return(program, program->other);
	for (unsigned i = 0; i < views->count; i++) {
		const struct view *view = &views->view[i];

		block_end(program, view->to_l4[0]);
		block_end(program, view->to_l4[1]);
		emit_l4(program, &view->tcp, &view->udp);
	}
}

int claims_l2_bytes(unsigned type)
{
	switch (type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return ETH_HLEN;
	case ARPHRD_NONE:
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

int claims_program(const struct port_claims *claims, enum claims_use use, unsigned l2_bytes,
	struct sock_filter *code)
{
	struct program program = {.code = code, .use = use, .l2_bytes = l2_bytes};
	struct views *views = views_make(claims);

	if (!views)
		return -ENOMEM;
	if (use == CLAIMS_SOCKET) {
		program.ours = program.portless = ACCEPT_WHOLE;
	} else {
		program.ours = TC_ACT_SHOT;
		program.portless = program.other = (uint32_t)TC_ACT_UNSPEC;
	}
	emit_program(&program, claims, views);
	views_free(views);
	return program.overflow ? -E2BIG : (int)program.length;
}
