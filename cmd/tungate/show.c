/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show: results of the daemon as people read them.
 */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "members.h"
#include "table.h"

#define ENDPOINT_SIZE 80 /* "[address]:port-port" */

/* "address:port", "[address]:port", "address" where port is 0. */
static char *endpoint_text(const char *address, int64_t port, char text[ENDPOINT_SIZE])
{
	const bool v6 = strchr(address, ':');

	if (port == 0)
		snprintf(text, ENDPOINT_SIZE, "%s", address);
	else
		snprintf(text, ENDPOINT_SIZE, v6 ? "[%s]:%" PRId64 : "%s:%" PRId64, address, port);
	return text;
}

/* ---- status ---- */

static void show_traffic(const json_t *traffic, const char *key, const char *label)
{
	const json_t *counter = json_object_get(traffic, key);
	char packets[UNIT_TEXT_SIZE], bytes[UNIT_TEXT_SIZE];

	if (!json_is_object(counter)) /* of all users together: for administrators */
		return;
	printf("  %-12s %8s packets %10s\n", label,
		count_text(number_of(counter, "packets"), packets),
		bytes_text(number_of(counter, "bytes"), bytes));
}

static void show_uplink(const json_t *uplink)
{
	const char *address4 = text_of(uplink, "address4"), *hop4 = text_of(uplink, "next_hop4");
	const char *address6 = text_of(uplink, "address6"), *hop6 = text_of(uplink, "next_hop6");

	printf("uplink    %s, %s, mtu %" PRId64, text_of(uplink, "name"),
		flag_of(uplink, "up") ? "up" : "down", number_of(uplink, "mtu"));
	if (*address4)
		printf(", %s%s%s", address4, *hop4 ? " via " : "", hop4);
	if (*address6)
		printf(", %s%s%s", address6, *hop6 ? " via " : "", hop6);
	putchar('\n');
}

void show_status(const struct arguments *arguments, const json_t *result)
{
	const json_t *flows = json_object_get(result, "flows");
	const json_t *ports = json_object_get(result, "ports");
	const json_t *uplinks = json_object_get(result, "uplinks");
	const json_t *traffic = json_object_get(result, "traffic");
	const char *config = text_of(result, "config");
	char up[UNIT_TEXT_SIZE], created[UNIT_TEXT_SIZE];
	(void)arguments;

	printf("tungated  %s, pid %" PRId64 ", up %s\n", text_of(result, "version"),
		number_of(result, "pid"), seconds_text(number_of(result, "uptime_s"), up));
	printf("config    %s\n", *config ? config : "built-in defaults");
	for (size_t i = 0; i < json_array_size(uplinks); i++)
		show_uplink(json_array_get(uplinks, i));
	if (json_array_size(uplinks) == 0)
		puts("uplink    none: the host has no default route");
	printf("guard     %s\n", text_of(result, "guard"));
	printf("serves    networks %" PRId64 ", links %" PRId64 ", forwards %" PRId64 "\n",
		number_of(result, "networks"), number_of(result, "links"),
		number_of(result, "forwards"));
	printf("flows     %" PRId64 " of %" PRId64 ", %s since the start\n",
		number_of(flows, "now"), number_of(flows, "max"),
		count_text(number_of(flows, "created"), created));
	if (json_is_object(ports)) /* all users' together: for administrators */
		printf("ports     %" PRId64 " of %" PRId64 " in use\n", number_of(ports, "used"),
			number_of(ports, "max"));
	puts("traffic");
	show_traffic(traffic, "from_guests", "from guests");
	show_traffic(traffic, "to_uplink", "to uplink");
	show_traffic(traffic, "from_uplink", "from uplink");
	show_traffic(traffic, "to_guests", "to guests");
	printf("drops     %" PRId64 "%s\n", number_of(result, "drops"),
		number_of(result, "drops") ? " (see `tungate drops`)" : "");
}

