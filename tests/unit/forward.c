/* SPDX-License-Identifier: BSD-2-Clause */
/* forward: published ports: every form of host and guest, and what is refused. */
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tungate/config.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct config *config;

static void config_make(void)
{
	struct config_errors errors;

	config = config_parse("test",
		"[gateway]\nports = 40000-40100\n"
		"[network lab]\nsubnet = 10.77.0.0/24, fd77::/64\n"
		"[network work]\nsubnet = 10.78.0.0/24\n"
		"[link web]\nnetwork = lab\nnetns = web\naddress = 10.77.0.2, fd77::2\n"
		"[link six]\nnetwork = lab\nnetns = six\naddress = fd77::6\n"
		"[link bare]\nnetwork = work\nnetns = bare\n",
		&errors);
	cr_assert_not_null(config, "%s", errors.count > 0 ? errors.text[0] : "");
}

static void config_unmake(void)
{
	config_free(config);
}

TestSuite(forward, .init = config_make, .fini = config_unmake);

/* What a forward became, as "HOST FIRST-LAST GUEST:PORT@NETWORK". */
static char *describe(const struct forward *forward, char *text, size_t size)
{
	char host[ADDR_TEXT_SIZE] = "any", guest[ADDR_TEXT_SIZE];

	if (forward->host_family != 0)
		addr_format(forward->host_family, &forward->host, host);
	addr_port_format(forward->guest_family, &forward->guest, forward->guest_port, guest);
	snprintf(text, size, "%s %u-%u %s@%u", host, forward->ports.first, forward->ports.last,
		guest, forward->network);
	return text;
}

Test(forward, every_form_is_understood)
{
	static const struct {
		const char *host, *guest, *expected;
	} rows[] = {
		{"8080", "web:80", "any 8080-8080 10.77.0.2:80@0"},
		{"8080", "web", "any 8080-8080 10.77.0.2:8080@0"},
		{"8080", "six:80", "any 8080-8080 [fd77::6]:80@0"},
		{"8080", "10.78.0.9:80", "any 8080-8080 10.78.0.9:80@1"},
		{"8080", "[fd77::9]:80", "any 8080-8080 [fd77::9]:80@0"},
		{"8080", "[fd77::9]", "any 8080-8080 [fd77::9]:8080@0"},
		{"8080", "fd77::9", "any 8080-8080 [fd77::9]:8080@0"},
		{"5000-5010", "10.77.0.12", "any 5000-5010 10.77.0.12:5000@0"},
		{"5000-5010", "10.77.0.12:6000", "any 5000-5010 10.77.0.12:6000@0"},
		{"5000-5010", "10.77.0.12:6000-6010", "any 5000-5010 10.77.0.12:6000@0"},
		{"127.0.0.1:8080", "web:80", "127.0.0.1 8080-8080 10.77.0.2:80@0"},
		{"192.0.2.1:8080-8081", "web:80", "192.0.2.1 8080-8081 10.77.0.2:80@0"},
		{"[2001:db8::1]:8080", "web:80", "2001:db8::1 8080-8080 [fd77::2]:80@0"},
		{"0.0.0.0:8080", "web:80", "any 8080-8080 10.77.0.2:80@0"},
		{"[::]:8080", "web:80", "any 8080-8080 [fd77::2]:80@0"},
		{"80-90", "web:65525", "any 80-90 10.77.0.2:65525@0"},
		{"39999", "web:80", "any 39999-39999 10.77.0.2:80@0"},
		{"40101", "web:80", "any 40101-40101 10.77.0.2:80@0"},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		char error[512] = "", text[160];
		struct forward forward;

		cr_expect(config_parse_forward(config, NULL, "tcp", rows[i].host, rows[i].guest,
				  &forward, error, sizeof(error)),
			"%s = %s: %s", rows[i].host, rows[i].guest, error);
		cr_expect_str_eq(describe(&forward, text, sizeof(text)), rows[i].expected);
		cr_expect_eq(forward.protocol, IPPROTO_TCP);
	}
}

Test(forward, what_is_refused_says_why)
{
	static const struct {
		const char *protocol, *host, *guest, *reason;
	} rows[] = {
		{"tpc", "80", "web", "unknown protocol `tpc`: did you mean `tcp`?"},
		{"icmp", "80", "web", "allowed: tcp, udp"},
		{"tcp", "", "web", "bad port ``"},
		{"tcp", "0", "web", "bad port `0`"},
		{"tcp", "80-70", "web", "ends before it begins"},
		{"tcp", "127.0.0.1", "web", "bad port"},
		{"tcp", "127.0.0.1:", "web", "bad port ``"},
		{"tcp", "127.0.0.300:80", "web", "bad host address `127.0.0.300`"},
		{"tcp", "224.0.0.1:80", "web", "bad host address"},
		{"tcp", "2001:db8::1:80", "web", "bad port `2001:db8::1:80`"},
		{"tcp", "[2001:db8::1", "web", "bad port"},
		{"tcp", "[2001:db8::1]80", "web", "bad port"},
		{"tcp", "40100", "web", "outside 40000-40100"},
		{"tcp", "39000-40000", "web", "outside 40000-40100"},
		{"tcp", "80", "", "unknown guest ``"},
		{"tcp", "80", "wbe", "unknown guest `wbe`: did you mean `web`?"},
		{"tcp", "80", "web:", "bad port ``"},
		{"tcp", "80", "web:0", "bad port `0`"},
		{"tcp", "80", "[fd77::2", "bad guest"},
		{"tcp", "80", "192.0.2.1", "allowed: 10.77.0.0/24, 10.78.0.0/24"},
		{"tcp", "80", "fd99::1", "allowed: fd77::/64"},
		{"tcp", "80", "10.77.0.1", "is the gateway itself"},
		{"tcp", "80", "fd77::1", "is the gateway itself"},
		{"tcp", "80", "10.77.0.0", "is no guest's"},
		{"tcp", "80", "10.77.0.255", "is no guest's"},
		{"tcp", "80", "bare", "link `bare` has no address"},
		{"tcp", "127.0.0.1:80", "six", "link `six` has no IPv4 address"},
		{"tcp", "127.0.0.1:80", "fd77::9", "different families"},
		{"tcp", "[::1]:80", "10.77.0.9", "different families"},
		{"tcp", "80-90", "web:80-85", "as many as on the host: 11"},
		{"tcp", "80-90", "web:65526", "65525 or less for 11 ports"},
		{"tcp", "80", "a-name-that-is-much-too-long-to-be-one", "names of at most 31"},
	};

	for (unsigned i = 0; i < COUNT(rows); i++) {
		char error[512] = "";
		struct forward forward;

		cr_expect_not(config_parse_forward(config, NULL, rows[i].protocol, rows[i].host,
				      rows[i].guest, &forward, error, sizeof(error)),
			"accepted: %s %s = %s", rows[i].protocol, rows[i].host, rows[i].guest);
		cr_expect_not_null(strstr(error, rows[i].reason), "%s %s = %s: %s",
			rows[i].protocol, rows[i].host, rows[i].guest, error);
	}
}

