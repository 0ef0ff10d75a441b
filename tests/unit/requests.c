/* SPDX-License-Identifier: BSD-2-Clause */
/* requests: every method, asked over a real socket, of a real engine and a make-believe daemon. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../support/steps.h"
#include "../support/talk.h"
#include "../support/world.h"
#include "daemon/requests.h"

#define FORWARDS_MAX 8

/* ---- a daemon that remembers what it was asked ---- */

struct fake {
	struct lab *lab;
	uv_loop_t loop;
	struct requests *requests;
	struct control_server *server;
	struct talk talk;
	char directory[64], path[128];

	struct forward forwards[FORWARDS_MAX];
	unsigned forward_count;
	struct daemon_attach attach; /* the last one; strings copied below */
	char attach_name[64], attach_where[64];
	bool attached; /* the link "fresh" */
	int refusal;   /* what the next action returns, with a sentence */
};

static int refuse(struct fake *fake, struct request_error *error)
{
	if (fake->refusal < 0)
		snprintf(error->text, sizeof(error->text), "the daemon says %d", fake->refusal);
	return fake->refusal;
}

static const struct config *fake_config(void *context)
{
	return ((struct fake *)context)->lab->config;
}

static void fake_status(void *context, struct daemon_status *status)
{
	(void)context;
	*status = (struct daemon_status){
		.started_s = 1000,
		.uptime_ms = 61500,
		.guard = "clsact",
		.uplink_count = 1,
		.uplinks = {{.name = "eth0",
			.up = true,
			.mtu = 1500,
			.address4 = addr_v4(192, 0, 2, 1),
			.next_hop4 = addr_v4(192, 0, 2, 254)}},
	};
}

static bool fake_link(void *context, unsigned index, struct daemon_link *link)
{
	static const char *const names[] = {"guest", "second", "fresh"};
	const struct fake *fake = context;

	if (index >= (fake->attached ? 3 : 2))
		return false;
	*link = (struct daemon_link){
		.zone = index < 2 ? lab_zone(fake->lab, names[index]) : 77,
		.mtu = 1500,
		.live = index == 2,
		.name = names[index],
		.kind = "netns",
		.device = "eth0",
		.place = index == 2 ? fake->attach_where : names[index],
		.address4 = addr_v4(10, 77, 0, (uint8_t)(2 + index)),
		.age_ms = 5000,
	};
	return true;
}

static const char *fake_link_name(void *context, zone_id zone)
{
	struct fake *fake = context;
	struct daemon_link link;

	for (unsigned i = 0; fake_link(fake, i, &link); i++)
		if (link.zone == zone)
			return link.name;
	return NULL;
}

static bool fake_find(void *context, const char *name, uint8_t family, uint16_t *network,
	uint8_t *found_family, union addr *address)
{
	if (strcmp(name, "fresh") != 0 || family == AF_INET6)
		return false;
	(void)context;
	*network = 0;
	*found_family = AF_INET;
	*address = addr_v4(10, 77, 0, 4);
	return true;
}

static int fake_attach(void *context, const struct daemon_attach *attach, struct daemon_link *link,
	struct request_error *error)
{
	struct fake *fake = context;

	if (fake->refusal < 0)
		return refuse(fake, error);
	fake->attach = *attach;
	snprintf(fake->attach_name, sizeof(fake->attach_name), "%s",
		attach->name ? attach->name : "(none)");
	snprintf(fake->attach_where, sizeof(fake->attach_where), "%s",
		attach->where ? attach->where : "(none)");
	fake->attached = true;
	return fake_link(fake, 2, link) ? 0 : -EIO;
}

static int fake_detach(void *context, const char *name, struct request_error *error)
{
	struct fake *fake = context;

	if (fake->refusal < 0)
		return refuse(fake, error);
	if (strcmp(name, "fresh") != 0 || !fake->attached) {
		snprintf(error->text, sizeof(error->text), "there is no link %s", name);
		return -ENOENT;
	}
	fake->attached = false;
	return 0;
}

static const struct forward *fake_forward(void *context, unsigned index)
{
	const struct fake *fake = context;

	return index < fake->forward_count ? &fake->forwards[index] : NULL;
}