/* ---- lists ---- */

void show_networks(const struct arguments *arguments, const json_t *result)
{
	static const char *const headings[] = {"NAME", "SUBNET", "GATEWAY", "SUBNET6", "GATEWAY6",
		">MTU", "DNS", ">LINKS", "OWNER", "FORWARD-PORTS", NULL};
	struct table table;
	(void)arguments;

	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(result); i++) {
		const json_t *network = json_array_get(result, i);
		const int64_t bytes = number_of(network, "mtu");
		const bool has_owner = json_is_string(json_object_get(network, "owner"));
		char mtu[UNIT_TEXT_SIZE] = "auto", links[UNIT_TEXT_SIZE];
		if (bytes)
			snprintf(mtu, sizeof(mtu), "%" PRId64, bytes);
		const char *const cells[] = {
			text_of(network, "name"),
			text_of(network, "subnet4"),
			text_of(network, "gateway4"),
			text_of(network, "subnet6"),
			text_of(network, "gateway6"),
			mtu,
			flag_of(network, "dns") ? "yes" : "no",
			count_text(number_of(network, "links"), links),
			text_of(network, has_owner ? "owner" : "owner_group"),
			text_of(network, "forward_ports"),
		};
		table_row(&table, cells);
	}
	table_end(&table, "");
}

void show_links(const struct arguments *arguments, const json_t *result)
{
	static const char *const headings[] = {"NAME", "NETWORK", "KIND", "STATE", "ADDRESS",
		"ADDRESS6", "MAC", "WHERE", ">AGE", ">SENT", ">RECEIVED", NULL};
	struct table table;
	(void)arguments;

	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(result); i++) {
		const json_t *link = json_array_get(result, i);
		const char *place = text_of(link, "place");
		char age[UNIT_TEXT_SIZE], sent[UNIT_TEXT_SIZE], received[UNIT_TEXT_SIZE];
		const char *const cells[] = {
			text_of(link, "name"),
			text_of(link, "network"),
			text_of(link, "kind"),
			text_of(link, "state"),
			flag_of(link, "whole_subnet") ? "any" : text_of(link, "address4"),
			flag_of(link, "whole_subnet") ? "any" : text_of(link, "address6"),
			text_of(link, "mac"),
			*place ? place : text_of(link, "device"),
			seconds_text(number_of(link, "age_s"), age),
			bytes_text(number_of(json_object_get(link, "in"), "bytes"), sent),
			bytes_text(number_of(json_object_get(link, "out"), "bytes"), received),
		};
		table_row(&table, cells);
	}
	table_end(&table, "");
}

void show_drops(const struct arguments *arguments, const json_t *result)
{
	static const char *const headings[] = {"REASON", ">PACKETS", "MEANING", NULL};
	const bool all = option_value(arguments, "--all");
	struct table table;

	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(result); i++) {
		const json_t *drop = json_array_get(result, i);
		const int64_t packets = number_of(drop, "packets");
		char text[UNIT_TEXT_SIZE];
		snprintf(text, sizeof(text), "%" PRId64, packets);
		if (packets == 0 && !all)
			continue;
		const char *const cells[] = {
			text_of(drop, "reason"),
			text,
			text_of(drop, "meaning"),
		};
		table_row(&table, cells);
	}
	if (table.rows)
		table_end(&table, "");
	else
		puts("nothing was dropped");
}

/* ---- guests ---- */

/* "3 + 0 / 24576": what it has begun, what comes in, and the limit of each. */
static char *both_ways_text(const json_t *guest, const char *key, char text[UNIT_TEXT_SIZE])
{
	const json_t *counts = json_object_get(guest, key);

	snprintf(text, UNIT_TEXT_SIZE, "%" PRId64 "+%" PRId64 "/%" PRId64, number_of(counts, "out"),
		number_of(counts, "in"), number_of(counts, "max"));
	return text;
}

