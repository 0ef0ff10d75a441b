/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * golden: config + pcap in -> pcap + counters out, byte by byte.
 *
 * A row is NAME.script, which says in words what goes in and what must come out, and the files made
 * of it: NAME.in.pcap, NAME.out.pcap (`make golden`), NAME.counters.  Its config is NAME.conf, or
 * default.conf.  Every row runs through a whole engine with a virtual clock.
 */
#include <criterion/criterion.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include "../support/packets.h"
#include "../support/script.h"

#define ROWS "tests/golden/rows/"

struct row {
	char name[64];
	struct gateway *gateway;
	uint64_t start_ms;
	struct trace out;
};

static char *row_file(const struct row *row, const char *suffix, size_t *length)
{
	char path[128];

	snprintf(path, sizeof(path), ROWS "%s%s", row->name, suffix);
	return file_read(path, length);
}

static char *row_must_have(const struct row *row, const char *suffix, size_t *length)
{
	char *bytes = row_file(row, suffix, length);

	cr_assert_not_null(bytes, "%s: no file " ROWS "%s%s", row->name, row->name, suffix);
	return bytes;
}

static void row_begin(struct row *row, const char *script_path)
{
	const char *name = strrchr(script_path, '/') + 1;

	*row = (struct row){.start_ms = 0};
	snprintf(row->name, sizeof(row->name), "%.*s", (int)strcspn(name, "."), name);
	char *config = row_file(row, ".conf", NULL);
	if (config == NULL)
		config = file_read(ROWS "default.conf", NULL);
	cr_assert_not_null(config, "run from the root of the tree");
	row->gateway = gateway_create(config, 0);
	row->start_ms = row->gateway->now_ms;
	free(config);
}

/* ---- running ---- */

/* A packet leaves: it must be sound whatever the row says. */
static void row_send(struct row *row, const struct packet *packet)
{
	const char *fault = packet_fault(packet);

	cr_expect_null(fault, "%s: a packet leaves with a fault: %s", row->name, fault);
	trace_add(&row->out, row->gateway->now_ms - row->start_ms, packet->out_zone,
		TRACE_FROM_GATEWAY, packet);
}

static void row_drain(struct row *row)
{
	struct packet *made = packet_with_room(ENGINE_OUTPUT_BYTES);

	while (engine_next_output(row->gateway->engine, made))
		row_send(row, made);
	packet_dispose(made);
}

static void row_run(struct row *row, pcap_t *in)
{
	struct gateway *gateway = row->gateway;
	uint64_t time_ms;

	trace_begin(&row->out);
	for (struct packet *packet; (packet = trace_next(in, &time_ms)) != NULL;) {
		gateway_advance(gateway, row->start_ms + time_ms - gateway->now_ms);
		if (gateway_input(gateway, packet->in_zone, packet) == VERDICT_SEND)
			row_send(row, packet);
		row_drain(row);
		packet_dispose(packet);
	}
	trace_finish(&row->out);
}

/* ---- counters ---- */

static void print_counter(FILE *to, const char *name, const struct counter *counter)
{
	if (counter->packets != 0)
		fprintf(to, "%s %lu packets %lu bytes\n", name, counter->packets, counter->bytes);
}

static void print_rules(FILE *to, const struct engine *engine)
{
	static const char *const chains[] = {"input", "forward", "output"};
	struct rule_info info;

	for (unsigned c = 0; c < CHAIN_COUNT; c++) {
		for (unsigned i = 0; engine_rule_info(engine, (enum chain)c, i, &info); i++) {
			if (info.counter.packets == 0)
				continue;
			fprintf(to, "%s: %s: ", chains[c], info.rule ? info.rule->text : "policy");
			fprintf(to, "%lu packets %lu bytes\n", info.counter.packets,
				info.counter.bytes);
		}
	}
}

/* All that is not zero, as text. */
static char *counters_text(const struct engine *engine)
{
	static const char *const drops[] = {
#define DROP_NAME(symbol, name, meaning) name,
		TUNGATE_DROPS(DROP_NAME)};
	const struct engine_status *status = engine_status(engine);
	char *text = NULL;
	size_t length;
	FILE *to = open_memstream(&text, &length);

	fprintf(to, "flows %u, created %lu, ports %u\n", status->flows, status->flows_created,
		status->ports_used);
	print_counter(to, "from lan", &status->in[0]);
	print_counter(to, "from uplink", &status->in[1]);
	print_counter(to, "to lan", &status->out[0]);
	print_counter(to, "to uplink", &status->out[1]);
	for (unsigned i = 0; i < sizeof(drops) / sizeof(*drops); i++)
		if (status->drops[i] != 0)
			fprintf(to, "drop %s %lu\n", drops[i], status->drops[i]);
	print_rules(to, engine);
	fclose(to);
	return text;
}

