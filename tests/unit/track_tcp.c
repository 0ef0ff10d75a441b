/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * track_tcp: conversations, one segment a row, with the result and the state that each must give.
 * Numbers are relative: each side's SYN has number 0, its first octet number 1.  The absolute ones
 * are chosen so that they wrap around within the first few octets.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "engine/track_tcp.h"
#include "wire/parse.h"

static const uint32_t isn[DIRECTIONS] = {0xfffffffe, 0x7ffffff0};

struct step {
	enum direction direction;
	const char *flags; /* S F R A P */
	uint32_t sequence;
	uint32_t ack; /* relative to the other side's SYN */
	uint16_t window;
	uint32_t length;
	const char *options; /* "s7" scale, "k" SACK permitted, "t" timestamp */
	enum tcp_result result;
	enum tcp_state state;
	uint32_t sack; /* right edge of a SACK block that starts at ack + 1000 */
};

static const struct step end_of_steps = {.flags = NULL};
#define O            ORIGINAL
#define R            REPLY
#define ACCEPT       TCP_ACCEPT
#define QUIET        TCP_ACCEPT_QUIET
#define INVALID      TCP_INVALID
#define REOPEN       TCP_REOPEN
#define SYN_SENT     TCP_STATE_SYN_SENT
#define SYN_SENT2    TCP_STATE_SYN_SENT2
#define SYN_RECEIVED TCP_STATE_SYN_RECEIVED
#define ESTABLISHED  TCP_STATE_ESTABLISHED
#define FIN_WAIT     TCP_STATE_FIN_WAIT
#define CLOSE_WAIT   TCP_STATE_CLOSE_WAIT
#define LAST_ACK     TCP_STATE_LAST_ACK
#define TIME_WAIT    TCP_STATE_TIME_WAIT
#define CLOSE        TCP_STATE_CLOSE

static uint8_t flag_bits(const char *flags)
{
	uint8_t bits = 0;

	for (; *flags != '\0'; flags++)
		bits |= *flags == 'S'   ? TCP_SYN
			: *flags == 'F' ? TCP_FIN
			: *flags == 'R' ? TCP_RST
			: *flags == 'P' ? TCP_PSH
					: TCP_ACK;
	return bits;
}

/* TCP options of a step, padded; returns their length. */
static uint8_t put_options(uint8_t *to, const struct step *step)
{
	uint8_t *p = to;

	for (const char *o = step->options; o != NULL && *o != '\0'; o++) {
		if (*o == 's') {
			const uint8_t scale[] = {1, 3, 3, (uint8_t)(o[1] - '0')};
			p = (uint8_t *)memcpy(p, scale, 4) + 4;
			o++;
		} else if (*o == 'k') {
			p = (uint8_t *)memcpy(p, "\1\1\4\2", 4) + 4;
		} else if (*o == 't') {
			p = (uint8_t *)memcpy(p, "\1\1\10\12TSvlTSec", 12) + 12;
		}
	}
	if (step->sack != 0) {
		const uint32_t base = isn[!step->direction];
		const uint32_t block[] = {htonl(base + step->ack + 1000), htonl(base + step->sack)};
		p = (uint8_t *)memcpy(p, "\1\1\5\12", 4) + 4;
		p = (uint8_t *)memcpy(p, block, 8) + 8;
	}
	return (uint8_t)(p - to);
}

/* A packet as packet_parse() would leave it; only what tracking looks at. */
static void step_packet(const struct step *step, uint8_t *buffer, struct packet *packet)
{
	const uint8_t flags = flag_bits(step->flags);
	const uint8_t option_bytes = put_options(buffer + 40, step);
	struct tcp_header tcp = {
		.sequence = htonl(isn[step->direction] + step->sequence),
		.acknowledgment = flags & TCP_ACK ? htonl(isn[!step->direction] + step->ack) : 0,
		.offset = (uint8_t)((20 + option_bytes) << 2),
		.flags = flags,
		.window = htons(step->window),
	};
	memcpy(buffer + 20, &tcp, sizeof(tcp));
	*packet = (struct packet){.data = buffer, .parsed = true};
	packet->headers = (struct headers){.family = AF_INET,
		.protocol = IPPROTO_TCP,
		.kind = L4_TCP,
		.l4 = 20,
		.payload = (uint16_t)(40 + option_bytes),
		.end = 40 + option_bytes + step->length,
		.tcp_flags = flags};
	packet->length = packet->headers.end;
}

