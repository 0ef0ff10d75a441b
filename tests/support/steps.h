/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steps: stories told to the engine, a packet a line, in the words of describe.h with a zone before
 * them and with the lab's places for addresses:
 *
 *	{"guest udp guest:5000 > server:53", "uplink udp host:$a > server:53"},
 *	{"uplink udp server:53 > host:$a", "guest udp server:53 > guest:5000"},
 *	{"wait 30"},
 *	{"uplink udp server:53 > host:$a", "drop not-for-us"},
 *
 * A step says what goes in, what comes out of it (the packet translated, or a reason to drop it),
 * and what the engine answers (nothing, where nothing is said).  What is not mentioned of a packet
 * that comes out may be anything, except that it must be sound (packet_fault()), with one hop less.
 * $a to $z are ports and identifiers: the first mention learns them, and two of them are never the
 * same.  ICMP errors have names that mean the right type for the family: port-unreachable,
 * host-unreachable, net-unreachable, prohibited, time-exceeded, too-big MTU.
 *
 * Some steps are deeds; `out` is then what they say:
 *
 *	wait SECONDS
 *	flows, ports, expectations, states, routes, drops REASON, events
 *	forward tcp [PLACE:]8080[-8089] [NETWORK/]guest:80, unforward the same
 *	address-new PLACE, address-lost PLACE, link-lost NAME
 *	learn LINK PLACE, forget LINK PLACE an address that its guest takes besides; 0, or -errno
 *	route PLACE none|PLACE [PATH]      and that routes have changed
 *	rules SECTIONS                     a new ruleset
 *	counted CHAIN INDEX                packets that a rule has seen
 *	logged                             lines of rules, and the last one's words
 *	told LINK NAME PLACE TTL [ASKER]   the DNS gives a guest an address for a name
 *	domains LINK                       names that hold, `!` behind what no rule allows, seconds
 *	limits SECTIONS                    new limits
 *	refused PLACE WHAT                 what the guest was refused
 *	has PLACE flows|half_open|ports    what it has
 */
#ifndef TUNGATE_TESTS_STEPS_H
#define TUNGATE_TESTS_STEPS_H

#include <criterion/criterion.h>
#include "lab.h"

/* A step says as little as it needs to. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct step {
	const char *in;
	const char *out;
	const char *answer;
};

/* Play steps up to one without `in`. */
void steps_play(struct lab *lab, const struct step *steps);
/* The packet of a step that sends one, ready for lab_send(). */
struct packet *steps_packet(struct lab *lab, const char *in);
/* The whole story in a lab of its own, for each family that the options name. */
void story_play(const struct lab_options *options, const struct step *steps);

#define LAB(...) (&(const struct lab_options){__VA_ARGS__})
#define STORY(suite, name, lab_options, ...)                                                       \
	Test(suite, name)                                                                          \
	{                                                                                          \
		static const struct step steps[] = {__VA_ARGS__, {NULL, NULL, NULL}};              \
		story_play(lab_options, steps);                                                    \
	}

#endif
