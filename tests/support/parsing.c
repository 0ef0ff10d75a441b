/* SPDX-License-Identifier: BSD-2-Clause */
/* parsing: good packets, surgery on them, expectations. */
#include "parsing.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <string.h>

#include "base/cksum.h"

static const char *reason(const struct packet *packet, bool parsed)
{
	static const char *const names[] = {
#define X(name, text, meaning) text,
		TUNGATE_DROPS(X)
#undef X
	};

	return parsed ? "parsed" : names[packet->drop];
}

void expect_drop(struct packet *packet, enum drop drop, const char *what)
{
	const bool parsed = packet_parse(packet);

	cr_expect(!parsed && packet->drop == drop, "%s: %s", what, reason(packet, parsed));
	cr_expect_eq(packet->parsed, parsed);
	packet_dispose(packet);
}

void expect_parsed(struct packet *packet, const char *what)
{
	const bool parsed = packet_parse(packet);

	cr_expect(parsed && packet->parsed, "%s: %s", what, reason(packet, parsed));
}

void expect_addresses(const struct packet *packet, const char *source, const char *destination)
{
	const struct headers *headers = &packet->headers;
	char buffer[ADDR_TEXT_SIZE];

	cr_expect_str_eq(addr_port_format(headers->family, &headers->source,
				 ntohs(headers->source_port), buffer),
		source);
	cr_expect_str_eq(addr_port_format(headers->family, &headers->destination,
				 ntohs(headers->destination_port), buffer),
		destination);
}

void fix_ipv4_checksum(struct packet *packet)
{
	struct ipv4_header *ip = packet_ipv4(packet);

	if (ip->version_length >> 4 != 4 || packet->length < sizeof(*ip))
		return;
	const size_t bytes = (ip->version_length & 15) * 4U;
	ip->checksum = 0;
	if (bytes >= sizeof(*ip) && bytes <= packet->length)
		ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, bytes));
}

/* `packet` with `bytes` put in at `at`; lengths are made right. */
static struct packet *insert(struct packet *packet, uint32_t at, const void *bytes, uint32_t count)
{
	struct packet *longer = packet_with_room(packet->length + count);
	const bool v4 = packet->data[0] >> 4 == 4;

	memcpy(longer->data, packet->data, at);
	memcpy(longer->data + at, bytes, count);
	memcpy(longer->data + at + count, packet->data + at, packet->length - at);
	longer->length = packet->length + count;
	if (v4) {
		packet_ipv4(longer)->version_length =
			(uint8_t)(packet_ipv4(longer)->version_length + count / 4);
		packet_ipv4(longer)->total_length = htons((uint16_t)longer->length);
		fix_ipv4_checksum(longer);
	} else {
		packet_ipv6(longer)->payload_length = htons((uint16_t)(longer->length - 40));
	}
	packet_dispose(packet);
	return longer;
}

struct packet *extend(struct packet *packet, uint8_t type, const uint8_t *bytes, uint32_t count)
{
	uint8_t header[256];

	memcpy(header, bytes, count);
	header[0] = packet_ipv6(packet)->next_header;
	packet_ipv6(packet)->next_header = type;
	return insert(packet, 40, header, count);
}

struct packet *with_options(struct packet *packet, const uint8_t *options, uint32_t count)
{
	return insert(packet, sizeof(struct ipv4_header), options, count);
}

struct packet *fragment(struct packet *packet, uint32_t offset, bool more)
{
	struct ipv6_fragment header = {
		.offset = htons((uint16_t)(offset | more)), .id = htonl(FRAGMENT6_ID)};

	if (packet->data[0] >> 4 == 6)
		return extend(packet, IPPROTO_FRAGMENT, (const uint8_t *)&header, sizeof(header));
	packet_ipv4(packet)->id = htons(FRAGMENT4_ID);
	packet_ipv4(packet)->fragment = htons((uint16_t)(offset / 8 | (more ? IPV4_MF : 0)));
	fix_ipv4_checksum(packet);
	return packet;
}

struct packet *make_good(enum good good)
{
	switch (good) {
	case TCP4:
		return TCP_PACKET(GUEST4, SERVER4, .tcp_flags = TCP_ACK, .payload_bytes = 16);
	case TCP6:
		return TCP_PACKET(GUEST6, SERVER6, .tcp_flags = TCP_ACK, .payload_bytes = 16);
	case UDP4:
		return UDP_PACKET(GUEST4, SERVER4, .payload_bytes = 16);
	case UDP6:
		return UDP_PACKET(GUEST6, SERVER6, .payload_bytes = 16);
	case ECHO4:
		return ECHO_PACKET("10.77.0.5", "192.0.2.1", .source_port = 7, .payload_bytes = 16);
	case ECHO6:
		return ECHO_PACKET("fd00::5", "2001:db8::1", .source_port = 7, .payload_bytes = 16);
	}
	return NULL;
}
