/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * egress: hop limit, MTU, MSS, identification, counters.
 *
 * An IPv4 packet that may be fragmented and is too large for where it goes leaves in pieces: the
 * first in its own buffer, the others behind it through engine_next_output().
 */
#include <netinet/in.h>
#include "engine/egress.h"
#include "wire/fragment.h"
#include "wire/gso.h"

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

/* Can it leave in pieces? */
static bool pieces_have_room(const struct engine *engine, const struct packet *packet, uint32_t mtu)
{
	const uint32_t count = fragment_count(packet, mtu);

	return count > 0 && fragment_ready_has_room(engine, count, mtu);
}

/* Does it fit where it goes, segment by segment? */
static bool egress_size(const struct engine *engine, const struct packet *packet,
	const struct flow *flow, enum direction direction, struct refusal *refusal)
{
	const uint32_t mtu = egress_mtu(engine, flow, flow->zone[!direction]);
	const struct offload *offload = &packet->offload;
	const uint32_t size = offload->gso_type == OFFLOAD_GSO_NONE
				      ? packet->length
				      : (uint32_t)packet->headers.payload + offload->gso_size;

	if (size <= mtu || mtu == 0)
		return true;
	if (packet->headers.may_fragment && offload->gso_type == OFFLOAD_GSO_NONE &&
		pieces_have_room(engine, packet, mtu))
		return true;
	const bool v4 = packet->headers.family == AF_INET;
	*refusal = (struct refusal){
		.drop = DROP_TOO_BIG,
		.answer = v4 && packet->headers.may_fragment ? ANSWER_NONE : ANSWER_ERROR,
		.type = v4 ? ICMP4_UNREACHABLE : ICMP6_TOO_BIG,
		.code = v4 ? ICMP4_FRAGMENT_NEEDED : 0,
		.path = flow->path,
		.mtu = mtu,
	};
	return false;
}

bool egress_may_leave(const struct engine *engine, const struct packet *packet,
	const struct flow *flow, enum direction direction, struct refusal *refusal)
{
	return egress_ttl(packet, flow, direction, refusal) &&
	       egress_size(engine, packet, flow, direction, refusal);
}

void egress_clamp_mss(struct engine *engine, struct packet *packet, const struct flow *flow,
	enum direction direction)
{
	const bool v4 = flow->family == AF_INET;
	const uint32_t least = v4 ? MTU_MIN4 : MTU_MIN6, headers = v4 ? 40 : 60;
	uint32_t mtu = egress_mtu(engine, flow, flow->zone[!direction]);
	const uint32_t other = egress_mtu(engine, flow, flow->zone[direction]);

	if (mtu == 0 || (other != 0 && other < mtu))
		mtu = other;
	if (mtu == 0)
		return;
	if (mtu < least)
		mtu = least;
	packet_clamp_mss(packet, (uint16_t)((mtu > UINT16_MAX ? UINT16_MAX : mtu) - headers));
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
	gso_complete_checksum(packet);
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

	if (source_changes(flow, direction))
		fragment_id_set(packet, fragment_id(engine, packet));
	if (mtu != 0 && packet->length > mtu && packet->headers.may_fragment &&
		packet->offload.gso_type == OFFLOAD_GSO_NONE)
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
