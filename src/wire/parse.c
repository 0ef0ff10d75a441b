/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parse: bytes to struct headers.
 *
 * Every step looks at bytes below headers->end only, which is checked against the buffer before
 * anything else, and answers with the reason to drop the packet or with PARSED.  Steps know
 * nothing of struct packet, so that the packet quoted in an ICMP error goes through the same ones;
 * what only a whole packet can be held to (true lengths, checksums, flags) is checked around them.
 */
#include "wire/parse.h"

#include <arpa/inet.h>
#include <string.h>
#include "base/cksum.h"

#define PARSED DROP_COUNT /* no reason to drop */

#define EXTENSIONS_MAX 8 /* IPv6 extension headers in one packet; bounds the walk */

#define OPTION4_END          0
#define OPTION4_NOP          1
#define OPTION4_RECORD_ROUTE 7
#define OPTION4_LOOSE_ROUTE  131
#define OPTION4_STRICT_ROUTE 137

/* ---- IPv4 ---- */

static enum drop check_options4(const uint8_t *option, uint32_t bytes)
{
	for (uint32_t size; bytes; option += size, bytes -= size) {
		size = 1;
		switch (option[0]) {
		case OPTION4_END:
			return PARSED;
		case OPTION4_NOP:
			continue;
		case OPTION4_RECORD_ROUTE:
		case OPTION4_LOOSE_ROUTE:
		case OPTION4_STRICT_ROUTE:
			return DROP_SOURCE_ROUTE;
		default:
			if (bytes < 2 || option[1] < 2 || option[1] > bytes)
				return DROP_BAD_HEADER;
			size = option[1];
		}
	}
	return PARSED;
}

static void set_fragment(struct headers *headers, uint32_t offset, bool more)
{
	if (offset)
		headers->kind = L4_FRAGMENT;
	else
		headers->more_fragments = more;
}

/* The header at `at`.  headers->end is where the bytes end and is cut to where the packet does;
 * `total` is the length that the header claims, which may be more than there is. */
static inline enum drop parse_ipv4(
	const uint8_t *data, uint32_t at, struct headers *headers, uint32_t *total)
{
	const struct ipv4_header *ip = (const struct ipv4_header *)(data + at);

	if (headers->end - at < sizeof(*ip))
		return DROP_TRUNCATED;
	const uint32_t bytes = (ip->version_length & 15) * 4U;
	*total = ntohs(ip->total_length);
	if (bytes < sizeof(*ip) || *total < bytes)
		return DROP_BAD_HEADER;
	if (bytes > headers->end - at)
		return DROP_TRUNCATED;
	if (*total < headers->end - at)
		headers->end = at + *total;
	if (cksum_fold(cksum_ipv4_header(ip, bytes)) != 0xffff)
		return DROP_BAD_CHECKSUM;

	const uint32_t fragment = ntohs(ip->fragment);
	headers->family = AF_INET;
	headers->protocol = ip->protocol;
	headers->ttl = ip->ttl;
	headers->l4 = (uint16_t)(at + bytes);
	headers->source.v4 = ip->source;
	headers->destination.v4 = ip->destination;
	headers->may_fragment = !(fragment & IPV4_DF);
	if (fragment & (IPV4_MF | IPV4_OFFSET_MASK))
		set_fragment(headers, fragment & IPV4_OFFSET_MASK, fragment & IPV4_MF);
	if (bytes == sizeof(*ip))
		return PARSED;
	return check_options4((const uint8_t *)(ip + 1), bytes - (uint32_t)sizeof(*ip));
}

/* ---- IPv6 ---- */

static bool is_extension(uint8_t next_header)
{
	return next_header == IPPROTO_HOPOPTS || next_header == IPPROTO_ROUTING ||
	       next_header == IPPROTO_FRAGMENT || next_header == IPPROTO_DSTOPTS;
}

/* Read past the end: in a first fragment the headers go on in the next one, which RFC 7112
 * forbids. */
static enum drop too_short(const struct headers *headers)
{
	return headers->more_fragments ? DROP_FRAGMENT : DROP_TRUNCATED;
}

