/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account_rate: packets, bytes and ICMP errors per second.
 */
#include "engine/state.h"

#define BURST_RATE_MS   250
#define BURST_ERRORS_MS 1000

/* One guest's packets in one direction (0: from it), and its network's. */
struct police {
	struct account *account; /* NULL: neither has a rate */
	struct network_account *network;
	const struct guest_limits *limits;
};

static bool rates_have(const struct engine *engine, bucket_time packets_until,
	bucket_time bytes_until, uint32_t packet_rate, uint32_t byte_rate, uint32_t packets,
	uint32_t bytes)
{
	return (packet_rate == 0 || bucket_has(packets_until, engine->now_ms, packet_rate,
					    BURST_RATE_MS, packets)) &&
	       (byte_rate == 0 ||
		       bucket_has(bytes_until, engine->now_ms, byte_rate, BURST_RATE_MS, bytes));
}

static void rate_pay(
	const struct engine *engine, bucket_time *until, uint32_t rate, uint32_t amount)
{
	if (rate != 0)
		bucket_pay(until, engine->now_ms, rate, amount);
}

static void police_find(const struct engine *engine, const struct flow *flow,
	enum direction direction, struct police *police)
{
	const zone_id zone = flow->zone[direction];

	*police = (struct police){.account = NULL};
	if (zone >= ENGINE_LINKS_MAX ||
		!engine->accounts->polices[engine->topology.links[zone].link.network])
		return;
	police->limits = account_limits(engine, zone);
	police->network = network_account(engine, zone);
	police->account = account_find(
		engine, zone, flow_family(flow, direction), &flow->address[direction][SOURCE]);
}

static bool police_has(const struct engine *engine, const struct police *police, unsigned way,
	uint32_t packets, uint32_t bytes)
{
	const struct guest_limits *limits = police->limits;
	const struct account *account = police->account;
	const struct network_account *network = police->network;

	if (account == NULL)
		return true;
	return rates_have(engine, account->packets[way], account->bytes[way],
		       limits->packets_per_second, limits->bytes_per_second, packets, bytes) &&
	       rates_have(engine, network->packets[way], network->bytes[way],
		       network->limits.packets_per_second, network->limits.bytes_per_second,
		       packets, bytes);
}

static void police_pay(const struct engine *engine, const struct police *police, unsigned way,
	uint32_t packets, uint32_t bytes)
{
	const struct guest_limits *limits = police->limits;
	struct account *account = police->account;
	struct network_account *network = police->network;

	if (account == NULL)
		return;
	rate_pay(engine, &account->packets[way], limits->packets_per_second, packets);
	rate_pay(engine, &account->bytes[way], limits->bytes_per_second, bytes);
	rate_pay(engine, &network->packets[way], network->limits.packets_per_second, packets);
	rate_pay(engine, &network->bytes[way], network->limits.bytes_per_second, bytes);
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
		side[way].network->refused[GUEST_REFUSED_RATE] += packets;
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
