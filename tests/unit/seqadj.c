/* SPDX-License-Identifier: BSD-2-Clause */
/* seqadj: numbers of a stream before and behind its edits, and the segments that carry it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "../support/packets.h"
#include "base/cksum.h"
#include "engine/seqadj.h"

/* One edit that takes 10 bytes at 1000 away and puts 14 there, one at 2000 that leaves 3 of 8. */
static void two_edits(struct seqadj *stream)
{
	seqadj_init(stream);
	cr_assert(seqadj_add(stream, 1000, 10, "abcdefghijklmn", 14));
	cr_assert(seqadj_add(stream, 2000, 8, "xyz", 3));
}

Test(seqadj, shown_and_own)
{
	static const struct {
		uint32_t own, shown;
	} rows[] = {{0, 0}, {999, 999}, {1000, 1000}, {1010, 1014}, {1011, 1015}, {2000, 2004},
		{2008, 2007}, {2009, 2008}, {0x80000000, 0x7fffffff}};
	struct seqadj stream;

	two_edits(&stream);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(seqadj_show(&stream, rows[i].own), rows[i].shown, "%u", rows[i].own);
		cr_expect_eq(seqadj_own(&stream, rows[i].shown, false), rows[i].own);
		cr_expect_eq(seqadj_own(&stream, rows[i].shown, true), rows[i].own);
	}
}

/* Inside of an edit: what is carried there goes behind it, what is acknowledged is not. */
Test(seqadj, inside_of_an_edit)
{
	struct seqadj stream;

	two_edits(&stream);
	cr_expect_eq(seqadj_show(&stream, 1001), 1014);
	cr_expect_eq(seqadj_show(&stream, 1009), 1014);
	cr_expect_eq(seqadj_own(&stream, 1001, false), 1000);
	cr_expect_eq(seqadj_own(&stream, 1013, false), 1000);
	cr_expect_eq(seqadj_own(&stream, 1013, true), 1010);
	cr_expect_eq(seqadj_own(&stream, 2006, false), 2000);
}

Test(seqadj, acknowledged_edits_leave_their_shift)
{
	struct seqadj stream;

	two_edits(&stream);
	seqadj_acknowledged(&stream, 1009);
	cr_expect_eq(stream.count, 2);
	seqadj_acknowledged(&stream, 1010);
	cr_expect_eq(stream.count, 1);
	cr_expect_eq(seqadj_show(&stream, 1500), 1504);
	cr_expect_eq(seqadj_own(&stream, 2004, false), 2000);
	seqadj_settle(&stream);
	cr_expect_eq(seqadj_show(&stream, 3000), 2999);
	cr_expect(seqadj_is_needed(&stream));
	/* A late copy lies below what is acknowledged, as it should. */
	cr_expect_lt((int32_t)(seqadj_show(&stream, 900) - seqadj_show(&stream, 2008)), 0);
}

Test(seqadj, across_zero)
{
	struct seqadj stream;

	seqadj_init(&stream);
	cr_assert(seqadj_add(&stream, 0xfffffffa, 10, "abc", 3));
	cr_expect_eq(seqadj_show(&stream, 0xfffffffa), 0xfffffffa);
	cr_expect_eq(seqadj_show(&stream, 1), 0xfffffffd);
	cr_expect_eq(seqadj_show(&stream, 4), 0xfffffffd);
	cr_expect_eq(seqadj_show(&stream, 14), 7);
	cr_expect_eq(seqadj_own(&stream, 7, false), 14);
	seqadj_acknowledged(&stream, 3);
	cr_expect_eq(stream.count, 1);
	seqadj_acknowledged(&stream, 4);
	cr_expect_eq(stream.count, 0);
	cr_expect_eq(seqadj_own(&stream, 7, false), 14);
}