static int fake_forward_add(
	void *context, const struct forward *forward, struct request_error *error)
{
	struct fake *fake = context;

	if (fake->refusal < 0)
		return refuse(fake, error);
	cr_assert_lt(fake->forward_count, FORWARDS_MAX);
	fake->forwards[fake->forward_count++] = *forward;
	return 0;
}

static int fake_forward_del(
	void *context, const struct forward *forward, struct request_error *error)
{
	struct fake *fake = context;

	if (fake->refusal < 0)
		return refuse(fake, error);
	for (unsigned i = 0; i < fake->forward_count; i++) {
		if (memcmp(&fake->forwards[i], forward, sizeof(*forward)) != 0)
			continue;
		fake->forwards[i] = fake->forwards[--fake->forward_count];
		return 0;
	}
	return -ENOENT;
}

static int fake_reload(void *context, struct config_errors *errors)
{
	struct fake *fake = context;

	if (fake->refusal == -EINVAL) {
		errors->count = 2;
		errors->text = calloc(2, sizeof(errors->text[0]));
		errors->text[0] = strdup("tungate.conf:3: unknown key `por\xffts`");
		errors->text[1] = strdup("tungate.conf:9: no");
	}
	return fake->refusal;
}

static struct fake *fake_open(void)
{
	struct fake *fake = calloc(1, sizeof(*fake));

	fake->lab = lab_open(AF_INET, LAB());
	engine_watch(fake->lab->engine, false);
	const struct daemon_ops ops = {
		.context = fake,
		.engine = fake->lab->engine,
		.names = {.find = fake_find, .context = fake},
		.config = fake_config,
		.status = fake_status,
		.link = fake_link,
		.link_name = fake_link_name,
		.attach = fake_attach,
		.detach = fake_detach,
		.forward = fake_forward,
		.forward_add = fake_forward_add,
		.forward_del = fake_forward_del,
		.reload = fake_reload,
	};
	fake->requests = requests_create(&ops);
	uv_loop_init(&fake->loop);
	strcpy(fake->directory, "/tmp/tungate-requests.XXXXXX");
	cr_assert_not_null(mkdtemp(fake->directory));
	snprintf(fake->path, sizeof(fake->path), "%s/control.sock", fake->directory);
	const struct control_settings settings = {
		.path = fake->path,
		.methods = requests_methods,
		.method_count = requests_method_count,
		.context = fake->requests,
	};
	cr_assert_eq(control_server_start(&fake->loop, world_log(), &settings, &fake->server), 0);
	fake->talk = talk_open(&fake->loop, fake->path);
	return fake;
}

static void fake_close(struct fake *fake)
{
	struct flow_info info;
	uint32_t cursor = 0;

	talk_close(&fake->talk);
	control_server_stop(fake->server);
	uv_run(&fake->loop, UV_RUN_DEFAULT);
	uv_loop_close(&fake->loop);
	requests_free(fake->requests);
	cr_expect_eq(rmdir(fake->directory), 0);
	while (engine_flow_next(fake->lab->engine, &cursor, &info))
		engine_flow_end(fake->lab->engine, info.id);
	fake->lab->events[FLOW_END] = fake->lab->events[FLOW_NEW]; /* it was not always told */
	lab_close(fake->lab);
	free(fake);
}

/* ---- asking ---- */

/* The whole answer to a method with these parameters (JSON, or NULL). */
static json_t *ask(struct fake *fake, const char *method, const char *params)
{
	char line[1024];

	snprintf(line, sizeof(line), "{\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
		params ? params : "{}");
	json_t *answer = talk_ask(&fake->talk, line);
	cr_assert_not_null(answer, "closed after %s", line);
	return answer;
}

static void expect_error(struct fake *fake, const char *method, const char *params,
	const char *code, const char *message)
{
	json_t *answer = ask(fake, method, params);

	cr_expect_str_eq(at(answer, "error.code"), code, "%s %s", method, params);
	cr_expect_not_null(strstr(at(answer, "error.message"), message), "%s %s: %s", method,
		params, at(answer, "error.message"));
	json_decref(answer);
}

