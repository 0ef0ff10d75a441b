/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segments: conversations for tests of TCP tracking, one segment a row, with the result and the
 * state that each must give.
 *
 *	RUN(&track, HANDSHAKE,
 *		{O, "A", 1, 1, 65535, 100, "", ACCEPT, ESTABLISHED, 0});
 *
 * Numbers are relative: each side's SYN has number 0, its first octet number 1.  The absolute ones
 * are chosen so that they wrap around within the first few octets.
 */
#ifndef TUNGATE_TESTS_SEGMENTS_H
#define TUNGATE_TESTS_SEGMENTS_H

#include <criterion/criterion.h>
#include "engine/track_tcp.h"

/* The number of each side's SYN. */
extern const uint32_t isn[DIRECTIONS];

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

/* Hand the steps, up to one without flags, to track_tcp; a new track begins with the first. */
void run_steps(const char *file, int line, struct tcp_track *track, const struct step *steps);
#define RUN(track, ...)                                                                            \
	run_steps(__FILE__, __LINE__, track, (const struct step[]){__VA_ARGS__, {.flags = NULL}})

/* Unscaled windows of 65535. */
/* clang-format off */
#define HANDSHAKE                                                \
	{O, "S", 0, 0, 65535, 0, "", ACCEPT, SYN_SENT, 0},       \
	{R, "SA", 0, 1, 65535, 0, "", ACCEPT, SYN_RECEIVED, 0},  \
	{O, "A", 1, 1, 65535, 0, "", ACCEPT, ESTABLISHED, 0}
/* clang-format on */

/* 30 segments of 10000 from the ORIGINAL side, each acknowledged. */
void send_300000(struct tcp_track *track);

#endif
