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
#include "base/domain.h"
#include "base/log.h"
#include "tungate/config_dns.h"
#include "tungate/config_host.h"

#define CONFIG_NAME_SIZE         32 /* names of networks, links, guests, with NUL */
#define CONFIG_TEXT_SIZE         256
#define CONFIG_NOBODY            UINT32_MAX /* no user, no group */
#define CONFIG_NETWORKS_MAX      256
#define CONFIG_LINKS_MAX         1024
#define CONFIG_FORWARDS_MAX      1024
#define CONFIG_ELEMENTS_MAX      16  /* addresses, or ports, in one list of a rule */
#define CONFIG_RULE_SETS_MAX     4   /* sets in one list of a rule */
#define CONFIG_ICMP_MAX          16  /* ICMP types in one rule */
#define CONFIG_SETS_MAX          256 /* a set itself may be of any size */
#define CONFIG_CHAINS_MAX        256
#define CONFIG_CHAIN_DEPTH       16    /* jumps from a chain to a chain to a chain */
#define CONFIG_RULES_MAX         32768 /* in all chains together */
#define CONFIG_CONNECTIONS_MAX   32    /* rules with `connections` */
#define CONFIG_PORT_TIMEOUTS_MAX 64
#define CONFIG_UPLINKS_MAX       8

/* ---- [sets] ---- */

/* Addresses, ports or domains under one name, `@NAME` in rules; sorted, and apart from each other.
 */
enum set_kind { SET_EMPTY, SET_ADDRESSES, SET_PORTS, SET_DOMAINS };
struct set {
	char name[CONFIG_NAME_SIZE];
	uint8_t kind;
	struct addr_range *addresses;
	struct port_range *ports;
	char (*domains)[DOMAIN_NAME_SIZE]; /* patterns, in lower case */
	unsigned count;                    /* of any of them */
	unsigned line;
};

/* ---- [filter input|forward|output] and [chain NAME] ---- */

enum chain { CHAIN_INPUT, CHAIN_FORWARD, CHAIN_OUTPUT, CHAIN_COUNT };

enum rule_action {
	RULE_ACCEPT,
	RULE_DROP,
	RULE_REJECT,
	RULE_LOG,    /* and go on with the next rule */
	RULE_JUMP,   /* to a chain of the user's, and on behind it */
	RULE_RETURN, /* from it; from a chain of the filter's, to its policy */
};

/* `reject with ...`: what the sender is told. */
enum rule_reject {
	REJECT_DEFAULT, /* a guest: a reset for TCP, else "prohibited"; the uplink: nothing */
	REJECT_TCP_RESET,
	REJECT_PORT,
	REJECT_HOST,
	REJECT_NET,
	REJECT_PROTO,
	REJECT_PROHIBITED,
};

/* What a rule may say, each once; in the order in which a packet is compared. */
enum rule_word {
	/* the same for all packets of a flow in one direction, while its state is */
	WORD_STATE,
	WORD_FORWARDED,
	WORD_IN,
	WORD_OUT,
	WORD_FAMILY,
	WORD_PROTO,
	WORD_FROM_PORT,
	WORD_TO_PORT,
	WORD_FROM,
	WORD_TO,
	WORD_TO_DOMAIN,
	WORD_HELPER,
	/* for each packet anew */
	WORD_ICMP_TYPE,
	WORD_TCP_FLAGS,
	WORD_LENGTH,
	WORD_TTL,
	WORD_DSCP,
	WORD_CONNECTIONS,
	WORD_LIMIT, /* last: a token is taken where all else holds */
	/* no conditions */
	WORD_LOG,
	WORD_COMMENT,
	RULE_WORDS
};
#define RULE_WORD(word)   (UINT32_C(1) << (word))
#define RULE_MATCH_WORDS  (RULE_WORD(WORD_LIMIT + 1) - 1)
#define RULE_FLOW_WORDS   (RULE_WORD(WORD_HELPER + 1) - 1)
#define RULE_PACKET_WORDS (RULE_MATCH_WORDS & ~RULE_FLOW_WORDS)

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

