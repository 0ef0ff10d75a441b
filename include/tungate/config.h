/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: what an INI file says, checked and ready to use.
 *
 * A struct config is plain data, owned by whoever called config_parse() and freed whole with
 * config_free().  Networks are referred to by their index in `networks`.  Every default is in
 * the table of keys of config/keys.c, which is also where the man page's figures come from.
 */
#ifndef TUNGATE_CONFIG_H
#define TUNGATE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include "base/addr.h"
#include "base/log.h"

#define CONFIG_NAME_SIZE    32 /* names of networks, links, guests, with NUL */
#define CONFIG_TEXT_SIZE    256
#define CONFIG_NETWORKS_MAX 256
#define CONFIG_LINKS_MAX    1024
#define CONFIG_FORWARDS_MAX 1024
#define CONFIG_PREFIXES_MAX 16 /* prefixes in one list of a rule */
#define CONFIG_PORTS_MAX    16 /* port ranges in one list of a rule */
#define CONFIG_ICMP_MAX     8  /* ICMP types in one rule */
#define CONFIG_UPLINKS_MAX  8

/* ---- [filter input|forward|output] ---- */

enum chain { CHAIN_INPUT, CHAIN_FORWARD, CHAIN_OUTPUT, CHAIN_COUNT };

enum rule_action { RULE_ACCEPT, RULE_DROP, RULE_REJECT };

/* One side of a rule: `in lab`, `out uplink`. */
enum side_kind {
	SIDE_ANY,
	SIDE_LAN,     /* any network: "lan" */
	SIDE_UPLINK,  /* "uplink" */
	SIDE_NETWORK, /* the network of this index, by its name */
};
struct side_match {
	uint8_t kind;
	uint16_t network;
};

#define RULE_STATE_NEW         1
#define RULE_STATE_ESTABLISHED 2
#define RULE_STATE_RELATED     4
#define RULE_STATE_INVALID     8

struct rule {
	uint8_t action;   /* enum rule_action */
	uint8_t states;   /* RULE_STATE_*; 0: any */
	uint8_t protocol; /* IPPROTO_*; `icmp` matches ICMP for v4 and ICMPv6 for v6 */
	bool any_protocol;
	bool forwarded; /* only flows that an entry of [forwards] made */
	struct side_match in;
	struct side_match out;
	uint8_t from_count; /* 0: any */
	uint8_t to_count;
	uint8_t from_port_count;
	uint8_t to_port_count;
	uint8_t icmp_count;
	struct prefix from[CONFIG_PREFIXES_MAX];
	struct prefix to[CONFIG_PREFIXES_MAX];
	struct port_range from_ports[CONFIG_PORTS_MAX];
	struct port_range to_ports[CONFIG_PORTS_MAX];
	struct { /* types of either family; `family` AF_INET or AF_INET6 */
		uint8_t family;
		uint8_t type;
		bool any_code;
		uint8_t code;
	} icmp[CONFIG_ICMP_MAX];
	unsigned line;               /* of the file; 0: built in */
	char text[CONFIG_TEXT_SIZE]; /* as written, for `tungate rules` */
};

struct rules {
	struct rule *rule;
	unsigned count;
	uint8_t policy; /* enum rule_action, what happens where no rule matches */
};

/* ---- [nat] ---- */

/* `masquerade = in lab out uplink [from PREFIX,...] [to PREFIX,...] [proto P [to port ...]]`:
 * the match part of a rule, its action unused. First match decides whether to masquerade;
 * `no-masquerade = ...` exempts (action RULE_DROP; masquerade is RULE_ACCEPT). */

/* ---- [forwards] and `tungate forward add` ---- */

struct forward {
	uint8_t protocol;        /* IPPROTO_TCP or IPPROTO_UDP */
	uint8_t host_family;     /* 0: any address of the host */
	union addr host;         /* HOSTADDR: */
	struct port_range ports; /* on the host */
	uint8_t guest_family;
	union addr guest;
	uint16_t guest_port;               /* first of as many ports as `ports` has */
	uint16_t network;                  /* whose subnet the guest is in */
	unsigned line;                     /* of the file; 0: added live */
	char guest_name[CONFIG_NAME_SIZE]; /* as written, where a link's name was given */
};

/* ---- [network NAME] ---- */

struct network_config {
	char name[CONFIG_NAME_SIZE];
	struct prefix subnet4; /* family 0: none */
	struct prefix subnet6;
	union addr gateway4; /* the first address of the subnet */
	union addr gateway6;
	uint16_t mtu; /* of its links, bytes; 0: the uplink's */
	bool dns;     /* the gateway address relays DNS to the host's resolver */
	bool clones;  /* links may have the same address: copies of one machine */
	unsigned line;
};

/* ---- [link NAME] ---- */

enum link_kind { LINK_TUN, LINK_NETNS };

struct link_config {
	char name[CONFIG_NAME_SIZE];
	uint8_t kind; /* enum link_kind */
	uint16_t network;
	union addr address4; /* guest's; zero: taken from the subnet when it is attached */
	union addr address6;
	char netns[CONFIG_TEXT_SIZE]; /* netns: NAME, PATH or pid:N */
	char device[16]; /* interface name; default eth0 in a netns, tg-LINKNAME for tun */
	unsigned line;
};

