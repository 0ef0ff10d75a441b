/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claims: the classic BPF programs, run over packets by an interpreter of the few instructions they
 * use. The kernel's own view of them is in guard.c and afpacket.c.
 */
#include "host/claims.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <string.h>

#include "../support/packets.h"

/* A frame as the kernel shows it to a filter. */
struct frame {
	uint8_t bytes[256];
	uint32_t length;
	uint32_t ethertype, type, vlan;
};

static bool load(const struct frame *frame, uint32_t offset, uint32_t size, uint32_t *value)
{
	*value = 0;
	if (offset + size > frame->length)
		return false;
	for (uint32_t i = 0; i < size; i++)
		*value = *value << 8 | frame->bytes[offset + i];
	return true;
}

static uint32_t about(const struct frame *frame, uint32_t what)
{
	switch (what) {
	case SKF_AD_PROTOCOL:
		return frame->ethertype;
	case SKF_AD_PKTTYPE:
		return frame->type;
	case SKF_AD_VLAN_TAG_PRESENT:
		return frame->vlan;
	default:
		cr_assert_fail("ancillary load %u", what);
		return 0;
	}
}

static uint32_t size_of(uint16_t code)
{
	return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

static bool jumps(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGE:
		return a >= k;
	case BPF_JGT:
		return a > k;
	default:
		return (a & k) != 0; /* JSET */
	}
}

/* What the program returns; 0 where it loads past the end, as in the kernel. */
static uint32_t run(const struct sock_filter *program, const struct frame *frame)
{
	uint32_t a = 0, x = 0;

	for (const struct sock_filter *at = program;; at++) {
		switch (BPF_CLASS(at->code)) {
		case BPF_RET:
			return at->k;
		case BPF_LDX:
			if (BPF_MODE(at->code) == BPF_IMM) {
				x = at->k;
				break;
			}
			if (!load(frame, at->k, 1, &x))
				return 0;
			x = 4 * (x & 15);
			break;
		case BPF_LD:
			if ((int32_t)at->k < 0)
				a = about(frame, at->k - (uint32_t)SKF_AD_OFF);
			else if (!load(frame, at->k + (BPF_MODE(at->code) == BPF_IND ? x : 0),
					 size_of(at->code), &a))
				return 0;
			break;
		case BPF_ALU:
			a &= at->k;
			break;
		case BPF_JMP:
			if (BPF_OP(at->code) == BPF_JA)
				at += at->k;
			else
				at += jumps(at->code, a, at->k) ? at->jt : at->jf;
			break;
		default:
			cr_assert_fail("instruction %x", at->code);
		}
	}
}

static struct frame frame_of(struct packet *packet, unsigned l2_bytes)
{
	const bool ipv4 = packet->data[0] >> 4 == 4;
	struct frame frame = {.length = l2_bytes + packet->length,
		.ethertype = ipv4 ? ETH_P_IP : ETH_P_IPV6,
		.type = PACKET_HOST};

	memcpy(frame.bytes + l2_bytes, packet->data, packet->length);
	packet_dispose(packet);
	return frame;
}

static const struct published published[] = {
	{IPPROTO_TCP, {80, 80}},
	{IPPROTO_TCP, {8080, 8090}},
	{IPPROTO_UDP, {53, 53}},
};
static const struct port_claims claims = {
	.external = {1, {{61000, 65535}}}, .published = published, .published_count = 3};

static uint32_t verdict(const struct port_claims *of, enum claims_use use, unsigned l2_bytes,
	const struct frame *frame)
{
	struct sock_filter program[BPF_MAXINSNS];

	cr_assert_gt(claims_program(of, use, l2_bytes, program), 0);
	return run(program, frame);
}

/* Expect the same on interfaces with and without Ethernet header. */
static void expect(const struct packet *packet, bool taken, bool shot, const char *what)
{
	for (unsigned l2_bytes = 0; l2_bytes <= ETH_HLEN; l2_bytes += ETH_HLEN) {
		const struct frame frame = frame_of(packet_copy(packet), l2_bytes);

		cr_expect_eq(verdict(&claims, CLAIMS_SOCKET, l2_bytes, &frame) >= 65600, taken,
			"socket, header %u: %s", l2_bytes, what);
		cr_expect_eq(verdict(&claims, CLAIMS_GUARD, l2_bytes, &frame),
			shot ? (uint32_t)TC_ACT_SHOT : (uint32_t)TC_ACT_UNSPEC,
			"guard, header %u: %s", l2_bytes, what);
	}
}