/* Lists: what is written in the rule itself, and sets by their index in the config. */
struct address_match {
	uint8_t count, set_count;
	uint16_t set[CONFIG_RULE_SETS_MAX];
	struct addr_range range[CONFIG_ELEMENTS_MAX];
};
struct port_match {
	uint8_t count, set_count;
	uint16_t set[CONFIG_RULE_SETS_MAX];
	struct port_range range[CONFIG_ELEMENTS_MAX];
};

/* A part of a rule's text. */
struct text_span {
	uint8_t at, length;
};

/* `to domain`: patterns of names that the guest has been given the destination's address for. */
struct domain_match {
	uint8_t count, set_count;
	uint16_t set[CONFIG_RULE_SETS_MAX];
	struct text_span name[CONFIG_ELEMENTS_MAX];
};

/* Whose packets or connections are counted together. */
enum rule_per { PER_RULE, PER_SOURCE, PER_DESTINATION };

/* `limit`: true for so many packets in so many seconds, after a first burst; `over`: for the
 * others.
 */
struct rule_limit {
	uint32_t packets, seconds, burst;
	bool over;
	uint8_t per; /* enum rule_per */
};

/* `connections over N`: true where more than N live connections came to the rule, this one
 * included. */
struct rule_connections {
	uint32_t max;
	uint8_t per; /* enum rule_per: of the originator, of the other end */
};

struct rule {
	uint32_t words;   /* bits of enum rule_word: what is said */
	uint32_t negated; /* ... with `not` */
	uint8_t action;   /* enum rule_action */
	uint8_t reject;   /* enum rule_reject */
	uint8_t states;   /* RULE_STATE_* */
	uint8_t family;   /* AF_INET, AF_INET6 */
	uint8_t helper;   /* index of a helper's name */
	uint8_t dscp;
	uint16_t jump; /* index of the user's chain */
	struct side_match in;
	struct side_match out;
	uint64_t protocols[4]; /* bits of IPPROTO_*; see rule_has_protocol() */
	struct port_match from_ports, to_ports;
	struct address_match from, to;
	struct domain_match domains;
	uint8_t icmp_count;
	struct { /* types of either family; `family` AF_INET or AF_INET6 */
		uint8_t family;
		uint8_t type;
		bool any_code;
		uint8_t code;
	} icmp[CONFIG_ICMP_MAX];
	struct {
		uint8_t set, mask; /* TCP_*: of those in `mask`, these and no others */
	} tcp_flags;
	struct {
		uint16_t first, last;
	} length, ttl; /* bytes of IP; hops */
	struct rule_limit limit;
	struct rule_connections connections;
	struct text_span log, comment; /* of `text`, without the quotes */
	unsigned line;                 /* of the file; 0: built in */
	char text[CONFIG_TEXT_SIZE];   /* as written, for `tungate rules` */
};

/* Whether the rule is about packets of this protocol at all. */
static inline bool rule_has_protocol(const struct rule *rule, uint8_t protocol)
{
	return !(rule->words & RULE_WORD(WORD_PROTO)) ||
	       (rule->protocols[protocol / 64] >> protocol % 64 & 1);
}

/* "state", "from port" ...: how users call it. */
const char *rule_word_name(enum rule_word word);

struct rules {
	struct rule *rule;
	unsigned count;
	uint8_t policy; /* enum rule_action, what happens where no rule matches */
};

/* A chain of the user's: what none of its rules decides goes on behind the jump. */
struct chain_config {
	char name[CONFIG_NAME_SIZE];
	struct rules rules;
	unsigned line;
};

/* ---- [nat] ---- */

#define NAT_TARGETS_MAX   16
#define NAT_ADDRESSES_MAX 32 /* of all lines `snat` together */

enum nat_kind {
	NAT_MASQUERADE,    /* source: the host's address on the way out, and a port of ours */
	NAT_NO_MASQUERADE, /* source: as it is */
	NAT_SNAT,          /* source: one of these addresses for each guest */
	NAT_DNAT,          /* destination: one of these guests, in turn */
	NAT_NO_DNAT,       /* destination: as it is */
	NAT_REDIRECT,      /* destination: a program of the host, or a guest, that acts as proxy */
	NAT_MAP,           /* both: one address inside for one outside */
	NAT_NPT,           /* both: the same without state, RFC 6296 */
	NAT_KINDS
};