/* One extension header at headers->l4, which advances behind it. */
static enum drop parse_extension(const uint8_t *data, struct headers *headers)
{
	const struct ipv6_extension *extension = (const void *)(data + headers->l4);
	const struct ipv6_fragment *fragment = (const void *)extension;
	uint32_t bytes = sizeof(*extension);

	if (headers->end - headers->l4 < bytes)
		return too_short(headers);
	switch (headers->protocol) {
	case IPPROTO_FRAGMENT:
		if (headers->more_fragments)
			return DROP_BAD_HEADER;
		const uint32_t offset = ntohs(fragment->offset);
		set_fragment(headers, offset & ~7U, offset & 1);
		break;
	case IPPROTO_ROUTING:
		/* With segments left, the destination that the filter sees and the checksum's
		 * are not the same. */
		if (extension->type == 0 || extension->rest[0] != 0)
			return DROP_SOURCE_ROUTE;
		/* fall through */
	default:
		bytes = (extension->length + 1U) * 8;
	}
	if (headers->end - headers->l4 < bytes)
		return too_short(headers);
	headers->protocol = extension->next_header;
	headers->l4 = (uint16_t)(headers->l4 + bytes);
	return PARSED;
}

static enum drop parse_extensions(const uint8_t *data, struct headers *headers)
{
	for (unsigned i = 0; is_extension(headers->protocol); i++) {
		if (i == EXTENSIONS_MAX || (i > 0 && headers->protocol == IPPROTO_HOPOPTS))
			return DROP_BAD_HEADER;
		const enum drop drop = parse_extension(data, headers);
		if (drop != PARSED || headers->kind == L4_FRAGMENT)
			return drop;
	}
	return PARSED;
}

static inline enum drop parse_ipv6(
	const uint8_t *data, uint32_t at, struct headers *headers, uint32_t *total)
{
	const struct ipv6_header *ip = (const struct ipv6_header *)(data + at);

	if (headers->end - at < sizeof(*ip))
		return DROP_TRUNCATED;
	*total = (uint32_t)sizeof(*ip) + ntohs(ip->payload_length);
	headers->family = AF_INET6;
	headers->protocol = ip->next_header;
	headers->ttl = ip->hop_limit;
	headers->l4 = (uint16_t)(at + sizeof(*ip));
	memcpy(&headers->source, ip->source, sizeof(ip->source));
	memcpy(&headers->destination, ip->destination, sizeof(ip->destination));
	if (*total < headers->end - at)
		headers->end = at + *total;
	return is_extension(headers->protocol) ? parse_extensions(data, headers) : PARSED;
}

/* ---- L4 ---- */

uint8_t icmp_kind(uint8_t family, uint8_t type)
{
	if (family == AF_INET6) {
		if (type == ICMP6_ECHO || type == ICMP6_ECHO_REPLY)
			return L4_ICMP_QUERY;
		return type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER ? L4_ICMP_ERROR
									    : L4_ICMP_OTHER;
	}
	switch (type) {
	case ICMP4_ECHO:
	case ICMP4_ECHO_REPLY:
	case ICMP4_TIMESTAMP:
	case ICMP4_TIMESTAMP_REPLY:
		return L4_ICMP_QUERY;
	case ICMP4_UNREACHABLE:
	case ICMP4_TIME_EXCEEDED:
	case ICMP4_PARAMETER:
		return L4_ICMP_ERROR;
	default:
		return L4_ICMP_OTHER;
	}
}

bool icmp_is_reply(uint8_t family, uint8_t type)
{
	if (family == AF_INET6)
		return type == ICMP6_ECHO_REPLY;
	return type == ICMP4_ECHO_REPLY || type == ICMP4_TIMESTAMP_REPLY;
}

/* What stands for the other port: timestamps and echoes of one identifier are not the same query.
 */
static be16 query_kind(const struct headers *headers)
{
	const bool timestamp =
		headers->family == AF_INET && (headers->icmp_type == ICMP4_TIMESTAMP ||
						      headers->icmp_type == ICMP4_TIMESTAMP_REPLY);

	return timestamp ? htons(ICMP4_TIMESTAMP) : 0;
}