/* The result alone. */
static json_t *result_of(struct fake *fake, const char *method, const char *params)
{
	json_t *answer = ask(fake, method, params);
	json_t *result = json_incref(json_object_get(answer, "result"));

	cr_assert_not_null(result, "%s %s: %s", method, params, at(answer, "error.message"));
	json_decref(answer);
	return result;
}

/* Texts at paths of an object. */
struct expected {
	const char *path, *text;
};

static void expect_texts(const json_t *object, const struct expected *rows)
{
	for (; rows->path; rows++)
		cr_expect_str_eq(at(object, rows->path), rows->text, "%s", rows->path);
}

static void play(struct fake *fake, const char *in, const char *out)
{
	const struct step steps[] = {{in, out, NULL}, {NULL, NULL, NULL}};

	steps_play(fake->lab, steps);
}

/* Three flows: DNS of guest (answered), TCP of guest, DNS of second. */
static void make_flows(struct fake *fake)
{
	play(fake, "guest udp guest:5000 > server:53", "uplink udp host:$a > server:53");
	play(fake, "uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000");
	play(fake, "guest tcp guest:6000 > server2:443 S", "uplink tcp host:$b > server2:443 S");
	play(fake, "second udp second:5000 > server:53", "uplink udp host:$c > server:53");
}

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
		{"attach", "{}", "bad-request", "which namespace?"},
		{"attach", "{\"netns\":7}", "bad-request", "`netns` must be a string"},
		{"attach", "{\"descriptor\":true}", "bad-request", "no descriptor came"},
		{"attach", "{\"netns\":\"a\",\"network\":\"b\"}", "not-found", "no network `b`"},
		{"attach", "{\"netns\":\"a\",\"mtu\":70000}", "invalid", "bad mtu"},
		{"attach", "{\"netns\":\"a\",\"mtu\":100}", "invalid", "bad mtu"},
		{"attach", "{\"netns\":\"a\",\"addresses\":\"10.77.0.9\"}", "bad-request",
			"`addresses` must be a list"},
		{"attach", "{\"netns\":\"a\",\"addresses\":[1]}", "bad-request", "list of strings"},
		{"attach", "{\"netns\":\"a\",\"addresses\":[\"0.0.0.0\"]}", "invalid",
			"bad address `0.0.0.0`"},
		{"attach", "{\"netns\":\"a\",\"addresses\":[\"10.77.0.9\",\"10.77.0.8\"]}",
			"invalid", "more than one IPv4"},
		{"detach", "{}", "bad-request", "`name` is missing"},
	};
	struct fake *fake = fake_open();

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_error(fake, rows[i].method, rows[i].params, rows[i].code, rows[i].message);
	cr_expect_not(fake->attached);
	fake_close(fake);
}

/* ---- looking ---- */

Test(requests, status_says_what_is_in_use)
{
	struct fake *fake = fake_open();

	make_flows(fake);
	json_t *status = result_of(fake, "status", NULL);
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
	fake_close(fake);
}

Test(requests, networks_and_links_are_listed)
{
	struct fake *fake = fake_open();

	make_flows(fake);
	json_t *networks = result_of(fake, "networks", NULL);
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

	json_t *links = result_of(fake, "links", NULL);
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
	fake_close(fake);
}

Test(requests, rules_are_listed_with_counters)
{
	struct fake *fake = fake_open();

	make_flows(fake);
	json_t *rules = result_of(fake, "rules", NULL);
	const json_t *chains = json_object_get(rules, "chains");
	cr_assert_eq(json_array_size(chains), CHAIN_COUNT);
	const json_t *forward = json_array_get(chains, CHAIN_FORWARD);
	cr_expect_str_eq(at(forward, "chain"), "forward");
	const struct rules *config = &fake->lab->config->chains[CHAIN_FORWARD];
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
	cr_expect_eq(json_array_size(nat), fake->lab->config->nat.count);
	cr_expect_str_eq(at(json_array_get(nat, 0), "action"), "masquerade");
	json_decref(rules);
	fake_close(fake);
}

