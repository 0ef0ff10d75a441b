/* SPDX-License-Identifier: BSD-2-Clause */
/* account_network: what all guests of a network have together, and may have. */
#include "engine/state.h"

#define BURST_FLOWS_MS 1000

/* ---- limits ---- */

/* How many networks take their external ports from the common list, which is that of `some`. */
static unsigned ports_sharers(const struct topology *topology, const struct network **some)
{
	unsigned sharers = 0;

	for (unsigned i = 0; i < topology->network_count; i++)
		if (!topology->networks[i].has_ports) {
			*some = &topology->networks[i];
			sharers++;
		}
	return sharers;
}

/* What there is already, as the new shares count it. */
static void common_count(struct network_accounts *networks)
{
	networks->common = 0;
	for (unsigned p = 0; p < PORTS_PROTOCOLS; p++)
		networks->common_ports[p] = 0;
	for (unsigned i = 0; i < CONFIG_NETWORKS_MAX; i++) {
		const struct network_account *network = &networks->network[i];

		networks->common += share_common(&networks->flows, network->flows);
		for (unsigned p = 0; p < PORTS_PROTOCOLS && !network->has_ports; p++)
			networks->common_ports[p] +=
				share_common(&networks->ports, network->ports[p]);
	}
}

void network_limits_set(struct engine *engine)
{
	const struct topology *topology = &engine->topology;
	struct network_accounts *networks = &engine->accounts->networks;
	const struct network *sharing = NULL;
	const unsigned sharers = ports_sharers(topology, &sharing);

	networks->shared = false;
	for (unsigned i = 0; i < topology->network_count; i++) {
		networks->network[i].limits = topology->networks[i].limits;
		networks->network[i].has_ports = topology->networks[i].has_ports;
		networks->shared |= topology->networks[i].owned;
	}
	networks->flows = share_of(engine->flows_max, topology->network_count);
	networks->ports = share_of(sharing != NULL ? port_list_size(&sharing->ports) : 0, sharers);
	networks->kept_half_open =
		topology->network_count > 0 ? engine->flows_max / 4 / topology->network_count : 0;
	common_count(networks);
}

struct network_account *network_account(const struct engine *engine, zone_id zone)
{
	return &engine->accounts->networks.network[engine->topology.links[zone].link.network];
}

/* ---- flows ---- */

static bool flows_allow(const struct engine *engine, const struct network_account *network)
{
	const struct network_accounts *networks = &engine->accounts->networks;

	if (network->limits.flows != 0)
		return network->flows < network->limits.flows;
	return !networks->shared ||
	       share_allows(&networks->flows, network->flows, 1, networks->common);
}

static bool half_open_allows(const struct engine *engine, const struct network_account *network)
{
	const struct network_accounts *networks = &engine->accounts->networks;
	const uint32_t half_open = network->half_open[OUTBOUND] + network->half_open[INBOUND];
	const uint32_t most = network->limits.flows != 0
				      ? network->limits.flows
				      : networks->flows.kept + networks->flows.pool;

	if (network->limits.half_open != 0)
		return half_open < network->limits.half_open;
	return !networks->shared || half_open < most / 2 + 1;
}

bool network_may_begin(const struct engine *engine, const struct network_account *network,
	unsigned side, enum guest_refusal *why)
{
	const uint32_t rate = network->limits.new_flows_per_second;

	*why = GUEST_REFUSED_NEW_FLOWS;
	if (rate != 0 &&
		!bucket_has(network->new_flows[side], engine->now_ms, rate, BURST_FLOWS_MS, 1))
		return false;
	*why = GUEST_REFUSED_HALF_OPEN;
	if (!half_open_allows(engine, network))
		return false;
	*why = GUEST_REFUSED_FLOWS;
	return flows_allow(engine, network);
}

void network_flows(struct engine *engine, struct network_account *network, int more)
{
	struct network_accounts *networks = &engine->accounts->networks;

	networks->common -= share_common(&networks->flows, network->flows);
	network->flows += (uint32_t)more;
	networks->common += share_common(&networks->flows, network->flows);
}

bool network_is_flooded(const struct engine *engine, const struct network_account *network)
{
	const struct network_accounts *networks = &engine->accounts->networks;

	return !networks->shared || network->half_open[INBOUND] >= networks->kept_half_open;
}

/* ---- ports ---- */

void network_port(struct engine *engine, struct network_account *network,
	enum ports_protocol protocol, int more)
{
	struct network_accounts *networks = &engine->accounts->networks;
	uint32_t *ports = &network->ports[protocol];

	if (!network->has_ports)
		networks->common_ports[protocol] -= share_common(&networks->ports, *ports);
	*ports += (uint32_t)more;
	if (!network->has_ports)
		networks->common_ports[protocol] += share_common(&networks->ports, *ports);
}

bool network_may_take_port(const struct engine *engine, const struct network_account *network,
	enum ports_protocol protocol)
{
	const struct network_accounts *networks = &engine->accounts->networks;

	return !networks->shared || network->has_ports ||
	       share_allows(&networks->ports, network->ports[protocol], 1,
		       networks->common_ports[protocol]);
}

/* ---- looking inside ---- */

bool engine_network_info(const struct engine *engine, unsigned index, struct network_info *info)
{
	const struct network_accounts *networks = &engine->accounts->networks;
	const struct network_account *network = &networks->network[index];

	if (index >= engine->topology.network_count)
		return false;
	*info = (struct network_info){
		.flows = network->flows,
		.half_open = network->half_open[OUTBOUND] + network->half_open[INBOUND],
		.flows_created = network->created,
		.limits = network->limits,
	};
	if (info->limits.flows == 0)
		info->limits.flows = networks->shared ? networks->flows.kept + networks->flows.pool
						      : engine->flows_max;
	for (unsigned p = 0; p < PORTS_PROTOCOLS; p++)
		info->ports[p] = network->ports[p];
	for (unsigned i = 0; i < GUEST_REFUSALS; i++)
		info->refused[i] = network->refused[i];
	for (unsigned i = 0; i < DROP_COUNT; i++)
		info->drops[i] = network->drops[i];
	return true;
}
