/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gro: what is merged must come apart again into what it was; what must not be merged is not.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "../support/packets.h"
#include "base/cksum.h"
#include "wire/gro.h"
#include "wire/gso.h"

#define BURST 64
#define MSS   1400

/* A burst of packets in buffers large enough to merge into, and a copy of each as it came. */
struct burst {
	unsigned count;
	struct packet packets[BURST];
	struct packet *made[BURST];
	struct packet *kept[BURST];
};

static const char *const from_text[] = {"192.0.2.1:80", "[2001:db8::1]:80"};
static const char *const to_text[] = {"10.77.0.2:4000", "[fd77:7467::2]:4000"};

static void add(struct burst *burst, int family, uint32_t sequence, uint32_t bytes, uint8_t flags)
{
	uint8_t payload[MSS];

	for (uint32_t i = 0; i < bytes; i++)
		payload[i] = (uint8_t)(sequence + i * 7);
	struct packet *made = TCP_PACKET(from_text[family], to_text[family], .sequence = sequence,
		.acknowledgment = 77, .tcp_flags = flags, .payload = payload,
		.payload_bytes = bytes);
	struct packet *large = packet_from_bytes(made->data, made->length, PACKET_BYTES_MAX);
	/* As a sender with path MTU discovery has it. */
	if (family == 0) {
		struct ipv4_header *ip = (void *)large->data;
		const be16 old = ip->fragment;
		ip->fragment = __builtin_bswap16(IPV4_DF);
		ip->checksum = cksum_apply(ip->checksum, cksum_delta(old, ip->fragment));
	}
	burst->kept[burst->count] = packet_copy(large);
	burst->made[burst->count] = large;
	burst->packets[burst->count++] = *large;
	packet_dispose(made);
}

static void dispose(struct burst *burst)
{
	for (unsigned i = 0; i < burst->count; i++) {
		packet_dispose(burst->made[i]);
		packet_dispose(burst->kept[i]);
	}
}

/* Cut `merged` up and compare with the packets from `first` on; returns how many it was. */
static unsigned comes_apart(const struct burst *burst, struct packet *merged, unsigned first)
{
	const unsigned segments = gso_segment_count(merged);
	struct packet *out = packet_with_room(2000);

	cr_assert_null(packet_fault(merged), "%s", packet_fault(merged));
	for (unsigned i = 0; i < segments; i++) {
		const struct packet *was = burst->kept[first + i];
		cr_assert_eq(gso_segment(merged, i, out), was->length);
		if ((was->data[0] >> 4) == 4) { /* the identification is counted up */
			memcpy(out->data + 4, was->data + 4, 2);
			memcpy(out->data + 10, was->data + 10, 2);
		}
		cr_assert_arr_eq(out->data, was->data, was->length, "segment %u", first + i);
	}
	packet_dispose(out);
	return segments;
}

Test(gro, consecutive_segments_merge_and_come_apart_again)
{
	for (int family = 0; family < 2; family++) {
		struct burst burst = {0};
		for (unsigned i = 0; i < 40; i++)
			add(&burst, family, 1000 + i * MSS, MSS, TCP_ACK);
		add(&burst, family, 1000 + 40 * MSS, 10, TCP_ACK | TCP_PSH);
		cr_assert_eq(gro_merge(burst.packets, burst.count), 1);
		cr_assert_eq(comes_apart(&burst, &burst.packets[0], 0), 41);
		cr_assert(burst.packets[0].parsed && packet_parse(&burst.packets[0]));
		dispose(&burst);
	}
}

Test(gro, a_full_packet_begins_another)
{
	struct burst burst = {0};

	for (unsigned i = 0; i < BURST; i++)
		add(&burst, 0, i * MSS, MSS, TCP_ACK);
	cr_assert_eq(gro_merge(burst.packets, burst.count), 2);
	const unsigned first = comes_apart(&burst, &burst.packets[0], 0);
	cr_assert_eq(first, (65535 - 40) / MSS);
	cr_assert_eq(comes_apart(&burst, &burst.packets[1], first), BURST - first);
	dispose(&burst);
}