Test(requests, drops_are_listed_with_their_meaning)
{
	struct fake *fake = fake_open();

	play(fake, "uplink udp server:53 > host:9999", "drop not-for-us");
	json_t *drops = result_of(fake, "drops", NULL);
	cr_assert_eq(json_array_size(drops), DROP_COUNT);
	for (unsigned drop = 0; drop < DROP_COUNT; drop++) {
		const json_t *row = json_array_get(drops, drop);
		cr_expect_str_eq(at(row, "reason"), drop_name(drop));
		cr_expect_str_eq(at(row, "meaning"), drop_meaning(drop));
		cr_expect_str_eq(at(row, "packets"), drop == DROP_NOT_FOR_US ? "1" : "0");
	}
	json_decref(drops);
	json_t *version = result_of(fake, "version", NULL);
	cr_expect_str_eq(at(version, "version"), TUNGATE_VERSION);
	json_decref(version);
	fake_close(fake);
}

/* ---- forwards ---- */

Test(requests, a_forward_is_added_listed_and_deleted)
{
	struct fake *fake = fake_open();
	static const char params[] =
		"{\"protocol\":\"udp\",\"host\":\"192.0.2.1:5000-5009\",\"guest\":\"fresh:6000\"}";
	static const struct expected expected[] = {
		{"protocol", "udp"},
		{"host_address", "192.0.2.1"},
		{"host_port", "5000"},
		{"host_port_last", "5009"},
		{"guest_address", "10.77.0.4"},
		{"guest_port", "6000"},
		{"guest_name", "fresh"},
		{"network", "lab"},
		{"source", "live"},
		{NULL, NULL},
	};

	json_t *added = result_of(fake, "forward.add", params);
	expect_texts(added, expected);
	json_decref(added);
	json_t *list = result_of(fake, "forward.list", NULL);
	cr_assert_eq(json_array_size(list), 1);
	expect_texts(json_array_get(list, 0), expected);
	json_decref(list);
	fake->forwards[0].line = 12;
	json_t *deleted = result_of(
		fake, "forward.del", "{\"protocol\":\"udp\",\"host\":\"192.0.2.1:5000-5009\"}");
	cr_expect_eq(json_array_size(deleted), 1);
	cr_expect_str_eq(at(json_array_get(deleted, 0), "source"), "config");
	cr_expect_eq(fake->forward_count, 0);
	json_decref(deleted);
	fake_close(fake);
}

Test(requests, deleting_needs_the_exact_publication)
{
	static const char *const others[] = {
		"{\"protocol\":\"udp\",\"host\":\"8080\"}",
		"{\"protocol\":\"tcp\",\"host\":\"8081\"}",
		"{\"protocol\":\"tcp\",\"host\":\"8080-8081\"}",
		"{\"protocol\":\"tcp\",\"host\":\"192.0.2.1:8080\"}",
	};
	struct fake *fake = fake_open();

	/* The same port for an IPv4 and for an IPv6 guest. */
	json_decref(result_of(fake, "forward.add",
		"{\"protocol\":\"tcp\",\"host\":\"8080\",\"guest\":\"10.77.0.2:80\"}"));
	json_decref(result_of(fake, "forward.add",
		"{\"protocol\":\"tcp\",\"host\":\"[::]:8080\",\"guest\":\"[fd77::2]:80\"}"));
	for (unsigned i = 0; i < 4; i++)
		expect_error(fake, "forward.del", others[i], "not-found", "is not published");
	cr_expect_eq(fake->forward_count, 2);
	json_t *deleted =
		result_of(fake, "forward.del", "{\"protocol\":\"tcp\",\"host\":\"0.0.0.0:8080\"}");
	cr_expect_eq(json_array_size(deleted), 2);
	json_decref(deleted);
	fake_close(fake);
}

Test(requests, what_the_daemon_refuses_has_a_code_and_its_words)
{
	static const struct {
		int err;
		const char *code;
	} rows[] = {
		{-EADDRINUSE, "exists"},
		{-EEXIST, "exists"},
		{-ENOENT, "not-found"},
		{-EINVAL, "invalid"},
		{-EPERM, "denied"},
		{-ENOMEM, "failed"},
	};
	struct fake *fake = fake_open();

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake->refusal = rows[i].err;
		expect_error(fake, "forward.add",
			"{\"protocol\":\"tcp\",\"host\":\"80\",\"guest\":\"guest:80\"}",
			rows[i].code, "the daemon says");
		expect_error(fake, "attach", "{\"netns\":\"x\"}", rows[i].code, "the daemon says");
		expect_error(fake, "detach", "{\"name\":\"x\"}", rows[i].code, "the daemon says");
	}
	fake_close(fake);
}

