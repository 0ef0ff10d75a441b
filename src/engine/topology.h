/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * topology: where addresses are: networks, links and guests, the host's external addresses,
 * published ports.  Consulted for the first packet of a flow only; live flows carry the answer.
 */
#ifndef TUNGATE_ENGINE_TOPOLOGY_H
#define TUNGATE_ENGINE_TOPOLOGY_H

#include "tungate/engine.h"

/* More than twice as many as all links can have addresses, a power of two. */
#define GUEST_SLOTS 32768

struct network {
	struct prefix subnet4, subnet6;
	union addr gateway4, gateway6;
	struct prefix nat64;  /* family 0: none */
	zone_id whole_subnet; /* the link that stands for all addresses without a link of their own
			       */
	uint16_t mtu;
	struct port_list ports; /* external ones: its own, or those that no network has */
	uint8_t filtering;      /* enum filtering */
	uint8_t mapping;        /* enum mapping */
	bool hairpin;
	uint16_t port_block;  /* external ports of each guest; 0: any */
	uint32_t first_block; /* that of the subnet's first address */
	bool owned;           /* somebody who is no administrator has it */
	bool has_ports;       /* `ports` are its own */
	struct network_limits limits;
	bool clones; /* several links may have one address: what seeks it finds the first */
	struct guest_limits guest;
};

struct link_record {
	bool present;
	uint8_t learnt_count;
	struct engine_link link;
	struct learnt_address { /* besides those of `link` */
		uint8_t family;
		union addr address;
	} learnt[ENGINE_LINK_ADDRESSES_MAX];
};

struct external {
	uint8_t family; /* 0: unused */
	union addr address;
};

struct topology {
	struct network networks[CONFIG_NETWORKS_MAX];
	unsigned network_count;
	uint32_t port_block; /* of all networks that have one; 0: none has */
	uint32_t blocks;     /* of all guests that have one */
	bool has_nat64;      /* one of the networks */
	struct link_record links[ENGINE_LINKS_MAX];
	uint16_t
		guests[GUEST_SLOTS]; /* hash of (network, address) -> link + 1; rebuilt on change */
	struct external externals[ENGINE_EXTERNALS_MAX];
	struct forward forwards[ENGINE_FORWARDS_MAX];
	unsigned forward_count;
};

#define NETWORK_NONE 0xffff

/* The network whose subnet holds the address, `preferred` first; NETWORK_NONE if none does. */
uint16_t topology_network_of(const struct topology *topology, uint16_t preferred, uint8_t family,
	const union addr *address);
/* The network that a zone belongs to; NETWORK_NONE for the uplink and for unknown links. */
uint16_t topology_network_of_zone(const struct topology *topology, zone_id zone);
/* The zone where an address of a network is: a link, the service zone for the gateway's own
 * address, or ZONE_NONE. */
zone_id topology_locate(const struct topology *topology, uint16_t network, uint8_t family,
	const union addr *address);
/* The gateway's address on a network. */
const union addr *topology_gateway(
	const struct topology *topology, uint16_t network, uint8_t family);
/* The NAT64 prefix of a network, NETWORK_NONE included; NULL: none. */
const struct prefix *topology_nat64(const struct topology *topology, uint16_t network);
/* May a packet from this link carry this source? */
bool topology_source_is_own(
	const struct topology *topology, zone_id zone, uint8_t family, const union addr *address);
/* Index in `externals`, or -1. */
int topology_external(const struct topology *topology, uint8_t family, const union addr *address);
/* The published port that an address and port (host order) of the host belongs to, or NULL. */
const struct forward *topology_forward(const struct topology *topology, uint8_t protocol,
	uint8_t family, const union addr *address, uint16_t port);
/* The external ports that flows of a zone are given. */
const struct port_list *topology_ports(const struct engine *engine, zone_id zone);
/* Is the address the limited broadcast, or the directed one of the subnet that it is in, that of
 * `preferred` first? */
bool topology_is_broadcast(const struct topology *topology, uint16_t preferred, uint8_t family,
	const union addr *address);

#endif
