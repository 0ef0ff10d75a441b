/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account: charge guests for what they have.
 */
#include <stdlib.h>
#include "engine/state.h"

#define BURST_FLOWS_MS 1000

/* ---- life ---- */

static uint32_t hash_of(const void *context, uint32_t id)
{
	const struct accounts *accounts = context;

	return accounts->account[ENGINE_LINKS_MAX + id].hash;
}

static void account_clear(struct account *account)
{
	*account = (struct account){.zone = ZONE_NONE};
	wheel_node_init(&account->idle);
	for (unsigned side = 0; side < ACCOUNT_SIDES; side++)
		list_init(&account->oldest[side]);
}

struct accounts *accounts_create(struct engine *engine, const struct limits_config *limits)
{
	struct accounts *accounts = calloc(1, sizeof(*accounts));
	uint32_t *slots = calloc(index_slots(ACCOUNT_HOSTS), sizeof(*slots));

	if (accounts == NULL || slots == NULL) {
		free(accounts);
		free(slots);
		return NULL;
	}
	accounts->limits = *limits;
	index_init(&accounts->by_address, slots, ACCOUNT_HOSTS);
	list_init(&accounts->idle);
	accounts->idle_slab =
		(struct wheel_slab){(uint8_t *)&accounts->account->idle, sizeof(struct account)};
	accounts->kin_slab =
		(struct wheel_slab){(uint8_t *)&engine->flows->opening.kin, sizeof(struct flow)};
	for (zone_id zone = 0; zone < ENGINE_LINKS_MAX; zone++)
		account_clear(&accounts->account[zone]);
	return accounts;
}

void accounts_free(struct accounts *accounts)
{
	if (accounts == NULL)
		return;
	free(accounts->by_address.slots);
	free(accounts);
}

/* ---- whose ---- */

static uint32_t address_hash(
	const struct engine *engine, zone_id zone, uint8_t family, const union addr *address)
{
	const uint64_t words[] = {
		(uint64_t)zone << 8 | family, address->halves[0], address->halves[1]};

	return (uint32_t)(siphash_words(&engine->hash_key, words, 3) >> 32);
}

bool account_is_link_s(const struct engine *engine, zone_id zone)
{
	return !engine->topology.links[zone].link.whole_subnet;
}

static struct account *host_find(const struct accounts *accounts, zone_id zone, uint8_t family,
	const union addr *address, uint32_t hash)
{
	uint32_t position = index_home(&accounts->by_address, hash);

	for (;;) {
		const uint32_t id = index_candidate(&accounts->by_address, hash, &position);
		if (id == INDEX_NONE)
			return NULL;
		const struct account *account = &accounts->account[ENGINE_LINKS_MAX + id];
		if (account->zone == zone && account->family == family &&
			addr_equal(&account->address, address))
			return (struct account *)account;
	}
}

static uint32_t account_id(const struct accounts *accounts, const struct account *account)
{
	return (uint32_t)(account - accounts->account);
}

static void host_forget(struct accounts *accounts, struct account *account)
{
	const uint32_t id = account_id(accounts, account);

	list_remove(&accounts->idle, &accounts->idle_slab, id);
	if (account->indexed)
		index_remove(&accounts->by_address, account->hash, id - ENGINE_LINKS_MAX, hash_of,
			accounts);
	account_clear(account);
}

/* A record for an address: one that was never used, or the one that has been idle for longest. */
static struct account *host_make(struct accounts *accounts, zone_id zone, uint8_t family,
	const union addr *address, uint32_t hash)
{
	struct account *account = NULL;

	if (accounts->hosts < ACCOUNT_HOSTS) {
		account = &accounts->account[ENGINE_LINKS_MAX + accounts->hosts++];
		account_clear(account);
	} else if (list_first(&accounts->idle) != WHEEL_NONE) {
		account = &accounts->account[list_first(&accounts->idle)];
		host_forget(accounts, account);
	} else {
		return NULL;
	}
	account->zone = zone;
	account->family = family;
	account->address = *address;
	account->hash = hash;
	account->indexed = true;
	const uint32_t id = account_id(accounts, account);
	index_insert(&accounts->by_address, hash, id - ENGINE_LINKS_MAX);
	list_push(&accounts->idle, &accounts->idle_slab, id);
	return account;
}

/* The account of a link's guest or of an address behind it, made where it needs to be. */
static struct account *account_of(
	struct engine *engine, zone_id zone, uint8_t family, const union addr *address)
{
	struct accounts *accounts = engine->accounts;
	struct account *link = &accounts->account[zone];

	if (account_is_link_s(engine, zone))
		return link;
	const uint32_t hash = address_hash(engine, zone, family, address);
	struct account *account = host_find(accounts, zone, family, address, hash);
	if (account == NULL && link->users == 0)
		account = host_make(accounts, zone, family, address, hash);
	return account != NULL ? account : link;
}

