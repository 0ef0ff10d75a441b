/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account_info: what guests may have, and what they have.
 */
#include "engine/state.h"

/* ---- limits ---- */

static uint32_t first_set(uint32_t first, uint32_t second)
{
	return first != 0 ? first : second;
}

/* A network's limits, those of all guests, and shares where both leave it open: one guest's flows
 * of both sides take three quarters of the table at most. */
static void limits_resolve(
	const struct engine *engine, const struct network *network, struct guest_limits *resolved)
{
	const struct guest_limits *own = &network->guest;
	const struct guest_limits *all = &engine->accounts->limits.guest;

	*resolved = (struct guest_limits){
		.flows = first_set(first_set(own->flows, all->flows), engine->flows_max * 3 / 8),
		.half_open = first_set(own->half_open, all->half_open),
		.new_flows_per_second =
			first_set(own->new_flows_per_second, all->new_flows_per_second),
		.ports = first_set(first_set(own->ports, all->ports),
			(port_list_size(&network->ports) * 3 + 3) / 4),
		.packets_per_second = first_set(own->packets_per_second, all->packets_per_second),
		.bytes_per_second = first_set(own->bytes_per_second, all->bytes_per_second),
		.fragments = first_set(first_set(own->fragments, all->fragments),
			engine->accounts->limits.fragments / 4),
		.expectations = first_set(own->expectations, all->expectations),
		.icmp_errors_per_second =
			first_set(own->icmp_errors_per_second, all->icmp_errors_per_second),
	};
	resolved->flows = first_set(resolved->flows, 1);
	resolved->fragments = first_set(resolved->fragments, 1);
	resolved->half_open = first_set(first_set(resolved->half_open, resolved->flows / 4), 1);
}

void accounts_limits_set(struct engine *engine)
{
	struct accounts *accounts = engine->accounts;
	const struct topology *topology = &engine->topology;

	network_limits_set(engine);
	engine->polices = false;
	for (unsigned n = 0; n < topology->network_count; n++) {
		struct guest_limits *limits = &accounts->of_network[n];
		limits_resolve(engine, &topology->networks[n], limits);
		accounts->polices[n] = limits->packets_per_second != 0 ||
				       limits->bytes_per_second != 0 ||
				       topology->networks[n].limits.packets_per_second != 0 ||
				       topology->networks[n].limits.bytes_per_second != 0;
		engine->polices |= accounts->polices[n];
	}
}

void engine_limits_set(struct engine *engine, const struct limits_config *limits)
{
	engine->accounts->limits = *limits;
	engine->outbox->errors_per_second = limits->icmp_errors_per_second;
	accounts_limits_set(engine);
}

uint32_t account_fragments(const struct engine *engine, zone_id zone)
{
	return zone < ENGINE_LINKS_MAX ? account_limits(engine, zone)->fragments
				       : engine->fragments->max / 4;
}

/* ---- looking inside ---- */

const char *guest_refusal_name(enum guest_refusal refusal)
{
	static const char *const names[GUEST_REFUSALS] = {
#define X(name, text) [GUEST_REFUSED_##name] = text,
		GUEST_REFUSED(X)
#undef X
	};

	return names[refusal];
}

static void guest_describe(const struct engine *engine, uint32_t id, zone_id zone,
	const struct account *account, struct guest_info *info)
{
	const struct engine_link *link = &engine->topology.links[zone].link;
	const bool host = id >= ENGINE_LINKS_MAX;

	*info = (struct guest_info){
		.link = zone,
		.network = link->network,
		.rest = !host && link->whole_subnet,
		.flows = {account->flows[OUTBOUND], account->flows[INBOUND]},
		.half_open = {account->half_open[OUTBOUND], account->half_open[INBOUND]},
		.fragments = host ? 0 : engine->fragments->owner[zone].count,
		.expectations = host ? 0 : engine->expectations.owner[zone],
		.limits = *account_limits(engine, zone),
	};
	if (!host) {
		info->address4 = link->address4;
		info->address6 = link->address6;
	} else if (account->family == AF_INET) {
		info->address4 = account->address;
	} else {
		info->address6 = account->address;
	}
	for (unsigned i = 0; i < PORTS_PROTOCOLS; i++)
		info->ports[i] = account->ports[i];
	for (unsigned i = 0; i < GUEST_REFUSALS; i++)
		info->refused[i] = account->refused[i];
}

/* A link's own account counts where it is a guest's, or where addresses have had to share it. */
bool engine_guest_next(const struct engine *engine, uint32_t *cursor, struct guest_info *info)
{
	const struct accounts *accounts = engine->accounts;

	while (*cursor < ENGINE_LINKS_MAX + accounts->hosts) {
		const uint32_t id = (*cursor)++;
		const struct account *account = &accounts->account[id];
		const zone_id zone = id < ENGINE_LINKS_MAX ? (zone_id)id : account->zone;
		if (zone >= ENGINE_LINKS_MAX || !engine->topology.links[zone].present)
			continue;
		if (id < ENGINE_LINKS_MAX && !account_is_link_s(engine, zone) &&
			account->users == 0 && engine->fragments->owner[zone].count == 0)
			continue;
		guest_describe(engine, id, zone, account, info);
		return true;
	}
	return false;
}
