/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet: any bytes are a packet or a reason to drop one, and whatever can be done to a packet
 * leaves one that is a packet again.
 *
 * The input is a virtio-net header and an IP packet.  Checksums that the parser verifies are put
 * right where that alone would stop it, since chance does not find them.  Buffers end where
 * packets do.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cksum.h"
#include "wire/build.h"
#include "wire/gso.h"
#include "wire/rewrite.h"
#include "wire/translate.h"
#include "wire/vnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A few, in the hope that the last ones differ from the first. */
#define SEGMENTS_TRIED 8

static struct packet packet_clone(const struct packet *packet, uint32_t length)
{
	struct packet clone = *packet;
	uint8_t *buffer = malloc(length ? length : 1);

	if (buffer == NULL)
		abort();
	memcpy(buffer, packet->data, length < packet->length ? length : packet->length);
	clone.data = buffer;
	clone.length = length;
	clone.capacity = length;
	return clone;
}

/* ---- repair ---- */

static void repair_ipv4(uint8_t *bytes, uint32_t room)
{
	struct ipv4_header *ip = (struct ipv4_header *)bytes;

	if (room < sizeof(*ip) || ip->version_length >> 4 != 4)
		return;
	const size_t length = (ip->version_length & 15) * 4U;
	if (length < sizeof(*ip) || length > room)
		return;
	ip->checksum = 0;
	ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, length));
}

static bool repair_and_parse(struct packet *packet)
{
	const uint32_t length = packet->length;
	const struct offload offload = packet->offload;

	repair_ipv4(packet->data, length);
	if (packet_parse(packet) || packet->drop != DROP_BAD_CHECKSUM)
		return packet->parsed;
	/* What is wrong is the sum of an ICMP message; perhaps it quotes something. */
	if (packet->headers.kind == L4_ICMP_ERROR)
		repair_ipv4(packet->data + packet->headers.payload,
			packet->headers.end - packet->headers.payload);
	packet_icmp_checksum(packet);
	packet->length = length;
	packet->offload = offload;
	return packet_parse(packet);
}

/* ---- what holds ---- */

static void expect_sound(const struct packet *packet)
{
	const struct headers *headers = &packet->headers;

	assert(packet->parsed);
	assert(headers->end == packet->length);
	assert(headers->l4 <= headers->payload && headers->payload <= headers->end);
	assert(headers->family == AF_INET || headers->family == AF_INET6);
	assert(headers->kind <= L4_FRAGMENT);
	assert(!headers->more_fragments || headers->kind != L4_FRAGMENT);
	if (headers->kind == L4_TCP || headers->kind == L4_UDP)
		assert(headers->source_port && headers->destination_port);
	assert(packet->offload.gso_type == OFFLOAD_GSO_NONE || packet->offload.gso_size > 0);
	assert(packet->offload.header_size == 0 || packet->offload.header_size == headers->payload);
}

/* It parses again, to the same. */
static void expect_same(const struct packet *packet)
{
	struct packet again = packet_clone(packet, packet->length);

	assert(packet_parse(&again));
	assert(memcmp(&again.headers, &packet->headers, sizeof(again.headers)) == 0);
	assert(memcmp(&again.offload, &packet->offload, sizeof(again.offload)) == 0);
	free(again.data);
}

/* ---- what is done ---- */

static const union addr new_source = {.bytes = {0xfd, 1, 2, 3}};
static const union addr new_destination = {.bytes = {0x20, 1, 0xd, 0xb8}};

static struct rewrite prepare(const struct headers *headers)
{
	struct rewrite rewrite = {
		.source = &new_source,
		.destination = &new_destination,
		.source_port = headers->source_port ? 0x1234 : 0,
		.destination_port = headers->destination_port ? 0x5678 : 0,
	};

	/* Of a query only the identifier can change: the other port is its kind. */
	if (headers->kind == L4_ICMP_QUERY && icmp_is_reply(headers->family, headers->icmp_type))
		rewrite.source_port = headers->source_port;
	else if (headers->kind == L4_ICMP_QUERY)
		rewrite.destination_port = headers->destination_port;
	rewrite_prepare(&rewrite, headers->family, &headers->source, &headers->destination,
		headers->source_port, headers->destination_port);
	return rewrite;
}

static void try_rewrite(const struct packet *original)
{
	struct packet packet = packet_clone(original, original->length);
	const struct rewrite rewrite = prepare(&packet.headers);
	struct tcp_options options;

	packet_rewrite(&packet, &rewrite);
	if (packet.headers.ttl > 0)
		packet_decrement_ttl(&packet);
	if (packet.headers.kind == L4_TCP) {
		packet_tcp_options(&packet, &options);
		assert(packet_clamp_mss(&packet, 536) == (options.mss > 536));
	}
	expect_same(&packet);
	free(packet.data);
}

static void try_quoted(const struct packet *original)
{
	struct packet packet = packet_clone(original, original->length);
	struct headers inner, again;

	if (packet_parse_quoted(&packet, &inner)) {
		const struct rewrite rewrite = prepare(&inner);

		assert(inner.l4 <= inner.end && inner.end <= packet.length);
		packet_rewrite_quoted(&packet, &inner, &rewrite);
		packet_rewrite_addresses(&packet, &new_source, &new_destination);
		packet_icmp_checksum(&packet);
		expect_same(&packet);
		assert(packet_parse_quoted(&packet, &again));
		assert(again.source_port == rewrite.source_port);
		assert(again.l4 == inner.l4 && again.kind == inner.kind);
	}
	free(packet.data);
}

