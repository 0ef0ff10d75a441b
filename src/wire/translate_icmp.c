/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translate_icmp: the types of ICMP and ICMPv6, and errors with the packets that they quote.
 *
 * An error is built anew: its header, the quote's header and the quote grow or shrink by different
 * amounts.  It is small, and rare.
 */
#include <arpa/inet.h>
#include <string.h>
#include "base/cksum.h"
#include "wire/build.h"
#include "wire/rewrite.h"
#include "wire/translate_parts.h"

/* ---- ICMP types ---- */

#define ANY_CODE 0xff
/* What is said in the word behind the checksum. */
enum rest { REST_NONE, REST_MTU, REST_POINTER, REST_NEXT_HEADER };

struct type_row {
	uint8_t type, code, new_type, new_code; /* new_code ANY_CODE: the same */
	uint8_t rest;                           /* enum rest */
};

/* RFC 7915, 4.2; what is not here is dropped. */
static const struct type_row types4[] = {
	{ICMP4_ECHO_REPLY, ANY_CODE, ICMP6_ECHO_REPLY, ANY_CODE, REST_NONE},
	{ICMP4_ECHO, ANY_CODE, ICMP6_ECHO, ANY_CODE, REST_NONE},
	{ICMP4_UNREACHABLE, 0, ICMP6_UNREACHABLE, 0, REST_NONE},      /* network */
	{ICMP4_UNREACHABLE, 1, ICMP6_UNREACHABLE, 0, REST_NONE},      /* host */
	{ICMP4_UNREACHABLE, 2, ICMP6_PARAMETER, 1, REST_NEXT_HEADER}, /* protocol */
	{ICMP4_UNREACHABLE, 3, ICMP6_UNREACHABLE, 4, REST_NONE},      /* port */
	{ICMP4_UNREACHABLE, 4, ICMP6_TOO_BIG, 0, REST_MTU},           /* fragmentation needed */
	{ICMP4_UNREACHABLE, 5, ICMP6_UNREACHABLE, 0, REST_NONE},      /* source route failed */
	{ICMP4_UNREACHABLE, 6, ICMP6_UNREACHABLE, 0, REST_NONE},      /* network unknown */
	{ICMP4_UNREACHABLE, 7, ICMP6_UNREACHABLE, 0, REST_NONE},      /* host unknown */
	{ICMP4_UNREACHABLE, 8, ICMP6_UNREACHABLE, 0, REST_NONE},      /* source isolated */
	{ICMP4_UNREACHABLE, 9, ICMP6_UNREACHABLE, 1, REST_NONE},      /* network prohibited */
	{ICMP4_UNREACHABLE, 10, ICMP6_UNREACHABLE, 1, REST_NONE},     /* host prohibited */
	{ICMP4_UNREACHABLE, 11, ICMP6_UNREACHABLE, 0, REST_NONE},     /* network for this TOS */
	{ICMP4_UNREACHABLE, 12, ICMP6_UNREACHABLE, 0, REST_NONE},     /* host for this TOS */
	{ICMP4_UNREACHABLE, 13, ICMP6_UNREACHABLE, 1, REST_NONE},     /* prohibited */
	{ICMP4_UNREACHABLE, 15, ICMP6_UNREACHABLE, 1, REST_NONE},     /* precedence cutoff */
	{ICMP4_TIME_EXCEEDED, ANY_CODE, ICMP6_TIME_EXCEEDED, ANY_CODE, REST_NONE},
	{ICMP4_PARAMETER, 0, ICMP6_PARAMETER, 0, REST_POINTER},
	{ICMP4_PARAMETER, 2, ICMP6_PARAMETER, 0, REST_POINTER}, /* bad length */
};

