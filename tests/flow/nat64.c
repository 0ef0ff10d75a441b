/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat64: guests with IPv6 reach IPv4 through a prefix (RFC 6146), and all that belongs to it.
 *
 * nat64.server is the server's IPv4 address in the prefix, v4.server the address itself.
 */
#include <string.h>
#include "../support/packets.h"
#include "../support/steps.h"
#include "base/cksum.h"
#include "wire/fragment.h"

#define NAT64(...) LAB(.families = LAB_IPV6, .network = "nat64 = yes\n", __VA_ARGS__)

#define NARROW(bytes) LAB(.families = LAB_IPV6, .network = "nat64 = yes\nmtu = " #bytes "\n")

/* clang-format off */

#define UDP_FLOW                                                                                   \
	{"guest udp guest:5000 > nat64.server:99 len 20", "uplink udp v4.host:$a > v4.server:99 len 20"}
#define TCP_FLOW                                                                                   \
	{"guest tcp guest:4000 > nat64.server:80 S seq 1000",                                      \
		"uplink tcp v4.host:$a > v4.server:80 S seq 1000"},                                \
	{"uplink tcp v4.server:80 > v4.host:$a SA seq 5000 ack 1001",                              \
		"guest tcp nat64.server:80 > guest:4000 SA seq 5000 ack 1001"}

STORY(nat64, tcp, NAT64(),
	TCP_FLOW,
	{"guest tcp guest:4000 > nat64.server:80 A seq 1001 ack 5001 len 100",
		"uplink tcp v4.host:$a > v4.server:80 A seq 1001 ack 5001 len 100"},
	{"states", "established"},
	{"guest tcp guest:4000 > nat64.server:80 FA seq 1101 ack 5001", "uplink tcp v4.host:$a > v4.server:80 FA"},
	{"uplink tcp v4.server:80 > v4.host:$a FA seq 5001 ack 1102",
		"guest tcp nat64.server:80 > guest:4000 FA"},
	{"guest tcp guest:4000 > nat64.server:80 A seq 1102 ack 5002", "uplink tcp v4.host:$a > v4.server:80 A"},
	{"states", "time-wait"});

STORY(nat64, udp, NAT64(),
	UDP_FLOW,
	{"uplink udp v4.server:99 > v4.host:$a len 1000", "guest udp nat64.server:99 > guest:5000 len 1000"},
	{"states", "replied"});

STORY(nat64, echo, NAT64(),
	{"guest icmp guest > nat64.server echo id 7 seq 1 len 56", "uplink icmp v4.host > v4.server echo id $a len 56"},
	{"uplink icmp v4.server > v4.host reply id $a len 56", "guest icmp nat64.server > guest reply id 7 len 56"},
	{"guest icmp guest > nat64.server echo id 7 seq 2", "uplink icmp v4.host > v4.server echo id $a"},
	{"wait 61"}, {"flows", "0"});

STORY(nat64, a_protocol_without_ports, NAT64(),
	{"guest proto 50 guest > nat64.server len 20", "uplink proto 50 v4.host > v4.server len 20"},
	{"uplink proto 50 v4.server > v4.host len 8", "guest proto 50 nat64.server > guest len 8"});

/* RFC 6146, 3.5: one binding for all peers; RFC 4787: one port for the guest's socket. */
STORY(nat64, endpoint_independent, NAT64(),
	UDP_FLOW,
	{"guest udp guest:5000 > nat64.server2:53", "uplink udp v4.host:$a > v4.server2:53"},
	{"second udp second:5000 > nat64.server:99", "uplink udp v4.host:$b > v4.server:99"},
	{"uplink udp v4.server3:99 > v4.host:$a", "drop not-for-us"},
	{"ports", "2"});

/* Guests with IPv4 share its ports with those without. */
STORY(nat64, beside_ipv4, NAT64(),
	UDP_FLOW,
	{"guest udp v4.guest:5000 > v4.server:99", "uplink udp v4.host:$b > v4.server:99"},
	{"uplink udp v4.server:99 > v4.host:$b", "guest udp v4.server:99 > v4.guest:5000"},
	{"uplink udp v4.server:99 > v4.host:$a", "guest udp nat64.server:99 > guest:5000"},
	{"guest udp guest:5000 > server:99", "uplink udp host:$c > server:99"});

