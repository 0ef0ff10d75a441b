/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keys: the one table of every key of tungate.conf: what it is called, what it may be, what it is
 * without being written, and whether a running gateway takes a new value.
 *
 * Parsing, defaults and error messages all come from it; whoever wants to list the keys walks it.
 */
#ifndef TUNGATE_CONFIG_KEYS_H
#define TUNGATE_CONFIG_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/words.h"
#include "tungate/config.h"

enum section_id {
	SECTION_GATEWAY,
	SECTION_TIMEOUTS,
	SECTION_LIMITS,
	SECTION_SETS, /* its keys are free: names of sets */
	SECTION_NETWORK,
	SECTION_LINK,
	SECTION_FILTER,
	SECTION_CHAIN,
	SECTION_NAT,
	SECTION_FORWARDS, /* its keys are free: "tcp 8080" */
	SECTION_HELPERS,  /* its keys may be repeated */
	SECTION_COUNT,
};

/* What stands behind a section's kind: [gateway], [network NAME], [filter CHAIN]. */
enum section_label { LABEL_NONE, LABEL_NAME, LABEL_CHAIN };

#define SECTION_NAMES   "gateway|timeouts|limits|sets|network|link|filter|chain|nat|forwards|helpers"
#define CHAIN_NAMES     "input|forward|output"              /* in the order of enum chain */
#define POLICY_NAMES    "accept|drop|reject"                /* of enum rule_action */
#define ACTION_NAMES    POLICY_NAMES "|log|jump|return"     /* the same, all of them */
#define FILTERING_NAMES "address-and-port|address|endpoint" /* of enum filtering */
#define MAPPING_NAMES   "adaptive|endpoint-independent"     /* of enum mapping */
#define ASKED_NAMES     "any|allowed"                       /* of enum dns_names */
#define DIRECT_NAMES    "allow|forbid|redirect"             /* of enum dns_direct */
#define GUARD_NAMES     "auto|clsact|sockets"               /* of enum guard_mode */
#define KIND_NAMES      "tun|netns|tap|netdev|qemu"         /* of enum link_kind */
#define GUESTS_NAMES    "auto|one|many"                     /* of enum link_guests */
#define SOCKET_NAMES    "stream|datagram"                   /* of enum socket_mode */
#define LEVEL_NAMES     "error|warning|info|debug|trace"    /* of enum log_level */

enum key_type {
	KEY_BOOL,         /* bool */
	KEY_CHOICE,       /* uint8_t: an index into `choices` */
	KEY_NUMBER,       /* uint16_t or uint32_t, as all that follow up to KEY_BYTES */
	KEY_SECONDS,      /* units s m h d */
	KEY_MICROSECONDS, /* units us ms */
	KEY_BYTES,        /* units K M G, of 1024 */
	KEY_PATH,         /* char[], absolute */
	KEY_GROUP,        /* char[] */
	KEY_USER,         /* char[] */
	KEY_PORTS,        /* struct port_list: enough to masquerade with */
	KEY_PORT_SET,     /* struct port_list: any */
	KEY_INTERFACE,    /* char[16] */
	KEY_INTERFACES,   /* char[][16]; `second`: uint8_t, how many */
	KEY_SUBNETS,      /* struct prefix for v4; `second`: for v6 */
	KEY_ADDRESSES,    /* union addr for v4; `second`: for v6 */
	KEY_NETWORK,      /* uint16_t: the index of a network */
	KEY_NAT64,        /* struct prefix */
	KEY_DNS_SERVERS,  /* struct dns_config: its servers */
	KEY_DNS_ZONE,     /* ... one more zone; may be repeated */
	KEY_DNS_NAME,     /* ... one more name; may be repeated */
	KEY_DNS_DOMAINS,  /* ... where private addresses are allowed; may be repeated */
	KEY_NETNS,        /* char[]: NAME, PATH or pid:N */
	KEY_MAC,          /* uint8_t[6] */
	KEY_POOL,         /* struct addr_range of IPv4 */
	KEY_DOMAIN,       /* char[]: the name of a domain, in lower case */
	KEY_ROUTE,        /* network_config: one more of `routes`; may be repeated */
	KEY_LEASE,        /* network_config: one more of `reservations`; may be repeated */
	KEY_HOST_LINK,    /* network_config: of `host`: no, yes, or an interface's name */
	KEY_SERVICE,      /* network_config: one more of `host.services`; may be repeated */
	KEY_RULE,         /* struct rules: one more rule; may be repeated */
	KEY_NAT,          /* struct nat_rules: one more line; `min` is its enum nat_kind */
};

struct key {
	const char *name;
	const char *meaning;  /* one sentence, for people */
	const char *fallback; /* the default, as it would be written; NULL: what zero bytes mean */
	const char *choices;  /* of KEY_CHOICE */
	const char *zero;     /* a word that stands for the number 0 */
	size_t offset, size;  /* of the member in the section's struct */
	size_t second;        /* of another member, see enum key_type */
	uint32_t min, max;    /* of numbers, in the base unit; of ports */
	uint8_t section;      /* enum section_id */
	uint8_t type;         /* enum key_type */
	bool reloadable;      /* false: fixed from the start of the gateway on */
};

#define KEYS_MAX 128

/* The table, in the order of the manual. */
const struct key *keys_all(unsigned *count);
/* The index in the table, or -1 with the nearest and all keys of the section in `why`. */
int key_find(enum section_id section, const char *name, const struct sentence *why);
enum section_label section_label(enum section_id section);
/* The struct that a section without a name of its own fills. */
void *section_base(struct config *config, enum section_id section, unsigned chain);
/* Give each key of a section its default.  The table's own texts always parse. */
void keys_defaults(struct config *config, enum section_id section, void *base);

#endif
