/* SPDX-License-Identifier: BSD-2-Clause */
/* addr: parse, print and compare addresses and prefixes of both families; lists of ports. */
#include "base/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

union addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	return (union addr){.bytes = {a, b, c, d}};
}

bool addr_parse(const char *text, union addr *address, uint8_t *family)
{
	const uint8_t kind = strchr(text, ':') ? AF_INET6 : AF_INET;
	union addr parsed = {0};

	if (inet_pton(kind, text, &parsed) != 1)
		return false;
	*address = parsed;
	*family = kind;
	return true;
}

/* Bits to keep in byte `index` of an address whose first `length` bits count. */
static uint8_t byte_mask(unsigned length, unsigned index)
{
	if (length >= 8 * (index + 1))
		return 0xff;
	if (length <= 8 * index)
		return 0;
	return (uint8_t)(0xff00 >> (length - 8 * index));
}

static union addr mask_host_bits(const union addr *address, unsigned length)
{
	union addr masked;

	for (unsigned i = 0; i < sizeof(masked.bytes); i++)
		masked.bytes[i] = address->bytes[i] & byte_mask(length, i);
	return masked;
}

/* One to three decimal digits, nothing else; -1 if it is anything else. */
static int parse_length(const char *text)
{
	int length = 0;

	if (!*text || strlen(text) > 3)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		length = 10 * length + (*text - '0');
	}
	return length;
}

const char *prefix_parse_address(const char *text, struct prefix *prefix, union addr *address)
{
	char copy[ADDR_TEXT_SIZE];
	union addr parsed;
	uint8_t family;
	int length;

	if (strlen(text) >= sizeof(copy))
		return "too long for an address";
	strcpy(copy, text);
	char *slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	if (!addr_parse(copy, &parsed, &family))
		return "not an IPv4 or IPv6 address";

	length = slash ? parse_length(slash + 1) : addr_bits(family);
	if (length < 0)
		return "the prefix length is not a number";
	if (length > addr_bits(family))
		return family == AF_INET ? "the prefix length is over 32"
					 : "the prefix length is over 128";
	*prefix = (struct prefix){
		.base = mask_host_bits(&parsed, (unsigned)length),
		.family = family,
		.length = (uint8_t)length,
	};
	*address = parsed;
	return NULL;
}

const char *prefix_parse(const char *text, struct prefix *prefix)
{
	struct prefix parsed;
	union addr address;
	const char *problem = prefix_parse_address(text, &parsed, &address);

	if (problem)
		return problem;
	if (!addr_equal(&parsed.base, &address))
		return "host bits are set behind the prefix length";
	*prefix = parsed;
	return NULL;
}

char *addr_format(uint8_t family, const union addr *address, char *buffer)
{
	if (!inet_ntop(family, address, buffer, ADDR_TEXT_SIZE))
		strcpy(buffer, "?");
	return buffer;
}

char *prefix_format(const struct prefix *prefix, char *buffer)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(prefix->family, &prefix->base, text, sizeof(text));
	snprintf(buffer, ADDR_TEXT_SIZE, "%s/%u", text, prefix->length);
	return buffer;
}

char *addr_port_format(uint8_t family, const union addr *address, uint16_t port, char *buffer)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, address, text, sizeof(text));
	snprintf(buffer, ADDR_TEXT_SIZE, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
	return buffer;
}

struct addr_range addr_range_of(const struct prefix *prefix)
{
	struct addr_range range = {prefix->base, prefix->base, prefix->family};

	for (unsigned i = 0; i < addr_bits(prefix->family) / 8; i++)
		range.last.bytes[i] |= (uint8_t)~byte_mask(prefix->length, i);
	return range;
}

const char *addr_range_parse(const char *text, struct addr_range *range)
{
	const char *dash = strchr(text, '-');
	struct addr_range parsed;
	struct prefix prefix;
	char first[ADDR_TEXT_SIZE];
	uint8_t family;

	if (!dash) {
		const char *problem = prefix_parse(text, &prefix);
		if (!problem)
			*range = addr_range_of(&prefix);
		return problem;
	}
	if ((size_t)(dash - text) >= sizeof(first))
		return "too long for an address";
	snprintf(first, sizeof(first), "%.*s", (int)(dash - text), text);
	if (!addr_parse(first, &parsed.first, &parsed.family) ||
		!addr_parse(dash + 1, &parsed.last, &family))
		return "not two addresses with a `-` between them";
	if (family != parsed.family)
		return "its ends are of different families";
	if (addr_compare(&parsed.first, &parsed.last) > 0)
		return "it ends before it begins";
	*range = parsed;
	return NULL;
}

/* The prefix that a range is, or one longer than any. */
static struct prefix range_prefix(const struct addr_range *range)
{
	struct prefix prefix = {range->first, range->family, 0};

	for (; prefix.length <= addr_bits(range->family); prefix.length++) {
		const union addr base = mask_host_bits(&range->first, prefix.length);
		const struct addr_range whole = addr_range_of(&prefix);
		if (addr_equal(&base, &range->first) && addr_equal(&whole.last, &range->last))
			break;
	}
	return prefix;
}

char *addr_range_format(const struct addr_range *range, char *buffer)
{
	const struct prefix prefix = range_prefix(range);
	const uint8_t bits = addr_bits(range->family);
	char last[ADDR_TEXT_SIZE];

	if (prefix.length < bits)
		return prefix_format(&prefix, buffer);
	addr_format(range->family, &range->first, buffer);
	if (prefix.length > bits) {
		strcat(buffer, "-");
		strcat(buffer, addr_format(range->family, &range->last, last));
	}
	return buffer;
}

