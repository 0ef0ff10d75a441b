/* SPDX-License-Identifier: BSD-2-Clause */
/* message: DNS messages as they are on the wire. */
#include "dns/message.h"

#include <errno.h>

#define ALIASES_MAX       16
#define ANSWERS_MAX       512 /* records that are looked at for addresses: more is nobody's use */
#define OPT_DO            0x8000
#define OPT_EDE           15
#define RECORD_BYTES      10 /* type, class, TTL, length */
#define TTL_MAX           (24 * 60 * 60)
#define NEGATIVE_MAX      (3 * 60 * 60) /* RFC 2308, section 5 */
#define NAME_OF_THE_ASKED (0xc000 | DNS_HEADER_BYTES)

/* ---- reading ---- */

static bool record_read(const uint8_t *bytes, size_t length, size_t at, struct dns_record *record)
{
	record->start = at;
	if (!dns_name_read(bytes, length, &at, &record->owner) || at + RECORD_BYTES > length)
		return false;
	record->type = dns_get16(bytes + at);
	record->class = dns_get16(bytes + at + 2);
	record->ttl_at = at + 4;
	record->ttl = dns_get32(bytes + at + 4);
	if (record->ttl > INT32_MAX) /* RFC 2181, section 8 */
		record->ttl = 0;
	record->data_at = at + RECORD_BYTES;
	record->end = record->data_at + dns_get16(bytes + at + 8);
	return record->end <= length;
}

/* RFC 6891: the only one of its kind, at the root, in the additional section. */
static bool opt_read(struct dns_message *message, const struct dns_record *record, unsigned section)
{
	if (message->edns || section != DNS_ADDITIONAL || record->owner.length != 1)
		return false;
	message->edns = true;
	message->udp_size = record->class;
	message->extended_rcode = message->bytes[record->ttl_at];
	message->version = message->bytes[record->ttl_at + 1];
	message->dnssec_ok = dns_get16(message->bytes + record->ttl_at + 2) & OPT_DO;
	message->opt = record->start;
	return true;
}

static bool records_read(struct dns_message *message)
{
	size_t at = message->records;
	struct dns_record record;

	for (unsigned section = 0; section < DNS_SECTIONS; section++) {
		message->section[section] = at;
		for (unsigned i = 0; i < message->count[section]; i++, at = record.end) {
			if (!record_read(message->bytes, message->length, at, &record))
				return false;
			if (record.type == DNS_OPT && !opt_read(message, &record, section))
				return false;
		}
	}
	message->length = at;
	return true;
}

int dns_message_parse(const uint8_t *bytes, size_t length, struct dns_message *message)
{
	size_t at = DNS_HEADER_BYTES;

	message->bytes = bytes;
	message->length = length;
	message->edns = message->dnssec_ok = false;
	message->extended_rcode = message->version = 0;
	if (length < DNS_HEADER_BYTES)
		return -EINVAL;
	message->id = dns_get16(bytes);
	message->flags = dns_get16(bytes + 2);
	for (unsigned i = 0; i < DNS_SECTIONS; i++)
		message->count[i] = dns_get16(bytes + 6 + 2 * (size_t)i);
	if (dns_get16(bytes + 4) != 1 || !dns_name_read(bytes, length, &at, &message->name) ||
		at + 4 > length)
		return -EBADMSG;
	message->type = dns_get16(bytes + at);
	message->class = dns_get16(bytes + at + 2);
	message->records = at + 4;
	if (message->records != DNS_HEADER_BYTES + message->name.length + 4u)
		return -EBADMSG;
	return records_read(message) ? 0 : -EBADMSG;
}

bool dns_record_next(
	const struct dns_message *message, struct dns_cursor *cursor, struct dns_record *record)
{
	unsigned before = 0;

	if (cursor->index == 0)
		cursor->at = message->records;
	for (unsigned section = 0; section < DNS_SECTIONS; section++) {
		before += message->count[section];
		if (cursor->index >= before)
			continue;
		record->section = (uint8_t)section;
		if (!record_read(message->bytes, message->length, cursor->at, record))
			return false;
		cursor->at = record->end;
		cursor->index++;
		return true;
	}
	return false;
}