static void run(const char *file, int line, struct tcp_track *track, const struct step *steps)
{
	static const char *const results[] = {"ACCEPT", "QUIET", "INVALID", "REOPEN"};
	uint8_t buffer[128];
	struct packet packet;

	for (int i = 0; steps[i].flags != NULL; i++) {
		step_packet(&steps[i], buffer, &packet);
		const enum tcp_result result =
			track->state == TCP_STATE_NONE
				? track_tcp_new(track, &packet) ? TCP_ACCEPT : TCP_INVALID
				: track_tcp_update(track, steps[i].direction, &packet);
		cr_assert(result == steps[i].result && track->state == steps[i].state,
			"%s:%d: step %d (%s %s %u): %s, %s instead of %s, %s", file, line, i,
			steps[i].direction == O ? ">" : "<", steps[i].flags, steps[i].sequence,
			results[result], tcp_state_name(track->state), results[steps[i].result],
			tcp_state_name(steps[i].state));
	}
}

#define RUN(track, ...)                                                                            \
	run(__FILE__, __LINE__, track, (const struct step[]){__VA_ARGS__, end_of_steps})

/* Unscaled windows of 65535. */
#define HANDSHAKE                                                                                  \
	{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},                                         \
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},                            \
	{                                                                                          \
		O, "A", 1, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0                                 \
	}
/* clang-format off */

/* ---- opening ---- */

Test(opening, only_a_pure_syn_opens)
{
	static const char *const others[] = {"A", "SA", "F", "FA", "R", "RA", "PA", "SF", "SR", "P"};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		RUN(&(struct tcp_track){}, {O, others[i], 0, 1, 1000, 0, "", INVALID, TCP_STATE_NONE, 0});
}

Test(opening, three_way_handshake)
{
	RUN(&(struct tcp_track){}, HANDSHAKE);
}

Test(opening, repeated_syn_refreshes_nothing)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "s7", ACCEPT, SYN_SENT, 0},
		{O, "S", 0, 0, 65535, 0, "s7", QUIET, SYN_SENT, 0},
		{O, "S", 0, 0, 65535, 0, "", QUIET, SYN_SENT, 0},
		/* another attempt from the same port: only the last one counts */
		{O, "S", 9000, 0, 65535, 0, "s7", QUIET, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "s7", QUIET, SYN_SENT, 0},
		{R, "SA", 0, 9001, 65535, 0, "s7", ACCEPT, SYN_RECEIVED, 0},
		{O, "S", 9000, 0, 65535, 0, "s7", QUIET, SYN_RECEIVED, 0},
		{R, "SA", 0, 9001, 65535, 0, "s7", QUIET, SYN_RECEIVED, 0},
		{O, "A", 9001, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		/* late copies of the handshake change nothing */
		{R, "SA", 0, 9001, 65535, 0, "s7", QUIET, ESTABLISHED, 0});
}

Test(opening, simultaneous_open)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT2, 0},
		{R, "S", 0, 0, 65535, 0, "", QUIET, SYN_SENT2, 0},
		{R, "S", 77, 0, 65535, 0, "", INVALID, SYN_SENT2, 0},
		{O, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "SA", 0, 1, 65535, 0, "", QUIET, SYN_RECEIVED, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1, 1, 65535, 100, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 101, 65535, 100, "", ACCEPT, ESTABLISHED, 0});
}

Test(opening, simultaneous_open_with_plain_acks)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT2, 0},
		{O, "A", 1, 1, 65535, 500, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 501, 1, 65535, 500, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "A", 1, 1001, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(opening, a_forged_syn_does_not_stop_the_answer)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "S", 5555, 0, 100, 0, "", ACCEPT, SYN_SENT2, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(opening, fast_open_data)
{
	/* all of it acknowledged; the server answers before the handshake is over */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 500, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 501, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "A", 1, 501, 65535, 1400, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "A", 1401, 501, 65535, 1400, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "SA", 0, 501, 65535, 0, "", QUIET, SYN_RECEIVED, 0},
		{O, "A", 501, 2801, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
	/* only the SYN acknowledged: sent again as ordinary data */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 500, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 65535, 500, "", ACCEPT, ESTABLISHED, 0});
	/* a reset is expected where the acknowledged data ends */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 500, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 501, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "R", 1, 0, 0, 0, "", INVALID, SYN_RECEIVED, 0});
}

