/* SPDX-License-Identifier: BSD-2-Clause */
/* requests_rules: what the control socket tells of chains and sets. */
#include <criterion/criterion.h>
#include <stdio.h>
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

/* ---- rules.trace ---- */

static const char trace_config[] = "[chain web]\n"
				   "rule = return from 10.77.0.3\n"
				   "rule = accept proto tcp port 80 limit 1/day burst 1\n"
				   "[filter forward]\n"
				   "policy = reject\n"
				   "rule = accept state established\n"
				   "rule = accept forwarded\n"
				   "rule = jump web in lab out uplink\n"
				   "rule = drop proto udp length 0-27\n";

/* The trace as lines: of rules "CHAIN LINE yes" or "CHAIN LINE no WHY", of the rest as is. */
static char *traced(struct butler *butler, const char *packet)
{
	char params[256], *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	snprintf(params, sizeof(params), "{\"packet\":\"%s\"}", packet);
	json_t *result = result_of(butler, "rules.trace", params);
	const json_t *steps = json_object_get(result, "steps");
	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		if (json_object_get(step, "rule") != NULL)
			fprintf(to, "%s, %s: %s\n", at(step, "chain"), at(step, "rule"),
				json_is_true(json_object_get(step, "matches")) ? "yes"
									       : at(step, "why"));
		else
			fprintf(to, "%s: %s\n", at(step, "step"), at(step, "text"));
	}
	json_decref(result);
	fclose(to);
	return text;
}

static void expect_trace(struct butler *butler, const char *packet, const char *expected)
{
	char *text = traced(butler, packet);

	cr_expect_str_eq(text, expected, "%s:\n%s", packet, text);
	free(text);
}

static const char web_trace[] = "source: link guest\n"
				"connection: none yet: this packet would begin it\n"
				"destination: stays\n"
				"route: lab > uplink\n"
				"forward, accept state established: state is new\n"
				"forward, accept forwarded: not through a published port\n"
				"forward, jump web in lab out uplink: yes\n"
				"web, return from 10.77.0.3: from is 10.77.0.2\n"
				"web, accept proto tcp port 80 limit 1/day burst 1: yes\n"
				"verdict: passes\n"
				"source NAT: becomes 192.0.2.1, by in lan out uplink\n";

Test(requests_rules, a_trace_tells_of_domains)
{
	struct butler *butler =
		butler_open_in(LAB("[filter forward]\nrule = accept to domain good.example\n"));
	struct lab *lab = butler->lab;
	const union addr server = lab_address(lab, "server");
	static const struct {
		const char *name, *says;
		uint64_t wait_ms;
	} rows[] = {
		{NULL, "to domain good.example: the guest has asked for no name of 198.51.100.1\n",
			0},
		{"bad.example",
			"domain good.example: the guest has got this address for bad.example\n", 0},
		{"good.example", "to domain good.example: yes\n", 0},
		{NULL, "for good.example, and must ask again\n", 100000},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		lab_wait(lab, rows[i].wait_ms);
		const struct domain_answer answer = {
			.name = rows[i].name,
			.family = AF_INET,
			.address = server,
			.ttl_s = 60 + i,
		};
		if (rows[i].name != NULL)
			engine_domain_learn(lab->engine, &answer, lab->now_ms);
		char *text = traced(butler, "in lab tcp 10.77.0.2:4000 > 198.51.100.1:80 syn");
		cr_expect(strstr(text, rows[i].says) != NULL, "%s", text);
		free(text);
	}
	butler_close(butler);
}

/* However often it is asked, nothing is used up: the real packet passes, and then there is none
 * left. */