STORY(nat64, another_path, NAT64(),
	{"guest udp guest:5000 > nat64.beyond:99", "uplink udp v4.host2:$a > v4.beyond:99"});

STORY(nat64, prefixes_of_other_lengths,
	LAB(.families = LAB_IPV6, .network = "nat64 = 2001:db8:122:300::/56\n"),
	{"guest udp guest:5000 > [2001:db8:122:3c6:33:6401::]:99", "uplink udp v4.host:$a > v4.server:99"},
	{"uplink udp v4.server:99 > v4.host:$a", "guest udp [2001:db8:122:3c6:33:6401::]:99 > guest:5000"},
	{"guest udp guest:5000 > [2001:db8:122:3c6:33:6401::1]:99", "drop no-route",
		"guest icmp gateway > guest net-unreachable"});

/* Other networks have no part in it. */
STORY(nat64, of_one_network, NAT64(),
	{"far udp far:5000 > nat64.server:99", "uplink udp host:$a > nat64.server:99"},
	{"guest udp guest:5000 > [64:ff9c::c633:6401]:99", "uplink udp host:$b > [64:ff9c::c633:6401]:99"});

/* PROTOCOLS.md, section 3: what is not to be reached over IPv4 is not to be reached so either. */
STORY(nat64, where_it_does_not_lead, NAT64(),
	{"guest udp guest:5000 > nat64.loopback:99", "drop martian"},
	{"guest udp guest:5000 > nat64.multicast:99", "drop martian"},
	{"guest udp guest:5000 > nat64.unspecified:99", "drop martian"},
	{"guest udp guest:5000 > nat64.broadcast:99", "drop martian"},
	{"guest udp guest:5000 > [64:ff9b::ffff:ffff]:99", "drop martian"},
	{"guest udp guest:5000 > nat64.host:99", "drop host", "guest icmp gateway > guest prohibited"},
	{"guest udp guest:5000 > nat64.host2:99", "drop host", "guest icmp gateway > guest prohibited"},
	{"guest udp guest:5000 > nat64.local:99", "drop host", "guest icmp gateway > guest prohibited"},
	{"guest udp guest:5000 > nat64.gateway:99", "drop no-link", "guest icmp gateway > guest prohibited"},
	{"guest udp guest:5000 > nat64.second:99", "drop no-link", "guest icmp gateway > guest prohibited"},
	{"guest udp guest:5000 > nat64.far:99", "drop no-link", "guest icmp gateway > guest prohibited"},
	{"guest udp guest:5000 > nat64.nowhere:99", "drop no-route", "guest icmp gateway > guest net-unreachable"},
	{"guest udp guest:5000 > nat64.forbidden:99", "drop no-route", "guest icmp gateway > guest prohibited"},
	/* metadata and link-local addresses, by the built-in rules */
	{"guest udp guest:5000 > [64:ff9b::a9fe:a9fe]:80", "drop reject", "guest icmp gateway > guest prohibited"},
	{"guest udp guest:5000 > [64:ff9b::6464:64c8]:80", "drop reject", "guest icmp gateway > guest prohibited"},
	{"flows", "0"}, {"ports", "0"});

/* RFC 6146, 5.2 and 3.5: no loops, nobody has such an address. */
STORY(nat64, sources_in_the_prefix, NAT64(),
	{"guest udp nat64.server:5000 > nat64.server2:99", "drop martian"},
	{"guest udp nat64.server:5000 > server:99", "drop martian"},
	{"uplink udp nat64.server:99 > host:61000", "drop martian"},
	{"uplink udp server:99 > nat64.server:99", "drop bounce"});

/* Rules see the guest's own addresses, and the other end under both of its. */
STORY(nat64, rules_about_ipv6, NAT64(.config = "[filter forward]\n"
	"rule = drop in lab to 64:ff9b::/96 proto udp to port 53\n"
	"rule = accept in lab from fd77::2 proto icmp icmp-type echo-request\n"
	"rule = accept in uplink from 64:ff9b::/96 proto icmp icmp-type echo-reply\n"
	"policy = drop\n"),
	{"guest udp guest:5000 > nat64.server:53", "drop filter"},
	{"counted forward 0", "1"},
	{"guest icmp guest > nat64.server echo id 7", "uplink icmp v4.host > v4.server echo id $a"},
	{"uplink icmp v4.server > v4.host reply id $a", "guest icmp nat64.server > guest reply id 7"},
	{"counted forward 2", "1"},
	{"second icmp second > nat64.server echo id 7", "drop filter"});

