/* SPDX-License-Identifier: BSD-2-Clause */
/* build: whole packets, from the IP header down, with complete checksums. */
#include "wire/build.h"

#include <arpa/inet.h>
#include <string.h>
#include "base/cksum.h"
#include "wire/gso.h"

#define DEFAULT_TTL 64
#define TOS_CONTROL 0xc0 /* internetwork control: ICMP errors, RFC 1812 4.3.2.5 */

/* Fields of the IP header that this file ever varies. */
struct ip_fields {
	uint8_t family;
	uint8_t protocol;
	uint8_t tos;
	uint8_t ttl;
	const union addr *source;
	const union addr *destination;
};

static uint32_t ip_header_bytes(uint8_t family)
{
	return family == AF_INET ? sizeof(struct ipv4_header) : sizeof(struct ipv6_header);
}

/* Start a plain packet of `l4_bytes` behind its IP header; returns where L4 begins, or NULL where
 * the buffer or a 16-bit length is too small for it. */
static void *start_packet(struct packet *out, const struct ip_fields *fields, uint32_t l4_bytes)
{
	const uint32_t ip_bytes = ip_header_bytes(fields->family);
	const uint32_t counted = fields->family == AF_INET ? ip_bytes + l4_bytes : l4_bytes;

	if (counted > UINT16_MAX || ip_bytes + l4_bytes > out->capacity)
		return NULL;
	out->length = ip_bytes + l4_bytes;
	out->offload = (struct offload){0};
	out->parsed = false;
	memset(out->data, 0, ip_bytes);
	if (fields->family == AF_INET) {
		struct ipv4_header *ip = packet_ipv4(out);

		/* Never fragmented, so the id may be anything (RFC 6864, 4.1). */
		ip->version_length = 0x45;
		ip->tos = fields->tos;
		ip->total_length = htons((uint16_t)counted);
		ip->fragment = htons(IPV4_DF);
		ip->ttl = fields->ttl;
		ip->protocol = fields->protocol;
		ip->source = fields->source->v4;
		ip->destination = fields->destination->v4;
		ip->checksum = (be16)~cksum_fold(cksum_ipv4_header(ip, ip_bytes));
	} else {
		struct ipv6_header *ip = packet_ipv6(out);

		ip->version_class_flow = htonl(6U << 28);
		ip->payload_length = htons((uint16_t)counted);
		ip->next_header = fields->protocol;
		ip->hop_limit = fields->ttl;
		memcpy(ip->source, fields->source, sizeof(ip->source));
		memcpy(ip->destination, fields->destination, sizeof(ip->destination));
	}
	return out->data + ip_bytes;
}

/* The sum that the L4 checksum starts from. */
static uint64_t pseudo_sum(const struct ip_fields *fields, uint32_t l4_bytes)
{
	if (fields->protocol == IPPROTO_ICMP)
		return 0;
	return cksum_pseudo(
		fields->family, fields->source, fields->destination, fields->protocol, l4_bytes);
}

/* ---- answers ---- */

static bool may_answer(const struct headers *about)
{
	static const union addr broadcast = {.v4 = 0xffffffff};

	if (about->kind == L4_ICMP_ERROR || about->kind == L4_ICMP_OTHER ||
		about->kind == L4_FRAGMENT)
		return false;
	if (addr_is_martian(about->family, &about->source) ||
		addr_is_multicast(about->family, &about->destination) ||
		addr_is_zero(&about->destination))
		return false;
	return about->family == AF_INET6 || !addr_equal(&about->destination, &broadcast);
}

/* Copy the start of `about` as a quote.  A partial sum is completed over the whole of it. */
static void quote_packet(uint8_t *quote, uint32_t bytes, const struct packet *about)
{
	const uint32_t field = (uint32_t)about->offload.csum_start + about->offload.csum_offset;
	be16 checksum;

	memcpy(quote, about->data, bytes);
	if (!(about->offload.flags & OFFLOAD_NEEDS_CSUM) || field + sizeof(checksum) > bytes)
		return;
	checksum = gso_checksum(about);
	memcpy(quote + field, &checksum, sizeof(checksum));
}

