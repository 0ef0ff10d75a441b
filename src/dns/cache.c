/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache: a hash table with a list in order of use.
 *
 * An entry is one piece of memory: the message without its OPT record, its question in lower case,
 * and where its TTLs are.
 */
#include "dns/cache.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <sys/random.h>
#include "base/siphash.h"

#define SECOND_MS 1000

struct entry {
	LIST_ENTRY(entry) bucket;
	TAILQ_ENTRY(entry) used;
	uint64_t stored_ms, expires_ms;
	uint32_t view;
	uint16_t type, class;
	bool dnssec_ok, checking_disabled, private;
	uint8_t name_length;
	uint16_t length; /* of the message */
	uint16_t ttl_count;
	uint16_t ttl_at[]; /* then the message */
};
LIST_HEAD(bucket, entry);

struct dns_cache {
	struct siphash_key hash_key;
	TAILQ_HEAD(, entry) used; /* longest unused first */
	unsigned count, max, mask;
	size_t bytes, bytes_max;
	struct bucket *buckets;
};

static uint8_t *entry_message(const struct entry *entry)
{
	return (uint8_t *)(entry->ttl_at + entry->ttl_count);
}

static size_t entry_bytes(const struct entry *entry)
{
	return sizeof(*entry) + 2u * entry->ttl_count + entry->length;
}

/* ---- life ---- */

struct dns_cache *dns_cache_create(unsigned entries)
{
	struct dns_cache *cache = calloc(1, sizeof(*cache));
	unsigned buckets = 16;

	if (cache == NULL)
		return NULL;
	while (buckets < entries)
		buckets *= 2;
	cache->buckets = calloc(buckets, sizeof(*cache->buckets));
	if (cache->buckets == NULL) {
		free(cache);
		return NULL;
	}
	cache->mask = buckets - 1;
	cache->max = entries;
	cache->bytes_max = (size_t)entries * DNS_CACHE_ENTRY_BYTES;
	TAILQ_INIT(&cache->used);
	(void)!getrandom(&cache->hash_key, sizeof(cache->hash_key), 0);
	return cache;
}

static void entry_remove(struct dns_cache *cache, struct entry *entry)
{
	LIST_REMOVE(entry, bucket);
	TAILQ_REMOVE(&cache->used, entry, used);
	cache->count--;
	cache->bytes -= entry_bytes(entry);
	free(entry);
}

void dns_cache_flush(struct dns_cache *cache)
{
	while (!TAILQ_EMPTY(&cache->used))
		entry_remove(cache, TAILQ_FIRST(&cache->used));
}

void dns_cache_free(struct dns_cache *cache)
{
	if (cache == NULL)
		return;
	dns_cache_flush(cache);
	free(cache->buckets);
	free(cache);
}

void dns_cache_status(const struct dns_cache *cache, struct dns_cache_status *status)
{
	*status = (struct dns_cache_status){
		.entries = cache->count, .entries_max = cache->max, .bytes = cache->bytes};
}

/* ---- keys ---- */

bool dns_key_equal(const struct dns_key *a, const struct dns_key *b)
{
	return a->view == b->view && a->type == b->type && a->class == b->class &&
	       a->dnssec_ok == b->dnssec_ok && a->checking_disabled == b->checking_disabled &&
	       dns_name_equal(&a->name, &b->name);
}

uint64_t dns_key_hash(const struct dns_cache *cache, const struct dns_key *key)
{
	uint64_t words[2 + (DNS_NAME_BYTES_MAX + 7) / 8];
	const size_t count = (key->name.length + 7u) / 8;

	words[count - 1] = 0; /* its last bytes; a name has one at least */
	memcpy(words, key->name.bytes, key->name.length);
	words[count] = (uint64_t)key->view << 32 | (uint32_t)key->type << 16 | key->class;
	words[count + 1] = (uint64_t)key->dnssec_ok << 1 | key->checking_disabled;
	return siphash_words(&cache->hash_key, words, count + 2);
}

