/* SPDX-License-Identifier: BSD-2-Clause */
/* steps: stories told to the engine. */
#include "steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deeds.h"
#include "describe.h"
#include "packets.h"
#include "payload.h"
#include "pptp.h"

#define TEXT_SIZE STEP_TEXT_SIZE

/* ---- words ---- */

/* What `describe` has no word for. */
static const char *const icmp_words[][3] = {
	{"net-unreachable", "type 3 code 0", "type 1 code 0"},
	{"host-unreachable", "type 3 code 1", "type 1 code 3"},
	{"proto-unreachable", "type 3 code 2 rest 0", "type 4 code 1 rest 6"},
	{"port-unreachable", "type 3 code 3", "type 1 code 4"},
	{"prohibited", "type 3 code 13", "type 1 code 1"},
	{"time-exceeded", "type 11 code 0", "type 3 code 0"},
	{"too-big", "type 3 code 4 rest", "type 2 code 0 rest"},
};

static uint32_t *variable(struct lab *lab, char letter)
{
	cr_assert(letter >= 'a' && letter <= 'z', "no variable: $%c", letter);
	return &lab->variables[letter - 'a'];
}

/* One word of a step in the words of `describe`: places become addresses, variables numbers. */
static void write_word(struct lab *lab, FILE *to, const char *word)
{
	const char *dollar = strchr(word, '$'), *colon = strrchr(word, ':');
	const size_t name = colon ? (size_t)(colon - word) : strlen(word);
	char text[ADDR_TEXT_SIZE];
	const char *address = lab_word_address(lab, word, name, text) ? text : NULL;

	for (size_t i = 0; i < sizeof(icmp_words) / sizeof(icmp_words[0]); i++)
		if (strcmp(word, icmp_words[i][0]) == 0)
			word = icmp_words[i][lab->family == AF_INET ? 1 : 2];
	if (address != NULL && colon != NULL && strchr(address, ':') != NULL)
		fprintf(to, "[%s]:", address);
	else if (address != NULL)
		fprintf(to, "%s%s", address, colon ? ":" : "");
	if (dollar != NULL && *variable(lab, dollar[1]) != 0)
		fprintf(to, "%.*s%u", address || !colon ? 0 : (int)name + 1, word,
			*variable(lab, dollar[1]));
	else if (address == NULL)
		fputs(word, to);
	else if (colon != NULL)
		fputs(colon + 1, to);
	fputc(' ', to);
}

static void write_plain(struct lab *lab, const char *text, char *plain, size_t size)
{
	FILE *to = fmemopen(plain, size, "w");
	char copy[TEXT_SIZE], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", text);
	char *data = payload_find(copy);
	if (data != NULL)
		*data++ = '\0';
	while ((word = strsep(&rest, " ")) != NULL)
		if (*word != '\0')
			write_word(lab, to, word);
	if (data != NULL)
		payload_write(lab, data, to);
	fclose(to);
}

/* ---- packets as text ---- */

static void write_endpoint(FILE *to, uint8_t family, const union addr *address, be16 port)
{
	char text[ADDR_TEXT_SIZE];

	fprintf(to, "%s ",
		port ? addr_port_format(family, address, ntohs(port), text)
		     : addr_format(family, address, text));
}

static void write_ends(FILE *to, const struct headers *headers)
{
	const bool ports = headers->kind == L4_TCP || headers->kind == L4_UDP;

	write_endpoint(to, headers->family, &headers->source, ports ? headers->source_port : 0);
	fputs("> ", to);
	write_endpoint(
		to, headers->family, &headers->destination, ports ? headers->destination_port : 0);
}

static void write_tcp(FILE *to, const struct packet *packet)
{
	static const char letters[] = "FSRPAUEC";
	const struct tcp_header *tcp = packet_l4(packet);
	struct tcp_options options;

	for (unsigned i = 0; letters[i] != '\0'; i++)
		if (tcp->flags & 1 << i)
			fputc(letters[i], to);
	packet_tcp_options(packet, &options);
	fprintf(to, " seq %u ack %u", ntohl(tcp->sequence), ntohl(tcp->acknowledgment));
	if (options.mss != 0)
		fprintf(to, " mss %u", options.mss);
}

