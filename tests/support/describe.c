/* SPDX-License-Identifier: BSD-2-Clause */
/* describe: packets from text. */
#include "describe.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cksum.h"
#include "packets.h"
#include "pptp.h"

#define WORD_SIZE 64
#define DATA_SIZE 2048

struct description {
	const char *text; /* for messages */
	const char *rest; /* what has not been read */
	char source[WORD_SIZE];
	char destination[WORD_SIZE];
	struct build build;
	struct packet *quoted; /* NULL: no error message */
	uint32_t quote_bytes;  /* 0: all */
	uint8_t tos;
	struct gre_call_header gre; /* of a call */
	uint8_t pptp[PPTP_BYTES_MAX];
	uint32_t room;
	uint8_t data[DATA_SIZE];
};

static void give_up(const struct description *description, const char *word)
{
	fprintf(stderr, "not understood: '%s' in: %s\n", word, description->text);
	abort();
}

/* The next word, or "" at the end. */
static void read_word(struct description *description, char word[WORD_SIZE])
{
	int length = 0;

	word[0] = '\0';
	if (sscanf(description->rest, " %63[^ \n]%n", word, &length) == 1)
		description->rest += length;
}

static uint32_t read_number(struct description *description)
{
	char word[WORD_SIZE], *end;

	read_word(description, word);
	const unsigned long number = strtoul(word, &end, 0);
	if (end == word || *end != '\0')
		give_up(description, word);
	return (uint32_t)number;
}

static bool read_flags(struct description *description, const char *word)
{
	static const char letters[] = "FSRPAUEC";
	uint8_t flags = 0;

	for (const char *w = word; *w != '\0'; w++) {
		const char *letter = strchr(letters, *w);
		if (letter == NULL)
			return false;
		flags |= (uint8_t)(1 << (letter - letters));
	}
	description->build.tcp_flags = flags;
	return true;
}

/* "pptp 8 call 7 peer 3 result 1": a control message of that type, without the words it lacks. */
static void read_pptp(struct description *description)
{
	struct pptp_words words = {.control = (uint16_t)read_number(description)};
	char word[WORD_SIZE];

	for (read_word(description, word); word[0] != '\0'; read_word(description, word)) {
		if (strcmp(word, "call") == 0)
			words.call = (uint16_t)read_number(description);
		else if (strcmp(word, "peer") == 0)
			words.peer = (uint16_t)read_number(description);
		else if (strcmp(word, "result") == 0)
			words.result = (uint8_t)read_number(description);
		else
			give_up(description, word);
	}
	description->build.payload = description->pptp;
	description->build.payload_bytes = pptp_build(&words, description->pptp);
}

static bool read_tcp_word(struct description *description, const char *word)
{
	struct build *build = &description->build;

	if (strcmp(word, "seq") == 0)
		build->sequence = read_number(description);
	else if (strcmp(word, "ack") == 0)
		build->acknowledgment = read_number(description);
	else if (strcmp(word, "win") == 0)
		build->window = (uint16_t)read_number(description);
	else if (strcmp(word, "mss") == 0)
		build->mss = (uint16_t)read_number(description);
	else if (strcmp(word, "scale") == 0)
		build->scale = (int8_t)read_number(description);
	else if (strcmp(word, "sack") == 0)
		build->sack_permitted = true;
	else if (strcmp(word, "pptp") == 0)
		read_pptp(description);
	else
		return read_flags(description, word);
	return true;
}

static bool read_icmp_word(struct description *description, const char *word)
{
	struct build *build = &description->build;
	const bool v6 = strchr(description->source, ':') != NULL;

	if (strcmp(word, "echo") == 0)
		build->icmp_type = v6 ? ICMP6_ECHO : ICMP4_ECHO;
	else if (strcmp(word, "reply") == 0)
		build->icmp_type = v6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY;
	else if (strcmp(word, "id") == 0)
		build->source_port = (uint16_t)read_number(description);
	else if (strcmp(word, "seq") == 0)
		build->destination_port = (uint16_t)read_number(description);
	else if (strcmp(word, "type") == 0)
		build->icmp_type = (uint8_t)read_number(description);
	else if (strcmp(word, "code") == 0)
		build->icmp_code = (uint8_t)read_number(description);
	else if (strcmp(word, "rest") == 0)
		build->icmp_rest = read_number(description);
	else if (strcmp(word, "quote") == 0)
		description->quote_bytes = read_number(description);
	else if (strcmp(word, "about") == 0) {
		description->quoted = packet_describe(description->rest);
		description->rest = "";
	} else
		return false;
	return true;
}

/* "call 7": its eight bytes are all there is. */
static bool read_gre_word(struct description *description, const char *word)
{
	if (strcmp(word, "call") != 0)
		return false;
	description->gre = (struct gre_call_header){.flags = htons(GRE_CALL_FLAGS),
		.protocol = htons(GRE_PPP),
		.call = htons((uint16_t)read_number(description))};
	description->build.payload = &description->gre;
	description->build.payload_bytes = sizeof(description->gre);
	return true;
}

