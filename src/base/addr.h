/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr: IPv4 and IPv6 addresses, prefixes and address ranges of ports, in one type for both
 * families.
 *
 * A union addr holds an IPv4 address in its first four bytes with the other twelve zero, so that
 * two addresses of one family compare with addr_equal() whatever the family is.  Addresses are
 * always in network byte order; the family travels beside them (AF_INET or AF_INET6 as uint8_t).
 */
#ifndef TUNGATE_BASE_ADDR_H
#define TUNGATE_BASE_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h> /* AF_INET, AF_INET6 */

typedef uint16_t be16; /* network byte order */
typedef uint32_t be32; /* network byte order */

union addr {
	uint8_t bytes[16];
	be16 words[8];
	be32 v4; /* the other twelve bytes are zero */
	uint64_t halves[2];
};

/* An address block.  The host bits of `base` are zero. */
struct prefix {
	union addr base;
	uint8_t family;
	uint8_t length; /* bits: 0 to 32 or 128 */
};

/* The addresses from `first` to `last`, both included. */
struct addr_range {
	union addr first, last;
	uint8_t family;
};

/* An inclusive range of ports, host byte order. */
struct port_range {
	uint16_t first;
	uint16_t last;
};

/* Several of them, the lowest first, none overlapping another. */
#define PORT_RANGES_MAX 8
struct port_list {
	uint8_t count;
	struct port_range range[PORT_RANGES_MAX];
};
/* Space for the text of a list, with its NUL. */
#define PORT_LIST_TEXT_SIZE (PORT_RANGES_MAX * sizeof("65535-65535"))

/* Space for the longest text of an address or prefix with its NUL ("[v6]:port" fits too), and of a
 * range. */
#define ADDR_TEXT_SIZE       56
#define ADDR_RANGE_TEXT_SIZE (2 * ADDR_TEXT_SIZE)

static inline bool addr_equal(const union addr *a, const union addr *b)
{
	return a->halves[0] == b->halves[0] && a->halves[1] == b->halves[1];
}

static inline bool addr_is_zero(const union addr *a)
{
	return (a->halves[0] | a->halves[1]) == 0;
}

/* Bits of an address of this family: 32 or 128. */
static inline uint8_t addr_bits(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

/* Build an IPv4 address from host-order octets, for constants and tests. */
union addr addr_v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);

/* Parse "192.0.2.1" or "2001:db8::1".  Returns false, and leaves the outputs alone, on anything
 * else (surrounding blanks included). */
bool addr_parse(const char *text, union addr *address, uint8_t *family);

/* Parse "10.0.0.0/8", or an address alone (a full-length prefix).  Returns NULL on success, else
 * a static sentence that says what is wrong: "host bits are set" among them. */
const char *prefix_parse(const char *text, struct prefix *prefix);

/* As prefix_parse(), but host bits may be set: `address` receives the whole address
 * ("10.77.0.5/24" gives 10.77.0.5 and 10.77.0.0/24). */
const char *prefix_parse_address(const char *text, struct prefix *prefix, union addr *address);

/* Text of an address / prefix in `buffer` of ADDR_TEXT_SIZE bytes; returns `buffer`. */
char *addr_format(uint8_t family, const union addr *address, char *buffer);
char *prefix_format(const struct prefix *prefix, char *buffer);
/* "192.0.2.1:80", "[2001:db8::1]:80"; `port` in host byte order. */
char *addr_port_format(uint8_t family, const union addr *address, uint16_t port, char *buffer);

/* Parse "10.0.0.0/8", an address alone, or "10.0.0.3-10.0.0.9".  Returns NULL on success, else a
 * static sentence. */
const char *addr_range_parse(const char *text, struct addr_range *range);
/* Its text in `buffer` of ADDR_RANGE_TEXT_SIZE bytes, as a prefix where it is one; returns
 * `buffer`. */
char *addr_range_format(const struct addr_range *range, char *buffer);
struct addr_range addr_range_of(const struct prefix *prefix);

/* Negative, zero or positive: the order of addresses of one family as numbers. */
static inline int addr_compare(const union addr *a, const union addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

static inline bool addr_range_contains(
	const struct addr_range *range, uint8_t family, const union addr *address)
{
	return range->family == family && addr_compare(&range->first, address) <= 0 &&
	       addr_compare(address, &range->last) <= 0;
}

/* How many addresses a range has, at most UINT64_MAX; the n-th of them (n below that). */
uint64_t addr_range_count(const struct addr_range *range);
union addr addr_range_at(const struct addr_range *range, uint64_t n);

bool prefix_contains(const struct prefix *prefix, uint8_t family, const union addr *address);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);
/* The n-th address of a prefix (n = 0 is the base); n must lie inside it. */
union addr prefix_address(const struct prefix *prefix, uint64_t n);

/* How many ports a list has; the n-th of them (n below that). */
uint32_t port_list_size(const struct port_list *list);
uint16_t port_list_at(const struct port_list *list, uint32_t n);
bool port_list_has(const struct port_list *list, uint16_t port);
bool port_list_overlaps(const struct port_list *list, struct port_range range);
/* Take the ports of `other` off a list; false where more than PORT_RANGES_MAX ranges would be left.
 */
bool port_list_subtract(struct port_list *list, const struct port_list *other);
/* "61000-61499,63000-63499" in `text` of PORT_LIST_TEXT_SIZE bytes; returns `text`. */
char *port_list_format(const struct port_list *list, char *text);

/* Kinds of addresses.  0/8 but for 0.0.0.0 itself, and 240/4 but for the broadcast address, are
 * ordinary ones, as they are to the kernel. */
bool addr_is_multicast(uint8_t family, const union addr *address);
bool addr_is_loopback(uint8_t family, const union addr *address);   /* 127/8, ::1 */
bool addr_is_link_local(uint8_t family, const union addr *address); /* 169.254/16, fe80::/10 */
/* Nobody's on the wire, as a source or in unicast as a destination: unspecified, loopback,
 * multicast, IPv4 limited broadcast, IPv6 addresses that stand for an IPv4 one in a program (mapped
 * and compatible: RFC 4291, 2.5.5; RFC 4942, 2.2). */
bool addr_is_martian(uint8_t family, const union addr *address);

#endif
