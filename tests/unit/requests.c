/* SPDX-License-Identifier: BSD-2-Clause */
/* requests: parameters, and the methods that look, asked over a real socket. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../support/butler.h"

/* ---- bad parameters ---- */

Test(requests, bad_parameters_are_explained)
{
	static const struct {
		const char *method, *params, *code, *message;
	} rows[] = {
		{"status", "{\"x\":1}", "bad-request", "takes no parameters"},
		{"connections", "{\"x\":1}", "bad-request", "unknown parameter `x`: allowed: pro"},
		{"connections", "{\"port\":\"80\"}", "bad-request", "`port` must be a whole"},
		{"connections", "{\"port\":-1}", "bad-request", "`port` must be a whole"},
		{"connections", "{\"port\":0}", "invalid", "1 to 65535"},
		{"connections", "{\"port\":65536}", "invalid", "1 to 65535"},
		{"connections", "{\"link\":\"nobody\"}", "not-found", "no link `nobody`"},
		{"connections", "{\"protocol\":\"tpc\"}", "invalid", "bad protocol `tpc`"},
		{"connections", "{\"protocol\":\"256\"}", "invalid", "bad protocol `256`"},
		{"connections", "{\"address\":\"10.0.0.1/8\"}", "invalid", "bad address"},
		{"connections.flush", "{\"limit\":1}", "bad-request", "unknown parameter `limit`"},
		{"connections.follow", "{\"limit\":1}", "bad-request", "unknown parameter `limit`"},
		{"forward.add", "{}", "bad-request", "`protocol` is missing"},
		{"forward.add", "{\"protocol\":\"tcp\",\"host\":\"80\"}", "bad-request",
			"`guest` is missing"},
		{"forward.add", "{\"protocol\":\"tcp\",\"host\":\"x\",\"guest\":\"guest:80\"}",
			"invalid", "bad port"},
		{"forward.add", "{\"protocol\":\"tcp\",\"host\":\"80\",\"guest\":\"gueest\"}",
			"invalid", "guest"},
		{"forward.del", "{\"protocol\":\"xdp\",\"host\":\"80\"}", "invalid", "protocol"},
		{"forward.del", "{\"protocol\":\"tcp\",\"host\":\"80-\"}", "invalid", "bad port"},
		{"forward.del", "{\"protocol\":\"tcp\",\"host\":\"1.2.3:80\"}", "invalid",
			"bad host address `1.2.3`"},
		{"attach", "{}", "bad-request", "attach what?"},
		{"attach", "{\"netns\":7}", "bad-request", "`netns` must be a string"},
		{"attach", "{\"descriptor\":true}", "bad-request", "no descriptor came"},
		{"attach", "{\"netns\":\"a\",\"network\":\"b\"}", "not-found", "no network `b`"},
		{"attach", "{\"netns\":\"a\",\"mtu\":70000}", "invalid", "bad mtu"},
		{"attach", "{\"netns\":\"a\",\"mtu\":100}", "invalid", "bad mtu"},
		{"attach", "{\"netns\":\"a\",\"device\":\"a/b\"}", "invalid", "bad interface name"},
		{"attach", "{\"netns\":\"a\",\"device\":\"\"}", "invalid", "bad interface name"},
		{"attach", "{\"netns\":\"a\",\"device\":\"sixteen-letters-\"}", "invalid",
			"bad interface name"},
		{"attach", "{\"netns\":\"a\",\"addresses\":\"10.77.0.9\"}", "bad-request",
			"`addresses` must be a list"},
		{"attach", "{\"netns\":\"a\",\"addresses\":[1]}", "bad-request", "list of strings"},
		{"attach", "{\"netns\":\"a\",\"addresses\":[\"0.0.0.0\"]}", "invalid",
			"bad address `0.0.0.0`"},
		{"attach", "{\"netns\":\"a\",\"addresses\":[\"10.77.0.9\",\"10.77.0.8\"]}",
			"invalid", "more than one IPv4"},
		{"detach", "{}", "bad-request", "`name` is missing"},
		{"original", "{\"protocol\":\"tcp\"}", "bad-request", "`peer` is missing"},
		{"original", "{\"protocol\":\"icmp\",\"peer\":\"127.0.0.1:1\"}", "invalid",
			"allowed: tcp, udp"},
		{"original", "{\"protocol\":\"tcp\",\"peer\":\"127.0.0.1\"}", "invalid",
			"bad address and port"},
		{"original", "{\"protocol\":\"tcp\",\"peer\":\"::1:80\"}", "invalid",
			"bad address and port"},
		{"original", "{\"protocol\":\"tcp\",\"peer\":\"[127.0.0.1]:80\"}", "invalid",
			"bad address and port"},
		{"original", "{\"protocol\":\"tcp\",\"peer\":\"127.0.0.1:0\"}", "invalid",
			"bad address and port"},
		{"original", "{\"protocol\":\"tcp\",\"peer\":\"127.0.0.1:4\",\"local\":\"x\"}",
			"invalid", "bad address and port"},
		{"original", "{\"protocol\":\"tcp\",\"peer\":\"127.0.0.1:4\"}", "not-found",
			"no connection that was redirected"},
	};
	struct butler *butler = butler_open();

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_error(butler, rows[i].method, rows[i].params, rows[i].code, rows[i].message);
	cr_expect_not(butler->attached);
	butler_close(butler);
}

