/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message: DNS messages as they are on the wire (RFC 1035, RFC 6891): read without being taken
 * apart, and written anew where we answer ourselves.
 *
 * A message that is passed on stays the bytes that came, so types, classes and options that nobody
 * here has heard of pass unchanged.
 */
#ifndef TUNGATE_DNS_MESSAGE_H
#define TUNGATE_DNS_MESSAGE_H

#include "dns/name.h"

#define DNS_HEADER_BYTES 12
#define DNS_MESSAGE_MAX  65535
#define DNS_UDP_MIN      512  /* what any client takes */
#define DNS_UDP_SIZE     1232 /* what we take: no fragments on any path */
#define DNS_UDP_MAX      4096 /* what we send over IPv4, to clients that take it */

#define DNS_QR     0x8000
#define DNS_OPCODE 0x7800
#define DNS_AA     0x0400
#define DNS_TC     0x0200
#define DNS_RD     0x0100
#define DNS_RA     0x0080
#define DNS_AD     0x0020
#define DNS_CD     0x0010
#define DNS_RCODE  0x000f

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16,
};
enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_AAAA = 28,
	DNS_OPT = 41,
	DNS_DNAME = 39,
	DNS_SVCB = 64,
	DNS_HTTPS = 65,
	DNS_TKEY = 249,
	DNS_IXFR = 251,
	DNS_AXFR = 252,
	DNS_ANY = 255,
};
#define DNS_IN 1

/* RFC 8914: why an answer is what it is. */
enum dns_ede {
	EDE_NONE = -1,
	EDE_BLOCKED = 15,
	EDE_FILTERED = 17,
	EDE_NO_REACHABLE_AUTHORITY = 22,
	EDE_NETWORK_ERROR = 23,
};

/* ---- reading ---- */

enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

struct dns_message {
	const uint8_t *bytes;
	size_t length; /* without what stands behind the last record */
	uint16_t id, flags;
	uint16_t count[DNS_SECTIONS];
	/* The only question. */
	struct dns_name name;
	uint16_t type, class;
	size_t records;               /* where they begin */
	size_t section[DNS_SECTIONS]; /* where each begins */
	bool edns;                    /* there is an OPT record: */
	bool dnssec_ok;
	uint8_t version, extended_rcode;
	uint16_t udp_size;
	size_t opt; /* where it begins */
};

struct dns_record {
	struct dns_name owner;
	uint16_t type, class;
	uint32_t ttl;
	uint8_t section; /* enum dns_section */
	size_t start, ttl_at, data_at, end;
};

/* Check and read a whole message.  0; or -EINVAL for what is none (nothing is filled but the
 * header where there is one); or -EBADMSG for a message that has a header and a question and is
 * bad behind it, or has not exactly one question. */
int dns_message_parse(const uint8_t *bytes, size_t length, struct dns_message *message);
/* The records one after the other; *cursor starts at 0. */
struct dns_cursor {
	size_t at;
	unsigned index;
};
bool dns_record_next(
	const struct dns_message *message, struct dns_cursor *cursor, struct dns_record *record);
/* The address of an A or AAAA record of class IN; false where it is none. */
bool dns_record_address(const struct dns_message *message, const struct dns_record *record,
	uint8_t *family, union addr *address);
/* The addresses that the answer gives for the question's name, aliases followed, each with the
 * least TTL on the way; of a few hundred records, however many somebody puts into his zone. */
typedef void dns_address_seen(
	void *context, uint8_t family, const union addr *address, uint32_t ttl_s);
void dns_message_addresses(
	const struct dns_message *message, dns_address_seen *seen, void *context);
/* How long the message may be remembered, in seconds: the least TTL, of a negative answer that of
 * the SOA record (RFC 2308); 0: not at all. */
uint32_t dns_message_ttl(const struct dns_message *message);

/* Take the OPT record away, which is between us and whom it came from (and what stands behind it:
 * signatures of the transaction).  `bytes` are the message's. */
void dns_message_drop_opt(struct dns_message *message, uint8_t *bytes);

/* ---- writing ---- */

struct dns_writer {
	uint8_t *bytes;
	size_t size, length;
	bool full; /* something did not fit */
};

static inline uint16_t dns_get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}
static inline uint32_t dns_get32(const uint8_t *bytes)
{
	return (uint32_t)dns_get16(bytes) << 16 | dns_get16(bytes + 2);
}
static inline void dns_put16(uint8_t *bytes, unsigned value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}
static inline void dns_put32(uint8_t *bytes, uint32_t value)
{
	dns_put16(bytes, value >> 16);
	dns_put16(bytes + 2, value & 0xffff);
}

/* Header and question; `name` is in wire format, in whatever case, of `name_length` bytes. */
void dns_write_question(struct dns_writer *writer, uint16_t id, uint16_t flags, const uint8_t *name,
	size_t name_length, uint16_t type, uint16_t class);
/* A record of class IN in a section, which must not be before that of the last one.  `owner` NULL:
 * the question's name. */
void dns_write_record(struct dns_writer *writer, enum dns_section section,
	const struct dns_name *owner, uint16_t type, uint32_t ttl, const void *data,
	size_t data_length);
void dns_write_address(struct dns_writer *writer, const struct dns_name *owner, uint8_t family,
	const union addr *address, uint32_t ttl);
/* The SOA record of a zone of ours, in the authority section. */
void dns_write_soa(struct dns_writer *writer, const struct dns_name *zone, uint32_t ttl);
/* An OPT record, with an extended error where there is one. */
void dns_write_opt(struct dns_writer *writer, uint16_t udp_size, uint8_t extended_rcode,
	bool dnssec_ok, int ede, const char *text);

#endif