STORY(nat64, rules_about_ipv4, NAT64(.config = "[filter forward]\n"
	"rule = accept state established\n"
	"rule = reject in lab to 198.51.100.2/32\n"
	"rule = accept in lab to 198.51.100.0/24\n"
	"policy = drop\n"),
	{"guest udp guest:5000 > nat64.server2:99", "drop reject", "guest icmp gateway > guest prohibited"},
	UDP_FLOW,
	{"uplink udp v4.server:99 > v4.host:$a", "guest udp nat64.server:99 > guest:5000"},
	{"guest udp guest:5000 > nat64.beyond:99", "drop filter"});

STORY(nat64, rules_about_errors, NAT64(.config = "[filter forward]\n"
	"rule = drop in uplink proto icmp icmp-type destination-unreachable\n"
	"rule = accept state new,established,related\n"
	"policy = drop\n"),
	UDP_FLOW,
	{"uplink icmp v4.server > v4.host type 3 code 3 about udp v4.host:$a > v4.server:99", "drop filter"},
	{"uplink icmp v4.server > v4.host type 11 code 0 about udp v4.host:$a > v4.server:99",
		"guest icmp nat64.server > guest time-exceeded"});

/* It has to be translated whatever [nat] says. */
STORY(nat64, without_a_masquerade_rule, NAT64(.config = "[nat]\nno-masquerade = in lab\n"),
	{"guest udp v4.guest:5000 > v4.server:99", "uplink udp v4.guest:5000 > v4.server:99"},
	{"guest udp guest:5000 > nat64.server:99", "uplink udp v4.host:$a > v4.server:99"});

/* ---- ICMP errors (RFC 7915, 4.2 and 5.2) ---- */

STORY(nat64, errors_from_ipv4, NAT64(),
	UDP_FLOW,
	{"uplink icmp v4.server > v4.host type 3 code 3 about udp v4.host:$a > v4.server:99 len 20",
		"guest icmp nat64.server > guest port-unreachable "
		"about udp guest:5000 > nat64.server:99 len 20"},
	/* routers have addresses in the prefix: traceroute shows them */
	{"uplink icmp v4.router > v4.host type 11 code 0 about udp v4.host:$a > v4.server:99 len 20",
		"guest icmp nat64.router > guest time-exceeded "
		"about udp guest:5000 > nat64.server:99 len 20"},
	{"uplink icmp v4.router > v4.host type 3 code 14 about udp v4.host:$a > v4.server:99",
		"drop icmp-type"},
	{"states", "unreplied"});

STORY(nat64, errors_about_an_echo, NAT64(),
	{"guest icmp guest > nat64.server echo id 7 len 56", "uplink icmp v4.host > v4.server echo id $a"},
	{"uplink icmp v4.router > v4.host type 11 code 0 about icmp v4.host > v4.server echo id $a len 56",
		"guest icmp nat64.router > guest time-exceeded about icmp guest > nat64.server echo id 7 len 56"});

STORY(nat64, errors_about_tcp_want_a_sequence_number, NAT64(),
	TCP_FLOW,
	{"uplink icmp v4.router > v4.host type 3 code 4 rest 1400 about tcp v4.host:$a > v4.server:80 S seq 1000",
		"guest icmp nat64.router > guest too-big 1420 about tcp guest:4000 > nat64.server:80 S seq 1000"},
	{"uplink icmp v4.router > v4.host type 3 code 4 rest 1400 about tcp v4.host:$a > v4.server:80 S seq 900000",
		"drop invalid"});

/* RFC 7915, 4.2: never less than IPv6 must carry, never more than the way does. */
STORY(nat64, the_mtu_of_errors, NAT64(),
	UDP_FLOW,
	{"uplink icmp v4.router > v4.host type 3 code 4 rest 576 about udp v4.host:$a > v4.server:99",
		"guest icmp nat64.router > guest too-big 1280"},
	{"uplink icmp v4.router > v4.host type 3 code 4 rest 9000 about udp v4.host:$a > v4.server:99",
		"guest icmp nat64.router > guest too-big 1520"});