/* ---- looking ---- */

Test(requests, status_says_what_is_in_use)
{
	struct butler *butler = butler_open();

	make_flows(butler);
	json_t *status = result_of(butler, "status", NULL);
	expect_texts(status, (const struct expected[]){
				     {"version", TUNGATE_VERSION},
				     {"uptime_s", "61"},
				     {"guard", "clsact"},
				     {"networks", "3"},
				     {"links", "2"},
				     {"forwards", "0"},
				     {"flows.now", "3"},
				     {"flows.max", "1024"},
				     {"flows.created", "3"},
				     {"traffic.from_guests.packets", "3"},
				     {"traffic.to_guests.packets", "1"},
				     {"traffic.from_uplink.packets", "1"},
				     {"traffic.to_uplink.packets", "3"},
				     {"drops", "0"},
				     {NULL, NULL},
			     });
	cr_expect(json_is_null(json_object_get(status, "config")));
	const json_t *uplink = json_array_get(json_object_get(status, "uplinks"), 0);
	cr_expect_str_eq(at(uplink, "next_hop4"), "192.0.2.254");
	cr_expect(json_is_null(json_object_get(uplink, "address6")));
	json_decref(status);
	butler_close(butler);
}

Test(requests, networks_and_links_are_listed)
{
	struct butler *butler = butler_open();

	make_flows(butler);
	json_t *networks = result_of(butler, "networks", NULL);
	cr_assert_eq(json_array_size(networks), 3);
	expect_texts(json_array_get(networks, 1), (const struct expected[]){
							  {"name", "far"},
							  {"subnet4", "10.88.0.0/24"},
							  {"gateway6", "fd88::1"},
							  {"mtu", "1300"},
							  {"links", "0"},
							  {NULL, NULL},
						  });
	json_decref(networks);

	json_t *links = result_of(butler, "links", NULL);
	cr_assert_eq(json_array_size(links), 2);
	expect_texts(json_array_get(links, 0), (const struct expected[]){
						       {"name", "guest"},
						       {"network", "lab"},
						       {"state", "up"},
						       {"source", "config"},
						       {"address4", "10.77.0.2"},
						       {"age_s", "5"},
						       {"in.packets", "2"},
						       {"out.packets", "1"},
						       {NULL, NULL},
					       });
	json_decref(links);
	butler_close(butler);
}

