/* SPDX-License-Identifier: BSD-2-Clause */
/* dhcp_talk: see dhcp_talk.h. */
#include "dhcp_talk.h"

#include <criterion/criterion.h>
#include <string.h>

#include "wire/build.h"
#include "wire/parse.h"

void dhcp_talk_init(struct dhcp_talk *talk, bool many)
{
	struct segment *segment = &talk->segment;

	segment_init(segment, many);
	segment->network.dhcp = true;
	segment->network.lease_time_s = DHCP_TALK_LEASE_S;
	strcpy(segment->network.domain, "lab.example");
	segment->settings.name = "web";
	segment->settings.dns4[segment->settings.dns4_count++] = address_of("10.77.0.1");
	cr_assert_null(addr_range_parse("10.77.0.100-10.77.0.109", &segment->network.address_pool));
}

void dhcp_talk_again(struct dhcp_talk *talk)
{
	segment_stop(&talk->segment);
	segment_start(&talk->segment);
}

size_t dhcp_talk_option_put(uint8_t *at, uint8_t code, const void *data, size_t length)
{
	at[0] = code;
	at[1] = (uint8_t)length;
	memcpy(at + 2, data, length);
	return 2 + length;
}

static size_t address_put(uint8_t *at, uint8_t code, const char *text)
{
	const union addr address = address_of(text);

	return text != NULL ? dhcp_talk_option_put(at, code, &address, 4) : 0;
}

static size_t text_put(uint8_t *at, uint8_t code, const char *text)
{
	return text != NULL ? dhcp_talk_option_put(at, code, text, strlen(text)) : 0;
}

size_t dhcp_talk_make(const struct ask *ask, uint8_t *bytes)
{
	static const uint8_t start[8] = {1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef};
	static const uint8_t cookie[4] = {0x63, 0x82, 0x53, 0x63};
	const union addr client = address_of(ask->client), relay = address_of(ask->relay);
	const struct mac mac = mac_of(ask->mac != 0 ? ask->mac : ask->from);
	const uint8_t type = (uint8_t)ask->type;
	size_t length = 240;

	memset(bytes, 0, 240);
	memcpy(bytes, start, sizeof(start));
	bytes[10] = ask->broadcast ? 0x80 : 0;
	memcpy(bytes + 12, &client, 4);
	memcpy(bytes + 24, &relay, 4);
	memcpy(bytes + 28, mac.byte, 6);
	memcpy(bytes + 236, cookie, 4);
	length += dhcp_talk_option_put(bytes + length, 53, &type, 1);
	length += address_put(bytes + length, 50, ask->requested);
	length += address_put(bytes + length, 54, ask->server);
	length += text_put(bytes + length, 12, ask->host_name);
	length += text_put(bytes + length, 61, ask->id);
	length += text_put(bytes + length, 81, ask->fqdn);
	length += text_put(bytes + length, 55, ask->parameters);
	if (ask->rapid)
		length += dhcp_talk_option_put(bytes + length, 80, "", 0);
	bytes[length++] = 255;
	return length;
}

void dhcp_talk_send(
	struct dhcp_talk *talk, const uint8_t mac[6], const uint8_t *bytes, size_t length)
{
	struct build build = {.family = AF_INET,
		.protocol = IPPROTO_UDP,
		.source_port = 68,
		.destination_port = 67,
		.destination.v4 = UINT32_MAX,
		.payload = bytes,
		.payload_bytes = (uint32_t)length};
	struct packet packet = {
		.data = talk->segment.in_buffer + PACKET_HEADROOM, .capacity = 2048};

	build_packet(&packet, &build);
	cr_expect_eq(
		segment_in(&talk->segment, mac, mac_everybody, 0x0800, packet.data, packet.length),
		LAN_CONSUMED);
}

void dhcp_talk_ask(struct dhcp_talk *talk, struct ask ask)
{
	const struct mac mac = mac_of(ask.from);
	uint8_t bytes[1024];

	dhcp_talk_send(talk, mac.byte, bytes, dhcp_talk_make(&ask, bytes));
}

/* ---- answers ---- */

/* The value of an option, NULL where it is not there. */
const uint8_t *dhcp_talk_option(const struct dhcp_talk *talk, uint8_t code, uint8_t *length)
{
	for (size_t at = 240; at < talk->length && talk->message[at] != 255;
		at += 2U + talk->message[at + 1])
		if (talk->message[at] == code) {
			*length = talk->message[at + 1];
			return talk->message + at + 2;
		}
	return NULL;
}

bool dhcp_talk_take(struct dhcp_talk *talk)
{
	uint8_t length;
	union addr yours = {0};

	if (!segment_take(&talk->segment))
		return false;
	cr_assert(packet_parse(&talk->segment.out));
	const struct headers *headers = &talk->segment.out.headers;
	cr_assert(addr_equal(&headers->source, &talk->segment.network.gateway4));
	cr_assert_eq(headers->source_port, htons(67));
	cr_assert_eq(headers->destination_port, htons(68));
	talk->message = talk->segment.out.data + headers->payload;
	talk->length = headers->end - headers->payload;
	cr_assert_geq(talk->length, DHCP_BYTES_LEAST);
	cr_expect_eq(memcmp(talk->message + 4, "\xde\xad\xbe\xef", 4), 0);
	memcpy(&yours, talk->message + 16, 4);
	addr_format(AF_INET, &yours, talk->yours);
	addr_format(AF_INET, &headers->destination, talk->to);
	const uint8_t *type = dhcp_talk_option(talk, 53, &length);
	cr_assert_not_null(type);
	talk->type = *type;
	const uint8_t *server = dhcp_talk_option(talk, 54, &length);
	cr_assert(server != NULL && memcmp(server, &talk->segment.network.gateway4, 4) == 0);
	return true;
}

void dhcp_talk_expect(struct dhcp_talk *talk, enum dhcp_type type, const char *yours)
{
	cr_assert(dhcp_talk_take(talk), "no answer");
	cr_expect_eq(talk->type, type);
	if (yours != NULL)
		cr_expect_str_eq(talk->yours, yours);
	cr_expect_not(segment_take(&talk->segment), "one answer only");
}

void dhcp_talk_expect_option(
	const struct dhcp_talk *talk, uint8_t code, const void *wanted, size_t wanted_length)
{
	uint8_t length;
	const uint8_t *value = dhcp_talk_option(talk, code, &length);

	cr_assert_not_null(value, "option %u is not there", code);
	cr_expect_eq(length, wanted_length, "option %u has %u bytes", code, length);
	cr_expect_eq(memcmp(value, wanted, wanted_length), 0, "option %u", code);
}

/* A whole exchange; the address stays in talk->yours. */
void dhcp_talk_lease(struct dhcp_talk *talk, uint8_t guest)
{
	char offered[ADDR_TEXT_SIZE];

	dhcp_talk_ask(talk, (struct ask){.from = guest, .type = DHCP_DISCOVER});
	dhcp_talk_expect(talk, DHCP_OFFER, NULL);
	strcpy(offered, talk->yours);
	dhcp_talk_ask(talk, (struct ask){.from = guest,
				    .type = DHCP_REQUEST,
				    .requested = offered,
				    .server = "10.77.0.1"});
	dhcp_talk_expect(talk, DHCP_ACK, offered);
}