/* Where the field is that names the L4 protocol: RFC 4443, 3.4. */
static uint32_t next_header_offset(const struct packet *packet)
{
	uint32_t field = offsetof(struct ipv6_header, next_header);
	uint32_t header = sizeof(struct ipv6_header);

	while (header < packet->headers.l4) {
		field = header;
		header += 8 * (1 + (uint32_t)packet->data[header + 1]);
	}
	return field;
}

static uint32_t error_rest(const struct packet *about, uint8_t type, uint8_t code, uint32_t mtu)
{
	if (about->headers.family == AF_INET6 && type == ICMP6_PARAMETER)
		return htonl(next_header_offset(about));
	if (about->headers.family == AF_INET6)
		return type == ICMP6_TOO_BIG ? htonl(mtu) : 0;
	if (type == ICMP4_UNREACHABLE && code == ICMP4_FRAGMENT_NEEDED)
		return htonl(mtu > UINT16_MAX ? UINT16_MAX : mtu);
	return 0;
}

bool build_icmp_error(struct packet *out, const struct packet *about, const union addr *source,
	uint8_t type, uint8_t code, uint32_t mtu)
{
	const struct headers *headers = &about->headers;
	const bool v4 = headers->family == AF_INET;
	const struct ip_fields fields = {
		.family = headers->family,
		.protocol = v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6,
		.tos = TOS_CONTROL,
		.ttl = DEFAULT_TTL,
		.source = source,
		.destination = &headers->source,
	};
	const uint32_t room = (v4 ? BUILD_ERROR4_BYTES_MAX : BUILD_ERROR_BYTES_MAX) -
			      ip_header_bytes(fields.family) - (uint32_t)sizeof(struct icmp_header);
	const uint32_t quote = headers->end < room ? headers->end : room;
	const uint32_t l4_bytes = (uint32_t)sizeof(struct icmp_header) + quote;

	if (!may_answer(headers))
		return false;
	struct icmp_header *icmp = start_packet(out, &fields, l4_bytes);
	if (!icmp)
		return false;
	*icmp = (struct icmp_header){.type = type, .code = code};
	icmp->rest = error_rest(about, type, code, mtu);
	quote_packet((uint8_t *)(icmp + 1), quote, about);
	icmp->checksum =
		(be16)~cksum_fold(cksum_add(icmp, l4_bytes, pseudo_sum(&fields, l4_bytes)));
	return true;
}

bool build_tcp_reset(struct packet *out, const struct packet *about)
{
	const struct headers *headers = &about->headers;
	const struct tcp_header *segment = packet_l4(about);
	struct build reset = {
		.family = headers->family,
		.protocol = IPPROTO_TCP,
		.source = headers->destination,
		.destination = headers->source,
		.source_port = ntohs(headers->destination_port),
		.destination_port = ntohs(headers->source_port),
		.tcp_flags = TCP_RST,
		.scale = -1,
	};

	if (headers->kind != L4_TCP || (segment->flags & TCP_RST))
		return false;
	if (segment->flags & TCP_ACK) {
		reset.sequence = ntohl(segment->acknowledgment);
	} else {
		/* What was parsed and has neither ACK nor RST is a SYN, which counts as one. */
		reset.tcp_flags |= TCP_ACK;
		reset.acknowledgment = ntohl(segment->sequence) + packet_payload_bytes(about) + 1;
	}
	return build_packet(out, &reset) > 0;
}

/* ---- any packet ---- */

#define TCP_OPTIONS_MAX 12

/* Write the options that are asked for, each padded to four bytes; returns how many bytes. */
static uint32_t write_tcp_options(uint8_t *option, const struct build *build)
{
	uint8_t *start = option;

	if (build->mss) {
		const uint8_t mss[] = {
			TCP_OPTION_MSS, 4, (uint8_t)(build->mss >> 8), (uint8_t)build->mss};
		option = mempcpy(option, mss, sizeof(mss));
	}
	if (build->sack_permitted) {
		const uint8_t sack[] = {
			TCP_OPTION_NOP, TCP_OPTION_NOP, TCP_OPTION_SACK_PERMITTED, 2};
		option = mempcpy(option, sack, sizeof(sack));
	}
	if (build->scale >= 0) {
		const uint8_t scale[] = {
			TCP_OPTION_NOP, TCP_OPTION_WINDOW_SCALE, 3, (uint8_t)build->scale};
		option = mempcpy(option, scale, sizeof(scale));
	}
	return (uint32_t)(option - start);
}

