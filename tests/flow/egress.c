/* SPDX-License-Identifier: BSD-2-Clause */
/* egress: hop limits, sizes, MSS, and super-packets. */
#include <string.h>
#include "base/cksum.h"
#include "../support/packets.h"
#include "../support/steps.h"

/* clang-format off */

/* A guest is told by its gateway, and finds it in its traceroute; no flow begins. */
STORY(egress, hop_limit_of_a_guest, LAB(),
	{"guest udp guest:5000 > server:33434 ttl 1",
		"drop ttl",
		"guest icmp gateway > guest time-exceeded "
		"about udp guest:5000 > server:33434 ttl 1"},
	{"flows", "0"},
	{"ports", "0"},
	{"guest udp guest:5000 > server:33434 ttl 2", "uplink udp host:$a > server:33434 ttl 1"},
	{"guest udp guest:5000 > server:33434 ttl 1",
		"drop ttl",
		"guest icmp gateway > guest time-exceeded "
		"about udp guest:5000 > server:33434 ttl 1"},
	{"guest tcp guest:5000 > server:80 S ttl 1",
		"drop ttl",
		"guest icmp gateway > guest time-exceeded "
		"about tcp guest:5000 > server:80 S ttl 1"},
	{"guest icmp guest > server echo id 3 ttl 1",
		"drop ttl",
		"guest icmp gateway > guest time-exceeded about icmp guest > server echo id 3"},
	{"far udp far:5000 > server:33434 ttl 1",
		"drop ttl",
		"far icmp far-gateway > far time-exceeded about udp far:5000 > server:33434"},
	{"flows", "1"});

/* Who is outside is told by the host, and no inner address shows. */
STORY(egress, hop_limit_from_the_uplink, LAB(),
	{"forward udp 8080 guest:80", "ok"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$a > server:99"},
	{"uplink udp server:99 > host:$a ttl 1 len 10",
		"drop ttl",
		"uplink icmp host > server time-exceeded "
		"about udp server:99 > host:$a len 10 ttl 1"},
	{"uplink udp server:4000 > host2:8080 ttl 1",
		"drop ttl",
		"uplink icmp host2 > server time-exceeded "
		"about udp server:4000 > host2:8080 ttl 1"},
	{"uplink udp server:99 > host:1 ttl 1", "drop not-for-us"},
	{"flows", "1"});

/* RFC 4787 REQ-13: larger than the way out, the headers counted. */
STORY(egress, too_big_for_the_uplink4, LAB(.families = LAB_IPV4),
	{"guest udp guest:5000 > server:99 len 1473",
		"drop too-big",
		"guest icmp gateway > guest too-big 1500 about udp guest:5000 > server:99"},
	{"flows", "0"},
	{"guest udp guest:5000 > server:99 len 1472", "uplink udp host:$a > server:99 len 1472"},
	{"guest udp guest:5000 > beyond:99 len 1253",
		"drop too-big",
		"guest icmp gateway > guest too-big 1280 about udp guest:5000 > beyond:99"},
	{"guest udp guest:5000 > beyond:99 len 1252", "uplink udp host2:$b > beyond:99 len 1252"},
	{"guest udp guest:5000 > beyond:99 len 1253",
		"drop too-big", "guest icmp gateway > guest too-big 1280"});

STORY(egress, too_big_for_the_uplink6, LAB(.families = LAB_IPV6),
	{"guest udp guest:5000 > server:99 len 1453",
		"drop too-big",
		"guest icmp gateway > guest too-big 1500 about udp guest:5000 > server:99"},
	{"guest udp guest:5000 > server:99 len 1452", "uplink udp host:$a > server:99 len 1452"},
	{"guest udp guest:5000 > beyond:99 len 1233",
		"drop too-big",
		"guest icmp gateway > guest too-big 1280 about udp guest:5000 > beyond:99"});

STORY(egress, too_big_for_a_link, LAB(),
	{"far udp far:5000 > server:99", "uplink udp host:$a > server:99"},
	{"uplink udp server:99 > host:$a len 1300",
		"drop too-big",
		"uplink icmp host > server too-big 1300 about udp server:99 > host:$a"},
	{"uplink udp server:99 > host:$a len 1200", "far udp server:99 > far:5000 len 1200"});

/* RFC 2923, 2.1: what both sides carry, both ways; only lowered, and only in a SYN. */
STORY(egress, mss4, LAB(.families = LAB_IPV4),
	{"guest tcp guest:4000 > server:80 S mss 1460 seq 1",
		"uplink tcp host:$a > server:80 S mss 1460"},
	{"guest tcp guest:4001 > server:80 S mss 9000",
		"uplink tcp host:$b > server:80 S mss 1460"},
	{"guest tcp guest:4002 > server:80 S mss 500", "uplink tcp host:$c > server:80 S mss 500"},
	{"guest tcp guest:4003 > beyond:80 S mss 1460",
		"uplink tcp host2:$d > beyond:80 S mss 1240"},
	{"far tcp far:4000 > server:80 S seq 1 mss 1460",
		"uplink tcp host:$e > server:80 S mss 1260"},
	{"uplink tcp server:80 > host:$e SA seq 1 ack 2 mss 1460",
		"far tcp server:80 > far:4000 SA mss 1260"},
	{"uplink tcp server:80 > host:$a SA seq 1 ack 2 mss 1452",
		"guest tcp server:80 > guest:4000 SA mss 1452"});

STORY(egress, mss6, LAB(.families = LAB_IPV6),
	{"guest tcp guest:4001 > server:80 S mss 9000",
		"uplink tcp host:$b > server:80 S mss 1440"},
	{"guest tcp guest:4003 > beyond:80 S mss 1440",
		"uplink tcp host2:$d > beyond:80 S mss 1220"},
	{"far tcp far:4000 > server:80 S seq 1 mss 1440",
		"uplink tcp host:$e > server:80 S mss 1240"},
	{"uplink tcp server:80 > host:$e SA seq 1 ack 2 mss 1440",
		"far tcp server:80 > far:4000 SA mss 1240"});

/* clang-format on */

/* ---- super-packets ---- */

#define SEGMENT 1400

static uint8_t payload[60000];

static void fill_payload(void)
{
	uint64_t seed = 1;

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)test_random(&seed);
}

