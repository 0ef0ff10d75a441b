/* SPDX-License-Identifier: BSD-2-Clause */
/* butler: the methods of the control socket over a lab and a make-believe daemon. */
#include "butler.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "daemon/leases.h"
#include "steps.h"
#include "world.h"

static int refuse(struct butler *butler, struct request_error *error)
{
	if (butler->refusal < 0)
		snprintf(error->text, sizeof(error->text), "the daemon says %d", butler->refusal);
	return butler->refusal;
}

static uint64_t on_now(void *context)
{
	return ((struct butler *)context)->lab->now_ms;
}

static const struct config *on_config(void *context)
{
	return ((struct butler *)context)->lab->config;
}

static void on_status(void *context, struct daemon_status *status)
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

static bool on_link(void *context, unsigned index, struct daemon_link *link)
{
	static const char *const names[] = {"guest", "second", "fresh"};
	const struct butler *butler = context;

	if (index >= (butler->attached ? 3 : 2))
		return false;
	*link = (struct daemon_link){
		.zone = index < 2 ? lab_zone(butler->lab, names[index]) : 77,
		.mtu = 1500,
		.live = index == 2,
		.name = names[index],
		.kind = "netns",
		.device = "eth0",
		.place = index == 2 ? butler->attach_where : names[index],
		.address4 = addr_v4(10, 77, 0, (uint8_t)(2 + index)),
		.age_ms = 5000,
	};
	return true;
}

static const char *on_link_name(void *context, zone_id zone)
{
	struct butler *butler = context;
	struct daemon_link link;

	for (unsigned i = 0; on_link(butler, i, &link); i++)
		if (link.zone == zone)
			return link.name;
	return NULL;
}

static bool on_find(void *context, uint16_t network, const char *name, uint8_t family,
	uint8_t *found_family, union addr *address)
{
	if (strcmp(name, "fresh") != 0 || network != 0 || family == AF_INET6)
		return false;
	(void)context;
	*found_family = AF_INET;
	*address = addr_v4(10, 77, 0, 4);
	return true;
}

static int on_attach(void *context, const struct daemon_attach *attach, struct daemon_link *link,
	struct request_error *error)
{
	struct butler *butler = context;

	if (butler->refusal < 0)
		return refuse(butler, error);
	butler->attach = *attach;
	snprintf(butler->attach_name, sizeof(butler->attach_name), "%s",
		attach->link.name[0] ? attach->link.name : "(none)");
	snprintf(butler->attach_where, sizeof(butler->attach_where), "%s",
		attach->link.netns[0] ? attach->link.netns : "(none)");
	snprintf(butler->attach_device, sizeof(butler->attach_device), "%s",
		attach->link.device[0] ? attach->link.device : "(none)");
	butler->attached = true;
	return on_link(butler, 2, link) ? 0 : -EIO;
}

static int on_detach(void *context, uint16_t network, const char *name, struct request_error *error)
{
	struct butler *butler = context;

	cr_expect_eq(network, 0);
	butler->detaches++;
	if (butler->refusal < 0)
		return refuse(butler, error);
	if (strcmp(name, "fresh") != 0 || !butler->attached) {
		snprintf(error->text, sizeof(error->text), "there is no link %s", name);
		return -ENOENT;
	}
	butler->attached = false;
	return 0;
}

static const struct forward *on_forward(void *context, unsigned index)
{
	const struct butler *butler = context;

	return index < butler->forward_count ? &butler->forwards[index] : NULL;
}

static int on_forward_add(void *context, const struct forward *forward, struct request_error *error)
{
	struct butler *butler = context;

	if (butler->refusal < 0)
		return refuse(butler, error);
	cr_assert_lt(butler->forward_count, BUTLER_FORWARDS_MAX);
	butler->forwards[butler->forward_count++] = *forward;
	return 0;
}

static int on_forward_del(void *context, const struct forward *forward, struct request_error *error)
{
	struct butler *butler = context;

	if (butler->refusal < 0)
		return refuse(butler, error);
	for (unsigned i = 0; i < butler->forward_count; i++) {
		if (memcmp(&butler->forwards[i], forward, sizeof(*forward)) != 0)
			continue;
		butler->forwards[i] = butler->forwards[--butler->forward_count];
		return 0;
	}
	return -ENOENT;
}

/* A connection of guest to server:80 that the host's 127.0.0.1:40000 has taken. */
static bool on_redirected(void *context, uint8_t protocol, uint8_t family, const union addr *peer,
	uint16_t port, struct flow_info *flow)
{
	struct butler *butler = context;
	const union addr loopback = addr_v4(127, 0, 0, 1);

	if (protocol != IPPROTO_TCP || family != AF_INET || !addr_equal(peer, &loopback) ||
		port != 40000)
		return false;
	*flow = (struct flow_info){
		.family = AF_INET,
		.protocol = protocol,
		.direction[0] = {lab_address(butler->lab, "guest"),
			lab_address(butler->lab, "server"), 5000, 80, {0}, AF_INET},
	};
	return true;
}

/* One name, which guest asked for three times. */
static const struct known_lease *on_lease(void *context, unsigned index)
{
	static const struct known_lease lease = {
		.network = "lab",
		.link = "bridge",
		.name = "web",
		.family = AF_INET,
		.address.bytes = {10, 77, 0, 105},
		.mac = {0x52, 0x54, 0, 0x12, 0x34, 0x56},
	};
	(void)context;

	return index == 0 ? &lease : NULL;
}