static void expect_row(struct packet *packet, bool taken, bool shot, const char *what)
{
	expect(packet, taken, shot, what);
	packet_dispose(packet);
}

#define HOST4 "192.0.2.2"
#define FAR4  "198.51.100.1:443"
#define HOST6 "2001:db8::2"
#define FAR6  "[2001:db8:1::1]:443"

Test(claims, ports_of_tcp_and_udp)
{
	static const struct {
		uint16_t port;
		bool tcp, udp;
	} rows[] = {{1, false, false}, {53, false, true}, {79, false, false}, {80, true, false},
		{81, false, false}, {8079, false, false}, {8080, true, false}, {8085, true, false},
		{8090, true, false}, {8091, false, false}, {60999, false, false},
		{61000, true, true}, {65535, true, true}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char to4[32], to6[40];

		snprintf(to4, sizeof(to4), HOST4 ":%u", rows[i].port);
		snprintf(to6, sizeof(to6), "[" HOST6 "]:%u", rows[i].port);
		expect_row(TCP_PACKET(FAR4, to4), rows[i].tcp, rows[i].tcp, to4);
		expect_row(TCP_PACKET(FAR6, to6), rows[i].tcp, rows[i].tcp, to6);
		expect_row(UDP_PACKET(FAR4, to4), rows[i].udp, rows[i].udp, to4);
		expect_row(UDP_PACKET(FAR6, to6), rows[i].udp, rows[i].udp, to6);
	}
}

Test(claims, ipv4_options_move_the_ports)
{
	struct packet *packet = TCP_PACKET(FAR4, HOST4 ":80");
	uint8_t bytes[128] = {0};

	memcpy(bytes, packet->data, 20);
	bytes[0] = 0x4a; /* 40 bytes of header */
	memcpy(bytes + 40, packet->data + 20, packet->length - 20);
	expect_row(packet_from_bytes(bytes, packet->length + 20, 128), true, true, "with options");
	packet_dispose(packet);
}

Test(claims, fragments)
{
	struct packet *packet = UDP_PACKET(FAR4, HOST4 ":61000", .payload_bytes = 16);

	packet->data[6] = 0x20; /* more fragments */
	expect(packet, true, true, "the first fragment has ports");
	packet->data[6] = 0x20;
	packet->data[7] = 1;
	packet->data[22] = 0; /* no port of ours, were it one */
	expect(packet, true, false, "a later one has none");
	packet_dispose(packet);

	packet = TCP_PACKET(FAR6, "[" HOST6 "]:61000");
	packet->data[6] = IPPROTO_FRAGMENT;
	expect_row(packet, true, false, "IPv6 fragment header");
}