static void write_packet(FILE *to, const struct packet *packet);

static void write_icmp(FILE *to, const struct packet *packet)
{
	const struct icmp_header *icmp = packet_l4(packet);
	const struct headers *headers = &packet->headers;

	if (headers->kind == L4_ICMP_QUERY)
		fprintf(to, "%s id %u",
			icmp->type == ICMP4_ECHO || icmp->type == ICMP6_ECHO ? "echo" : "reply",
			ntohs(icmp->query.id));
	else
		fprintf(to, "type %u code %u rest %u", icmp->type, icmp->code, ntohl(icmp->rest));
}

/* A quote that was cut off is taken at its header's word. */
static void write_quoted(FILE *to, const struct packet *error)
{
	const uint32_t bytes = packet_payload_bytes(error);
	struct packet *quoted =
			      packet_from_bytes(error->data + error->headers.payload, bytes, bytes),
		      cut = *error;

	fputs(" about ", to);
	if (packet_parse(quoted)) {
		const char *fault = packet_fault(quoted);
		cr_expect_null(fault, "the quoted packet has a fault: %s", fault);
		write_packet(to, quoted);
	} else if (quoted->drop == DROP_TRUNCATED && packet_parse_quoted(error, &cut.headers)) {
		write_packet(to, &cut);
	}
	packet_dispose(quoted);
}

/* Is there more than zeros in it? */
static bool has_text(const struct packet *packet)
{
	const uint8_t *payload = packet->data + packet->headers.payload;
	const uint8_t kind = packet->headers.kind;

	for (uint32_t i = 0; i < packet_payload_bytes(packet); i++)
		if (payload[i] != 0)
			return kind == L4_TCP || kind == L4_UDP;
	return false;
}

/* A parsed packet in the words of `describe`. */
static void write_packet(FILE *to, const struct packet *packet)
{
	const struct headers *headers = &packet->headers;

	if (headers->kind == L4_TCP)
		fputs("tcp ", to);
	else if (headers->kind == L4_UDP)
		fputs("udp ", to);
	else if (headers->kind == L4_GRE_CALL)
		fputs("gre ", to);
	else if (headers->kind == L4_OTHER)
		fprintf(to, "proto %u ", headers->protocol);
	else
		fputs("icmp ", to);
	write_ends(to, headers);
	if (headers->kind == L4_TCP)
		write_tcp(to, packet);
	else if (headers->kind == L4_GRE_CALL)
		fprintf(to, "call %u", ntohs(headers->destination_port));
	else if (headers->kind != L4_UDP && headers->kind != L4_OTHER)
		write_icmp(to, packet);
	fprintf(to, " len %u ttl %u", packet_payload_bytes(packet), headers->ttl);
	if (headers->kind == L4_ICMP_ERROR)
		write_quoted(to, packet);
	if (!pptp_write(packet, to) && has_text(packet)) {
		fputs(" data ", to);
		payload_escape(packet->data + headers->payload, packet_payload_bytes(packet), to);
	}
}

/* What came out where, from its bytes alone. */
static void write_result(
	const struct lab *lab, zone_id zone, const struct packet *packet, char text[TEXT_SIZE])
{
	struct packet *copy = packet_copy(packet);
	const char *fault = packet_fault(packet);
	FILE *to = fmemopen(text, TEXT_SIZE, "w");

	cr_expect_null(fault, "a packet comes out with a fault: %s", fault);
	copy->capacity = copy->length;
	cr_expect(packet_parse(copy), "a packet comes out that cannot be parsed: %s",
		drop_name(copy->drop));
	fprintf(to, "%s ", lab_zone_name(lab, zone));
	write_packet(to, copy);
	fclose(to);
	packet_dispose(copy);
}

/* ---- comparing ---- */

#define POSITIONAL 5 /* zone, protocol, source, >, destination */

static bool has_value(const char *word)
{
	return strstr(" seq ack mss id call peer pptp type code rest len ttl ", word) != NULL;
}

static bool is_new(const struct lab *lab, uint32_t value)
{
	for (unsigned i = 0; i < LAB_VARIABLES; i++)
		if (lab->variables[i] == value)
			return false;
	return true;
}

