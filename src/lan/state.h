/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * state: what the parts of the LAN services share: the instance, its table of neighbours, and the
 * frames that wait to be sent.
 */
#ifndef TUNGATE_LAN_STATE_H
#define TUNGATE_LAN_STATE_H

#include "base/siphash.h"
#include "lan/lan.h"
#include "lan/lease.h"
#include "wire/build.h"

/* ETH_P_*, of <linux/if_ether.h>, which is not for the pure floors. */
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_ARP  0x0806
#define ETHERTYPE_IPV6 0x86dd

/* ---- frames that are made here ---- */

#define MADE_FRAMES 32
#define MADE_BYTES  (ETHERNET_BYTES + 1500)

struct made {
	uint16_t length;
	uint8_t bytes[MADE_BYTES];
};

/* ---- packets that wait for their receiver's MAC ---- */

#define HELD_PACKETS       16
#define HELD_BYTES         2048
#define HELD_PER_NEIGHBOUR 4

struct held {
	uint16_t neighbour;
	uint16_t length; /* 0: unused */
	uint32_t number; /* in the order of their coming */
	bool ready;      /* to be sent: */
	uint8_t mac[6];
	struct offload offload;
	uint8_t bytes[HELD_BYTES];
};

/* ---- neighbours ---- */

#define NEIGHBOUR_NONE    0xffff
#define NEIGHBOURS_ONE    16
#define NEIGHBOURS_MANY   1024
#define NEIGHBOUR_BUCKETS 256 /* a power of two */

enum neighbour_state {
	NEIGHBOUR_FREE,
	NEIGHBOUR_WAITING, /* its MAC is asked for */
	NEIGHBOUR_KNOWN,
	NEIGHBOUR_PROBED, /* known, and asked whether it is still there */
	NEIGHBOUR_FAILED, /* asked in vain */
};

struct neighbour {
	uint8_t state; /* enum neighbour_state */
	uint8_t family;
	uint8_t tries; /* questions that nobody has answered */
	uint8_t mac[6];
	uint16_t next; /* of its bucket, or of the free ones */
	union addr address;
	uint64_t seen_ms; /* when it last proved to be there */
	uint64_t due_ms;  /* neither FREE nor KNOWN: when to look at it again */
};

struct lan {
	struct lan_host host;
	struct lan_settings settings; /* `network` points to the copy: */
	struct network_config network;
	char name[CONFIG_NAME_SIZE];
	struct siphash_key key;
	struct lan_counters counters;
	uint64_t now_ms; /* of the call that is being served */

	/* One guest. */
	bool has_guest;
	uint8_t guest_mac[6];
	uint64_t guest_seen_ms;

	/* When the gateway's addresses were last defended. */
	uint64_t defended4_ms, defended6_ms;

	/* Router advertisements. */
	uint32_t ra_count;
	uint64_t ra_due_ms, ra_last_ms;
	uint32_t answers; /* to solicitations, in the second that began then: */
	uint64_t answers_since_ms;

	uint16_t neighbour_max;
	uint16_t neighbour_free;
	uint64_t due_ms; /* not after the first of theirs */
	uint16_t bucket[NEIGHBOUR_BUCKETS];
	struct neighbour *neighbour;

	struct leases leases;

	uint16_t made_head, made_count;
	uint16_t held_ready;
	uint32_t held_number;
	struct made made[MADE_FRAMES];
	struct held held[HELD_PACKETS];
};

static inline void lan_count(struct lan *lan, enum lan_counter counter)
{
	lan->counters.count[counter]++;
}

/* Count it and be done with it. */
static inline enum lan_verdict lan_drop(struct lan *lan, enum lan_counter counter)
{
	lan_count(lan, counter);
	return LAN_CONSUMED;
}

static inline const struct ethernet_header *frame_header(const struct packet *packet)
{
	return (const struct ethernet_header *)(packet->data - ETHERNET_BYTES);
}

static inline bool mac_is_group(const uint8_t mac[6])
{
	return mac[0] & 1;
}

static inline bool mac_equal(const uint8_t a[6], const uint8_t b[6])
{
	return memcmp(a, b, 6) == 0;
}

