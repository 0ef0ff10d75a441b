/* SPDX-License-Identifier: BSD-2-Clause */
/* topology: where addresses are. */
#include "engine/topology.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/domains.h"
#include "engine/state.h"

/* The engine's own struct: topology is a part of it, and the rest is left empty. */
static struct engine *engine;
static struct topology *topology;

static union addr address(const char *text)
{
	union addr parsed;
	uint8_t family;

	cr_assert(addr_parse(text, &parsed, &family), "%s", text);
	return parsed;
}

static uint8_t family_of(const char *text)
{
	return strchr(text, ':') ? AF_INET6 : AF_INET;
}

static struct network_config network(const char *subnet4, const char *subnet6)
{
	struct network_config config = {.name = "n"};

	cr_assert_null(prefix_parse(subnet4, &config.subnet4));
	config.gateway4 = prefix_address(&config.subnet4, 1);
	if (subnet6 != NULL) {
		cr_assert_null(prefix_parse(subnet6, &config.subnet6));
		config.gateway6 = prefix_address(&config.subnet6, 1);
	}
	return config;
}

static void setup(void)
{
	const struct network_config networks[] = {
		network("10.77.0.0/24", "fd77::/64"),
		network("10.88.0.0/16", NULL),
		network("10.99.0.0/30", "fd99::/64"),
	};

	engine = calloc(1, sizeof(*engine));
	engine->flows = calloc(1, sizeof(*engine->flows));
	engine->accounts = accounts_create(engine, &(struct limits_config){0});
	engine->domains = domains_create(16, &(struct siphash_key){0});
	topology = &engine->topology;
	engine_networks_set(engine, networks, 3);
}

static void teardown(void)
{
	domains_free(engine->domains);
	accounts_free(engine->accounts);
	free(engine->flows);
	free(engine);
}

TestSuite(topology, .init = setup, .fini = teardown);

static struct engine_link guest(uint16_t of, const char *address4, const char *address6)
{
	struct engine_link link = {.network = of};

	if (address4 != NULL)
		link.address4 = address(address4);
	if (address6 != NULL)
		link.address6 = address(address6);
	return link;
}

static int add(zone_id id, uint16_t of, const char *address4, const char *address6)
{
	const struct engine_link link = guest(of, address4, address6);

	return engine_link_set(engine, id, &link);
}

static zone_id locate(uint16_t of, const char *text)
{
	const union addr a = address(text);

	return topology_locate(topology, of, family_of(text), &a);
}

static bool own(zone_id zone, const char *text)
{
	const union addr a = address(text);

	return topology_source_is_own(topology, zone, family_of(text), &a);
}

