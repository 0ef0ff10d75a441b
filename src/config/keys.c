/* SPDX-License-Identifier: BSD-2-Clause */
/* keys: the one table of every key of tungate.conf. */
#include "config/keys.h"

#include <assert.h>
#include <string.h>

#include "config/value.h"
#include "tungate/control.h"

#define MEMBER(type, member)                                                                       \
	.offset = offsetof(struct type, member), .size = sizeof(((struct type *)NULL)->member)
#define SECOND(type, member) .second = offsetof(struct type, member)
#define DAYS                 (24 * 60 * 60)

#define TIMEOUT(key_name, member, seconds, text)                                                   \
	{                                                                                          \
		.section = SECTION_TIMEOUTS, .name = key_name, .type = KEY_SECONDS,                \
		MEMBER(timeouts_config, member), .fallback = seconds, .min = 1, .max = 5 * DAYS,   \
		.reloadable = true, .meaning = text                                                \
	}

#define NAT_KEY(key_name, nat_kind, text)                                                          \
	{                                                                                          \
		.section = SECTION_NAT, .name = key_name, .type = KEY_NAT, .min = nat_kind,        \
		.reloadable = true, .meaning = text                                                \
	}
/* What one guest may have: the same keys in [limits] and in each [network]. */
#define GUEST_LIMIT(where, of, key_name, key_type, member, word, value, least, most, text)         \
	{                                                                                          \
		.section = where, .name = key_name, .type = key_type, MEMBER(of, guest.member),    \
		.zero = word, .fallback = value, .min = least, .max = most, .reloadable = true,    \
		.meaning = text                                                                    \
	}
/* `share` and `none` are the words that leave a number open, `few` and `some` defaults. */
#define GUEST_LIMITS(where, of, share, none, word, few, some)                                      \
	GUEST_LIMIT(where, of, "guest-flows", KEY_NUMBER, flows, share, share, 1, 4194304,         \
		"connections of one guest, and as many to it"),                                    \
		GUEST_LIMIT(where, of, "guest-half-open", KEY_NUMBER, half_open, share, share, 1,  \
			4194304, "of these, half open at one time"),                               \
		GUEST_LIMIT(where, of, "guest-new-flows-per-second", KEY_NUMBER,                   \
			new_flows_per_second, none, none, 1, 10000000,                             \
			"new connections of one guest, and as many to it"),                        \
		GUEST_LIMIT(where, of, "guest-ports", KEY_NUMBER, ports, share, share, 1, 65535,   \
			"external ports of one guest, of each protocol: RFC 6888 REQ-4"),          \
		GUEST_LIMIT(where, of, "guest-packets-per-second", KEY_NUMBER, packets_per_second, \
			none, none, 1, 1000000000, "packets from one guest, and as many to it"),   \
		GUEST_LIMIT(where, of, "guest-bytes-per-second", KEY_BYTES, bytes_per_second,      \
			none, none, 1000, UINT32_MAX, "bytes from one guest, and as many to it"),  \
		GUEST_LIMIT(where, of, "guest-fragments", KEY_NUMBER, fragments, share, share, 1,  \
			65536, "datagrams in fragments of one guest at one time"),                 \
		GUEST_LIMIT(where, of, "guest-expectations", KEY_NUMBER, expectations, word, few,  \
			1, 65536, "connections to one guest that helpers expect"),                 \
		GUEST_LIMIT(where, of, "guest-icmp-errors-per-second", KEY_NUMBER,                 \
			icmp_errors_per_second, word, some, 1, 1000000,                            \
			"ICMP errors that the gateway sends one guest")

/* What all guests of a network may have together. */
#define NETWORK_LIMIT(key_name, key_type, member, word, least, most, text)                         \
	{                                                                                          \
		.section = SECTION_NETWORK, .name = key_name, .type = key_type,                    \
		MEMBER(network_config, limits.member), .zero = word, .fallback = word,             \
		.min = least, .max = most, .reloadable = true, .meaning = text                     \
	}