STORY(nat64, errors_from_a_guest, NAT64(),
	UDP_FLOW,
	{"uplink udp v4.server:99 > v4.host:$a len 20", "guest udp nat64.server:99 > guest:5000 len 20"},
	{"guest icmp guest > nat64.server port-unreachable about udp nat64.server:99 > guest:5000 len 20",
		"uplink icmp v4.host > v4.server type 3 code 3 about udp v4.server:99 > v4.host:$a len 20"},
	{"guest icmp guest > nat64.server too-big 1400 about udp nat64.server:99 > guest:5000 len 20",
		"uplink icmp v4.host > v4.server type 3 code 4 rest 1380"},
	{"guest icmp guest > nat64.server2 port-unreachable about udp nat64.server:99 > guest:5000",
		"drop invalid"});

/* ---- hop limit and sizes ---- */

STORY(nat64, hop_limit, NAT64(),
	UDP_FLOW,
	{"guest udp guest:5000 > nat64.server:99 ttl 1", "drop ttl", "guest icmp gateway > guest time-exceeded"},
	{"uplink udp v4.server:99 > v4.host:$a ttl 1", "drop ttl",
		"uplink icmp v4.host > v4.server type 11 code 0"});

/* RFC 7915, 5.1 and 7: what IPv4 carries is twenty bytes more in IPv6, down to 1280. */
STORY(nat64, too_big_for_ipv4, NAT64(),
	UDP_FLOW,
	{"guest udp guest:5000 > nat64.server:99 len 1472", "uplink udp v4.host:$a > v4.server:99 len 1472"},
	{"guest udp guest:5000 > nat64.beyond:99 len 1252", "uplink udp v4.host2:$b > v4.beyond:99 len 1252"},
	{"guest udp guest:5000 > nat64.beyond:99 len 1253", "drop too-big",
		"guest icmp gateway > guest too-big 1300"});

STORY(nat64, mss, NAT64(),
	{"guest tcp guest:4000 > nat64.server:80 S seq 1000 mss 1460", "uplink tcp v4.host:$a > v4.server:80 S mss 1460"},
	{"guest tcp guest:4001 > nat64.server:80 S seq 1000 mss 1461", "uplink tcp v4.host:$b > v4.server:80 S mss 1460"},
	{"guest tcp guest:4002 > nat64.beyond:80 S seq 1000 mss 1440", "uplink tcp v4.host2:$c > v4.beyond:80 S mss 1240"});

STORY(nat64, mss_of_a_narrow_link,
	NARROW(1400),
	{"guest tcp guest:4000 > nat64.server:80 S seq 1000 mss 1440", "uplink tcp v4.host:$a > v4.server:80 S mss 1340"},
	{"uplink tcp v4.server:80 > v4.host:$a SA seq 5000 ack 1001 mss 1460",
		"guest tcp nat64.server:80 > guest:4000 SA mss 1340"});

/* What IPv4 sends with DF, which the tests' packets have, is told to be twenty bytes shorter. */
STORY(nat64, too_big_for_a_narrow_link,
	NARROW(1400),
	UDP_FLOW,
	{"uplink udp v4.server:99 > v4.host:$a len 1352", "guest udp nat64.server:99 > guest:5000 len 1352"},
	{"uplink udp v4.server:99 > v4.host:$a len 1353", "drop too-big",
		"uplink icmp v4.host > v4.server type 3 code 4 rest 1380"});

/* ---- what cannot be translated ---- */

STORY(nat64, no_counterpart, NAT64(),
	{"guest proto 59 guest > nat64.server len 20", "drop bad-header"},
	{"guest proto 2 guest > nat64.server len 20", "drop bad-header"},
	{"flows", "0"});

/* ---- change ---- */

STORY(nat64, the_route_changes, NAT64(),
	UDP_FLOW,
	{"route server none"},
	{"guest udp guest:5000 > nat64.server:99", "drop no-route"});

/* clang-format on */

/* ---- super-packets ---- */

static struct lab *lab_with(const struct lab_options *options, const struct step *steps)
{
	struct lab *lab = lab_open(AF_INET6, options);

	steps_play(lab, steps);
	return lab;
}

/* The packet comes out as one, sound, with this offload. */
static void expect_sent(
	struct lab *lab, struct packet *packet, zone_id zone, const struct offload *offload)
{
	const enum verdict verdict = lab_send(lab, packet);

