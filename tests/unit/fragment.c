/* SPDX-License-Identifier: BSD-2-Clause */
/* fragment: pieces that fit, and that put together again are what was cut. */
#include "wire/fragment.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>
#include "base/cksum.h"

#include "../support/packets.h"

static const char *const ends[][2] = {
	{"10.77.0.5:4000", "192.0.2.1:80"},
	{"[fd00::5]:4000", "[2001:db8::1]:80"},
};

/* A parsed UDP packet with room for a fragment header before it. */
static struct packet *make(unsigned family, uint32_t bytes)
{
	static uint8_t payload[65000];
	uint64_t seed = bytes;

	for (uint32_t i = 0; i < bytes; i++)
		payload[i] = (uint8_t)test_random(&seed);
	struct packet *packet = UDP_PACKET(
		ends[family][0], ends[family][1], .payload = payload, .payload_bytes = bytes);
	cr_assert(packet_parse(packet));
	return packet;
}

/* Ones' complement sum of a header, byte by byte: ffff where its checksum is right. */
static uint32_t header_sum(const struct packet *packet)
{
	const uint32_t bytes = (packet->data[0] & 15U) * 4;
	uint32_t sum = 0;

	for (uint32_t i = 0; i < bytes; i += 2)
		sum += (uint32_t)(packet->data[i] << 8 | packet->data[i + 1]);
	return (sum & 0xffff) + (sum >> 16);
}

static uint32_t field(const struct packet *packet, unsigned at)
{
	return (uint32_t)(packet->data[at] << 8 | packet->data[at + 1]);
}

/* What a piece's header says, read by hand. */
struct said {
	uint32_t header, offset, id;
	bool more;
};

static struct said read_piece(const struct packet *piece)
{
	const bool v4 = piece->data[0] >> 4 == 4;
	const uint32_t word = field(piece, v4 ? 6 : 42);

	if (v4) {
		cr_expect_eq(field(piece, 2), piece->length);
		cr_expect_eq(header_sum(piece), 0xffff);
		return (struct said){(piece->data[0] & 15U) * 4, (word & 0x1fff) * 8,
			field(piece, 4), (word & 0x2000) != 0};
	}
	cr_expect_eq(field(piece, 4), piece->length - 40);
	cr_expect_eq(piece->data[6], IPPROTO_FRAGMENT);
	return (struct said){
		48, word & 0xfff8, field(piece, 44) << 16 | field(piece, 46), word & 1};
}

/* Cut a packet and put its pieces together; `start` and `more` are where it lies in its datagram
 * itself. */
static void expect_pieces(struct packet *packet, uint32_t mtu, uint32_t start, bool more)
{
	const uint32_t whole = packet->headers.end - packet->headers.l4;
	const uint32_t count = fragment_count(packet, mtu);
	uint32_t at = 0;

	cr_assert_gt(count, 1);
	for (uint32_t i = 0; i < count; i++) {
		struct packet *piece = packet_with_room(mtu);
		cr_expect_eq(fragment_piece(packet, i, mtu, piece), piece->length);
		cr_assert_leq(piece->length, mtu);
		const struct said said = read_piece(piece);
		const uint32_t bytes = piece->length - said.header;
		cr_expect_eq(said.offset, start + at);
		cr_expect_eq(said.more, i + 1 < count || more);
		cr_expect(i + 1 == count || bytes % 8 == 0);
		cr_assert_leq(at + bytes, whole);
		cr_expect_eq(memcmp(piece->data + said.header,
				     packet->data + packet->headers.l4 + at, bytes),
			0);
		at += bytes;
		packet_dispose(piece);
	}
	cr_expect_eq(at, whole);
}

Test(fragment, pieces_are_the_packet)
{
	static const uint32_t mtus[] = {68, 576, 1279, 1280, 1500};

	for (unsigned i = 0; i < sizeof(mtus) / sizeof(*mtus); i++)
		for (uint32_t bytes = mtus[i]; bytes < 4 * mtus[i]; bytes += mtus[i] / 3) {
			struct packet *packet = make(0, bytes);
			expect_pieces(packet, mtus[i], 0, false);
			packet_dispose(packet);
		}
}