static bool word_matches(struct lab *lab, const char *expected, const char *actual)
{
	const char *dollar = strchr(expected, '$');

	if (dollar == NULL)
		return strcmp(expected, actual) == 0;
	const size_t fixed = (size_t)(dollar - expected);
	if (strncmp(expected, actual, fixed) != 0)
		return false;
	const uint32_t value = (uint32_t)strtoul(actual + fixed, NULL, 10);
	if (!is_new(lab, value))
		return false;
	*variable(lab, dollar[1]) = value;
	return true;
}

static unsigned split(char *text, char **words, unsigned count)
{
	unsigned n = 0;

	for (char *word; n < count && (word = strsep(&text, " ")) != NULL;)
		if (*word != '\0')
			words[n++] = word;
	return n;
}

/* Every expected word is there, in order: what is not mentioned may be anything. */
static bool words_match(struct lab *lab, const char *expected, const char *actual)
{
	char expected_copy[TEXT_SIZE], actual_copy[TEXT_SIZE];
	char *wanted[TEXT_SIZE / 2], *given[TEXT_SIZE / 2];
	unsigned next = 0;

	snprintf(expected_copy, sizeof(expected_copy), "%s", expected);
	snprintf(actual_copy, sizeof(actual_copy), "%s", actual);
	const unsigned wanted_count = split(expected_copy, wanted, TEXT_SIZE / 2);
	const unsigned given_count = split(actual_copy, given, TEXT_SIZE / 2);
	for (unsigned i = 0; i < wanted_count; i++, next++) {
		const bool fixed = i < POSITIONAL || has_value(wanted[i - 1]);
		while (!fixed && next < given_count && strcmp(wanted[i], given[next]) != 0)
			next++;
		if (next == given_count || !word_matches(lab, wanted[i], given[next]))
			return false;
	}
	return wanted_count > 0;
}

/* The words, and the payload where one is expected. */
static bool text_matches(struct lab *lab, const char *expected, const char *actual)
{
	char expected_copy[TEXT_SIZE], actual_copy[TEXT_SIZE];

	snprintf(expected_copy, sizeof(expected_copy), "%s", expected);
	snprintf(actual_copy, sizeof(actual_copy), "%s", actual);
	char *wanted = payload_find(expected_copy), *given = payload_find(actual_copy);
	if (given != NULL)
		*given++ = '\0';
	if (wanted == NULL)
		return words_match(lab, expected_copy, actual_copy);
	*wanted++ = '\0';
	return words_match(lab, expected_copy, actual_copy) && given != NULL &&
	       payload_matches(lab, wanted, given);
}

/* ---- deeds ---- */

static void say_result(int result, char text[TEXT_SIZE])
{
	snprintf(text, TEXT_SIZE, "%s", result == 0 ? "ok" : strerrorname_np(-result));
}

static void deed_wait(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	lab_wait(lab, (uint64_t)(strtod(arguments, NULL) * 1000));
	text[0] = '\0';
}

static void deed_flows(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	(void)arguments;
	snprintf(text, TEXT_SIZE, "%u", engine_status(lab->engine)->flows);
}

static void deed_expectations(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	(void)arguments;
	snprintf(text, TEXT_SIZE, "%u", engine_status(lab->engine)->expectations);
}

static void deed_ports(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	(void)arguments;
	snprintf(text, TEXT_SIZE, "%u", engine_status(lab->engine)->ports_used);
}

static void deed_routes(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	(void)arguments;
	snprintf(text, TEXT_SIZE, "%u", lab->routes_asked);
}

static void deed_events(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	(void)arguments;
	snprintf(text, TEXT_SIZE, "%u %u %u", lab->events[FLOW_NEW], lab->events[FLOW_ESTABLISHED],
		lab->events[FLOW_END]);
}

static void deed_states(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	FILE *to = fmemopen(text, TEXT_SIZE, "w");
	struct flow_info info;
	uint32_t cursor = 0;

	(void)arguments;
	for (unsigned n = 0; engine_flow_next(lab->engine, &cursor, &info); n++)
		fprintf(to, "%s%s", n > 0 ? " " : "", info.state);
	fclose(to);
}

