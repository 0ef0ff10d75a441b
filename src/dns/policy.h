/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy: what the DNS forwarder asks and tells whoever decides about names.  It knows neither
 * rules nor the engine: the daemon fills this in (daemon/domains.h).
 *
 * A name is that of the question, in lower case, without the final dot, at most 253 characters;
 * bytes that are not letters, digits, `-` or `_` as DNS presents them (`\@`, `\007`), a dot within
 * a label as `\046`: so each dot in the text is between two labels.
 */
#ifndef TUNGATE_DNS_POLICY_H
#define TUNGATE_DNS_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/addr.h"
#include "tungate/packet.h"

/* Who asks. */
struct dns_asker {
	zone_id zone; /* the link; ZONE_NONE: not known */
	uint16_t network;
	uint8_t family;
	union addr address; /* where it asks from */
};

struct dns_policy {
	void *context;
	/* May this client have an answer for this name?  Asked once for each question, before the
	 * cache.  False: the client is told NXDOMAIN at once (RFC 8914 error 17, "Filtered"), and
	 * the refusal has been counted and logged here. */
	bool (*may_resolve)(void *context, const struct dns_asker *asker, const char *name);
	/* An address that an answer to `name` gives this client, aliases (CNAME) followed, and for
	 * how long: the least TTL of the chain.  Once for each address, before the answer is sent,
	 * from the cache too; what DNS64 has made is told as the client will see it. */
	void (*resolved)(void *context, const struct dns_asker *asker, const char *name,
		uint8_t family, const union addr *address, uint32_t ttl_s);
};

#endif