/* ---- connections ---- */

Test(requests, a_connection_is_told_in_full)
{
	struct fake *fake = fake_open();

	make_flows(fake);
	json_t *list = result_of(fake, "connections", "{\"link\":\"guest\",\"port\":53}");
	cr_assert_eq(json_array_size(list), 1);
	const json_t *connection = json_array_get(list, 0);
	expect_texts(connection, (const struct expected[]){
					 {"protocol", "udp"},
					 {"network", "lab"},
					 {"from", "guest"},
					 {"to", "uplink"},
					 {"original.source", "10.77.0.2"},
					 {"original.source_port", "5000"},
					 {"original.destination_port", "53"},
					 {"original.counter.packets", "1"},
					 {"reply.source_port", "53"},
					 {"reply.counter.packets", "1"},
					 {NULL, NULL},
				 });
	cr_expect(json_is_true(json_object_get(connection, "replied")));
	cr_expect_str_eq(
		at(connection, "original.destination"), lab_address_text(fake->lab, "server", 6));
	json_decref(list);
	fake_close(fake);
}

Test(requests, filters_choose)
{
	static const struct {
		const char *params;
		unsigned count;
	} rows[] = {
		{"{}", 3},
		{"{\"protocol\":\"udp\"}", 2},
		{"{\"protocol\":\"17\"}", 2},
		{"{\"protocol\":\"icmp\"}", 0},
		{"{\"link\":\"guest\"}", 2},
		{"{\"link\":\"second\"}", 1},
		{"{\"port\":53}", 2},
		{"{\"port\":6000}", 1},
		{"{\"address\":\"10.77.0.3\"}", 1},
		{"{\"address\":\"10.77.0.0/24\"}", 3},
		{"{\"address\":\"fd77::/64\"}", 0},
		{"{\"state\":\"syn-sent\"}", 1},
		{"{\"state\":\"no such state\"}", 0},
		{"{\"limit\":2}", 2},
		{"{\"limit\":0}", 3},
		{"{\"link\":\"guest\",\"protocol\":\"tcp\"}", 1},
		{"{\"link\":\"second\",\"protocol\":\"tcp\"}", 0},
	};
	struct fake *fake = fake_open();

	make_flows(fake);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *list = result_of(fake, "connections", rows[i].params);
		cr_expect_eq(json_array_size(list), rows[i].count, "%s: %zu", rows[i].params,
			json_array_size(list));
		json_decref(list);
	}
	fake_close(fake);
}

Test(requests, flush_ends_what_matches_and_nothing_else)
{
	struct fake *fake = fake_open();

	make_flows(fake);
	json_t *flushed = result_of(fake, "connections.flush", "{\"link\":\"guest\"}");
	cr_expect_str_eq(at(flushed, "flushed"), "2");
	json_decref(flushed);
	json_t *left = result_of(fake, "connections", NULL);
	cr_assert_eq(json_array_size(left), 1);
	cr_expect_str_eq(at(json_array_get(left, 0), "from"), "second");
	json_decref(left);
	flushed = result_of(fake, "connections.flush", NULL);
	cr_expect_str_eq(at(flushed, "flushed"), "1");
	json_decref(flushed);
	fake_close(fake);
}

