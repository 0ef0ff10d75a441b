/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp_error: errors about flows find who sent the packet, with the packet as that one sent it.
 *
 * Every checksum, of the error, of the quoted header and of what the quote contains, is worked out
 * anew by packet_fault() whenever a step plays.
 */
#include <string.h>
#include "wire/rewrite.h"
#include "../support/packets.h"
#include "../support/steps.h"

/* clang-format off */

#define UDP_FLOW                                                                                   \
	{"guest udp guest:5000 > server:99 len 20", "uplink udp host:$a > server:99"}
#define TCP_FLOW                                                                                   \
	{"guest tcp guest:4000 > server:80 S seq 1000", "uplink tcp host:$a > server:80 S"},       \
	{"uplink tcp server:80 > host:$a SA seq 5000 ack 1001",                                    \
		"guest tcp server:80 > guest:4000 SA"}

/* RFC 5508 REQ-4, RFC 4787 REQ-12: from outside, about what a guest sent. */
STORY(icmp_error, about_udp_from_the_server, LAB(),
	UDP_FLOW,
	{"uplink icmp server > host port-unreachable about udp host:$a > server:99 len 20",
		"guest icmp server > guest port-unreachable "
		"about udp guest:5000 > server:99 len 20"},
	{"states", "unreplied"});

STORY(icmp_error, about_tcp_from_a_router, LAB(),
	TCP_FLOW,
	{"uplink icmp router > host host-unreachable about tcp host:$a > server:80 S seq 1000",
		"guest icmp router > guest host-unreachable "
		"about tcp guest:4000 > server:80 S seq 1000"},
	{"states", "syn-received"});

STORY(icmp_error, about_an_echo_request, LAB(),
	{"guest icmp guest > server echo id 7 len 56", "uplink icmp host > server echo id $a"},
	{"uplink icmp router > host time-exceeded about icmp host > server echo id $a len 56",
		"guest icmp router > guest time-exceeded "
		"about icmp guest > server echo id 7 len 56"});

STORY(icmp_error, about_a_protocol_without_ports, LAB(),
	{"guest proto 47 guest > server len 20", "uplink proto 47 host > server"},
	{"uplink icmp router > host net-unreachable about proto 47 host > server len 20",
		"guest icmp router > guest net-unreachable about proto 47 guest > server len 20"});

/* conntrack_icmp_related.sh: the next hop's MTU reaches the guest as it is. */
STORY(icmp_error, too_big_keeps_the_mtu, LAB(),
	TCP_FLOW,
	{"uplink icmp router > host too-big 1400 about tcp host:$a > server:80 S seq 1000",
		"guest icmp router > guest too-big 1400 about tcp guest:4000 > server:80 S"});

/* RFC 5382 REQ-9: all kinds. */
STORY(icmp_error, every_code_of_unreachable_passes, LAB(.families = LAB_IPV4),
	UDP_FLOW,
	{"uplink icmp router > host type 3 code 0 about udp host:$a > server:99",
		"guest icmp router > guest type 3 code 0"},
	{"uplink icmp router > host type 3 code 15 about udp host:$a > server:99",
		"guest icmp router > guest type 3 code 15"},
	{"uplink icmp router > host type 12 code 0 about udp host:$a > server:99",
		"guest icmp router > guest type 12 code 0"},
	{"uplink icmp router > host type 11 code 1 about udp host:$a > server:99",
		"guest icmp router > guest type 11 code 1"});

/* From a published service's client or on the way to it: about what the guest answered. */
STORY(icmp_error, about_replies_of_a_published_port, LAB(),
	{"forward tcp 8080 guest:80", "ok"},
	{"uplink tcp server:4000 > host:8080 S seq 1000", "guest tcp server:4000 > guest:80 S"},
	{"guest tcp guest:80 > server:4000 SA seq 5000 ack 1001",
		"uplink tcp host:8080 > server:4000"},
	{"uplink icmp router > host host-unreachable "
	 "about tcp host:8080 > server:4000 SA seq 5000 ack 1001",
		"guest icmp router > guest host-unreachable about tcp guest:80 > server:4000 SA"});

/* RFC 5508 REQ-5: from a guest, about what came to it; no inner address shows outside. */
STORY(icmp_error, from_a_guest_about_a_published_port, LAB(),
	{"forward udp 8080 guest:80", "ok"},
	{"uplink udp server:4000 > host:8080 len 20", "guest udp server:4000 > guest:80"},
	{"guest icmp guest > server port-unreachable about udp server:4000 > guest:80 len 20",
		"uplink icmp host > server port-unreachable "
		"about udp server:4000 > host:8080 len 20"});

