/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * egress: hop limit, MTU, MSS, identification, counters.
 *
 * An IPv4 packet that may be fragmented and is too large for where it goes leaves in pieces: the
 * first in its own buffer, the others behind it through engine_next_output().  So does an IPv6
 * packet that was IPv4 (NAT64).
 */
#include <netinet/in.h>
#include "engine/egress.h"
#include "engine/nat64.h"
#include "wire/fragment.h"
#include "wire/gso.h"
#include "wire/translate.h"

/* Smallest MTU that we announce or clamp to (RFC 791: 68; what real paths have: 576; RFC 8200:
 * 1280). */
#define MTU_MIN4 576
#define MTU_MIN6 1280

bool egress_ttl(const struct packet *packet, const struct flow *flow, enum direction direction,
	struct refusal *refusal)
{
	if (packet->headers.ttl > 1 || ZONE_IS_SERVICE(flow->zone[!direction]) ||
		ZONE_IS_SERVICE(flow->zone[direction]))
		return true;
	*refusal = (struct refusal){
		.drop = DROP_TTL,
		.answer = ANSWER_ERROR,
		.type = packet->headers.family == AF_INET ? ICMP4_TIME_EXCEEDED
							  : ICMP6_TIME_EXCEEDED,
		.path = flow->path,
	};
	return false;
}

uint32_t egress_mtu(const struct engine *engine, const struct flow *flow, zone_id zone)
{
	if (zone == ZONE_UPLINK)
		return engine->path_mtu[flow->path];
	return ZONE_IS_LINK(zone) ? engine->topology.links[zone].link.mtu : 0;
}

/* Bytes by which the packet grows between here and the wire. */
static int32_t growth(const struct packet *packet, const struct flow *flow)
{
	return __builtin_expect(nat64_is(flow), false) ? packet_translated_growth(packet) : 0;
}

/* May it leave in pieces?  What comes out of IPv6 may, if it was small or in pieces before. */
/* TCP does not mind how its octets are cut; where nobody asks for errors (DF is clear), smaller
 * segments do what fragments would. */
static bool segments_may_shrink(const struct packet *packet)
{
	return (packet->offload.gso_type & ~OFFLOAD_GSO_ECN) == OFFLOAD_GSO_TCPV4 &&
	       packet->headers.may_fragment;
}

static bool may_be_cut(const struct packet *packet, const struct flow *flow)
{
	if (packet->offload.gso_type != OFFLOAD_GSO_NONE)
		return false;
	return packet->headers.may_fragment ||
	       (nat64_is(flow) && packet_translates_to_plain(packet));
}

/* ... and is there room for them? */
static bool pieces_have_room(const struct engine *engine, const struct packet *packet,
	const struct flow *flow, uint32_t mtu)
{
	const struct headers *headers = &packet->headers;
	uint32_t header_bytes = (uint32_t)(headers->l4 + growth(packet, flow));

	if (nat64_is(flow) && headers->family == AF_INET)
		header_bytes = sizeof(struct ipv6_header) + sizeof(struct ipv6_fragment);
	const uint32_t count = fragment_pieces(header_bytes, headers->end - headers->l4, mtu);
	return count > 0 && fragment_ready_has_room(engine, count, mtu);
}

/* The MTU that the packet's sender is told. */
static uint32_t told_mtu(const struct packet *packet, const struct flow *flow, uint32_t mtu)
{
	if (!nat64_is(flow))
		return mtu;
	if (packet->headers.family == AF_INET)
		return mtu - TRANSLATE_WHOLE;
	return mtu + TRANSLATE_WHOLE < MTU_MIN6 ? MTU_MIN6 : mtu + TRANSLATE_WHOLE;
}

/* Does it fit where it goes, segment by segment? */
static bool egress_size(const struct engine *engine, const struct packet *packet,
	const struct flow *flow, enum direction direction, struct refusal *refusal)
{
	const uint32_t mtu = egress_mtu(engine, flow, flow->zone[!direction]);
	const struct offload *offload = &packet->offload;
	const uint32_t now = offload->gso_type == OFFLOAD_GSO_NONE
				     ? packet->length
				     : (uint32_t)packet->headers.payload + offload->gso_size;
	const uint32_t size = (uint32_t)((int32_t)now + growth(packet, flow));

	if (size <= mtu || mtu == 0)
		return true;
	if (may_be_cut(packet, flow) && pieces_have_room(engine, packet, flow, mtu))
		return true;
	if (segments_may_shrink(packet) && !nat64_is(flow))
		return true;
	const bool v4 = packet->headers.family == AF_INET;
	*refusal = (struct refusal){
		.drop = DROP_TOO_BIG,
		.answer = v4 && packet->headers.may_fragment ? ANSWER_NONE : ANSWER_ERROR,
		.type = v4 ? ICMP4_UNREACHABLE : ICMP6_TOO_BIG,
		.code = v4 ? ICMP4_FRAGMENT_NEEDED : 0,
		.path = flow->path,
		.mtu = told_mtu(packet, flow, mtu),
	};
	return false;
}