Test(opening, given_up_by_the_client)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{O, "R", 0, 0, 0, 0, "", INVALID, SYN_SENT, 0},
		{O, "R", 1, 0, 0, 0, "", ACCEPT, CLOSE, 0});
}

Test(opening, a_syn_cookie_may_change)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "S", 0, 0, 65535, 0, "", QUIET, SYN_RECEIVED, 0},
		{R, "SA", 0x12345678, 1, 65535, 0, "", QUIET, SYN_RECEIVED, 0},
		{O, "A", 1, 0x12345679, 65535, 10, "", ACCEPT, ESTABLISHED, 0});
}

Test(opening, the_final_ack_must_acknowledge_the_syn)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 0, 65535, 0, "", INVALID, SYN_RECEIVED, 0},
		{O, "A", 1, 2, 65535, 0, "", INVALID, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(opening, nothing_else_goes_before_an_answer)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{O, "A", 1, 1, 65535, 0, "", INVALID, SYN_SENT, 0},
		{O, "SA", 0, 1, 65535, 0, "", INVALID, SYN_SENT, 0},
		{O, "FA", 1, 1, 65535, 0, "", INVALID, SYN_SENT, 0},
		{R, "FA", 1, 1, 65535, 0, "", INVALID, SYN_SENT, 0});
}

Test(opening, refused_and_asked_again)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "R", 0, 0, 0, 0, "", INVALID, SYN_SENT, 0},    /* acknowledges nothing */
		{R, "RA", 0, 2, 0, 0, "", INVALID, SYN_SENT, 0},   /* something else */
		{R, "RA", 0, 1, 0, 0, "", ACCEPT, CLOSE, 0},
		{R, "RA", 0, 1, 0, 0, "", INVALID, CLOSE, 0},
		{R, "SA", 0, 1, 65535, 0, "", INVALID, CLOSE, 0},
		{O, "S", 70000, 0, 65535, 0, "", REOPEN, CLOSE, 0});
}

/* ---- closing ---- */

Test(closing, by_the_client)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "FA", 1, 1, 65535, 10, "", ACCEPT, FIN_WAIT, 0},
		{R, "A", 1, 11, 65535, 100, "", ACCEPT, FIN_WAIT, 0}, /* its data, not its FIN */
		{R, "A", 101, 12, 65535, 100, "", ACCEPT, CLOSE_WAIT, 0},
		{O, "A", 12, 201, 65535, 0, "", ACCEPT, CLOSE_WAIT, 0},
		{R, "FA", 201, 12, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{R, "FA", 201, 12, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{O, "A", 12, 201, 65535, 0, "", ACCEPT, LAST_ACK, 0}, /* not for the FIN */
		{O, "A", 12, 202, 65535, 0, "", ACCEPT, TIME_WAIT, 0},
		{R, "FA", 201, 12, 65535, 0, "", QUIET, TIME_WAIT, 0},
		{O, "A", 12, 202, 65535, 0, "", QUIET, TIME_WAIT, 0});
}

Test(closing, by_the_server_at_once)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "FA", 1, 1, 65535, 300, "", ACCEPT, FIN_WAIT, 0},
		{O, "FA", 1, 302, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{R, "A", 302, 2, 65535, 0, "", ACCEPT, TIME_WAIT, 0});
}

Test(closing, both_at_once)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{R, "FA", 1, 1, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{O, "A", 2, 2, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{R, "A", 2, 2, 65535, 0, "", ACCEPT, TIME_WAIT, 0});
}

Test(closing, the_server_before_the_handshake_is_over)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{O, "A", 1, 2, 65535, 0, "", ACCEPT, CLOSE_WAIT, 0});
}