static bool on_refusal(void *context, unsigned index, struct daemon_refusal *refusal)
{
	(void)context;
	*refusal = (struct daemon_refusal){
		.link = "guest", .network = 0, .name = "bad.example", .count = 3, .age_ms = 7999};
	return index == 0;
}

static int on_reload(void *context, struct config_errors *errors)
{
	struct butler *butler = context;

	if (butler->refusal == -EINVAL) {
		errors->count = 2;
		errors->text = calloc(2, sizeof(errors->text[0]));
		errors->text[0] = strdup("tungate.conf:3: unknown key `por\xffts`");
		errors->text[1] = strdup("tungate.conf:9: no");
	}
	return butler->refusal;
}

struct butler *butler_open(void)
{
	return butler_open_in(LAB());
}

struct butler *butler_open_in(const struct lab_options *options)
{
	struct butler *butler = calloc(1, sizeof(*butler));

	butler->lab = lab_open(AF_INET, options);
	engine_watch(butler->lab->engine, false);
	const struct daemon_ops ops = {
		.context = butler,
		.engine = butler->lab->engine,
		.names = {.find = on_find, .context = butler},
		.config = on_config,
		.status = on_status,
		.now_ms = on_now,
		.link = on_link,
		.link_name = on_link_name,
		.attach = on_attach,
		.detach = on_detach,
		.forward = on_forward,
		.forward_add = on_forward_add,
		.forward_del = on_forward_del,
		.lease = on_lease,
		.refusal = on_refusal,
		.redirected = on_redirected,
		.reload = on_reload,
	};
	butler->requests = requests_create(&ops);
	uv_loop_init(&butler->loop);
	strcpy(butler->directory, "/tmp/tungate-requests.XXXXXX");
	cr_assert_not_null(mkdtemp(butler->directory));
	snprintf(butler->path, sizeof(butler->path), "%s/control.sock", butler->directory);
	const struct control_settings settings = {
		.path = butler->path,
		.authorize = requests_authorize,
		.privileged = requests_privileged,
		.methods = requests_methods,
		.method_count = requests_method_count,
		.context = butler->requests,
	};
	cr_assert_eq(
		control_server_start(&butler->loop, world_log(), &settings, &butler->server), 0);
	butler->talk = talk_open(&butler->loop, butler->path);
	return butler;
}

void butler_close(struct butler *butler)
{
	struct flow_info info;
	uint32_t cursor = 0;

	talk_close(&butler->talk);
	control_server_stop(butler->server);
	uv_run(&butler->loop, UV_RUN_DEFAULT);
	uv_loop_close(&butler->loop);
	requests_free(butler->requests);
	cr_expect_eq(rmdir(butler->directory), 0);
	while (engine_flow_next(butler->lab->engine, &cursor, &info))
		engine_flow_end(butler->lab->engine, info.id);
	butler->lab->events[FLOW_END] = butler->lab->events[FLOW_NEW]; /* it was not always told */
	lab_close(butler->lab);
	free(butler);
}

/* ---- asking ---- */

/* The whole answer to a method with these parameters (JSON, or NULL). */
static json_t *ask(struct butler *butler, const char *method, const char *params)
{
	char line[1024];

	snprintf(line, sizeof(line), "{\"id\":1,\"method\":\"%s\",\"params\":%s}", method,
		params ? params : "{}");
	json_t *answer = talk_ask(&butler->talk, line);
	cr_assert_not_null(answer, "closed after %s", line);
	return answer;
}

void expect_error(struct butler *butler, const char *method, const char *params, const char *code,
	const char *message)
{
	json_t *answer = ask(butler, method, params);

	cr_expect_str_eq(at(answer, "error.code"), code, "%s %s", method, params);
	cr_expect_not_null(strstr(at(answer, "error.message"), message), "%s %s: %s", method,
		params, at(answer, "error.message"));
	json_decref(answer);
}

/* The result alone. */
json_t *result_of(struct butler *butler, const char *method, const char *params)
{
	json_t *answer = ask(butler, method, params);
	json_t *result = json_incref(json_object_get(answer, "result"));

	cr_assert_not_null(result, "%s %s: %s", method, params, at(answer, "error.message"));
	json_decref(answer);
	return result;
}

void expect_texts(const json_t *object, const struct expected *rows)
{
	for (; rows->path; rows++)
		cr_expect_str_eq(at(object, rows->path), rows->text, "%s", rows->path);
}

void play(struct butler *butler, const char *in, const char *out)
{
	const struct step steps[] = {{in, out, NULL}, {NULL, NULL, NULL}};

	steps_play(butler->lab, steps);
}

/* Three flows: DNS of guest (answered), TCP of guest, DNS of second. */
void make_flows(struct butler *butler)
{
	play(butler, "guest udp guest:5000 > server:53", "uplink udp host:$a > server:53");
	play(butler, "uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000");
	play(butler, "guest tcp guest:6000 > server2:443 S", "uplink tcp host:$b > server2:443 S");
	play(butler, "second udp second:5000 > server:53", "uplink udp host:$c > server:53");
}
