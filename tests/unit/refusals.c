/* SPDX-License-Identifier: BSD-2-Clause */
/* refusals: a bounded list of what guests were refused; and the DNS forwarder's policy. */
#include "daemon/refusals.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../support/lab.h"
#include "../support/world.h"
#include "daemon/domains.h"

static struct daemon_refusal refusal(const char *link, unsigned name)
{
	struct daemon_refusal refusal = {.network = 1};

	snprintf(refusal.link, sizeof(refusal.link), "%s", link);
	snprintf(refusal.name, sizeof(refusal.name), "n%u.example", name);
	return refusal;
}

static void add(struct refusals *refusals, const char *link, unsigned name, uint64_t now_ms)
{
	const struct daemon_refusal one = refusal(link, name);

	refusals_add(refusals, &one, now_ms);
}

static unsigned count(const struct refusals *refusals, const char *link)
{
	struct daemon_refusal one;
	unsigned found = 0;

	for (unsigned i = 0; refusals_get(refusals, i, 0, &one); i++)
		found += strcmp(one.link, link) == 0;
	return found;
}

Test(refusals, newest_first_and_each_once)
{
	struct refusals *refusals = calloc(1, sizeof(*refusals));
	struct daemon_refusal one;

	cr_expect_not(refusals_get(refusals, 0, 0, &one));
	add(refusals, "web", 1, 1000);
	add(refusals, "web", 2, 2000);
	add(refusals, "db", 1, 3000);
	add(refusals, "web", 1, 4000);
	cr_assert(refusals_get(refusals, 0, 4500, &one));
	cr_expect_str_eq(one.link, "web");
	cr_expect_str_eq(one.name, "n1.example");
	cr_expect_eq(one.count, 2);
	cr_expect_eq(one.age_ms, 500);
	cr_assert(refusals_get(refusals, 1, 4500, &one));
	cr_expect_str_eq(one.link, "db");
	cr_assert(refusals_get(refusals, 2, 4500, &one));
	cr_expect_str_eq(one.name, "n2.example");
	cr_expect_not(refusals_get(refusals, 3, 4500, &one));

	/* That its packets were refused is another thing. */
	one = refusal("web", 1);
	one.resolved = true;
	refusals_add(refusals, &one, 5000);
	cr_assert(refusals_get(refusals, 0, 5000, &one));
	cr_expect(one.resolved && one.count == 1);
	free(refusals);
}

Test(refusals, nobody_fills_the_list)
{
	struct refusals *refusals = calloc(1, sizeof(*refusals));
	struct daemon_refusal one;
	char link[32];

	add(refusals, "db", 1, 0);
	for (unsigned n = 0; n < 1000; n++)
		add(refusals, "web", n, n);
	cr_expect_eq(count(refusals, "web"), REFUSALS_OF_GUEST);
	cr_expect_eq(count(refusals, "db"), 1);
	cr_assert(refusals_get(refusals, 0, 0, &one));
	cr_expect_str_eq(one.name, "n999.example");
	for (unsigned n = 0; n < REFUSALS_MAX; n++) {
		snprintf(link, sizeof(link), "g%u", n);
		add(refusals, link, n, n);
	}
	cr_expect_eq(count(refusals, "db") + count(refusals, "web"), 0, "the oldest give way");
	cr_expect_eq(count(refusals, "g0"), 1);
	free(refusals);
}

Test(refusals, lines_of_the_log)
{
	struct refusals *refusals = calloc(1, sizeof(*refusals));
	uint64_t suppressed = 99;
	unsigned lines = 0;

	for (unsigned n = 0; n < 100; n++)
		lines += refusals_may_log(refusals, 3, 5000 + n, &suppressed);
	cr_expect_eq(lines, REFUSALS_LINES_MAX);
	cr_expect_eq(suppressed, 0);
	cr_expect(refusals_may_log(refusals, 4, 5050, &suppressed), "each has his own");
	cr_expect(refusals_may_log(refusals, ZONE_NONE, 5050, &suppressed));
	cr_expect_not(refusals_may_log(refusals, 3, 5999, &suppressed));
	cr_expect(refusals_may_log(refusals, 3, 6000, &suppressed));
	cr_expect_eq(suppressed, 91);
	cr_expect(refusals_may_log(refusals, 3, 6000, &suppressed));
	cr_expect_eq(suppressed, 0);
	free(refusals);
}

/* ---- what the forwarder asks ---- */

Test(refusals, policy_of_names)
{
	struct lab *lab = lab_open(
		AF_INET, &(const struct lab_options){.network = "dns-names = allowed\n",
				 .config = "[filter forward]\n"
					   "rule = accept in lab to domain *.example.org\n"
					   "rule = accept in far to domain example.com\n"});
	const union addr server = lab_address(lab, "server");
	uv_loop_t loop;
	struct daemon daemon = {.config = lab->config,
		.engine = lab->engine,
		.loop = &loop,
		.log = (struct log *)world_log()};
	struct domain_policy *policy;
	struct daemon_refusal one;
	struct domain_info info;
	uint32_t cursor = 0;

	uv_loop_init(&loop);
	cr_assert_eq(domain_policy_create(&daemon, &policy), 0);
	const struct dns_policy hooks = domain_policy_hooks(policy);
	struct dns_asker asker = {ZONE_NONE, 0, AF_INET, addr_v4(10, 77, 0, 2)};
	cr_expect(hooks.may_resolve(hooks.context, &asker, "www.example.org"));
	cr_expect_not(hooks.may_resolve(hooks.context, &asker, "example.org"));
	cr_expect_not(hooks.may_resolve(hooks.context, &asker, "example.com"));
	asker.network = 1;
	cr_expect(hooks.may_resolve(hooks.context, &asker, "anything"), "dns-names = any");
	cr_assert(domain_policy_refusal(policy, 0, &one));
	cr_expect_str_eq(one.name, "example.com");
	cr_expect_str_eq(one.link, "?");
	cr_expect_not(one.resolved);
	cr_assert(domain_policy_refusal(policy, 1, &one));
	cr_expect_not(domain_policy_refusal(policy, 2, &one));

	asker = (struct dns_asker){0, 0, AF_INET, addr_v4(10, 77, 0, 2)};
	hooks.resolved(hooks.context, &asker, "www.example.org", AF_INET, &server, 90);
	cr_assert(engine_domain_next(lab->engine, &cursor, uv_now(&loop), &info));
	cr_expect_str_eq(info.name, "www.example.org");
	cr_expect(info.link == 0 && info.allowed && info.expires_ms == 90000);
	domain_policy_free(policy);
	uv_loop_close(&loop);
	lab_close(lab);
}