struct account *account_find(
	const struct engine *engine, zone_id zone, uint8_t family, const union addr *address)
{
	struct accounts *accounts = engine->accounts;
	struct account *account = NULL;

	if (!account_is_link_s(engine, zone))
		account = host_find(accounts, zone, family, address,
			address_hash(engine, zone, family, address));
	return account != NULL ? account : &accounts->account[zone];
}

/* Which end of a flow is charged for it, or false where nobody is. */
static bool charged(const struct flow *flow, enum direction *end, enum account_side *side)
{
	*end = ZONE_IS_LINK(flow->zone[ORIGINAL]) ? ORIGINAL : REPLY;
	*side = *end == ORIGINAL ? OUTBOUND : INBOUND;
	return *end == ORIGINAL ||
	       (flow->zone[ORIGINAL] == ZONE_UPLINK && ZONE_IS_LINK(flow->zone[REPLY]));
}

static zone_id charged_zone(const struct flow *flow)
{
	return flow->zone[ZONE_IS_LINK(flow->zone[ORIGINAL]) ? ORIGINAL : REPLY];
}

/* The account that a flow was charged to, or NULL. */
static struct account *account_of_flow(
	const struct engine *engine, const struct flow *flow, enum account_side *side)
{
	enum direction end;

	if (!charged(flow, &end, side))
		return NULL;
	return account_find(
		engine, flow->zone[end], flow_family(flow, end), &flow->address[end][SOURCE]);
}

const struct guest_limits *account_limits(const struct engine *engine, zone_id zone)
{
	return &engine->accounts->of_network[engine->topology.links[zone].link.network];
}

static void user_add(struct accounts *accounts, struct account *account)
{
	const uint32_t id = account_id(accounts, account);

	if (account->users++ == 0 && id >= ENGINE_LINKS_MAX)
		list_remove(&accounts->idle, &accounts->idle_slab, id);
}

static void user_del(struct accounts *accounts, struct account *account)
{
	const uint32_t id = account_id(accounts, account);

	if (--account->users == 0 && id >= ENGINE_LINKS_MAX)
		list_push(&accounts->idle, &accounts->idle_slab, id);
}

void account_forget_link(struct engine *engine, zone_id zone)
{
	struct accounts *accounts = engine->accounts;

	for (uint32_t id = ENGINE_LINKS_MAX; id < ENGINE_LINKS_MAX + accounts->hosts; id++) {
		struct account *account = &accounts->account[id];
		if (account->zone == zone && account->users == 0) {
			host_forget(accounts, account);
			list_push(&accounts->idle, &accounts->idle_slab, id);
		}
	}
	if (accounts->account[zone].users == 0)
		account_clear(&accounts->account[zone]);
}

/* ---- flows ---- */

static bool evict(struct engine *engine, struct account *account, enum account_side side)
{
	const uint32_t id = list_first(&account->oldest[side]);

	if (id == WHEEL_NONE)
		return false;
	account->refused[GUEST_REFUSED_HALF_OPEN]++;
	flow_end(engine, flow_at(engine, id));
	return true;
}

/* Has it too much that is half open, or have all together from outside? */
static bool half_open_is_full(const struct engine *engine, const struct account *account,
	const struct network_account *network, const struct guest_limits *limits,
	enum account_side side)
{
	return account->half_open[side] >= limits->half_open ||
	       (side == INBOUND && engine->accounts->half_open >= engine->flows_max / 4 &&
		       network_is_flooded(engine, network));
}

/* May its network have one more?  The guest's oldest half-open one ends where that makes room. */
static bool network_admits(struct engine *engine, struct network_account *network,
	struct account *account, enum account_side side)
{
	enum guest_refusal why;

	if (network_may_begin(engine, network, side, &why))
		return true;
	if (why != GUEST_REFUSED_NEW_FLOWS && evict(engine, account, side) &&
		network_may_begin(engine, network, side, &why))
		return true;
	account->refused[why]++;
	network->refused[why]++;
	return false;
}

bool account_admit(struct engine *engine, struct flow *draft)
{
	enum direction end;
	enum account_side side;

	if (!charged(draft, &end, &side))
		return true;
	struct account *account = account_of(
		engine, draft->zone[end], flow_family(draft, end), &draft->address[end][SOURCE]);
	struct network_account *network = network_account(engine, draft->zone[end]);
	const struct guest_limits *limits = account_limits(engine, draft->zone[end]);
	const uint32_t rate = limits->new_flows_per_second;
	const uint32_t network_rate = network->limits.new_flows_per_second;
	if (rate != 0 &&
		!bucket_has(account->new_flows[side], engine->now_ms, rate, BURST_FLOWS_MS, 1)) {
		account->refused[GUEST_REFUSED_NEW_FLOWS]++;
		return false;
	}
	if (half_open_is_full(engine, account, network, limits, side))
		evict(engine, account, side);
	if (account->flows[side] >= limits->flows && !evict(engine, account, side)) {
		account->refused[GUEST_REFUSED_FLOWS]++;
		return false;
	}
	if (!network_admits(engine, network, account, side))
		return false;
	if (rate != 0)
		bucket_pay(&account->new_flows[side], engine->now_ms, rate, 1);
	if (network_rate != 0)
		bucket_pay(&network->new_flows[side], engine->now_ms, network_rate, 1);
	return true;
}

