/* SPDX-License-Identifier: BSD-2-Clause */
/* show_dns: what the DNS forwarder has done, for people. */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>
#include "members.h"
#include "table.h"

static void show_figures(const json_t *networks)
{
	static const char *const headings[] = {"NETWORK", ">QUERIES", ">OWN", ">CACHED", ">ASKED",
		">FAILED", ">REFUSED", ">BLOCKED", ">DROPPED", NULL};
	static const char *const keys[] = {
		"queries", "own", "hits", "forwarded", "failures", "refused", "blocked", "dropped"};
	enum { KEYS = sizeof(keys) / sizeof(keys[0]) };
	struct table table;

	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(networks); i++) {
		const json_t *network = json_array_get(networks, i);
		char numbers[KEYS][UNIT_TEXT_SIZE];
		const char *cells[1 + KEYS] = {text_of(network, "name")};

		for (unsigned key = 0; key < KEYS; key++)
			cells[1 + key] = count_text(number_of(network, keys[key]), numbers[key]);
		table_row(&table, cells);
	}
	table_end(&table, "");
}

static void show_servers(const json_t *networks)
{
	static const char *const headings[] = {
		"SERVER", "NETWORK", ">ASKED", ">FAILED", "AVOIDED", NULL};
	struct table table;

	table_begin(&table, headings);
	for (size_t i = 0; i < json_array_size(networks); i++) {
		const json_t *network = json_array_get(networks, i);
		const json_t *servers = json_object_get(network, "servers");

		for (size_t j = 0; j < json_array_size(servers); j++) {
			const json_t *server = json_array_get(servers, j);
			char asked[UNIT_TEXT_SIZE], failed[UNIT_TEXT_SIZE];
			const char *const cells[] = {
				text_of(server, "address"),
				text_of(network, "name"),
				count_text(number_of(server, "asked"), asked),
				count_text(number_of(server, "failed"), failed),
				flag_of(server, "avoided") ? "yes" : "no",
			};
			table_row(&table, cells);
		}
	}
	table_end(&table, "");
}

void show_dns(const struct arguments *arguments, const json_t *result)
{
	const json_t *cache = json_object_get(result, "cache");
	const json_t *networks = json_object_get(result, "networks");
	char bytes[UNIT_TEXT_SIZE];
	(void)arguments;

	printf("cache     %" PRId64 " of %" PRId64 " answers, %s\n\n", number_of(cache, "entries"),
		number_of(cache, "max"), bytes_text(number_of(cache, "bytes"), bytes));
	show_figures(networks);
	puts("");
	show_servers(networks);
}

void show_dns_flushed(const struct arguments *arguments, const json_t *result)
{
	const int64_t count = number_of(result, "flushed");
	(void)arguments;

	printf("%" PRId64 " answer%s forgotten\n", count, count == 1 ? "" : "s");
}