static char *guest_ports_text(const json_t *guest, char text[UNIT_TEXT_SIZE])
{
	const json_t *ports = json_object_get(guest, "ports");

	snprintf(text, UNIT_TEXT_SIZE, "%" PRId64 ",%" PRId64 ",%" PRId64 "/%" PRId64,
		number_of(ports, "tcp"), number_of(ports, "udp"), number_of(ports, "icmp"),
		number_of(ports, "max"));
	return text;
}

/* "flows 12, rate 3": what happened at all. */
static const char *refused_text(const json_t *guest, char *text, size_t size)
{
	json_t *refused = json_object_get(guest, "refused"), *count;
	const char *key;
	size_t length = 0;

	text[0] = '\0';
	json_object_foreach(refused, key, count)
	{
		if (json_integer_value(count) == 0 || length >= size)
			continue;
		length +=
			(size_t)snprintf(text + length, size - length, "%s%s %" JSON_INTEGER_FORMAT,
				length > 0 ? ", " : "", key, json_integer_value(count));
	}
	return text;
}

void show_guests(const struct arguments *arguments, const json_t *result)
{
	static const char *const headings[] = {"LINK", "ADDRESS", "ADDRESS6", ">CONNECTIONS",
		">HALF-OPEN", ">PORTS", "REFUSED", NULL};
	struct table table;
	(void)arguments;

	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(result); i++) {
		const json_t *guest = json_array_get(result, i);
		const bool rest = flag_of(guest, "rest");
		char flows[UNIT_TEXT_SIZE], half_open[UNIT_TEXT_SIZE], ports[UNIT_TEXT_SIZE];
		char refused[256];
		const char *const cells[] = {
			text_of(guest, "link"),
			rest ? "others" : text_of(guest, "address4"),
			rest ? "others" : text_of(guest, "address6"),
			both_ways_text(guest, "flows", flows),
			both_ways_text(guest, "half_open", half_open),
			guest_ports_text(guest, ports),
			refused_text(guest, refused, sizeof(refused)),
		};
		table_row(&table, cells);
	}
	table_end(&table, "");
}

/* ---- forwards ---- */

static char *ports_text(const char *address, int64_t first, int64_t last, char text[ENDPOINT_SIZE])
{
	char more[UNIT_TEXT_SIZE] = "";

	if (last > first)
		snprintf(more, sizeof(more), "-%" PRId64, last);
	if (*address)
		strcat(endpoint_text(address, first, text), more);
	else
		snprintf(text, ENDPOINT_SIZE, "%" PRId64 "%s", first, more);
	return text;
}

static char *forward_host_text(const json_t *forward, char text[ENDPOINT_SIZE])
{
	return ports_text(text_of(forward, "host_address"), number_of(forward, "host_port"),
		number_of(forward, "host_port_last"), text);
}

static char *forward_guest_text(const json_t *forward, char text[ENDPOINT_SIZE])
{
	const int64_t first = number_of(forward, "guest_port");
	const int64_t more = number_of(forward, "host_port_last") - number_of(forward, "host_port");

	return ports_text(text_of(forward, "guest_address"), first, first + more, text);
}

void show_forwards(const struct arguments *arguments, const json_t *result)
{
	static const char *const headings[] = {
		"PROTO", "HOST", "GUEST", "NAME", "NETWORK", "SOURCE", NULL};
	struct table table;
	(void)arguments;

	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(result); i++) {
		const json_t *forward = json_array_get(result, i);
		char host[ENDPOINT_SIZE], guest[ENDPOINT_SIZE];
		const char *const cells[] = {
			text_of(forward, "protocol"),
			forward_host_text(forward, host),
			forward_guest_text(forward, guest),
			text_of(forward, "guest_name"),
			text_of(forward, "network"),
			text_of(forward, "source"),
		};
		table_row(&table, cells);
	}
	table_end(&table, "");
}

