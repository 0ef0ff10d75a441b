/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account_network: what all guests of a network have together, and may have.
 *
 * A network has limits of its own, or, where some network of the gateway has an owner, a share of
 * what all have together (base/share.h): of the table of flows, and of the external ports that no
 * network has for itself.  Whose guest is refused because of its network loses its oldest half-open
 * connection for the new one, like one that is at its own limit; nothing of another network gives
 * way.
 */
#ifndef TUNGATE_ENGINE_ACCOUNT_NETWORK_H
#define TUNGATE_ENGINE_ACCOUNT_NETWORK_H

#include "base/share.h"
#include "engine/bucket.h"
#include "engine/ports.h"
#include "tungate/engine.h"

struct engine;

struct network_account {
	uint32_t flows;        /* that are not finished, to guests and from them */
	uint32_t half_open[2]; /* by enum account_side */
	uint32_t ports[PORTS_PROTOCOLS];
	uint64_t created;
	bucket_time new_flows[2];
	bucket_time packets[2]; /* from and to the guests */
	bucket_time bytes[2];
	uint64_t refused[GUEST_REFUSALS];
	uint64_t drops[DROP_COUNT];
	struct network_limits limits; /* 0: none, or of flows a share */
	bool has_ports;               /* of its own */
};

struct network_accounts {
	struct network_account network[CONFIG_NETWORKS_MAX];
	bool shared;                            /* shares apply */
	struct share flows, ports;              /* of each network */
	uint32_t common;                        /* flows beyond the networks' own parts */
	uint32_t common_ports[PORTS_PROTOCOLS]; /* likewise */
	uint32_t kept_half_open;                /* that no flood against others can take */
};

/* Networks, or their limits, have changed. */
void network_limits_set(struct engine *engine);

struct network_account *network_account(const struct engine *engine, zone_id zone);
/* May a guest of the network begin one more connection?  Why not is in `why`. */
bool network_may_begin(const struct engine *engine, const struct network_account *network,
	unsigned side, enum guest_refusal *why);
/* One more (1), or one less (-1). */
void network_flows(struct engine *engine, struct network_account *network, int more);
void network_port(struct engine *engine, struct network_account *network,
	enum ports_protocol protocol, int more);
bool network_may_take_port(const struct engine *engine, const struct network_account *network,
	enum ports_protocol protocol);
/* Is what is half open from outside more than the network may have, where all have too much? */
bool network_is_flooded(const struct engine *engine, const struct network_account *network);

#endif
