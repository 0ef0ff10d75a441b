/* SPDX-License-Identifier: BSD-2-Clause */
/* leases: the lines of the file, and what a damaged one costs. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/world.h"
#include "daemon/leases.h"
#include "lan/lease.h"

#define GOOD "lab br0 10.77.0.105 52:54:00:12:34:56 2026-11-22T20:15:00Z web 01525400123456\n"
#define LESS "lab vm fd77::9 02:00:00:00:00:09 1999-12-31T23:59:59Z - -\n"

static unsigned failed_lines, failed_last;

static void line_failed(void *context, unsigned line, const char *text)
{
	(void)context;
	(void)text;
	failed_lines++;
	failed_last = line;
}

static struct lease_list parse(const char *text)
{
	struct lease_list list = {0};

	failed_lines = 0;
	leases_parse(&list, text, line_failed, NULL);
	return list;
}

Test(leases, line_says_what_it_was_made_of)
{
	struct lease_list list = parse("# a comment\n\n" GOOD "  \n" LESS);
	char line[LEASE_LINE_SIZE];

	cr_expect_eq(failed_lines, 0);
	cr_assert_eq(list.count, 2);
	cr_expect_str_eq(list.lease[0].network, "lab");
	cr_expect_str_eq(list.lease[0].link, "br0");
	cr_expect_str_eq(list.lease[0].name, "web");
	cr_expect_eq(list.lease[0].mac[5], 0x56);
	cr_expect_eq(list.lease[0].id_length, 7);
	cr_expect_eq(list.lease[0].id[1], 0x52);
	cr_expect_eq(list.lease[0].expires_s, 1795378500);
	cr_expect_eq(list.lease[1].family, AF_INET6);
	cr_expect_eq(list.lease[1].id_length, 0);
	cr_expect_str_eq(list.lease[1].name, "");
	lease_format(&list.lease[0], line);
	cr_expect_str_eq(line, GOOD);
	lease_format(&list.lease[1], line);
	cr_expect_str_eq(line, LESS);
	free(list.lease);
}

Test(leases, longest_line_fits)
{
	struct known_lease lease = {.family = AF_INET6, .id_length = LAN_CLIENT_ID_MAX};
	char line[LEASE_LINE_SIZE];

	memset(lease.network, 'n', sizeof(lease.network) - 1);
	memset(lease.link, 'l', sizeof(lease.link) - 1);
	memset(lease.name, 'a', sizeof(lease.name) - 1);
	memset(lease.address.bytes, 0xff, sizeof(lease.address.bytes));
	memset(lease.id, 0xff, sizeof(lease.id));
	lease_format(&lease, line);
	struct lease_list list = parse(line);
	cr_assert_eq(list.count, 1);
	cr_expect_eq(memcmp(&list.lease[0], &lease, sizeof(lease)), 0);
	free(list.lease);
}

Test(leases, damaged_lines_are_skipped_alone)
{
	static const char *const damaged[] = {
		"lab",
		"lab br0 10.77.0.105 52:54:00:12:34:56 2026-11-22T20:15:00Z web",
		"lab br0 10.77.0.105 52:54:00:12:34:56 2026-11-22T20:15:00Z web - more",
		"lab br0 10.77.0.305 52:54:00:12:34:56 2026-11-22T20:15:00Z web -",
		"lab br0 10.77.0.105 52:54:00:12:34 2026-11-22T20:15:00Z web -",
		"lab br0 10.77.0.105 52:54:00:12:34:56 yesterday web -",
		"lab br0 10.77.0.105 52:54:00:12:34:56 2026-11-22T20:15:00Z+1 web -",
		"lab br0 10.77.0.105 52:54:00:12:34:56 2026-11-22T20:15:00Z web 0",
		"lab br0 10.77.0.105 52:54:00:12:34:56 2026-11-22T20:15:00Z web 0x",
		("lab br0 10.77.0.105 52:54:00:12:34:56 2026-11-22T20:15:00Z "
		 "a-name-that-is-longer-than-names-can-be -"),
		"\x01\x02\xff",
	};

	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		char text[1024];

		snprintf(text, sizeof(text), GOOD "%s\n" LESS, damaged[i]);
		struct lease_list list = parse(text);
		cr_expect_eq(list.count, 2, "%s", damaged[i]);
		cr_expect_eq(failed_lines, 1, "%s", damaged[i]);
		cr_expect_eq(failed_last, 2);
		free(list.lease);
	}
}

Test(leases, line_without_end)
{
	char text[2 * LEASE_LINE_SIZE];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	struct lease_list list = parse(text);
	cr_expect_eq(list.count, 0);
	cr_expect_eq(failed_lines, 1);
	free(list.lease);
	list = parse("lab br0 10.77.0.105 52:54:00:12:34:56 2026-11-22T20:15:00Z web -");
	cr_expect_eq(list.count, 1);
	free(list.lease);
}

/* ---- what guests do ---- */