STORY(icmp_error, from_a_guest_about_a_reply, LAB(),
	UDP_FLOW,
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"guest icmp guest > server port-unreachable about udp server:99 > guest:5000",
		"uplink icmp host > server port-unreachable about udp server:99 > host:$a"});

/* RFC 5508 REQ-7: through a hairpin, and the other guest is never named. */
STORY(icmp_error, hairpin, LAB(),
	{"forward udp 8080 second:80", "ok"},
	{"guest udp guest:4000 > host:8080 len 20", "second udp host:$a > second:80"},
	{"second icmp second > host port-unreachable about udp host:$a > second:80 len 20",
		"guest icmp host > guest port-unreachable "
		"about udp guest:4000 > host:8080 len 20"});

STORY(icmp_error, between_guests, LAB("[filter forward]\nrule = accept in lan out lan\n"),
	{"guest udp guest:5000 > far:53", "far udp guest:5000 > far:53"},
	{"far icmp far > guest port-unreachable about udp guest:5000 > far:53",
		"guest icmp far > guest port-unreachable about udp guest:5000 > far:53"});

/* RFC 5508 REQ-6, RFC 5382 REQ-10: it neither prolongs nor ends a flow, nor counts as an answer. */
STORY(icmp_error, changes_nothing, LAB(),
	{"guest icmp guest > server echo id 7", "uplink icmp host > server echo id $a"},
	{"wait 50"},
	{"uplink icmp router > host host-unreachable about icmp host > server echo id $a",
		"guest icmp router > guest host-unreachable about icmp guest > server echo id 7"},
	{"flows", "1"},
	{"events", "1 0 0"},
	{"wait 11"},
	{"flows", "0"},
	{"uplink icmp router > host host-unreachable about icmp host > server echo id $a",
		"drop no-flow"});

/* RFC 7857, 8: nor does the guest's own about what came to a port that it has closed. */
STORY(icmp_error, from_a_guest_prolongs_nothing, LAB(),
	UDP_FLOW,
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"wait 359"},
	{"guest icmp guest > server port-unreachable about udp server:99 > guest:5000",
		"uplink icmp host > server port-unreachable about udp server:99 > host:$a"},
	{"wait 2"},
	{"flows", "0"});

STORY(icmp_error, a_connection_goes_on, LAB(),
	TCP_FLOW,
	{"uplink icmp server > host port-unreachable about tcp host:$a > server:80 S seq 1000",
		"guest icmp server > guest port-unreachable"},
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001",
		"uplink tcp host:$a > server:80 A"},
	{"states", "established"});

/* RFC 5508 REQ-3, REQ-4: about nothing of ours. */
STORY(icmp_error, bogus, LAB(),
	UDP_FLOW,
	{"uplink icmp router > host host-unreachable about udp host:$a > server:98",
		"drop no-flow"},
	{"uplink icmp router > host host-unreachable about udp host:$a > server2:99",
		"drop no-flow"},
	{"uplink icmp router > host host-unreachable about tcp host:$a > server:99 S",
		"drop no-flow"},
	{"uplink icmp router > host host-unreachable about udp guest:5000 > server:99",
		"drop no-flow"},
	/* what came in, not what went out */
	{"uplink icmp router > host host-unreachable about udp server:99 > host:$a",
		"drop no-flow"},
	/* the outer destination is not who sent the quoted packet (conntrack_icmp_related.sh) */
	{"uplink icmp router > host2 host-unreachable about udp host:$a > server:99",
		"drop invalid"},
	{"guest icmp guest > server2 host-unreachable about udp server:99 > guest:5000",
		"drop invalid"},
	/* another guest about a flow that is not its own */
	{"second icmp second > server port-unreachable about udp server:99 > guest:5000",
		"drop no-flow"},
	{"uplink icmp router > host host-unreachable "
	 "about icmp router > host host-unreachable about udp host:$a > server:99",
		"drop no-flow"},
	{"states", "unreplied"});

/* RFC 1122, 3.2.2: nobody answers an error by an error, also not where an identifier would fit. */
STORY(icmp_error, about_an_error, LAB(),
	{"guest icmp guest > server echo id 0 seq 1", "uplink icmp host > server echo id $a"},
	{"uplink icmp server > host reply id $a seq 2", "guest icmp server > guest reply id 0"},
	{"guest icmp guest > server host-unreachable "
	 "about icmp server > guest port-unreachable about udp guest:5000 > server:99",
		"drop no-flow"});