bool dns_record_address(const struct dns_message *message, const struct dns_record *record,
	uint8_t *family, union addr *address)
{
	const size_t length = record->end - record->data_at;

	if (record->class != DNS_IN || !((record->type == DNS_A && length == 4) ||
					       (record->type == DNS_AAAA && length == 16)))
		return false;
	*family = record->type == DNS_A ? AF_INET : AF_INET6;
	*address = (union addr){0};
	memcpy(address->bytes, message->bytes + record->data_at, length);
	return true;
}

/* The name that a CNAME record leads to. */
static bool alias_target(
	const struct dns_message *message, const struct dns_record *record, struct dns_name *target)
{
	size_t at = record->data_at;

	return record->type == DNS_CNAME && record->class == DNS_IN &&
	       dns_name_read(message->bytes, message->length, &at, target);
}

static bool answer_next(
	const struct dns_message *message, struct dns_cursor *cursor, struct dns_record *record)
{
	return cursor->index < ANSWERS_MAX && dns_record_next(message, cursor, record) &&
	       record->section == DNS_ANSWER;
}

/* One step along the aliases; whatever order they are in, each step is a look at all. */
static bool alias_follow(const struct dns_message *message, struct dns_name *name, uint32_t *ttl)
{
	struct dns_cursor cursor = {0};
	struct dns_record record;
	struct dns_name target;

	while (answer_next(message, &cursor, &record)) {
		if (!dns_name_equal(&record.owner, name) ||
			!alias_target(message, &record, &target))
			continue;
		*name = target;
		if (record.ttl < *ttl)
			*ttl = record.ttl;
		return true;
	}
	return false;
}

void dns_message_addresses(const struct dns_message *message, dns_address_seen *seen, void *context)
{
	struct dns_name name = message->name;
	struct dns_cursor cursor = {0};
	struct dns_record record;
	uint32_t ttl = UINT32_MAX;
	union addr address;
	uint8_t family;

	for (unsigned i = 0; i < ALIASES_MAX; i++)
		if (!alias_follow(message, &name, &ttl))
			break;
	while (answer_next(message, &cursor, &record))
		if (dns_name_equal(&record.owner, &name) &&
			dns_record_address(message, &record, &family, &address))
			seen(context, family, &address, record.ttl < ttl ? record.ttl : ttl);
}

/* The last 32 bits of an SOA record: for how long a name may be said not to exist. */
static uint32_t soa_ttl(const struct dns_message *message, const struct dns_record *record)
{
	if (record->end - record->data_at < 22)
		return 0;
	const uint32_t minimum = dns_get32(message->bytes + record->end - 4);
	return minimum < record->ttl ? minimum : record->ttl;
}

uint32_t dns_message_ttl(const struct dns_message *message)
{
	const unsigned rcode = message->flags & DNS_RCODE;
	struct dns_cursor cursor = {0};
	struct dns_record record;
	uint32_t least = TTL_MAX, negative = 0;
	bool found = false;

	if ((message->flags & DNS_TC) || message->extended_rcode != 0 ||
		(rcode != DNS_NOERROR && rcode != DNS_NXDOMAIN))
		return 0;
	while (dns_record_next(message, &cursor, &record)) {
		if (record.type == DNS_OPT)
			continue;
		if (record.ttl < least)
			least = record.ttl;
		found |= record.section == DNS_ANSWER &&
			 (record.type == message->type || message->type == DNS_ANY);
		if (record.section == DNS_AUTHORITY && record.type == DNS_SOA)
			negative = soa_ttl(message, &record);
	}
	if (found && rcode == DNS_NOERROR)
		return least;
	if (negative > NEGATIVE_MAX)
		negative = NEGATIVE_MAX;
	return negative < least ? negative : least;
}

void dns_message_drop_opt(struct dns_message *message, uint8_t *bytes)
{
	struct dns_cursor cursor = {0};
	struct dns_record record;
	uint16_t before = 0;

	if (!message->edns)
		return;
	while (dns_record_next(message, &cursor, &record) && record.type != DNS_OPT)
		before = (uint16_t)(before + (record.section == DNS_ADDITIONAL));
	message->length = message->opt;
	message->count[DNS_ADDITIONAL] = before;
	message->edns = false;
	dns_put16(bytes + 6 + 2 * DNS_ADDITIONAL, before);
}

