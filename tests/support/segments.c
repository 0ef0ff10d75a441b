/* SPDX-License-Identifier: BSD-2-Clause */
/* segments: conversations for tests of TCP tracking. */
#include "segments.h"

#include <arpa/inet.h>
#include <string.h>
#include "wire/parse.h"

const uint32_t isn[DIRECTIONS] = {0xfffffffe, 0x7ffffff0};

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

void run_steps(const char *file, int line, struct tcp_track *track, const struct step *steps)
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

void send_300000(struct tcp_track *track)
{
	for (uint32_t i = 0; i < 30; i++)
		RUN(track, {O, "A", 1 + i * 10000, 1, 65535, 10000, "", ACCEPT, ESTABLISHED, 0},
			{R, "A", 1, 1 + (i + 1) * 10000, 65535, 0, "", ACCEPT, ESTABLISHED, 0});
}
