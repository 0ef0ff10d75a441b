/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_text: a packet from a user's line.
 */
#include "daemon/packet_text.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define FORM "[in SIDE] tcp|udp|icmp|N SOURCE[:PORT] > DESTINATION[:PORT] [WORD...]"

struct reader {
	const struct daemon_ops *ops;
	const char *rest;
	const struct sentence *why;
	char side[WORD_SIZE]; /* empty: not given */
	uint32_t length;      /* of the whole packet; 0: what the headers have */
	struct build build;
};

static bool argument(struct reader *reader, const char *what, char word[WORD_SIZE])
{
	return word_next(&reader->rest, word) ||
	       refuse(reader->why, "where is the %s? a packet is written: " FORM, what);
}

/* ---- protocol and ends ---- */

static bool protocol_read(struct reader *reader, const char *name)
{
	static const uint8_t numbers[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6,
		IPPROTO_GRE, IPPROTO_ESP, IPPROTO_SCTP};
	static const char names[] = "tcp|udp|icmp|icmp6|gre|esp|sctp";
	const int index = choice_index(names, name);
	uint32_t number;

	if (index >= 0)
		reader->build.protocol = numbers[index];
	else if (number_parse(name, UINT8_MAX, &number))
		reader->build.protocol = (uint8_t)number;
	else
		return refuse_choice(reader->why, "protocol", name, names);
	return true;
}

/* "ADDRESS", "ADDRESS:PORT", "[ADDRESS]:PORT". */
static bool end_read(struct reader *reader, const char *what, union addr *address, uint8_t *family,
	uint16_t *port)
{
	char word[WORD_SIZE], host[WORD_SIZE];
	uint32_t number = 0;

	if (!argument(reader, what, word))
		return false;
	const bool brackets = word[0] == '[';
	char *end = brackets ? strchr(word, ']') : strrchr(word, ':');
	if (!brackets && end != NULL && strchr(word, ':') != end)
		end = NULL; /* IPv6 without a port */
	snprintf(host, sizeof(host), "%.*s",
		(int)(end != NULL ? end - word - brackets : (ptrdiff_t)strlen(word)),
		word + brackets);
	const char *text = end == NULL ? "" : end + brackets;
	if (!addr_parse(host, address, family) ||
		(*text == ':' && !number_parse(text + 1, UINT16_MAX, &number)) ||
		(*text != ':' && *text != '\0'))
		return refuse(reader->why,
			"bad %s `%s`: allowed: ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT", what,
			word);
	*port = (uint16_t)number;
	return true;
}

static bool ends_read(struct reader *reader)
{
	struct build *build = &reader->build;
	char word[WORD_SIZE];
	uint8_t family;

	if (!end_read(reader, "source", &build->source, &build->family, &build->source_port) ||
		!argument(reader, "`>`", word))
		return false;
	if (strcmp(word, ">") != 0)
		return refuse(reader->why, "`%s` where `>` belongs: " FORM, word);
	if (!end_read(
		    reader, "destination", &build->destination, &family, &build->destination_port))
		return false;
	if (family != build->family)
		return refuse(reader->why, "source and destination are of different families");
	if (build->family == AF_INET6 && build->protocol == IPPROTO_ICMP)
		build->protocol = IPPROTO_ICMPV6;
	return true;
}

/* ---- words ---- */

static bool flags_read(const char *list, uint8_t *flags)
{
	char name[WORD_SIZE];

	*flags = 0;
	while (list_next(&list, name)) {
		const int index = choice_index("fin|syn|rst|psh|ack|urg", name);
		if (index < 0)
			return false;
		*flags |= (uint8_t)(1 << index);
	}
	return true;
}

static bool type_read(struct build *build, const char *word)
{
	const bool v4 = build->family == AF_INET;
	const int name = choice_index("echo-request|echo-reply", word);
	uint32_t type, code = 0;

	if (name >= 0) {
		build->icmp_type = (uint8_t)(name == 0 ? (v4 ? 8 : 128) : (v4 ? 0 : 129));
		return true;
	}
	if (!number_read(&word, &type) || type > UINT8_MAX ||
		(*word != '\0' && (*word != '/' || !number_parse(word + 1, UINT8_MAX, &code))))
		return false;
	build->icmp_type = (uint8_t)type;
	build->icmp_code = (uint8_t)code;
	return true;
}

static bool number_word(struct reader *reader, const char *word, uint32_t most, uint32_t *number)
{
	char text[WORD_SIZE];

	return argument(reader, word, text) &&
	       (number_parse(text, most, number) ||
		       refuse(reader->why, "bad %s `%s`: allowed: up to %u", word, text, most));
}