/* ---- writing ---- */

static uint8_t *room(struct dns_writer *writer, size_t length)
{
	if (writer->full || writer->size - writer->length < length) {
		writer->full = true;
		return NULL;
	}
	uint8_t *bytes = writer->bytes + writer->length;
	writer->length += length;
	return bytes;
}

static void put_bytes(struct dns_writer *writer, const void *data, size_t length)
{
	uint8_t *bytes = room(writer, length);

	if (bytes != NULL && length > 0)
		memcpy(bytes, data, length);
}

static void put16(struct dns_writer *writer, unsigned value)
{
	uint8_t *bytes = room(writer, 2);

	if (bytes != NULL)
		dns_put16(bytes, value);
}

static void put32(struct dns_writer *writer, uint32_t value)
{
	put16(writer, value >> 16);
	put16(writer, value & 0xffff);
}

void dns_write_question(struct dns_writer *writer, uint16_t id, uint16_t flags, const uint8_t *name,
	size_t name_length, uint16_t type, uint16_t class)
{
	put16(writer, id);
	put16(writer, flags);
	put16(writer, 1);
	put16(writer, 0);
	put32(writer, 0);
	put_bytes(writer, name, name_length);
	put16(writer, type);
	put16(writer, class);
}

static void count_record(struct dns_writer *writer, enum dns_section section)
{
	uint8_t *count = writer->bytes + 6 + 2 * (size_t)section;

	if (!writer->full)
		dns_put16(count, dns_get16(count) + 1u);
}

void dns_write_record(struct dns_writer *writer, enum dns_section section,
	const struct dns_name *owner, uint16_t type, uint32_t ttl, const void *data,
	size_t data_length)
{
	if (owner != NULL)
		put_bytes(writer, owner->bytes, owner->length);
	else
		put16(writer, NAME_OF_THE_ASKED);
	put16(writer, type);
	put16(writer, DNS_IN);
	put32(writer, ttl);
	put16(writer, (unsigned)data_length);
	put_bytes(writer, data, data_length);
	count_record(writer, section);
}

void dns_write_address(struct dns_writer *writer, const struct dns_name *owner, uint8_t family,
	const union addr *address, uint32_t ttl)
{
	dns_write_record(writer, DNS_ANSWER, owner, family == AF_INET ? DNS_A : DNS_AAAA, ttl,
		address->bytes, family == AF_INET ? 4 : 16);
}

void dns_write_soa(struct dns_writer *writer, const struct dns_name *zone, uint32_t ttl)
{
	static const uint8_t names[] = "\007gateway\007invalid\0\012hostmaster\007invalid";
	static const uint32_t numbers[] = {
		1, 3600, 600, 86400}; /* serial, refresh, retry, expire */
	uint8_t data[sizeof(names) + 20];
	uint8_t *end = data + sizeof(names);

	memcpy(data, names, sizeof(names));
	for (unsigned i = 0; i < 4; i++, end += 4)
		dns_put32(end, numbers[i]);
	dns_put32(end, ttl);
	dns_write_record(writer, DNS_AUTHORITY, zone, DNS_SOA, ttl, data, sizeof(data));
}

void dns_write_opt(struct dns_writer *writer, uint16_t udp_size, uint8_t extended_rcode,
	bool dnssec_ok, int ede, const char *text)
{
	const size_t text_length = ede == EDE_NONE || text == NULL ? 0 : strlen(text);

	put_bytes(writer, "", 1);
	put16(writer, DNS_OPT);
	put16(writer, udp_size);
	put16(writer, (unsigned)extended_rcode << 8);
	put16(writer, dnssec_ok ? OPT_DO : 0);
	put16(writer, ede == EDE_NONE ? 0 : (unsigned)(6 + text_length));
	if (ede != EDE_NONE) {
		put16(writer, OPT_EDE);
		put16(writer, (unsigned)(2 + text_length));
		put16(writer, (unsigned)ede);
		put_bytes(writer, text, text_length);
	}
	count_record(writer, DNS_ADDITIONAL);
}