Test(closing, repeated_fin_is_not_the_others)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{R, "A", 1, 2, 65535, 0, "", ACCEPT, CLOSE_WAIT, 0},
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, CLOSE_WAIT, 0});
}

Test(closing, nothing_follows_a_fin)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{O, "A", 2, 1, 65535, 10, "", INVALID, FIN_WAIT, 0},
		{O, "FA", 12, 1, 65535, 0, "", INVALID, FIN_WAIT, 0},
		{O, "A", 2, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0});
}

Test(closing, fin_out_of_the_window_changes_nothing)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "FA", 100000, 1, 65535, 0, "", INVALID, ESTABLISHED, 0},
		{R, "FA", (uint32_t)-100000, 1, 65535, 0, "", QUIET, ESTABLISHED, 0},
		{O, "FA", 1, 500, 65535, 0, "", INVALID, ESTABLISHED, 0});
}

Test(closing, time_wait_is_reopened_by_the_client_alone)
{
	struct tcp_track track = {};

	RUN(&track, HANDSHAKE,
		{O, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{R, "FA", 1, 2, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{O, "A", 2, 2, 65535, 0, "", ACCEPT, TIME_WAIT, 0},
		{R, "S", 50000, 0, 65535, 0, "", INVALID, TIME_WAIT, 0},
		{O, "R", 2, 0, 0, 0, "", QUIET, TIME_WAIT, 0}, /* RFC 1337 */
		{O, "R", 900000, 0, 0, 0, "", INVALID, TIME_WAIT, 0},
		{R, "A", 900000, 2, 100, 5, "", INVALID, TIME_WAIT, 0},
		{O, "S", 50000, 0, 65535, 0, "", REOPEN, TIME_WAIT, 0});
}

/* ---- windows ---- */

Test(window, bound_1_sequence_within_what_was_allowed)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1 + 65535, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 65536, 1, 65535, 0, "", INVALID, ESTABLISHED, 0},
		{R, "A", 1, 1, 20000, 0, "", ACCEPT, ESTABLISHED, 0}, /* shrinking takes nothing back */
		{O, "A", 1 + 65535, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(window, a_segment_without_ack_is_no_part)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "P", 1, 0, 65535, 10, "", INVALID, ESTABLISHED, 0});
}

Test(window, bound_3_acknowledgment_of_nothing_unsent)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1, 1, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 1002, 65535, 0, "", INVALID, ESTABLISHED, 0},
		{R, "A", 1, 1001, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

/* 30 segments of 10000, acknowledged: the oldest are out of reach of bounds II and IV. */
static void send_300000(struct tcp_track *track)
{
	for (uint32_t i = 0; i < 30; i++)
		RUN(track,
			{O, "A", 1 + i * 10000, 1, 65535, 10000, "", ACCEPT, ESTABLISHED, 0},
			{R, "A", 1, 1 + (i + 1) * 10000, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(window, bound_2_old_data_passes_and_says_nothing)
{
	struct tcp_track track = {};

	RUN(&track, HANDSHAKE);
	send_300000(&track);
	RUN(&track,
		{O, "A", 300001 - 65535, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 300001 - 65536, 1, 65535, 0, "", QUIET, ESTABLISHED, 0},
		{O, "A", 1, 1, 65535, 1460, "", QUIET, ESTABLISHED, 0});
}

Test(window, bound_4_old_acknowledgments_pass_and_say_nothing)
{
	struct tcp_track track = {};

	RUN(&track, HANDSHAKE);
	send_300000(&track);
	RUN(&track,
		{R, "A", 1, 300001 - 66000, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 300001 - 66001, 65535, 0, "", QUIET, ESTABLISHED, 0},
		{R, "FA", 1, 300001 - 66001, 65535, 0, "", QUIET, ESTABLISHED, 0});
}

Test(window, scaled_when_both_say_so)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "s7", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "s8", ACCEPT, SYN_RECEIVED, 0}, /* not scaled itself */
		{O, "A", 1 + 65536, 1, 500, 0, "t", INVALID, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 1000, 0, "t", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 1, 1000, 0, "t", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 256000, 1, 1000, 0, "t", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 256001, 1, 1000, 0, "t", INVALID, ESTABLISHED, 0},
		{R, "A", 1 + 128000, 1, 1000, 0, "t", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1 + 128001, 1, 1000, 0, "t", INVALID, ESTABLISHED, 0});
}

Test(window, not_scaled_when_one_does_not)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "s7", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 1000, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 2000, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 1, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 1001, 1, 2000, 0, "", INVALID, ESTABLISHED, 0},
		{R, "A", 1 + 65535, 1, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1 + 65536, 1, 1000, 0, "", INVALID, ESTABLISHED, 0});
}