Test(requests, many_connections_are_listed_each_once)
{
	enum { FLOWS = 700 };
	struct fake *fake = fake_open();
	bool seen[FLOWS] = {false};

	for (unsigned i = 0; i < FLOWS; i++) {
		char in[80], out[80];
		snprintf(in, sizeof(in), "guest udp guest:5000 > server:%u", 1000 + i);
		snprintf(out, sizeof(out), "uplink udp host:$a > server:%u", 1000 + i);
		play(fake, in, out);
	}
	json_t *list = result_of(fake, "connections", NULL);
	cr_expect_eq(json_array_size(list), FLOWS);
	for (unsigned i = 0; i < json_array_size(list); i++) {
		const json_t *connection = json_array_get(list, i);
		const int port = atoi(at(connection, "original.destination_port")) - 1000;
		cr_assert(port >= 0 && port < FLOWS && !seen[port], "port %d", port);
		seen[port] = true;
	}
	json_decref(list);
	fake_close(fake);
}

/* Report all flows to those who follow, as the engine would. */
static void report_flows(struct fake *fake, enum flow_event event)
{
	struct flow_info info;
	uint32_t cursor = 0;

	while (engine_flow_next(fake->lab->engine, &cursor, &info))
		requests_flow_event(fake->requests, event, &info);
}

static void expect_event(struct talk *talk, const char *type, const char *from)
{
	json_t *event = talk_answer(talk);

	cr_assert_not_null(event);
	cr_expect_str_eq(at(event, "event.type"), type);
	cr_expect_str_eq(at(event, "event.connection.from"), from);
	json_decref(event);
}

Test(requests, followers_are_told_what_they_asked_for)
{
	struct fake *fake = fake_open();
	struct talk all = talk_open(&fake->loop, fake->path);
	struct talk some = talk_open(&fake->loop, fake->path);

	talk_send(&all, "{\"id\":1,\"method\":\"connections.follow\"}\n");
	talk_send(&some, "{\"id\":2,\"method\":\"connections.follow\",\"params\":{\"link\":"
			 "\"second\"}}\n");
	expect_event(&all, "following", "");
	expect_event(&some, "following", "");
	make_flows(fake);
	cr_expect_eq(fake->lab->events[FLOW_NEW], 3, "the engine is not watched");

	report_flows(fake, FLOW_NEW);
	for (unsigned i = 0; i < 3; i++)
		json_decref(talk_answer(&all));
	expect_event(&some, "new", "second");
	report_flows(fake, FLOW_END);
	expect_event(&some, "end", "second");
	talk_close(&some);
	talk_close(&all);
	talk_settle(&fake->loop);
	report_flows(fake, FLOW_END); /* to nobody */
	play(fake, "guest udp guest:5001 > server:53", "uplink udp host:$d > server:53");
	cr_expect_eq(fake->lab->events[FLOW_NEW], 3, "the engine is watched for nobody");
	fake_close(fake);
}

Test(requests, a_follower_that_does_not_read_is_closed_and_others_are_not)
{
	struct fake *fake = fake_open();
	struct talk slow = talk_open(&fake->loop, fake->path);
	struct talk quick = talk_open(&fake->loop, fake->path);

	talk_send(&slow, "{\"id\":1,\"method\":\"connections.follow\"}\n");
	talk_send(&quick, "{\"id\":1,\"method\":\"connections.follow\"}\n");
	expect_event(&quick, "following", "");
	make_flows(fake);
	for (unsigned i = 0; i < 1000; i++) {
		report_flows(fake, FLOW_NEW);
		for (unsigned j = 0; j < 3; j++)
			json_decref(talk_answer(&quick));
	}
	cr_expect(talk_ends(&slow));
	report_flows(fake, FLOW_ESTABLISHED);
	json_t *event = talk_answer(&quick);
	cr_expect_str_eq(at(event, "event.type"), "established");
	json_decref(event);
	talk_close(&slow);
	talk_close(&quick);
	fake_close(fake);
}

/* ---- attach, detach, reload ---- */