/* An L4 header, checksum 0; at most 20 bytes and TCP_OPTIONS_MAX.  Returns its length. */
static uint32_t make_l4_header(uint8_t *header, const struct build *build)
{
	switch (build->protocol) {
	case IPPROTO_TCP: {
		struct tcp_header *tcp = (void *)header;
		const uint32_t bytes =
			(uint32_t)sizeof(*tcp) + write_tcp_options(header + sizeof(*tcp), build);

		*tcp = (struct tcp_header){
			.source_port = htons(build->source_port),
			.destination_port = htons(build->destination_port),
			.sequence = htonl(build->sequence),
			.acknowledgment = htonl(build->acknowledgment),
			.offset = (uint8_t)(bytes / 4 << 4),
			.flags = build->tcp_flags,
			.window = htons(build->window),
		};
		return bytes;
	}
	case IPPROTO_UDP: {
		struct udp_header *udp = (void *)header;

		*udp = (struct udp_header){
			.source_port = htons(build->source_port),
			.destination_port = htons(build->destination_port),
			.length = htons((uint16_t)(sizeof(*udp) + build->payload_bytes)),
		};
		return sizeof(*udp);
	}
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6: {
		struct icmp_header *icmp = (void *)header;

		*icmp = (struct icmp_header){.type = build->icmp_type, .code = build->icmp_code};
		if (icmp_kind(build->family, build->icmp_type) == L4_ICMP_QUERY) {
			icmp->query.id = htons(build->source_port);
			icmp->query.sequence = htons(build->destination_port);
		} else {
			icmp->rest = htonl(build->icmp_rest);
		}
		return sizeof(*icmp);
	}
	default:
		return 0;
	}
}

static uint8_t gso_type(const struct build *build)
{
	if (build->protocol == IPPROTO_UDP)
		return OFFLOAD_GSO_UDP_L4;
	return build->family == AF_INET ? OFFLOAD_GSO_TCPV4 : OFFLOAD_GSO_TCPV6;
}

/* Leave the checksum, and with gso_size the cutting, to somebody behind us. */
static void set_offload(
	struct packet *out, const struct build *build, uint32_t l4, uint32_t header_bytes)
{
	out->offload = (struct offload){
		.flags = OFFLOAD_NEEDS_CSUM,
		.csum_start = (uint16_t)l4,
		.csum_offset = l4_checksum_offset(build->protocol),
	};
	if (build->gso_size == 0)
		return;
	out->offload.gso_type = gso_type(build);
	out->offload.gso_size = build->gso_size;
	out->offload.header_size = (uint16_t)(l4 + header_bytes);
}

uint32_t build_packet(struct packet *out, const struct build *build)
{
	uint8_t header[sizeof(struct tcp_header) + TCP_OPTIONS_MAX];
	const uint32_t header_bytes = make_l4_header(header, build);
	const uint32_t l4_bytes = header_bytes + build->payload_bytes;
	const uint16_t field = l4_checksum_offset(build->protocol);
	const struct ip_fields fields = {
		.family = build->family,
		.protocol = build->protocol,
		.ttl = build->ttl ? build->ttl : DEFAULT_TTL,
		.source = &build->source,
		.destination = &build->destination,
	};

	uint8_t *l4 = start_packet(out, &fields, l4_bytes);
	if (!l4)
		return 0;
	memcpy(l4, header, header_bytes);
	if (build->payload)
		memcpy(l4 + header_bytes, build->payload, build->payload_bytes);
	else
		memset(l4 + header_bytes, 0, build->payload_bytes);
	if (field == 0)
		return out->length;

	be16 checksum = cksum_fold(pseudo_sum(&fields, l4_bytes));
	memcpy(l4 + field, &checksum, sizeof(checksum));
	set_offload(out, build, (uint32_t)(l4 - out->data), header_bytes);
	if (!build->partial_checksum)
		gso_complete_checksum(out);
	return out->length;
}
