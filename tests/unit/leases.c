/* SPDX-License-Identifier: BSD-2-Clause */
/* leases: the lines of the file, and what a damaged one costs. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/leases.h"

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
		"lab br0 10.77.0.105 52:54:00:12:34:56 2026-11-22T20:15:00Z "
		"a-name-that-is-longer-than-names-can-be -",
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
