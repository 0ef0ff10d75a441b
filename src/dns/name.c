/* SPDX-License-Identifier: BSD-2-Clause */
/* name: domain names, and the reverse names of addresses. */
#include "dns/name.h"

#include <stdio.h>

#define LABEL_BYTES_MAX 63
#define POINTER         0xc0
#define HEADER_BYTES    12 /* of a message: no name is in there */

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Append a label and its length; room is kept for the root. */
static bool label_append(struct dns_name *name, const uint8_t *label, uint8_t length)
{
	if (name->length + 1 + length >= DNS_NAME_BYTES_MAX)
		return false;
	name->bytes[name->length++] = length;
	for (unsigned i = 0; i < length; i++)
		name->bytes[name->length++] = lower(label[i]);
	return true;
}

bool dns_name_read(const uint8_t *message, size_t length, size_t *offset, struct dns_name *name)
{
	size_t at = *offset;
	size_t segment = at;   /* where the bytes being read begin */
	size_t limit = length; /* ... and must end: a name that was there before is whole before */
	bool jumped = false;

	name->length = 0;
	for (;;) {
		if (at >= limit)
			return false;
		const uint8_t count = message[at];

		if ((count & POINTER) == POINTER) {
			if (at + 1 >= limit)
				return false;
			const size_t target = (size_t)(count & ~POINTER) << 8 | message[at + 1];
			if (!jumped)
				*offset = at + 2;
			jumped = true;
			if (target >= segment || target < HEADER_BYTES)
				return false;
			limit = segment;
			at = segment = target;
			continue;
		}
		if (count > LABEL_BYTES_MAX || at + 1 + count > limit)
			return false;
		if (count == 0)
			break;
		if (!label_append(name, message + at + 1, count))
			return false;
		at += 1 + (size_t)count;
	}
	name->bytes[name->length++] = 0;
	if (!jumped)
		*offset = at + 1;
	return true;
}

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

char *dns_name_format(const struct dns_name *name, char *text)
{
	char *end = text;

	for (unsigned at = 0; name->bytes[at] != 0; at += name->bytes[at] + 1u) {
		if (at > 0)
			*end++ = '.';
		for (unsigned i = 1; i <= name->bytes[at]; i++) {
			const uint8_t c = name->bytes[at + i];
			if (is_plain(c))
				*end++ = (char)c;
			else if (c > ' ' && c < 0x7f && c != '.')
				end += sprintf(end, "\\%c", c);
			else
				end += sprintf(end, "\\%03u", c);
		}
	}
	if (end == text)
		*end++ = '.';
	*end = '\0';
	return text;
}

bool dns_name_parse(const char *text, struct dns_name *name)
{
	name->length = 0;
	if (strcmp(text, ".") == 0)
		text++;
	while (*text != '\0') {
		const size_t length = strcspn(text, ".");
		if (length == 0 || length > LABEL_BYTES_MAX ||
			!label_append(name, (const uint8_t *)text, (uint8_t)length))
			return false;
		text += length;
		text += *text == '.';
	}
	name->bytes[name->length++] = 0;
	return true;
}

bool dns_name_within(const struct dns_name *name, const struct dns_name *zone)
{
	unsigned at = 0;

	while (name->length - at > zone->length)
		at += name->bytes[at] + 1u;
	return name->length - at == zone->length &&
	       memcmp(name->bytes + at, zone->bytes, zone->length) == 0;
}

unsigned dns_name_labels(const struct dns_name *name)
{
	unsigned count = 0;

	for (unsigned at = 0; name->bytes[at] != 0; at += name->bytes[at] + 1u)
		count++;
	return count;
}

bool dns_name_join(const struct dns_name *first, const struct dns_name *rest, struct dns_name *all)
{
	const unsigned before = first->length - 1u;

	if (before + rest->length > DNS_NAME_BYTES_MAX)
		return false;
	memcpy(all->bytes, first->bytes, before);
	memcpy(all->bytes + before, rest->bytes, rest->length);
	all->length = (uint8_t)(before + rest->length);
	return true;
}

/* ---- reverse names ---- */

static uint8_t nibble_at(const union addr *address, unsigned i)
{
	return i % 2 == 0 ? address->bytes[i / 2] >> 4 : address->bytes[i / 2] & 15;
}

void dns_name_of_prefix(const struct prefix *prefix, struct dns_name *name)
{
	char text[DNS_TEXT_SIZE], *end = text;

	if (prefix->family == AF_INET) {
		for (unsigned i = prefix->length / 8u; i-- > 0;)
			end += sprintf(end, "%u.", prefix->base.bytes[i]);
		strcpy(end, "in-addr.arpa");
	} else {
		for (unsigned i = prefix->length / 4u; i-- > 0;)
			end += sprintf(end, "%x.", nibble_at(&prefix->base, i));
		strcpy(end, "ip6.arpa");
	}
	dns_name_parse(text, name);
}

static bool octet_read(const uint8_t *label, uint8_t *octet)
{
	unsigned value = 0;

	if (label[0] == 0 || label[0] > 3 || (label[0] > 1 && label[1] == '0'))
		return false;
	for (unsigned i = 1; i <= label[0]; i++) {
		if (label[i] < '0' || label[i] > '9')
			return false;
		value = value * 10 + (label[i] - '0');
	}
	*octet = (uint8_t)value;
	return value <= 255;
}

static bool nibble_read(const uint8_t *label, uint8_t *nibble)
{
	const uint8_t c = label[1];

	if (label[0] != 1 || !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
		return false;
	*nibble = (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	return true;
}

bool dns_name_prefix(const struct dns_name *name, struct prefix *prefix)
{
	static const struct dns_name v4 = {14, "\007in-addr\004arpa"}, v6 = {10, "\003ip6\004arpa"};
	const bool is_v4 = dns_name_within(name, &v4);
	const unsigned suffix = is_v4 ? v4.length : v6.length, most = is_v4 ? 4 : 32;
	const unsigned labels = dns_name_labels(name) - 2;
	uint8_t value;
	unsigned at = 0;

	if ((!is_v4 && !dns_name_within(name, &v6)) || labels > most)
		return false;
	*prefix = (struct prefix){.family = is_v4 ? AF_INET : AF_INET6,
		.length = (uint8_t)(labels * (is_v4 ? 8 : 4))};
	for (unsigned i = labels; i-- > 0; at += name->bytes[at] + 1u) {
		if (!(is_v4 ? octet_read(name->bytes + at, &value)
			    : nibble_read(name->bytes + at, &value)))
			return false;
		if (is_v4)
			prefix->base.bytes[i] = value;
		else
			prefix->base.bytes[i / 2] |= (uint8_t)(value << (i % 2 ? 0 : 4));
	}
	return at + suffix == name->length;
}
