/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache: answers, for as long as their TTL lasts.
 *
 * At most so many entries as were asked for, and 1 KiB of memory for each on average; the one that
 * was used longest ago gives way.  The key has the view, the number of a list of servers, so that
 * what one network's servers say about a name is never told on another.
 */
#ifndef TUNGATE_DNS_CACHE_H
#define TUNGATE_DNS_CACHE_H

#include "dns/message.h"

#define DNS_CACHE_ENTRY_BYTES 1024 /* on average, at most */

struct dns_key {
	uint32_t view;
	uint16_t type, class;
	bool dnssec_ok, checking_disabled;
	struct dns_name name;
};

struct dns_cache;

struct dns_cache_status {
	unsigned entries, entries_max;
	size_t bytes;
};

/* NULL: out of memory.  `entries` 0: nothing is remembered. */
struct dns_cache *dns_cache_create(unsigned entries);
void dns_cache_free(struct dns_cache *cache);

bool dns_key_equal(const struct dns_key *a, const struct dns_key *b);
uint64_t dns_key_hash(const struct dns_cache *cache, const struct dns_key *key);

/* Remember a message, as its TTLs allow; `private` is given back. */
void dns_cache_add(struct dns_cache *cache, const struct dns_key *key,
	const struct dns_message *message, bool private, uint64_t now_ms);
/* Copy what is remembered to `bytes` of DNS_MESSAGE_MAX, with TTLs of now.  Its length, or 0. */
size_t dns_cache_find(struct dns_cache *cache, const struct dns_key *key, uint64_t now_ms,
	uint8_t *bytes, bool *private);
void dns_cache_flush(struct dns_cache *cache);
void dns_cache_status(const struct dns_cache *cache, struct dns_cache_status *status);

#endif