/* A packet from a place's port to another's, its sum left partial; a super-packet with gso_size. */
static struct packet *make(
	const struct lab *lab, const char *from, const char *to, const struct build *fields)
{
	struct build build = *fields;

	build.partial_checksum = true;
	build.payload = payload;
	build.scale = -1;
	build.window = 0xffff;
	return packet_make(lab_address_text(lab, from, strlen(from)),
		lab_address_text(lab, to, strlen(to)), &build);
}

/* It leaves as it came but for addresses and ports: still whole, its sum still partial, what it
 * carries untouched (RFC 4787 REQ-10, RFC 5382 REQ-6). */
static uint16_t expect_whole(struct lab *lab, struct packet *packet, zone_id zone)
{
	const struct offload offload = packet->offload;
	const uint32_t length = packet->length;

	packet->in_zone = zone;
	cr_assert_eq(lab_send(lab, packet), VERDICT_SEND, "%s", drop_name(packet->drop));
	cr_expect_null(packet_fault(packet), "%s", packet_fault(packet));
	cr_expect_eq(packet->length, length);
	cr_expect_eq(memcmp(&packet->offload, &offload, sizeof(offload)), 0);
	const uint32_t bytes = packet_payload_bytes(packet);
	cr_expect_eq(memcmp(packet->data + packet->headers.payload, payload, bytes), 0);
	const uint16_t port = ntohs(packet->headers.source_port);
	packet_dispose(packet);
	return port;
}

static struct lab *open_connected(uint8_t family)
{
	static const struct step steps[] = {{"guest tcp guest:4000 > server:80 S seq 1000 scale 7",
						    "uplink tcp host:$a > server:80 S"},
		{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001 scale 7",
			"guest tcp server:80 > guest:4000 SA"},
		{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001",
			"uplink tcp host:$a > server:80 A"},
		{NULL}};
	struct lab *lab = lab_open(family, LAB(.config = NULL));

	steps_play(lab, steps);
	return lab;
}

Test(egress, tcp_super_packets_stay_whole)
{
	fill_payload();
	for (unsigned i = 0; i < 2; i++) {
		struct lab *lab = open_connected(i == 0 ? AF_INET : AF_INET6);
		const uint16_t port = (uint16_t)lab->variables[0];
		const struct build out = {.protocol = IPPROTO_TCP,
			.source_port = 4000,
			.destination_port = 80,
			.tcp_flags = TCP_ACK | TCP_PSH,
			.sequence = 1001,
			.acknowledgment = 5001,
			.payload_bytes = 59000,
			.gso_size = SEGMENT};
		const struct build in = {.protocol = IPPROTO_TCP,
			.source_port = 80,
			.destination_port = port,
			.tcp_flags = TCP_ACK,
			.sequence = 5001,
			.acknowledgment = 60001,
			.payload_bytes = 14001,
			.gso_size = SEGMENT};
		struct flow_info info;
		uint32_t cursor = 0;

		cr_expect_eq(expect_whole(lab, make(lab, "guest", "server", &out), 0), port);
		cr_expect_eq(expect_whole(lab, make(lab, "server", "host", &in), ZONE_UPLINK), 80);
		engine_flow_next(lab->engine, &cursor, &info);
		cr_expect_eq(
			info.direction[0].counter.packets, 2 + (59000 + SEGMENT - 1) / SEGMENT);
		cr_expect_eq(info.direction[1].counter.packets, 1 + 11);
		cr_expect_eq(engine_status(lab->engine)->in[1].packets, 12);
		cr_expect_eq(engine_status(lab->engine)->link[0].out.packets, 12);
		lab_close(lab);
	}
}

