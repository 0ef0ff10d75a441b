/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segment: one Ethernet link with the gateway's LAN services at its end, hand-made frames and a
 * clock that the test turns.
 */
#ifndef TUNGATE_TESTS_SEGMENT_H
#define TUNGATE_TESTS_SEGMENT_H

#include "lan/lan.h"
#include "wire/arp.h"

#define SEGMENT_LEARNT 32

struct segment {
	struct network_config network; /* lab: 10.77.0.0/24, fd77::/64 */
	struct lan_settings settings;
	struct lan *lan;
	uint64_t now_ms;
	/* What the services have told. */
	union addr learnt[SEGMENT_LEARNT]; /* and not gone */
	unsigned learnt_count;
	union addr elsewhere; /* is on another link */
	struct lan_lease lease;
	unsigned lease_changes;
	char name[CONFIG_NAME_SIZE];
	union addr named;
	/* The frame that was taken last, and the one that is being sent. */
	struct packet out, in;
	uint8_t out_buffer[PACKET_HEADROOM + 2048], in_buffer[PACKET_HEADROOM + 2048];
};

/* A MAC for a guest by number: 02:00:00:00:00:N. */
struct mac {
	uint8_t byte[6];
};
struct mac mac_of(uint8_t number);
extern const uint8_t mac_everybody[6];

/* Settings as they are by default; segment_start() makes the instance from them. */
void segment_init(struct segment *segment, bool many);
void segment_start(struct segment *segment);
void segment_stop(struct segment *segment);

union addr address_of(const char *text);

/* Put a frame in; what it carries are `length` bytes. */
enum lan_verdict segment_in(struct segment *segment, const uint8_t source[6],
	const uint8_t destination[6], uint16_t type, const void *bytes, size_t length);
/* The next frame that comes out, in segment->out; false: none. */
bool segment_take(struct segment *segment);
/* ... in front of it. */
const struct ethernet_header *segment_header(const struct segment *segment);
/* Let time pass, ticking when it is due. */
void segment_wait(struct segment *segment, uint64_t ms);
uint64_t segment_count(const struct segment *segment, enum lan_counter counter);

/* ARP from a guest; `sender` NULL: a probe. */
void segment_arp(struct segment *segment, uint8_t from, uint16_t operation, const char *sender,
	const char *target);
/* The next frame is this ARP message. */
bool segment_take_arp(struct segment *segment, struct arp *arp);

/* An IP packet with nothing but a UDP header from a guest; and one to it. */
enum lan_verdict segment_packet(
	struct segment *segment, uint8_t from, const char *source, const char *destination);
enum lan_send segment_send(struct segment *segment, const char *source, const char *destination);

#endif
