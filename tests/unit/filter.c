/* SPDX-License-Identifier: BSD-2-Clause */
/* filter: how a rule matches, row by row; the rules are written as users write them. */
#include "engine/filter.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/state.h"

#define UPLINK NETWORK_NONE

static const char networks[] = "[network lab]\nsubnet = 10.77.0.0/24, fd77::/64\n"
			       "[network far]\nsubnet = 10.88.0.0/24, fd88::/64\n";

static struct config *parse(const char *rules)
{
	char text[2048];
	struct config_errors errors = {0};

	snprintf(text, sizeof(text), "%s%s", networks, rules);
	struct config *config = config_parse("test", text, &errors);
	cr_assert_not_null(config, "%s", errors.count ? errors.text[0] : "no memory");
	return config;
}

/* What is asked: packets of networks 0 and 1 and the uplink. */
struct ask {
	uint16_t in, out;
	uint8_t protocol;
	const char *source, *destination;
	uint16_t source_port, destination_port;
	uint8_t state;
	uint8_t icmp_type, icmp_code;
	bool forwarded;
};

#define ASK(...)                                                                                   \
	{                                                                                          \
		.in = 0, .out = UPLINK, .protocol = IPPROTO_TCP, .source = "10.77.0.2",            \
		.destination = "8.8.8.8", .source_port = 4000, .destination_port = 80,             \
		.state = RULE_STATE_NEW, __VA_ARGS__                                               \
	}

#pragma GCC diagnostic ignored "-Woverride-init"

static const struct row {
	const char *rule;
	bool matches;
	struct ask ask;
} rows[] = {
	{"accept", true, ASK(.in = 0)},
	/* sides */
	{"accept in lan", true, ASK(.in = 1)},
	{"accept in lan", false, ASK(.in = UPLINK)},
	{"accept in uplink", true, ASK(.in = UPLINK)},
	{"accept in uplink", false, ASK(.in = 0)},
	{"accept in far", true, ASK(.in = 1)},
	{"accept in far", false, ASK(.in = 0)},
	{"accept in far", false, ASK(.in = UPLINK)},
	{"accept out uplink", true, ASK(.out = UPLINK)},
	{"accept out uplink", false, ASK(.out = 1)},
	{"accept in lab out far", true, ASK(.out = 1)},
	{"accept in lab out far", false, ASK(.in = 1, .out = 0)},
	/* addresses */
	{"accept from 10.77.0.0/30", true, ASK(.source = "10.77.0.3")},
	{"accept from 10.77.0.0/30", false, ASK(.source = "10.77.0.4")},
	{"accept from 10.77.0.0/30", false, ASK(.source = "fd77::2")},
	{"accept to 8.8.8.8", true, ASK(.in = 0)},
	{"accept to 8.8.8.8", false, ASK(.destination = "8.8.8.9")},
	{"accept to 1.1.1.1,8.8.8.0/24,fd00::/8", true, ASK(.in = 0)},
	{"accept to 1.1.1.1,8.8.8.0/24,fd00::/8", true,
		ASK(.source = "fd77::2", .destination = "fd00::1")},
	{"accept to 0.0.0.0/0", true, ASK(.in = 0)},
	{"accept to 0.0.0.0/0", false, ASK(.source = "fd77::2", .destination = "fd00::1")},
	{"accept from 10.77.0.2 to 1.1.1.1", false, ASK(.in = 0)},
	/* protocols and ports */
	{"accept proto tcp", true, ASK(.in = 0)},
	{"accept proto tcp", false, ASK(.protocol = IPPROTO_UDP)},
	{"accept proto 47", true, ASK(.protocol = IPPROTO_GRE)},
	{"accept proto 47", false, ASK(.in = 0)},
	{"accept proto tcp to port 80,443", true, ASK(.destination_port = 443)},
	{"accept proto tcp to port 80,443", false, ASK(.destination_port = 81)},
	{"accept proto tcp to port 8000-8010", true, ASK(.destination_port = 8000)},
	{"accept proto tcp to port 8000-8010", true, ASK(.destination_port = 8010)},
	{"accept proto tcp to port 8000-8010", false, ASK(.destination_port = 8011)},
	{"accept proto tcp to port 8000-8010", false, ASK(.destination_port = 7999)},
	{"accept proto tcp to port 80", false, ASK(.protocol = IPPROTO_UDP)},
	{"accept proto udp from port 53", true, ASK(.protocol = IPPROTO_UDP, .source_port = 53)},
	{"accept proto udp from port 53", false,
		ASK(.protocol = IPPROTO_UDP, .destination_port = 53)},
	/* ICMP, by family */
	{"accept proto icmp", true, ASK(.protocol = IPPROTO_ICMP)},
	{"accept proto icmp", true,
		ASK(.protocol = IPPROTO_ICMPV6, .source = "fd77::2", .destination = "fd00::1")},
	{"accept proto icmp", false, ASK(.in = 0)},
	{"accept proto icmp icmp-type echo-request", true,
		ASK(.protocol = IPPROTO_ICMP, .icmp_type = 8)},
	{"accept proto icmp icmp-type echo-request", false,
		ASK(.protocol = IPPROTO_ICMP, .icmp_type = 0)},
	{"accept proto icmp icmp-type echo-request", false,
		ASK(.protocol = IPPROTO_ICMP, .icmp_type = 128)},
	{"accept proto icmp icmp-type echo-request", true,
		ASK(.protocol = IPPROTO_ICMPV6, .source = "fd77::2", .destination = "fd00::1",
			.icmp_type = 128)},
	{"accept proto icmp icmp-type echo-request", false,
		ASK(.protocol = IPPROTO_ICMPV6, .source = "fd77::2", .destination = "fd00::1",
			.icmp_type = 8)},
	/* states */
	{"accept state new", true, ASK(.state = RULE_STATE_NEW)},
	{"accept state new", false, ASK(.state = RULE_STATE_ESTABLISHED)},
	{"accept state established,related", true, ASK(.state = RULE_STATE_RELATED)},
	{"accept state established,related", true, ASK(.state = RULE_STATE_ESTABLISHED)},
	{"accept state established,related", false, ASK(.state = RULE_STATE_NEW)},
	{"accept forwarded", true, ASK(.forwarded = true)},
	{"accept forwarded", false, ASK(.forwarded = false)},
};

