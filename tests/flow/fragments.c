/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fragments: datagrams in parts, of both families and in both directions.
 *
 * A datagram is cut by code of this file, what the engine lets out is put together again here,
 * and the whole is held against the second opinion of packet_fault().
 */
#include <string.h>
#include "../support/packets.h"
#include "../support/steps.h"
#include "wire/fragment.h"

#define PAYLOAD 3500
#define PARTS   3
#define CUT     1200 /* bytes of the L4 part in each fragment but the last */

static const uint8_t orders[][PARTS] = {
	{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

/* ---- taking apart ---- */

/* Bytes [from, to) of a packet's L4 part, as a fragment under `id`. */
static struct packet *slice(const struct packet *whole, uint32_t from, uint32_t to, uint32_t id)
{
	const bool v4 = whole->data[0] >> 4 == 4;
	const uint32_t header = v4 ? 20 : 40, start = v4 ? 20 : 48;
	const bool more = header + to < whole->length;
	struct packet *part = packet_with_room(start + to - from);

	memcpy(part->data, whole->data, header);
	memcpy(part->data + start, whole->data + header + from, to - from);
	part->length = start + to - from;
	part->in_zone = whole->in_zone;
	if (v4) {
		struct ipv4_header *ip = packet_ipv4(part);
		uint32_t sum = 0;

		ip->total_length = htons((uint16_t)part->length);
		ip->id = htons((uint16_t)id);
		ip->fragment = htons((uint16_t)(from / 8 | (more ? IPV4_MF : 0)));
		ip->checksum = 0;
		for (unsigned i = 0; i < 20; i += 2)
			sum += (uint32_t)part->data[i] << 8 | part->data[i + 1];
		sum = sum % 0xffff;
		ip->checksum = htons((uint16_t)~sum);
	} else {
		struct ipv6_header *ip = packet_ipv6(part);
		const struct ipv6_fragment fragment = {.next_header = ip->next_header,
			.offset = htons((uint16_t)(from | more)),
			.id = htonl(id)};

		ip->payload_length = htons((uint16_t)(part->length - 40));
		ip->next_header = IPPROTO_FRAGMENT;
		memcpy(part->data + 40, &fragment, sizeof(fragment));
	}
	return part;
}

static struct packet *part_of(const struct packet *whole, unsigned index, uint32_t id)
{
	const uint32_t bytes = whole->length - (whole->data[0] >> 4 == 4 ? 20 : 40);

	return slice(whole, index * CUT, index + 1 < PARTS ? (index + 1) * CUT : bytes, id);
}

/* ---- putting together ---- */

struct pile {
	uint8_t bytes[PACKET_BYTES_MAX];
	uint32_t header, seen, total;
	uint32_t id;
	unsigned parts;
	uint32_t largest;
	uint32_t last_offset;
	bool in_order;
};

static void pile_add(struct pile *pile, struct packet *part)
{
	struct fragment_position position;

	cr_assert(packet_parse(part), "%s", drop_name((enum drop)part->drop));
	cr_assert(packet_is_fragment(part));
	packet_fragment_position(part, &position);
	const uint32_t start = fragment_start(part), bytes = part->length - start;
	pile->header = part->headers.family == AF_INET ? 20 : 40;
	if (pile->parts == 0)
		pile->id = position.id;
	cr_expect_eq(pile->id, position.id, "one datagram, one identification");
	pile->in_order = (pile->parts == 0 || pile->in_order) &&
			 (pile->parts == 0 || position.offset > pile->last_offset);
	pile->last_offset = position.offset;
	memcpy(pile->bytes + pile->header + position.offset, part->data + start, bytes);
	if (position.offset == 0) {
		memcpy(pile->bytes, part->data, pile->header);
		if (pile->header == 40)
			pile->bytes[6] = part->headers.protocol;
	}
	if (!position.more)
		pile->total = position.offset + bytes;
	pile->seen += bytes;
	pile->parts++;
	if (part->length > pile->largest)
		pile->largest = part->length;
}

/* All bytes came once, and make a sound packet. */
static struct packet *pile_whole(const struct pile *pile)
{
	cr_assert_eq(pile->seen, pile->total);
	struct packet *whole = packet_from_bytes(
		pile->bytes, pile->header + pile->total, pile->header + pile->total);
	if (pile->header == 20) {
		struct ipv4_header *ip = packet_ipv4(whole);
		uint32_t sum = 0;

		ip->total_length = htons((uint16_t)whole->length);
		ip->fragment = ip->checksum = 0;
		for (unsigned i = 0; i < 20; i += 2)
			sum += (uint32_t)whole->data[i] << 8 | whole->data[i + 1];
		ip->checksum = htons((uint16_t) ~(sum % 0xffff));
	} else {
		packet_ipv6(whole)->payload_length = htons((uint16_t)pile->total);
	}
	cr_expect_null(packet_fault(whole), "%s", packet_fault(whole));
	cr_assert(packet_parse(whole));
	return whole;
}

/* Hand a part in; what leaves, at once and behind it, goes on the pile. */
static enum verdict give(struct lab *lab, struct packet *part, struct pile *pile)
{
	struct packet *behind;
	const enum verdict verdict = lab_send(lab, part);

	if (verdict == VERDICT_SEND)
		pile_add(pile, part);
	if (verdict == VERDICT_DROP)
		cr_expect_eq(part->drop, DROP_FRAGMENT, "%s", drop_name((enum drop)part->drop));
	packet_dispose(part);
	while ((behind = lab_answer(lab)) != NULL) {
		pile_add(pile, behind);
		packet_dispose(behind);
	}
	return verdict;
}

static struct packet *ask(struct lab *lab, const char *guest, uint16_t port, uint32_t bytes)
{
	struct packet *packet = packet_make(lab_address_text(lab, guest, strlen(guest)),
		lab_address_text(lab, "server", 6),
		&(struct build){.protocol = IPPROTO_UDP,
			.source_port = port,
			.destination_port = 53,
			.payload_bytes = bytes});
	uint64_t seed = port;

	/* Any bytes will do, as long as the sum is made over them. */
	for (uint32_t i = packet->length - bytes; i < packet->length; i++)
		packet->data[i] = (uint8_t)test_random(&seed);
	packet->in_zone = lab_zone(lab, guest);
	packet->offload.flags = 0;
	struct udp_header *udp =
		(void *)(packet->data + packet->length - bytes - sizeof(struct udp_header));
	udp->checksum = 0;
	cr_assert(packet_parse(packet));
	uint32_t sum = (uint32_t)(bytes + 8) + IPPROTO_UDP;
	const uint32_t from = lab->family == AF_INET ? 12 : 8;
	for (uint32_t i = from; i < packet->length; i++)
		sum += i % 2 ? packet->data[i] : (uint32_t)packet->data[i] << 8;
	udp->checksum = htons((uint16_t) ~(sum % 0xffff));
	cr_assert_null(packet_fault(packet), "%s", packet_fault(packet));
	return packet;
}

/* An answer to what left: addresses and ports swapped, which leaves the sums as they are. */
static struct packet *answer(const struct packet *sent)
{
	struct packet *packet = packet_copy(sent);
	const uint32_t size = sent->headers.family == AF_INET ? 4 : 16;
	const uint32_t at = sent->headers.family == AF_INET ? 12 : 8;
	struct udp_header *udp = packet_l4(packet);

	memcpy(packet->data + at, sent->data + at + size, size);
	memcpy(packet->data + at + size, sent->data + at, size);
	udp->source_port = sent->headers.destination_port;
	udp->destination_port = sent->headers.source_port;
	packet->in_zone = ZONE_UPLINK;
	return packet;
}

/* ---- tests ---- */

static void expect_payload(const struct packet *a, const struct packet *b)
{
	cr_assert_eq(a->length, b->length);
	const uint32_t at = a->headers.payload;
	cr_expect_eq(memcmp(a->data + at, b->data + at, a->length - at), 0);
}

static struct packet *pass(
	struct lab *lab, const struct packet *whole, const uint8_t *order, uint32_t id)
{
	struct pile pile = {.parts = 0};

	for (unsigned i = 0; i < PARTS; i++) {
		bool first_seen = false;

		for (unsigned before = 0; before <= i; before++)
			first_seen |= order[before] == 0;
		cr_expect_eq(give(lab, part_of(whole, order[i], id), &pile),
			first_seen ? VERDICT_SEND : VERDICT_HELD);
	}
	struct packet *out = pile_whole(&pile);
	expect_payload(whole, out);
	cr_expect_eq(engine_status(lab->engine)->fragments, 0, "a whole datagram is forgotten");
	return out;
}

static const uint8_t families[] = {AF_INET, AF_INET6};

Test(fragments, every_order_both_ways)
{
	for (unsigned f = 0; f < 2; f++) {
		struct lab *lab = lab_open(families[f], LAB(.config = NULL));

		for (unsigned i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
			struct packet *whole = ask(lab, "guest", 5000, PAYLOAD);
			struct packet *out = pass(lab, whole, orders[i], 77);
			struct packet *back = answer(out);
			struct packet *home = pass(lab, back, orders[i], 88);
			cr_expect_eq(ntohs(home->headers.destination_port), 5000);
			packet_dispose(whole);
			packet_dispose(out);
			packet_dispose(back);
			packet_dispose(home);
		}
		cr_expect_eq(engine_status(lab->engine)->flows_created, 1);
		lab_close(lab);
	}
}

/* A whole packet with parts in front of it that never come, or a first part that is refused. */
Test(fragments, what_is_not_complete_is_forgotten_in_time)
{
	for (unsigned f = 0; f < 2; f++) {
		struct lab *lab = lab_open(families[f], LAB(.config = NULL));
		struct packet *whole = ask(lab, "guest", 5000, PAYLOAD);
		struct pile pile = {.parts = 0};

		cr_expect_eq(give(lab, part_of(whole, 1, 1), &pile), VERDICT_HELD);
		cr_expect_eq(give(lab, part_of(whole, 0, 2), &pile), VERDICT_SEND);
		lab_wait(lab, 29900);
		cr_expect_eq(engine_status(lab->engine)->fragments, 2);
		cr_expect_eq(give(lab, part_of(whole, 1, 2), &pile), VERDICT_SEND);
		lab_wait(lab, 200);
		cr_expect_eq(engine_status(lab->engine)->fragments, 0);
		cr_expect_eq(engine_status(lab->engine)->drops[DROP_FRAGMENT], 1);
		cr_expect_eq(give(lab, part_of(whole, 2, 2), &pile), VERDICT_HELD, "too late");
		lab_wait(lab, 30100);
		packet_dispose(whole);
		lab_close(lab);
	}
}

/* RFC 5722, and for IPv4 the same. */
Test(fragments, overlaps_refuse_the_datagram)
{
	static const struct {
		uint32_t from, to;
		bool first_before;
	} rows[] = {{800, 1600, true}, {1192, 2400, true}, {0, 1192, true}, {0, 2400, true},
		{8, 16, true}, {2000, 2800, false}, {2400, 2408, false}};

	for (unsigned f = 0; f < 2; f++)
		for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct lab *lab = lab_open(families[f], LAB(.config = NULL));
			struct packet *whole = ask(lab, "guest", 5000, PAYLOAD);
			struct pile pile = {.parts = 0};
			const bool first = rows[i].first_before;
			const uint64_t *drops = engine_status(lab->engine)->drops;

			cr_expect_eq(give(lab, part_of(whole, first ? 0 : 2, 9), &pile),
				first ? VERDICT_SEND : VERDICT_HELD);
			cr_expect_eq(give(lab, slice(whole, rows[i].from, rows[i].to, 9), &pile),
				VERDICT_DROP, "row %u", i);
			cr_expect_eq(drops[DROP_FRAGMENT], first ? 1 : 2);
			cr_expect_eq(give(lab, part_of(whole, 1, 9), &pile), VERDICT_DROP);
			cr_expect_eq(give(lab, part_of(whole, 0, 9), &pile), VERDICT_DROP);
			lab_wait(lab, 30100);
			packet_dispose(whole);
			lab_close(lab);
		}
}

Test(fragments, the_same_again_does_no_harm)
{
	for (unsigned f = 0; f < 2; f++) {
		struct lab *lab = lab_open(families[f], LAB(.config = NULL));
		struct packet *whole = ask(lab, "guest", 5000, PAYLOAD);
		struct pile pile = {.parts = 0}, twice = {.parts = 0};

		cr_expect_eq(give(lab, part_of(whole, 2, 3), &pile), VERDICT_HELD);
		cr_expect_eq(give(lab, part_of(whole, 2, 3), &pile), VERDICT_DROP);
		cr_expect_eq(give(lab, part_of(whole, 0, 3), &pile), VERDICT_SEND);
		cr_expect_eq(give(lab, part_of(whole, 0, 3), &twice), VERDICT_SEND);
		cr_expect_eq(give(lab, part_of(whole, 2, 3), &twice), VERDICT_SEND);
		cr_expect_eq(give(lab, part_of(whole, 1, 3), &pile), VERDICT_SEND);
		packet_dispose(pile_whole(&pile));
		packet_dispose(whole);
		lab_close(lab);
	}
}

/* RFC 7857, 11: two guests with the same number do not mix. */
Test(fragments, guests_with_one_identification)
{
	for (unsigned f = 0; f < 2; f++) {
		struct lab *lab = lab_open(families[f], LAB(.config = NULL));
		struct packet *one = ask(lab, "guest", 5000, PAYLOAD);
		struct packet *two = ask(lab, "second", 5001, PAYLOAD);
		struct pile piles[2] = {{.parts = 0}};

		for (unsigned i = 0; i < PARTS; i++) {
			give(lab, part_of(one, orders[3][i], 7), &piles[0]);
			give(lab, part_of(two, orders[3][i], 7), &piles[1]);
		}
		struct packet *out[] = {pile_whole(&piles[0]), pile_whole(&piles[1])};
		cr_expect_neq(piles[0].id, piles[1].id);
		expect_payload(one, out[0]);
		expect_payload(two, out[1]);
		packet_dispose(out[0]);
		packet_dispose(out[1]);
		packet_dispose(one);
		packet_dispose(two);
		lab_close(lab);
	}
}

/* A guest's flood, of first parts or of others, is its own trouble. */
Test(fragments, floods_push_out_only_their_own)
{
	for (unsigned kind = 0; kind < 2; kind++)
		for (unsigned f = 0; f < 2; f++) {
			struct lab *lab = lab_open(families[f], LAB(.config = NULL));
			struct packet *whole = ask(lab, "guest", 5000, PAYLOAD);
			struct packet *flood = ask(lab, "second", 5001, 2000);
			struct pile pile = {.parts = 0}, other = {.parts = 0};
			const struct engine_status *status = engine_status(lab->engine);

			cr_expect_eq(give(lab, part_of(whole, 2, 0), &pile), VERDICT_HELD);
			for (uint32_t i = 0; i < 100000; i++) {
				other.parts = 0;
				give(lab, slice(flood, kind * 800, kind * 800 + 800, i % 65536),
					&other);
				if (i == 50000)
					give(lab, part_of(whole, 1, 0), &pile);
			}
			status = engine_status(lab->engine);
			cr_expect_leq(status->fragments, status->fragments_max / 4 + 1);
			cr_expect_eq(give(lab, part_of(whole, 0, 0), &pile), VERDICT_SEND);
			packet_dispose(pile_whole(&pile));
			lab_wait(lab, 30100);
			cr_expect_eq(engine_status(lab->engine)->fragments, 0);
			packet_dispose(whole);
			packet_dispose(flood);
			lab_close(lab);
		}
}

/* What strangers send in parts does not push out a guest's, once its first part is known. */
Test(fragments, a_flood_from_outside)
{
	struct lab *lab = lab_open(AF_INET, LAB(.config = NULL));
	struct packet *whole = ask(lab, "guest", 5000, PAYLOAD);
	struct packet *out = pass(lab, whole, orders[0], 1), *back = answer(out);
	struct pile pile = {.parts = 0}, none = {.parts = 0};

	cr_expect_eq(give(lab, part_of(back, 0, 5), &pile), VERDICT_SEND);
	for (uint32_t i = 6; i < 20000; i++)
		cr_assert_eq(give(lab, part_of(back, 1, i), &none), VERDICT_HELD);
	cr_expect_eq(give(lab, part_of(back, 1, 5), &pile), VERDICT_SEND);
	cr_expect_eq(give(lab, part_of(back, 2, 5), &pile), VERDICT_SEND);
	packet_dispose(pile_whole(&pile));
	lab_wait(lab, 30100);
	packet_dispose(whole);
	packet_dispose(out);
	packet_dispose(back);
	lab_close(lab);
}

/* The first one's verdict is that of all, and they count on the same rule. */
Test(fragments, the_filter_sees_the_first)
{
	struct rule_info info;
	struct lab *lab =
		lab_open(AF_INET, LAB("[filter forward]\nrule = drop in lab proto udp port 99\n"
				      "rule = accept in lab proto udp port 53\npolicy = drop\n"));
	struct packet *whole = ask(lab, "guest", 5000, PAYLOAD);
	struct packet *bad = packet_make("10.77.0.2:5000", "198.51.100.1:99",
		&(struct build){.protocol = IPPROTO_UDP, .payload_bytes = PAYLOAD});

	packet_dispose(pass(lab, whole, orders[4], 1));
	cr_assert(engine_rule_info(lab->engine, CHAIN_FORWARD, 1, &info));
	cr_expect_eq(info.counter.packets, PARTS);
	for (unsigned i = 0; i < PARTS; i++) {
		struct packet *part = part_of(bad, orders[2][i], 2);
		part->in_zone = 0;
		cr_expect_eq(lab_send(lab, part), i == 0 ? VERDICT_HELD : VERDICT_DROP);
		packet_dispose(part);
	}
	cr_expect_null(lab_answer(lab));
	cr_expect_eq(engine_status(lab->engine)->drops[DROP_FILTER], PARTS);
	lab_wait(lab, 30100);
	packet_dispose(whole);
	packet_dispose(bad);
	lab_close(lab);
}

/* ---- cutting ---- */

static void clear_df(struct packet *packet)
{
	struct ipv4_header *ip = packet_ipv4(packet);

	ip->fragment = 0;
	ip->checksum = (be16)(ip->checksum + htons(IPV4_DF)) < htons(IPV4_DF)
			       ? (be16)(ip->checksum + htons(IPV4_DF) + 1)
			       : (be16)(ip->checksum + htons(IPV4_DF));
	packet->parsed = false;
}

/* RFC 4787 REQ-13b: with DF clear, in pieces, in order; here towards a link with an MTU of 1300. */
Test(fragments, cut_for_a_smaller_mtu)
{
	struct lab *lab = lab_open(AF_INET, LAB(.config = NULL));
	struct packet *whole = ask(lab, "far", 5000, 600);
	struct pile pile = {.parts = 0};

	clear_df(whole);
	cr_assert_eq(lab_send(lab, whole), VERDICT_SEND);
	cr_expect_null(packet_fault(whole), "%s", packet_fault(whole));
	struct packet *back = packet_make("198.51.100.1:53", "192.0.2.1:1",
		&(struct build){.protocol = IPPROTO_UDP,
			.destination_port = ntohs(whole->headers.source_port),
			.payload_bytes = 4000});
	((struct udp_header *)(back->data + 20))->checksum = 0;
	((struct udp_header *)(back->data + 20))->destination_port = whole->headers.source_port;
	clear_df(back);
	back->in_zone = ZONE_UPLINK;
	cr_assert_eq(give(lab, back, &pile), VERDICT_SEND);
	struct packet *home = pile_whole(&pile);
	cr_expect_eq(home->length, 4028);
	cr_expect_eq(pile.parts, 4);
	cr_expect_leq(pile.largest, 1300);
	cr_expect(pile.in_order);
	cr_expect_eq(engine_status(lab->engine)->out[0].packets, 4);
	packet_dispose(home);
	packet_dispose(whole);
	lab_close(lab);
}

/* Fragments are cut further, a partial sum is completed before. */
Test(fragments, cut_fragments_and_partial_sums)
{
	struct lab *lab = lab_open(AF_INET, LAB(.config = NULL));
	struct packet *whole = packet_make("10.77.0.2:5000", "203.0.113.1:53",
		&(struct build){
			.protocol = IPPROTO_UDP, .payload_bytes = 1400, .partial_checksum = true});
	struct pile pile = {.parts = 0};

	whole->in_zone = 0;
	clear_df(whole);
	cr_assert_eq(give(lab, whole, &pile), VERDICT_SEND);
	cr_expect_eq(pile.parts, 2);
	cr_expect_leq(pile.largest, 1280);
	packet_dispose(pile_whole(&pile));

	struct packet *long_one = packet_make("10.77.0.2:5000", "203.0.113.1:53",
		&(struct build){.protocol = IPPROTO_UDP, .payload_bytes = 3900});
	pile = (struct pile){.parts = 0};
	long_one->in_zone = 0;
	for (unsigned i = 0; i < 3; i++)
		give(lab,
			slice(long_one, orders[3][i] * 1480,
				orders[3][i] == 2 ? 3908 : orders[3][i] * 1480 + 1480, 4),
			&pile);
	packet_dispose(pile_whole(&pile));
	cr_expect_eq(pile.parts, 5);
	cr_expect_leq(pile.largest, 1280);
	packet_dispose(long_one);
	lab_close(lab);
}

/* RFC 6864: what may be fragmented on its way has a number of its own. */
Test(fragments, identification_of_whole_packets)
{
	enum { COUNT = 5000 };
	static uint8_t seen[65536];
	struct lab *lab = lab_open(AF_INET, LAB(.config = NULL));
	unsigned ascending = 0, last = 0;

	for (unsigned i = 0; i < COUNT; i++) {
		struct packet *packet = ask(lab, i % 2 ? "guest" : "second", 5000, 10);
		clear_df(packet);
		cr_assert_eq(lab_send(lab, packet), VERDICT_SEND);
		cr_expect_null(packet_fault(packet), "%s", packet_fault(packet));
		const unsigned id = ntohs(packet_ipv4(packet)->id);
		cr_expect_eq(seen[id]++, 0, "%u comes twice", id);
		ascending += id > last;
		last = id;
		packet_dispose(packet);
	}
	cr_expect(ascending > COUNT * 45 / 100 && ascending < COUNT * 55 / 100, "%u", ascending);
	lab_close(lab);
}