/* clang-format off */
static const struct key keys[] = {
	{.section = SECTION_GATEWAY, .name = "control", .type = KEY_PATH,
	 MEMBER(gateway_config, control), .fallback = CONTROL_DEFAULT_PATH,
	 .meaning = "path of the control socket"},
	{.section = SECTION_GATEWAY, .name = "control-group", .type = KEY_GROUP,
	 MEMBER(gateway_config, control_group),
	 .meaning = "group whose members may open the control socket"},
	{.section = SECTION_GATEWAY, .name = "state", .type = KEY_PATH,
	 MEMBER(gateway_config, state), .fallback = "/var/lib/tungate",
	 .meaning = "directory of what outlives the gateway: leases"},
	{.section = SECTION_GATEWAY, .name = "log-level", .type = KEY_CHOICE,
	 MEMBER(gateway_config, log_level), .choices = LEVEL_NAMES, .fallback = "info",
	 .reloadable = true, .meaning = "least important lines that are logged"},
	{.section = SECTION_GATEWAY, .name = "log", .type = KEY_CHOICE,
	 MEMBER(gateway_config, log_syslog), .choices = "stderr|syslog", .fallback = "stderr",
	 .meaning = "where lines are logged to"},
	{.section = SECTION_GATEWAY, .name = "ports", .type = KEY_PORTS,
	 MEMBER(gateway_config, ports), .fallback = "61000-65535", .min = 1024, .max = 65535,
	 .meaning = "external ports that masqueraded flows are given"},
	{.section = SECTION_GATEWAY, .name = "uplink", .type = KEY_INTERFACES,
	 MEMBER(gateway_config, uplinks), SECOND(gateway_config, uplink_count),
	 .meaning = "interfaces that may be the uplink; default: those that routes choose"},
	{.section = SECTION_GATEWAY, .name = "guard", .type = KEY_CHOICE,
	 MEMBER(gateway_config, guard), .choices = GUARD_NAMES, .fallback = "auto",
	 .meaning = "what keeps the kernel silent on the external ports"},
	{.section = SECTION_GATEWAY, .name = "busy-poll", .type = KEY_MICROSECONDS,
	 MEMBER(gateway_config, busy_poll_us), .fallback = "30", .max = 1000, .reloadable = true,
	 .meaning = "how long to spin for the next packet before sleeping"},
	{.section = SECTION_GATEWAY, .name = "receive-buffer", .type = KEY_BYTES,
	 MEMBER(gateway_config, receive_buffer_bytes), .fallback = "32M", .min = 256 << 10,
	 .max = 1 << 30, .meaning = "receive buffer of the uplink's socket"},
	{.section = SECTION_GATEWAY, .name = "dns-cache", .type = KEY_NUMBER,
	 MEMBER(gateway_config, dns_cache), .zero = "off", .fallback = "4096", .min = 0,
	 .max = 1 << 20, .reloadable = true,
	 .meaning = "DNS answers that are remembered, for 1 KiB each on average"},

	TIMEOUT("tcp-syn-sent", tcp_syn_sent, "240",
		"SYN seen, no answer yet: RFC 5382 REQ-5"),
	TIMEOUT("tcp-syn-received", tcp_syn_received, "240",
		"SYN answered, handshake not complete: RFC 5382 REQ-5"),
	TIMEOUT("tcp-established", tcp_established, "7440",
		"established and idle: RFC 5382 REQ-5, 2 hours 4 minutes"),
	TIMEOUT("tcp-fin-wait", tcp_fin_wait, "240", "one side sent its FIN: RFC 5382 REQ-5"),
	TIMEOUT("tcp-close-wait", tcp_close_wait, "240",
		"a FIN was acknowledged, the other side may still send: RFC 5382 REQ-5"),
	TIMEOUT("tcp-last-ack", tcp_last_ack, "240",
		"both sides sent a FIN, one is not acknowledged: RFC 5382 REQ-5"),
	TIMEOUT("tcp-time-wait", tcp_time_wait, "240", "both FINs acknowledged: RFC 5382 REQ-5"),
	TIMEOUT("tcp-close", tcp_close, "240", "reset: RFC 7857, section 2.3"),
	TIMEOUT("udp", udp, "300", "no reply yet: RFC 4787 REQ-5"),
	TIMEOUT("udp-stream", udp_stream, "360", "replies seen: over RFC 4787 REQ-5, for QUIC"),
	TIMEOUT("udp-dns", udp_dns, "30", "to port 53: RFC 4787 REQ-5 permits less on known ports"),
	TIMEOUT("icmp", icmp, "60", "echo and its like: RFC 5508 REQ-2"),
	TIMEOUT("esp", esp, "600", "ESP and AH"),
	TIMEOUT("sctp", sctp, "300", "SCTP, whose heartbeats come every 30 seconds"),
	TIMEOUT("gre", gre, "30", "GRE, no reply yet"),
	TIMEOUT("gre-stream", gre_stream, "180", "GRE, replies seen; and the calls of PPTP"),
	TIMEOUT("other", other, "600", "protocols without ports"),
	TIMEOUT("domain", domain, "60",
		"addresses that `to domain` opens stay open at least so long, else for their TTL"),

	{.section = SECTION_LIMITS, .name = "flows", .type = KEY_NUMBER,
	 MEMBER(limits_config, flows), .fallback = "65536", .min = 1024, .max = 4194304,
	 .meaning = "connections tracked at one time"},
	{.section = SECTION_LIMITS, .name = "icmp-errors-per-second", .type = KEY_NUMBER,
	 MEMBER(limits_config, icmp_errors_per_second), .fallback = "1000", .min = 0, .max = 1000000,
	 .reloadable = true, .meaning = "ICMP errors of the gateway itself, at most: RFC 4443, section 2.4 (f)"},
	{.section = SECTION_LIMITS, .name = "fragments", .type = KEY_NUMBER,
	 MEMBER(limits_config, fragments), .fallback = "1024", .min = 16, .max = 65536,
	 .meaning = "datagrams in fragments tracked at one time"},
	{.section = SECTION_LIMITS, .name = "fragment-bytes", .type = KEY_BYTES,
	 MEMBER(limits_config, fragment_bytes), .fallback = "4M", .min = 256 << 10, .max = 1 << 30,
	 .meaning = "memory for fragments that come before the first one of their datagram"},
	{.section = SECTION_LIMITS, .name = "helped-flows", .type = KEY_NUMBER,
	 MEMBER(limits_config, helped_flows), .fallback = "1024", .min = 16, .max = 65536,
	 .meaning = "connections that helpers read, or have announced, at one time"},
	{.section = SECTION_LIMITS, .name = "expectations", .type = KEY_NUMBER,
	 MEMBER(limits_config, expectations), .fallback = "1024", .min = 16, .max = 65536,
	 .meaning = "connections that helpers have announced and that have not come yet"},
	{.section = SECTION_LIMITS, .name = "domains", .type = KEY_NUMBER,
	 MEMBER(limits_config, domains), .fallback = "16384", .min = 64, .max = 1048576,
	 .meaning = "addresses remembered with the names that guests asked for, of all guests"},
	GUEST_LIMITS(SECTION_LIMITS, limits_config, "auto", "unlimited", NULL, "64", "100"),

	{.section = SECTION_NETWORK, .name = "subnet", .type = KEY_SUBNETS,
	 MEMBER(network_config, subnet4), SECOND(network_config, subnet6),
	 .meaning = "one IPv4 prefix, one IPv6 prefix, or both"},
	{.section = SECTION_NETWORK, .name = "gateway", .type = KEY_ADDRESSES,
	 MEMBER(network_config, gateway4), SECOND(network_config, gateway6),
	 .meaning = "the gateway's own addresses; default: the first of each prefix"},
	{.section = SECTION_NETWORK, .name = "mtu", .type = KEY_NUMBER, MEMBER(network_config, mtu),
	 .zero = "uplink", .fallback = "uplink", .min = 576, .max = 65535,
	 .meaning = "bytes of the largest packet to and from guests"},
	{.section = SECTION_NETWORK, .name = "clones", .type = KEY_BOOL,
	 MEMBER(network_config, clones), .fallback = "no",
	 .meaning = "links of the network may have the same address"},
	{.section = SECTION_NETWORK, .name = "dns", .type = KEY_BOOL, MEMBER(network_config, dns),
	 .fallback = "yes", .reloadable = true,
	 .meaning = "the gateway address answers DNS"},
	{.section = SECTION_NETWORK, .name = "dns-server", .type = KEY_DNS_SERVERS,
	 MEMBER(network_config, names), .reloadable = true,
	 .meaning = "resolvers that are asked; default: the host's, from /etc/resolv.conf"},
	{.section = SECTION_NETWORK, .name = "dns-zone", .type = KEY_DNS_ZONE,
	 MEMBER(network_config, names), .reloadable = true,
	 .meaning = "a zone and the servers that are asked for names in it"},
	{.section = SECTION_NETWORK, .name = "dns-name", .type = KEY_DNS_NAME,
	 MEMBER(network_config, names), .reloadable = true,
	 .meaning = "a name and its address"},
	{.section = SECTION_NETWORK, .name = "dns-rebind", .type = KEY_BOOL,
	 MEMBER(network_config, names.rebind), .fallback = "no", .reloadable = true,
	 .meaning = "names of the internet may have private addresses"},
	{.section = SECTION_NETWORK, .name = "dns-rebind-allow", .type = KEY_DNS_DOMAINS,
	 MEMBER(network_config, names), .reloadable = true,
	 .meaning = "zones whose names may have private addresses all the same"},
	{.section = SECTION_NETWORK, .name = "dns-names", .type = KEY_CHOICE,
	 MEMBER(network_config, dns_names), .choices = ASKED_NAMES, .fallback = "any",
	 .reloadable = true,
	 .meaning = "names that guests may ask for: all, or those that rules with `to domain` accept"},
	{.section = SECTION_NETWORK, .name = "dns-direct", .type = KEY_CHOICE,
	 MEMBER(network_config, dns_direct), .choices = DIRECT_NAMES, .fallback = "allow",
	 .reloadable = true, .meaning = "what happens to DNS with others than the gateway"},
	{.section = SECTION_NETWORK, .name = "host-link", .type = KEY_HOST_LINK,
	 MEMBER(network_config, host.device), .reloadable = true,
	 .meaning = "an interface by which the host reaches the guests, as one of them"},
	{.section = SECTION_NETWORK, .name = "host-address", .type = KEY_ADDRESSES,
	 MEMBER(network_config, host.address4), SECOND(network_config, host.address6),
	 .reloadable = true, .meaning = "the host's addresses there; default: the last ones"},
	{.section = SECTION_NETWORK, .name = "host-service", .type = KEY_SERVICE,
	 MEMBER(network_config, host.services), .reloadable = true,
	 .meaning = "ports of the gateway that lead to programs on the host's loopback"},
	{.section = SECTION_NETWORK, .name = "dhcp", .type = KEY_BOOL,
	 MEMBER(network_config, dhcp), .fallback = "yes", .reloadable = true,
	 .meaning = "guests of Ethernet links get their IPv4 addresses by DHCP: RFC 2131"},
	{.section = SECTION_NETWORK, .name = "lease-time", .type = KEY_SECONDS,
	 MEMBER(network_config, lease_time_s), .fallback = "12h", .min = 60, .max = 365 * DAYS,
	 .reloadable = true, .meaning = "for how long DHCP gives an address"},
	{.section = SECTION_NETWORK, .name = "address-pool", .type = KEY_POOL,
	 MEMBER(network_config, address_pool), .reloadable = true,
	 .meaning = "IPv4 addresses that DHCP gives; default: all of the subnet"},
	{.section = SECTION_NETWORK, .name = "lease", .type = KEY_LEASE,
	 .offset = offsetof(struct network_config, reservations), .reloadable = true,
	 .meaning = "the address that DHCP gives to one MAC address, and to nobody else"},
	{.section = SECTION_NETWORK, .name = "route", .type = KEY_ROUTE,
	 MEMBER(network_config, routes), .reloadable = true,
	 .meaning = "another route that DHCP tells guests of: RFC 3442"},
	{.section = SECTION_NETWORK, .name = "domain", .type = KEY_DOMAIN,
	 MEMBER(network_config, domain), .reloadable = true,
	 .meaning = "the domain that guests are in; default: the network's name"},
	{.section = SECTION_NETWORK, .name = "ra", .type = KEY_BOOL, MEMBER(network_config, ra),
	 .fallback = "yes", .reloadable = true,
	 .meaning = "guests of Ethernet links are sent router advertisements: RFC 4861"},
	{.section = SECTION_NETWORK, .name = "dhcp6", .type = KEY_BOOL,
	 MEMBER(network_config, dhcp6), .fallback = "no", .reloadable = true,
	 .meaning = "guests of Ethernet links may get IPv6 addresses by DHCPv6: RFC 8415"},
	{.section = SECTION_NETWORK, .name = "isolate", .type = KEY_BOOL,
	 MEMBER(network_config, isolate), .fallback = "yes", .reloadable = true,
	 .meaning = "guests of the network do not reach each other"},
	{.section = SECTION_NETWORK, .name = "owner", .type = KEY_USER,
	 MEMBER(network_config, owner), .reloadable = true,
	 .meaning = "user who administers the network without being root"},
	{.section = SECTION_NETWORK, .name = "owner-group", .type = KEY_GROUP,
	 MEMBER(network_config, owner_group), .reloadable = true,
	 .meaning = "group whose members administer the network"},
	{.section = SECTION_NETWORK, .name = "forward-ports", .type = KEY_PORT_SET,
	 MEMBER(network_config, forward_ports), .min = 1, .max = 65535, .reloadable = true,
	 .meaning = "ports of the host that the owner may publish; default: none"},
	{.section = SECTION_NETWORK, .name = "ports", .type = KEY_PORTS,
	 MEMBER(network_config, ports), .min = 1024, .max = 65535, .reloadable = true,
	 .meaning = "external ports of this network alone; default: those that no network has"},
	NETWORK_LIMIT("flows", KEY_NUMBER, flows, "auto", 1, 4194304,
		"connections of all guests of the network together"),
	NETWORK_LIMIT("half-open", KEY_NUMBER, half_open, "auto", 1, 4194304,
		"of these, half open at one time"),
	NETWORK_LIMIT("new-flows-per-second", KEY_NUMBER, new_flows_per_second, "unlimited", 1,
		10000000, "new connections of all guests together, and as many to them"),
	NETWORK_LIMIT("packets-per-second", KEY_NUMBER, packets_per_second, "unlimited", 1,
		1000000000, "packets from all guests together, and as many to them"),
	NETWORK_LIMIT("bytes-per-second", KEY_BYTES, bytes_per_second, "unlimited", 1000, UINT32_MAX,
		"bytes from all guests together, and as many to them"),
	NETWORK_LIMIT("links", KEY_NUMBER, links, "auto", 1, CONFIG_LINKS_MAX,
		"links that the owner may attach"),
	NETWORK_LIMIT("forwards", KEY_NUMBER, forwards, "auto", 1, CONFIG_FORWARDS_MAX,
		"forwards that the owner may publish"),
	{.section = SECTION_NETWORK, .name = "filtering", .type = KEY_CHOICE,
	 MEMBER(network_config, filtering), .choices = FILTERING_NAMES,
	 .fallback = "address-and-port", .reloadable = true,
	 .meaning = "who may send to a port that a guest's connections use: RFC 4787 REQ-8"},
	{.section = SECTION_NETWORK, .name = "mapping", .type = KEY_CHOICE,
	 MEMBER(network_config, mapping), .choices = MAPPING_NAMES, .fallback = "adaptive",
	 .reloadable = true, .meaning = "whether guests share external ports when they run short"},
	{.section = SECTION_NETWORK, .name = "hairpin", .type = KEY_BOOL,
	 MEMBER(network_config, hairpin), .fallback = "yes", .reloadable = true,
	 .meaning = "guests reach guests by external addresses: RFC 4787 REQ-9"},
	{.section = SECTION_NETWORK, .name = "port-block", .type = KEY_NUMBER,
	 MEMBER(network_config, port_block), .zero = "off", .fallback = "off", .min = 4,
	 .max = 16384, .reloadable = true,
	 .meaning = "external ports of each guest, told by its address: RFC 7422"},
	{.section = SECTION_NETWORK, .name = "nat64", .type = KEY_NAT64,
	 MEMBER(network_config, nat64), .fallback = "no", .reloadable = true,
	 .meaning = "IPv6 prefix through which guests reach IPv4: RFC 6146; yes: 64:ff9b::/96"},
	{.section = SECTION_NETWORK, .name = "dns64", .type = KEY_BOOL,
	 MEMBER(network_config, dns64), .fallback = "yes", .reloadable = true,
	 .meaning = "with nat64: names without IPv6 addresses get some in its prefix: RFC 6147"},
	GUEST_LIMITS(SECTION_NETWORK, network_config, "default", "default", "default", "default", "default"),

	{.section = SECTION_LINK, .name = "kind", .type = KEY_CHOICE, MEMBER(link_config, kind),
	 .choices = KIND_NAMES, .fallback = "netns", .meaning = "how the guest is attached"},
	{.section = SECTION_LINK, .name = "network", .type = KEY_NETWORK,
	 MEMBER(link_config, network),
	 .meaning = "the network it belongs to; default: the only one there is"},
	{.section = SECTION_LINK, .name = "address", .type = KEY_ADDRESSES,
	 MEMBER(link_config, address4), SECOND(link_config, address6),
	 .meaning = "the guest's addresses; default: free ones of the subnet"},
	{.section = SECTION_LINK, .name = "netns", .type = KEY_NETNS, MEMBER(link_config, netns),
	 .meaning = "the guest's network namespace: NAME, /PATH or pid:N"},
	{.section = SECTION_LINK, .name = "device", .type = KEY_INTERFACE,
	 MEMBER(link_config, device),
	 .meaning = "name of the interface; default: eth0 in a netns, tg-LINK for a tun or tap"},
	{.section = SECTION_LINK, .name = "guests", .type = KEY_CHOICE, MEMBER(link_config, guests),
	 .choices = GUESTS_NAMES, .fallback = "auto",
	 .meaning = "behind an Ethernet link: one guest, or many; auto: many on a bridge"},
	{.section = SECTION_LINK, .name = "mac", .type = KEY_MAC, MEMBER(link_config, mac),
	 .meaning = "the only MAC address that the guest may have; default: any"},
	{.section = SECTION_LINK, .name = "bridge", .type = KEY_INTERFACE,
	 MEMBER(link_config, bridge), .meaning = "the host's bridge that a tap joins"},
	{.section = SECTION_LINK, .name = "socket", .type = KEY_PATH, MEMBER(link_config, socket),
	 .meaning = "path of the unix socket that QEMU connects to"},
	{.section = SECTION_LINK, .name = "socket-mode", .type = KEY_CHOICE,
	 MEMBER(link_config, socket_mode), .choices = SOCKET_NAMES, .fallback = "stream",
	 .meaning = "how QEMU speaks on it: -netdev stream or dgram"},

	{.section = SECTION_FILTER, .name = "policy", .type = KEY_CHOICE, MEMBER(rules, policy),
	 .choices = POLICY_NAMES, .reloadable = true,
	 .meaning = "what happens to packets that no rule matches"},
	{.section = SECTION_FILTER, .name = "rule", .type = KEY_RULE, .reloadable = true,
	 .meaning = "one rule; the first that matches decides"},
	{.section = SECTION_CHAIN, .name = "rule", .type = KEY_RULE,
	 MEMBER(chain_config, rules), .reloadable = true,
	 .meaning = "one rule of a chain that others jump to"},

	NAT_KEY("masquerade", NAT_MASQUERADE, "connections that leave with the host's address"),
	NAT_KEY("no-masquerade", NAT_NO_MASQUERADE,
		"connections that leave with the guest's own address"),
	NAT_KEY("snat", NAT_SNAT, "connections that leave with these addresses and ports"),
	NAT_KEY("dnat", NAT_DNAT, "connections that go to these guests, in turn"),
	NAT_KEY("no-dnat", NAT_NO_DNAT, "connections that go where they are addressed to"),
	NAT_KEY("redirect", NAT_REDIRECT, "connections that a proxy takes"),
	NAT_KEY("map", NAT_MAP, "one address outside for each address inside"),
	NAT_KEY("npt", NAT_NPT, "one IPv6 prefix for another: RFC 6296"),
};
/* clang-format on */

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))
static_assert(KEY_COUNT <= KEYS_MAX, "whoever remembers which keys were seen has room for all");