Test(requests, rules_are_listed_with_counters)
{
	struct butler *butler = butler_open();

	make_flows(butler);
	json_t *rules = result_of(butler, "rules", NULL);
	const json_t *chains = json_object_get(rules, "chains");
	cr_assert_eq(json_array_size(chains), CHAIN_COUNT);
	const json_t *forward = json_array_get(chains, CHAIN_FORWARD);
	cr_expect_str_eq(at(forward, "chain"), "forward");
	const struct rules *config = &butler->lab->config->chains[CHAIN_FORWARD];
	const json_t *list = json_object_get(forward, "rules");
	cr_assert_eq(json_array_size(list), config->count);
	uint64_t packets = 0;
	for (unsigned i = 0; i < config->count; i++) {
		const json_t *rule = json_array_get(list, i);
		cr_expect_str_eq(at(rule, "rule"), config->rule[i].text);
		packets += strtoull(at(rule, "counter.packets"), NULL, 10);
	}
	cr_expect_eq(packets, 4, "each packet is counted by one rule");
	cr_expect_str_eq(at(forward, "policy.action"), "reject");
	cr_expect_eq(config->policy, RULE_REJECT);
	const json_t *nat = json_object_get(rules, "nat");
	cr_expect_eq(json_array_size(nat), butler->lab->config->nat.count);
	cr_expect_str_eq(at(json_array_get(nat, 0), "action"), "masquerade");
	json_decref(rules);
	butler_close(butler);
}

Test(requests, guests_and_what_they_have)
{
	struct butler *butler = butler_open();

	play(butler, "guest udp guest:5000 > server:53", "uplink");
	json_t *guests = result_of(butler, "guests", NULL);
	cr_assert_eq(json_array_size(guests), 3, "the tun link has nobody behind it");
	expect_texts(json_array_get(guests, 0), (const struct expected[]){
							{"link", "guest"},
							{"network", "lab"},
							{"address4", "10.77.0.2"},
							{"address6", "fd77::2"},
							{"flows.out", "1"},
							{"flows.in", "0"},
							{"half_open.out", "1"},
							{"ports.udp", "1"},
							{"ports.tcp", "0"},
							{"expectations.max", "64"},
							{"per_second.icmp_errors", "100"},
							{"refused.flows", "0"},
							{"refused.icmp_errors", "0"},
							{NULL, NULL},
						});
	cr_expect(json_is_null(json_object_get(
		json_object_get(json_array_get(guests, 0), "per_second"), "packets")));
	json_decref(guests);
	butler_close(butler);
}

Test(requests, domains_that_guests_asked_for)
{
	struct butler *butler = butler_open_in(
		&(const struct lab_options){.config = "[filter forward]\n"
						      "rule = accept to domain good.example\n"});
	struct engine *engine = butler->lab->engine;
	const union addr server = lab_address(butler->lab, "server");

	struct domain_answer answer = {
		.name = "good.example", .family = AF_INET, .address = server, .ttl_s = 90};

	engine_domain_learn(engine, &answer, butler->lab->now_ms - 10);
	answer.link = 1;
	answer.name = "other.example";
	engine_domain_learn(engine, &answer, butler->lab->now_ms);
	json_t *domains = result_of(butler, "domains", NULL);
	cr_assert_eq(json_array_size(domains), 3);
	expect_texts(json_array_get(domains, 0), (const struct expected[]){
							 {"link", "guest"},
							 {"network", "lab"},
							 {"name", "good.example"},
							 {"state", "open"},
							 {"address", "198.51.100.1"},
							 {"expires_s", "90"},
							 {NULL, NULL},
						 });
	expect_texts(json_array_get(domains, 1), (const struct expected[]){
							 {"link", "second"},
							 {"name", "other.example"},
							 {"state", "resolved"},
							 {NULL, NULL},
						 });
	expect_texts(json_array_get(domains, 2), (const struct expected[]){
							 {"link", "guest"},
							 {"network", "lab"},
							 {"name", "bad.example"},
							 {"state", "refused"},
							 {"count", "3"},
							 {"age_s", "7"},
							 {NULL, NULL},
						 });
	cr_expect(json_is_null(json_object_get(json_array_get(domains, 2), "address")));
	json_decref(domains);
	butler_close(butler);
}

