/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lan: what the gateway is to one Ethernet link: the only router, the only DHCP server and the one
 * who answers ARP and neighbour discovery.
 *
 * An instance per link, pure as the engine is: frames and the time go in, frames come out, nothing
 * is allocated after lan_create().
 *
 *	lan_input()        every frame that was read; what is left for the engine passes
 *	lan_output()       every IP packet that is about to be written
 *	lan_next_output()  after both, and after lan_tick(): the frames that it makes itself
 *	lan_tick()         when lan_deadline() has come
 *
 * packet->data is the IP header (or what else the frame carries), packet->length counts from there,
 * and the Ethernet header is the 14 bytes before it.
 *
 * A link is one guest, or many.  One guest is whatever is at the other end: its MAC is that of the
 * first frame, or the configured one; its IPv4 address is settled when it is attached and DHCP
 * hands out just that; its IPv6 addresses are those that it takes within the subnet, which are
 * learnt, eight at most.  Guests never share a broadcast domain, so the gateway answers for all
 * other addresses of the subnet.  Many guests are a segment that is attached as a whole, a bridge
 * for example: addresses are leased from the subnet, and each is pinned to the MAC that has it.
 */
#ifndef TUNGATE_LAN_LAN_H
#define TUNGATE_LAN_LAN_H

#include <stdbool.h>
#include <stdint.h>
#include "tungate/config.h"
#include "tungate/packet.h"

struct lan;

#define ETHERNET_BYTES    14
#define LAN_DNS_MAX       4  /* servers of one family that guests are told of */
#define LAN_ADDRESSES6    8  /* that one guest uses at one time */
#define LAN_CLIENT_ID_MAX 64 /* bytes of a client identifier or DUID that are told apart */

/* The gateway's on every link: a guest that moves finds its router where it was. */
#define LAN_GATEWAY_MAC        ((const uint8_t[6]){0x02, 0x74, 0x67, 0x00, 0x00, 0x01})
#define LAN_GATEWAY_LINK_LOCAL ((union addr){.bytes = {0xfe, 0x80, [15] = 1}})

/* ---- what it has to know ---- */

struct lan_settings {
	const struct network_config *network; /* copied */
	const char *name;                     /* the link's */
	bool many;                            /* guests behind this link */
	union addr address4;                  /* one guest: its own; zero: none */
	union addr address6;                  /* ... what DHCPv6 gives it */
	bool has_mac;                         /* one guest: the only MAC accepted */
	uint8_t mac[6];
	uint16_t mtu;
	uint8_t dns4_count, dns6_count;
	union addr dns4[LAN_DNS_MAX], dns6[LAN_DNS_MAX];
	uint8_t seed[16]; /* random */
};

/* An address that DHCP has given away. */
struct lan_lease {
	uint8_t family;
	union addr address;
	uint8_t mac[6];
	uint8_t id_length; /* of the client identifier, or DUID with IAID; 0: the MAC says it */
	uint8_t id[LAN_CLIENT_ID_MAX];
	char name[CONFIG_NAME_SIZE]; /* as the guest calls itself; "": it does not say */
	uint64_t expires_ms;         /* past: free for others, remembered for this one */
};

struct lan_host {
	void *context;
	/* A guest uses this address of the subnet.  False where it cannot be its own, because
	 * another link has it.  Links of many are not asked. */
	bool (*address_learned)(void *context, uint8_t family, const union addr *address);
	void (*address_gone)(void *context, uint8_t family, const union addr *address);
	/* Is this address of the subnet on another link?  NULL: none is. */
	bool (*is_elsewhere)(void *context, uint8_t family, const union addr *address);
	/* A lease is new, renewed, or given back (expires_ms is past).  NULL: nobody cares. */
	void (*lease_changed)(void *context, const struct lan_lease *lease);
	/* A guest calls itself this: a host name's first label, of lower case letters, digits and
	 * hyphens.  NULL: nobody cares. */
	void (*guest_name)(
		void *context, const char *name, uint8_t family, const union addr *address);
};

/* ---- life ---- */

/* NULL: out of memory.  What pointers in the settings lead to is copied. */
struct lan *lan_create(
	const struct lan_settings *settings, const struct lan_host *host, uint64_t now_ms);
void lan_free(struct lan *lan);
/* Other settings of the network, and other DNS servers; what is one guest's own stays.  False: out
 * of memory, and as before. */
bool lan_configure(struct lan *lan, const struct lan_settings *settings, uint64_t now_ms);
/* A lease that was given before this instance was made.  False where it cannot be: its address is
 * none of the network's, or there twice.  Links of one guest need none. */
bool lan_lease_restore(struct lan *lan, const struct lan_lease *lease);
/* The link was down, or another machine is there now: MACs and learnt addresses are forgotten. */
void lan_reset(struct lan *lan, uint64_t now_ms);

/* The gateway stops: guests are told that it is no router any more.  What is to be sent follows by
 * lan_next_output(). */
void lan_say_goodbye(struct lan *lan, uint64_t now_ms);

/* ---- frames ---- */

enum lan_verdict {
	LAN_PASS,     /* an IP packet for the engine; its source MAC has been checked */
	LAN_CONSUMED, /* answered, learnt from, or dropped, which is counted */
};
enum lan_verdict lan_input(struct lan *lan, struct packet *packet, uint64_t now_ms);

enum lan_send {
	LAN_SEND, /* the Ethernet header has been written in front of packet->data */
	LAN_HELD, /* a copy waits until its receiver's MAC is known */
	LAN_UNREACHABLE,
};
enum lan_send lan_output(struct lan *lan, struct packet *packet, uint64_t now_ms);

/* Take the next frame: copied into packet->data (capacity: the link's MTU, 1500 at least), its
 * Ethernet header in front of it.  False when there is none. */
bool lan_next_output(struct lan *lan, struct packet *packet);

void lan_tick(struct lan *lan, uint64_t now_ms);
/* When lan_tick() next has something to do, or UINT64_MAX.  Any call may bring it forward. */
uint64_t lan_deadline(const struct lan *lan);

/* ---- looking inside ---- */

#define LAN_COUNTERS(X)                                                                            \
	X(PROTOCOL, "protocol")               /* neither IP nor ARP, or with a VLAN tag */         \
	X(NOT_OURS, "not-ours")               /* to another station */                             \
	X(MALFORMED, "malformed")             /* not what it says it is */                         \
	X(MAC_SPOOFED, "mac-spoofed")         /* from another MAC than the guest's */              \
	X(ADDRESS_SPOOFED, "address-spoofed") /* ARP, ND or IP with an address of another's */     \
	X(ROGUE, "rogue")                     /* what only a router or server may send */          \
	X(LINK_LOCAL, "link-local")           /* to or from link-local addresses, not for us */    \
	X(FULL, "full")                       /* no room for another neighbour or lease */         \
	X(UNRESOLVED, "unresolved")           /* packets to a guest that does not answer */        \
	X(BUSY, "busy")                       /* answers that there was no room for */
enum lan_counter {
#define X(name, text) LAN_COUNT_##name,
	LAN_COUNTERS(X)
#undef X
		LAN_COUNTER_COUNT
};
struct lan_counters {
	uint64_t count[LAN_COUNTER_COUNT];
};
const struct lan_counters *lan_counters(const struct lan *lan);
const char *lan_counter_name(enum lan_counter counter);

/* The guest's MAC on a link of one; false while it is unknown. */
bool lan_guest_mac(const struct lan *lan, uint8_t mac[6]);

#endif