/* GRE in general has no ports; that of a PPTP call has a call id among its first eight bytes. */
static enum drop parse_gre(const uint8_t *data, struct headers *headers)
{
	const struct gre_call_header *gre = (const void *)(data + headers->l4);

	if (headers->end - headers->l4 < sizeof(*gre) ||
		(gre->flags & ~htons(GRE_CALL_VARIABLE)) != htons(GRE_CALL_FLAGS) ||
		gre->protocol != htons(GRE_PPP))
		return PARSED;
	headers->kind = L4_GRE_CALL;
	headers->source_port = PACKET_CALL_PORT;
	headers->destination_port = gre->call;
	return PARSED;
}

/* The eight bytes that every L4 header we know starts with. */
static inline enum drop parse_l4_start(const uint8_t *data, struct headers *headers)
{
	const uint8_t icmp = headers->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	const struct icmp_header *message = (const void *)(data + headers->l4);
	const struct udp_header *ports = (const void *)message;

	headers->payload = headers->l4;
	if (headers->kind == L4_FRAGMENT)
		return PARSED;
	if (headers->protocol == IPPROTO_TCP)
		headers->kind = L4_TCP;
	else if (headers->protocol == IPPROTO_UDP)
		headers->kind = L4_UDP;
	else if (headers->protocol != icmp)
		return headers->protocol == IPPROTO_GRE ? parse_gre(data, headers) : PARSED;
	if (headers->end - headers->l4 < sizeof(*message))
		return too_short(headers);
	if (headers->protocol != icmp) {
		headers->source_port = ports->source_port;
		headers->destination_port = ports->destination_port;
		return headers->source_port && headers->destination_port ? PARSED : DROP_BAD_HEADER;
	}

	headers->kind = icmp_kind(headers->family, message->type);
	headers->icmp_type = message->type;
	headers->icmp_code = message->code;
	if (headers->kind != L4_ICMP_QUERY)
		return PARSED;
	const bool reply = icmp_is_reply(headers->family, headers->icmp_type);
	headers->source_port = reply ? query_kind(headers) : message->query.id;
	headers->destination_port = reply ? message->query.id : query_kind(headers);
	return PARSED;
}

static bool tcp_flags_are_valid(uint8_t flags)
{
	switch (flags & (TCP_SYN | TCP_RST | TCP_FIN | TCP_ACK)) {
	case TCP_SYN:
	case TCP_SYN | TCP_ACK:
	case TCP_RST:
	case TCP_RST | TCP_ACK:
	case TCP_FIN | TCP_ACK:
	case TCP_ACK:
		return true;
	default:
		return false;
	}
}

static inline enum drop check_tcp(const uint8_t *data, struct headers *headers)
{
	const struct tcp_header *tcp = (const void *)(data + headers->l4);
	const uint32_t room = headers->end - headers->l4;

	if (room < sizeof(*tcp))
		return too_short(headers);
	const uint32_t bytes = (tcp->offset >> 4) * 4U;
	if (bytes < sizeof(*tcp))
		return DROP_BAD_HEADER;
	if (room < bytes)
		return too_short(headers);
	headers->payload = (uint16_t)(headers->l4 + bytes);
	headers->tcp_flags = tcp->flags;
	return tcp_flags_are_valid(tcp->flags) ? PARSED : DROP_BAD_FLAGS;
}

static inline enum drop check_udp(const uint8_t *data, struct headers *headers)
{
	const struct udp_header *udp = (const void *)(data + headers->l4);
	const uint32_t length = ntohs(udp->length);

	headers->payload = (uint16_t)(headers->l4 + sizeof(*udp));
	if (length < sizeof(*udp))
		return DROP_BAD_HEADER;
	if (length > headers->end - headers->l4 && !headers->more_fragments)
		return DROP_TRUNCATED;
	return PARSED;
}

static enum drop check_icmp(const uint8_t *data, struct headers *headers, bool partial)
{
	const uint32_t bytes = headers->end - headers->l4;
	uint64_t sum = 0;