static void deed_drops(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	for (unsigned i = 0; i < DROP_COUNT; i++)
		if (strcmp(arguments, drop_name((enum drop)i)) == 0)
			snprintf(text, TEXT_SIZE, "%lu", engine_status(lab->engine)->drops[i]);
}

/* "tcp [PLACE:]FIRST[-LAST] PLACE:PORT" */
static struct forward read_forward(const struct lab *lab, const char *text)
{
	char protocol[8], host[32], guest_text[64], *guest = guest_text;
	struct forward forward = {.guest_family = lab->family};

	cr_assert_eq(sscanf(text, "%7s %31s %63s", protocol, host, guest), 3, "%s", text);
	forward.protocol = strcmp(protocol, "tcp") == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	char *ports = strchr(host, ':'), *guest_port = strchr(guest, ':');
	if (ports != NULL) {
		*ports++ = '\0';
		forward.host_family = lab->family;
		forward.host = lab_address(lab, host);
	} else {
		ports = host;
	}
	if (sscanf(ports, "%hu-%hu", &forward.ports.first, &forward.ports.last) == 1)
		forward.ports.last = forward.ports.first;
	*guest_port++ = '\0';
	char *slash = strchr(guest, '/');
	if (slash != NULL) {
		*slash = '\0';
		forward.network = (uint16_t)config_network_named(lab->config, guest);
		guest = slash + 1;
	}
	forward.guest = lab_address(lab, guest);
	if (slash == NULL)
		forward.network =
			(uint16_t)config_network_of(lab->config, lab->family, &forward.guest);
	forward.guest_port = (uint16_t)strtoul(guest_port, NULL, 10);
	return forward;
}

static void deed_forward(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	const struct forward forward = read_forward(lab, arguments);

	say_result(engine_forward_add(lab->engine, &forward), text);
}

static void deed_unforward(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	const struct forward forward = read_forward(lab, arguments);

	say_result(engine_forward_del(lab->engine, &forward), text);
}

static void deed_address_new(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	const union addr address = lab_address(lab, arguments);

	say_result(engine_external_add(lab->engine, lab->family, &address), text);
}

static void deed_address_lost(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	const union addr address = lab_address(lab, arguments);

	snprintf(text, TEXT_SIZE, "%u", engine_external_del(lab->engine, lab->family, &address));
}

static void deed_route(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	static char source[8][32]; /* a few routes a story, for as long as the test runs */
	static unsigned used;
	char place[32], *from = source[used++ % 8];
	struct lab_route route = {.result = ROUTE_UPLINK, .path = 1, .mtu = 1500, .source = from};

	cr_assert(sscanf(arguments, "%31s %31s %hu", place, from, &route.path) >= 2);
	if (strcmp(from, "none") == 0)
		route.result = ROUTE_NONE;
	lab_route(lab, place, route);
	engine_path_invalidate(lab->engine);
	text[0] = '\0';
}

static void deed_rules(struct lab *lab, const char *arguments, char text[TEXT_SIZE])
{
	struct config *config = lab_config(lab->options->network, arguments);

	ruleset_free(engine_ruleset_swap(lab->engine, ruleset_create(config)));
	config_free(config);
	text[0] = '\0';
}

static const struct {
	const char *name;
	deed_function *does;
} deeds[] = {
	{"wait", deed_wait},
	{"flows", deed_flows},
	{"ports", deed_ports},
	{"expectations", deed_expectations},
	{"routes", deed_routes},
	{"events", deed_events},
	{"states", deed_states},
	{"drops", deed_drops},
	{"forward", deed_forward},
	{"unforward", deed_unforward},
	{"address-new", deed_address_new},
	{"address-lost", deed_address_lost},
	{"link-lost", deed_link_lost},
	{"learn", deed_learn},
	{"forget", deed_forget},
	{"route", deed_route},
	{"rules", deed_rules},
	{"counted", deed_counted},
	{"logged", deed_logged},
	{"refused", deed_refused},
	{"has", deed_has},
	{"limits", deed_limits},
	{"told", deed_told},
	{"domains", deed_domains},
};

static deed_function *deed_named(const char *name)
{
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (strcmp(deeds[i].name, name) == 0)
			return deeds[i].does;
	return NULL;
}

/* ---- playing ---- */