Test(fragment, a_fragment_is_cut_where_it_lies)
{
	struct packet *packet = make(0, 3000);
	struct packet *second = packet_with_room(1500);

	fragment_piece(packet, 1, 1500, second);
	cr_assert(packet_parse(second));
	cr_expect(packet_is_fragment(second));
	expect_pieces(second, 600, 1480, true);
	packet_dispose(second);
	packet_dispose(packet);
}

Test(fragment, ipv6_has_a_header_for_it)
{
	struct packet *packet = make(1, 3000);
	struct packet *wide = packet_from_bytes(packet->data, packet->length, packet->length);

	packet_dispose(packet);
	packet = packet_with_more_room(wide, sizeof(struct ipv6_fragment));
	cr_assert(packet_parse(packet));
	const uint32_t before = packet->length;
	fragment_wrap(packet, 0x12345678);
	cr_expect_eq(packet->length, before + sizeof(struct ipv6_fragment));
	cr_expect_eq(read_piece(packet).id, 0x12345678);
	cr_expect_eq(fragment_start(packet), 48);
	expect_pieces(packet, 1280, 0, false);
	fragment_id_set(packet, 0xfedcba98);
	cr_expect_eq(read_piece(packet).id, 0xfedcba98);
	packet_dispose(packet);
}

/* Router alert is copied into every piece, a timestamp stays in the first one (RFC 791, 3.1). */
Test(fragment, options_are_copied_as_they_ask)
{
	struct packet *plain = make(0, 2000);
	uint8_t bytes[2100];
	static const uint8_t options[12] = {68, 8, 5, 0, 0, 0, 0, 0, 0x94, 4, 0, 0};

	memcpy(bytes, plain->data, 20);
	memcpy(bytes + 20, options, sizeof(options));
	memcpy(bytes + 32, plain->data + 20, plain->length - 20);
	bytes[0] = 0x48;
	bytes[2] = (uint8_t)((plain->length + 12) >> 8);
	bytes[3] = (uint8_t)(plain->length + 12);
	struct packet *packet = packet_from_bytes(bytes, plain->length + 12, sizeof(bytes));
	struct ipv4_header *ip = packet_ipv4(packet);
	ip->checksum = 0;
	ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, 32));
	cr_assert(packet_parse(packet));
	expect_pieces(packet, 576, 0, false);

	struct packet *piece = packet_with_room(576);
	fragment_piece(packet, 0, 576, piece);
	cr_expect_eq(memcmp(piece->data + 20, options, sizeof(options)), 0);
	fragment_piece(packet, 1, 576, piece);
	cr_expect_eq(read_piece(piece).header, 24);
	cr_expect_eq(memcmp(piece->data + 20, options + 8, 4), 0);
	packet_dispose(piece);
	packet_dispose(packet);
	packet_dispose(plain);
}

Test(fragment, the_packet_becomes_its_first_piece)
{
	for (unsigned bytes = 1500; bytes < 1510; bytes++) {
		struct packet *packet = make(0, bytes);
		struct packet *first = packet_with_room(1500);
		fragment_piece(packet, 0, 1500, first);
		fragment_truncate(packet, 1500);
		cr_expect_eq(packet->length, first->length);
		cr_expect_eq(memcmp(packet->data, first->data, first->length), 0);
		fragment_id_set(packet, bytes);
		cr_expect_eq(read_piece(packet).id, bytes);
		packet_dispose(first);
		packet_dispose(packet);
	}
}

Test(fragment, what_fits_is_one_piece_and_what_cannot_none)
{
	cr_expect_eq(fragment_pieces(20, 1480, 1500), 1);
	cr_expect_eq(fragment_pieces(20, 1481, 1500), 2);
	cr_expect_eq(fragment_pieces(20, 2960, 1500), 2);
	cr_expect_eq(fragment_pieces(20, 2961, 1500), 3);
	cr_expect_eq(fragment_pieces(60, 100, 67), 0, "not eight bytes behind the header");
	cr_expect_eq(fragment_pieces(60, 16, 68), 2);
}