static void show_each_forward(const char *verb, const json_t *forwards)
{
	char host[ENDPOINT_SIZE], guest[ENDPOINT_SIZE];

	for (size_t i = 0; i < json_array_size(forwards); i++) {
		const json_t *forward = json_array_get(forwards, i);

		printf("%s %s %s to %s\n", verb, text_of(forward, "protocol"),
			forward_host_text(forward, host), forward_guest_text(forward, guest));
	}
}

void show_forwards_added(const struct arguments *arguments, const json_t *result)
{
	(void)arguments;
	show_each_forward("forwarding", result);
}

void show_forwards_deleted(const struct arguments *arguments, const json_t *result)
{
	(void)arguments;
	show_each_forward("no longer forwarding", result);
}

/* ---- connections ---- */

struct connection_text {
	char source[ENDPOINT_SIZE], destination[ENDPOINT_SIZE];
	char translated[2 * ENDPOINT_SIZE + 8]; /* what the two ends see instead; may be empty */
};

static void connection_texts(const json_t *connection, struct connection_text *text)
{
	const json_t *original = json_object_get(connection, "original");
	const json_t *reply = json_object_get(connection, "reply");
	char answers_from[ENDPOINT_SIZE], answers_to[ENDPOINT_SIZE];

	endpoint_text(
		text_of(original, "source"), number_of(original, "source_port"), text->source);
	endpoint_text(text_of(original, "destination"), number_of(original, "destination_port"),
		text->destination);
	endpoint_text(text_of(reply, "source"), number_of(reply, "source_port"), answers_from);
	endpoint_text(
		text_of(reply, "destination"), number_of(reply, "destination_port"), answers_to);
	/* Replies differ from the mirrored original where an address was translated. */
	const bool source = strcmp(answers_to, text->source) != 0;
	const bool destination = strcmp(answers_from, text->destination) != 0;
	snprintf(text->translated, sizeof(text->translated), "%s%s%s%s%s", source ? "as " : "",
		source ? answers_to : "", source && destination ? " " : "",
		destination ? "to " : "", destination ? answers_from : "");
}

static int64_t bytes_of(const json_t *connection, const char *direction)
{
	return number_of(
		json_object_get(json_object_get(connection, direction), "counter"), "bytes");
}

#define HELPER_TEXT_SIZE 48

/* Who reads it: "ftp"; or who has announced it, and on which connection: "ftp of 12". */
static const char *helper_text(const json_t *connection, char text[HELPER_TEXT_SIZE])
{
	const char *helper = text_of(connection, "helper");

	if (!json_is_integer(json_object_get(connection, "master")))
		return json_is_string(json_object_get(connection, "helper")) ? helper : "";
	snprintf(text, HELPER_TEXT_SIZE, "%s of %" PRId64, helper, number_of(connection, "master"));
	return text;
}

void show_connections(const struct arguments *arguments, const json_t *result)
{
	static const char *const headings[] = {"PROTO", "STATE", "FROM", "SOURCE", "TO",
		"DESTINATION", "TRANSLATED", "HELPER", ">SENT", ">RECEIVED", ">EXPIRES", NULL};
	struct table table;
	(void)arguments;

	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(result); i++) {
		const json_t *connection = json_array_get(result, i);
		struct connection_text text;
		char sent[UNIT_TEXT_SIZE], received[UNIT_TEXT_SIZE], expires[UNIT_TEXT_SIZE];
		char helper[HELPER_TEXT_SIZE];
		connection_texts(connection, &text);
		const char *const cells[] = {
			text_of(connection, "protocol"),
			text_of(connection, "state"),
			text_of(connection, "from"),
			text.source,
			text_of(connection, "to"),
			text.destination,
			text.translated,
			helper_text(connection, helper),
			bytes_text(bytes_of(connection, "original"), sent),
			bytes_text(bytes_of(connection, "reply"), received),
			seconds_text(number_of(connection, "expires_s"), expires),
		};
		table_row(&table, cells);
	}
	table_end(&table, "");
}