Test(claims, icmp_queries_by_identifier)
{
	static const struct {
		uint8_t type4, type6;
		uint16_t id;
		bool taken;
	} rows[] = {{ICMP4_ECHO_REPLY, ICMP6_ECHO_REPLY, 61000, true},
		{ICMP4_ECHO_REPLY, ICMP6_ECHO_REPLY, 60999, false},
		{ICMP4_TIMESTAMP_REPLY, ICMP6_ECHO_REPLY, 65535, true},
		{ICMP4_TIMESTAMP_REPLY, ICMP6_ECHO_REPLY, 80, false},
		{ICMP4_ECHO, ICMP6_ECHO, 61000, false}, {ICMP4_TIMESTAMP, 135, 61000, false},
		{9, 136, 61000, false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		expect_row(
			ICMP_PACKET("198.51.100.1", HOST4, .icmp_type = rows[i].type4,
				.icmp_rest = (uint32_t)rows[i].id << 16, .source_port = rows[i].id),
			rows[i].taken, false, "ICMP");
		expect_row(
			ICMP_PACKET("2001:db8:1::1", HOST6, .icmp_type = rows[i].type6,
				.icmp_rest = (uint32_t)rows[i].id << 16, .source_port = rows[i].id),
			rows[i].taken, false, "ICMPv6");
	}
}

Test(claims, icmp_errors_are_the_engines_to_judge)
{
	static const uint8_t errors4[] = {3, 4, 5, 11, 12}, errors6[] = {1, 2, 3, 4};

	for (size_t i = 0; i < sizeof(errors4); i++)
		expect_row(ICMP_PACKET("198.51.100.1", HOST4, .icmp_type = errors4[i]), true, false,
			"ICMP error");
	for (size_t i = 0; i < sizeof(errors6); i++)
		expect_row(ICMP_PACKET("2001:db8:1::1", HOST6, .icmp_type = errors6[i]), true,
			false, "ICMPv6 error");
}

Test(claims, other_protocols_go_to_the_engine)
{
	static const uint8_t protocols[] = {IPPROTO_GRE, IPPROTO_ESP, IPPROTO_SCTP};

	for (size_t i = 0; i < sizeof(protocols); i++) {
		struct packet *packet = TCP_PACKET(FAR4, HOST4 ":61000");

		packet->data[9] = protocols[i];
		expect_row(packet, true, false, "IPv4");
		packet = TCP_PACKET(FAR6, "[" HOST6 "]:61000");
		packet->data[6] = protocols[i];
		expect_row(packet, true, false, "IPv6");
	}
	struct packet *packet = TCP_PACKET(FAR6, "[" HOST6 "]:61000");
	packet->data[6] = IPPROTO_DSTOPTS;
	expect_row(packet, true, false, "an extension header");
}

Test(claims, frames_for_others_and_tagged_ones)
{
	struct frame frame = frame_of(TCP_PACKET(FAR4, HOST4 ":61000"), ETH_HLEN);

	frame.type = PACKET_OTHERHOST;
	cr_expect_eq(verdict(&claims, CLAIMS_SOCKET, ETH_HLEN, &frame), 0);
	frame.type = PACKET_OUTGOING;
	cr_expect_eq(verdict(&claims, CLAIMS_SOCKET, ETH_HLEN, &frame), 0);
	frame.type = PACKET_HOST;
	frame.vlan = 1;
	cr_expect_eq(verdict(&claims, CLAIMS_SOCKET, ETH_HLEN, &frame), 0);
	cr_expect_eq(verdict(&claims, CLAIMS_GUARD, ETH_HLEN, &frame), (uint32_t)TC_ACT_UNSPEC);
	frame.vlan = 0;
	frame.ethertype = ETH_P_ARP;
	cr_expect_eq(verdict(&claims, CLAIMS_SOCKET, ETH_HLEN, &frame), 0);
	cr_expect_eq(verdict(&claims, CLAIMS_GUARD, ETH_HLEN, &frame), (uint32_t)TC_ACT_UNSPEC);
}

static struct claimed_address claimed(const char *text)
{
	struct claimed_address address = {0};

	cr_assert(addr_parse(text, &address.address, &address.family));
	return address;
}

Test(claims, only_the_hosts_addresses)
{
	const struct claimed_address addresses[] = {claimed("203.0.113.9"), claimed("2001:db8::9"),
		claimed(HOST4), claimed("2001:db8::1:2"), claimed(HOST6)};
	struct port_claims shared = claims;
	static const struct {
		const char *to;
		bool ours;
	} rows[] = {{HOST4 ":61000", true}, {"203.0.113.9:61000", true}, {"192.0.2.3:61000", false},
		{"[" HOST6 "]:61000", true}, {"[2001:db8::9]:61000", true},
		{"[2001:db8::1:2]:61000", true}, {"[2001:db8::3]:61000", false},
		{"[2001:db9::2]:61000", false}, {HOST4 ":99", false}};

	shared.addresses = addresses;
	shared.address_count = 5;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct frame frame = frame_of(
			TCP_PACKET(rows[i].to[0] == '[' ? FAR6 : FAR4, rows[i].to), ETH_HLEN);

		cr_expect_eq(verdict(&shared, CLAIMS_SOCKET, ETH_HLEN, &frame) > 0, rows[i].ours,
			"%s", rows[i].to);
		cr_expect_eq(verdict(&shared, CLAIMS_GUARD, ETH_HLEN, &frame) == TC_ACT_SHOT,
			rows[i].ours, "%s", rows[i].to);
	}
	shared.address_count = 1;
	const struct frame frame = frame_of(TCP_PACKET(FAR6, "[" HOST6 "]:61000"), ETH_HLEN);
	cr_expect_eq(verdict(&shared, CLAIMS_SOCKET, ETH_HLEN, &frame), 0, "no IPv6 address");
}

