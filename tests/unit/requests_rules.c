/* SPDX-License-Identifier: BSD-2-Clause */
/* requests_rules: what the control socket tells of chains and sets. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "../support/butler.h"
#include "../support/steps.h"

static const char config[] = "[sets]\n"
			     "ports = 443, 80-90, 85-100\n"
			     "peers = 192.0.2.9, 192.0.2.8, 10.0.0.1-10.0.0.3\n"
			     "none =\n"
			     "[chain dns]\n"
			     "rule = accept proto udp port 53 log \"dns\" comment \"names, all\"\n"
			     "[filter forward]\n"
			     "rule = accept state established\n"
			     "rule = jump dns\n";

Test(requests_rules, chains_of_the_user_follow_those_of_the_filter)
{
	struct butler *butler = butler_open_in(LAB(config));

	play(butler, "guest udp guest:5000 > server:53", "uplink udp host:$a > server:53");
	json_t *rules = result_of(butler, "rules", NULL);
	const json_t *chains = json_object_get(rules, "chains");
	cr_assert_eq(json_array_size(chains), CHAIN_COUNT + 1);
	const json_t *dns = json_array_get(chains, CHAIN_COUNT);
	cr_expect_str_eq(at(dns, "chain"), "dns");
	cr_expect(json_is_null(json_object_get(dns, "policy")));
	const json_t *rule = json_array_get(json_object_get(dns, "rules"), 0);
	expect_texts(
		rule, (const struct expected[]){{"counter.packets", "1"}, {"comment", "names, all"},
			      {"log.prefix", "dns"}, {"log.suppressed", "0"}, {NULL, NULL}});
	const json_t *jump =
		json_array_get(json_object_get(json_array_get(chains, CHAIN_FORWARD), "rules"), 1);
	expect_texts(jump, (const struct expected[]){
				   {"rule", "jump dns"}, {"counter.packets", "1"}, {NULL, NULL}});
	cr_expect(json_is_null(json_object_get(jump, "log")));
	json_decref(rules);
	butler_close(butler);
}

Test(requests_rules, sets_are_shown_sorted_and_merged)
{
	struct butler *butler = butler_open_in(LAB(config));
	json_t *rules = result_of(butler, "rules", NULL);
	const json_t *sets = json_object_get(rules, "sets");

	cr_assert_eq(json_array_size(sets), 3);
	expect_texts(
		json_array_get(sets, 0), (const struct expected[]){{"name", "ports"},
						 {"kind", "ports"}, {"count", "2"}, {NULL, NULL}});
	const json_t *ports = json_object_get(json_array_get(sets, 0), "elements");
	cr_expect_str_eq(json_string_value(json_array_get(ports, 0)), "80-100");
	const json_t *peers = json_object_get(json_array_get(sets, 1), "elements");
	cr_assert_eq(json_array_size(peers), 3);
	cr_expect_str_eq(json_string_value(json_array_get(peers, 0)), "10.0.0.1-10.0.0.3");
	cr_expect_str_eq(json_string_value(json_array_get(peers, 1)), "192.0.2.8");
	cr_expect_str_eq(at(json_array_get(sets, 2), "kind"), "empty");
	json_decref(rules);
	butler_close(butler);
}