static uint16_t run(const struct chain_rules *chain, const struct ask *ask)
{
	union addr source, destination;
	uint8_t family;

	cr_assert(addr_parse(ask->source, &source, &family));
	cr_assert(addr_parse(ask->destination, &destination, &family));
	const struct filter_query query = {
		.in_network = ask->in,
		.out_network = ask->out,
		.family = family,
		.protocol = ask->protocol,
		.state = ask->state,
		.forwarded = ask->forwarded,
		.helper = NO_HELPER,
		.has_ports = ask->protocol == IPPROTO_TCP || ask->protocol == IPPROTO_UDP,
		.has_packet = true,
		.is_icmp = ask->protocol == IPPROTO_ICMP || ask->protocol == IPPROTO_ICMPV6,
		.icmp_type = ask->icmp_type,
		.icmp_code = ask->icmp_code,
		.source_port = ask->source_port,
		.destination_port = ask->destination_port,
		.source = &source,
		.destination = &destination,
	};
	return filter_run(chain, &query);
}

Test(filter, rules_match)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "[filter forward]\nrule = %s\n", rows[i].rule);
		struct config *config = parse(text);
		struct ruleset *ruleset = ruleset_create(config);
		cr_assert_eq(config->chains[CHAIN_FORWARD].count, 1);
		cr_expect_eq(run(&ruleset->chain[CHAIN_FORWARD], &rows[i].ask),
			rows[i].matches ? 0 : 1, "row %zu: %s", i, rows[i].rule);
		ruleset_free(ruleset);
		config_free(config);
	}
}

/* Thousands of prefixes, sorted and merged, searched by halves: at each edge and in each gap. */
Test(filter, large_sets_are_exact)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	struct config_errors errors = {0};

	fputs("[sets]\n", to);
	for (unsigned i = 4095; i < 4096; i--) /* backwards: to be sorted */
		fprintf(to, "many = 10.%u.%u.4/30,10.%u.%u.8-10.%u.%u.10\n", i / 256, i % 256,
			i / 256, i % 256, i / 256, i % 256);
	fputs("many = fd00::/64\n[filter forward]\nrule = drop to @many\n", to);
	fclose(to);
	struct config *config = config_parse("test", text, &errors);
	cr_assert_not_null(config, "%s", errors.count ? errors.text[0] : "no memory");
	cr_expect_eq(config->sets[0].count, 2 * 4096 + 1);
	struct ruleset *ruleset = ruleset_create(config);
	config_free(config);
	free(text);
	for (unsigned i = 0; i < 4096; i += 5) {
		for (unsigned last = 3; last <= 11; last++) {
			char address[32];
			const struct ask ask = ASK(.destination = address);

			snprintf(address, sizeof(address), "10.%u.%u.%u", i / 256, i % 256, last);
			cr_expect_eq(run(&ruleset->chain[CHAIN_FORWARD], &ask) == 0,
				last >= 4 && last <= 10, "%s", address);
		}
	}
	static const struct ask inside = ASK(.source = "fd77::2", .destination = "fd00::ffff"),
				outside = ASK(.source = "fd77::2", .destination = "fd00:0:0:1::");
	cr_expect_eq(run(&ruleset->chain[CHAIN_FORWARD], &inside), 0);
	cr_expect_eq(run(&ruleset->chain[CHAIN_FORWARD], &outside), 1);
	ruleset_free(ruleset);
}

