/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domains: which addresses guests have been given for which names; what `to domain` looks at.
 *
 * A record is (guest, address, name) and how long it holds.  It is made when an answer of the
 * gateway's DNS gives a guest the address, before the guest has it, and found by guest and address:
 * what one guest has asked for opens nothing to another.  A guest is a link; behind a link for a
 * whole subnet it is the address that has asked, or all of the link where the answer is of the
 * other family, since nothing tells which address of that is the same guest's.  Names are kept as
 * they are, and compared with the rules' patterns when a rule is asked; so a reload with other
 * patterns finds all that was learnt before it, and an address that several names lead to is open
 * if one of them is allowed.
 *
 * Time.  A record holds for the answer's TTL, at least `domain` of [timeouts] and at most
 * DOMAIN_TTL_MAX_S.  After that no connection begins by it, but it is kept: those that live are
 * compared with it whether it still holds or not, so that neither its end nor a reload breaks one;
 * and the log names the domain of what is refused.
 *
 * Room.  All memory is taken at the start.  When it is used up, the oldest record of the guest that
 * has most of them gives way, so that a guest with its fair share never loses any to others.  An
 * address has at most DOMAIN_NAMES_MAX names with one guest.
 */
#ifndef TUNGATE_ENGINE_DOMAINS_H
#define TUNGATE_ENGINE_DOMAINS_H

#include "base/domain.h"
#include "base/siphash.h"
#include "base/wheel.h"
#include "engine/index.h"
#include "tungate/engine.h"

#define DOMAIN_TTL_MAX_S (7 * 24 * 60 * 60) /* as RFC 8767, section 4, advises caches */
#define DOMAIN_NAMES_MAX 32

struct filter_query;

/* Who has records, for the sake of shares: each link; askers behind links for whole subnets by
 * their hash, so that a few of them may share. */
#define DOMAIN_ASKERS 1024
#define DOMAIN_OWNERS (ENGINE_LINKS_MAX + DOMAIN_ASKERS)

struct domain_record {
	union addr address;
	uint64_t expires_ms;
	struct wheel_node node; /* of its owner's list; its `next` leads to the next free record */
	union addr asker;       /* behind a link for a whole subnet; zero: any */
	uint16_t owner;
	zone_id zone; /* ZONE_NONE: free */
	uint8_t family;
	char name[DOMAIN_NAME_SIZE];
};

struct domains {
	struct domain_record *record;
	uint32_t max;
	uint32_t untouched; /* records from here on were never used */
	uint32_t free_head;
	struct index index; /* by zone, asker, family and address */
	struct wheel_slab slab;
	struct siphash_key key;
	struct {
		struct wheel_list oldest;
		uint32_t count;
	} owner[DOMAIN_OWNERS];
};

/* NULL: out of memory. */
struct domains *domains_create(uint32_t wanted, const struct siphash_key *key);
void domains_free(struct domains *domains);

/* Whether the packet's sender has been given its destination for a name that the rule says: 1 or 0;
 * -1 where it is no guest. */
int domains_match(
	const struct rule *rule, const struct set *sets, const struct filter_query *query);
/* The name that the packet's sender has got its destination for last, or NULL; `holds` (may be
 * NULL) tells whether it does still. */
const char *domains_name(const struct filter_query *query, bool *holds);
/* A link goes, or becomes another guest's. */
void domains_forget(struct domains *domains, zone_id zone);

#endif
