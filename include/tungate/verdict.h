/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict: what the engine decided about a packet, and the table of reasons to drop one.
 *
 * Every reason is a row here: its name in code, its name for users (`tungate drops`, metrics) and
 * one sentence for the man page.  A drop is counted by its reason and never logged.
 */
#ifndef TUNGATE_VERDICT_H
#define TUNGATE_VERDICT_H

enum verdict {
	VERDICT_DROP,  /* packet->drop says why; the buffer is the caller's again */
	VERDICT_SEND,  /* rewritten in place; packet->out_zone and packet->path say where it goes */
	VERDICT_LOCAL, /* for the gateway's own services on network packet->network */
	VERDICT_HELD,  /* a fragment before its time: the engine has a copy, the buffer is free */
};

#define TUNGATE_DROPS(X)                                                                           \
	/* parse */                                                                                \
	X(TRUNCATED, "truncated", "a length field points past the end of the packet")              \
	X(BAD_HEADER, "bad-header", "a header field holds an impossible value")                    \
	X(BAD_CHECKSUM, "bad-checksum", "an IP or ICMP checksum is wrong")                         \
	X(BAD_OFFLOAD, "bad-offload", "the virtio-net header contradicts the packet")              \
	X(BAD_FLAGS, "bad-flags", "TCP flags that no connection has (null, SYN+FIN, SYN+RST)")     \
	X(SOURCE_ROUTE, "source-route", "an IPv4 source route or an IPv6 type 0 routing header")   \
	X(FRAGMENT, "fragment", "a fragment that cannot be matched to its first part")             \
	/* addresses */                                                                            \
	X(MARTIAN, "martian", "an address that must not be forwarded (loopback, multicast ...)")   \
	X(SPOOFED, "spoofed", "the source is not an address of the link or side it came from")     \
	X(BOUNCE, "bounce", "from the uplink and addressed to something beyond the uplink")        \
	X(NOT_FOR_US, "not-for-us", "from the uplink, to no flow and no forward of ours")          \
	X(HOST, "host", "a guest addressed the host itself")                                       \
	X(NO_ROUTE, "no-route", "no route to the destination")                                     \
	X(NO_LINK, "no-link", "the guest's link is gone or unknown")                               \
	/* tracking */                                                                             \
	X(INVALID, "invalid", "not part of a valid connection (TCP state or window)")              \
	X(NO_FLOW, "no-flow", "an ICMP error or mid-stream segment that belongs to no flow")       \
	X(FLOWS_FULL, "flows-full", "the flow table is full")                                      \
	X(NO_PORT, "no-port", "no external port is free for the connection")                       \
	X(PROTOCOL, "protocol", "a protocol that address translation breaks (AH, DCCP)")           \
	X(GUEST_LIMIT, "guest-limit", "the guest has all the connections or ports that it may")    \
	X(RATE, "rate", "above the guest's packets or bytes per second")                           \
	/* policy */                                                                               \
	X(FILTER, "filter", "a rule or a chain's policy said drop")                                \
	X(REJECT, "reject", "a rule or a chain's policy said reject")                              \
	X(ICMP_TYPE, "icmp-type", "an ICMP type that is never forwarded (redirect ...)")           \
	X(HELPER, "helper", "a helper could not change the packet as it has to be, or refused it") \
	/* sending */                                                                              \
	X(TTL, "ttl", "the hop limit reached zero")                                                \
	X(TOO_BIG, "too-big", "larger than the outgoing MTU and not to be fragmented")             \
	X(NEIGHBOUR, "neighbour", "the next hop does not answer")                                  \
	X(SEND, "send", "the outgoing device refused the packet")

enum drop {
#define X(name, text, meaning) DROP_##name,
	TUNGATE_DROPS(X)
#undef X
		DROP_COUNT
};

/* The user's name and sentence of a reason; `drop` must be below DROP_COUNT. */
const char *drop_name(enum drop drop);
const char *drop_meaning(enum drop drop);

#endif