/* ---- [timeouts], seconds ---- */

struct timeouts_config {
	uint32_t tcp_syn_sent;
	uint32_t tcp_syn_received;
	uint32_t tcp_established;
	uint32_t tcp_fin_wait;
	uint32_t tcp_close_wait;
	uint32_t tcp_last_ack;
	uint32_t tcp_time_wait;
	uint32_t tcp_close;
	uint32_t udp;        /* no reply seen yet, and after it: RFC 4787 REQ-5 */
	uint32_t udp_stream; /* replies seen */
	uint32_t udp_dns;    /* destination port 53 */
	uint32_t icmp;
	uint32_t gre;
	uint32_t gre_stream; /* replies seen, or a call announced by PPTP */
	uint32_t other;
};

/* ---- [limits] ---- */

struct limits_config {
	uint32_t flows; /* size of the flow table; fixed at start */
	uint32_t icmp_errors_per_second;
	uint32_t fragments;      /* datagrams in fragments tracked at once; fixed at start */
	uint32_t fragment_bytes; /* memory for fragments that come before the first; fixed */
};

/* ---- [gateway] ---- */

struct gateway_config {
	char control[108];      /* path of the control socket */
	char control_group[32]; /* group that may open it; empty: root's */
	uint8_t log_level;      /* enum log_level */
	bool log_syslog;
	struct port_list ports; /* external ports */
	uint8_t uplink_count;   /* 0: whatever interface the host's routes choose */
	char uplinks[CONFIG_UPLINKS_MAX][16];
	uint8_t guard;                 /* enum guard_mode */
	uint32_t busy_poll_us;         /* how long to spin for the next packet before sleeping */
	uint32_t receive_buffer_bytes; /* of the uplink's socket */
};
enum guard_mode { GUARD_AUTO, GUARD_CLSACT, GUARD_SOCKETS };

struct config {
	struct gateway_config gateway;
	struct timeouts_config timeouts;
	struct limits_config limits;
	struct network_config *networks;
	unsigned network_count;
	struct link_config *links;
	unsigned link_count;
	struct rules chains[CHAIN_COUNT];
	struct rules nat; /* see [nat] above */
	struct forward *forwards;
	unsigned forward_count;
};

/* All errors of a file, one per line, "FILE:LINE: what was read: what is allowed". */
struct config_errors {
	char **text;
	unsigned count;
};

/*
 * Parse the whole text of an INI file (`name` is for messages).  Returns a new config, or NULL
 * with every error of the file in `errors` (freed with config_errors_free()); none at all there
 * means that memory ran out.  An empty text is a valid config: one network `default` 10.77.0.0/24 +
 * fd77:7467::/64 and the built-in rules.
 */
struct config *config_parse(const char *name, const char *text, struct config_errors *errors);
void config_free(struct config *config);
void config_errors_free(struct config_errors *errors);

/*
 * Whether a running gateway can take up `wanted` without a restart.  Keys marked so in the table
 * must not differ, networks must keep their place (new ones may follow), links of the same name
 * their keys. Returns true, or false with a sentence about the first difference in `error`.
 */
bool config_reloadable(const struct config *running, const struct config *wanted, char *error,
	unsigned error_size);

/*
 * Parse one rule's words ("accept in lab out uplink proto tcp to port 80,443") against the
 * networks of `config`.  Returns true, or false with a sentence in `error`.
 */
bool config_parse_rule(const struct config *config, enum chain chain, const char *text,
	struct rule *rule, char *error, unsigned error_size);

/*
 * Parse a forward ("tcp", "[HOSTADDR:]8080[-8090]", "web:80" | "10.77.0.2[:80]" | "[v6]:80").
 * Names are those of links with an address in the config; `resolve` (may be NULL) is asked first
 * for the names of links that are attached now.
 */
struct config_names {
	/* Find a guest by link name: its network and address of `family` (0: any), or false. */
	bool (*find)(void *context, const char *name, uint8_t family, uint16_t *network,
		uint8_t *found_family, union addr *address);
	void *context;
};
bool config_parse_forward(const struct config *config, const struct config_names *names,
	const char *protocol, const char *host, const char *guest, struct forward *forward,
	char *error, unsigned error_size);

/*
 * All that the words mean: a guest's name without a host address of either family stands for each
 * address that the guest has, so that the port is published over IPv4 and over IPv6.  Returns how
 * many forwards are filled, or 0 with a sentence in `error`.
 */
unsigned config_parse_forwards(const struct config *config, const struct config_names *names,
	const char *protocol, const char *host, const char *guest, struct forward forwards[2],
	char *error, unsigned error_size);

/* Whether two forwards claim the same port of the host. */
bool config_forwards_overlap(const struct forward *a, const struct forward *b);

/* The network whose subnet contains the address, or -1. */
int config_network_of(const struct config *config, uint8_t family, const union addr *address);
/* The network of this name, or -1. */
int config_network_named(const struct config *config, const char *name);

#endif