	headers->payload = (uint16_t)(headers->l4 + sizeof(struct icmp_header));
	if (headers->kind == L4_ICMP_ERROR) {
		const size_t quote = headers->family == AF_INET ? sizeof(struct ipv4_header)
								: sizeof(struct ipv6_header);
		if (headers->more_fragments)
			return DROP_FRAGMENT;
		if (bytes < sizeof(struct icmp_header) + quote)
			return DROP_TRUNCATED;
	}
	if (headers->more_fragments || partial)
		return PARSED;
	if (headers->family == AF_INET6)
		sum = cksum_pseudo(
			AF_INET6, &headers->source, &headers->destination, IPPROTO_ICMPV6, bytes);
	sum = cksum_add(data + headers->l4, bytes, sum);
	return cksum_fold(sum) == 0xffff ? PARSED : DROP_BAD_CHECKSUM;
}

/* What the position of a fragment says; the L4 part has been seen to lie at headers->l4. */
static enum drop check_fragment(
	const struct headers *headers, const struct fragment_position *position)
{
	const uint32_t bytes = headers->end - headers->l4;

	if (bytes == 0 || (position->more && bytes % 8 != 0))
		return DROP_BAD_HEADER;
	if (position->offset + bytes > 65535)
		return DROP_BAD_HEADER;
	/* Flags that a second fragment would overwrite. */
	if (position->offset == 8 && headers->protocol == IPPROTO_TCP)
		return DROP_FRAGMENT;
	return PARSED;
}

static inline enum drop check_l4(const struct packet *packet, struct headers *headers)
{
	switch (headers->kind) {
	case L4_TCP:
		return check_tcp(packet->data, headers);
	case L4_UDP:
		return check_udp(packet->data, headers);
	case L4_GRE_CALL:
		headers->payload = (uint16_t)(headers->l4 + sizeof(struct gre_call_header));
		return PARSED;
	case L4_ICMP_QUERY:
	case L4_ICMP_ERROR:
	case L4_ICMP_OTHER:
		return check_icmp(
			packet->data, headers, packet->offload.flags & OFFLOAD_NEEDS_CSUM);
	default:
		return PARSED;
	}
}

/* ---- offload ---- */

uint16_t l4_checksum_offset(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return offsetof(struct tcp_header, checksum);
	case IPPROTO_UDP:
		return offsetof(struct udp_header, checksum);
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return offsetof(struct icmp_header, checksum);
	default:
		return 0;
	}
}

/* Can the checksum of this L4 header be partial?  ICMPv4 has no pseudo-header to sum ahead. */
static bool sum_may_be_partial(const struct headers *headers)
{
	return headers->kind != L4_OTHER && headers->kind != L4_GRE_CALL &&
	       headers->kind != L4_FRAGMENT && headers->protocol != IPPROTO_ICMP;
}

/* A partial sum is that of the L4 header, or of something tunnelled in its payload. */
static bool csum_is_possible(const struct headers *headers, const struct offload *offload)
{
	const uint32_t field = (uint32_t)offload->csum_start + offload->csum_offset;

	if (field + sizeof(be16) > headers->end)
		return false;
	if (offload->csum_start == headers->l4)
		return sum_may_be_partial(headers) &&
		       offload->csum_offset == l4_checksum_offset(headers->protocol);
	return offload->csum_start >= headers->payload &&
	       (headers->kind == L4_UDP || headers->kind == L4_GRE_CALL ||
		       headers->kind == L4_OTHER);
}

static bool gso_is_possible(const struct headers *headers, const struct offload *offload)
{
	if (!(offload->flags & OFFLOAD_NEEDS_CSUM) || offload->csum_start != headers->l4 ||
		offload->gso_size == 0)
		return false;
	switch (offload->gso_type) {
	case OFFLOAD_GSO_TCPV4:
	case OFFLOAD_GSO_TCPV4 | OFFLOAD_GSO_ECN:
		return headers->family == AF_INET && headers->kind == L4_TCP;
	case OFFLOAD_GSO_TCPV6:
	case OFFLOAD_GSO_TCPV6 | OFFLOAD_GSO_ECN:
		return headers->family == AF_INET6 && headers->kind == L4_TCP;
	case OFFLOAD_GSO_UDP_L4:
		return headers->kind == L4_UDP;
	default:
		return false;
	}
}

