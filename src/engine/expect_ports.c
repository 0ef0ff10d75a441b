/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expect_ports: the external ports, and call ids, under which listeners are awaited.
 */
#include <arpa/inet.h>
#include "engine/expect.h"
#include "engine/gre.h"
#include "engine/mapping.h"
#include "engine/state.h"

/* The address's table of ports; false where there are none. */
static bool table_of(
	struct engine *engine, const struct expectation *expectation, struct ports_table *table)
{
	return ports_open(&engine->ports, expectation->family, &expectation->destination,
		expectation->protocol, table);
}

/* The listener's end of an expectation, as the guest's end of a flow. */
static void as_draft(const struct expectation *expectation, struct flow *draft)
{
	*draft = (struct flow){
		.address = {{expectation->listener}, {{{0}}, expectation->destination}},
		.port = {{expectation->listener_port}},
		.zone = {expectation->listener_zone},
		.family = expectation->family,
		.protocol = expectation->protocol,
	};
}

/* The port that the listener has outside already, by a flow of its own or an expectation. */
static be16 port_known(const struct engine *engine, const struct expectation *wanted)
{
	struct flow draft;

	as_draft(wanted, &draft);
	const struct flow *mapping = mapping_find(engine, &draft);
	return mapping != NULL ? mapping->port[!mapping_guest(mapping)][DESTINATION]
			       : expect_port_of(engine, &draft);
}

static void port_hold(struct engine *engine, struct ports_table table,
	struct expectation *expectation, uint16_t port)
{
	if (ports_user(&engine->ports, table, port) == PORTS_NOBODY)
		ports_take(&engine->ports, table, port, PORTS_RESERVED);
	expectation->port = htons(port);
	expectation->holds_port = true;
}

/* Nobody awaits anything at its port any more; a flow may still use it. */
void expect_ports_release(struct engine *engine, const struct expectation *gone)
{
	const uint16_t port = ntohs(gone->port);
	struct ports_table table;
	struct flow draft;

	as_draft(gone, &draft);
	if (gone->holds_port && table_of(engine, gone, &table) &&
		ports_user(&engine->ports, table, port) == PORTS_RESERVED &&
		expect_port_of(engine, &draft) != gone->port)
		ports_release(&engine->ports, table, port, 0);
}

static bool is_ours_and_free(struct engine *engine, struct ports_table table,
	const struct port_list *list, uint32_t port)
{
	return port <= UINT16_MAX && port_list_has(list, (uint16_t)port) &&
	       ports_is_free(&engine->ports, table, (uint16_t)port, engine->now_ms);
}

/* The external port of one listener: what it has already, what it wishes, or any. */
static uint16_t choose_port(struct engine *engine, struct ports_table table,
	const struct expectation *wanted, uint16_t wish)
{
	const struct port_list *list = topology_ports(engine, wanted->listener_zone);
	const struct ports_slice slice = ports_whole(list);
	const be16 known = port_known(engine, wanted);

	if (known != 0)
		return ntohs(known);
	if (is_ours_and_free(engine, table, list, wish))
		return wish;
	return ports_find_free(&engine->ports, table, &slice, engine->now_ms);
}

static bool is_free_pair(struct engine *engine, struct ports_table table,
	const struct port_list *list, uint16_t port)
{
	return port % 2 == 0 && is_ours_and_free(engine, table, list, port) &&
	       is_ours_and_free(engine, table, list, port + 1u);
}

/* Two ports in a row, the first one even. */
static uint16_t choose_pair(struct engine *engine, struct ports_table table,
	const struct expectation *first, const struct expectation *second, uint16_t wish)
{
	const struct port_list *list = topology_ports(engine, first->listener_zone);
	const uint32_t size = port_list_size(list), start = ports_random(&engine->ports, size);
	const uint16_t known = ntohs(port_known(engine, first));

	/* RTP that was announced before goes on where it is, though there may be no RTCP. */
	if (known != 0 && known % 2 == 0 &&
		(ntohs(port_known(engine, second)) == known + 1 ||
			is_ours_and_free(engine, table, list, known + 1u)))
		return known;
	if (is_free_pair(engine, table, list, wish))
		return wish;
	for (uint32_t i = 0; i < size; i++) {
		const uint16_t port = port_list_at(list, (start + i) % size);
		if (is_free_pair(engine, table, list, port))
			return port;
	}
	return 0;
}

/* Does the listener appear as an address of ours, whose ports are shared? */
static bool is_masqueraded(const struct engine *engine, const struct expectation *wanted)
{
	const struct flow *master = flow_at(engine, wanted->master);

	return !(master->flags & FLOW_PREFIX) &&
	       !addr_equal(&wanted->listener, &wanted->destination);
}

bool expect_ports_take(struct engine *engine, const struct expect_request *request,
	struct expectation *wanted, struct expectation *second)
{
	const uint16_t wish = request->wish != 0 ? request->wish : request->port;
	struct ports_table table;

	if (!is_masqueraded(engine, wanted))
		return true;
	if (request->protocol == IPPROTO_GRE)
		return gre_call_take(engine, wanted);
	if (!table_of(engine, wanted, &table))
		return false;
	const uint16_t port = request->pair ? choose_pair(engine, table, wanted, second, wish)
					    : choose_port(engine, table, wanted, wish);
	if (port == 0)
		return false;
	port_hold(engine, table, wanted, port);
	if (request->pair)
		port_hold(engine, table, second, (uint16_t)(port + 1));
	return true;
}