static bool read_protocol_word(struct description *description, const char *word)
{
	switch (description->build.protocol) {
	case IPPROTO_TCP:
		return read_tcp_word(description, word);
	case IPPROTO_ICMP:
		return read_icmp_word(description, word);
	case IPPROTO_GRE:
		return read_gre_word(description, word);
	default:
		return false;
	}
}

static void read_protocol(struct description *description)
{
	char word[WORD_SIZE];

	read_word(description, word);
	if (strcmp(word, "tcp") == 0)
		description->build.protocol = IPPROTO_TCP;
	else if (strcmp(word, "udp") == 0)
		description->build.protocol = IPPROTO_UDP;
	else if (strcmp(word, "icmp") == 0)
		description->build.protocol = IPPROTO_ICMP;
	else if (strcmp(word, "gre") == 0)
		description->build.protocol = IPPROTO_GRE;
	else if (strcmp(word, "proto") == 0)
		description->build.protocol = (uint8_t)read_number(description);
	else
		give_up(description, word);
}

static void read_endpoints(struct description *description)
{
	char arrow[WORD_SIZE];

	read_word(description, description->source);
	read_word(description, arrow);
	read_word(description, description->destination);
	if (strcmp(arrow, ">") != 0)
		give_up(description, arrow);
}

/* One byte of a text, with its escape. */
static uint8_t read_escaped(const char **at)
{
	const char *c = *at;
	uint8_t octal = 0;

	(*at)++;
	if (*c != '\\')
		return (uint8_t)*c;
	c++;
	(*at)++;
	if (*c == 'r' || *c == 'n')
		return *c == 'r' ? '\r' : '\n';
	if (*c < '0' || *c > '7')
		return (uint8_t)*c;
	for (*at = c; **at >= '0' && **at <= '7' && *at < c + 3; (*at)++)
		octal = (uint8_t)(octal << 3 | (**at - '0'));
	return octal;
}

/* All up to the last quote. */
static void read_data(struct description *description)
{
	const char *at = strchr(description->rest, '"'), *end = strrchr(description->rest, '"');
	struct build *build = &description->build;

	if (at == NULL || at == end)
		give_up(description, description->rest);
	for (at++; at < end; build->payload_bytes++) {
		if (build->payload_bytes == DATA_SIZE)
			give_up(description, "data");
		description->data[build->payload_bytes] = read_escaped(&at);
	}
	build->payload = description->data;
	description->rest = end + 1;
}

static void set_tos(struct packet *packet, uint8_t tos)
{
	struct ipv4_header *ip = packet_ipv4(packet);

	ip->tos = tos;
	ip->checksum = 0;
	ip->checksum = (be16)~cksum_fold(cksum_add(ip, sizeof(*ip), 0));
}

static void read_gso(struct description *description)
{
	description->build.partial_checksum = true;
	description->build.gso_size = (uint16_t)read_number(description);
}

/* The same packet in a larger buffer. */
static struct packet *with_room(struct packet *packet, uint32_t room)
{
	struct packet *larger =
		packet_from_bytes(packet->data, packet->length, packet->length + room);

	larger->offload = packet->offload;
	packet_dispose(packet);
	return larger;
}

struct packet *packet_describe(const char *text)
{
	struct description description = {
		.text = text, .rest = text, .room = 64, .build = {.scale = -1, .window = 0xffff}};
	struct build *build = &description.build;
	char word[WORD_SIZE];

	read_protocol(&description);
	read_endpoints(&description);
	for (read_word(&description, word); word[0] != '\0'; read_word(&description, word)) {
		if (strcmp(word, "len") == 0)
			build->payload_bytes = read_number(&description);
		else if (strcmp(word, "ttl") == 0)
			build->ttl = (uint8_t)read_number(&description);
		else if (strcmp(word, "tos") == 0)
			description.tos = (uint8_t)read_number(&description);
		else if (strcmp(word, "room") == 0)
			description.room = read_number(&description);
		else if (strcmp(word, "partial") == 0)
			build->partial_checksum = true;
		else if (strcmp(word, "gso") == 0)
			read_gso(&description);
		else if (strcmp(word, "data") == 0)
			read_data(&description);
		else if (!read_protocol_word(&description, word))
			give_up(&description, word);
	}
	if (description.quoted != NULL) {
		const uint32_t all = description.quoted->length, part = description.quote_bytes;
		build->payload = description.quoted->data;
		build->payload_bytes = part != 0 && part < all ? part : all;
	}
	struct packet *packet = packet_make(description.source, description.destination, build);
	if (build->payload == description.data || build->payload == description.pptp)
		packet = with_room(packet, description.room);
	if (description.tos != 0)
		set_tos(packet, description.tos);
	if (description.quoted != NULL)
		packet_dispose(description.quoted);
	return packet;
}