/* PROTOCOLS.md, section 3: NAT fingerprinting by forged errors needs a sequence number. */
STORY(icmp_error, about_a_segment_that_was_never_sent, LAB(),
	TCP_FLOW,
	{"guest tcp guest:4000 > server:80 A seq 1001 ack 5001 len 1000",
		"uplink tcp host:$a > server:80 A"},
	{"uplink icmp router > host too-big 1300 about tcp host:$a > server:80 A seq 900000",
		"drop invalid"},
	{"uplink icmp router > host too-big 1300 about tcp host:$a > server:80 A seq 2002",
		"drop invalid"},
	{"uplink icmp router > host too-big 1300 about tcp host:$a > server:80 A seq 1001",
		"guest icmp router > guest too-big 1300 "
		"about tcp guest:4000 > server:80 A seq 1001"});

/* The sources of errors are checked as those of all packets are. */
STORY(icmp_error, spoofed, LAB(),
	UDP_FLOW,
	{"uplink icmp second > host port-unreachable about udp host:$a > server:99",
		"drop spoofed"},
	{"uplink icmp host2 > host port-unreachable about udp host:$a > server:99", "drop spoofed"},
	{"uplink icmp loopback > host port-unreachable about udp host:$a > server:99",
		"drop martian"},
	{"guest icmp second > server port-unreachable about udp server:99 > guest:5000",
		"drop spoofed"});

/* A hop like any other; and no error about an error. */
STORY(icmp_error, whose_hop_limit_ends, LAB(),
	UDP_FLOW,
	{"uplink icmp router > host port-unreachable ttl 1 about udp host:$a > server:99",
		"drop ttl"});

/* State related, of the quoted flow. */
STORY(icmp_error, the_filter_may_mute_them,
	LAB("[filter forward]\npolicy = drop\n"
	    "rule = drop in uplink state related\n"
	    "rule = accept state established,related\n"
	    "rule = accept in lan out uplink\n"),
	UDP_FLOW,
	{"uplink icmp router > host port-unreachable about udp host:$a > server:99", "drop filter"},
	{"uplink udp server:99 > host:$a", "guest udp server:99 > guest:5000"},
	{"guest icmp guest > server port-unreachable about udp server:99 > guest:5000",
		"uplink icmp host > server port-unreachable"},
	{"counted forward 0", "1"});

/* RFC 5508 REQ-10, REQ-11: what is no error and no query stays where it is. */
STORY(icmp_error, other_messages4, LAB(.families = LAB_IPV4),
	UDP_FLOW,
	{"uplink icmp router > host type 5 code 1 about udp host:$a > server:99", "drop icmp-type"},
	{"uplink icmp router > host type 4 code 0 about udp host:$a > server:99", "drop icmp-type"},
	{"guest icmp guest > server type 5 code 1 about udp host:$a > server:99", "drop icmp-type"},
	{"uplink icmp router > host type 9 code 0", "drop icmp-type"},
	{"uplink icmp router > host type 17 code 0", "drop icmp-type"},
	{"guest icmp guest > server type 40 code 0", "drop icmp-type"});

STORY(icmp_error, other_messages6, LAB(.families = LAB_IPV6),
	UDP_FLOW,
	{"uplink icmp router > host type 137 code 0", "drop icmp-type"},
	{"uplink icmp router > host type 134 code 0", "drop icmp-type"},
	{"guest icmp guest > server type 135 code 0", "drop icmp-type"},
	{"guest icmp guest > server type 200 code 0", "drop icmp-type"});

/* RFC 5508 REQ-1: the other query that passes. */
STORY(icmp_error, timestamps_are_queries, LAB(.families = LAB_IPV4),
	{"guest icmp guest > server type 13 code 0 id 7 len 12", "uplink icmp host > server"},
	{"second icmp second > server type 14 code 0 id 7 len 12", "drop no-flow"});

/* clang-format on */

/* ---- crafted ones: RFC 5508 REQ-3 ---- */

/* An error from the router about the guest's datagram, with `quote` bytes of it. */
static struct packet *make_error(const struct lab *lab, uint32_t quote)
{
	const uint16_t port = (uint16_t)lab->variables[0];
	struct packet *about =
		UDP_PACKET(lab_address_text(lab, "host", 4), lab_address_text(lab, "server", 6),
			.source_port = port, .destination_port = 99, .payload_bytes = 20);
	struct packet *error =
		ICMP_PACKET(lab_address_text(lab, "router", 6), lab_address_text(lab, "host", 4),
			.icmp_type = lab->family == AF_INET ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE,
			.payload = about->data, .payload_bytes = quote ? quote : about->length);

	packet_dispose(about);
	error->in_zone = ZONE_UPLINK;
	return error;
}

static uint8_t *quote_of(const struct lab *lab, const struct packet *error)
{
	return error->data + (lab->family == AF_INET ? 20 : 40) + 8;
}

