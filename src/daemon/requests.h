/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests: what the control socket can ask for, one handler per method.
 *
 * Reading goes to the engine's introspection directly; acting goes through struct daemon_ops, which
 * the daemon fills in, so that this file and its tests need no daemon.  docs/control.md describes
 * the methods.
 */
#ifndef TUNGATE_DAEMON_REQUESTS_H
#define TUNGATE_DAEMON_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>
#include "control/server.h"
#include "tungate/config.h"
#include "tungate/engine.h"

struct dns_forwarder;

/* One sentence about what went wrong and what the user can do; the caller's buffer. */
struct request_error {
	char text[512];
};

/* An interface of the host that the gateway sends through. */
struct daemon_uplink {
	char name[16];
	bool up;
	uint32_t mtu;                    /* bytes */
	union addr address4, address6;   /* zero: none */
	union addr next_hop4, next_hop6; /* of the default route; zero: none, or on-link */
};

/* What `status` shows beside the engine's own figures.  Strings live until the next call. */
struct daemon_status {
	uint64_t started_s; /* Unix time */
	uint64_t uptime_ms;
	const char *config_path; /* NULL: built-in defaults */
	const char *guard;       /* guard_kind() */
	unsigned uplink_count;
	struct daemon_uplink uplinks[CONFIG_UPLINKS_MAX];
};

/* A link: attached, or named in the config and waiting for its namespace.  Strings are borrowed
 * until the loop runs again. */
struct daemon_link {
	zone_id zone; /* ZONE_NONE while it waits */
	uint16_t network;
	uint16_t mtu;    /* bytes */
	bool live;       /* attached by request, not from the config */
	uint32_t serial; /* of those: no other link ever has it */
	bool away;       /* attached, but nobody is at the other end now */
	bool whole_subnet;
	bool has_mac; /* `mac` is that of the one guest */
	uint8_t mac[6];
	const char *name;
	const char *kind;              /* "tun", "netns" ... */
	const char *device;            /* interface name on the guest's side */
	const char *place;             /* "web", "bridge br0", "/run/vm.sock": its other end */
	union addr address4, address6; /* the guest's; zero: none */
	uint64_t age_ms;               /* since it was attached */
	const struct lan *lan;         /* its services; NULL: it has none */
};

/* A name that a guest was refused, or whose addresses it was. */
struct daemon_refusal {
	char link[CONFIG_NAME_SIZE];
	uint16_t network;
	uint8_t family;
	union addr address; /* the guest's */
	char name[DOMAIN_NAME_SIZE];
	bool resolved; /* the name was answered: packets were refused; else the name itself */
	uint64_t count;
	uint64_t age_ms; /* of the last time */
};

struct daemon_attach {
	/* As a [link] would say it: name ("": the daemon chooses one), kind, network, addresses
	 * (zero: the next free ones), place ("": `netns_fd` alone), device ("": by its kind). */
	struct link_config link;
	int netns_fd; /* kind netns: borrowed; -1: open link.netns */
	uint16_t mtu; /* bytes; 0: the network's */
};

/*
 * What the daemon does for us.  Functions that act return 0 or -errno with a sentence in `error`;
 * the errno decides the code of the answer: EINVAL invalid; EEXIST, EADDRINUSE exists; ENOENT,
 * ENODEV, ESRCH not-found; EPERM, EACCES denied; others failed.
 */
struct daemon_ops {
	void *context;
	struct engine *engine;
	struct config_names names; /* guests by the names of attached links */

	const struct config *(*config)(void *context); /* the current one; changes with reload */
	void (*status)(void *context, struct daemon_status *status);
	uint64_t (*now_ms)(void *context); /* the engine's clock */
	/* Link `index` in order of attachment, or false past the last. */
	bool (*link)(void *context, unsigned index, struct daemon_link *link);
	/* The name of an attached link, or NULL. */
	const char *(*link_name)(void *context, zone_id zone);
	/* Attach; `link` receives what `tungate links` will show. */
	int (*attach)(void *context, const struct daemon_attach *attach, struct daemon_link *link,
		struct request_error *error);
	int (*detach)(
		void *context, uint16_t network, const char *name, struct request_error *error);
	/* Published port `index`, or NULL past the last; forward->line is 0 for those added live.
	 */
	const struct forward *(*forward)(void *context, unsigned index);
	int (*forward_add)(
		void *context, const struct forward *forward, struct request_error *error);
	/* Delete the forward of this protocol, host address and ports. */
	int (*forward_del)(
		void *context, const struct forward *forward, struct request_error *error);
	/* A lease that DHCP has given, or NULL past the last. */
	const struct known_lease *(*lease)(void *context, unsigned index);
	/* Names refused lately, newest first; false past the last. */
	bool (*refusal)(void *context, unsigned index, struct daemon_refusal *refusal);
	/* The DNS forwarder; NULL while there is none. */
	struct dns_forwarder *(*dns)(void *context);
	/* The connection that a proxy on the host has by our relay from this address of the host's.
	 */
	bool (*redirected)(void *context, uint8_t protocol, uint8_t family, const union addr *peer,
		uint16_t port, struct flow_info *flow);
	/* Read the config again, all or nothing: 0, or -errno with the file's errors (freed by us).
	 */
	int (*reload)(void *context, struct config_errors *errors);
};

struct requests;

/* The methods, for control_settings.methods; their context is a struct requests. */
extern const struct control_method requests_methods[];
extern const unsigned requests_method_count;

/* `ops` is copied.  NULL: out of memory. */
struct requests *requests_create(const struct daemon_ops *ops);
/* After control_server_stop(): no stream may be left. */
void requests_free(struct requests *requests);

/* For control_settings: who may call what, and who counts as an administrator. */
bool requests_authorize(void *context, struct control_request *request, const char *method);
bool requests_privileged(void *context, const struct control_peer *peer);

/* The engine reports a flow (engine_host.event): told to whoever follows. */
void requests_flow_event(
	struct requests *requests, enum flow_event event, const struct flow_info *flow);

#endif