/* RFC 7915, 5.2. */
static const struct type_row types6[] = {
	{ICMP6_ECHO_REPLY, ANY_CODE, ICMP4_ECHO_REPLY, ANY_CODE, REST_NONE},
	{ICMP6_ECHO, ANY_CODE, ICMP4_ECHO, ANY_CODE, REST_NONE},
	{ICMP6_UNREACHABLE, 0, ICMP4_UNREACHABLE, 1, REST_NONE},  /* no route */
	{ICMP6_UNREACHABLE, 1, ICMP4_UNREACHABLE, 10, REST_NONE}, /* prohibited */
	{ICMP6_UNREACHABLE, 2, ICMP4_UNREACHABLE, 1, REST_NONE},  /* beyond scope */
	{ICMP6_UNREACHABLE, 3, ICMP4_UNREACHABLE, 1, REST_NONE},  /* address */
	{ICMP6_UNREACHABLE, 4, ICMP4_UNREACHABLE, 3, REST_NONE},  /* port */
	{ICMP6_TOO_BIG, ANY_CODE, ICMP4_UNREACHABLE, 4, REST_MTU},
	{ICMP6_TIME_EXCEEDED, ANY_CODE, ICMP4_TIME_EXCEEDED, ANY_CODE, REST_NONE},
	{ICMP6_PARAMETER, 0, ICMP4_PARAMETER, 0, REST_POINTER},
	{ICMP6_PARAMETER, 1, ICMP4_UNREACHABLE, 2, REST_NONE}, /* unknown next header */
};

static const struct type_row *find_row(uint8_t family, uint8_t type, uint8_t code)
{
	const struct type_row *rows = family == AF_INET ? types4 : types6;
	const unsigned count = family == AF_INET ? sizeof(types4) / sizeof(types4[0])
						 : sizeof(types6) / sizeof(types6[0]);

	for (unsigned i = 0; i < count; i++)
		if (rows[i].type == type && (rows[i].code == ANY_CODE || rows[i].code == code))
			return &rows[i];
	return NULL;
}

bool translate_icmp_type(uint8_t family, uint8_t *type, uint8_t *code)
{
	const struct type_row *row = find_row(family, *type, *code);

	if (row == NULL)
		return false;
	*type = row->new_type;
	if (row->new_code != ANY_CODE)
		*code = row->new_code;
	return true;
}

/* ---- ICMP errors: the word behind the checksum ---- */

#define NO_POINTER 0xff

/* Where a field of one header is in the other (RFC 7915, figures 3 and 6). */
static const uint8_t pointers4[20] = {0, 1, 4, 4, NO_POINTER, NO_POINTER, NO_POINTER, NO_POINTER, 7,
	6, NO_POINTER, NO_POINTER, 8, 8, 8, 8, 24, 24, 24, 24};
static const uint8_t pointers6[40] = {0, 1, NO_POINTER, NO_POINTER, 2, 2, 9, 8, 12, 12, 12, 12, 12,
	12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
	16, 16, 16, 16};

static uint32_t translate_pointer(uint8_t family, const struct icmp_header *icmp)
{
	const uint32_t word = ntohl(icmp->rest);

	if (family == AF_INET)
		return word >> 24 < sizeof(pointers4) ? pointers4[word >> 24] : NO_POINTER;
	return word < sizeof(pointers6) ? pointers6[word] : NO_POINTER;
}

/* The MTU that a router before RFC 1191 may have meant: the next plateau below the packet. */
static uint32_t plateau_below(uint32_t bytes)
{
	static const uint16_t plateaus[] = {
		65535, 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296};

	for (unsigned i = 0; i < sizeof(plateaus) / sizeof(plateaus[0]); i++)
		if (plateaus[i] < bytes)
			return plateaus[i];
	return 68;
}