Test(claims, a_list_of_external_ranges)
{
	const struct port_claims listed = {
		.external = {3, {{2000, 2099}, {61000, 61499}, {63000, 63499}}}};
	static const struct {
		uint16_t port;
		bool ours;
	} rows[] = {{1999, false}, {2000, true}, {2099, true}, {2100, false}, {60999, false},
		{61000, true}, {61499, true}, {61500, false}, {62999, false}, {63000, true},
		{63499, true}, {63500, false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char to[32];
		snprintf(to, sizeof(to), HOST4 ":%u", rows[i].port);
		struct frame frame = frame_of(TCP_PACKET(FAR4, to), ETH_HLEN);
		cr_expect_eq(verdict(&listed, CLAIMS_SOCKET, ETH_HLEN, &frame) > 0, rows[i].ours,
			"TCP %u", rows[i].port);
		cr_expect_eq(verdict(&listed, CLAIMS_GUARD, ETH_HLEN, &frame) == TC_ACT_SHOT,
			rows[i].ours, "guard, TCP %u", rows[i].port);
		frame = frame_of(ICMP_PACKET("198.51.100.1", HOST4, .icmp_type = ICMP4_ECHO_REPLY,
					 .icmp_rest = (uint32_t)rows[i].port << 16,
					 .source_port = rows[i].port),
			ETH_HLEN);
		cr_expect_eq(verdict(&listed, CLAIMS_SOCKET, ETH_HLEN, &frame) > 0, rows[i].ours,
			"identifier %u", rows[i].port);
	}
}

static struct owned_prefix owned(const char *text, bool on_host)
{
	struct owned_prefix owned = {.on_host = on_host};
	const char *fault = prefix_parse(text, &owned.prefix);

	cr_assert_null(fault, "%s", fault);
	return owned;
}

static void expect_owned(const struct port_claims *of, struct packet *packet, bool taken, bool shot,
	const char *what)
{
	const struct frame frame = frame_of(packet, ETH_HLEN);

	cr_expect_eq(verdict(of, CLAIMS_SOCKET, ETH_HLEN, &frame) > 0, taken, "socket: %s", what);
	cr_expect_eq(verdict(of, CLAIMS_GUARD, ETH_HLEN, &frame),
		shot ? (uint32_t)TC_ACT_SHOT : (uint32_t)TC_ACT_UNSPEC, "guard: %s", what);
}

Test(claims, owned_addresses_are_the_gateways_alone)
{
	const struct claimed_address addresses[] = {claimed(HOST4), claimed(HOST6)};
	const struct owned_prefix prefixes[] = {owned("192.0.2.7/32", true),
		owned("203.0.113.16/28", false), owned("192.0.2.0/30", false),
		owned("2001:db8::7/128", true), owned("2001:db8:ffff:ff00::/60", false)};
	struct port_claims of = claims;

	of.addresses = addresses;
	of.address_count = 2;
	of.owned = prefixes;
	of.owned_count = 5;
	static const struct {
		const char *to;
		bool ours;
	} rows[] = {{"192.0.2.7:22", true}, {"192.0.2.8:22", false}, {"203.0.113.15:22", false},
		{"203.0.113.16:22", true}, {"203.0.113.31:22", true}, {"203.0.113.32:22", false},
		{HOST4 ":22", false}, {HOST4 ":61000", true}, {"192.0.2.3:22", true},
		{"[2001:db8::7]:22", true}, {"[2001:db8::8]:22", false}, {"[" HOST6 "]:22", false},
		{"[2001:db8:ffff:ff0f:1::1]:22", true}, {"[2001:db8:ffff:ff10::]:22", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_owned(&of, TCP_PACKET(rows[i].to[0] == '[' ? FAR6 : FAR4, rows[i].to),
			rows[i].ours, rows[i].ours, rows[i].to);

	expect_owned(&of, ECHO_PACKET("198.51.100.1", "192.0.2.7"), true, true, "ping");
	expect_owned(&of, ECHO_PACKET("198.51.100.1", HOST4), false, false, "ping the host");
	expect_owned(&of, ICMP_PACKET("2001:db8:1::1", "2001:db8::7", .icmp_type = ICMP6_ECHO),
		true, true, "ping, IPv6");
	struct packet *fragment = UDP_PACKET(FAR4, "203.0.113.20:7", .payload_bytes = 8);
	fragment->data[7] = 1;
	expect_owned(&of, fragment, true, true, "a later fragment");

	of.address_count = 0;
	expect_owned(&of, TCP_PACKET(FAR4, "192.0.2.7:22"), true, true, "owned beside any");
	expect_owned(&of, TCP_PACKET(FAR4, "192.0.2.99:61000"), true, true, "any address");
	expect_owned(&of, TCP_PACKET(FAR4, "192.0.2.99:22"), false, false, "and no port");
}

/* The host keeps what is not in its line: a secondary address with ports of its own. */
Test(claims, addresses_with_ports_of_their_own)
{
	const struct claimed_address addresses[] = {claimed(HOST4), claimed(HOST6)};
	const struct shared_address shared[] = {
		{claimed("192.0.2.7"), {2, {{1024, 2047}, {5000, 5000}}}},
		{claimed("2001:db8::7"), {1, {{40000, 49999}}}}};
	struct port_claims of = claims;

	of.addresses = addresses;
	of.address_count = 2;
	of.shared = shared;
	of.shared_count = 2;
	static const struct {
		const char *to;
		bool ours;
	} rows[] = {{"192.0.2.7:22", false}, {"192.0.2.7:1024", true}, {"192.0.2.7:2047", true},
		{"192.0.2.7:2048", false}, {"192.0.2.7:5000", true}, {"192.0.2.7:61000", true},
		{"192.0.2.7:80", true}, {HOST4 ":80", true}, {HOST4 ":61000", true},
		{HOST4 ":1024", false}, {"192.0.2.8:1024", false}, {"[2001:db8::7]:45000", true},
		{"[2001:db8::7]:61000", true}, {"[" HOST6 "]:61000", true},
		{"[" HOST6 "]:45000", false}, {"[2001:db8::8]:45000", false}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		expect_owned(&of, TCP_PACKET(rows[i].to[0] == '[' ? FAR6 : FAR4, rows[i].to),
			rows[i].ours, rows[i].ours, rows[i].to);
	expect_owned(&of,
		ICMP_PACKET("198.51.100.1", "192.0.2.7", .icmp_type = ICMP4_ECHO_REPLY,
			.icmp_rest = 1500 << 16, .source_port = 1500),
		true, false, "an identifier of its own");
	expect_owned(&of, ECHO_PACKET("198.51.100.1", "192.0.2.7"), false, false, "ping");
}

/* The kernel answers on the wire for the addresses that it has; for the others nobody but us
 * does, and the packet socket is not where. */
Test(claims, neighbour_discovery_of_owned_addresses)
{
	const struct claimed_address address = claimed(HOST6);
	const struct owned_prefix prefixes[] = {
		owned("2001:db8::7/128", true), owned("2001:db8::8/128", false)};
	struct port_claims of = claims;

	of.addresses = &address;
	of.address_count = 1;
	of.owned = prefixes;
	of.owned_count = 2;
	for (uint8_t type = 132; type <= 138; type++) {
		const bool discovery = type >= 133 && type <= 137;

		expect_owned(&of, ICMP_PACKET("2001:db8::1", "2001:db8::7", .icmp_type = type),
			!discovery, !discovery, "on the host");
		expect_owned(&of, ICMP_PACKET("2001:db8::1", "2001:db8::8", .icmp_type = type),
			!discovery, true, "ours to answer");
	}
}

Test(claims, many_published_ranges)
{
	static struct published many[2000];
	struct port_claims of = {
		.external = {1, {{61000, 65535}}}, .published = many, .published_count = 1024};
	struct sock_filter program[BPF_MAXINSNS];

	for (uint16_t i = 0; i < 2000; i++) /* every other port: nothing to merge */
		many[i] = (struct published){
			IPPROTO_TCP, {(uint16_t)(20000 + 2 * i), (uint16_t)(20000 + 2 * i)}};
	cr_expect_gt(claims_program(&of, CLAIMS_SOCKET, ETH_HLEN, program), 3 * 1024);
	struct frame frame = frame_of(TCP_PACKET(FAR4, HOST4 ":20000"), ETH_HLEN);
	cr_expect_neq(run(program, &frame), 0);
	frame = frame_of(TCP_PACKET(FAR4, HOST4 ":20001"), ETH_HLEN);
	cr_expect_eq(run(program, &frame), 0);

	of.published_count = 2000;
	cr_expect_eq(claims_program(&of, CLAIMS_SOCKET, ETH_HLEN, program), -E2BIG);
	for (uint16_t i = 0; i < 2000; i++) /* touching, overlapping, in any order */
		many[i].ports =
			(struct port_range){(uint16_t)(30000 - i), (uint16_t)(30000 - i + i % 3)};
	cr_expect_lt(claims_program(&of, CLAIMS_SOCKET, ETH_HLEN, program), 100);
	frame = frame_of(TCP_PACKET(FAR4, HOST4 ":28001"), ETH_HLEN);
	cr_expect_neq(run(program, &frame), 0);
	frame = frame_of(TCP_PACKET(FAR4, HOST4 ":28000"), ETH_HLEN);
	cr_expect_eq(run(program, &frame), 0);
}

Test(claims, link_layers)
{
	cr_expect_eq(claims_l2_bytes(ARPHRD_ETHER), 14);
	cr_expect_eq(claims_l2_bytes(ARPHRD_NONE), 0);
	cr_expect_eq(claims_l2_bytes(ARPHRD_PPP), 0);
	cr_expect_eq(claims_l2_bytes(ARPHRD_INFINIBAND), -EOPNOTSUPP);
}