Test(seqadj, no_more_than_it_can_remember)
{
	char long_text[SEQADJ_TEXT_BYTES + 1] = "";
	struct seqadj stream;

	seqadj_init(&stream);
	cr_expect_not(seqadj_is_needed(&stream));
	cr_expect_not(seqadj_add(&stream, 0, 1, long_text, sizeof(long_text)));
	for (uint32_t i = 0; i < SEQADJ_EDITS; i++)
		cr_expect(seqadj_add(&stream, 100 * i, 1, "x", 1));
	cr_expect_not(seqadj_add(&stream, 10000, 1, "x", 1));
}

/* ---- segments ---- */

/* A segment of `text` with `room` bytes of room behind it. */
static struct packet *segment(uint32_t sequence, const char *text, uint32_t room, bool partial)
{
	struct packet *exact =
		TCP_PACKET("10.77.0.2:4000", "192.0.2.2:21", .tcp_flags = TCP_ACK | TCP_PSH,
			.sequence = sequence, .acknowledgment = 1, .payload = text,
			.payload_bytes = (uint32_t)strlen(text), .partial_checksum = partial);
	struct packet *packet = packet_from_bytes(exact->data, exact->length, exact->length + room);

	packet->offload = exact->offload;
	packet_dispose(exact);
	cr_assert(packet_parse(packet));
	return packet;
}

static void expect_segment(const struct packet *packet, uint32_t sequence, const char *text)
{
	const struct tcp_header *tcp = packet_l4(packet);
	const uint32_t length = (uint32_t)strlen(text);

	cr_expect_null(packet_fault(packet), "%s", packet_fault(packet));
	cr_expect_eq(ntohl(tcp->sequence), sequence, "%u", ntohl(tcp->sequence));
	cr_expect_eq(packet_payload_bytes(packet), length);
	cr_expect_eq(packet->length, packet->headers.end);
	cr_expect_eq(memcmp(packet->data + packet->headers.payload, text, length), 0, "%.*s",
		(int)packet_payload_bytes(packet), packet->data + packet->headers.payload);
}

Test(seqadj, however_the_stream_is_cut)
{
	static const char own[] = "one 0123456789 two 01234567 three";
	static const char shown[] = "one abcdefghijklmn two xyz three";
	const uint32_t length = sizeof(own) - 1;
	struct seqadj stream;
	char part[64], whole[64] = "";

	seqadj_init(&stream);
	cr_assert(seqadj_add(&stream, 4 - 20u, 10, "abcdefghijklmn", 14));
	cr_assert(seqadj_add(&stream, 19 - 20u, 8, "xyz", 3));
	/* Every two places to cut at: three segments, together always the same. */
	for (uint32_t a = 0; a <= length; a++) {
		for (uint32_t b = a; b <= length; b++) {
			const uint32_t cut[] = {0, a, b, length};
			uint32_t next = 0 - 20u;
			whole[0] = '\0';
			for (unsigned i = 0; i < 3; i++) {
				snprintf(part, sizeof(part), "%.*s", (int)(cut[i + 1] - cut[i]),
					own + cut[i]);
				struct packet *packet =
					segment(cut[i] - 20u, part, 32, (a + b) % 2);
				cr_assert(seqadj_segment(&stream, packet));
				const struct tcp_header *tcp = packet_l4(packet);
				cr_expect_eq(ntohl(tcp->sequence), next);
				cr_expect_null(packet_fault(packet));
				strncat(whole, (const char *)packet->data + packet->headers.payload,
					packet_payload_bytes(packet));
				next += packet_payload_bytes(packet);
				packet_dispose(packet);
			}
			cr_expect_str_eq(whole, shown, "cut at %u and %u: %s", a, b, whole);
		}
	}
}

Test(seqadj, no_room)
{
	struct seqadj stream;
	struct packet *packet = segment(1000, "0123456789 and more", 3, false);

	two_edits(&stream);
	cr_expect_not(seqadj_segment(&stream, packet));
	expect_segment(packet, 1000, "0123456789 and more");
	packet_dispose(packet);
	packet = segment(1000, "0123456789 and more", 4, false);
	cr_expect(seqadj_segment(&stream, packet));
	expect_segment(packet, 1000, "abcdefghijklmn and more");
	packet_dispose(packet);
}