Test(requests, attach_tells_the_daemon_what_is_wanted)
{
	struct fake *fake = fake_open();
	static const char params[] =
		"{\"name\":\"fresh\",\"network\":\"lab\",\"netns\":\"pid:7\",\"mtu\":1400,"
		"\"addresses\":[\"10.77.0.4\",\"fd77::4\"]}";

	json_t *attached = result_of(fake, "attach", params);
	expect_texts(attached, (const struct expected[]){
				       {"link.name", "fresh"},
				       {"link.netns", "pid:7"},
				       {"link.source", "live"},
				       {"gateway4", "10.77.0.1"},
				       {"gateway6", "fd77::1"},
				       {NULL, NULL},
			       });
	const json_t *dns = json_object_get(attached, "dns");
	cr_expect_eq(json_array_size(dns), fake->lab->config->networks[0].dns ? 2 : 0);
	json_decref(attached);
	cr_expect_str_eq(fake->attach_name, "fresh");
	cr_expect_str_eq(fake->attach_where, "pid:7");
	cr_expect_eq(fake->attach.netns_fd, -1);
	cr_expect_eq(fake->attach.mtu, 1400);
	cr_expect_eq(fake->attach.address4.v4, addr_v4(10, 77, 0, 4).v4);
	cr_expect_eq(fake->attach.address6.bytes[15], 4);

	json_decref(result_of(fake, "detach", "{\"name\":\"fresh\"}"));
	expect_error(fake, "detach", "{\"name\":\"fresh\"}", "not-found", "no link fresh");
	fake_close(fake);
}

/* Send a request with a descriptor. */
static void send_with(int socket, const char *text, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec data = {.iov_base = (char *)text, .iov_len = strlen(text)};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	cr_assert_eq(sendmsg(socket, &message, 0), (ssize_t)strlen(text));
	close(fd);
}

Test(requests, attach_takes_a_descriptor_of_a_namespace_and_of_nothing_else)
{
	static const char request[] =
		"{\"id\":1,\"method\":\"attach\",\"params\":{\"descriptor\":true}}\n";
	static const char *const wrong[] = {"/dev/null", "/proc/self/ns/uts", "/etc/passwd"};
	struct fake *fake = fake_open();

	for (unsigned i = 0; i < 3; i++) {
		send_with(fake->talk.fd, request, open(wrong[i], O_RDONLY));
		json_t *answer = talk_answer(&fake->talk);
		cr_expect_str_eq(at(answer, "error.code"), "invalid", "%s", wrong[i]);
		json_decref(answer);
	}
	send_with(fake->talk.fd, request, open("/proc/self/ns/net", O_RDONLY));
	json_t *answer = talk_answer(&fake->talk);
	cr_expect_str_eq(at(answer, "result.link.name"), "fresh");
	cr_expect_geq(fake->attach.netns_fd, 0);
	cr_expect_lt(fcntl(fake->attach.netns_fd, F_GETFD), 0, "it is borrowed, and closed after");
	json_decref(answer);
	fake_close(fake);
}

Test(requests, a_held_link_goes_with_its_client)
{
	static const char hold[] =
		"{\"id\":1,\"method\":\"attach\",\"params\":{\"netns\":\"x\",\"hold\":true}}\n";
	struct fake *fake = fake_open();
	struct talk talk = talk_open(&fake->loop, fake->path);

	talk_send(&talk, hold);
	json_t *event = talk_answer(&talk);
	cr_expect_str_eq(at(event, "event.link.name"), "fresh");
	json_decref(event);
	cr_expect(fake->attached);
	shutdown(talk.fd, SHUT_WR);
	cr_expect_null(talk_line(&talk));
	cr_expect_not(fake->attached, "closed before it was detached");
	talk_close(&talk);

	/* Another link may have taken its place meanwhile. */
	talk = talk_open(&fake->loop, fake->path);
	talk_send(&talk, hold);
	json_decref(talk_answer(&talk));
	json_decref(result_of(fake, "detach", "{\"name\":\"fresh\"}"));
	fake->refusal = -EIO; /* a second detach would fail */
	talk_close(&talk);
	talk_settle(&fake->loop);
	fake->refusal = 0;
	fake_close(fake);
}

Test(requests, reload_is_all_or_says_every_error)
{
	struct fake *fake = fake_open();

	json_decref(result_of(fake, "reload", NULL));
	fake->refusal = -EINVAL;
	expect_error(fake, "reload", "{}", "invalid",
		"tungate.conf:3: unknown key `por?ts`\ntungate.conf:9: no");
	fake->refusal = -ENOMEM;
	expect_error(fake, "reload", "{}", "failed", strerror(ENOMEM));
	fake->refusal = 0;
	fake_close(fake);
}