static bool entry_is(const struct entry *entry, const struct dns_key *key)
{
	return entry->view == key->view && entry->type == key->type && entry->class == key->class &&
	       entry->dnssec_ok == key->dnssec_ok &&
	       entry->checking_disabled == key->checking_disabled &&
	       entry->name_length == key->name.length &&
	       memcmp(entry_message(entry) + DNS_HEADER_BYTES, key->name.bytes, key->name.length) ==
		       0;
}

static struct bucket *bucket_of(struct dns_cache *cache, const struct dns_key *key)
{
	return &cache->buckets[dns_key_hash(cache, key) & cache->mask];
}

static struct entry *entry_find(struct dns_cache *cache, const struct dns_key *key)
{
	struct entry *entry;

	LIST_FOREACH(entry, bucket_of(cache, key), bucket)
	{
		if (entry_is(entry, key))
			return entry;
	}
	return NULL;
}

/* ---- messages ---- */

static unsigned ttl_positions(const struct dns_message *message, uint16_t *ttl_at)
{
	struct dns_cursor cursor = {0};
	struct dns_record record;
	unsigned count = 0;

	while (dns_record_next(message, &cursor, &record)) {
		if (record.type == DNS_OPT)
			continue;
		if (ttl_at != NULL)
			ttl_at[count] = (uint16_t)record.ttl_at;
		count++;
	}
	return count;
}

static struct entry *entry_new(const struct dns_key *key, const struct dns_message *message)
{
	const unsigned count = ttl_positions(message, NULL);
	struct entry *entry = malloc(sizeof(*entry) + 2 * (size_t)count + message->length);

	if (entry == NULL)
		return NULL;
	*entry = (struct entry){
		.view = key->view,
		.type = key->type,
		.class = key->class,
		.dnssec_ok = key->dnssec_ok,
		.checking_disabled = key->checking_disabled,
		.name_length = key->name.length,
		.length = (uint16_t)message->length,
		.ttl_count = (uint16_t)count,
	};
	ttl_positions(message, entry->ttl_at);
	memcpy(entry_message(entry), message->bytes, message->length);
	memcpy(entry_message(entry) + DNS_HEADER_BYTES, key->name.bytes, key->name.length);
	return entry;
}

void dns_cache_add(struct dns_cache *cache, const struct dns_key *key,
	const struct dns_message *message, bool private, uint64_t now_ms)
{
	const uint32_t ttl = dns_message_ttl(message);
	struct entry *entry = entry_find(cache, key);

	if (entry != NULL)
		entry_remove(cache, entry);
	if (ttl == 0 || cache->max == 0 || message->length > cache->bytes_max / 4)
		return;
	entry = entry_new(key, message);
	if (entry == NULL)
		return;
	entry->private = private;
	entry->stored_ms = now_ms;
	entry->expires_ms = now_ms + (uint64_t)ttl * SECOND_MS;
	cache->count++;
	cache->bytes += entry_bytes(entry);
	LIST_INSERT_HEAD(bucket_of(cache, key), entry, bucket);
	TAILQ_INSERT_TAIL(&cache->used, entry, used);
	while (cache->count > cache->max || cache->bytes > cache->bytes_max)
		entry_remove(cache, TAILQ_FIRST(&cache->used));
}

size_t dns_cache_find(struct dns_cache *cache, const struct dns_key *key, uint64_t now_ms,
	uint8_t *bytes, bool *private)
{
	struct entry *entry = cache->max > 0 ? entry_find(cache, key) : NULL;

	if (entry == NULL)
		return 0;
	if (entry->expires_ms <= now_ms) {
		entry_remove(cache, entry);
		return 0;
	}
	TAILQ_REMOVE(&cache->used, entry, used);
	TAILQ_INSERT_TAIL(&cache->used, entry, used);
	memcpy(bytes, entry_message(entry), entry->length);
	const uint32_t age_s = (uint32_t)((now_ms - entry->stored_ms) / SECOND_MS);
	for (unsigned i = 0; i < entry->ttl_count; i++) {
		const uint32_t ttl = dns_get32(bytes + entry->ttl_at[i]);
		dns_put32(bytes + entry->ttl_at[i], ttl > age_s ? ttl - age_s : 0);
	}
	*private = entry->private;
	return entry->length;
}