static enum drop check_offload(const struct headers *headers, struct offload *offload)
{
	offload->flags &= OFFLOAD_NEEDS_CSUM | OFFLOAD_DATA_VALID;
	if (offload->flags & OFFLOAD_NEEDS_CSUM) {
		if (headers->more_fragments || !csum_is_possible(headers, offload))
			return DROP_BAD_OFFLOAD;
	} else {
		offload->csum_start = 0;
		offload->csum_offset = 0;
	}
	if (offload->gso_type == OFFLOAD_GSO_NONE) {
		offload->gso_size = 0;
		offload->header_size = 0;
		return PARSED;
	}
	offload->header_size = headers->payload;
	return gso_is_possible(headers, offload) ? PARSED : DROP_BAD_OFFLOAD;
}

/* ---- the whole ---- */

static inline enum drop parse_whole(struct packet *packet)
{
	struct headers *headers = &packet->headers;
	const unsigned version = packet->length ? packet->data[0] >> 4 : 4;
	struct fragment_position position;
	uint32_t total;
	enum drop drop;

	*headers = (struct headers){.end = packet->length};
	if (version == 4)
		drop = parse_ipv4(packet->data, 0, headers, &total);
	else if (version == 6)
		drop = parse_ipv6(packet->data, 0, headers, &total);
	else
		return DROP_BAD_HEADER;
	if (drop != PARSED)
		return drop;
	if (total > packet->length)
		return DROP_TRUNCATED;

	if (headers->kind == L4_FRAGMENT || headers->more_fragments) {
		packet_fragment_position(packet, &position);
		drop = check_fragment(headers, &position);
		if (drop != PARSED)
			return drop;
	}
	drop = parse_l4_start(packet->data, headers);
	if (drop == PARSED)
		drop = check_l4(packet, headers);
	if (drop == PARSED)
		drop = check_offload(headers, &packet->offload);
	return drop;
}

bool packet_parse(struct packet *packet)
{
	const enum drop drop = parse_whole(packet);

	packet->parsed = drop == PARSED;
	packet->hashed = false;
	if (!packet->parsed) {
		packet->drop = (uint8_t)drop;
		return false;
	}
	packet->length = packet->headers.end;
	return true;
}

bool packet_parse_quoted(const struct packet *packet, struct headers *inner)
{
	const bool v4 = packet->headers.family == AF_INET;
	const uint32_t at = packet->headers.payload; /* check_icmp() saw room for an IP header */
	uint32_t total;                              /* of the quoted packet, when it was whole */
	enum drop drop;

	*inner = (struct headers){.end = packet->headers.end};
	if (packet->data[at] >> 4 != (v4 ? 4 : 6))
		return false;
	drop = v4 ? parse_ipv4(packet->data, at, inner, &total)
		  : parse_ipv6(packet->data, at, inner, &total);
	if (drop != PARSED || parse_l4_start(packet->data, inner) != PARSED)
		return false;
	if (inner->kind == L4_TCP && inner->end - inner->l4 >= sizeof(struct tcp_header))
		inner->tcp_flags = ((const struct tcp_header *)(packet->data + inner->l4))->flags;
	return true;
}

uint32_t packet_fragment_header(const struct packet *packet)
{
	uint32_t at = sizeof(struct ipv6_header);
	uint8_t next_header = packet_ipv6(packet)->next_header;

	while (next_header != IPPROTO_FRAGMENT) {
		const struct ipv6_extension *extension = (const void *)(packet->data + at);

		next_header = extension->next_header;
		at += (extension->length + 1U) * 8;
	}
	return at;
}

void packet_fragment_position(const struct packet *packet, struct fragment_position *position)
{
	if (packet->headers.family == AF_INET) {
		const uint32_t fragment = ntohs(packet_ipv4(packet)->fragment);

		position->id = ntohs(packet_ipv4(packet)->id);
		position->offset = (uint16_t)((fragment & IPV4_OFFSET_MASK) * 8);
		position->more = fragment & IPV4_MF;
		return;
	}

	const struct ipv6_fragment *fragment =
		(const void *)(packet->data + packet_fragment_header(packet));
	position->id = ntohl(fragment->id);
	position->offset = ntohs(fragment->offset) & 0xfff8;
	position->more = ntohs(fragment->offset) & 1;
}