bool account_give_way(struct engine *engine, const struct flow *draft)
{
	enum direction end;
	enum account_side side;

	return charged(draft, &end, &side) &&
	       evict(engine,
		       account_find(engine, draft->zone[end], flow_family(draft, end),
			       &draft->address[end][SOURCE]),
		       side);
}

void account_begin(struct engine *engine, struct flow *flow)
{
	struct accounts *accounts = engine->accounts;
	enum direction end;
	enum account_side side;

	if (!charged(flow, &end, &side))
		return;
	struct account *account = account_of(
		engine, flow->zone[end], flow_family(flow, end), &flow->address[end][SOURCE]);
	struct network_account *network = network_account(engine, flow->zone[end]);
	user_add(accounts, account);
	account->flows[side]++;
	account->half_open[side]++;
	network->half_open[side]++;
	network->created++;
	network_flows(engine, network, 1);
	accounts->half_open += side == INBOUND;
	list_push(&account->oldest[side], &accounts->kin_slab, flow_id(engine, flow));
}

static void no_longer_half_open(
	struct engine *engine, struct flow *flow, struct account *account, enum account_side side)
{
	account->half_open[side]--;
	network_account(engine, charged_zone(flow))->half_open[side]--;
	engine->accounts->half_open -= side == INBOUND;
	list_remove(&account->oldest[side], &engine->accounts->kin_slab, flow_id(engine, flow));
}

void account_open(struct engine *engine, struct flow *flow)
{
	enum account_side side;
	struct account *account = account_of_flow(engine, flow, &side);

	if (account != NULL)
		no_longer_half_open(engine, flow, account, side);
}

void account_finish(struct engine *engine, const struct flow *flow, bool finished)
{
	enum account_side side;
	struct account *account = account_of_flow(engine, flow, &side);

	if (account == NULL)
		return;
	if (finished)
		account->flows[side]--;
	else
		account->flows[side]++;
	network_flows(engine, network_account(engine, charged_zone(flow)), finished ? -1 : 1);
}

void account_end(struct engine *engine, struct flow *flow)
{
	enum account_side side;
	struct account *account = account_of_flow(engine, flow, &side);

	if (account == NULL)
		return;
	if (flow->tally_original.half_open)
		no_longer_half_open(engine, flow, account, side);
	if (!(flow->flags & FLOW_FINISHED)) {
		account->flows[side]--;
		network_flows(engine, network_account(engine, charged_zone(flow)), -1);
	}
	user_del(engine->accounts, account);
}

/* ---- ports ---- */

bool account_may_take_port(
	struct engine *engine, const struct flow *draft, enum ports_protocol protocol)
{
	enum direction end;
	enum account_side side;

	if (!charged(draft, &end, &side))
		return true;
	const struct account *account = account_find(
		engine, draft->zone[end], flow_family(draft, end), &draft->address[end][SOURCE]);
	return account->ports[protocol] < account_limits(engine, draft->zone[end])->ports &&
	       network_may_take_port(engine, network_account(engine, draft->zone[end]), protocol);
}

void account_port(struct engine *engine, const struct flow *flow, bool begins)
{
	enum account_side side;
	struct account *account = account_of_flow(engine, flow, &side);
	const int protocol = ports_protocol(flow_family(flow, REPLY), flow->protocol);

	if (account == NULL || protocol < 0)
		return;
	if (begins)
		account->ports[protocol]++;
	else
		account->ports[protocol]--;
	network_port(engine, network_account(engine, charged_zone(flow)),
		(enum ports_protocol)protocol, begins ? 1 : -1);
}

bool account_lacks_port(struct engine *engine, const struct flow *draft)
{
	const int protocol = ports_protocol(flow_family(draft, REPLY), draft->protocol);
	enum direction end;
	enum account_side side;

	if (!(draft->flags & FLOW_MAPPED) || protocol < 0 || !charged(draft, &end, &side) ||
		account_may_take_port(engine, draft, (enum ports_protocol)protocol))
		return false;
	account_find(
		engine, draft->zone[end], flow_family(draft, end), &draft->address[end][SOURCE])
		->refused[GUEST_REFUSED_PORTS]++;
	network_account(engine, draft->zone[end])->refused[GUEST_REFUSED_PORTS]++;
	return true;
}

/* ---- drops ---- */

void account_drop(struct engine *engine, const struct packet *packet, enum drop drop)
{
	const uint16_t network = topology_network_of_zone(&engine->topology, packet->in_zone);

	if (network < CONFIG_NETWORKS_MAX)
		engine->accounts->networks.network[network].drops[drop]++;
}
