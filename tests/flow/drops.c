/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drops: every reason to drop a packet, and a packet that is dropped for it.
 *
 * The rows are walked by the enum: a new reason without a row fails.
 */
#include <string.h>
#include "../support/packets.h"
#include "../support/steps.h"

/* Change a sound packet, whose IPv4 header's sum is then put right. */
typedef void spoil(struct packet *packet);

static void cut_short(struct packet *packet)
{
	packet->length -= 4;
}

static void claim_version_5(struct packet *packet)
{
	packet->data[0] = 0x55;
}

static void spoil_icmp_sum(struct packet *packet)
{
	packet->data[packet->length - 1] ^= 1;
}

static void contradict_offload(struct packet *packet)
{
	packet->offload = (struct offload){.gso_type = OFFLOAD_GSO_TCPV4, .gso_size = 100};
}

/* Two of the eight bytes that follow make an option, the rest is no protocol that we look into. */
static void insert_source_route(struct packet *packet)
{
	packet->data[0] = 0x47;
	memcpy(packet->data + 20, (const uint8_t[]){131, 7, 4, 0, 0, 0, 0, 0}, 8);
}

/* RFC 1858: one that would overwrite a TCP header's flags. */
static void make_fragment(struct packet *packet)
{
	packet->data[6] = 0x00;
	packet->data[7] = 0x01;
}

static const struct row {
	const char *config;    /* of the lab */
	struct step before[4]; /* what has to be there already */
	const char *in;        /* the packet, as in a step */
	spoil *spoil;          /* ... changed, over IPv4 alone; NULL: as it is, over both */
	uint32_t flows;
	struct port_range ports;
	bool daemons; /* found behind the engine: the daemon counts it */
} rows[DROP_COUNT] = {
	[DROP_TRUNCATED] = {.in = "guest udp guest:1 > server:2 len 20", .spoil = cut_short},
	[DROP_BAD_HEADER] = {.in = "guest udp guest:1 > server:2", .spoil = claim_version_5},
	[DROP_BAD_CHECKSUM] = {.in = "guest icmp guest > server echo id 1 len 8",
		.spoil = spoil_icmp_sum},
	[DROP_BAD_OFFLOAD] = {.in = "guest udp guest:1 > server:2", .spoil = contradict_offload},
	[DROP_BAD_FLAGS] = {.in = "guest tcp guest:1 > server:2 SF"},
	[DROP_SOURCE_ROUTE] = {.in = "guest proto 47 guest > server len 20",
		.spoil = insert_source_route},
	[DROP_FRAGMENT] = {.in = "guest tcp guest:1 > server:2 S", .spoil = make_fragment},
	[DROP_MARTIAN] = {.in = "guest udp guest:1 > multicast:2"},
	[DROP_SPOOFED] = {.in = "guest udp second:1 > server:2"},
	[DROP_BOUNCE] = {.in = "uplink udp server:1 > server2:2"},
	[DROP_NOT_FOR_US] = {.in = "uplink udp server:1 > host:2"},
	[DROP_HOST] = {.in = "guest udp guest:1 > host:2"},
	[DROP_NO_ROUTE] = {.in = "guest udp guest:1 > nowhere:2"},
	[DROP_NO_LINK] = {.in = "guest udp guest:1 > nobody:2"},
	[DROP_INVALID] = {.before = {{"guest tcp guest:1 > server:2 S", "uplink"}},
		.in = "guest tcp guest:1 > server:2 A"},
	[DROP_NO_FLOW] = {.in = "uplink icmp router > host port-unreachable "
				"about udp host:61000 > server:2"},
	[DROP_FLOWS_FULL] = {.flows = 1,
		.before = {{"guest udp guest:1 > server:2", "uplink"}},
		.in = "second udp second:3 > server:2"},
	[DROP_NO_PORT] = {.ports = {61000, 61000},
		.before = {{"guest udp guest:1 > server:2", "uplink"}},
		.in = "guest udp guest:3 > server:2"},
	[DROP_PROTOCOL] = {.in = "guest proto 51 guest > server len 24"},
	[DROP_GUEST_LIMIT] = {.config = "[limits]\nguest-flows = 1\n",
		.before = {{"guest udp guest:1 > server:2", "uplink udp host:$a > server:2"},
			{"uplink udp server:2 > host:$a", "guest"}},
		.in = "guest udp guest:3 > server:2"},
	[DROP_RATE] = {.config = "[limits]\nguest-packets-per-second = 4\n",
		.before = {{"guest udp guest:1 > server:2", "uplink"}},
		.in = "guest udp guest:1 > server:2"},
	[DROP_FILTER] = {.config = "[filter forward]\npolicy = drop\n",
		.in = "guest udp guest:1 > server:2"},
	[DROP_REJECT] = {.config = "[filter forward]\npolicy = reject\n",
		.in = "guest udp guest:1 > server:2"},
	[DROP_ICMP_TYPE] = {.in = "guest icmp guest > server type 200 code 0"},
	[DROP_HELPER] = {.config = "[helpers]\nftp =\n",
		.before =
			{
				{"guest tcp guest:4000 > server:21 S seq 1000",
					"uplink tcp host:$a"},
				{"uplink tcp server:21 > host:$a SA seq 5000 ack 1001", "guest"},
				{"uplink tcp server:21 > host:$a PA seq 5001 ack 1001 data \"220 "
				 "\n\"",
					"guest"},
			},
		.in = "guest tcp guest:4000 > server:21 PA seq 1001 ack 5006 room 0 "
		      "data \"EPRT |{1|2}|{guest}|4000|\n\""},
	[DROP_TTL] = {.in = "guest udp guest:1 > server:2 ttl 1"},
	[DROP_TOO_BIG] = {.in = "guest udp guest:1 > server:2 len 1480"},
	[DROP_NEIGHBOUR] = {.daemons = true},
	[DROP_SEND] = {.daemons = true},
};

