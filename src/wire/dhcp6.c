/* SPDX-License-Identifier: BSD-2-Clause */
/* dhcp6: options are a code, a length and as many bytes, and some have options inside. */
#include "wire/dhcp6.h"

#include <string.h>

#define HEAD_BYTES    4  /* of an option; and of a message: type and transaction */
#define IA_BYTES      12 /* RFC 8415, 21.4: in front of its options */
#define ADDRESS_BYTES 24 /* RFC 8415, 21.6 */

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/* ---- parsing ---- */

struct option {
	uint16_t code;
	struct dhcp6_text text;
};

/* Take the next option; false at the end, which is *bad where something is left over. */
static bool option_next(const uint8_t **at, size_t *left, struct option *option, bool *bad)
{
	if (*left == 0)
		return false;
	*bad = *left < HEAD_BYTES || get16(*at + 2) + (size_t)HEAD_BYTES > *left;
	if (*bad)
		return false;
	*option = (struct option){get16(*at), {*at + HEAD_BYTES, get16(*at + 2)}};
	*left -= HEAD_BYTES + (size_t)option->text.length;
	*at += HEAD_BYTES + (size_t)option->text.length;
	return true;
}

static bool ia_parse(const struct dhcp6_text *text, struct dhcp6 *dhcp)
{
	struct option option;
	bool bad = false;

	if (text->length < IA_BYTES)
		return false;
	const uint8_t *at = text->bytes + IA_BYTES;
	size_t left = text->length - (size_t)IA_BYTES;
	if (dhcp->ia_count == DHCP6_IAS_MAX)
		return true;
	struct dhcp6_ia *ia = &dhcp->ia[dhcp->ia_count++];
	*ia = (struct dhcp6_ia){.id = get32(text->bytes)};
	while (option_next(&at, &left, &option, &bad)) {
		if (option.code != DHCP6_OPTION_ADDRESS)
			continue;
		if (option.text.length < ADDRESS_BYTES)
			return false;
		if (ia->count < DHCP6_ADDRESSES_MAX)
			memcpy(ia->address[ia->count++].bytes, option.text.bytes, 16);
	}
	return !bad;
}

static bool option_parse(const struct option *option, struct dhcp6 *dhcp)
{
	const struct dhcp6_text *text = &option->text;

	switch (option->code) {
	case DHCP6_OPTION_CLIENT_ID:
		dhcp->client_id = *text;
		return text->length > 0;
	case DHCP6_OPTION_SERVER_ID:
		dhcp->server_id = *text;
		return text->length > 0;
	case DHCP6_OPTION_WANTED:
		dhcp->wanted = *text;
		return text->length % 2 == 0;
	case DHCP6_OPTION_RAPID_COMMIT:
		dhcp->rapid_commit = true;
		return text->length == 0;
	case DHCP6_OPTION_FQDN:
		if (text->length < 1)
			return false;
		dhcp->fqdn = (struct dhcp6_text){text->bytes + 1, (uint16_t)(text->length - 1)};
		return true;
	case DHCP6_OPTION_IA:
		return ia_parse(text, dhcp);
	default:
		return true;
	}
}

bool dhcp6_parse(const uint8_t *bytes, size_t length, struct dhcp6 *dhcp)
{
	struct option option;
	bool bad = false;

	if (length < HEAD_BYTES || bytes[0] < DHCP6_SOLICIT || bytes[0] > DHCP6_INFORMATION)
		return false;
	*dhcp = (struct dhcp6){.type = bytes[0]};
	memcpy(dhcp->transaction, bytes + 1, sizeof(dhcp->transaction));
	bytes += HEAD_BYTES;
	length -= HEAD_BYTES;
	while (option_next(&bytes, &length, &option, &bad))
		if (!option_parse(&option, dhcp))
			return false;
	return !bad;
}

bool dhcp6_wants(const struct dhcp6 *dhcp, enum dhcp6_option option)
{
	for (unsigned i = 0; i + 1 < dhcp->wanted.length; i += 2)
		if (get16(dhcp->wanted.bytes + i) == option)
			return true;
	return dhcp->wanted.bytes == NULL;
}

/* ---- building ---- */

void dhcp6_reply_begin(struct dhcp6_reply *reply, uint8_t *bytes, size_t capacity,
	const struct dhcp6 *request, enum dhcp6_type type)
{
	*reply = (struct dhcp6_reply){bytes, HEAD_BYTES, capacity};
	bytes[0] = (uint8_t)type;
	memcpy(bytes + 1, request->transaction, sizeof(request->transaction));
}

/* Room for an option's value; NULL: there is none. */
static uint8_t *option_add(struct dhcp6_reply *reply, enum dhcp6_option option, size_t length)
{
	uint8_t *at = reply->bytes + reply->length;

	if (reply->length + HEAD_BYTES + length > reply->capacity)
		return NULL;
	put16(at, option);
	put16(at + 2, length);
	reply->length += HEAD_BYTES + length;
	return at + HEAD_BYTES;
}

void dhcp6_reply_option(
	struct dhcp6_reply *reply, enum dhcp6_option option, const void *data, size_t length)
{
	uint8_t *value = option_add(reply, option, length);

	if (value != NULL)
		memcpy(value, data, length);
}

void dhcp6_reply_status(struct dhcp6_reply *reply, enum dhcp6_status status)
{
	uint8_t *value = option_add(reply, DHCP6_OPTION_STATUS, 2);

	if (value != NULL)
		put16(value, status);
}

size_t dhcp6_reply_ia_begin(
	struct dhcp6_reply *reply, uint32_t id, uint32_t renew_s, uint32_t rebind_s)
{
	const size_t place = reply->length;
	uint8_t *value = option_add(reply, DHCP6_OPTION_IA, IA_BYTES);

	if (value != NULL) {
		put32(value, id);
		put32(value + 4, renew_s);
		put32(value + 8, rebind_s);
	}
	return place;
}

void dhcp6_reply_address(struct dhcp6_reply *reply, const union addr *address, uint32_t seconds)
{
	uint8_t *value = option_add(reply, DHCP6_OPTION_ADDRESS, ADDRESS_BYTES);

	if (value != NULL) {
		memcpy(value, address->bytes, 16);
		put32(value + 16, seconds);
		put32(value + 20, seconds);
	}
}

void dhcp6_reply_ia_end(struct dhcp6_reply *reply, size_t place)
{
	if (reply->length > place)
		put16(reply->bytes + place + 2, reply->length - place - HEAD_BYTES);
}
