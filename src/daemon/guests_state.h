/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guests_state: what guests.c (the links that are attached), guests_address.c (their addresses) and
 * guests_await.c (the links that are not attached yet) share.
 */
#ifndef TUNGATE_DAEMON_GUESTS_STATE_H
#define TUNGATE_DAEMON_GUESTS_STATE_H

#include "daemon/guest_lan.h"
#include "daemon/guests.h"

/* A link that is wanted: one of the config's, or one that was asked for. */
struct wanted {
	struct link_config config;
	uint16_t mtu;    /* bytes; 0: the network's */
	bool live;       /* by request */
	uint32_t serial; /* of those by request: never another's */
};

struct guest {
	struct guests *owner;
	struct wanted wanted;
	struct link *link;
	struct guest_lan *lan; /* Ethernet links; else NULL */
	uv_poll_t poll;
	uv_timer_t timer; /* of `lan` */
	uint64_t due_ms;  /* what the timer is set to; UINT64_MAX: nothing */
	bool was_away;
	union addr address4, address6;
	uint64_t attached_ms;
};

/* A link whose place does not exist now. */
struct awaited {
	struct awaited *next;
	struct wanted wanted;
	char complaint[sizeof(((struct request_error *)NULL)->text)]; /* in the log already */
};

struct guests {
	struct daemon *daemon;
	struct guest *guest[ENGINE_LINKS_MAX];
	unsigned highest; /* zones from here on are free */
	unsigned next_name[CONFIG_NETWORKS_MAX];
	uint32_t last_serial;
	uv_timer_t retry;
	struct awaited *awaited;      /* in the order in which they came */
	char place[CONFIG_TEXT_SIZE]; /* of the link described last */
	/* What links say while they are opened is a sentence for whoever wants it; later, log. */
	struct log link_log;
	char *opening;
};

/* ---- guests.c ---- */

/* Names are a network's own. */
bool wanted_is_named(const struct wanted *wanted, uint16_t network, const char *name);
struct guest *guest_named(const struct guests *guests, uint16_t network, const char *name);
/* Does it stand for all addresses of its network that have no link of their own? */
bool link_is_whole_subnet(const struct link_config *config);
/* Attach: 0 and its zone, or -errno with a sentence.  `netns_fd`: of kind netns; borrowed. */
int guest_attach(struct guests *guests, const struct wanted *wanted, int netns_fd, zone_id *zone,
	struct request_error *error);
void guest_close(struct guest *guest);
/* The network's keys have changed. */
void guest_renew(struct guest *guest);
/* The guest is told that the gateway leaves it, as far as it can be told. */
void guest_say_goodbye(struct guest *guest);
/* Its place is gone: close it, and await it where it may come back. */
void guest_lost(struct guest *guest);
/* Whether its other side is there may have changed. */
void guest_look(struct guest *guest);
/* "netns web", "/run/vm.sock": where a link's other side is, for people. */
const char *wanted_place(const struct wanted *wanted, char text[CONFIG_TEXT_SIZE]);

/* ---- guests_address.c ---- */

/* The address that a link of this name had before, where it is free: that of its lease, or what
 * published ports lead to by its name. */
void address_remember(const struct guests *guests, const struct link_config *link, uint8_t family,
	union addr *address);
/* Fill in the guest's address of one family, or check the one that is wanted.  0 or -errno. */
int address_settle(const struct guests *guests, uint16_t network, uint8_t family, bool whole_subnet,
	union addr *address, struct request_error *error);

/* ---- guests_await.c ---- */

/* Have it tried again soon. */
void guests_await(struct guests *guests);
void awaited_add(struct guests *guests, const struct wanted *wanted);
struct awaited *awaited_named(const struct guests *guests, uint16_t network, const char *name);
void awaited_remove(struct guests *guests, struct awaited *awaited);

#endif