bool prefix_contains(const struct prefix *prefix, uint8_t family, const union addr *address)
{
	if (prefix->family != family)
		return false;
	for (unsigned i = 0; 8 * i < prefix->length; i++)
		if ((address->bytes[i] ^ prefix->base.bytes[i]) & byte_mask(prefix->length, i))
			return false;
	return true;
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return a->length <= b->length ? prefix_contains(a, b->family, &b->base)
				      : prefix_contains(b, a->family, &a->base);
}

union addr prefix_address(const struct prefix *prefix, uint64_t n)
{
	union addr address = prefix->base;

	for (unsigned i = addr_bits(prefix->family) / 8; n && i-- > 0; n >>= 8) {
		n += address.bytes[i];
		address.bytes[i] = (uint8_t)n;
	}
	return address;
}

/* The last eight bytes, or an IPv4 address, as a number. */
static uint64_t low_number(uint8_t family, const union addr *address)
{
	const unsigned end = family == AF_INET ? 4 : 16;
	uint64_t number = 0;

	for (unsigned i = end - (family == AF_INET ? 4 : 8); i < end; i++)
		number = number << 8 | address->bytes[i];
	return number;
}

uint64_t addr_range_count(const struct addr_range *range)
{
	const uint64_t more =
		low_number(range->family, &range->last) - low_number(range->family, &range->first);

	if (range->family == AF_INET6 && range->first.halves[0] != range->last.halves[0])
		return UINT64_MAX;
	return more == UINT64_MAX ? more : more + 1;
}

union addr addr_range_at(const struct addr_range *range, uint64_t n)
{
	const struct prefix from = {.base = range->first, .family = range->family};

	return prefix_address(&from, n);
}

uint32_t port_list_size(const struct port_list *list)
{
	uint32_t size = 0;

	for (unsigned i = 0; i < list->count; i++)
		size += list->range[i].last - list->range[i].first + 1u;
	return size;
}

uint16_t port_list_at(const struct port_list *list, uint32_t n)
{
	const struct port_range *range = list->range;

	for (; n > (uint32_t)(range->last - range->first); range++)
		n -= range->last - range->first + 1u;
	return (uint16_t)(range->first + n);
}

bool port_list_overlaps(const struct port_list *list, struct port_range range)
{
	for (unsigned i = 0; i < list->count; i++)
		if (list->range[i].first <= range.last && range.first <= list->range[i].last)
			return true;
	return false;
}

bool port_list_has(const struct port_list *list, uint16_t port)
{
	return port_list_overlaps(list, (struct port_range){port, port});
}

/* Take one range off. */
static bool port_list_cut(struct port_list *list, struct port_range gone)
{
	struct port_list left = {0};

	for (unsigned i = 0; i < list->count; i++) {
		const struct port_range range = list->range[i];
		const bool apart = gone.last < range.first || gone.first > range.last;
		const bool below = apart || range.first < gone.first;
		const bool above = !apart && range.last > gone.last;

		if (left.count + below + above > PORT_RANGES_MAX)
			return false;
		if (below)
			left.range[left.count++] = (struct port_range){
				range.first, apart ? range.last : (uint16_t)(gone.first - 1)};
		if (above)
			left.range[left.count++] =
				(struct port_range){(uint16_t)(gone.last + 1), range.last};
	}
	*list = left;
	return true;
}

bool port_list_subtract(struct port_list *list, const struct port_list *other)
{
	for (unsigned i = 0; i < other->count; i++)
		if (!port_list_cut(list, other->range[i]))
			return false;
	return true;
}

char *port_list_format(const struct port_list *list, char *text)
{
	size_t used = 0;

	*text = '\0';
	for (unsigned i = 0; i < list->count; i++) {
		const struct port_range *range = &list->range[i];
		const char *comma = i > 0 ? "," : "";
		char *end = text + used;
		const size_t left = PORT_LIST_TEXT_SIZE - used;

		used += (size_t)(range->last == range->first
					 ? snprintf(end, left, "%s%u", comma, range->first)
					 : snprintf(end, left, "%s%u-%u", comma, range->first,
						   range->last));
	}
	return text;
}

bool addr_is_multicast(uint8_t family, const union addr *address)
{
	return family == AF_INET ? address->bytes[0] >> 4 == 14 : address->bytes[0] == 0xff;
}

bool addr_is_loopback(uint8_t family, const union addr *address)
{
	static const union addr loopback6 = {.bytes = {[15] = 1}};

	return family == AF_INET ? address->bytes[0] == 127 : addr_equal(address, &loopback6);
}

bool addr_is_link_local(uint8_t family, const union addr *address)
{
	if (family == AF_INET)
		return address->bytes[0] == 169 && address->bytes[1] == 254;
	return address->bytes[0] == 0xfe && address->bytes[1] >> 6 == 2;
}

/* ::ffff:0:0/96 and ::/96. */
static bool addr_is_ipv4_in_disguise(const union addr *address)
{
	const be16 word = address->words[5];

	return address->halves[0] == 0 && address->words[4] == 0 && (word == 0 || word == 0xffff);
}

bool addr_is_martian(uint8_t family, const union addr *address)
{
	return addr_is_zero(address) || addr_is_loopback(family, address) ||
	       addr_is_multicast(family, address) ||
	       (family == AF_INET ? address->v4 == 0xffffffff : addr_is_ipv4_in_disguise(address));
}