Test(window, closed_window_admits_a_probe)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1, 1, 65535, 65535, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 65536, 0, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 65535, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0}, /* keep-alive */
		{O, "A", 65536, 1, 65535, 1, "", ACCEPT, ESTABLISHED, 0}, /* window probe */
		{R, "A", 1, 65537, 0, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 65539, 1, 65535, 1, "", INVALID, ESTABLISHED, 0});
}

Test(window, not_scaled_when_only_the_answer_says_so)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 1000, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "s8", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 1, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 65535, 1, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1 + 65536, 1, 1000, 0, "", INVALID, ESTABLISHED, 0});
}

Test(window, reaches_back_as_far_as_the_receivers)
{
	/* the client takes 1000 bytes at a time, the server 65535 */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 1000, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 1000, 10000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 10001, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 10001, 1001, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1001, 10001, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1, 2001, 1000, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1001, 10001, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1000, 10001, 65535, 0, "", QUIET, ESTABLISHED, 0},
		/* more than it takes: it must have said so where we did not hear it */
		{R, "A", 2001, 10001, 65535, 1600, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 3601 - 1600, 10001, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 3601 - 1601, 10001, 65535, 0, "", QUIET, ESTABLISHED, 0});
}

Test(window, selective_acknowledgments_widen_it)
{
	/* the window reaches from the acknowledgment, over the hole, to the right edge and on */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "k", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 10000, 0, "k", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 65535, 9000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 1, 10000, 0, "", ACCEPT, ESTABLISHED, 9001},
		{O, "A", 9001, 1, 65535, 10000, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 19001 - 19000, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 19001 - 19001, 1, 65535, 0, "", QUIET, ESTABLISHED, 0});
}

Test(window, super_packet_counts_in_full)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1, 1, 65535, 64000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 64001, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(window, selective_acknowledgments_count)
{
	struct tcp_track track = {};

	RUN(&track,
		{O, "S", 0, 0, 65535, 0, "k", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "k", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 65535, 40000, "", ACCEPT, ESTABLISHED, 0},
		/* of what was not sent */
		{R, "A", 1, 1, 65535, 0, "", INVALID, ESTABLISHED, 50001},
		/* the window reaches on from the right edge */
		{R, "A", 1, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 40001},
		{O, "A", 40001 + 65535, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 40001 + 65536, 1, 65535, 0, "", INVALID, ESTABLISHED, 0});
}

Test(window, sack_blocks_mean_nothing_if_not_permitted)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "A", 1, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 50001});
}

/* ---- resets ---- */

Test(reset, exact_one_closes)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "RA", 1, 1, 0, 0, "", ACCEPT, CLOSE, 0},
		/* what was on its way passes, and does not keep the record */
		{O, "A", 1, 1, 65535, 100, "", QUIET, CLOSE, 0},
		{O, "A", 900000, 1, 65535, 100, "", INVALID, CLOSE, 0},
		{R, "R", 1, 0, 0, 0, "", QUIET, CLOSE, 0},
		{R, "SA", 1, 1, 65535, 0, "", QUIET, CLOSE, 0},
		{R, "S", 9999, 0, 65535, 0, "", INVALID, CLOSE, 0});
	/* right behind its own data */
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1, 1, 65535, 500, "", ACCEPT, ESTABLISHED, 0},
		{O, "R", 501, 0, 0, 0, "", ACCEPT, CLOSE, 0});
	/* of a server that does not want the connection after all */
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},
		{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{R, "R", 1, 0, 0, 0, "", ACCEPT, CLOSE, 0});
}

