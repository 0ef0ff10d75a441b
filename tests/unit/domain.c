/* SPDX-License-Identifier: BSD-2-Clause */
/* domain: patterns of names: which there are, and what they match. */
#include "base/domain.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

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
