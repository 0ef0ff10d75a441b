/* SPDX-License-Identifier: BSD-2-Clause */
/* domains: `to domain` opens what a guest has been told, to that guest, for as long as it holds. */
#include <stdio.h>
#include <string.h>
#include "../support/packets.h"
#include "../support/steps.h"
#include "engine/domains.h"
#include "engine/state.h"

/* clang-format off */

#define FORWARD "[filter forward]\npolicy = reject\nrule = accept state established,related\n"
/* Without a rule about what is established. */
#define BARE "[filter forward]\npolicy = drop\nrule = accept in uplink\n"

#define CALL(guest, port, to, outcome) {guest " tcp " guest ":" #port " > " to ":443 S", outcome}
#define RESET(guest, port, to)                                                                     \
	{guest " tcp " guest ":" #port " > " to ":443 S", "drop reject",                           \
		guest " tcp " to ":443 > " guest ":" #port " RA"}

STORY(domains, what_was_told_is_open,
	LAB(FORWARD "rule = accept in lab to domain *.debian.org,pypi.org proto tcp port 443\n"),
	RESET("guest", 4000, "server"),
	{"told guest deb.debian.org server 300"},
	CALL("guest", 4000, "server", "uplink tcp host:$a > server:443 S"),
	{"uplink tcp server:443 > host:$a SA ack 1", "guest tcp server:443 > guest:4000 SA"},
	/* ... at that port alone, by that protocol, and no other address */
	{"guest tcp guest:4001 > server:80 S", "drop reject",
		"guest tcp server:80 > guest:4001 RA"},
	{"guest udp guest:4001 > server:443", "drop reject",
		"guest icmp gateway > guest prohibited about udp guest:4001 > server:443"},
	RESET("guest", 4002, "server2"),
	{"domains guest", "deb.debian.org 300"},
	{"counted forward 1", "1"});

STORY(domains, names_that_no_rule_says,
	LAB(FORWARD "rule = accept in lab to domain *.debian.org,pypi.org\n"),
	{"told guest debian.org server 300"},
	{"told guest evildebian.org server 300"},
	{"told guest pypi.org.example server 300"},
	{"told guest files.pypi.org server 300"},
	{"domains guest", "debian.org! 300, evildebian.org! 300, pypi.org.example! 300, "
		"files.pypi.org! 300"},
	RESET("guest", 4000, "server"),
	{"told guest A.B.Debian.ORG server 300"},
	CALL("guest", 4000, "server", "uplink"));

STORY(domains, another_guest_s_question_opens_nothing,
	LAB(FORWARD "rule = accept to domain example.org\n"),
	{"told second example.org server 300"},
	RESET("guest", 4000, "server"),
	RESET("far", 4000, "server"),
	CALL("second", 4000, "server", "uplink"),
	{"link-lost second"},
	{"domains second", "nothing"});

/* Behind a link for a whole subnet a guest is an address. */
STORY(domains, guests_of_one_link,
	LAB(FORWARD "rule = accept to domain example.org\nrule = reject log \"no\"\n"),
	{"told wide example.org server 300 wide"},
	{"wide tcp wide:4000 > server:443 S", "uplink"},
	{"wide tcp wider:4000 > server:443 S", "drop reject", "wide tcp"},
	{"logged", "1 forward no in=wide out=uplink 443 suppressed 0"},
	{"told wide example.org server 300 wider"},
	{"wide tcp wider:4000 > server:443 S", "uplink"});

/* Which of its other family's addresses is the asker's, nothing tells. */
STORY(domains, guests_of_one_link_and_both_families,
	LAB(FORWARD "rule = accept to domain example.org\n", .families = LAB_IPV6, .network = "nat64 = yes\n"),
	{"told wide example.org v4.server 300 wide"},
	{"wide tcp 10.99.0.2:4000 > 198.51.100.1:443 S", "uplink"},
	{"wide tcp 10.99.0.3:4000 > 198.51.100.1:443 S", "uplink"});

STORY(domains, it_ends_and_what_lives_goes_on,
	LAB(FORWARD "rule = accept to domain example.org\n"),
	{"told guest example.org server 100"},
	CALL("guest", 4000, "server", "uplink tcp host:$a > server:443 S"),
	{"uplink tcp server:443 > host:$a SA ack 1", "guest"},
	{"guest tcp guest:4000 > server:443 A seq 1 ack 1", "uplink"},
	{"wait 99.999"},
	CALL("guest", 4001, "server", "uplink"),
	{"wait 0.001"},
	RESET("guest", 4002, "server"),
	{"domains guest", "nothing"},
	{"guest tcp guest:4000 > server:443 A seq 1 ack 1 len 10", "uplink"},
	{"rules " FORWARD "rule = accept to domain example.org\n"},
	{"guest tcp guest:4000 > server:443 A seq 11 ack 1 len 10", "uplink"},
	/* A SYN once more, and no answer yet: that connection began in time, too. */
	CALL("guest", 4001, "server", "uplink"),
	{"told guest example.org server 5"},
	CALL("guest", 4002, "server", "uplink"));

/* It needs no rule about established connections for that. */
STORY(domains, live_connections_match_though_it_has_ended,
	LAB(BARE "rule = accept to domain example.org\n"),
	{"told guest example.org server 100"},
	{"guest udp guest:4000 > server:443", "uplink udp host:$a > server:443"},
	{"uplink udp server:443 > host:$a", "guest"},
	{"wait 200"},
	{"rules " BARE "rule = accept to domain example.org\n"},
	{"guest udp guest:4000 > server:443", "uplink"},
	{"guest udp guest:4001 > server:443", "drop filter"},
	{"rules " BARE "rule = accept to domain example.com\n"},
	{"guest udp guest:4000 > server:443", "drop filter"});

STORY(domains, at_least_the_floor_at_most_a_week,
	LAB("[timeouts]\ndomain = 30\n" FORWARD "rule = accept to domain *\n"),
	{"told guest a server 0"},
	{"told guest b server2 31"},
	{"told guest c server3 4294967295"},
	{"domains guest", "a 30, b 31, c 604800"},
	{"told guest b server2 10"},
	{"domains guest", "a 30, b 31, c 604800"},
	{"wait 30"},
	RESET("guest", 4000, "server"),
	CALL("guest", 4000, "server2", "uplink"));

STORY(domains, several_names_for_one_address,
	LAB(FORWARD "rule = accept to domain good.example\n"),
	{"told guest bad.example server 300"},
	RESET("guest", 4000, "server"),
	{"told guest good.example server 60"},
	{"told guest worse.example server 300"},
	CALL("guest", 4000, "server", "uplink"),
	{"wait 60"},
	RESET("guest", 4001, "server"));

/* What was learnt counts for rules that come later. */
STORY(domains, a_reload_forgets_nothing,
	LAB(FORWARD),
	{"told guest www.example.org server 300"},
	RESET("guest", 4000, "server"),
	{"rules " FORWARD "rule = accept to domain *.example.org\n"},
	CALL("guest", 4000, "server", "uplink"),
	{"rules " FORWARD "rule = accept to domain example.org\n"},
	RESET("guest", 4001, "server"),
	{"rules [sets]\nallowed = pypi.org, *.Example.org\nnone = \n"
		FORWARD "rule = accept to domain @none,@allowed\n"},
	CALL("guest", 4001, "server", "uplink"));

STORY(domains, sets,
	LAB("[sets]\nallowed = example.com, *.b.example.org, *.x.example.org, *.org.uk\n"
	    FORWARD "rule = accept to domain @allowed\n"),
	{"told guest b.example.org server 300"},
	{"told guest org.uk server 300"},
	{"told guest ab.example.org server 300"},
	{"told guest www.example.com server 300"},
	RESET("guest", 4000, "server"),
	{"told guest a.c.b.example.org server 300"},
	CALL("guest", 4000, "server", "uplink"),
	{"told guest example.com server2 300"},
	CALL("guest", 4001, "server2", "uplink"));

STORY(domains, not_turns_it_around,
	LAB(FORWARD "rule = reject in lab out uplink to domain not example.org\n"
		"rule = accept in lab\n"),
	RESET("guest", 4000, "server"),
	{"told guest example.org server 300"},
	CALL("guest", 4000, "server", "uplink"),
	/* From the uplink nobody has been told anything: neither it nor its `not` holds. */
	{"forward tcp 8080 guest:80", "ok"},
	{"rules " FORWARD "rule = drop to domain not example.org\nrule = accept\n"},
	{"uplink tcp server:4000 > host:8080 S", "guest"});

STORY(domains, chains_of_the_user_s,
	LAB("[chain allowed]\nrule = accept to domain example.org proto tcp\n"
	    "[chain elsewhere]\nrule = accept to domain example.com\n"
	    FORWARD "rule = jump allowed in lab\nrule = jump elsewhere in far\n"),
	{"told guest example.org server 300"},
	{"told guest example.com server2 300"},
	{"domains guest", "example.org 300, example.com! 300"},
	CALL("guest", 4000, "server", "uplink"),
	RESET("guest", 4000, "server2"));

/* The log says which name it was that is refused, whether it still holds or not. */
STORY(domains, the_log_names_the_domain,
	LAB(FORWARD "rule = accept to domain good.example\nrule = reject log \"refused\"\n"),
	{"told guest bad.example server 60"},
	RESET("guest", 4000, "server"),
	{"logged", "1 forward refused in=guest out=uplink 443 suppressed 0 bad.example"},
	{"wait 100"},
	RESET("guest", 4000, "server"),
	{"logged", "2 forward refused in=guest out=uplink 443 suppressed 0 bad.example"},
	RESET("guest", 4000, "server2"),
	{"logged", "3 forward refused in=guest out=uplink 443 suppressed 0"});

/* With DNS64 the guest is told an address in the prefix; with CLAT it makes one itself. */
STORY(domains, nat64,
	LAB(FORWARD "rule = accept to domain example.org\nrule = reject log \"no\"\n",
		.families = LAB_IPV6, .network = "nat64 = yes\n"),
	{"guest tcp guest:4000 > nat64.server:443 S", "drop reject", "guest"},
	{"told guest example.org nat64.server 300"},
	{"guest tcp guest:4000 > nat64.server:443 S", "uplink tcp v4.host:$a > v4.server:443"},
	{"uplink tcp v4.server:443 > v4.host:$a SA ack 1", "guest tcp nat64.server:443 > guest:4000"},
	{"told guest example.org v4.server2 300"},
	{"guest tcp guest:4001 > nat64.server2:443 S", "uplink"},
	{"told guest other.example v4.server3 300"},
	{"guest tcp guest:4001 > nat64.server3:443 S", "drop reject", "guest"},
	{"logged", "2 forward no in=guest out=uplink 443 suppressed 0 other.example"});

/* A guest's own name, to another guest. */
STORY(domains, guests_by_name,
	LAB(FORWARD "rule = accept to domain *.lab\n"),
	RESET("guest", 4000, "second"),
	{"told guest second.lab second 300"},
	{"guest tcp guest:4000 > second:443 S", "second tcp guest:4000 > second:443 S"});

/* clang-format on */

/* ---- room ---- */

static union addr crowd_address(unsigned n)
{
	return addr_v4(100, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n);
}

/* Of a guest, or of an asker behind the link for a whole subnet. */
static void tell_asker(
	struct lab *lab, const char *link, uint8_t asker, unsigned first, unsigned count)
{
	char name[32];
	struct domain_answer answer = {
		.link = lab_zone(lab, link),
		.asker_family = AF_INET,
		.asker = addr_v4(10, 99, 0, asker),
		.name = name,
		.family = AF_INET,
		.ttl_s = 300,
	};

	for (unsigned n = first; n < first + count; n++) {
		snprintf(name, sizeof(name), "n%u.example", n);
		answer.address = crowd_address(n);
		engine_domain_learn(lab->engine, &answer, lab->now_ms);
	}
}

static void tell(struct lab *lab, const char *link, unsigned first, unsigned count)
{
	tell_asker(lab, link, 2, first, count);
}

static unsigned known(const struct lab *lab, const char *link)
{
	struct domain_info info;
	uint32_t cursor = 0;
	unsigned count = 0;

	while (engine_domain_next(lab->engine, &cursor, lab->now_ms, &info))
		count += info.link == lab_zone(lab, link);
	return count;
}

static bool knows(const struct lab *lab, const char *link, unsigned n)
{
	const union addr address = crowd_address(n);
	struct domain_info info;
	uint32_t cursor = 0;

	while (engine_domain_next(lab->engine, &cursor, lab->now_ms, &info))
		if (info.link == lab_zone(lab, link) && addr_equal(&info.address, &address))
			return true;
	return false;
}

#define SMALL LAB("[limits]\ndomains = 100\n" FORWARD)

Test(domains, whoever_has_most_gives_way)
{
	struct lab *lab = lab_open(AF_INET, SMALL);

	tell(lab, "guest", 0, 1000);
	cr_expect_eq(known(lab, "guest"), 100);
	cr_expect(knows(lab, "guest", 999) && knows(lab, "guest", 900));
	cr_expect_not(knows(lab, "guest", 899));
	tell(lab, "second", 0, 30);
	cr_expect_eq(known(lab, "guest"), 70);
	cr_expect_eq(known(lab, "second"), 30);
	tell(lab, "guest", 1000, 1000);
	cr_expect_eq(known(lab, "guest"), 70);
	cr_expect_eq(known(lab, "second"), 30, "nobody loses his fair share to another");
	tell(lab, "second", 0, 1); /* what is told again is new again */
	tell(lab, "second", 100, 40);
	cr_expect_eq(known(lab, "second"), 50);
	cr_expect(knows(lab, "second", 0) && !knows(lab, "second", 1));
	engine_link_remove(lab->engine, lab_zone(lab, "second"));
	cr_expect_eq(known(lab, "guest"), 50);
	tell(lab, "guest", 3000, 50);
	cr_expect_eq(known(lab, "guest"), 100);
	lab_close(lab);
}

static unsigned known_by(const struct lab *lab, const union addr *asker)
{
	struct domain_info info;
	uint32_t cursor = 0;
	unsigned count = 0;

	while (engine_domain_next(lab->engine, &cursor, lab->now_ms, &info))
		count += addr_equal(&info.asker, asker);
	return count;
}

Test(domains, shares_behind_one_link)
{
	struct lab *lab = lab_open(AF_INET, SMALL);
	const union addr quiet = addr_v4(10, 99, 0, 2), loud = addr_v4(10, 99, 0, 3);

	tell_asker(lab, "wide", 2, 0, 20);
	tell_asker(lab, "wide", 3, 0, 1000);
	cr_expect_eq(known_by(lab, &quiet), 20);
	cr_expect_eq(known_by(lab, &loud), 80);
	engine_link_remove(lab->engine, lab_zone(lab, "wide"));
	cr_expect_eq(known(lab, "wide"), 0);
	tell(lab, "guest", 0, 100);
	cr_expect_eq(known(lab, "guest"), 100);
	lab_close(lab);
}

static void learn(struct lab *lab, zone_id link, const char *name, uint32_t ttl_s)
{
	const struct domain_answer answer = {
		.link = link,
		.name = name,
		.family = AF_INET,
		.address = crowd_address(1),
		.ttl_s = ttl_s,
	};

	engine_domain_learn(lab->engine, &answer, lab->now_ms);
}

Test(domains, names_of_one_address)
{
	struct lab *lab = lab_open(AF_INET, SMALL);
	char name[32];

	for (unsigned n = 0; n < 2 * DOMAIN_NAMES_MAX; n++) {
		snprintf(name, sizeof(name), "n%u.example", n);
		learn(lab, lab_zone(lab, "guest"), name, 300 + n);
	}
	cr_expect_eq(known(lab, "guest"), DOMAIN_NAMES_MAX);
	lab_close(lab);
}

Test(domains, what_is_nothing_to_learn)
{
	static char long_name[300];
	struct lab *lab = lab_open(AF_INET, SMALL);
	const zone_id guest = lab_zone(lab, "guest");

	memset(long_name, 'x', sizeof(long_name) - 1);
	learn(lab, guest, long_name, 1);
	learn(lab, guest, "a b", 1);
	learn(lab, guest, "a\nb", 1);
	learn(lab, ZONE_UPLINK, "a", 1);
	learn(lab, ZONE_SERVICE(0), "a", 1);
	learn(lab, 99, "a", 1);
	for (unsigned owner = 0; owner < DOMAIN_OWNERS; owner++)
		cr_expect_eq(lab->engine->domains->owner[owner].count, 0);
	lab_close(lab);
}

/* ---- DNS with others ---- */

/* clang-format off */

#define DIRECT(how) "dns-direct = " how "\n"

STORY(domains, direct_dns_is_forbidden,
	LAB("", .network = DIRECT("forbid")),
	{"guest udp guest:5000 > server:53", "drop reject",
		"guest icmp gateway > guest prohibited about udp guest:5000 > server:53"},
	{"guest tcp guest:5000 > server:53 S", "drop reject", "guest tcp server:53 > guest:5000 RA"},
	{"guest tcp guest:5000 > server:853 S", "drop reject", "guest tcp server:853 > guest:5000 RA"},
	{"guest udp guest:5000 > server:853", "drop reject", "guest icmp"},
	{"guest udp guest:5000 > second:53", "drop reject", "guest icmp"},
	{"guest udp guest:5000 > server:54", "uplink udp host:$a > server:54"},
	{"guest udp guest:5000 > gateway:53", "service udp guest:5000 > gateway:53"},
	{"far udp far:5000 > server:53", "uplink udp host:$b > server:53"},
	{"counted forward 0", "5"});

STORY(domains, direct_dns_is_redirected,
	LAB("", .network = DIRECT("redirect")),
	{"guest udp guest:5000 > server:53", "service udp guest:5000 > gateway:53"},
	{"service udp gateway:53 > guest:5000", "guest udp server:53 > guest:5000"},
	{"guest udp guest:5000 > gateway:53", "service udp guest:$a > gateway:53"},
	{"guest tcp guest:5000 > server2:53 S", "service tcp guest:5000 > gateway:53 S"},
	{"service tcp gateway:53 > guest:5000 SA ack 1", "guest tcp server2:53 > guest:5000 SA"},
	{"guest udp guest:5001 > second:53", "service"},
	{"guest udp guest:5002 > host:53", "service"},
	{"guest tcp guest:5000 > server:853 S", "drop reject", "guest tcp server:853 > guest:5000 RA"},
	{"guest udp guest:5000 > server:54", "uplink"},
	{"far udp far:5000 > server:53", "uplink"});

/* Who leads DNS elsewhere himself is left to do so. */
STORY(domains, lines_of_nat_come_before_it,
	LAB("[nat]\ndnat = in lab to 198.51.100.2 proto udp port 53 -> second\n"
	    "masquerade = in lan out uplink\n"
	    "[filter forward]\nrule = accept\n", .network = DIRECT("redirect"), .families = LAB_IPV4),
	{"guest udp guest:5000 > server:53", "service"},
	{"guest udp guest:5000 > server2:53", "second udp guest:5000 > second:53"});

STORY(domains, direct_dns_by_nat64,
	LAB("", .network = "nat64 = yes\n" DIRECT("redirect"), .families = LAB_IPV6),
	{"guest udp guest:5000 > nat64.server:53", "service udp guest:5000 > gateway:53"},
	{"service udp gateway:53 > guest:5000", "guest udp nat64.server:53 > guest:5000"});

/* clang-format on */