/* RFC 7915, 4.2 and 5.2: no more than what either side carries; never below what IPv6 must. */
static uint32_t translate_mtu(
	uint8_t family, const struct icmp_header *icmp, uint32_t quoted_bytes, uint32_t limit)
{
	uint32_t mtu;

	if (family == AF_INET) {
		mtu = ntohs(icmp->too_big4.mtu);
		if (mtu == 0)
			mtu = plateau_below(quoted_bytes);
		mtu += TRANSLATE_WHOLE;
	} else {
		mtu = ntohl(icmp->mtu6);
		mtu = mtu > TRANSLATE_WHOLE ? mtu - TRANSLATE_WHOLE : 0;
	}
	if (limit != 0 && mtu > limit)
		mtu = limit;
	if (family == AF_INET)
		return mtu < 1280 ? 1280 : mtu;
	return mtu > UINT16_MAX ? UINT16_MAX : mtu;
}

/* The word for the new header; false where there is nothing that it could point to. */
static bool translate_rest(const struct packet *packet, const struct type_row *row,
	uint32_t quoted_bytes, uint32_t limit, be32 *rest)
{
	const struct icmp_header *icmp = packet_l4(packet);
	const uint8_t family = packet->headers.family;
	uint32_t pointer;

	*rest = 0;
	switch (row->rest) {
	case REST_MTU:
		*rest = htonl(translate_mtu(family, icmp, quoted_bytes, limit));
		return true;
	case REST_NEXT_HEADER:
		*rest = htonl(offsetof(struct ipv6_header, next_header));
		return true;
	case REST_POINTER:
		pointer = translate_pointer(family, icmp);
		*rest = htonl(family == AF_INET ? pointer : pointer << 24);
		return pointer != NO_POINTER;
	default:
		return true;
	}
}

/* ---- errors ---- */

/* RFC 4884, 3: a quote with something behind it has at least this many bytes. */
#define EXTENDED_QUOTE_MIN 128

/* What an error consists of behind its ICMP header, in the old packet. */
struct error_parts {
	uint32_t quote_end;       /* where the quote ends, from packet->data */
	uint32_t extension;       /* where the extension begins */
	uint32_t extension_bytes; /* 0: there is none, or none that could be kept */
};

/* The RFC 4884 length of the quote, in bytes; 0: there is no extension. */
static uint32_t extended_quote_bytes(uint8_t family, const struct icmp_header *icmp)
{
	const uint8_t *rest = (const uint8_t *)&icmp->rest;

	return family == AF_INET ? rest[1] * 4U : rest[0] * 8U;
}

/* Only unreachable and time exceeded have room for a length in both families. */
static void find_parts(const struct packet *packet, const struct headers *inner,
	const struct type_row *row, struct error_parts *parts)
{
	const struct headers *headers = &packet->headers;
	const bool has_length = row->rest == REST_NONE && row->new_type != ICMP6_PARAMETER;
	const uint32_t bytes = extended_quote_bytes(headers->family, packet_l4(packet));
	const uint32_t extension = headers->payload + bytes;

	*parts = (struct error_parts){.quote_end = inner->end};
	if (!has_length || bytes == 0 || extension >= headers->end || extension < inner->l4)
		return;
	if (parts->quote_end > extension)
		parts->quote_end = extension;
	parts->extension = extension;
	parts->extension_bytes = headers->end - extension;
}

/* The quoted packet in the new family at `to`, `room` bytes at most; returns how many. */
static uint32_t translate_quote(const struct packet *packet, const struct headers *inner,
	const struct translate_error *error, uint32_t quote_end, uint8_t *to, uint32_t room)
{
	struct translate_fields fields;

	translate_read(packet->data, packet->headers.payload, inner, &fields);
	const uint32_t header_bytes = translate_header_bytes(inner->family, &fields);
	uint32_t bytes = quote_end - inner->l4;

	if (header_bytes > room)
		return 0;
	if (bytes > room - header_bytes)
		bytes = room - header_bytes;
	translate_write(
		inner->family, to, &fields, error->quoted_source, error->quoted_destination);
	memcpy(to + header_bytes, packet->data + inner->l4, bytes);
	translate_l4(to + header_bytes, bytes, inner, fields.l4_bytes, false, error->quoted_source,
		error->quoted_destination);
	return header_bytes + bytes;
}