void show_connection_event(const json_t *event)
{
	const json_t *connection = json_object_get(event, "connection");
	const time_t now = time(NULL);
	struct connection_text text;
	struct tm local;
	char clock[16];

	if (!connection)
		return;
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &local));
	connection_texts(connection, &text);
	printf("%s %-11s %-6s %s %s > %s %s%s%s\n", clock, text_of(event, "type"),
		text_of(connection, "protocol"), text_of(connection, "from"), text.source,
		text_of(connection, "to"), text.destination, *text.translated ? " " : "",
		text.translated);
}

void show_flushed(const struct arguments *arguments, const json_t *result)
{
	(void)arguments;
	printf("connections ended: %" PRId64 "\n", number_of(result, "flushed"));
}

/* ---- expectations ---- */

void show_expectations(const struct arguments *arguments, const json_t *result)
{
	static const char *const headings[] = {"HELPER", "PROTO", "FROM", "SOURCE", "DESTINATION",
		"TO", "LISTENER", ">MASTER", ">EXPIRES", NULL};
	struct table table;
	(void)arguments;

	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(result); i++) {
		const json_t *expectation = json_array_get(result, i);
		char destination[ENDPOINT_SIZE], listener[ENDPOINT_SIZE], master[UNIT_TEXT_SIZE];
		char expires[UNIT_TEXT_SIZE];
		endpoint_text(text_of(expectation, "destination"),
			number_of(expectation, "destination_port"), destination);
		endpoint_text(text_of(expectation, "listener"),
			number_of(expectation, "listener_port"), listener);
		snprintf(master, sizeof(master), "%" PRId64, number_of(expectation, "master"));
		const bool anywhere = json_is_null(json_object_get(expectation, "from"));
		const bool anybody = json_is_null(json_object_get(expectation, "source"));
		const char *const cells[] = {
			text_of(expectation, "helper"),
			text_of(expectation, "protocol"),
			anywhere ? "any" : text_of(expectation, "from"),
			anybody ? "any" : text_of(expectation, "source"),
			destination,
			text_of(expectation, "to"),
			listener,
			master,
			seconds_text(number_of(expectation, "expires_s"), expires),
		};
		table_row(&table, cells);
	}
	table_end(&table, "");
}

void show_original(const struct arguments *arguments, const json_t *result)
{
	char source[ENDPOINT_SIZE], destination[ENDPOINT_SIZE];

	(void)arguments;
	endpoint_text(text_of(result, "source"), number_of(result, "source_port"), source);
	endpoint_text(
		text_of(result, "destination"), number_of(result, "destination_port"), destination);
	printf("%s, asked for by %s of network %s\n", destination, source,
		text_of(result, "network"));
}

/* ---- actions ---- */

void show_attached(const struct arguments *arguments, const json_t *result)
{
	const json_t *link = json_object_get(result, "link");
	const char *address4 = text_of(link, "address4"), *address6 = text_of(link, "address6");
	const char *device = text_of(link, "device");
	(void)arguments;

	printf("%s is attached to %s: %s %s%s%s\n", text_of(link, "name"), text_of(link, "network"),
		*device ? device : text_of(link, "place"),
		flag_of(link, "whole_subnet") ? "any address" : address4,
		*address4 && *address6 ? ", " : "", address6);
}

void show_detached(const struct arguments *arguments, const json_t *result)
{
	(void)result;
	printf("%s is detached\n", arguments->operands[0]);
}

void show_reloaded(const struct arguments *arguments, const json_t *result)
{
	(void)arguments, (void)result;
	puts("reloaded");
}

void show_version(const struct arguments *arguments, const json_t *result)
{
	(void)arguments;
	printf("tungate %s, tungated %s\n", TUNGATE_VERSION, text_of(result, "version"));
}