/* A damaged segment must not become a sound one. */
Test(seqadj, a_wrong_sum_stays_wrong)
{
	struct seqadj stream;
	struct packet *packet = segment(1000, "0123456789 and more", 30, false);

	two_edits(&stream);
	packet->data[packet->length - 1] ^= 1;
	cr_expect(seqadj_segment(&stream, packet));
	cr_expect_str_eq(packet_fault(packet), "L4 checksum");
	packet_dispose(packet);
}

/* ---- acknowledgments ---- */

static be32 *word_at(struct packet *packet, unsigned offset)
{
	return (be32 *)((uint8_t *)packet_l4(packet) + offset);
}

/* A bare acknowledgment with three NOPs before a SACK option, so that no word of it is aligned. */
static struct packet *acknowledgment(uint32_t number, const uint32_t (*blocks)[2], unsigned count)
{
	struct packet *plain = TCP_PACKET("192.0.2.2:21", "10.77.0.2:4000", .tcp_flags = TCP_ACK,
		.acknowledgment = number, .payload_bytes = 8 * count + 8);
	uint8_t *option = plain->data + 40;

	plain->data[32] = (uint8_t)((5 + 2 * count + 2) << 4);
	memset(option, TCP_OPTION_NOP, 8);
	option[3] = TCP_OPTION_SACK;
	option[4] = (uint8_t)(2 + 8 * count);
	for (unsigned i = 0; i < count; i++)
		for (unsigned edge = 0; edge < 2; edge++) {
			const be32 word = htonl(blocks[i][edge]);
			memcpy(option + 5 + 8 * i + 4 * edge, &word, 4);
		}
	memset(option + 5 + 8 * count, TCP_OPTION_NOP, 3);
	plain->data[36] = plain->data[37] = 0;
	cr_assert(packet_parse(plain));
	plain->headers.payload = (uint16_t)plain->headers.end;
	struct tcp_header *tcp = packet_l4(plain);
	tcp->checksum = 0;
	tcp->checksum = (be16)~cksum_fold(cksum_add(tcp, plain->length - 20,
		cksum_pseudo(AF_INET, &plain->headers.source, &plain->headers.destination,
			IPPROTO_TCP, plain->length - 20)));
	return plain;
}

Test(seqadj, acknowledgments_and_blocks)
{
	static const uint32_t blocks[][2] = {{1014, 2004}, {2007, 3007}, {1003, 2005}};
	static const uint32_t wanted[][2] = {{1010, 2000}, {2008, 3008}, {1010, 2000}};
	struct packet *packet = acknowledgment(1014, blocks, 3);
	struct seqadj stream;

	two_edits(&stream);
	cr_assert_null(packet_fault(packet), "%s", packet_fault(packet));
	seqadj_acknowledgments(&stream, packet);
	cr_expect_null(packet_fault(packet), "%s", packet_fault(packet));
	cr_expect_eq(ntohl(*word_at(packet, 8)), 1010);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned edge = 0; edge < 2; edge++) {
			be32 word;
			memcpy(&word, packet->data + 40 + 5 + 8 * i + 4 * edge, 4);
			cr_expect_eq(ntohl(word), wanted[i][edge], "block %u: %u", i, ntohl(word));
		}
	packet_dispose(packet);
}

Test(seqadj, a_reset_acknowledges_nothing)
{
	struct packet *packet =
		TCP_PACKET("192.0.2.2:21", "10.77.0.2:4000", .tcp_flags = TCP_RST, .sequence = 7);
	struct seqadj stream;

	two_edits(&stream);
	cr_assert(packet_parse(packet));
	seqadj_acknowledgments(&stream, packet);
	cr_expect_eq(*word_at(packet, 8), 0);
	cr_expect_null(packet_fault(packet));
	packet_dispose(packet);
}
