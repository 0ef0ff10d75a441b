/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arp: IPv4 over Ethernet address resolution (RFC 826, RFC 5227).
 *
 * Messages are what lies behind the Ethernet header, which is the caller's: a request and an
 * announcement go to everybody, a reply to who asked.
 */
#ifndef TUNGATE_WIRE_ARP_H
#define TUNGATE_WIRE_ARP_H

#include <stddef.h>
#include "wire/headers.h"

#define ARP_BYTES   sizeof(struct arp_header)
#define ARP_REQUEST 1
#define ARP_REPLY   2

struct arp {
	uint16_t operation; /* ARP_REQUEST or ARP_REPLY */
	uint8_t sender_mac[6];
	uint8_t target_mac[6]; /* of a request: nobody's */
	union addr sender;     /* zero in a probe: who asks does not have the address yet */
	union addr target;
};

/* False where the bytes are no request or reply for IPv4 over Ethernet. */
bool arp_parse(const uint8_t *bytes, size_t length, struct arp *arp);
void arp_build(const struct arp *arp, uint8_t bytes[ARP_BYTES]);

/* The reply that says `mac` has what `request` asks for. */
struct arp arp_reply(const struct arp *request, const uint8_t mac[6]);
/* "I have this address", unasked, as a request for itself (RFC 5227, 2.3). */
struct arp arp_announcement(const union addr *address, const uint8_t mac[6]);

#endif
