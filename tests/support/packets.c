/* SPDX-License-Identifier: BSD-2-Clause */
/* packets: packets for tests. */
#include "packets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A packet may begin elsewhere in its buffer in the end. */
struct test_packet {
	struct packet packet;
	uint8_t *buffer;
};

struct packet *packet_with_room(uint32_t capacity)
{
	struct test_packet *test = calloc(1, sizeof(*test));
	uint8_t *buffer = malloc(PACKET_HEADROOM + capacity);

	if (!test || !buffer)
		abort();
	test->buffer = buffer;
	test->packet.data = buffer + PACKET_HEADROOM;
	test->packet.capacity = capacity;
	test->packet.in_zone = ZONE_NONE;
	return &test->packet;
}

void packet_dispose(struct packet *packet)
{
	struct test_packet *test = (struct test_packet *)packet;

	free(test->buffer);
	free(test);
}

struct packet *packet_from_bytes(const void *bytes, uint32_t length, uint32_t capacity)
{
	struct packet *packet = packet_with_room(capacity);

	memcpy(packet->data, bytes, length);
	packet->length = length;
	return packet;
}

struct packet *packet_with_more_room(struct packet *packet, uint32_t more)
{
	struct packet *copy =
		packet_from_bytes(packet->data, packet->length, packet->length + more);

	copy->offload = packet->offload;
	packet_dispose(packet);
	return copy;
}

uint8_t packet_ttl(const struct packet *packet)
{
	return packet->data[packet->data[0] >> 4 == 4 ? 8 : 7];
}

struct packet *packet_copy(const struct packet *packet)
{
	struct packet *copy = packet_from_bytes(packet->data, packet->length, packet->capacity);
	uint8_t *data = copy->data;

	*copy = *packet;
	copy->data = data;
	return copy;
}

/* "10.0.0.1:80", "[2001:db8::1]:80" or an address; a port of 0 leaves `port` alone. */
static uint8_t parse_endpoint(const char *text, union addr *address, uint16_t *port)
{
	char host[64];
	unsigned number = 0;
	uint8_t family;

	if (sscanf(text, "[%63[^]]]:%u", host, &number) < 1 &&
		(strchr(text, ':') != strrchr(text, ':') ||
			sscanf(text, "%63[^:]:%u", host, &number) < 1))
		snprintf(host, sizeof(host), "%s", text);
	if (!addr_parse(host, address, &family)) {
		fprintf(stderr, "not an endpoint: %s\n", text);
		abort();
	}
	if (number)
		*port = (uint16_t)number;
	return family;
}

struct packet *packet_make(const char *source, const char *destination, const struct build *build)
{
	struct packet *scratch = packet_with_room(PACKET_BYTES_MAX);
	struct build whole = *build;

	whole.family = parse_endpoint(source, &whole.source, &whole.source_port);
	if (parse_endpoint(destination, &whole.destination, &whole.destination_port) !=
		whole.family)
		abort();
	if (whole.family == AF_INET6 && whole.protocol == IPPROTO_ICMP) {
		whole.protocol = IPPROTO_ICMPV6;
		if (whole.icmp_type == ICMP4_ECHO)
			whole.icmp_type = ICMP6_ECHO;
	}
	if (!build_packet(scratch, &whole))
		abort();

	struct packet *packet = packet_from_bytes(scratch->data, scratch->length, scratch->length);
	packet->offload = scratch->offload;
	packet_dispose(scratch);
	return packet;
}

/* ---- the second opinion ---- */

static uint32_t word_at(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 8 | bytes[1];
}

/* RFC 1071 as its text says: big-endian words, one at a time. */
static uint32_t add_words(uint32_t sum, const uint8_t *bytes, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++) {
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

static uint32_t add_pseudo(const uint8_t *ip, uint8_t protocol, uint32_t length)
{
	const uint8_t tail[] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16),
		(uint8_t)(length >> 8), (uint8_t)length, 0, 0, 0, protocol};
	const uint32_t sum = ip[0] >> 4 == 4 ? add_words(0, ip + 12, 8) : add_words(0, ip + 8, 32);

	return add_words(sum, tail, sizeof(tail));
}

static const char *l4_fault(const struct packet *packet, uint32_t l4, uint8_t protocol)
{
	const uint8_t *ip = packet->data, *start = ip + l4;
	const uint32_t bytes = packet->length - l4;
	const uint32_t field = protocol == 6 ? 16 : protocol == 17 ? 6 : 2;
	const uint32_t pseudo = protocol == 1 ? 0 : add_pseudo(ip, protocol, bytes);

	if (protocol == 17 && word_at(start + 4) != bytes)
		return "UDP length";
	if (packet->offload.flags & OFFLOAD_NEEDS_CSUM) {
		if (packet->offload.csum_start != l4 || packet->offload.csum_offset != field)
			return "place of the partial checksum";
		return word_at(start + field) == pseudo ? NULL : "partial checksum";
	}
	if (protocol == 17 && word_at(start + field) == 0)
		return ip[0] >> 4 == 4 ? NULL : "UDP without checksum over IPv6";
	return add_words(pseudo, start, bytes) == 0xffff ? NULL : "L4 checksum";
}

const char *packet_fault(const struct packet *packet)
{
	const uint8_t *ip = packet->data;
	const bool v4 = ip[0] >> 4 == 4;
	const uint32_t l4 = v4 ? (ip[0] & 15U) * 4 : 40;
	const uint8_t protocol = v4 ? ip[9] : ip[6];

	if (packet->length < l4)
		return "shorter than its IP header";
	if ((v4 ? word_at(ip + 2) : 40 + word_at(ip + 4)) != packet->length)
		return "IP length";
	if (v4 && add_words(0, ip, l4) != 0xffff)
		return "IPv4 header checksum";
	if (protocol != 6 && protocol != 17 && protocol != (v4 ? 1 : 58))
		return NULL;
	if (v4 && (word_at(ip + 6) & 0x3fff))
		return NULL; /* a fragment's sum is the whole packet's */
	return l4_fault(packet, l4, protocol);
}

uint64_t test_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}
