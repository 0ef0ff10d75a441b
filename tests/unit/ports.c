/* SPDX-License-Identifier: BSD-2-Clause */
/* ports: who uses what, and what is free. */
#include "engine/ports.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>

#define FIRST 61000
#define SIZE  1000
#define NOW   1000000

static const struct port_list list = {2, {{FIRST, FIRST + 399}, {64000, 64599}}};
static const union addr one = {.v4 = 1}, two = {.v4 = 2};
static struct ports ports;
static void *memory;

static void setup(void)
{
	static const struct siphash_key key = {1, 2};

	memory = calloc(1, ports_bytes(2));
	ports_init(&ports, memory, 2, &key);
}

static void teardown(void)
{
	free(memory);
}

static struct ports_table open_table(const union addr *address, uint8_t protocol)
{
	struct ports_table table;

	cr_assert(ports_open(&ports, AF_INET, address, protocol, &table));
	return table;
}

static uint16_t find(struct ports_table table)
{
	const struct ports_slice slice = ports_whole(&list);

	return ports_find_free(&ports, table, &slice, NOW);
}

/* Find and take; 0 where all are taken. */
static uint16_t take(struct ports_table table, uint32_t user)
{
	const uint16_t port = find(table);

	if (port != 0)
		ports_take(&ports, table, port, user);
	return port;
}

TestSuite(ports, .init = setup, .fini = teardown);

Test(ports, protocols)
{
	cr_expect_eq(ports_protocol(AF_INET, IPPROTO_TCP), PORTS_TCP);
	cr_expect_eq(ports_protocol(AF_INET6, IPPROTO_UDP), PORTS_UDP);
	cr_expect_eq(ports_protocol(AF_INET, IPPROTO_ICMP), PORTS_ICMP);
	cr_expect_eq(ports_protocol(AF_INET6, IPPROTO_ICMPV6), PORTS_ICMP);
	cr_expect_eq(ports_protocol(AF_INET, IPPROTO_ICMPV6), -1);
	cr_expect_eq(ports_protocol(AF_INET6, IPPROTO_ICMP), -1);
	cr_expect_eq(ports_protocol(AF_INET, IPPROTO_GRE), -1);
	cr_expect_eq(ports_protocol(AF_INET, 0), -1);
}

/* RFC 6888 REQ-3: any shape of pool, every port of it and none outside. */
Test(ports, each_once_and_the_last_one_is_found)
{
	const struct ports_table table = open_table(&one, IPPROTO_UDP);
	bool taken[65536] = {false};

	for (unsigned i = 0; i < SIZE; i++) {
		const uint16_t port = take(table, i);
		cr_assert(port_list_has(&list, port));
		cr_expect_not(taken[port]);
		taken[port] = true;
		cr_expect_eq(ports.address[0].used[PORTS_UDP], i + 1);
	}
	cr_expect_eq(find(table), 0);
	ports_release(&ports, table, 64017, 0);
	cr_expect_eq(find(table), 64017);
	ports_take(&ports, table, 64017, 1);
	ports_release(&ports, table, FIRST, 0);
	cr_expect_eq(find(table), FIRST);
}

/* Whatever hole there is, wherever the search begins. */
Test(ports, the_search_is_exact)
{
	const struct ports_table table = open_table(&one, IPPROTO_TCP);

	for (unsigned i = 0; i < SIZE; i++)
		ports_take(&ports, table, port_list_at(&list, i), i);
	for (unsigned i = 0; i < SIZE; i++) {
		const uint16_t hole = port_list_at(&list, i);
		ports_release(&ports, table, hole, 0);
		cr_expect_eq(find(table), hole);
		ports_take(&ports, table, hole, i);
	}
	cr_expect_eq(ports.address[0].used[PORTS_TCP], SIZE);
}

Test(ports, a_slice_is_all_that_is_looked_at)
{
	const struct ports_table table = open_table(&one, IPPROTO_UDP);
	const struct ports_slice slice = {&list, 390, 20};

	for (unsigned i = 0; i < 20; i++) {
		const uint16_t port = ports_find_free(&ports, table, &slice, NOW);
		cr_expect((port >= 61390 && port <= 61399) || (port >= 64000 && port <= 64009),
			"%u", port);
		ports_take(&ports, table, port, i);
	}
	cr_expect_eq(ports_find_free(&ports, table, &slice, NOW), 0);
	cr_expect_neq(find(table), 0);
}

Test(ports, tables_are_apart)
{
	const struct ports_table full = open_table(&two, IPPROTO_ICMP);

	for (unsigned i = 0; i < SIZE; i++)
		ports_take(&ports, full, port_list_at(&list, i), 0);
	cr_expect_eq(find(full), 0);
	cr_expect_neq(find(open_table(&two, IPPROTO_UDP)), 0);
	cr_expect_neq(find(open_table(&two, IPPROTO_TCP)), 0);
	cr_expect_neq(find(open_table(&one, IPPROTO_ICMP)), 0);
}