const struct key *keys_all(unsigned *count)
{
	*count = KEY_COUNT;
	return keys;
}

int key_find(enum section_id section, const char *name, const struct sentence *why)
{
	char known[CHOICES_SIZE] = "";

	for (unsigned i = 0; i < KEY_COUNT; i++) {
		if (keys[i].section != section)
			continue;
		if (strcmp(keys[i].name, name) == 0)
			return (int)i;
		choices_add(known, keys[i].name);
	}
	refuse_choice(why, "key", name, known);
	return -1;
}

enum section_label section_label(enum section_id section)
{
	if (section == SECTION_NETWORK || section == SECTION_LINK || section == SECTION_CHAIN)
		return LABEL_NAME;
	return section == SECTION_FILTER ? LABEL_CHAIN : LABEL_NONE;
}

void *section_base(struct config *config, enum section_id section, unsigned chain)
{
	switch (section) {
	case SECTION_GATEWAY:
		return &config->gateway;
	case SECTION_TIMEOUTS:
		return &config->timeouts;
	case SECTION_LIMITS:
		return &config->limits;
	case SECTION_FILTER:
		return &config->chains[chain];
	case SECTION_NAT:
		return &config->nat;
	default: /* networks, links and chains have one struct each, sets and forwards none */
		return NULL;
	}
}

void keys_defaults(struct config *config, enum section_id section, void *base)
{
	char text[SENTENCE_SIZE];
	const struct sentence why = {text, sizeof(text)};

	for (unsigned i = 0; i < KEY_COUNT; i++) {
		if (keys[i].section == section && keys[i].fallback != NULL)
			value_parse(config, &keys[i], 0, keys[i].fallback, base, &why);
	}
}
