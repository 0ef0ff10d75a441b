/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * afpacket: the uplink, one raw packet socket per interface of the host.
 *
 * Bound to ETH_P_ALL, which sees packets before the guard drops them; PACKET_IGNORE_OUTGOING;
 * PACKET_VNET_HDR; a classic BPF filter that lets through only what can be ours, attached before
 * the bind so that nothing else is ever queued.
 */
#ifndef TUNGATE_LINK_AFPACKET_H
#define TUNGATE_LINK_AFPACKET_H

#include "base/log.h"
#include "host/claims.h"
#include "link/link.h"
#include "tungate/packet.h"

struct afpacket;

/* Where a packet goes at layer 2. */
struct next_hop {
	uint8_t mac[6]; /* ignored on interfaces without Ethernet header */
};

/* Open on interface `ifindex` of our own network namespace.  0 or -errno, logged. */
int afpacket_open(const struct log *log, int ifindex, uint32_t receive_buffer_bytes,
	const struct port_claims *claims, struct afpacket **afpacket);
void afpacket_close(struct afpacket *afpacket);
/* Replace the socket filter (claims changed).  0 or -errno. */
int afpacket_claims_set(struct afpacket *afpacket, const struct port_claims *claims);
/* For polling. */
int afpacket_fd(const struct afpacket *afpacket);

/*
 * As link_ops.read, in_zone = ZONE_UPLINK.  Frames not meant for this host (pkttype), VLAN-tagged
 * ones and other ethertypes are skipped.  -ENETDOWN when the interface is gone or down.
 */
int afpacket_read(struct afpacket *afpacket, struct packet *packets, unsigned max);
/* As link_ops.write, packet i to hop i, one sendmmsg() per call where that is possible. */
int afpacket_write(struct afpacket *afpacket, struct packet *const *packets,
	const struct next_hop *const *hops, unsigned count);
/* The interface has a new MAC address: frames are sent from it. */
void afpacket_mac_set(struct afpacket *afpacket, const uint8_t mac[6]);
/* Packets that the socket's queue had no room for, since the last call (PACKET_STATISTICS). */
uint32_t afpacket_lost(struct afpacket *afpacket);

#endif