/* Quote and extension at `to`; returns how many bytes, and the length for `rest`. */
static uint32_t translate_body(const struct packet *packet, const struct headers *inner,
	const struct translate_error *error, const struct error_parts *parts, uint8_t *to,
	uint32_t room, be32 *rest)
{
	const bool extended =
		parts->extension_bytes != 0 && parts->extension_bytes + EXTENDED_QUOTE_MIN <= room;

	if (!extended)
		return translate_quote(packet, inner, error, parts->quote_end, to, room);
	uint32_t bytes = translate_quote(
		packet, inner, error, parts->quote_end, to, (room - parts->extension_bytes) & ~7U);
	while (bytes < EXTENDED_QUOTE_MIN || bytes % 8 != 0)
		to[bytes++] = 0;
	*rest = packet->headers.family == AF_INET ? htonl(bytes / 8 << 24) : htonl(bytes / 4 << 16);
	memcpy(to + bytes, packet->data + parts->extension, parts->extension_bytes);
	return bytes + parts->extension_bytes;
}

/* Room for what follows the ICMP header, where the new packet's start is moved by `shift`. */
static uint32_t body_room(const struct packet *packet, uint32_t header_bytes, int32_t shift)
{
	const uint32_t most =
		packet->headers.family == AF_INET ? BUILD_ERROR_BYTES_MAX : BUILD_ERROR4_BYTES_MAX;
	const uint32_t capacity = (uint32_t)((int32_t)packet->capacity + shift);

	const uint32_t whole = capacity < most ? capacity : most;

	header_bytes += (uint32_t)sizeof(struct icmp_header);
	return whole > header_bytes ? whole - header_bytes : 0;
}

bool packet_translate_error(
	struct packet *packet, const struct headers *inner, const struct translate_error *error)
{
	struct headers *headers = &packet->headers;
	const struct type_row *row =
		find_row(headers->family, headers->icmp_type, headers->icmp_code);
	uint8_t body[BUILD_ERROR_BYTES_MAX];
	struct error_parts parts;
	struct translate_fields fields, quoted;
	be32 rest;

	if (row == NULL || !translate_is_common(inner->family, inner->protocol))
		return translate_refuse(packet, DROP_ICMP_TYPE);
	translate_read(packet->data, headers->payload, inner, &quoted);
	if (!translate_rest(
		    packet, row, inner->l4 - headers->payload + quoted.l4_bytes, error->mtu, &rest))
		return translate_refuse(packet, DROP_ICMP_TYPE);
	translate_read(packet->data, 0, headers, &fields);
	fields.fragment = false;
	find_parts(packet, inner, row, &parts);

	const uint32_t ip_bytes = translate_header_bytes(headers->family, &fields);
	const int32_t shift = (int32_t)ip_bytes - headers->l4;
	const uint32_t bytes = translate_body(
		packet, inner, error, &parts, body, body_room(packet, ip_bytes, shift), &rest);
	if (bytes == 0)
		return translate_refuse(packet, DROP_TRUNCATED);
	const uint8_t type = row->new_type;
	const uint8_t code = row->new_code == ANY_CODE ? headers->icmp_code : row->new_code;

	fields.l4_bytes = (uint32_t)sizeof(struct icmp_header) + bytes;
	fields.may_fragment = headers->family == AF_INET6;
	translate_shift(packet, shift);
	translate_write(headers->family, packet->data, &fields, error->source, error->destination);
	translate_describe(headers, &fields, shift, error->source, error->destination);
	headers->end = packet->length = ip_bytes + fields.l4_bytes;
	headers->icmp_type = type;
	headers->icmp_code = code;
	struct icmp_header *icmp = packet_l4(packet);
	*icmp = (struct icmp_header){.type = type, .code = code, .rest = rest};
	memcpy(icmp + 1, body, bytes);
	packet_icmp_checksum(packet);
	return true;
}