Test(filter, sets_merge_what_touches_or_overlaps)
{
	struct config *config = parse("[sets]\na = 10.0.0.5-10.0.0.9, 10.0.0.1-10.0.0.6\n"
				      "a = 10.0.0.2, ::/0\nb = 80,1-90,70-100,200\nc =\n");

	cr_expect_eq(config->sets[0].count, 2);
	cr_expect_eq(config->sets[1].count, 2);
	cr_expect_eq(config->sets[1].ports[0].last, 100);
	cr_expect_eq(config->sets[2].kind, SET_EMPTY);
	config_free(config);
}

Test(filter, the_first_match_decides_and_the_policy_is_last)
{
	static const struct ask web = ASK(.destination_port = 80),
				tls = ASK(.destination_port = 443),
				ssh = ASK(.destination_port = 22);
	struct config *config = parse("[filter forward]\npolicy = drop\n"
				      "rule = reject proto tcp to port 80\n"
				      "rule = accept proto tcp to port 1-1000\n"
				      "rule = drop proto tcp to port 22\n");
	struct ruleset *ruleset = ruleset_create(config);
	const struct chain_rules *chain = &ruleset->chain[CHAIN_FORWARD];

	config_free(config); /* nothing of it is needed any more */
	cr_expect_eq(run(chain, &web), 0);
	cr_expect_eq(run(chain, &tls), 1);
	cr_expect_eq(run(chain, &ssh), 1);
	cr_expect_eq(filter_action(chain, 0), RULE_REJECT);
	cr_expect_eq(filter_action(chain, 1), RULE_ACCEPT);
	cr_expect_eq(filter_action(chain, 3), RULE_DROP);
	ruleset_free(ruleset);
}

static struct ruleset *rules(const char *text)
{
	struct config *config = parse(text);
	struct ruleset *ruleset = ruleset_create(config);

	config_free(config);
	return ruleset;
}

static uint64_t packets(const struct engine *engine, unsigned index)
{
	struct rule_info info;

	cr_assert(engine_rule_info(engine, CHAIN_FORWARD, index, &info));
	return info.counter.packets;
}

Test(filter, counters_follow_their_rules)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	struct ruleset *first = rules("[filter forward]\npolicy = drop\n"
				      "rule = accept proto tcp\n"
				      "rule = accept proto udp\n"
				      "rule = accept proto tcp\n"
				      "[nat]\nmasquerade = in lab\n");
	struct rule_info info;

	cr_expect_null(engine_ruleset_swap(engine, first));
	for (unsigned i = 0; i < 4; i++)
		first->chain[CHAIN_FORWARD].counter[i].packets = 10 + i;
	first->nat.counter[0].packets = 5;
	struct ruleset *second = rules("[filter forward]\npolicy = drop\n"
				       "rule = accept proto udp\n"
				       "rule = accept proto tcp\n"
				       "rule = accept proto icmp\n"
				       "[nat]\nmasquerade = in lab\n");
	cr_expect_eq(engine_ruleset_swap(engine, second), first);
	ruleset_free(first);
	cr_expect_eq(packets(engine, 0), 11);
	cr_expect_eq(packets(engine, 1), 10, "the first of two with the same words");
	cr_expect_eq(packets(engine, 2), 0);
	cr_expect_eq(packets(engine, 3), 13, "the policy");
	cr_expect_eq(second->nat.counter[0].packets, 5);
	cr_expect(engine_rule_info(engine, CHAIN_FORWARD, 3, &info));
	cr_expect_null(info.rule);
	cr_expect_not(engine_rule_info(engine, CHAIN_FORWARD, 4, &info));

	/* Another policy is another rule. */
	struct ruleset *third = rules("[filter forward]\npolicy = accept\n");
	ruleset_free(engine_ruleset_swap(engine, third));
	cr_expect_eq(packets(engine, 0), 0);
	ruleset_free(third);
	free(engine);
}

/* Rules that changed places go on counting as well. */
Test(filter, counters_follow_rules_that_moved)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	struct ruleset *first = rules("[filter forward]\n"
				      "rule = accept proto tcp\n"
				      "rule = accept proto udp\n");

	engine_ruleset_swap(engine, first);
	first->chain[CHAIN_FORWARD].counter[0].packets = 1;
	first->chain[CHAIN_FORWARD].counter[1].packets = 2;
	struct ruleset *second = rules("[filter forward]\n"
				       "rule = accept proto udp\n"
				       "rule = accept proto tcp\n");
	ruleset_free(engine_ruleset_swap(engine, second));
	cr_expect_eq(packets(engine, 0), 2);
	cr_expect_eq(packets(engine, 1), 1);
	ruleset_free(second);
	free(engine);
}
