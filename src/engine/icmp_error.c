/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp_error: find the flow that the quoted packet belongs to, and carry the error to who sent it.
 *
 * A quoted packet was sent in one direction of a flow and had been translated when it met the
 * trouble; so as it stands, reversed, it is the key of the other direction, which is also the
 * direction in which the error travels.  It is let through only if a packet of that flow can
 * have caused it: the outer destination is the quoted source, and a quoted TCP sequence number has
 * been sent (RFC 5927).  An error neither refreshes a flow nor ends it (RFC 5508 REQ-6, RFC 5382
 * REQ-10).
 */
#include <netinet/in.h>
#include "engine/admit.h"
#include "engine/egress.h"
#include "engine/helper.h"
#include "engine/icmp_error.h"
#include "engine/inspect.h"
#include "engine/nat64.h"

static struct flow *find_quoted(const struct engine *engine, const struct packet *packet,
	struct headers *inner, enum direction *direction)
{
	struct flow_key key = {
		.source = inner->destination,
		.destination = inner->source,
		.source_port = inner->destination_port,
		.destination_port = inner->source_port,
		.zone = packet->in_zone,
		.family = inner->family,
		.protocol = inner->protocol,
	};

	/* About an error there is none (RFC 1122, 3.2.2), though it may look like an echo of id 0.
	 */
	if (inner->kind == L4_ICMP_ERROR || inner->kind == L4_ICMP_OTHER)
		return NULL;
	struct flow *flow = flow_find(engine, &key, flow_hash(engine, &key), direction);
	if (flow != NULL || inner->kind != L4_GRE_CALL)
		return flow;
	/* A call that nobody knows (engine/gre.h). */
	inner->kind = L4_OTHER;
	inner->source_port = inner->destination_port = 0;
	key.source_port = key.destination_port = 0;
	return flow_find(engine, &key, flow_hash(engine, &key), direction);
}

static bool sequence_is_plausible(const struct flow *flow, enum direction quoted,
	const struct packet *packet, const struct headers *inner)
{
	if (inner->kind != L4_TCP)
		return true;
	const struct tcp_header *tcp = (const void *)(packet->data + inner->l4);
	return track_tcp_quoted(&flow->tcp, quoted, ntohl(tcp->sequence));
}

/* Give the quoted packet back the addresses and ports that its sender knows, and the error the
 * sender's address.  A source that the flow translates is translated for routers behind it as well.
 */
static void translate(struct packet *packet, struct headers *inner, const struct flow *flow,
	enum direction direction)
{
	const enum direction quoted = direction_opposite(direction);
	struct rewrite rewrite = {
		.source = &flow->address[quoted][SOURCE],
		.destination = &flow->address[quoted][DESTINATION],
		.source_port = flow->port[quoted][SOURCE],
		.destination_port = flow->port[quoted][DESTINATION],
	};
	const bool source_changes =
		!addr_equal(&flow->address[direction][SOURCE], &flow->address[quoted][DESTINATION]);
	const union addr source =
		source_changes ? flow->address[quoted][DESTINATION] : packet->headers.source;

	rewrite_prepare(&rewrite, inner->family, &inner->source, &inner->destination,
		inner->source_port, inner->destination_port);
	packet_rewrite_quoted(packet, inner, &rewrite);
	packet_rewrite_addresses(packet, &source, &flow->address[quoted][SOURCE]);
	packet_icmp_checksum(packet);
}

/* "Too big" for a link that no IP runs over (RFC 791; RFC 8201, 4).  In IPv4 0 is an old router
 * that does not say (RFC 1191, 5). */
static bool mtu_is_absurd(const struct packet *packet)
{
	const struct headers *headers = &packet->headers;
	const struct icmp_header *icmp = packet_l4(packet);
	const uint32_t mtu = ntohl(icmp->rest);

	if (headers->family == AF_INET6)
		return headers->icmp_type == ICMP6_TOO_BIG && mtu < 1280;
	return headers->icmp_type == ICMP4_UNREACHABLE &&
	       headers->icmp_code == ICMP4_FRAGMENT_NEEDED && (mtu & 0xffff) != 0 &&
	       (mtu & 0xffff) < 68;
}

enum verdict icmp_error_input(struct engine *engine, struct packet *packet, bool output)
{
	struct headers inner;
	struct refusal refusal;
	enum direction direction;

	if (!packet_parse_quoted(packet, &inner))
		return packet_drop(engine, packet, DROP_BAD_HEADER);
	if (!output && !admit_source(engine, packet, &refusal))
		return packet_refuse(engine, packet, &refusal);
	struct flow *flow = find_quoted(engine, packet, &inner, &direction);
	if (flow == NULL)
		return packet_drop(engine, packet, DROP_NO_FLOW);
	if (flow->flags & FLOW_ADJUSTED)
		helper_adjust_quoted(engine, flow, direction_opposite(direction), packet, &inner);
	if (!addr_equal(&packet->headers.destination, &inner.source) ||
		!sequence_is_plausible(flow, direction_opposite(direction), packet, &inner))
		return packet_drop(engine, packet, DROP_INVALID);
	if (mtu_is_absurd(packet))
		return packet_drop(engine, packet, DROP_INVALID);
	if (engine->polices && !account_police(engine, flow, direction, 1, packet->length))
		return packet_drop(engine, packet, DROP_RATE);
	if (!egress_ttl(packet, flow, direction, &refusal))
		return packet_refuse(engine, packet, &refusal);
	if (!inspect_related(engine, packet, flow, direction))
		return VERDICT_DROP;
	if (!nat64_is(flow))
		translate(packet, &inner, flow, direction);
	else if (!nat64_translate_error(engine, packet, &inner, flow, direction))
		return packet_drop(engine, packet, packet->drop);
	return egress_send(engine, packet, flow, direction, 1);
}