static struct daemon gateway;
static char state[] = "/tmp/leases-XXXXXX";

static void gateway_start(void)
{
	static const char text[] = "[network lab]\nsubnet = 10.77.0.0/16, fd77::/64\n"
				   "lease = 02:00:00:00:00:09 10.77.0.9 wpad\n"
				   "[network hall]\nsubnet = 10.78.0.0/24\n";
	struct config_errors errors;

	cr_assert_not_null(mkdtemp(state));
	gateway = (struct daemon){.config = config_parse("test", text, &errors),
		.log = (struct log *)world_log(),
		.loop = uv_default_loop()};
	cr_assert_not_null(gateway.config);
	snprintf(gateway.config->gateway.state, sizeof(gateway.config->gateway.state), "%s", state);
	cr_assert_eq(leases_open(&gateway, &gateway.leases), 0);
}

static void gateway_stop(void)
{
	leases_close(gateway.leases);
	uv_run(gateway.loop, UV_RUN_DEFAULT);
	config_free(gateway.config);
	sh("rm -r %s", state);
}

static void lease_take(uint16_t network, uint16_t machine, uint8_t family, const char *name)
{
	struct lan_lease lease = {.family = family,
		.mac = {2, 0, 0, 0, (uint8_t)(machine >> 8), (uint8_t)machine},
		.expires_ms = uv_now(gateway.loop) + 60000};

	lease.address =
		addr_v4(10, (uint8_t)(77 + network), (uint8_t)(machine >> 8), (uint8_t)machine);
	if (family == AF_INET6)
		lease.address = (union addr){.bytes = {0xfd, 0x77, [15] = (uint8_t)machine}};
	leases_changed(gateway.leases, network, "br0", &lease);
	if (name != NULL)
		leases_named(gateway.leases, network, family, &lease.address, name);
}

static int machine_called(const char *name, uint8_t family)
{
	union addr address;

	if (!leases_find_name(gateway.leases, 0, name, family, &address))
		return 0;
	return address.bytes[family == AF_INET ? 3 : 15];
}

Test(leases, names_are_one_machines_in_both_families, .init = gateway_start, .fini = gateway_stop)
{
	lease_take(0, 2, AF_INET, "db");
	lease_take(0, 3, AF_INET6, "db");
	cr_expect_eq(machine_called("db", AF_INET), 2);
	cr_expect_eq(machine_called("db", AF_INET6), 0);
	lease_take(0, 2, AF_INET6, "db");
	cr_expect_eq(machine_called("db", AF_INET6), 2);
}

Test(leases, names_that_are_trusted_blindly, .init = gateway_start, .fini = gateway_stop)
{
	lease_take(0, 2, AF_INET, "wpad");
	lease_take(0, 3, AF_INET, "isatap");
	cr_expect_eq(machine_called("wpad", AF_INET), 0);
	cr_expect_eq(machine_called("isatap", AF_INET), 0);
	lease_take(0, 9, AF_INET, "wpad"); /* the config says so */
	cr_expect_eq(machine_called("wpad", AF_INET), 9);
}

/* However many machines one link pretends to have, others' leases are remembered. */
Test(leases, one_link_does_not_use_up_all, .init = gateway_start, .fini = gateway_stop)
{
	unsigned count = 0;

	lease_take(1, 7, AF_INET, NULL);
	for (uint16_t machine = 1; machine <= LEASES_MAX + 100; machine++)
		lease_take(0, machine, AF_INET, NULL);
	while (leases_at(gateway.leases, count) != NULL)
		count++;
	cr_expect_eq(count, LEASES_MAX + 1);
	cr_expect_str_eq(leases_at(gateway.leases, 0)->network, "hall");
}

/* What could not be written is when it can be again, even if nothing else changes. */
Test(leases, full_disk_loses_nothing, .init = gateway_start, .fini = gateway_stop)
{
	char path[64];

	sh("rmdir %s && touch %s", state, state);
	lease_take(0, 2, AF_INET, NULL);
	while (!world_logged("cannot be written"))
		uv_run(gateway.loop, UV_RUN_ONCE);
	sh("rm %s && mkdir %s", state, state);
	leases_close(gateway.leases);
	snprintf(path, sizeof(path), "%s/leases", state);
	cr_expect_eq(access(path, R_OK), 0);
	cr_assert_eq(leases_open(&gateway, &gateway.leases), 0);
	cr_expect_not_null(leases_at(gateway.leases, 0));
}
