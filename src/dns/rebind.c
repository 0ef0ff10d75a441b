/* SPDX-License-Identifier: BSD-2-Clause */
/* rebind: whether an answer from outside leads to an address inside. */
#include "dns/rebind.h"

#include "base/embed.h"

#define HINT_IPV4 4 /* keys of SVCB parameters, RFC 9460, section 14.3.2 */
#define HINT_IPV6 6

static const struct prefix private_prefixes[] = {
	{{{0}}, AF_INET, 8},         /* "this host": Linux takes it for loopback */
	{{{10}}, AF_INET, 8},        /* RFC 1918, and the two below */
	{{{100, 64}}, AF_INET, 10},  /* carriers' NAT, RFC 6598 */
	{{{127}}, AF_INET, 8},       /* loopback */
	{{{169, 254}}, AF_INET, 16}, /* link-local, with metadata services */
	{{{172, 16}}, AF_INET, 12}, {{{192, 168}}, AF_INET, 16},
	{{{255, 255, 255, 255}}, AF_INET, 32},
	{{{0}}, AF_INET6, 96},          /* unspecified, loopback, IPv4-compatible */
	{{{0xfc}}, AF_INET6, 7},        /* unique local, RFC 4193 */
	{{{0xfe, 0x80}}, AF_INET6, 10}, /* link-local */
	{{{0xfe, 0xc0}}, AF_INET6, 10}, /* site-local, RFC 3879 */
};
#define PRIVATE_COUNT (sizeof(private_prefixes) / sizeof(private_prefixes[0]))

/* Where an IPv4 address stands in an IPv6 one. */
static const struct prefix embedding[] = {
	{{{[10] = 0xff, [11] = 0xff}}, AF_INET6, 96},           /* mapped */
	{{{0x00, 0x64, 0xff, 0x9b}}, AF_INET6, 96},             /* RFC 6052 */
	{{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}}, AF_INET6, 48}, /* RFC 8215 */
};
#define EMBEDDING_COUNT (sizeof(embedding) / sizeof(embedding[0]))

static bool v4_is_private(const struct config *config, const union addr *address)
{
	for (unsigned i = 0; i < PRIVATE_COUNT; i++)
		if (prefix_contains(&private_prefixes[i], AF_INET, address))
			return true;
	return config_network_of(config, AF_INET, address) >= 0;
}

static bool embeds_private(
	const struct config *config, const struct prefix *prefix, const union addr *address)
{
	union addr v4;

	return prefix->family != 0 && prefix_contains(prefix, AF_INET6, address) &&
	       embed_extract(prefix, address, &v4) && v4_is_private(config, &v4);
}

bool dns_address_is_private(const struct config *config, uint8_t family, const union addr *address)
{
	if (family == AF_INET)
		return v4_is_private(config, address);
	for (unsigned i = 0; i < PRIVATE_COUNT; i++)
		if (prefix_contains(&private_prefixes[i], AF_INET6, address))
			return true;
	for (unsigned i = 0; i < EMBEDDING_COUNT; i++)
		if (embeds_private(config, &embedding[i], address))
			return true;
	for (unsigned i = 0; i < config->network_count; i++)
		if (embeds_private(config, &config->networks[i].nat64, address))
			return true;
	return config_network_of(config, AF_INET6, address) >= 0;
}

const struct prefix *dns_private_range(const struct prefix *prefix)
{
	for (unsigned i = 0; i < PRIVATE_COUNT; i++)
		if (prefix->length >= private_prefixes[i].length &&
			prefix_contains(&private_prefixes[i], prefix->family, &prefix->base))
			return &private_prefixes[i];
	return NULL;
}

/* ---- messages ---- */

static bool hints_are_private(
	const struct config *config, const uint8_t *bytes, size_t length, uint8_t family)
{
	const size_t size = family == AF_INET ? 4 : 16;

	for (; length >= size; bytes += size, length -= size) {
		union addr address = {0};

		memcpy(address.bytes, bytes, size);
		if (dns_address_is_private(config, family, &address))
			return true;
	}
	return false;
}

/* Priority, target name, parameters: RFC 9460, section 2.2. */
static bool service_is_private(const struct config *config, const struct dns_message *message,
	const struct dns_record *record)
{
	const uint8_t *bytes = message->bytes;
	size_t at = record->data_at + 2;
	struct dns_name target;

	if (at > record->end || !dns_name_read(bytes, record->end, &at, &target))
		return false;
	while (at + 4 <= record->end) {
		const unsigned key = dns_get16(bytes + at);
		const size_t length = dns_get16(bytes + at + 2);

		at += 4;
		if (at + length > record->end)
			return false;
		if (key == HINT_IPV4 && hints_are_private(config, bytes + at, length, AF_INET))
			return true;
		if (key == HINT_IPV6 && hints_are_private(config, bytes + at, length, AF_INET6))
			return true;
		at += length;
	}
	return false;
}

static bool is_service(uint16_t type)
{
	return type == DNS_SVCB || type == DNS_HTTPS;
}

bool dns_message_is_private(const struct config *config, const struct dns_message *message)
{
	struct dns_cursor cursor = {0};
	struct dns_record record;
	union addr address;
	uint8_t family;

	while (dns_record_next(message, &cursor, &record)) {
		/* Addresses beside a service are used as if they had been asked for. */
		if (record.section != DNS_ANSWER && !is_service(message->type))
			continue;
		if (dns_record_address(message, &record, &family, &address) &&
			dns_address_is_private(config, family, &address))
			return true;
		if (is_service(record.type) && service_is_private(config, message, &record))
			return true;
	}
	return false;
}