Test(topology, networks_by_address)
{
	static const struct {
		const char *address;
		uint16_t network;
	} rows[] = {
		{"10.77.0.0", 0},
		{"10.77.0.255", 0},
		{"10.77.1.0", NETWORK_NONE},
		{"10.88.255.255", 1},
		{"10.99.0.3", 2},
		{"10.99.0.4", NETWORK_NONE},
		{"fd77::ffff", 0},
		{"fd88::1", NETWORK_NONE},
		{"fd99::1", 2},
		{"8.8.8.8", NETWORK_NONE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const union addr a = address(rows[i].address);
		for (uint16_t preferred = 0; preferred < 4; preferred++)
			cr_expect_eq(topology_network_of(
					     topology, preferred, family_of(rows[i].address), &a),
				rows[i].network, "%s", rows[i].address);
	}
}

Test(topology, guests_by_address)
{
	cr_assert_eq(add(3, 0, "10.77.0.2", "fd77::2"), 0);
	cr_assert_eq(add(4, 0, "10.77.0.3", NULL), 0);
	cr_assert_eq(add(5, 1, "10.88.0.2", NULL), 0);
	cr_expect_eq(locate(0, "10.77.0.2"), 3);
	cr_expect_eq(locate(0, "fd77::2"), 3);
	cr_expect_eq(locate(0, "10.77.0.3"), 4);
	cr_expect_eq(locate(1, "10.88.0.2"), 5);
	cr_expect_eq(locate(0, "10.77.0.1"), ZONE_SERVICE(0));
	cr_expect_eq(locate(2, "fd99::1"), ZONE_SERVICE(2));
	cr_expect_eq(locate(0, "10.77.0.4"), ZONE_NONE);
	cr_expect_eq(locate(1, "10.77.0.2"), ZONE_NONE);
	/* What is missing is no address: :: and 0.0.0.0 lead nowhere. */
	cr_expect_eq(locate(0, "::"), ZONE_NONE);
	cr_expect_eq(locate(0, "0.0.0.0"), ZONE_NONE);
}

Test(topology, an_address_has_one_link)
{
	cr_assert_eq(add(3, 0, "10.77.0.2", "fd77::2"), 0);
	cr_expect_eq(add(4, 0, "10.77.0.2", NULL), -EEXIST);
	cr_expect_eq(add(4, 0, "10.77.0.3", "fd77::2"), -EEXIST);
	cr_expect_eq(locate(0, "10.77.0.3"), ZONE_NONE, "a refused link leaves nothing");
	cr_expect_eq(add(3, 0, "10.77.0.3", "fd77::2"), 0, "it may change itself");
	cr_expect_eq(locate(0, "10.77.0.2"), ZONE_NONE);
	cr_expect_eq(locate(0, "10.77.0.3"), 3);
	cr_expect_eq(add(4, 0, NULL, NULL), 0);
	cr_expect_eq(add(5, 0, NULL, NULL), 0, "many may have none");
}

static int learn(zone_id id, const char *text)
{
	const union addr a = address(text);

	return engine_link_address_add(engine, id, family_of(text), &a);
}

static void forget(zone_id id, const char *text)
{
	const union addr a = address(text);

	engine_link_address_del(engine, id, family_of(text), &a);
}

Test(topology, a_guest_takes_more_addresses)
{
	char text[32];

	cr_assert_eq(add(3, 0, "10.77.0.2", "fd77::2"), 0);
	cr_assert_eq(add(4, 0, "10.77.0.3", "fd77::3"), 0);
	cr_expect_eq(learn(3, "fd77::a"), 0);
	cr_expect_eq(learn(3, "fd77::a"), 0, "again");
	cr_expect_eq(learn(3, "fd77::2"), 0, "the one that it has");
	cr_expect(own(3, "fd77::a"));
	cr_expect_not(own(4, "fd77::a"));
	cr_expect_eq(locate(0, "fd77::a"), 3);
	cr_expect_eq(learn(4, "fd77::a"), -EEXIST);
	cr_expect_eq(learn(4, "fd77::2"), -EEXIST);
	cr_expect_eq(add(5, 0, NULL, "fd77::a"), -EEXIST);
	cr_expect_eq(learn(3, "fd77::1"), -EINVAL, "the gateway's");
	cr_expect_eq(learn(3, "fd78::a"), -EINVAL, "of no subnet");
	cr_expect_eq(learn(3, "::"), -EINVAL);
	cr_expect_eq(learn(9, "fd77::a"), -EINVAL, "no such link");
	for (unsigned i = 1; i < ENGINE_LINK_ADDRESSES_MAX; i++) {
		snprintf(text, sizeof(text), "fd77::a%u", i);
		cr_expect_eq(learn(3, text), 0);
	}
	cr_expect_eq(learn(3, "fd77::b"), -ENOSPC);
	forget(3, "fd77::a");
	cr_expect_not(own(3, "fd77::a"));
	cr_expect(own(3, "fd77::a7"), "the others stay");
	cr_expect_eq(locate(0, "fd77::a"), ZONE_NONE);
	cr_expect_eq(learn(4, "fd77::a"), 0);
	forget(3, "fd77::a");
	cr_expect_eq(locate(0, "fd77::a"), 4, "which is another's now");
	engine_link_remove(engine, 3);
	cr_expect_eq(locate(0, "fd77::a7"), ZONE_NONE);
	cr_expect_eq(learn(4, "fd77::a7"), 0);
}

Test(topology, links_that_cannot_be)
{
	cr_expect_eq(add(ENGINE_LINKS_MAX, 0, NULL, NULL), -EINVAL);
	cr_expect_eq(add(0, 3, NULL, NULL), -EINVAL);
	cr_expect_eq(add(ENGINE_LINKS_MAX - 1, 2, "10.99.0.2", NULL), 0);
	cr_expect_eq(locate(2, "10.99.0.2"), ENGINE_LINKS_MAX - 1);
}

Test(topology, removed_links_are_nowhere)
{
	cr_assert_eq(add(3, 0, "10.77.0.2", "fd77::2"), 0);
	engine_link_remove(engine, 3);
	cr_expect_eq(locate(0, "10.77.0.2"), ZONE_NONE);
	cr_expect_not(own(3, "10.77.0.2"));
	cr_expect_eq(topology_network_of_zone(topology, 3), NETWORK_NONE);
	engine_link_remove(engine, 3);
	engine_link_remove(engine, ENGINE_LINKS_MAX);
	cr_expect_eq(add(4, 0, "10.77.0.2", NULL), 0);
}

/* All links with all their addresses fit, whatever slots they fall into. */
Test(topology, as_many_guests_as_there_may_be)
{
	char text4[32], text6[32];

	for (zone_id z = 0; z < ENGINE_LINKS_MAX; z++) {
		const unsigned n = z + 2U;
		snprintf(text4, sizeof(text4), "10.88.%u.%u", n >> 8, n & 255);
		cr_assert_eq(add(z, 1, text4, NULL), 0);
	}
	for (zone_id z = 0; z < ENGINE_LINKS_MAX; z++) {
		const unsigned n = z + 2U;
		snprintf(text4, sizeof(text4), "10.88.%u.%u", n >> 8, n & 255);
		cr_assert_eq(locate(1, text4), z);
	}
	for (zone_id z = 0; z < ENGINE_LINKS_MAX; z++) {
		snprintf(text6, sizeof(text6), "fd77::%x", z + 2U);
		cr_assert_eq(add(z, 0, NULL, text6), 0);
		cr_assert_eq(locate(0, text6), z);
	}
	for (zone_id z = 0; z < ENGINE_LINKS_MAX; z++)
		for (unsigned i = 0; i < ENGINE_LINK_ADDRESSES_MAX; i++) {
			snprintf(text6, sizeof(text6), "fd77::a:%x:%x", i, z);
			cr_assert_eq(learn(z, text6), 0);
		}
	for (zone_id z = 0; z < ENGINE_LINKS_MAX; z++)
		for (unsigned i = 0; i < ENGINE_LINK_ADDRESSES_MAX; i++) {
			snprintf(text6, sizeof(text6), "fd77::a:%x:%x", i, z);
			cr_assert_eq(locate(0, text6), z);
		}
}

Test(topology, sources)
{
	const struct engine_link whole = {.network = 2, .whole_subnet = true};

	cr_assert_eq(add(3, 0, "10.77.0.2", NULL), 0);
	cr_assert_eq(engine_link_set(engine, 6, &whole), 0);
	cr_expect(own(3, "10.77.0.2"));
	cr_expect_not(own(3, "10.77.0.3"));
	cr_expect_not(own(3, "::"), "an address that it has not");
	cr_expect_not(own(3, "fd77::2"));
	cr_expect_not(own(9, "10.77.0.2"), "no such link");
	cr_expect_not(own(ZONE_NONE, "10.77.0.2"));
	cr_expect_not(own(ZONE_UPLINK, "10.77.0.2"));
	cr_expect(own(6, "10.99.0.2"));
	cr_expect(own(6, "fd99::1234"));
	cr_expect_not(own(6, "10.99.0.1"), "the gateway");
	cr_expect_not(own(6, "10.77.0.2"));
	/* Somebody of the subnet gets a link of his own. */
	cr_assert_eq(add(7, 2, "10.99.0.2", NULL), 0);
	cr_expect_not(own(6, "10.99.0.2"));
	cr_expect(own(7, "10.99.0.2"));
	cr_expect_eq(locate(2, "10.99.0.2"), 7);
	cr_expect_eq(locate(2, "10.99.0.3"), 6);
	engine_link_remove(engine, 7);
	cr_expect(own(6, "10.99.0.2"));
}

Test(topology, networks_of_zones)
{
	cr_assert_eq(add(3, 1, "10.88.0.2", NULL), 0);
	cr_expect_eq(topology_network_of_zone(topology, 3), 1);
	cr_expect_eq(topology_network_of_zone(topology, 4), NETWORK_NONE);
	cr_expect_eq(topology_network_of_zone(topology, ZONE_UPLINK), NETWORK_NONE);
	cr_expect_eq(topology_network_of_zone(topology, ZONE_NONE), NETWORK_NONE);
	cr_expect_eq(topology_network_of_zone(topology, ZONE_SERVICE(2)), 2);
}

Test(topology, broadcasts)
{
	static const struct {
		const char *address;
		bool broadcast;
	} rows[] = {
		{"255.255.255.255", true},
		{"10.77.0.255", true},
		{"10.77.0.0", true},
		{"10.77.0.254", false},
		{"10.88.0.255", false},
		{"10.88.255.255", true},
		{"10.99.0.3", true},
		{"192.0.2.255", false},
		{"fd77::ffff", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const union addr a = address(rows[i].address);
		cr_expect_eq(topology_is_broadcast(
				     topology, NETWORK_NONE, family_of(rows[i].address), &a),
			rows[i].broadcast, "%s", rows[i].address);
	}
}

/* RFC 3021: both addresses of a /31 are hosts'; a /32 has nothing but its one. */
Test(topology, networks_without_a_broadcast)
{
	const struct network_config networks[] = {
		network("10.1.0.0/31", NULL), network("10.2.0.0/32", NULL)};
	const union addr low = address("10.1.0.0"), high = address("10.1.0.1"),
			 one = address("10.2.0.0");

	engine_networks_set(engine, networks, 2);
	cr_expect_not(topology_is_broadcast(topology, NETWORK_NONE, AF_INET, &low));
	cr_expect_not(topology_is_broadcast(topology, NETWORK_NONE, AF_INET, &high));
	cr_expect_not(topology_is_broadcast(topology, NETWORK_NONE, AF_INET, &one));
}

Test(topology, externals)
{
	const union addr a = address("192.0.2.1"), b = address("2001:db8::1");
	char text[32];

	cr_expect_eq(engine_external_add(engine, AF_INET, &a), 0);
	cr_expect_eq(engine_external_add(engine, AF_INET6, &b), 0);
	cr_expect_eq(engine_external_add(engine, AF_INET, &a), 0);
	cr_expect_eq(topology_external(topology, AF_INET, &a), 0);
	cr_expect_eq(topology_external(topology, AF_INET6, &b), 1);
	cr_expect_eq(topology_external(topology, AF_INET6, &a), -1);
	for (unsigned i = 2; i < ENGINE_EXTERNALS_MAX; i++) {
		snprintf(text, sizeof(text), "192.0.2.%u", 100 + i);
		const union addr c = address(text);
		cr_expect_eq(engine_external_add(engine, AF_INET, &c), 0);
	}
	const union addr more = address("192.0.2.99");
	cr_expect_eq(engine_external_add(engine, AF_INET, &more), -ENOSPC);
	cr_expect_eq(engine_external_del(engine, AF_INET, &a), 0);
	cr_expect_eq(topology_external(topology, AF_INET, &a), -1);
	cr_expect_eq(engine_external_add(engine, AF_INET, &more), 0);
	cr_expect_eq(topology_external(topology, AF_INET, &more), 0);
}

static struct forward forward(uint8_t protocol, const char *host, uint16_t first, uint16_t last)
{
	struct forward f = {.protocol = protocol,
		.ports = {first, last},
		.guest_family = AF_INET,
		.guest = address("10.77.0.2"),
		.guest_port = 80};

	if (host != NULL) {
		f.host_family = AF_INET;
		f.host = address(host);
	}
	return f;
}

Test(topology, forwards)
{
	const struct forward any = forward(IPPROTO_TCP, NULL, 8080, 8089);
	const struct forward one = forward(IPPROTO_TCP, "192.0.2.1", 9000, 9000);
	const union addr a = address("192.0.2.1"), b = address("192.0.2.2");

	cr_assert_eq(engine_forward_add(engine, &any), 0);
	cr_assert_eq(engine_forward_add(engine, &one), 0);
	cr_expect_not_null(topology_forward(topology, IPPROTO_TCP, AF_INET, &a, 8080));
	cr_expect_not_null(topology_forward(topology, IPPROTO_TCP, AF_INET, &b, 8089));
	cr_expect_null(topology_forward(topology, IPPROTO_TCP, AF_INET, &a, 8090));
	cr_expect_null(topology_forward(topology, IPPROTO_UDP, AF_INET, &a, 8080));
	cr_expect_null(topology_forward(topology, IPPROTO_TCP, AF_INET6, &a, 8080));
	cr_expect_not_null(topology_forward(topology, IPPROTO_TCP, AF_INET, &a, 9000));
	cr_expect_null(topology_forward(topology, IPPROTO_TCP, AF_INET, &b, 9000));
	cr_expect_eq(engine_forward_del(engine, &any), 0);
	cr_expect_null(topology_forward(topology, IPPROTO_TCP, AF_INET, &a, 8080));
	cr_expect_not_null(topology_forward(topology, IPPROTO_TCP, AF_INET, &a, 9000));
}

Test(topology, forwards_are_so_many)
{
	for (unsigned i = 0; i < ENGINE_FORWARDS_MAX; i++) {
		const uint16_t port = (uint16_t)(2000 + i);
		const struct forward f = forward(IPPROTO_TCP, NULL, port, port);
		cr_assert_eq(engine_forward_add(engine, &f), 0);
	}
	const struct forward more = forward(IPPROTO_TCP, NULL, 1, 1);
	const struct forward last = forward(IPPROTO_TCP, NULL, 2000, 2000);
	cr_expect_eq(engine_forward_add(engine, &more), -ENOSPC);
	cr_expect_eq(engine_forward_del(engine, &last), 0);
	cr_expect_eq(engine_forward_add(engine, &more), 0);
}

/* Networks may be replaced while links are there. */
Test(topology, links_stay_when_networks_change)
{
	const struct network_config networks[] = {network("10.77.0.0/16", "fd77::/48")};

	cr_assert_eq(add(3, 0, "10.77.0.2", "fd77::2"), 0);
	cr_assert_eq(add(4, 1, "10.88.0.2", NULL), 0);
	const uint16_t generation = engine->generation;
	engine_networks_set(engine, networks, 1);
	cr_expect_eq(locate(0, "10.77.0.2"), 3);
	cr_expect_neq(engine->generation, generation, "cached verdicts are forgotten");
}