Test(requests, leases)
{
	struct butler *butler = butler_open();
	json_t *leases = result_of(butler, "leases", NULL);

	cr_assert_eq(json_array_size(leases), 1);
	expect_texts(json_array_get(leases, 0), (const struct expected[]){
							{"network", "lab"},
							{"link", "bridge"},
							{"address", "10.77.0.105"},
							{"mac", "52:54:00:12:34:56"},
							{"name", "web"},
							{"state", "over"},
							{"expires_s", "0"},
							{NULL, NULL},
						});
	json_decref(leases);
	butler_close(butler);
}

Test(requests, drops_are_listed_with_their_meaning)
{
	struct butler *butler = butler_open();

	play(butler, "uplink udp server:53 > host:9999", "drop not-for-us");
	json_t *drops = result_of(butler, "drops", NULL);
	cr_assert_eq(json_array_size(drops), DROP_COUNT);
	for (unsigned drop = 0; drop < DROP_COUNT; drop++) {
		const json_t *row = json_array_get(drops, drop);
		cr_expect_str_eq(at(row, "reason"), drop_name(drop));
		cr_expect_str_eq(at(row, "meaning"), drop_meaning(drop));
		cr_expect_str_eq(at(row, "packets"), drop == DROP_NOT_FOR_US ? "1" : "0");
	}
	json_decref(drops);
	json_t *version = result_of(butler, "version", NULL);
	cr_expect_str_eq(at(version, "version"), TUNGATE_VERSION);
	json_decref(version);
	butler_close(butler);
}

/* ---- where a proxy's client wanted to go ---- */

static void expect_original(struct butler *butler, const char *params, const char *source,
	const char *destination, const char *port)
{
	json_t *original = result_of(butler, "original", params);

	cr_expect_str_eq(
		at(original, "source"), lab_address_text(butler->lab, source, strlen(source)));
	cr_expect_str_eq(at(original, "destination"),
		lab_address_text(butler->lab, destination, strlen(destination)));
	cr_expect_str_eq(at(original, "destination_port"), port, "%s", params);
	json_decref(original);
}

Test(requests, the_original_destination_of_a_connection)
{
	struct butler *butler = butler_open();
	struct forward forward = {
		.protocol = IPPROTO_TCP,
		.ports = {8080, 8080},
		.guest_family = AF_INET,
		.guest = lab_address(butler->lab, "guest"),
		.guest_port = 80,
	};
	const char *server = lab_address_text(butler->lab, "server", 6);
	char params[160];

	cr_assert_eq(engine_forward_add(butler->lab->engine, &forward), 0);
	play(butler, "uplink tcp server:4000 > host:8080 S", "guest tcp server:4000 > guest:80 S");
	expect_original(butler, "{\"protocol\":\"tcp\",\"peer\":\"127.0.0.1:40000\"}", "guest",
		"server", "80");
	snprintf(params, sizeof(params), "{\"protocol\":\"tcp\",\"peer\":\"%s:4000\"}", server);
	expect_original(butler, params, "server", "host", "8080");
	snprintf(params, sizeof(params),
		"{\"protocol\":\"tcp\",\"peer\":\"%s:4000\",\"local\":\"10.77.0.2:80\"}", server);
	expect_original(butler, params, "server", "host", "8080");
	snprintf(params, sizeof(params),
		"{\"protocol\":\"tcp\",\"peer\":\"%s:4000\",\"local\":\"10.77.0.2:81\"}", server);
	expect_error(butler, "original", params, "not-found", "no connection");
	snprintf(params, sizeof(params), "{\"protocol\":\"udp\",\"peer\":\"%s:4000\"}", server);
	expect_error(butler, "original", params, "not-found", "no connection");
	make_flows(butler);
	expect_error(butler, "original", "{\"protocol\":\"udp\",\"peer\":\"10.77.0.2:5000\"}",
		"not-found", "no connection");
	butler_close(butler);
}
