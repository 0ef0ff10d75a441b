/* SPDX-License-Identifier: BSD-2-Clause */
/* dns_cache: what is remembered, for whom, for how long, and how much of it. */
#include "dns/cache.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct dns_cache *cache;
static uint8_t bytes[DNS_MESSAGE_MAX], found[DNS_MESSAGE_MAX];

static void end(void)
{
	dns_cache_free(cache);
}

TestSuite(dns_cache, .fini = end);

static struct dns_key key_of(const char *name)
{
	struct dns_key key = {.view = 1, .type = DNS_A, .class = DNS_IN};

	cr_assert(dns_name_parse(name, &key.name));
	return key;
}

/* An answer with one address, and `padding` bytes beside it. */
static void add(const struct dns_key *key, uint32_t ttl, size_t padding, uint64_t now_ms)
{
	static const uint8_t zeros[8192];
	const union addr address = addr_v4(192, 0, 2, 1);
	struct dns_writer writer = {.bytes = bytes, .size = sizeof(bytes)};
	struct dns_message message;

	dns_write_question(
		&writer, 0, DNS_QR, key->name.bytes, key->name.length, key->type, key->class);
	dns_write_address(&writer, NULL, AF_INET, &address, ttl);
	if (padding > 0)
		dns_write_record(&writer, DNS_ADDITIONAL, NULL, 65280, ttl + 1000, zeros, padding);
	cr_assert_eq(dns_message_parse(bytes, writer.length, &message), 0);
	dns_cache_add(cache, key, &message, false, now_ms);
}

static bool has(const struct dns_key *key, uint64_t now_ms)
{
	bool private;

	return dns_cache_find(cache, key, now_ms, found, &private) > 0;
}

Test(dns_cache, times_count_down_and_end)
{
	const struct dns_key key = key_of("www.example");
	struct dns_cursor cursor = {0};
	struct dns_message message;
	struct dns_record record;
	bool private;

	cache = dns_cache_create(16);
	add(&key, 60, 8, 5000);
	const size_t length = dns_cache_find(cache, &key, 5000 + 20999, found, &private);
	cr_assert_gt(length, 0);
	cr_assert_eq(dns_message_parse(found, length, &message), 0);
	cr_assert(dns_record_next(&message, &cursor, &record));
	cr_expect_eq(record.ttl, 40);
	cr_assert(dns_record_next(&message, &cursor, &record));
	cr_expect_eq(record.ttl, 1040);
	cr_expect(has(&key, 5000 + 59999));
	cr_expect_not(has(&key, 5000 + 60000));
}

Test(dns_cache, nothing_is_told_to_whom_it_is_not_for)
{
	const struct dns_key key = key_of("www.example");
	struct dns_key other;

	cache = dns_cache_create(16);
	add(&key, 60, 0, 0);
	other = key;
	other.view = 2;
	cr_expect_not(has(&other, 0), "another network's servers");
	other = key;
	other.type = DNS_AAAA;
	cr_expect_not(has(&other, 0));
	other = key;
	other.class = 3;
	cr_expect_not(has(&other, 0));
	other = key;
	other.dnssec_ok = true;
	cr_expect_not(has(&other, 0));
	other = key;
	other.checking_disabled = true;
	cr_expect_not(has(&other, 0));
	other = key_of("ww.example");
	cr_expect_not(has(&other, 0));
	cr_expect(has(&key, 0));
}

Test(dns_cache, the_longest_unused_gives_way)
{
	struct dns_cache_status status;
	struct dns_key key[5];
	char name[32];

	cache = dns_cache_create(4);
	for (unsigned i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		key[i] = key_of(name);
	}
	for (unsigned i = 0; i < 4; i++)
		add(&key[i], 60, 0, 0);
	cr_expect(has(&key[0], 0));
	add(&key[4], 60, 0, 0);
	cr_expect(has(&key[0], 0));
	cr_expect_not(has(&key[1], 0));
	cr_expect(has(&key[4], 0));
	dns_cache_status(cache, &status);
	cr_expect_eq(status.entries, 4);
	dns_cache_flush(cache);
	cr_expect_not(has(&key[0], 0));
	dns_cache_status(cache, &status);
	cr_expect_eq(status.bytes, 0);
}

/* 1 KiB for each on average. */
Test(dns_cache, memory_is_bounded)
{
	struct dns_cache_status status;
	char name[32];

	cache = dns_cache_create(64);
	for (unsigned i = 0; i < 64; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		const struct dns_key key = key_of(name);
		add(&key, 60, 4000, 0);
		dns_cache_status(cache, &status);
		cr_assert_leq(status.bytes, 64 * DNS_CACHE_ENTRY_BYTES);
	}
	cr_expect_lt(status.entries, 17);
	cr_expect_gt(status.entries, 10);
}

Test(dns_cache, a_newer_answer_replaces_the_older)
{
	const struct dns_key key = key_of("www.example");
	struct dns_cache_status status;

	cache = dns_cache_create(16);
	add(&key, 60, 0, 0);
	add(&key, 600, 0, 0);
	cr_expect(has(&key, 300000));
	dns_cache_status(cache, &status);
	cr_expect_eq(status.entries, 1);
	/* One that may not be remembered takes its place as well. */
	add(&key, 0, 0, 300000);
	cr_expect_not(has(&key, 300000));
}

Test(dns_cache, none)
{
	const struct dns_key key = key_of("www.example");

	cache = dns_cache_create(0);
	add(&key, 60, 0, 0);
	cr_expect_not(has(&key, 0));
}
