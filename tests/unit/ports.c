/* SPDX-License-Identifier: BSD-2-Clause */
/* ports: counting who uses what. */
#include "engine/ports.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdlib.h>

#define FIRST 61000
#define SIZE  1000

static struct ports ports;

static void setup(void)
{
	const struct port_range range = {FIRST, FIRST + SIZE - 1};
	static const struct siphash_key key = {1, 2};

	ports_init(&ports, calloc(1, ports_bytes(range)), range, &key);
}

static void teardown(void)
{
	free(ports.users);
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

Test(ports, each_once_and_the_last_one_is_found)
{
	bool taken[SIZE] = {false};

	for (unsigned i = 0; i < SIZE; i++) {
		const uint16_t port = ports_take_free(&ports, 0, PORTS_UDP);
		cr_assert(port >= FIRST && port < FIRST + SIZE);
		cr_expect_not(taken[port - FIRST]);
		taken[port - FIRST] = true;
		cr_expect_eq(ports.used[0][PORTS_UDP], i + 1);
	}
	cr_expect_eq(ports_take_free(&ports, 0, PORTS_UDP), 0);
	ports_release(&ports, 0, PORTS_UDP, FIRST + 17);
	cr_expect_eq(ports_take_free(&ports, 0, PORTS_UDP), FIRST + 17);
	cr_expect_eq(ports_take_free(&ports, 0, PORTS_UDP), 0);
}

Test(ports, tables_are_apart)
{
	const unsigned last = ENGINE_EXTERNALS_MAX - 1;

	for (unsigned i = 0; i < SIZE; i++)
		ports_take(&ports, last, PORTS_ICMP, (uint16_t)(FIRST + i));
	cr_expect_eq(ports_take_free(&ports, last, PORTS_ICMP), 0);
	cr_expect_neq(ports_take_free(&ports, last, PORTS_UDP), 0);
	cr_expect_neq(ports_take_free(&ports, last - 1, PORTS_ICMP), 0);
	cr_expect_neq(ports_take_free(&ports, 0, PORTS_TCP), 0);
}

/* A shared port is free when the last one has given it back. */
Test(ports, users_are_counted)
{
	ports_take(&ports, 0, PORTS_TCP, FIRST);
	ports_take(&ports, 0, PORTS_TCP, FIRST);
	ports_take(&ports, 0, PORTS_TCP, FIRST + 1);
	cr_expect_eq(ports.used[0][PORTS_TCP], 2);
	ports_release(&ports, 0, PORTS_TCP, FIRST);
	cr_expect_eq(ports.used[0][PORTS_TCP], 2);
	ports_release(&ports, 0, PORTS_TCP, FIRST);
	cr_expect_eq(ports.used[0][PORTS_TCP], 1);
	ports_release(&ports, 0, PORTS_TCP, FIRST + 1);
	cr_expect_eq(ports.used[0][PORTS_TCP], 0);
}

Test(ports, a_range_of_one_and_the_whole_range)
{
	static const struct siphash_key key = {1, 2};
	const struct port_range one = {65535, 65535}, all = {1024, 65535};
	struct ports other;

	ports_init(&other, calloc(1, ports_bytes(one)), one, &key);
	cr_expect_eq(ports_size(&other), 1);
	cr_expect_eq(ports_take_free(&other, 0, PORTS_UDP), 65535);
	cr_expect_eq(ports_take_free(&other, 0, PORTS_UDP), 0);
	free(other.users);
	ports_init(&other, calloc(1, ports_bytes(all)), all, &key);
	cr_expect_eq(ports_size(&other), 64512);
	for (unsigned i = 0; i < 64512; i++)
		cr_assert_geq(ports_take_free(&other, 0, PORTS_UDP), 1024);
	cr_expect_eq(ports_take_free(&other, 0, PORTS_UDP), 0);
	free(other.users);
}

/* RFC 6056: another key, another order; and every number below the bound comes up. */
Test(ports, random_numbers)
{
	static const struct siphash_key key = {3, 4};
	struct ports other;
	unsigned seen[10] = {0}, same = 0;

	ports_init(&other, ports.users, ports.range, &key);
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