struct nat_target {
	struct addr_range addresses; /* family 0: the gateway's own address (NAT_REDIRECT) */
	uint16_t network;            /* of guests */
	struct port_list ports;      /* none: the port stays; of snat: `ports` of [gateway] */
};

/*
 * A line of [nat].  They are two lists in one, each in order and the first match decides: those
 * about destinations are asked before those about sources, for a connection's first packet only.
 */
struct nat_rule {
	uint8_t kind; /* enum nat_kind */
	bool proxy_protocol;
	bool dns; /* redirect: to the gateway's own DNS (`dns-direct` of a network) */
	uint8_t target_count;
	struct nat_target target[NAT_TARGETS_MAX]; /* masquerade: at most one, its ports */
	struct prefix inside, outside;             /* map, npt: of one length */
	uint16_t network;                          /* ... of the guests inside */
	struct rule match;                         /* its text is the whole line's */
};

struct nat_rules {
	struct nat_rule *rule;
	unsigned count;
};

/* ---- [helpers] ---- */

/* `NAME = [MATCH]`: the flows that a helper reads; the match part of a rule, its action the
 * helper's enum helper_id.  In the order of HELPER_NAMES. */
enum helper_id { HELPER_FTP, HELPER_IRC, HELPER_TFTP, HELPER_SIP, HELPER_PPTP, HELPER_COUNT };
#define HELPER_NAMES "ftp|irc|tftp|sip|pptp"

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

/* ---- what one guest may have: [limits], and [network NAME] instead of it ---- */

/* 0 is each key's own word: "auto" or "unlimited" in [limits], "default" in a network. */
struct guest_limits {
	uint32_t flows;                /* connections that it has begun, and as many to it */
	uint32_t half_open;            /* ... of these, that nobody has answered yet */
	uint32_t new_flows_per_second; /* in each direction */
	uint32_t ports;                /* external ports, of each protocol */
	uint32_t packets_per_second;   /* in each direction */
	uint32_t bytes_per_second;     /* of IP, in each direction */
	uint32_t fragments;            /* datagrams in fragments at one time */
	uint32_t expectations;         /* connections announced by helpers */
	uint32_t icmp_errors_per_second;
};

/* ---- [network NAME] ---- */

/* Who may send to a guest's mapping (RFC 4787 section 5). */
enum filtering {
	FILTERING_ADDRESS_AND_PORT, /* whom the guest has sent to */
	FILTERING_ADDRESS,          /* ... from any port of theirs */
	FILTERING_ENDPOINT,         /* anybody */
};
/* What happens when ports run short. */
enum mapping {
	MAPPING_ADAPTIVE,             /* guests whose peers differ share a port */
	MAPPING_ENDPOINT_INDEPENDENT, /* a port is never shared (RFC 4787 REQ-3) */
};

/* Which names guests may ask the gateway for. */
enum dns_names {
	DNS_NAMES_ANY,
	DNS_NAMES_ALLOWED, /* those of `to domain` in rules that accept, and the gateway's own */
};
/* DNS of guests with other resolvers than the gateway. */
enum dns_direct { DNS_DIRECT_ALLOW, DNS_DIRECT_FORBID, DNS_DIRECT_REDIRECT };

#define CONFIG_DOMAIN_SIZE 64 /* of a domain's name, with NUL */
#define CONFIG_ROUTES_MAX  16 /* that a network's guests are told */
#define CONFIG_LEASES_MAX  1024

/* `route`: what a guest reaches through `via`; zero: the gateway. */
struct lan_route {
	struct prefix prefix;
	union addr via;
};

/* `lease`: the address that DHCP gives one machine, and nobody else. */
struct lan_reservation {
	uint8_t mac[6];
	uint8_t family;
	union addr address;
	char name[CONFIG_NAME_SIZE]; /* "": as it calls itself */
	unsigned line;
};

