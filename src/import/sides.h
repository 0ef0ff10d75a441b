/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sides: which side of the gateway each interface of the rules is: a network of its own, or the
 * uplink.
 *
 * What the user says comes first.  Otherwise the interface by which translated packets leave is the
 * uplink, and every other one has a network behind it, whose subnet is looked for in the addresses
 * that rules name together with it.
 */
#ifndef TUNGATE_IMPORT_SIDES_H
#define TUNGATE_IMPORT_SIDES_H

#include "config/words.h"
#include "import/import.h"
#include "import/save.h"
#include "tungate/config.h"

#define INTERFACE_SIZE 16

struct side {
	char interface[INTERFACE_SIZE]; /* empty: no rule names it */
	char network[CONFIG_NAME_SIZE]; /* empty: the uplink */
	struct prefix subnet;           /* family 0: not told */
	bool guessed;                   /* the user did not say which side it is */
	bool subnet_guessed;            /* made up around a guest's address, or altogether */
};

struct sides {
	uint8_t family;
	struct side side[IMPORT_SIDES_MAX];
	unsigned count;
};

/* Find all interfaces of `save`.  Returns false after a remark about the options. */
bool sides_find(struct sides *sides, const struct import_options *options, const struct save *save,
	struct remarks *remarks);

bool side_is_uplink(const struct side *side);
/* The network that contains an address, or NULL. */
const struct side *sides_network_of(const struct sides *sides, const union addr *address);
/* The only network, or NULL. */
struct side *sides_single(struct sides *sides);

/*
 * What `in` and `out` say for an interface as iptables writes it ("eth0", "br-+"), which may be
 * negated: "home", "not home", "uplink", "lan", "any".  False with the reason where it is several
 * sides and not all.
 */
bool sides_name(const struct sides *sides, const char *pattern, bool negated, char name[WORD_SIZE],
	const struct sentence *why);

/* A name of our own made of a text: only bytes that a name may have, and no word with a meaning. */
void sides_label(const char *text, char name[CONFIG_NAME_SIZE]);

/* An address with an optional mask, as iptables has them; false where it is none. */
bool sides_prefix(const char *text, struct prefix *prefix, union addr *address);

#endif
