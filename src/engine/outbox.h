/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outbox: the packets that the engine makes itself, waiting for engine_next_output(): ICMP errors
 * and TCP resets.  A ring of fixed size; when it is full, or the rate of ICMP errors is used up, an
 * answer is simply not given, as RFC 1812 4.3.2.8 and RFC 4443 2.4 (f) allow.
 */
#ifndef TUNGATE_ENGINE_OUTBOX_H
#define TUNGATE_ENGINE_OUTBOX_H

#include "engine/bucket.h"
#include "tungate/engine.h"
#include "wire/build.h"

#define OUTBOX_PACKETS 64

struct outbox {
	uint32_t head, count;
	/* ICMP errors, a second's worth at most: those to guests, those to the uplink, where
	 * nobody shall read from them what is said to others. */
	uint32_t errors_per_second;
	bucket_time errors[2];
	struct {
		zone_id zone;
		uint16_t path;
		uint32_t length;
		uint8_t data[BUILD_ERROR_BYTES_MAX];
	} packet[OUTBOX_PACKETS];
};

void outbox_init(struct outbox *outbox, uint32_t errors_per_second);

/* Send an ICMP error about a packet back to where it came from; `source` is whose it appears to
 * be: the gateway's address towards guests.  `path` matters towards the uplink only. */
void outbox_icmp_error(struct outbox *outbox, uint64_t now_ms, const struct packet *about,
	const union addr *source, uint16_t path, uint8_t type, uint8_t code, uint32_t mtu);
/* Answer a TCP segment by a reset. */
void outbox_tcp_reset(struct outbox *outbox, const struct packet *about, uint16_t path);

bool outbox_next(struct outbox *outbox, struct packet *packet);

#endif