	cr_assert_eq(verdict, VERDICT_SEND, "%s", drop_name(packet->drop));
	cr_expect_eq(packet->out_zone, zone);
	cr_expect_null(packet_fault(packet), "%s", packet_fault(packet));
	cr_expect_eq(memcmp(&packet->offload, offload, sizeof(*offload)), 0);
	packet_dispose(packet);
}

Test(nat64, super_packets)
{
	static const struct step steps[] = {TCP_FLOW,
		{"guest tcp guest:4000 > nat64.server:80 A seq 1001 ack 5001",
			"uplink tcp v4.host:$a > v4.server:80 A"},
		{NULL, NULL, NULL}};
	static const struct offload to4 = {.flags = OFFLOAD_NEEDS_CSUM,
		.gso_type = OFFLOAD_GSO_TCPV4,
		.header_size = 40,
		.gso_size = 1440,
		.csum_start = 20,
		.csum_offset = 16};
	static const struct offload to6 = {.flags = OFFLOAD_NEEDS_CSUM,
		.gso_type = OFFLOAD_GSO_TCPV6,
		.header_size = 60,
		.gso_size = 1440,
		.csum_start = 40,
		.csum_offset = 16};
	struct lab *lab = lab_with(NAT64(), steps);
	struct packet *packet = TCP_PACKET("[fd77::2]:4000", "[64:ff9b::c633:6401]:80",
		.tcp_flags = TCP_ACK, .sequence = 1001, .acknowledgment = 5001,
		.payload_bytes = 40000, .partial_checksum = true, .gso_size = 1440);

	packet->in_zone = lab_zone(lab, "guest");
	expect_sent(lab, packet, ZONE_UPLINK, &to4);
	packet = TCP_PACKET("198.51.100.1:80", "192.0.2.1", .tcp_flags = TCP_ACK,
		.destination_port = (uint16_t)lab->variables[0], .sequence = 5001,
		.acknowledgment = 1001, .payload_bytes = 40000, .partial_checksum = true,
		.gso_size = 1440);
	packet->in_zone = ZONE_UPLINK;
	expect_sent(lab, packet, lab_zone(lab, "guest"), &to6);
	lab_close(lab);
}

/* ---- fragments ---- */

#define ID4 0x1234

static const struct step udp_flow[] = {UDP_FLOW, {NULL, NULL, NULL}};

/* An IPv4 datagram of the server's, with DF clear. */
static struct packet *datagram4(const struct lab *lab, uint32_t payload_bytes)
{
	struct packet *packet = UDP_PACKET("198.51.100.1:99", "192.0.2.1",
		.destination_port = (uint16_t)lab->variables[0], .payload_bytes = payload_bytes);
	struct ipv4_header *ip = packet_ipv4(packet);

	for (uint32_t i = 0; i < payload_bytes; i++)
		packet->data[28 + i] = (uint8_t)(i * 7);
	((struct udp_header *)(packet->data + 20))->checksum = 0;
	((struct udp_header *)(packet->data + 20))->checksum = (be16)~cksum_fold(cksum_add(
		packet->data + 20, packet->length - 20,
		cksum_pseudo(AF_INET, &(union addr){.v4 = ip->source},
			&(union addr){.v4 = ip->destination}, IPPROTO_UDP, packet->length - 20)));
	ip->fragment = 0;
	ip->id = htons(ID4);
	ip->checksum = 0;
	ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, sizeof(*ip)));
	packet->in_zone = ZONE_UPLINK;
	return packet;
}

/* What came out is put together again here: L4 bytes by their place. */
struct assembly {
	uint8_t bytes[4096];
	uint32_t seen, total, id;
	unsigned pieces;
};

static void assemble(struct assembly *assembly, const struct packet *packet)
{
	struct packet *copy = packet_copy(packet);
	struct fragment_position position;

	cr_assert(packet_parse(copy), "%s", drop_name(copy->drop));
	cr_assert(packet_is_fragment(copy));
	cr_assert_leq(copy->length, 1500);
	packet_fragment_position(copy, &position);
	const uint32_t bytes = copy->headers.end - copy->headers.l4;
	memcpy(assembly->bytes + position.offset, copy->data + copy->headers.l4, bytes);
	assembly->seen += bytes;
	if (!position.more)
		assembly->total = position.offset + bytes;
	cr_expect(assembly->pieces == 0 || assembly->id == position.id);
	assembly->id = position.id;
	assembly->pieces++;
	packet_dispose(copy);
}