/* Is there such a packet where it goes? */
static bool egress_family(
	const struct packet *packet, const struct flow *flow, struct refusal *refusal)
{
	enum drop drop;

	return !nat64_is(flow) || packet_may_translate(packet, &drop) ||
	       refusal_silent(refusal, drop);
}

bool egress_may_leave(const struct engine *engine, const struct packet *packet,
	const struct flow *flow, enum direction direction, struct refusal *refusal)
{
	return egress_ttl(packet, flow, direction, refusal) &&
	       egress_family(packet, flow, refusal) &&
	       egress_size(engine, packet, flow, direction, refusal);
}

/* The largest segment that one side carries; 0: no limit known. */
static uint32_t side_mss(const struct engine *engine, const struct flow *flow, enum direction side)
{
	const bool v4 = flow_family(flow, side) == AF_INET;
	const uint32_t least = v4 ? MTU_MIN4 : MTU_MIN6, headers = v4 ? 40 : 60;
	uint32_t mtu = egress_mtu(engine, flow, flow->zone[side]);

	if (mtu == 0)
		return 0;
	if (mtu < least)
		mtu = least;
	return (mtu > UINT16_MAX ? UINT16_MAX : mtu) - headers;
}

void egress_clamp_mss(struct engine *engine, struct packet *packet, const struct flow *flow)
{
	uint32_t mss = side_mss(engine, flow, ORIGINAL);
	const uint32_t other = side_mss(engine, flow, REPLY);

	if (mss == 0 || (other != 0 && other < mss))
		mss = other;
	if (mss != 0)
		packet_clamp_mss(packet, (uint16_t)mss);
}

static void count(struct counter *counter, const struct packet *packet, uint32_t segments)
{
	counter->packets += segments;
	counter->bytes += packet->length;
}

void egress_count_in(struct engine *engine, const struct packet *packet, uint32_t segments)
{
	const zone_id zone = packet->in_zone;

	count(&engine->status.in[zone == ZONE_UPLINK], packet, segments);
	if (zone < ENGINE_LINKS_MAX)
		count(&engine->status.link[zone].in, packet, segments);
}

/* Does somebody else appear as the packet's source? */
static bool source_changes(const struct flow *flow, enum direction direction)
{
	return !addr_equal(
		&flow->address[direction][SOURCE], &flow->address[!direction][DESTINATION]);
}

static void count_out(struct engine *engine, const struct packet *packet, uint32_t segments)
{
	const zone_id out = packet->out_zone;

	count(&engine->status.out[out == ZONE_UPLINK], packet, segments);
	if (out < ENGINE_LINKS_MAX)
		count(&engine->status.link[out].out, packet, segments);
}

/* Build all pieces but the first, which the packet becomes. */
static void cut(struct engine *engine, struct packet *packet, uint32_t mtu)
{
	const uint32_t count = fragment_count(packet, mtu);
	uint8_t data[PACKET_BYTES_MAX];
	struct packet piece = {.data = data, .capacity = sizeof(data)};

	if (count < 2 || !fragment_ready_has_room(engine, count, mtu))
		return;
	for (uint32_t i = 1; i < count; i++) {
		fragment_piece(packet, i, mtu, &piece);
		piece.out_zone = packet->out_zone;
		piece.path = packet->path;
		fragment_ready_push(engine, &piece);
		count_out(engine, &piece, 1);
	}
	fragment_truncate(packet, mtu);
}

/* What is, or may become, one of several fragments: another identification where guests' own
 * could meet, and pieces where it is too large. */
static __attribute__((noinline)) void send_in_parts(struct engine *engine, struct packet *packet,
	const struct flow *flow, enum direction direction)
{
	const uint32_t mtu = egress_mtu(engine, flow, packet->out_zone);
	const bool large = mtu != 0 && packet->length > mtu && packet->headers.may_fragment &&
			   packet->offload.gso_type == OFFLOAD_GSO_NONE;
	const bool has_id = packet->headers.family == AF_INET || packet_is_fragment(packet);

	if (large)
		gso_complete_checksum(packet);
	if (mtu != 0 && segments_may_shrink(packet) &&
		packet->headers.payload + packet->offload.gso_size > mtu)
		packet->offload.gso_size = (uint16_t)(mtu - packet->headers.payload);
	if (has_id && source_changes(flow, direction))
		fragment_id_set(packet, fragment_id(engine, packet));
	if (large && !has_id)
		fragment_wrap(packet, fragment_id(engine, packet));
	if (large)
		cut(engine, packet, mtu);
}

enum verdict egress_send(struct engine *engine, struct packet *packet, const struct flow *flow,
	enum direction direction, uint32_t segments)
{
	const zone_id out = flow->zone[!direction];

	packet->out_zone = out;
	packet->path = flow->path;
	if (ZONE_IS_SERVICE(out)) {
		packet->network = out & 0x7fff;
		return VERDICT_LOCAL;
	}
	if (!ZONE_IS_SERVICE(flow->zone[direction]))
		packet_decrement_ttl(packet);
	if (__builtin_expect(packet->headers.may_fragment || packet_is_fragment(packet), false))
		send_in_parts(engine, packet, flow, direction);
	count_out(engine, packet, segments);
	return VERDICT_SEND;
}