/* Put the error's own checksum right after a change of what it quotes. */
static void resum(const struct lab *lab, struct packet *error)
{
	error->headers = (struct headers){.family = lab->family,
		.l4 = lab->family == AF_INET ? 20 : 40,
		.end = error->length,
		.source = lab_address(lab, "router"),
		.destination = lab_address(lab, "host")};
	packet_icmp_checksum(error);
}

static struct lab *open_with_flow(uint8_t family)
{
	static const struct step steps[] = {UDP_FLOW, {NULL}};
	struct lab *lab = lab_open(family, LAB(.config = NULL));

	steps_play(lab, steps);
	return lab;
}

static void expect_verdict(struct lab *lab, struct packet *packet, enum verdict verdict, int drop)
{
	cr_expect_eq(lab_send(lab, packet), verdict);
	if (verdict == VERDICT_DROP)
		cr_expect_eq(packet->drop, drop, "%s", drop_name(packet->drop));
	packet_dispose(packet);
}

/* The least that RFC 792 promises: the header and eight bytes, so no whole UDP payload to sum. */
Test(icmp_error, a_short_quote_is_enough)
{
	for (unsigned i = 0; i < 2; i++) {
		struct lab *lab = open_with_flow(i == 0 ? AF_INET : AF_INET6);
		struct packet *error = make_error(lab, (i == 0 ? 20 : 40) + 8);
		const union addr guest = lab_address(lab, "guest");

		cr_assert_eq(lab_send(lab, error), VERDICT_SEND);
		cr_expect_null(packet_fault(error));
		const uint8_t *quote = quote_of(lab, error);
		cr_expect_eq(memcmp(quote + (i == 0 ? 12 : 8), &guest, i == 0 ? 4 : 16), 0);
		const uint8_t *udp = quote + (i == 0 ? 20 : 40);
		cr_expect_eq(udp[0] << 8 | udp[1], 5000);
		packet_dispose(error);
		expect_verdict(lab, make_error(lab, (i == 0 ? 20 : 40) + 7), VERDICT_DROP,
			DROP_BAD_HEADER);
		lab_close(lab);
	}
}

Test(icmp_error, a_wrong_checksum_is_dropped)
{
	for (unsigned i = 0; i < 2; i++) {
		struct lab *lab = open_with_flow(i == 0 ? AF_INET : AF_INET6);
		struct packet *error = make_error(lab, 0);

		error->data[error->length - 1] ^= 1;
		expect_verdict(lab, error, VERDICT_DROP, DROP_BAD_CHECKSUM);
		lab_close(lab);
	}
}

/* The quoted IP header's sum is looked at, the quoted L4 sum never is, and stays as wrong. */
Test(icmp_error, wrong_checksums_in_the_quote)
{
	struct lab *lab = open_with_flow(AF_INET);
	struct packet *error = make_error(lab, 0);

	quote_of(lab, error)[10] ^= 1;
	resum(lab, error);
	expect_verdict(lab, error, VERDICT_DROP, DROP_BAD_HEADER);

	error = make_error(lab, 0);
	quote_of(lab, error)[26] ^= 1; /* of UDP */
	resum(lab, error);
	expect_verdict(lab, error, VERDICT_SEND, 0);
	lab_close(lab);
}

/* RFC 5508 REQ-3b: options in the quoted header are skipped. */
Test(icmp_error, options_in_the_quoted_header)
{
	struct lab *lab = open_with_flow(AF_INET);
	struct packet *plain = make_error(lab, 0);
	const uint8_t *quote = quote_of(lab, plain);
	uint8_t about[64] = {0};

	memcpy(about, quote, 20);
	memset(about + 20, TCP_OPTION_NOP, 4);
	memcpy(about + 24, quote + 20, 28);
	about[0] = 0x46;
	about[3] += 4;
	about[10] = about[11] = 0;
	uint32_t sum = 0;
	for (unsigned i = 0; i < 24; i += 2)
		sum += (uint32_t)about[i] << 8 | about[i + 1];
	sum = ~((sum & 0xffff) + (sum >> 16));
	about[10] = (uint8_t)(sum >> 8);
	about[11] = (uint8_t)sum;
	packet_dispose(plain);

	struct packet *error = ICMP_PACKET("192.0.2.254", "192.0.2.1",
		.icmp_type = ICMP4_UNREACHABLE, .payload = about, .payload_bytes = 52);
	error->in_zone = ZONE_UPLINK;
	cr_assert_eq(lab_send(lab, error), VERDICT_SEND);
	cr_expect_null(packet_fault(error));
	cr_expect_eq(quote_of(lab, error)[24] << 8 | quote_of(lab, error)[25], 5000);
	packet_dispose(error);
	lab_close(lab);
}
