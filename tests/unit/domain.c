/* SPDX-License-Identifier: BSD-2-Clause */
/* domain: patterns of names: which there are, what they match, and where a config has them. */
#include "base/domain.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tungate/config.h"

#define SIXTY_THREE "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"

Test(domain, patterns)
{
	static const struct {
		const char *pattern, *fault; /* a part of it; NULL: none */
	} rows[] = {
		{"example.org", NULL},
		{"localhost", NULL},
		{"*", NULL},
		{"*.org", NULL},
		{"*.b-c.example.ORG", NULL},
		{"_acme-challenge.example.org", NULL},
		{"xn--bcher-kva.example", NULL},
		{"1.example", NULL},
		{"4.3.2.1.in-addr.arpa", NULL},
		{SIXTY_THREE ".org", NULL},
		{"", "between single dots"},
		{".", "between single dots"},
		{".example.org", "no dot at either end"},
		{"example.org.", "no dot at either end"},
		{"a..b", "between single dots"},
		{"*.", "between single dots"},
		{"*..org", "between single dots"},
		{"**", "whole first label"},
		{"**.example.org", "whole first label"},
		{"*example.org", "whole first label"},
		{"www.*.org", "whole first label"},
		{"www.example.*", "whole first label"},
		{"-a.org", "neither begin nor end"},
		{"a-.org", "neither begin nor end"},
		{"b\xc3\xbc"
		 "cher.example",
			"xn--"},
		{"a b", "letters, digits"},
		{"http://example.org", "letters, digits"},
		{"example.org:443", "letters, digits"},
		{"10.0.0.1", "not addresses"},
		{"10", "not addresses"},
		{"2001:db8::1", "letters, digits"},
		{SIXTY_THREE "x.org", "at most 63"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *fault = domain_pattern_fault(rows[i].pattern, strlen(rows[i].pattern));
		if (rows[i].fault == NULL)
			cr_expect_null(fault, "%s: %s", rows[i].pattern, fault);
		else
			cr_expect(fault != NULL && strstr(fault, rows[i].fault) != NULL, "%s: %s",
				rows[i].pattern, fault);
	}
}

Test(domain, names_are_at_most_253_characters_long)
{
	char text[400];

	/* Three labels of 63 and one of 61, with three dots. */
	snprintf(text, sizeof(text), "%s.%s.%s.%.61s", SIXTY_THREE, SIXTY_THREE, SIXTY_THREE,
		SIXTY_THREE);
	cr_assert_eq(strlen(text), 253);
	cr_expect_null(domain_pattern_fault(text, 253));
	snprintf(text, sizeof(text), "%s.%s.%s.%.62s", SIXTY_THREE, SIXTY_THREE, SIXTY_THREE,
		SIXTY_THREE);
	cr_expect_not_null(domain_pattern_fault(text, 254));
}

Test(domain, matches)
{
	static const struct {
		const char *pattern, *name;
		bool matches;
	} rows[] = {
		{"example.org", "example.org", true},
		{"Example.org", "eXample.ORG", true},
		{"example.org", "www.example.org", false},
		{"example.org", "example.orga", false},
		{"example.org", "xample.org", false},
		{"*.example.org", "example.org", false},
		{"*.example.org", "www.example.org", true},
		{"*.example.org", "a.b.c.Example.org", true},
		{"*.example.org", "badexample.org", false},
		{"*.example.org", ".example.org", false},
		{"*.example.org", "www.example.org.uk", false},
		{"*.org", "example.org", true},
		{"*.org", "org", false},
		{"*", "anything.at.all", true},
		{"*", "", false},
		{"example.org", "", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *pattern = rows[i].pattern;
		cr_expect_eq(domain_matches(pattern, strlen(pattern), rows[i].name),
			rows[i].matches, "%s %s", pattern, rows[i].name);
	}
	cr_expect(domain_matches("example.orgXYZ", 11, "example.org"), "as long as it is said");
}

/* ---- in a config ---- */

static struct config *config_make(const char *text)
{
	struct config_errors errors = {0};
	struct config *config = config_parse("t", text, &errors);

	cr_assert_not_null(config, "%s", errors.count > 0 ? errors.text[0] : "no memory");
	return config;
}

static struct config *config_read(const char *path)
{
	char text[8192];
	FILE *file = fopen(path, "re");

	cr_assert_not_null(file, "%s", path);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return config_make(text);
}

Test(domain, the_agent_sandbox_example)
{
	struct config *config = config_read("examples/agent-sandbox.conf");
	const struct rules *forward = &config->chains[CHAIN_FORWARD];

	cr_expect_eq(config->networks[0].dns_names, DNS_NAMES_ALLOWED);
	cr_expect_eq(config->sets[0].kind, SET_DOMAINS);
	cr_expect_eq(config->sets[0].count, 3);
	cr_expect_eq(forward->count, 6, "one for direct DNS");
	cr_expect_str_eq(forward->rule[0].text,
		"reject in sandbox proto tcp,udp port 53,853 comment \"dns-direct\"");
	config_free(config);
}

Test(domain, domains_of_rules_and_sets)
{
	struct config *config = config_make(
		"[link a.b]\nnetns = a\naddress = 10.77.0.5\n"
		"[sets]\nd = *.B.org, a.org , A.ORG\nd = x\nl = a.b\n"
		"[filter forward]\n"
		"rule = accept to domain a.org , *.B.org,@d to 10.0.0.0/8 port 80 proto tcp\n");
	const struct rule *rule = &config->chains[CHAIN_FORWARD].rule[0];

	cr_expect_eq(config->sets[0].count, 3, "sorted, and each once");
	cr_expect_str_eq(config->sets[0].domains[0], "*.b.org");
	cr_expect_str_eq(config->sets[0].domains[2], "x");
	cr_expect_eq(config->sets[1].kind, SET_ADDRESSES, "a link's name is that");
	cr_assert_eq(rule->domains.count, 2);
	cr_expect(strncmp(rule->text + rule->domains.name[1].at, "*.B.org", 7) == 0);
	cr_expect_eq(rule->domains.name[1].length, 7);
	cr_expect_eq(rule->domains.set_count, 1);
	cr_expect_eq(rule->words, RULE_WORD(WORD_TO_DOMAIN) | RULE_WORD(WORD_TO) |
					  RULE_WORD(WORD_TO_PORT) | RULE_WORD(WORD_PROTO));
	config_free(config);
}
