/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusal: packets that do not pass.
 */
#include "engine/refusal.h"

bool refusal_silent(struct refusal *refusal, enum drop drop)
{
	*refusal = (struct refusal){.drop = (uint8_t)drop};
	return false;
}

bool refusal_unreachable(struct refusal *refusal, const struct packet *packet, enum drop drop,
	uint8_t code4, uint8_t code6)
{
	const bool v4 = packet->headers.family == AF_INET;

	*refusal = (struct refusal){
		.drop = (uint8_t)drop,
		.answer = ZONE_IS_LINK(packet->in_zone) ? ANSWER_ERROR : ANSWER_NONE,
		.type = v4 ? ICMP4_UNREACHABLE : ICMP6_UNREACHABLE,
		.code = v4 ? code4 : code6,
	};
	return false;
}

bool refusal_prohibited(struct refusal *refusal, const struct packet *packet, enum drop drop)
{
	return refusal_unreachable(
		refusal, packet, drop, ICMP4_ADMIN_PROHIBITED, ICMP6_ADMIN_PROHIBITED);
}

bool refusal_reject(struct refusal *refusal, const struct packet *packet, enum drop drop)
{
	refusal_prohibited(refusal, packet, drop);
	if (packet->headers.kind == L4_TCP && packet->in_zone != ZONE_UPLINK)
		refusal->answer = ANSWER_RESET;
	return false;
}

bool refusal_answer(struct refusal *refusal, const struct packet *packet, enum drop drop,
	enum rule_reject reject, uint16_t path)
{
	/* ICMPv6 has no "protocol unreachable": RFC 4443 3.4 says so with a parameter problem. */
	static const struct {
		uint8_t type, code;
	} errors[][2] = {
		[REJECT_PORT] = {{ICMP4_UNREACHABLE, ICMP4_PORT_UNREACHABLE},
			{ICMP6_UNREACHABLE, ICMP6_PORT_UNREACHABLE}},
		[REJECT_HOST] = {{ICMP4_UNREACHABLE, ICMP4_HOST_UNREACHABLE},
			{ICMP6_UNREACHABLE, ICMP6_ADDR_UNREACHABLE}},
		[REJECT_NET] = {{ICMP4_UNREACHABLE, ICMP4_NET_UNREACHABLE},
			{ICMP6_UNREACHABLE, ICMP6_NO_ROUTE}},
		[REJECT_PROTO] = {{ICMP4_UNREACHABLE, ICMP4_PROTO_UNREACHABLE},
			{ICMP6_PARAMETER, ICMP6_NEXT_HEADER}},
		[REJECT_PROHIBITED] = {{ICMP4_UNREACHABLE, ICMP4_ADMIN_PROHIBITED},
			{ICMP6_UNREACHABLE, ICMP6_ADMIN_PROHIBITED}},
	};
	const bool v6 = packet->headers.family == AF_INET6;

	*refusal = (struct refusal){.drop = (uint8_t)drop, .path = path};
	if (reject == REJECT_TCP_RESET) {
		refusal->answer = ANSWER_RESET;
	} else {
		refusal->answer = ANSWER_ERROR;
		refusal->type = errors[reject][v6].type;
		refusal->code = errors[reject][v6].code;
	}
	return false;
}

static const union addr *answer_source(const struct engine *engine, const struct packet *packet)
{
	const uint16_t network = topology_network_of_zone(&engine->topology, packet->in_zone);

	if (network != NETWORK_NONE)
		return topology_gateway(&engine->topology, network, packet->headers.family);
	return packet->in_zone == ZONE_UPLINK ? &packet->headers.destination : NULL;
}

enum verdict packet_refuse(
	struct engine *engine, struct packet *packet, const struct refusal *refusal)
{
	if (refusal->answer == ANSWER_RESET)
		outbox_tcp_reset(engine->outbox, packet, refusal->path);
	else if (refusal->answer == ANSWER_ERROR) {
		const union addr *source = answer_source(engine, packet);
		if (source != NULL && account_may_tell(engine, packet))
			outbox_icmp_error(engine->outbox, engine->now_ms, packet, source,
				refusal->path, refusal->type, refusal->code, refusal->mtu);
	}
	return packet_drop(engine, packet, (enum drop)refusal->drop);
}