static void expect_datagram(const struct assembly *assembly, const union addr *source,
	const union addr *destination, uint8_t family, uint32_t payload_bytes)
{
	const uint32_t bytes = payload_bytes + 8;

	cr_assert_eq(assembly->total, bytes);
	cr_assert_eq(assembly->seen, bytes);
	cr_expect_eq(cksum_fold(cksum_add(assembly->bytes, bytes,
			     cksum_pseudo(family, source, destination, IPPROTO_UDP, bytes))),
		0xffff);
	for (uint32_t i = 0; i < payload_bytes; i++)
		cr_assert_eq(assembly->bytes[8 + i], (uint8_t)(i * 7));
}

static void send_and_assemble(struct lab *lab, struct packet *packet, struct assembly *assembly)
{
	const enum verdict verdict = lab_send(lab, packet);

	cr_assert_neq(verdict, VERDICT_DROP, "%s", drop_name(packet->drop));
	if (verdict == VERDICT_SEND)
		assemble(assembly, packet);
	packet_dispose(packet);
	while ((packet = lab_answer(lab)) != NULL) {
		assemble(assembly, packet);
		packet_dispose(packet);
	}
}

static union addr address(const char *text)
{
	union addr parsed;
	uint8_t family;

	cr_assert(addr_parse(text, &parsed, &family));
	return parsed;
}

/* RFC 7915, 4: without DF, what is too large for the link in IPv6 is cut by us. */
Test(nat64, large_datagrams_are_cut_for_the_link)
{
	struct lab *lab = lab_with(NARROW(1500), udp_flow);
	const union addr source = address("64:ff9b::c633:6401"), guest = address("fd77::2");
	struct assembly assembly = {0};

	send_and_assemble(lab, datagram4(lab, 1472), &assembly);
	expect_datagram(&assembly, &source, &guest, AF_INET6, 1472);
	cr_expect_eq(assembly.pieces, 2);
	lab_close(lab);
}

/* Fragments stay fragments, in any order, under an identification of ours. */
static void fragments_to_the_guest(const unsigned *order)
{
	struct lab *lab = lab_with(NARROW(1500), udp_flow);
	const union addr source = address("64:ff9b::c633:6401"), guest = address("fd77::2");
	struct packet *whole = datagram4(lab, 3000);
	struct assembly assembly = {0};

	cr_assert(packet_parse(whole));
	for (unsigned i = 0; i < 3; i++) {
		struct packet *piece = packet_with_room(1600);
		fragment_piece(whole, order[i], 1400, piece);
		piece->in_zone = ZONE_UPLINK;
		send_and_assemble(lab, piece, &assembly);
	}
	expect_datagram(&assembly, &source, &guest, AF_INET6, 3000);
	cr_expect_neq(assembly.id, ID4);
	packet_dispose(whole);
	lab_close(lab);
}

Test(nat64, fragments_from_ipv4)
{
	static const unsigned orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}};

	for (unsigned i = 0; i < 3; i++)
		fragments_to_the_guest(orders[i]);
}

/* The guest's datagram of 3008 bytes of UDP, in parts of 1400 bytes of IPv6. */
static struct packet *piece6(unsigned index)
{
	struct packet *whole =
		UDP_PACKET("[fd77::2]:5000", "[64:ff9b::c633:6401]:99", .payload_bytes = 3000);
	struct packet *piece = packet_with_room(1600);
	union addr ends[2];

	for (uint32_t i = 0; i < 3000; i++)
		whole->data[48 + i] = (uint8_t)(i * 7);
	memcpy(ends, whole->data + 8, sizeof(ends));
	struct udp_header *udp = (void *)(whole->data + 40);
	udp->checksum = 0;
	udp->checksum = (be16)~cksum_fold(cksum_add(
		udp, 3008, cksum_pseudo(AF_INET6, &ends[0], &ends[1], IPPROTO_UDP, 3008)));
	cr_assert(packet_parse(whole));
	fragment_wrap(whole, 0x12345678);
	fragment_piece(whole, index, 1400, piece);
	packet_dispose(whole);
	return piece;
}