static void try_answers(const struct packet *packet)
{
	uint8_t buffer[BUILD_ERROR_BYTES_MAX];
	struct packet answer = {.data = buffer, .capacity = sizeof(buffer)};
	const uint8_t type =
		packet->headers.family == AF_INET ? ICMP4_TIME_EXCEEDED : ICMP6_TIME_EXCEEDED;

	if (build_icmp_error(&answer, packet, &new_source, type, 0, 0)) {
		assert(packet_parse(&answer));
		assert(answer.headers.kind == L4_ICMP_ERROR);
	}
	answer.capacity = 60;
	if (build_tcp_reset(&answer, packet))
		assert(packet_parse(&answer));
}

/* Into the other family, in a buffer that ends where the packet does but for `more`. */
static struct packet translation_begin(const struct packet *original, uint32_t more)
{
	struct packet packet = *original;
	uint8_t *buffer = malloc(PACKET_HEADROOM + original->length + more);

	if (buffer == NULL)
		abort();
	packet.data = buffer + PACKET_HEADROOM;
	packet.capacity = original->length + more;
	memcpy(packet.data, original->data, original->length);
	return packet;
}

static void try_translate(const struct packet *original)
{
	struct packet packet = translation_begin(original, 0);
	uint8_t *buffer = packet.data - PACKET_HEADROOM;
	const struct headers *headers = &packet.headers;
	struct headers again;
	enum drop drop;

	if (packet_may_translate(&packet, &drop)) {
		packet_translate(&packet, &new_source, &new_destination);
		struct packet copy = packet_clone(&packet, packet.length);
		assert(packet.data >= buffer + 30);
		assert(headers->family != original->headers.family);
		assert(packet_parse(&copy));
		again = copy.headers;
		again.may_fragment = headers->may_fragment; /* ours to say in IPv6 */
		assert(memcmp(&again, headers, sizeof(again)) == 0);
		assert(memcmp(&copy.offload, &packet.offload, sizeof(copy.offload)) == 0);
		free(copy.data);
	}
	free(buffer);
}

static void try_translate_error(const struct packet *original, uint32_t more)
{
	struct packet packet = translation_begin(original, more);
	uint8_t *buffer = packet.data - PACKET_HEADROOM;
	const struct translate_error error = {
		.source = &new_source,
		.destination = &new_destination,
		.quoted_source = &new_destination,
		.quoted_destination = &new_source,
		.mtu = more,
	};
	struct headers inner;

	if (packet_parse_quoted(&packet, &inner) &&
		packet_translate_error(&packet, &inner, &error)) {
		assert(packet.data >= buffer + 30);
		assert(packet.length <= packet.capacity);
		assert(packet.length <= BUILD_ERROR_BYTES_MAX);
		struct packet copy = packet_clone(&packet, packet.length);
		assert(packet_parse(&copy));
		assert(copy.headers.kind == L4_ICMP_ERROR);
		assert(copy.headers.end == packet.headers.end);
		free(copy.data);
	}
	free(buffer);
}

static void try_segments(const struct packet *packet)
{
	const uint32_t count = gso_segment_count(packet);

	for (uint32_t i = 0; i < count; i += i < SEGMENTS_TRIED ? 1 : count / SEGMENTS_TRIED + 1) {
		struct packet segment = packet_clone(
			packet, packet->headers.payload + (uint32_t)packet->offload.gso_size);

		gso_segment(packet, i, &segment);
		assert(segment.length <= segment.capacity);
		expect_same(&segment);
		free(segment.data);
	}
}

static void try_completing(const struct packet *original)
{
	struct packet packet = packet_clone(original, original->length);

	gso_complete_checksum(&packet);
	assert(!(packet.offload.flags & OFFLOAD_NEEDS_CSUM));
	expect_same(&packet);
	free(packet.data);
}

static void try_link(const struct packet *packet)
{
	struct vnet_header header;
	struct offload offload;

	vnet_encode(&packet->offload, 14, &header);
	vnet_decode(&header, 14, &offload);
	assert(memcmp(&offload, &packet->offload, sizeof(offload)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fragment_position position;
	struct vnet_header header;
	struct packet packet = {0};

	if (size < sizeof(header) || size > sizeof(header) + PACKET_BYTES_MAX)
		return 0;
	memcpy(&header, data, sizeof(header));
	packet.data = (uint8_t *)data + sizeof(header);
	packet.length = (uint32_t)(size - sizeof(header));
	packet = packet_clone(&packet, packet.length);
	vnet_decode(&header, 0, &packet.offload);

	if (repair_and_parse(&packet)) {
		expect_sound(&packet);
		expect_same(&packet);
		try_rewrite(&packet);
		if (packet.headers.kind == L4_ICMP_ERROR) {
			try_quoted(&packet);
			try_translate_error(&packet, 0);
			try_translate_error(&packet, 1400);
		} else {
			try_translate(&packet);
		}
		if (packet.headers.kind == L4_FRAGMENT || packet.headers.more_fragments)
			packet_fragment_position(&packet, &position);
		try_answers(&packet);
		try_link(&packet);
		if (packet.offload.gso_type != OFFLOAD_GSO_NONE)
			try_segments(&packet);
		else
			try_completing(&packet);
	}
	free(packet.data);
	return 0;
}