/* May anybody have it as a MAC of its own? */
bool mac_is_station(const uint8_t mac[6]);

/* ---- lan.c ---- */

/* Is it an address of the subnet, the gateway's among them? */
bool lan_subnet_has(const struct lan *lan, uint8_t family, const union addr *address);
const union addr *lan_gateway(const struct lan *lan, uint8_t family);
/* Does another link have it? */
bool lan_is_elsewhere(const struct lan *lan, uint8_t family, const union addr *address);
/* Does the gateway answer who asks for the MAC of this address? */
bool lan_answers_for(struct lan *lan, uint8_t family, const union addr *address);

/* May an address of the gateway be defended again?  If so, it is being done now. */
bool lan_may_defend(struct lan *lan, uint64_t *defended_ms);

/* ---- frame.c ---- */

/* Room for what a frame to `destination` carries, MADE_BYTES - ETHERNET_BYTES of it; NULL where
 * there is none.  The frame leaves with frame_end(), which says how much it has become. */
uint8_t *frame_begin(struct lan *lan, const uint8_t destination[6], uint16_t type);
void frame_end(struct lan *lan, size_t length);
/* The same for a whole IP packet; left out where there is no room. */
void frame_packet(struct lan *lan, const uint8_t destination[6], const struct build *build);
/* The Ethernet header in front of a packet that is sent to `destination`. */
void frame_address(struct packet *packet, const uint8_t destination[6]);
bool frame_next(struct lan *lan, struct packet *packet);

/* ---- neighbour.c ---- */

struct neighbour *neighbour_find(struct lan *lan, uint8_t family, const union addr *address);
/* Somebody with this MAC shows that it has the address.  False where it cannot: the address is
 * another's, or no place is left. */
bool neighbour_learn(
	struct lan *lan, uint8_t family, const union addr *address, const uint8_t mac[6]);
/* Is the address pinned to another MAC, because it was leased or is used? */
bool neighbour_is_anothers(
	struct lan *lan, uint8_t family, const union addr *address, const uint8_t mac[6]);
/* Its MAC into the packet's frame, or what has to be done until that is known. */
enum lan_send neighbour_resolve(
	struct lan *lan, uint8_t family, const union addr *address, struct packet *packet);
/* The guest's MAC has become known: whatever waited for it goes. */
void neighbours_arrived(struct lan *lan);
void neighbour_forget(struct lan *lan, uint8_t family, const union addr *address);
void neighbours_forget(struct lan *lan);
void neighbours_init(struct lan *lan);
void neighbours_tick(struct lan *lan);

/* ---- held.c ---- */

void held_add(struct lan *lan, uint16_t neighbour, const struct packet *packet);
void held_release(struct lan *lan, uint16_t neighbour, const uint8_t mac[6]);
void held_drop(struct lan *lan, uint16_t neighbour);
bool held_next(struct lan *lan, struct packet *packet);

/* ---- arp.c, dhcp.c, ndp.c ---- */

/* A parsed UDP packet to a DHCP server's port. */
enum lan_verdict dhcp_input(struct lan *lan, const struct packet *packet);

enum lan_verdict arp_input(struct lan *lan, const struct packet *packet);
/* "Who has `address`?", to everybody or to one that had it. */
void arp_ask(struct lan *lan, const union addr *address, const uint8_t mac[6]);

/* The same for DHCPv6. */
enum lan_verdict dhcp6_input(struct lan *lan, const struct packet *packet);
enum lan_verdict ndp_input(struct lan *lan, const struct packet *packet);
void ndp_ask(struct lan *lan, const union addr *address, const uint8_t mac[6]);
/* A parsed echo request to the gateway's link-local address. */
enum lan_verdict echo_input(struct lan *lan, const struct packet *packet);

/* ---- ra.c ---- */

/* A parsed router solicitation. */
enum lan_verdict solicited_input(struct lan *lan, const struct packet *packet);
void ra_start(struct lan *lan);
void ra_tick(struct lan *lan);
void ra_stop(struct lan *lan);

#endif
