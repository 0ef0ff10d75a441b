/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account_rate: packets, bytes and ICMP errors per second.
 */
#include "engine/state.h"

#define BURST_RATE_MS   250
#define BURST_ERRORS_MS 1000

/* One guest's packets in one direction (0: from it). */
struct police {
	struct account *account; /* NULL: has no rate */
	const struct guest_limits *limits;
};

static void police_find(const struct engine *engine, const struct flow *flow,
	enum direction direction, struct police *police)
{
	const zone_id zone = flow->zone[direction];

	*police = (struct police){.account = NULL};
	if (zone >= ENGINE_LINKS_MAX ||
		!engine->accounts->polices[engine->topology.links[zone].link.network])
		return;
	police->limits = account_limits(engine, zone);
	police->account = account_find(
		engine, zone, flow_family(flow, direction), &flow->address[direction][SOURCE]);
}

static bool police_has(const struct engine *engine, const struct police *police, unsigned way,
	uint32_t packets, uint32_t bytes)
{
	const struct guest_limits *limits = police->limits;
	const struct account *account = police->account;

	if (account == NULL)
		return true;
	return (limits->packets_per_second == 0 ||
		       bucket_has(account->packets[way], engine->now_ms, limits->packets_per_second,
			       BURST_RATE_MS, packets)) &&
	       (limits->bytes_per_second == 0 ||
		       bucket_has(account->bytes[way], engine->now_ms, limits->bytes_per_second,
			       BURST_RATE_MS, bytes));
}

static void police_pay(const struct engine *engine, const struct police *police, unsigned way,
	uint32_t packets, uint32_t bytes)
{
	const struct guest_limits *limits = police->limits;
	struct account *account = police->account;

	if (account == NULL)
		return;
	if (limits->packets_per_second != 0)
		bucket_pay(&account->packets[way], engine->now_ms, limits->packets_per_second,
			packets);
	if (limits->bytes_per_second != 0)
		bucket_pay(&account->bytes[way], engine->now_ms, limits->bytes_per_second, bytes);
}

bool account_police(struct engine *engine, const struct flow *flow, enum direction direction,
	uint32_t packets, uint32_t bytes)
{
	struct police side[2];

	for (unsigned way = 0; way < 2; way++) {
		police_find(engine, flow, way == 0 ? direction : direction_opposite(direction),
			&side[way]);
		if (police_has(engine, &side[way], way, packets, bytes))
			continue;
		side[way].account->refused[GUEST_REFUSED_RATE] += packets;
		return false;
	}
	for (unsigned way = 0; way < 2; way++)
		police_pay(engine, &side[way], way, packets, bytes);
	return true;
}

bool account_may_tell(struct engine *engine, const struct packet *packet)
{
	if (packet->in_zone >= ENGINE_LINKS_MAX)
		return true;
	struct account *account = account_find(
		engine, packet->in_zone, packet->headers.family, &packet->headers.source);
	const uint32_t rate = account_limits(engine, packet->in_zone)->icmp_errors_per_second;
	if (!bucket_has(account->errors, engine->now_ms, rate, BURST_ERRORS_MS, 1)) {
		account->refused[GUEST_REFUSED_ICMP_ERRORS]++;
		return false;
	}
	bucket_pay(&account->errors, engine->now_ms, rate, 1);
	return true;
}