/* An address has its tables for as long as somebody uses a port of it. */
Test(ports, tables_change_hands)
{
	const union addr three = {.v4 = 3};
	const struct ports_table first = open_table(&one, IPPROTO_UDP);
	struct ports_table table;

	ports_take(&ports, first, FIRST, 7);
	ports_take(&ports, open_table(&two, IPPROTO_TCP), FIRST, 8);
	cr_expect_not(ports_open(&ports, AF_INET, &three, IPPROTO_UDP, &table));
	cr_expect_not(ports_find(&ports, AF_INET, &three, IPPROTO_UDP, &table));
	cr_expect_not(ports_find(&ports, AF_INET6, &one, IPPROTO_UDP, &table));
	cr_expect_not(ports_open(&ports, AF_INET, &one, IPPROTO_GRE, &table), "no ports");
	ports_release(&ports, first, FIRST, 0);
	cr_expect(ports_open(&ports, AF_INET, &three, IPPROTO_UDP, &table));
	cr_expect_eq(ports_user(&ports, table, FIRST), PORTS_NOBODY);
	cr_expect_not(ports_find(&ports, AF_INET, &one, IPPROTO_UDP, &table));
}

Test(ports, users)
{
	const struct ports_table table = open_table(&one, IPPROTO_TCP);

	cr_expect_eq(ports_user(&ports, table, FIRST), PORTS_NOBODY);
	ports_take(&ports, table, FIRST, 0);
	cr_expect_eq(ports_user(&ports, table, FIRST), 0);
	ports_take(&ports, table, FIRST, 5);
	cr_expect_eq(ports_user(&ports, table, FIRST), 5);
	cr_expect_eq(ports.address[0].used[PORTS_TCP], 1);
	ports_release(&ports, table, FIRST, 0);
	cr_expect_eq(ports_user(&ports, table, FIRST), PORTS_NOBODY);
	cr_expect_eq(ports.address[0].used[PORTS_TCP], 0);
}

/* RFC 6888 REQ-8 */
Test(ports, rest)
{
	const struct ports_table table = open_table(&one, IPPROTO_UDP);
	const struct ports_slice slice = ports_whole(&list);

	for (unsigned i = 0; i < SIZE; i++)
		ports_take(&ports, table, port_list_at(&list, i), 0);
	for (unsigned i = 10; i < 20; i++)
		ports_release(&ports, table, port_list_at(&list, i), NOW + 120000);
	cr_expect_eq(ports_user(&ports, table, FIRST + 10), PORTS_NOBODY);
	cr_expect_eq(find(table), 0);
	cr_expect_eq(ports_find_free(&ports, table, &slice, NOW + 119999), 0);
	cr_expect_neq(ports_find_free(&ports, table, &slice, NOW + 120000), 0);
	ports_release(&ports, table, 64599, 0);
	cr_expect_eq(find(table), 64599);
}

/* RFC 7857 section 9, RFC 6056: 4,096 first choices in 64 bins are as even as chance makes them.
 * chi-square with 63 degrees of freedom is below 103.4 in 999 of 1000 cases. */
Test(ports, choices_are_evenly_spread)
{
	const struct port_list wide = {1, {{32768, 65535}}};
	const struct ports_slice slice = ports_whole(&wide);
	const struct ports_table table = open_table(&one, IPPROTO_UDP);
	unsigned bins[64] = {0}, ascending = 0;
	uint16_t before = 0;
	double chi_square = 0;

	for (unsigned i = 0; i < 4096; i++) {
		const uint16_t port = ports_find_free(&ports, table, &slice, NOW);
		bins[(port - 32768) / 512]++;
		ascending += port > before;
		before = port;
	}
	for (unsigned i = 0; i < 64; i++)
		chi_square += (bins[i] - 64.0) * (bins[i] - 64.0) / 64.0;
	cr_expect_lt(chi_square, 103.4);
	cr_expect(ascending > 1900 && ascending < 2200, "%u of 4096 ascend", ascending);
}

/* ... and so are the ports of a pool that fills up. */
Test(ports, halves_fill_evenly)
{
	const struct ports_table table = open_table(&one, IPPROTO_UDP);
	unsigned first = 0;

	for (unsigned i = 0; i < SIZE / 2; i++)
		first += take(table, i) < 64000;
	cr_expect(first > 170 && first < 230, "%u of 500 in two fifths of the pool", first);
}

Test(ports, a_range_of_one_and_the_whole_range)
{
	const struct port_list last = {1, {{65535, 65535}}}, all = {1, {{1, 65535}}};
	const struct ports_slice slice = ports_whole(&last), every = ports_whole(&all);
	const struct ports_table table = open_table(&one, IPPROTO_UDP);

	for (unsigned i = 0; i < 65535; i++) {
		const uint16_t port = ports_find_free(&ports, table, &every, NOW);
		cr_assert_geq(port, 1);
		ports_take(&ports, table, port, 0);
	}
	cr_expect_eq(ports_find_free(&ports, table, &every, NOW), 0);
	cr_expect_eq(ports_find_free(&ports, table, &slice, NOW), 0);
	ports_release(&ports, table, 65535, 0);
	cr_expect_eq(ports_find_free(&ports, table, &slice, NOW), 65535);
}

/* RFC 6056: another key, another order; and every number below the bound comes up. */
Test(ports, random_numbers)
{
	static const struct siphash_key key = {3, 4};
	struct ports other;
	unsigned seen[10] = {0}, same = 0;

	ports_init(&other, memory, 2, &key);
	for (unsigned i = 0; i < 10000; i++) {
		const uint32_t number = ports_random(&ports, 10);
		cr_assert_lt(number, 10);
		seen[number]++;
		same += number == ports_random(&other, 10);
	}
	for (unsigned i = 0; i < 10; i++)
		cr_expect(seen[i] > 800 && seen[i] < 1200, "%u: %u times", i, seen[i]);
	cr_expect(same > 800 && same < 1200);
}