/* What all guests of one network may have together; 0: a fair share, or of rates no limit. */
struct network_limits {
	uint32_t flows;                /* connections, to its guests and from them */
	uint32_t half_open;            /* ... of these, that nobody has answered yet */
	uint32_t new_flows_per_second; /* in each direction, as the following */
	uint32_t packets_per_second;
	uint32_t bytes_per_second; /* of IP */
	uint32_t links;
	uint32_t forwards;
};

struct network_config {
	char name[CONFIG_NAME_SIZE];
	/* Who administers it, besides root: names or numbers, "" for nobody; and what the daemon
	 * has found for them, CONFIG_NOBODY until then. */
	char owner[32], owner_group[32];
	uint32_t owner_uid, owner_gid;
	struct port_list forward_ports; /* of the host, that the owner may publish */
	bool isolate;                   /* guests do not reach each other */
	struct port_list ports; /* external ports of this network alone; none: the shared ones */
	struct network_limits limits;
	struct prefix subnet4; /* family 0: none */
	struct prefix subnet6;
	union addr gateway4; /* the first address of the subnet */
	union addr gateway6;
	uint16_t mtu;              /* of its links, bytes; 0: the uplink's */
	bool dns;                  /* the gateway address answers DNS */
	uint8_t dns_names;         /* enum dns_names */
	uint8_t dns_direct;        /* enum dns_direct */
	bool clones;               /* links may have the same address: copies of one machine */
	uint8_t filtering;         /* enum filtering */
	uint8_t mapping;           /* enum mapping */
	bool hairpin;              /* guests reach guests by external addresses */
	uint16_t port_block;       /* external ports of each guest, RFC 7422; 0: any */
	struct prefix nat64;       /* addresses that stand for IPv4's (RFC 6052); family 0: none */
	bool dns64;                /* names without IPv6 addresses get some of those (RFC 6147) */
	struct dns_config names;   /* what it answers, and whom it asks */
	struct guest_limits guest; /* 0: as in [limits] */
	struct host_config host;
	/* What Ethernet links are told. */
	bool dhcp, ra, dhcp6;
	uint32_t lease_time_s;
	struct addr_range address_pool;  /* of IPv4; family 0: the whole subnet */
	char domain[CONFIG_DOMAIN_SIZE]; /* default: the network's name */
	uint8_t route_count;
	struct lan_route routes[CONFIG_ROUTES_MAX];
	struct lan_reservation *reservations;
	unsigned reservation_count;
	unsigned line;
};

/* ---- [link NAME] ---- */

/* LINK_HOST is no link's `kind`, but made of a network's `host-link`. */
enum link_kind { LINK_TUN, LINK_NETNS, LINK_TAP, LINK_NETDEV, LINK_QEMU, LINK_HOST };
/* Those that carry Ethernet frames, so that ARP, DHCP and their like are answered on them. */
#define LINK_IS_ETHERNET(kind) ((kind) >= LINK_TAP && (kind) <= LINK_QEMU)

/* How many are behind an Ethernet link: one guest, or a segment of the network's subnet. */
enum link_guests { GUESTS_AUTO, GUESTS_ONE, GUESTS_MANY };
enum socket_mode { SOCKET_STREAM, SOCKET_DATAGRAM };

struct link_config {
	char name[CONFIG_NAME_SIZE];
	uint8_t kind; /* enum link_kind */
	uint16_t network;
	union addr address4; /* guest's; zero: taken from the subnet when it is attached */
	union addr address6;
	char netns[CONFIG_TEXT_SIZE]; /* netns: NAME, PATH or pid:N */
	char device[16];  /* interface name; default eth0 in a netns, tg-LINKNAME for tun and tap;
			     netdev: the one that is taken over; qemu: none */
	uint8_t guests;   /* enum link_guests; GUESTS_AUTO where kind is no Ethernet */
	uint8_t mac[6];   /* Ethernet: the only one that the guest may have; zero: any */
	char bridge[16];  /* tap: the host's bridge that it joins; empty: none */
	char socket[108]; /* qemu: path of the unix socket that the VM connects to */
	uint8_t socket_mode; /* qemu: enum socket_mode */
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
	uint32_t esp; /* and AH */
	uint32_t sctp;
	uint32_t gre;
	uint32_t gre_stream; /* replies seen, or a call announced by PPTP */
	uint32_t other;
	uint32_t domain;     /* addresses of `to domain` stay open at least so long */
	unsigned port_count; /* lines "tcp port N[-M] = SECONDS", which do not overlap */
	struct port_timeout {
		uint8_t protocol; /* IPPROTO_TCP: of established connections; IPPROTO_UDP */
		struct port_range ports;
		uint32_t seconds;
		unsigned line;
	} port[CONFIG_PORT_TIMEOUTS_MAX];
};