static bool word_read(struct reader *reader, const char *word)
{
	struct build *build = &reader->build;
	const bool icmp = build->protocol == IPPROTO_ICMP || build->protocol == IPPROTO_ICMPV6;
	uint32_t number = 0;

	if (strcmp(word, "ttl") == 0) {
		const bool good = number_word(reader, "ttl", UINT8_MAX, &number);
		build->ttl = (uint8_t)number;
		return good;
	}
	if (strcmp(word, "length") == 0)
		return number_word(reader, "length", UINT16_MAX, &reader->length);
	if (build->protocol == IPPROTO_TCP && flags_read(word, &build->tcp_flags))
		return true;
	if (icmp && type_read(build, word))
		return true;
	return refuse(reader->why, "unknown word `%s`: allowed: %sttl N, length N", word,
		build->protocol == IPPROTO_TCP ? "TCP flags such as syn,ack; "
		: icmp                         ? "echo-request, echo-reply, N[/CODE]; "
					       : "");
}

/* ---- where it comes from ---- */

static bool is_gateway(const struct network_config *network, const struct build *build)
{
	return addr_equal(
		build->family == AF_INET ? &network->gateway4 : &network->gateway6, &build->source);
}

static bool link_has(const struct daemon_link *link, const struct build *build)
{
	return link->whole_subnet ||
	       addr_equal(build->family == AF_INET ? &link->address4 : &link->address6,
		       &build->source);
}

/* The link `name` (NULL: any) of `network` (negative: any) that the source is behind. */
static bool link_zone(const struct reader *reader, const char *name, int network, zone_id *zone)
{
	struct daemon_link link;

	for (unsigned i = 0; reader->ops->link(reader->ops->context, i, &link); i++) {
		if (link.zone == ZONE_NONE || (name != NULL && strcmp(name, link.name) != 0) ||
			(network >= 0 && link.network != network) ||
			(name == NULL && !link_has(&link, &reader->build)))
			continue;
		*zone = link.zone;
		return true;
	}
	return false;
}

static bool gateway_zone(const struct reader *reader, zone_id *zone)
{
	const struct config *config = reader->ops->config(reader->ops->context);

	for (unsigned i = 0; i < config->network_count; i++) {
		if (!is_gateway(&config->networks[i], &reader->build))
			continue;
		*zone = ZONE_SERVICE(i);
		return true;
	}
	return refuse(reader->why, "the source is no network's gateway address");
}

static bool zone_find(const struct reader *reader, zone_id *zone)
{
	const struct config *config = reader->ops->config(reader->ops->context);
	const struct build *build = &reader->build;
	const char *side = reader->side;
	int network = config_network_named(config, side);
	char text[ADDR_TEXT_SIZE];

	if (strcmp(side, "gateway") == 0)
		return gateway_zone(reader, zone);
	if (side[0] == '\0')
		network = config_network_of(config, build->family, &build->source);
	if (strcmp(side, "uplink") == 0 || (side[0] == '\0' && network < 0)) {
		*zone = ZONE_UPLINK;
		return true;
	}
	if (network < 0)
		return link_zone(reader, side, -1, zone) ||
		       refuse(reader->why,
			       "there is no link or network `%.64s`: `tungate links` lists them",
			       side);
	return link_zone(reader, NULL, network, zone) ||
	       refuse(reader->why, "no link of network `%s` has the address %s",
		       config->networks[network].name,
		       addr_format(build->family, &build->source, text));
}

/* ---- the packet ---- */

static bool packet_read(struct reader *reader)
{
	char word[WORD_SIZE];

	if (!argument(reader, "protocol", word))
		return false;
	if (strcmp(word, "in") == 0 && (!argument(reader, "side behind `in`", reader->side) ||
					       !argument(reader, "protocol", word)))
		return false;
	if (!protocol_read(reader, word) || !ends_read(reader))
		return false;
	reader->build.tcp_flags = 0x02; /* SYN */
	type_read(&reader->build, "echo-request");
	while (word_next(&reader->rest, word))
		if (!word_read(reader, word))
			return false;
	return true;
}

bool packet_text_build(const struct daemon_ops *ops, const char *text, struct packet *out,
	const struct sentence *why)
{
	struct reader reader = {.ops = ops, .rest = text, .why = why};
	struct build *build = &reader.build;

	build->scale = -1;
	if (strlen(text) >= WORD_SIZE)
		return refuse(why, "too long for a packet: " FORM);
	if (!packet_read(&reader) || !zone_find(&reader, &out->in_zone))
		return false;
	const uint32_t headers = build_packet(out, build);
	if (reader.length > headers) {
		build->payload_bytes = reader.length - headers;
		if (build_packet(out, build) == 0)
			return refuse(why, "bad length %u", reader.length);
	}
	return true;
}