/* nf_conntrack_packetdrill: conntrack_rst_invalid */
Test(reset, inexact_ones_leave_an_open_connection_alone)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "A", 1, 1, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1001, 1, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{R, "A", 2001, 1, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1, 3001, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "R", 0, 0, 0, 0, "", INVALID, ESTABLISHED, 0},
		{R, "R", 1000000, 0, 0, 0, "", INVALID, ESTABLISHED, 0},
		{R, "R", 42, 0, 0, 0, "", INVALID, ESTABLISHED, 0},
		{R, "RA", 3000, 1, 0, 0, "", INVALID, ESTABLISHED, 0},
		/* in the window ahead: for the client to challenge */
		{R, "R", 3002, 0, 0, 0, "", QUIET, ESTABLISHED, 0},
		{O, "A", 1, 3001, 65535, 0, "", ACCEPT, ESTABLISHED, 0},
		{R, "R", 3001 + 65535, 0, 0, 0, "", QUIET, ESTABLISHED, 0},
		{R, "R", 3001 + 65536, 0, 0, 0, "", INVALID, ESTABLISHED, 0},
		{R, "RA", 3001, 1, 0, 0, "", ACCEPT, CLOSE, 0});
}

/* nf_conntrack_packetdrill: conntrack_inexact_rst */
Test(reset, inexact_ones_end_a_closing_connection)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "A", 1, 1, 65535, 3000, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 1, 3001, 65535, 1000, "", ACCEPT, ESTABLISHED, 0},
		{R, "FA", 3001, 1001, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{O, "A", 1001, 3002, 65535, 0, "", ACCEPT, CLOSE_WAIT, 0},
		{O, "RA", 1001, 3002, 65535, 0, "", ACCEPT, CLOSE, 0},
		{R, "R", 2001, 0, 0, 0, "", QUIET, CLOSE, 0});
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{R, "R", 900000, 0, 0, 0, "", INVALID, FIN_WAIT, 0},
		{R, "R", 0, 0, 0, 0, "", ACCEPT, CLOSE, 0});
}

/* ---- when one end has lost the connection ---- */

/* nf_conntrack_packetdrill: conntrack_syn_challenge_ack.  The server still has an old connection. */
Test(doubt, server_challenges_our_syn)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "s8k", ACCEPT, SYN_SENT, 0},
		{R, "A", 145824453, 643160523, 240, 0, "t", QUIET, SYN_SENT, 0},
		{O, "R", 643160522, 0, 0, 0, "", INVALID, SYN_SENT, 0},
		{O, "R", 643160523, 0, 0, 0, "", QUIET, SYN_SENT, 0},
		{O, "S", 0, 0, 65535, 0, "s8k", QUIET, SYN_SENT, 0},
		{R, "SA", 0, 1, 250, 0, "t", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 1, 256, 0, "t", ACCEPT, ESTABLISHED, 0});
}

/* nf_conntrack_packetdrill: conntrack_synack_old */
Test(doubt, stale_syn_ack_does_not_count)
{
	RUN(&(struct tcp_track){},
		{O, "S", 0, 0, 65535, 0, "s8", ACCEPT, SYN_SENT, 0},
		{R, "SA", 145824453, 643160523, 240, 0, "", QUIET, SYN_SENT, 0},
		{O, "S", 0, 0, 65535, 0, "s8", QUIET, SYN_SENT, 0},
		{R, "SA", 145758918, 1, 250, 0, "s0", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 1, 145758919, 256, 1, "t", ACCEPT, ESTABLISHED, 0});
}

/* nf_conntrack_packetdrill: conntrack_synack_reuse.  The client has begun again, the server not. */
Test(doubt, client_comes_again_and_is_challenged)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "A", 1, 1, 257, 100, "t", ACCEPT, ESTABLISHED, 0},
		{R, "A", 1, 101, 256, 0, "t", ACCEPT, ESTABLISHED, 0},
		{O, "S", 2000, 0, 32792, 0, "s7", QUIET, ESTABLISHED, 0},
		{R, "A", 1, 101, 256, 0, "t", ACCEPT, ESTABLISHED, 0},
		{O, "RA", 101, 1, 257, 0, "", ACCEPT, CLOSE, 0},
		{O, "S", 2000, 0, 32792, 0, "s0", REOPEN, CLOSE, 0});
}