static bool attached_find(void *context, uint16_t network, const char *name, uint8_t family,
	uint8_t *found_family, union addr *address)
{
	unsigned *asked = context;

	*asked += network == 1;
	if (strcmp(name, "live") != 0 || network != 1 || family == AF_INET6)
		return false;
	*found_family = AF_INET;
	*address = addr_v4(10, 78, 0, 77);
	return true;
}

Test(forward, attached_guests_are_asked_for_first)
{
	unsigned asked = 0;
	const struct config_names names = {.find = attached_find, .context = &asked};
	char error[512] = "", text[160];
	struct forward forward;

	cr_assert(config_parse_forward(
		config, &names, "udp", "53", "live", &forward, error, sizeof(error)));
	cr_expect_str_eq(describe(&forward, text, sizeof(text)), "any 53-53 10.78.0.77:53@1");
	cr_expect_str_eq(forward.guest_name, "live");
	cr_expect_eq(forward.protocol, IPPROTO_UDP);
	cr_expect(config_parse_forward(
		config, &names, "udp", "53", "web", &forward, error, sizeof(error)));
	cr_expect_eq(asked, 2);
	cr_expect(config_parse_forward(
		config, &names, "udp", "53", "10.77.0.9", &forward, error, sizeof(error)));
	cr_expect_eq(asked, 2, "an address is no name");
	cr_expect_str_eq(forward.guest_name, "");
}

/* A name without a host address stands for all that the guest has. */
Test(forward, a_name_is_published_in_both_families)
{
	static const struct {
		const char *host, *guest;
		unsigned count;
		const char *forward[2];
	} rows[] = {
		{"8080", "web:80", 2,
			{"any 8080-8080 10.77.0.2:80@0", "any 8080-8080 [fd77::2]:80@0"}},
		{"0.0.0.0:8080", "web", 1, {"any 8080-8080 10.77.0.2:8080@0"}},
		{"[::]:8080", "web", 1, {"any 8080-8080 [fd77::2]:8080@0"}},
		{"8080", "six", 1, {"any 8080-8080 [fd77::6]:8080@0"}},
		{"8080", "10.77.0.2", 1, {"any 8080-8080 10.77.0.2:8080@0"}},
		{"8080", "nobody", 0, {NULL}},
	};
	char error[512] = "", text[160];
	struct forward forwards[2];

	for (unsigned i = 0; i < COUNT(rows); i++) {
		const unsigned count = config_parse_forwards(config, NULL, "tcp", rows[i].host,
			rows[i].guest, forwards, error, sizeof(error));

		cr_assert_eq(count, rows[i].count, "%s = %s", rows[i].host, rows[i].guest);
		for (unsigned j = 0; j < count; j++)
			cr_expect_str_eq(
				describe(&forwards[j], text, sizeof(text)), rows[i].forward[j]);
	}
}

Test(forward, overlap_is_same_protocol_family_port_and_host)
{
	static const struct {
		const char *protocol, *host, *guest;
		bool overlaps; /* "tcp 192.0.2.1:8000-8010 = web" */
	} rows[] = {
		{"tcp", "192.0.2.1:8000-8010", "web", true},
		{"tcp", "192.0.2.1:8010", "10.78.0.5", true},
		{"tcp", "8005", "web", true},
		{"tcp", "7990-8000", "web", true},
		{"tcp", "192.0.2.1:8011", "web", false},
		{"tcp", "192.0.2.1:7999", "web", false},
		{"tcp", "192.0.2.2:8000", "web", false},
		{"udp", "192.0.2.1:8000", "web", false},
		{"tcp", "[::]:8000", "web", false},
	};
	struct forward one, other;
	char error[512] = "";

	cr_assert(config_parse_forward(
		config, NULL, "tcp", "192.0.2.1:8000-8010", "web", &one, error, sizeof(error)));
	for (unsigned i = 0; i < COUNT(rows); i++) {
		cr_assert(config_parse_forward(config, NULL, rows[i].protocol, rows[i].host,
				  rows[i].guest, &other, error, sizeof(error)),
			"%s", error);
		cr_expect_eq(config_forwards_overlap(&one, &other), rows[i].overlaps, "%s %s",
			rows[i].protocol, rows[i].host);
		cr_expect_eq(config_forwards_overlap(&other, &one), rows[i].overlaps);
	}
}