/* ---- [limits] ---- */

struct limits_config {
	uint32_t flows; /* size of the flow table; fixed at start */
	uint32_t icmp_errors_per_second;
	uint32_t fragments;      /* datagrams in fragments tracked at once; fixed at start */
	uint32_t fragment_bytes; /* memory for fragments that come before the first; fixed */
	uint32_t helped_flows;   /* flows that helpers read or have announced; fixed */
	uint32_t expectations;   /* announced connections awaited at once; fixed */
	uint32_t domains;        /* addresses remembered with the names they are for; fixed */
	struct guest_limits guest;
};

/* ---- [gateway] ---- */

struct gateway_config {
	char control[108];      /* path of the control socket */
	char control_group[32]; /* group that may open it; empty: root's */
	uint32_t control_gid;   /* ... as the daemon has found it; CONFIG_NOBODY: none */
	char state[108];        /* directory of what outlives the gateway */
	uint8_t log_level;      /* enum log_level */
	bool log_syslog;
	struct port_list ports; /* external ports */
	uint8_t uplink_count;   /* 0: whatever interface the host's routes choose */
	char uplinks[CONFIG_UPLINKS_MAX][16];
	uint8_t guard;                 /* enum guard_mode */
	uint32_t busy_poll_us;         /* how long to spin for the next packet before sleeping */
	uint32_t receive_buffer_bytes; /* of the uplink's socket */
	uint32_t dns_cache;            /* answers that are remembered at one time */
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
	struct set *sets;
	unsigned set_count;
	struct rules chains[CHAIN_COUNT];
	struct chain_config *user_chains;
	unsigned user_chain_count;
	struct nat_rules nat;
	struct rules helpers;
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
 * Parse a forward ("tcp", "[HOSTADDR:]8080[-8090]", "web:80" | "10.77.0.2[:80]" | "[v6]:80", each
 * also behind "NETWORK/").  Names are those of links with an address in the config; `names` (may be
 * NULL) is asked first for those of links that are attached now.
 */
struct config_names {
	/* Find a guest of a network by link name: its address of `family` (0: any), or false. */
	bool (*find)(void *context, uint16_t network, const char *name, uint8_t family,
		uint8_t *found_family, union addr *address);
	/* Does whoever asks know of this network?  NULL: of all. */
	bool (*sees)(void *context, uint16_t network);
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

/*
 * Give a link one of its keys, which is neither `network` nor unknown, by the text that the file
 * would have.  Returns true, or false with what is allowed in `error`.
 */
bool config_link_set(struct link_config *link, const char *key, const char *text, char *error,
	unsigned error_size);

/* Whether two forwards claim the same port of the host. */
bool config_forwards_overlap(const struct forward *a, const struct forward *b);

/*
 * What the gateway owns outside because of a line of [nat], one after the other: *cursor starts at
 * 0; false past the last.  The whole address (map, npt), or these ports of it (snat; dnat and
 * redirect, as far as they are about what comes from the uplink).
 */
struct nat_owned {
	struct addr_range addresses; /* family 0: each of the host's */
	bool host_only;              /* those of them that the host has, and no others */
	bool whole;
	struct port_list ports;
};
bool config_nat_owned(const struct config *config, unsigned *cursor, struct nat_owned *owned);
/* "masquerade", "no-masquerade" ...: the key of such a line. */
const char *nat_kind_name(enum nat_kind kind);

/* The network whose subnet contains the address, or -1. */
int config_network_of(const struct config *config, uint8_t family, const union addr *address);
/* The network, set or chain of the user's of this name, or -1. */
int config_network_named(const struct config *config, const char *name);
int config_set_named(const struct config *config, const char *name);
int config_chain_named(const struct config *config, const char *name);

#endif