/* Each row: the second segment differs from what would follow the first. */
struct row {
	const char *what;
	uint32_t sequence;
	uint32_t bytes;
	uint8_t first_flags, flags;
	void (*change)(struct packet *second);
};

static void change_ttl(struct packet *packet)
{
	struct ipv4_header *ip = (void *)packet->data;
	be16 old, new;

	memcpy(&old, &ip->ttl, 2);

	ip->ttl--;
	memcpy(&new, &ip->ttl, 2);
	ip->checksum = cksum_apply(ip->checksum, cksum_delta(old, new));
}

static void change_payload(struct packet *packet)
{
	packet->data[packet->length - 1] ^= 1;
}

static void change_window(struct packet *packet)
{
	struct tcp_header *tcp = (void *)(packet->data + 20);
	const be16 old = tcp->window;

	tcp->window ^= 1;
	tcp->checksum = cksum_apply(tcp->checksum, cksum_delta(old, tcp->window));
}

Test(gro, what_does_not_follow_stays_by_itself)
{
	static const struct row rows[] = {
		{"a gap", 2 * MSS, MSS, TCP_ACK, TCP_ACK, NULL},
		{"a repetition", 0, MSS, TCP_ACK, TCP_ACK, NULL},
		{"after PSH", MSS, MSS, TCP_ACK | TCP_PSH, TCP_ACK, NULL},
		{"FIN", MSS, MSS, TCP_ACK, TCP_ACK | TCP_FIN, NULL},
		{"no payload", MSS, 0, TCP_ACK, TCP_ACK, NULL},
		{"another hop limit", MSS, MSS, TCP_ACK, TCP_ACK, change_ttl},
		{"another window", MSS, MSS, TCP_ACK, TCP_ACK, change_window},
		{"a wrong checksum", MSS, MSS, TCP_ACK, TCP_ACK, change_payload},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct burst burst = {0};
		add(&burst, 0, 0, MSS, rows[i].first_flags);
		add(&burst, 0, rows[i].sequence, rows[i].bytes, rows[i].flags);
		if (rows[i].change != NULL)
			rows[i].change(&burst.packets[1]);
		cr_expect_eq(gro_merge(burst.packets, 2), 2, "%s", rows[i].what);
		cr_expect_eq(
			burst.packets[0].offload.gso_type, OFFLOAD_GSO_NONE, "%s", rows[i].what);
		dispose(&burst);
	}
}

Test(gro, a_longer_segment_does_not_join_shorter_ones)
{
	struct burst burst = {0};

	add(&burst, 0, 0, 100, TCP_ACK);
	add(&burst, 0, 100, 200, TCP_ACK);
	cr_assert_eq(gro_merge(burst.packets, 2), 2);
	dispose(&burst);
}

Test(gro, nothing_overtakes_within_a_flow)
{
	struct burst burst = {0};

	add(&burst, 0, 0, MSS, TCP_ACK);
	add(&burst, 0, MSS, 0, TCP_ACK); /* a pure acknowledgment in between */
	add(&burst, 0, MSS, MSS, TCP_ACK);
	add(&burst, 0, 2 * MSS, MSS, TCP_ACK);
	cr_assert_eq(gro_merge(burst.packets, 4), 3);
	cr_assert_eq(packet_payload_bytes(&burst.packets[1]), 0);
	cr_assert_eq(comes_apart(&burst, &burst.packets[2], 2), 2);
	dispose(&burst);
}

Test(gro, two_flows_merge_each_by_itself_and_buffers_stay_apart)
{
	struct burst burst = {0};

	for (unsigned i = 0; i < 8; i++)
		add(&burst, i % 2, (i / 2) * MSS, MSS, TCP_ACK);
	cr_assert_eq(gro_merge(burst.packets, burst.count), 2);
	cr_assert_eq(burst.packets[0].headers.family, AF_INET);
	cr_assert_eq(burst.packets[1].headers.family, AF_INET6);
	for (unsigned i = 0; i < burst.count; i++)
		for (unsigned j = 0; j < i; j++)
			cr_assert_neq(burst.packets[i].data, burst.packets[j].data);
	dispose(&burst);
}
