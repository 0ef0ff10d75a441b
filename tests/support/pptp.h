/* SPDX-License-Identifier: BSD-2-Clause */
/* pptp: control messages that name calls, made and read. */
#ifndef TUNGATE_TESTS_PPTP_H
#define TUNGATE_TESTS_PPTP_H

#include <stdio.h>
#include "tungate/packet.h"

#define PPTP_BYTES_MAX 220

struct pptp_words {
	uint16_t control; /* the message's type */
	uint16_t call, peer;
	uint8_t result;
};

/* Make one in `message`, of PPTP_BYTES_MAX bytes; returns its length. */
uint32_t pptp_build(const struct pptp_words *words, uint8_t *message);
/* " pptp 8 call 7 peer 3" where a packet has such a message, else false. */
bool pptp_write(const struct packet *packet, FILE *to);

#endif