struct packet *steps_packet(struct lab *lab, const char *in)
{
	char zone[32], plain[TEXT_SIZE];
	int length = 0;

	cr_assert_eq(sscanf(in, "%31s %n", zone, &length), 1);
	write_plain(lab, in + length, plain, sizeof(plain));
	struct packet *packet = packet_describe(plain);
	if (lab->config->networks[0].nat64.family != 0)
		packet = packet_with_more_room(packet, 64);
	packet->in_zone = lab_zone(lab, zone);
	cr_assert_neq(packet->in_zone, ZONE_NONE, "no zone is called %s", zone);
	return packet;
}

static void send_text(struct lab *lab, const char *in, char text[TEXT_SIZE])
{
	struct packet *packet = steps_packet(lab, in);
	const uint8_t ttl = packet_ttl(packet);
	const enum verdict verdict = lab_send(lab, packet);

	if (verdict == VERDICT_DROP) {
		snprintf(text, TEXT_SIZE, "drop %s", drop_name((enum drop)packet->drop));
	} else {
		const bool routed = verdict == VERDICT_SEND && !ZONE_IS_SERVICE(packet->in_zone);
		write_result(lab, packet->out_zone, packet, text);
		cr_expect_eq(packet_ttl(packet), ttl - routed, "the hop limit of: %s", text);
	}
	packet_dispose(packet);
}

/* As write_plain(), but a payload stays a pattern, from which variables are learnt. */
static void write_expected(struct lab *lab, const char *text, char *plain, size_t size)
{
	char copy[TEXT_SIZE];

	snprintf(copy, sizeof(copy), "%s", text);
	char *data = payload_find(copy);
	if (data != NULL)
		*data = '\0';
	write_plain(lab, copy, plain, size);
	if (data != NULL)
		snprintf(plain + strlen(plain), size - strlen(plain), "%s", payload_find(text));
}

static void expect_text(
	struct lab *lab, const struct step *step, const char *expected, const char *actual)
{
	char plain[TEXT_SIZE] = "";
	const size_t zone = expected ? strcspn(expected, " ") : 0;
	const bool reason = expected != NULL && strncmp(expected, "drop ", 5) == 0;

	if (reason) {
		snprintf(plain, sizeof(plain), "%s", expected);
	} else if (expected != NULL) {
		memcpy(plain, expected, zone);
		plain[zone] = ' ';
		write_expected(lab, expected + zone, plain + zone + 1, sizeof(plain) - zone - 1);
	}
	cr_expect(expected == NULL ? actual[0] == '\0' : text_matches(lab, plain, actual),
		"IPv%c, step \"%s\"\n  expected: %s\n  is:       %s",
		lab->family == AF_INET ? '4' : '6', step->in, expected ? plain : "nothing", actual);
}

static void expect_answer(struct lab *lab, const struct step *step, const char *expected)
{
	struct packet *answer = lab_answer(lab);
	char text[TEXT_SIZE] = "";

	if (answer != NULL) {
		write_result(lab, answer->out_zone, answer, text);
		packet_dispose(answer);
	}
	expect_text(lab, step, expected, text);
	if (expected != NULL && answer != NULL)
		expect_answer(lab, step, NULL);
}

static void step_play(struct lab *lab, const struct step *step)
{
	char first[32], text[TEXT_SIZE] = "";
	int length = 0;

	cr_assert_eq(sscanf(step->in, "%31s %n", first, &length), 1);
	deed_function *does = deed_named(first);
	if (does != NULL)
		does(lab, step->in + length, text);
	else
		send_text(lab, step->in, text);
	expect_text(lab, step, step->out, text);
	expect_answer(lab, step, step->answer);
}

void steps_play(struct lab *lab, const struct step *steps)
{
	for (; steps->in != NULL; steps++)
		step_play(lab, steps);
}

void story_play(const struct lab_options *options, const struct step *steps)
{
	for (unsigned i = 0; i < 2; i++) {
		if (options->families == (i == 0 ? LAB_IPV6 : LAB_IPV4))
			continue;
		struct lab *lab = lab_open(i == 0 ? AF_INET : AF_INET6, options);
		steps_play(lab, steps);
		lab_close(lab);
	}
}