Test(doubt, a_challenge_is_not_the_ack_of_a_fin)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "FA", 1, 1, 65535, 0, "", ACCEPT, FIN_WAIT, 0},
		{O, "FA", 1, 2, 65535, 0, "", ACCEPT, LAST_ACK, 0},
		{O, "S", 7000, 0, 65535, 0, "", QUIET, LAST_ACK, 0},
		{R, "A", 2, 1, 65535, 0, "", ACCEPT, LAST_ACK, 0});
}

Test(doubt, client_comes_again_and_the_server_had_forgotten)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "S", 700000, 0, 65535, 0, "s7", QUIET, ESTABLISHED, 0},
		{R, "SA", 9000000, 5, 65535, 0, "s8", INVALID, ESTABLISHED, 0},
		{R, "SA", 9000000, 700001, 65535, 0, "s8", ACCEPT, SYN_RECEIVED, 0},
		/* what the SYN said of its window is not known: 64 KiB, and scaled by the most */
		{R, "A", 9000001 + 65537, 700001, 1000, 0, "", INVALID, SYN_RECEIVED, 0},
		{R, "A", 9000001 + 65536, 700001, 1000, 0, "", ACCEPT, SYN_RECEIVED, 0},
		{O, "A", 700001, 9000001, 500, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 700001 + 256000, 9000001, 500, 0, "", ACCEPT, ESTABLISHED, 0},
		{O, "A", 700001 + 256001, 9000001, 500, 0, "", INVALID, ESTABLISHED, 0},
		{R, "A", 9000002 + (500 << 14), 700001, 1000, 0, "", INVALID, ESTABLISHED, 0},
		{R, "A", 9000001 + (500 << 14), 700001, 1000, 0, "", ACCEPT, ESTABLISHED, 0});
}

Test(doubt, client_comes_again_and_is_refused)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{O, "S", 700000, 0, 65535, 0, "", QUIET, ESTABLISHED, 0},
		{R, "RA", 123456, 700000, 0, 0, "", INVALID, ESTABLISHED, 0},
		{R, "RA", 123456, 700001, 0, 0, "", ACCEPT, CLOSE, 0},
		{O, "S", 800000, 0, 65535, 0, "", REOPEN, CLOSE, 0});
}

Test(doubt, server_side_syn_on_a_live_connection_is_invalid)
{
	RUN(&(struct tcp_track){}, HANDSHAKE,
		{R, "S", 700000, 0, 65535, 0, "", INVALID, ESTABLISHED, 0},
		{O, "SA", 700000, 1, 65535, 0, "", INVALID, ESTABLISHED, 0});
}

/* clang-format on */

/* ---- the rest ---- */

Test(track_tcp, quoted_sequence_must_be_on_its_way)
{
	struct tcp_track track = {};

	RUN(&track, {O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0});
	cr_assert(track_tcp_quoted(&track, ORIGINAL, isn[O]));
	cr_assert_not(track_tcp_quoted(&track, ORIGINAL, isn[O] + 2));
	RUN(&track, {R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0});
	send_300000(&track);
	RUN(&track, {O, "A", 300001, 1, 65535, 500, "", ACCEPT, ESTABLISHED, 0});
	cr_assert(track_tcp_quoted(&track, ORIGINAL, isn[O] + 300001));
	cr_assert(track_tcp_quoted(&track, ORIGINAL, isn[O] + 300501));
	cr_assert_not(track_tcp_quoted(&track, ORIGINAL, isn[O] + 300502));
	cr_assert_not(track_tcp_quoted(&track, ORIGINAL, isn[O] + 1));
	cr_assert_not(track_tcp_quoted(&track, ORIGINAL, isn[O] + 0x80000000));
}

Test(track_tcp, states_have_names)
{
	cr_assert_str_eq(tcp_state_name(TCP_STATE_SYN_SENT2), "syn-sent2");
	cr_assert_str_eq(tcp_state_name(TCP_STATE_TIME_WAIT), "time-wait");
	for (int state = 0; state < TCP_STATE_COUNT; state++)
		cr_assert_not_null(tcp_state_name(state));
}