/* The first packet of a flow may be one; its rule counts what it stands for. */
Test(egress, udp_super_packets_stay_whole)
{
	fill_payload();
	for (unsigned i = 0; i < 2; i++) {
		struct lab *lab = lab_open(i == 0 ? AF_INET : AF_INET6, LAB(.config = NULL));
		struct build build = {.protocol = IPPROTO_UDP,
			.source_port = 5000,
			.destination_port = 99,
			.payload_bytes = 14001,
			.gso_size = SEGMENT};
		struct rule_info info;
		uint64_t counted = 0;

		const uint16_t port = expect_whole(lab, make(lab, "guest", "server", &build), 0);
		build.source_port = 99;
		build.destination_port = port;
		expect_whole(lab, make(lab, "server", "host", &build), ZONE_UPLINK);
		for (unsigned r = 0; engine_rule_info(lab->engine, CHAIN_FORWARD, r, &info); r++)
			counted += info.counter.packets;
		cr_expect_eq(counted, 22);
		lab_close(lab);
	}
}

Test(egress, a_partial_checksum_stays_partial)
{
	fill_payload();
	for (unsigned i = 0; i < 2; i++) {
		struct lab *lab = lab_open(i == 0 ? AF_INET : AF_INET6, LAB(.config = NULL));
		const struct build syn = {.protocol = IPPROTO_TCP,
			.source_port = 4000,
			.destination_port = 80,
			.tcp_flags = TCP_SYN,
			.mss = 9000};
		const struct build udp = {.protocol = IPPROTO_UDP,
			.source_port = 4000,
			.destination_port = 80,
			.payload_bytes = 1001};

		expect_whole(lab, make(lab, "guest", "beyond", &syn), 0);
		expect_whole(lab, make(lab, "guest", "beyond", &udp), 0);
		lab_close(lab);
	}
}

/* Each segment has to fit, not the whole; the error quotes a segment's worth of sound headers. */
Test(egress, super_packets_of_segments_too_big)
{
	fill_payload();
	for (unsigned i = 0; i < 2; i++) {
		struct lab *lab = lab_open(i == 0 ? AF_INET : AF_INET6, LAB(.config = NULL));
		const uint16_t fits = (uint16_t)(1280 - (i == 0 ? 28 : 48));
		struct build build = {.protocol = IPPROTO_UDP,
			.source_port = 5000,
			.destination_port = 99,
			.payload_bytes = 14001,
			.gso_size = fits + 1};
		struct packet *packet = make(lab, "guest", "beyond", &build);

		packet->in_zone = 0;
		cr_expect_eq(lab_send(lab, packet), VERDICT_DROP);
		cr_expect_eq(packet->drop, DROP_TOO_BIG);
		struct packet *answer = lab_answer(lab);
		cr_assert_not_null(answer);
		cr_expect_null(packet_fault(answer));
		packet_dispose(answer);
		packet_dispose(packet);
		build.gso_size = fits;
		expect_whole(lab, make(lab, "guest", "beyond", &build), 0);
		lab_close(lab);
	}
}

/* A TCP super-packet that may be fragmented leaves in smaller segments instead. */
Test(egress, super_packets_without_df)
{
	static const struct step handshake[] = {
		{"guest tcp guest:4000 > beyond:80 S seq 1000",
			"uplink tcp host2:$a > beyond:80 S"},
		{"uplink tcp beyond:80 > host2:$a SA seq 5000 ack 1001",
			"guest tcp beyond:80 > guest:4000 SA"},
		{NULL, NULL, NULL},
	};
	struct lab *lab = lab_open(AF_INET, LAB(.config = NULL));

	steps_play(lab, handshake);
	struct packet *packet = steps_packet(lab,
		"guest tcp guest:4000 > beyond:80 A seq 1001 ack 5001 len 14000 partial gso 1460");
	struct ipv4_header *ip = (void *)packet->data;
	ip->checksum = cksum_apply(ip->checksum, cksum_delta(ip->fragment, 0));
	ip->fragment = 0;
	cr_assert_eq(lab_send(lab, packet), VERDICT_SEND, "%s", drop_name(packet->drop));
	cr_expect_eq(packet->offload.gso_size, 1280 - 40);
	cr_expect_eq(packet->headers.end, 14040);
	cr_expect_null(packet_fault(packet));
	packet_dispose(packet);
	lab_close(lab);
}

/* RFC 768: over IPv4 a datagram may have no checksum, and gets none. */
Test(egress, udp_without_a_checksum)
{
	struct lab *lab = lab_open(AF_INET, LAB(.config = NULL));
	struct packet *packet = UDP_PACKET("10.77.0.2:5000", "198.51.100.1:99", .payload_bytes = 9);
	struct udp_header *udp = (void *)(packet->data + 20);

	udp->checksum = 0;
	packet->in_zone = 0;
	cr_assert_eq(lab_send(lab, packet), VERDICT_SEND);
	cr_expect_eq(udp->checksum, 0);
	cr_expect_null(packet_fault(packet));
	packet_dispose(packet);
	lab_close(lab);
}
