/* SPDX-License-Identifier: BSD-2-Clause */
/* requests_flows: connections listed, followed and flushed, asked over a real socket. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../support/butler.h"

/* ---- connections ---- */

Test(requests_flows, a_connection_is_told_in_full)
{
	struct butler *butler = butler_open();

	make_flows(butler);
	json_t *list = result_of(butler, "connections", "{\"link\":\"guest\",\"port\":53}");
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
		at(connection, "original.destination"), lab_address_text(butler->lab, "server", 6));
	json_decref(list);
	butler_close(butler);
}

Test(requests_flows, filters_choose)
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
	struct butler *butler = butler_open();

	make_flows(butler);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *list = result_of(butler, "connections", rows[i].params);
		cr_expect_eq(json_array_size(list), rows[i].count, "%s: %zu", rows[i].params,
			json_array_size(list));
		json_decref(list);
	}
	butler_close(butler);
}

Test(requests_flows, flush_ends_what_matches_and_nothing_else)
{
	struct butler *butler = butler_open();

	make_flows(butler);
	json_t *flushed = result_of(butler, "connections.flush", "{\"link\":\"guest\"}");
	cr_expect_str_eq(at(flushed, "flushed"), "2");
	json_decref(flushed);
	json_t *left = result_of(butler, "connections", NULL);
	cr_assert_eq(json_array_size(left), 1);
	cr_expect_str_eq(at(json_array_get(left, 0), "from"), "second");
	json_decref(left);
	flushed = result_of(butler, "connections.flush", NULL);
	cr_expect_str_eq(at(flushed, "flushed"), "1");
	json_decref(flushed);
	butler_close(butler);
}

Test(requests_flows, many_connections_are_listed_each_once)
{
	enum { FLOWS = 700 };
	struct butler *butler = butler_open();
	bool seen[FLOWS] = {false};

	for (unsigned i = 0; i < FLOWS; i++) {
		char in[80], out[80];
		snprintf(in, sizeof(in), "guest udp guest:5000 > server:%u", 1000 + i);
		snprintf(out, sizeof(out), "uplink udp host:$a > server:%u", 1000 + i);
		play(butler, in, out);
	}
	json_t *list = result_of(butler, "connections", NULL);
	cr_expect_eq(json_array_size(list), FLOWS);
	for (unsigned i = 0; i < json_array_size(list); i++) {
		const json_t *connection = json_array_get(list, i);
		const long port =
			strtol(at(connection, "original.destination_port"), NULL, 10) - 1000;
		cr_assert(port >= 0 && port < FLOWS && !seen[port], "port %ld", port);
		seen[port] = true;
	}
	json_decref(list);
	butler_close(butler);
}

/* One request must not walk over all the records that a flood has left. */
Test(requests_flows, records_without_a_flow_are_a_step_each)
{
	struct butler *butler = butler_open();
	struct engine *engine = butler->lab->engine;
	struct flow_info info;
	uint32_t cursor = 0, ended = 0;
	bool found;

	make_flows(butler);
	while (engine_flow_next(engine, &cursor, &info))
		ended += engine_flow_end(engine, info.id);
	cr_assert_eq(ended, 3);
	for (cursor = 0; engine_flow_look(engine, &cursor, &info, &found); ended--)
		cr_expect_not(found);
	cr_expect_eq(ended, 0);
	butler_close(butler);
}

/* Report all flows to those who follow, as the engine would. */
static void report_flows(struct butler *butler, enum flow_event event)
{
	struct flow_info info;
	uint32_t cursor = 0;

	while (engine_flow_next(butler->lab->engine, &cursor, &info))
		requests_flow_event(butler->requests, event, &info);
}

static void expect_event(struct talk *talk, const char *type, const char *from)
{
	json_t *event = talk_answer(talk);

	cr_assert_not_null(event);
	cr_expect_str_eq(at(event, "event.type"), type);
	cr_expect_str_eq(at(event, "event.connection.from"), from);
	json_decref(event);
}

Test(requests_flows, followers_are_told_what_they_asked_for)
{
	struct butler *butler = butler_open();
	struct talk all = talk_open(&butler->loop, butler->path);
	struct talk some = talk_open(&butler->loop, butler->path);

	talk_send(&all, "{\"id\":1,\"method\":\"connections.follow\"}\n");
	talk_send(&some, "{\"id\":2,\"method\":\"connections.follow\",\"params\":{\"link\":"
			 "\"second\"}}\n");
	expect_event(&all, "following", "");
	expect_event(&some, "following", "");
	make_flows(butler);
	cr_expect_eq(butler->lab->events[FLOW_NEW], 3, "the engine is not watched");

	report_flows(butler, FLOW_NEW);
	for (unsigned i = 0; i < 3; i++)
		json_decref(talk_answer(&all));
	expect_event(&some, "new", "second");
	report_flows(butler, FLOW_END);
	expect_event(&some, "end", "second");
	talk_close(&some);
	talk_close(&all);
	talk_settle(&butler->loop);
	report_flows(butler, FLOW_END); /* to nobody */
	play(butler, "guest udp guest:5001 > server:53", "uplink udp host:$d > server:53");
	cr_expect_eq(butler->lab->events[FLOW_NEW], 3, "the engine is watched for nobody");
	butler_close(butler);
}

Test(requests_flows, a_follower_that_does_not_read_is_closed_and_others_are_not)
{
	struct butler *butler = butler_open();
	struct talk slow = talk_open(&butler->loop, butler->path);
	struct talk quick = talk_open(&butler->loop, butler->path);

	talk_send(&slow, "{\"id\":1,\"method\":\"connections.follow\"}\n");
	talk_send(&quick, "{\"id\":1,\"method\":\"connections.follow\"}\n");
	expect_event(&quick, "following", "");
	make_flows(butler);
	for (unsigned i = 0; i < 1000; i++) {
		report_flows(butler, FLOW_NEW);
		for (unsigned j = 0; j < 3; j++)
			json_decref(talk_answer(&quick));
	}
	cr_expect(talk_ends(&slow));
	report_flows(butler, FLOW_ESTABLISHED);
	json_t *event = talk_answer(&quick);
	cr_expect_str_eq(at(event, "event.type"), "established");
	json_decref(event);
	talk_close(&slow);
	talk_close(&quick);
	butler_close(butler);
}
