/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab: the engine in a small world of its own: networks, guests, a host with two uplink addresses,
 * servers, a virtual clock.  Every place has one name and an address of each family, so that the
 * same test runs over IPv4 and over IPv6.
 *
 *	guest, second   links of network `lab`           gateway        its gateway's address
 *	far             link of network `far`, MTU 1300  far-gateway
 *	wide, wider     two guests behind the one tun link `wide` of network `wide`
 *	host, host2     the host's addresses on the uplink
 *	server, server2, server3, router                 anywhere beyond the uplink
 *	outside, outside2, outside3	addresses that lines of [nat] can make the gateway's
 *	beyond          leaves by another path with the source host2 and an MTU of 1280
 *	nowhere         has no route        forbidden  a prohibited one       local  is the host's
 *
 * steps.h tells stories with these names.
 */
#ifndef TUNGATE_TESTS_LAB_H
#define TUNGATE_TESTS_LAB_H

#include "tungate/engine.h"

enum lab_families { LAB_BOTH, LAB_IPV4, LAB_IPV6 };

struct lab_options {
	const char *config;         /* sections behind those of the lab; NULL: the built-in rules */
	struct port_range ports;    /* none: 61000-61099 */
	struct port_list port_list; /* instead, where it has any */
	uint32_t flows;             /* 0: 1024 */
	enum lab_families families;
	const char *network; /* keys of network `lab`; with nat64, the host has both families */
};

struct lab_route {
	enum route_result result;
	uint16_t path, mtu;
	const char *source; /* a place */
};

#define LAB_PLACES    32
#define LAB_VARIABLES 26

struct lab {
	uint8_t family;
	const struct lab_options *options;
	struct config *config;
	void *arena;
	size_t arena_bytes;
	struct engine *engine;
	uint64_t now_ms;
	struct lab_route routes[LAB_PLACES];
	unsigned routes_asked;
	unsigned events[FLOW_END + 1];
	unsigned log_lines;
	char log_last[128];                /* chain, prefix, in and out, port, suppressed */
	uint32_t variables[LAB_VARIABLES]; /* of the story; 0: not met yet */
};

struct lab *lab_open(uint8_t family, const struct lab_options *options);
/* End all flows, see that nothing of them is left, and forget the lab. */
void lab_close(struct lab *lab);
/* The config of the lab with more keys of network `lab` and other sections behind; the test fails
 * where it has errors. */
struct config *lab_config(const char *network, const char *sections);

/* Let time pass, with engine_tick() whenever the engine asks for it. */
void lab_wait(struct lab *lab, uint64_t milliseconds);
/* Hand a packet to the engine where it comes from: in_zone, a service's being its own output. */
enum verdict lab_send(struct lab *lab, struct packet *packet);
/* The next packet that the engine made itself, for packet_dispose(), or NULL. */
struct packet *lab_answer(struct lab *lab);

/* An address in the lab's family by its place's name; the test fails where there is none. */
union addr lab_address(const struct lab *lab, const char *place);
/* Its text, or NULL where no place is called so. */
const char *lab_address_text(const struct lab *lab, const char *place, size_t length);
/* The text of a word that is a place, its IPv4 address (v4.PLACE), or what stands for that in the
 * NAT64 prefix (nat64.PLACE); false where it is none. */
bool lab_word_address(
	const struct lab *lab, const char *word, size_t length, char text[ADDR_TEXT_SIZE]);
/* What the host says of the way to a place from now on. */
void lab_route(struct lab *lab, const char *place, struct lab_route route);
/* "uplink", a link's name, "service" (of network `lab`), "service-NETWORK"; else ZONE_NONE. */
zone_id lab_zone(const struct lab *lab, const char *name);
const char *lab_zone_name(const struct lab *lab, zone_id zone);

#endif