static void repair_header(struct packet *packet)
{
	uint32_t sum = 0;

	packet->data[10] = packet->data[11] = 0;
	for (unsigned i = 0; i < (packet->data[0] & 15U) * 4; i += 2)
		sum += (uint32_t)packet->data[i] << 8 | packet->data[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	packet->data[10] = (uint8_t)(~sum >> 8);
	packet->data[11] = (uint8_t)~sum;
}

static void row_play(const struct row *row, enum drop drop, uint8_t family)
{
	const struct lab_options options = {
		.config = row->config, .flows = row->flows, .ports = row->ports};
	struct lab *lab = lab_open(family, &options);
	struct packet *packet;

	steps_play(lab, row->before);
	const uint32_t flows = engine_status(lab->engine)->flows;
	const uint64_t created = engine_status(lab->engine)->flows_created;
	packet = steps_packet(lab, row->in);
	if (row->spoil != NULL) {
		row->spoil(packet);
		repair_header(packet);
	}
	cr_expect_eq(lab_send(lab, packet), VERDICT_DROP, "%s: it passes", drop_name(drop));
	cr_expect_eq(packet->drop, drop, "%s: dropped as %s", drop_name(drop),
		drop_name((enum drop)packet->drop));
	for (unsigned d = 0; d < DROP_COUNT; d++)
		cr_expect_eq(engine_status(lab->engine)->drops[d], d == (unsigned)drop,
			"%s: counted as %s", drop_name(drop), drop_name((enum drop)d));
	cr_expect_eq(engine_status(lab->engine)->flows, flows, "%s: state", drop_name(drop));
	cr_expect_eq(engine_status(lab->engine)->flows_created, created);
	packet_dispose(packet);
	lab_close(lab);
}

Test(drops, every_reason_has_a_packet)
{
	for (unsigned drop = 0; drop < DROP_COUNT; drop++) {
		const struct row *row = &rows[drop];

		if (row->daemons)
			continue;
		cr_assert_not_null(row->in, "no row for %s", drop_name((enum drop)drop));
		row_play(row, (enum drop)drop, AF_INET);
		if (row->spoil == NULL)
			row_play(row, (enum drop)drop, AF_INET6);
	}
}

Test(drops, those_of_the_daemon_are_counted_as_well)
{
	struct lab *lab = lab_open(AF_INET, LAB(.config = NULL));

	for (unsigned drop = 0; drop < DROP_COUNT; drop++) {
		if (!rows[drop].daemons)
			continue;
		engine_count_drop(lab->engine, (enum drop)drop);
		cr_expect_eq(engine_status(lab->engine)->drops[drop], 1);
	}
	lab_close(lab);
}

Test(drops, every_reason_has_a_name_and_a_sentence)
{
	for (unsigned drop = 0; drop < DROP_COUNT; drop++) {
		cr_expect_gt(strlen(drop_name((enum drop)drop)), 0);
		cr_expect_gt(strlen(drop_meaning((enum drop)drop)), 10);
		for (unsigned other = 0; other < drop; other++)
			cr_expect_str_neq(drop_name((enum drop)drop), drop_name((enum drop)other));
	}
}