/* ---- comparing ---- */

static void print_packet(const char *title, uint64_t time_ms, const struct packet *packet)
{
	if (packet == NULL) {
		fprintf(stderr, "  %s: none\n", title);
		return;
	}
	fprintf(stderr, "  %s, %lu ms, zone %04x:", title, time_ms, packet->in_zone);
	for (uint32_t i = 0; i < packet->length && i < 128; i++)
		fprintf(stderr, "%s%02x", i % 4 == 0 ? " " : "", packet->data[i]);
	fprintf(stderr, "\n");
}

static bool packets_differ(const struct packet *a, const struct packet *b)
{
	if (a == NULL || b == NULL)
		return a != b;
	return a->in_zone != b->in_zone || a->length != b->length ||
	       memcmp(a->data, b->data, a->length) != 0;
}

/* Compare the next packets of both; true where there is no more to say. */
static bool explain_next(const struct row *row, pcap_t *expected, pcap_t *actual, unsigned n)
{
	uint64_t time_a = 0, time_b = 0;
	struct packet *a = trace_next(expected, &time_a), *b = trace_next(actual, &time_b);
	const bool differ = packets_differ(a, b) || time_a != time_b, last = a == NULL || b == NULL;

	if (differ) {
		fprintf(stderr, "%s: packet %u that comes out\n", row->name, n);
		print_packet("expected", time_a, a);
		print_packet("is", time_b, b);
	}
	if (a != NULL)
		packet_dispose(a);
	if (b != NULL)
		packet_dispose(b);
	return differ || last;
}

/* Show the first packet in which two traces differ. */
static void explain(const struct row *row, char *expected, size_t expected_length)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *a = pcap_fopen_offline(fmemopen(expected, expected_length, "rb"), error);
	pcap_t *b = pcap_fopen_offline(fmemopen(row->out.bytes, row->out.length, "rb"), error);

	for (unsigned n = 1; !explain_next(row, a, b, n); n++)
		;
	pcap_close(a);
	pcap_close(b);
}

static bool same(const char *a, size_t a_length, const char *b, size_t b_length)
{
	return a_length == b_length && memcmp(a, b, a_length) == 0;
}

static void row_check(const struct row *row)
{
	size_t expected_length;
	char *expected = row_must_have(row, ".out.pcap", &expected_length);
	char *counters = row_must_have(row, ".counters", NULL);
	char *actual = counters_text(row->gateway->engine);

	if (!same(expected, expected_length, row->out.bytes, row->out.length)) {
		explain(row, expected, expected_length);
		cr_expect_fail("%s: other packets come out", row->name);
	}
	cr_expect_str_eq(actual, counters, "%s: counters are now\n%s", row->name, actual);
	free(actual);
	free(counters);
	free(expected);
}

/* ---- the tests ---- */

static void for_each_row(void (*test)(struct row *row))
{
	glob_t scripts;
	struct row row;

	cr_assert_eq(glob(ROWS "*.script", 0, NULL, &scripts), 0, "run from the root of the tree");
	for (size_t i = 0; i < scripts.gl_pathc; i++) {
		row_begin(&row, scripts.gl_pathv[i]);
		test(&row);
		gateway_free(row.gateway);
	}
	globfree(&scripts);
}

static void compile(struct row *row)
{
	char *script = row_must_have(row, ".script", NULL);
	size_t in_length, out_length;
	char *in = row_must_have(row, ".in.pcap", &in_length);
	char *out = row_must_have(row, ".out.pcap", &out_length);
	struct trace made_in, made_out;

	script_compile(script, row->gateway, &made_in, &made_out);
	cr_expect(same(in, in_length, made_in.bytes, made_in.length),
		"%s: its script says other packets than its pcap (make golden)", row->name);
	cr_expect(same(out, out_length, made_out.bytes, made_out.length),
		"%s: its script says other packets than its pcap (make golden)", row->name);
	trace_free(&made_in);
	trace_free(&made_out);
	free(script);
	free(in);
	free(out);
}

static void run(struct row *row)
{
	char path[128], error[PCAP_ERRBUF_SIZE];

	snprintf(path, sizeof(path), ROWS "%s.in.pcap", row->name);
	pcap_t *in = pcap_open_offline(path, error);
	cr_assert_not_null(in, "%s", error);
	row_run(row, in);
	pcap_close(in);
	row_check(row);
	trace_free(&row->out);
}

Test(golden, pcaps_are_what_the_scripts_say)
{
	for_each_row(compile);
}

Test(golden, packets_and_counters_come_out_as_written)
{
	for_each_row(run);
}