Test(requests_rules, a_trace_tells_each_step_and_changes_nothing)
{
	struct butler *butler = butler_open_in(LAB(trace_config));

	for (unsigned i = 0; i < 3; i++)
		expect_trace(butler, "in lab tcp 10.77.0.2:4000 > 198.51.100.1:80 syn", web_trace);
	cr_expect_eq(engine_status(butler->lab->engine)->flows, 0);
	json_t *rules = result_of(butler, "rules", NULL);
	const json_t *web = json_array_get(json_object_get(rules, "chains"), CHAIN_COUNT);
	cr_expect_str_eq(
		at(json_array_get(json_object_get(web, "rules"), 1), "counter.packets"), "0");
	json_decref(rules);

	play(butler, "guest tcp guest:4000 > server:80 S", "uplink tcp host:$a > server:80 S");
	char *text = traced(butler, "tcp 10.77.0.2:4001 > 198.51.100.1:80");
	cr_expect_not_null(strstr(text, "limit 1/day burst 1: the limit is reached\n"), "%s", text);
	free(text);
	text = traced(butler, "in guest tcp 10.77.0.2:4000 > 198.51.100.1:80 syn");
	cr_expect_not_null(strstr(text, "connection: a live one, id 0, syn-sent\n"), "%s", text);
	free(text);
	butler_close(butler);
}

Test(requests_rules, a_trace_ends_where_the_packet_does)
{
	struct butler *butler = butler_open_in(LAB(trace_config));

	expect_trace(butler, "in guest udp 10.77.0.9:1 > 198.51.100.1:2",
		"source: link guest\n"
		"connection: none yet: this packet would begin it\n"
		"verdict: dropped, spoofed: the source is not an address of the link or side it "
		"came from\n");
	expect_trace(butler, "in second udp 10.77.0.3:1 > 198.51.100.1:2 length 29",
		"source: link second\n"
		"connection: none yet: this packet would begin it\n"
		"destination: stays\n"
		"route: lab > uplink\n"
		"forward, accept state established: state is new\n"
		"forward, accept forwarded: not through a published port\n"
		"forward, jump web in lab out uplink: yes\n"
		"web, return from 10.77.0.3: yes\n"
		"forward, drop proto udp length 0-27: length is 29\n"
		"forward, policy reject: yes\n"
		"verdict: dropped, reject: a rule or a chain's policy said reject; its sender gets "
		"an ICMP error of type 3, code 13\n");
	char *text = traced(butler, "in second tcp 10.77.0.3:1 > 198.51.100.1:80 ack");
	cr_expect_not_null(strstr(text, "dropped, no-flow"), "%s", text);
	free(text);
	butler_close(butler);
}

Test(requests_rules, packets_that_are_none_are_refused)
{
	static const char *const rows[][2] = {
		{"", "where is the protocol?"},
		{"tpc 10.77.0.2 > 192.0.2.9", "did you mean `tcp`?"},
		{"tcp 10.77.0.2:x > 192.0.2.9", "bad source `10.77.0.2:x`"},
		{"tcp 10.77.0.2:70000 > 192.0.2.9", "bad source"},
		{"tcp 10.77.0.2:1 192.0.2.9", "where `>` belongs"},
		{"tcp 10.77.0.2:1 >", "where is the destination?"},
		{"tcp 10.77.0.2 > fd00::1", "different families"},
		{"tcp 10.77.0.2:1 > 192.0.2.9:80 sny", "unknown word `sny`: allowed: TCP flags"},
		{"udp 10.77.0.2:1 > 192.0.2.9:80 syn", "unknown word `syn`: allowed: ttl N"},
		{"udp 10.77.0.2:1 > 192.0.2.9:80 ttl 256", "bad ttl `256`"},
		{"in nowhere udp 10.77.0.2:1 > 192.0.2.9:80", "no link or network `nowhere`"},
		{"in lab udp 10.77.0.99:1 > 192.0.2.9:80", "no link of network `lab`"},
		{"in gateway udp 10.77.0.2:1 > 10.77.0.3:80", "no network's gateway"},
	};
	struct butler *butler = butler_open_in(LAB(trace_config));

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char params[256];

		snprintf(params, sizeof(params), "{\"packet\":\"%s\"}", rows[i][0]);
		expect_error(butler, "rules.trace", params, "invalid", rows[i][1]);
	}
	butler_close(butler);
}