Test(nat64, fragments_from_the_guest)
{
	static const unsigned orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}};
	const union addr host = address("192.0.2.1"), server = address("198.51.100.1");

	for (unsigned i = 0; i < 3; i++) {
		struct lab *lab = lab_with(NAT64(), udp_flow);
		struct assembly assembly = {0};
		for (unsigned j = 0; j < 3; j++) {
			struct packet *piece = piece6(orders[i][j]);
			piece->in_zone = lab_zone(lab, "guest");
			send_and_assemble(lab, piece, &assembly);
		}
		expect_datagram(&assembly, &host, &server, AF_INET, 3000);
		lab_close(lab);
	}
}

/* RFC 7915, 5.1: what IPv6 must carry in one piece IPv4 may have to carry in two. */
Test(nat64, small_packets_are_cut_for_a_narrower_path)
{
	struct lab *lab = lab_with(NAT64(), udp_flow);
	const union addr host = address("192.0.2.1"), server = address("198.51.100.1");
	struct assembly assembly = {0};
	struct packet *packet =
		UDP_PACKET("[fd77::2]:5000", "[64:ff9b::c633:6401]:99", .payload_bytes = 1232);

	lab_route(lab, "server",
		(struct lab_route){ROUTE_UPLINK, .path = 1, .mtu = 1000, .source = "host"});
	engine_path_invalidate(lab->engine);
	for (uint32_t i = 0; i < 1232; i++)
		packet->data[48 + i] = (uint8_t)(i * 7);
	packet->data[46] = packet->data[47] = 0;
	union addr ends[2];
	memcpy(ends, packet->data + 8, sizeof(ends));
	((struct udp_header *)(packet->data + 40))->checksum =
		(be16)~cksum_fold(cksum_add(packet->data + 40, 1240,
			cksum_pseudo(AF_INET6, &ends[0], &ends[1], IPPROTO_UDP, 1240)));
	packet->in_zone = lab_zone(lab, "guest");
	send_and_assemble(lab, packet, &assembly);
	expect_datagram(&assembly, &host, &server, AF_INET, 1232);
	cr_expect_eq(assembly.pieces, 2);

	packet = UDP_PACKET("[fd77::2]:5000", "[64:ff9b::c633:6401]:99", .payload_bytes = 1240);
	packet->in_zone = lab_zone(lab, "guest");
	cr_expect_eq(lab_send(lab, packet), VERDICT_DROP);
	cr_expect_eq(packet->drop, DROP_TOO_BIG);
	packet_dispose(packet);
	packet = lab_answer(lab);
	cr_assert_not_null(packet);
	cr_expect_eq(ntohl(((struct icmp_header *)(packet->data + 40))->mtu6), 1280);
	packet_dispose(packet);
	lab_close(lab);
}

/* RFC 7915, 1.2. */
Test(nat64, icmp_in_fragments)
{
	struct lab *lab = lab_with(NAT64(), udp_flow);
	struct packet *whole = ECHO_PACKET(
		"fd77::2", "64:ff9b::c633:6401", .source_port = 7, .payload_bytes = 2000);
	struct packet *piece = packet_with_room(1600);

	cr_assert(packet_parse(whole));
	fragment_wrap(whole, 1);
	fragment_piece(whole, 0, 1400, piece);
	piece->in_zone = lab_zone(lab, "guest");
	cr_expect_eq(lab_send(lab, piece), VERDICT_DROP);
	cr_expect_eq(piece->drop, DROP_FRAGMENT);
	packet_dispose(piece);
	packet_dispose(whole);
	lab_wait(lab, 31000);
	lab_close(lab);
}

Test(nat64, the_address_goes)
{
	static const struct step steps[] = {UDP_FLOW,
		{"guest udp guest:5000 > server:99", "uplink udp host:$b > server:99"}, {0}};
	static const struct step after[] = {{"flows", "1"},
		{"guest udp guest:5000 > nat64.server:99", "drop no-port",
			"guest icmp gateway > guest prohibited"},
		{0}};
	struct lab *lab = lab_with(NAT64(), steps);
	const union addr host = address("192.0.2.1");

	cr_expect_eq(engine_external_del(lab->engine, AF_INET, &host), 1);
	steps_play(lab, after);
	lab_close(lab);
}
