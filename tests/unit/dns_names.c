/* SPDX-License-Identifier: BSD-2-Clause */
/* dns_names: what the gateway answers itself, and whom it asks for the rest; private addresses. */
#include "dns/names.h"
#include "dns/rebind.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static struct config *config;
static bool host_serves;

static bool guest_address(
	void *context, uint16_t network, const char *name, uint8_t family, union addr *address)
{
	(void)context;
	*address = addr_v4(10, 77, 0, 2);
	return network == 0 && family == AF_INET && strcmp(name, "web") == 0;
}

static bool guest_name(void *context, uint16_t network, uint8_t family, const union addr *address,
	char name[CONFIG_NAME_SIZE])
{
	const union addr web = addr_v4(10, 77, 0, 2);

	(void)context;
	strcpy(name, "web");
	return network == 0 && family == AF_INET && addr_equal(address, &web);
}

static bool serves(void *context, uint16_t network)
{
	(void)context;
	(void)network;
	return host_serves;
}

static const struct dns_directory directory = {
	.address = guest_address, .name = guest_name, .serves = serves};

static void begin(void)
{
	struct config_errors errors;

	config = config_parse("t",
		"[network lab]\nsubnet = 10.77.0.0/24, fd77::/64\nnat64 = yes\n"
		"dns-zone = corp.example 10.0.0.53\ndns-zone = a.corp.example 10.0.0.54\n"
		"dns-zone = 5.10.in-addr.arpa 10.0.0.53\ndns-zone = x.home.arpa 10.0.0.53\n"
		"dns-name = db.lab 10.77.0.50\ndns-name = db.lab fd77::50\n"
		"dns-name = db.lab 10.77.0.51\ndns-name = nas.corp.example 192.0.2.7\n"
		"dns-rebind-allow = ours.example, Theirs.example.\n"
		"[network open]\nsubnet = 10.78.0.0/24\ndns-rebind = yes\n",
		&errors);
	for (unsigned i = 0; i < errors.count; i++)
		puts(errors.text[i]);
	cr_assert_not_null(config);
}

static void end(void)
{
	config_free(config);
}

TestSuite(dns_names, .init = begin, .fini = end);

/* "A 10.77.0.2 A ...", "PTR name", "nothing", "no such name", "zone N", "upstream". */
static void outcome(uint16_t network, const char *name, uint16_t type, char text[512])
{
	struct dns_own *names = dns_names_create(config, network, &directory);
	uint8_t bytes[512], made[2048];
	struct dns_writer query = {.bytes = bytes, .size = sizeof(bytes)};
	struct dns_writer writer = {.bytes = made, .size = sizeof(made)};
	struct dns_cursor cursor = {0};
	struct dns_message message;
	struct dns_record record;
	struct dns_name asked;
	unsigned rcode = 99, zone = 99;

	cr_assert(names != NULL && dns_name_parse(name, &asked));
	dns_write_question(&query, 1, 0, asked.bytes, asked.length, type, DNS_IN);
	cr_assert_eq(dns_message_parse(bytes, query.length, &message), 0);
	const enum dns_names_result result =
		dns_names_find(names, &message, &writer, &rcode, &zone);
	dns_names_free(names);
	text[0] = '\0';
	if (result == NAMES_UPSTREAM)
		strcpy(text, "upstream");
	if (result == NAMES_ZONE)
		snprintf(text, 512, "zone %u", zone);
	if (result != NAMES_ANSWERED)
		return;
	cr_assert_eq(dns_message_parse(made, writer.length, &message), 0);
	if (message.count[DNS_ANSWER] == 0) {
		cr_assert(dns_record_next(&message, &cursor, &record));
		cr_expect_eq(record.type, DNS_SOA, "%s", name);
		cr_expect(rcode != DNS_NXDOMAIN || dns_name_within(&asked, &record.owner));
		strcpy(text, rcode == DNS_NXDOMAIN ? "no such name" : "nothing");
		return;
	}
	cr_expect_eq(rcode, DNS_NOERROR);
	while (dns_record_next(&message, &cursor, &record)) {
		char value[DNS_TEXT_SIZE];
		union addr address;
		struct dns_name target;
		uint8_t family;
		size_t at = record.data_at;

		if (dns_record_address(&message, &record, &family, &address))
			addr_format(family, &address, value);
		else if (dns_name_read(made, writer.length, &at, &target))
			dns_name_format(&target, value);
		strcat(text, text[0] != '\0' ? " " : "");
		strcat(text, value);
	}
}

static const struct {
	uint16_t network;
	const char *name;
	uint16_t type;
	const char *outcome;
} rows[] = {
	{0, "web.lab", DNS_A, "10.77.0.2"},
	{0, "web.lab", DNS_AAAA, "nothing"},
	{0, "web", DNS_A, "10.77.0.2"},
	{0, "web.web", DNS_A, "upstream"},
	{0, "lab", DNS_A, "nothing"},
	{0, "nobody.lab", DNS_A, "no such name"},
	{0, "nobody", DNS_A, "upstream"},
	{0, "gateway.lab", DNS_A, "10.77.0.1"},
	{0, "gateway.lab", DNS_AAAA, "fd77::1"},
	{0, "gateway", DNS_ANY, "10.77.0.1 fd77::1"},
	{0, "db.lab", DNS_A, "10.77.0.50 10.77.0.51"},
	{0, "db", DNS_AAAA, "fd77::50"},
	{0, "db.lab", 15, "nothing"},
	{0, "nas.corp.example", DNS_A, "192.0.2.7"},
	{0, "nas.corp.example", DNS_AAAA, "nothing"},
	{0, "corp.example", DNS_A, "zone 0"},
	{0, "x.corp.example", DNS_A, "zone 0"},
	{0, "x.a.corp.example", DNS_A, "zone 1"},
	{0, "xcorp.example", DNS_A, "upstream"},
	{0, "www.example", DNS_A, "upstream"},
	/* names of addresses */
	{0, "2.0.77.10.in-addr.arpa", DNS_PTR, "web.lab"},
	{0, "1.0.77.10.in-addr.arpa", DNS_PTR, "gateway.lab"},
	{0, "50.0.77.10.in-addr.arpa", DNS_PTR, "db.lab"},
	{0, "7.2.0.192.in-addr.arpa", DNS_PTR, "nas.corp.example"},
	{0, "8.2.0.192.in-addr.arpa", DNS_PTR, "upstream"},
	{0, "9.0.77.10.in-addr.arpa", DNS_PTR, "no such name"},
	{0, "0.77.10.in-addr.arpa", DNS_PTR, "nothing"},
	{0, "1.1.5.10.in-addr.arpa", DNS_PTR, "zone 2"},
	{0, "1.1.6.10.in-addr.arpa", DNS_PTR, "no such name"},
	{0, "10.in-addr.arpa", DNS_PTR, "nothing"},
	{0, "in-addr.arpa", DNS_PTR, "upstream"},
	{0, "1.0.0.127.in-addr.arpa", DNS_PTR, "localhost"},
	{0, "d.f.ip6.arpa", DNS_PTR, "no such name"},
	{1, "1.1.6.10.in-addr.arpa", DNS_PTR, "upstream"},
	{1, "9.0.78.10.in-addr.arpa", DNS_PTR, "no such name"},
	/* nobody's */
	{0, "localhost", DNS_A, "127.0.0.1"},
	{0, "x.localhost", DNS_AAAA, "::1"},
	{0, "localhost", 15, "nothing"},
	{0, "x.invalid", DNS_A, "no such name"},
	{0, "home.arpa", DNS_A, "nothing"},
	{0, "y.home.arpa", DNS_A, "no such name"},
	{0, "y.x.home.arpa", DNS_A, "zone 3"},
	{0, "_dns.resolver.arpa", 64, "no such name"},
	{0, "x.tungate", DNS_A, "no such name"},
	{0, "host.tungate", DNS_A, "no such name"},
	/* another network's */
	{1, "web.lab", DNS_A, "upstream"},
	{1, "web.open", DNS_A, "no such name"},
	{1, "2.0.77.10.in-addr.arpa", DNS_PTR, "upstream"},
};

Test(dns_names, who_answers)
{
	char text[512];

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		outcome(rows[i].network, rows[i].name, rows[i].type, text);
		cr_expect_str_eq(text, rows[i].outcome, "%s: %s", rows[i].name, text);
	}
	host_serves = true;
	outcome(0, "host.tungate", DNS_A, text);
	cr_expect_str_eq(text, "10.77.0.1");
}

Test(dns_names, who_may_have_private_addresses)
{
	static const struct {
		uint16_t network;
		const char *name;
		bool may;
	} names[] = {
		{0, "www.example", false},
		{0, "ours.example", true},
		{0, "x.ours.example", true},
		{0, "xours.example", false},
		{1, "www.example", true},
	};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct dns_own *own = dns_names_create(config, names[i].network, &directory);
		struct dns_name name;

		cr_assert(dns_name_parse(names[i].name, &name));
		cr_expect_eq(
			dns_names_may_be_private(own, &name), names[i].may, "%s", names[i].name);
		dns_names_free(own);
	}
}

Test(dns_names, private_addresses)
{
	static const struct {
		const char *address;
		bool private;
	} addresses[] = {
		{"10.1.2.3", true},
		{"172.15.255.255", false},
		{"172.16.0.1", true},
		{"172.31.255.255", true},
		{"172.32.0.0", false},
		{"192.168.1.1", true},
		{"192.169.0.1", false},
		{"127.0.0.53", true},
		{"0.0.0.0", true},
		{"169.254.169.254", true},
		{"100.64.0.1", true},
		{"100.128.0.1", false},
		{"255.255.255.255", true},
		{"192.0.2.1", false},
		{"198.51.100.1", false},
		{"8.8.8.8", false},
		{"::1", true},
		{"::", true},
		{"::10.0.0.1", true},
		{"fd77::5", true},
		{"fc00::1", true},
		{"fe80::1", true},
		{"::ffff:10.0.0.1", true},
		{"::ffff:8.8.8.8", false},
		{"64:ff9b::a00:1", true},
		{"64:ff9b::808:808", false},
		{"64:ff9b:1:a00:0:100::", true},
		{"2001:db8::1", false},
		{"2606:4700::1", false},
	};

	for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		union addr address;
		uint8_t family;

		cr_assert(addr_parse(addresses[i].address, &address, &family));
		cr_expect_eq(dns_address_is_private(config, family, &address), addresses[i].private,
			"%s", addresses[i].address);
	}
}

/* Hints of an HTTPS record are addresses like others. */
Test(dns_names, private_hints)
{
	static const uint8_t v4[] = {
		0, 1, 0, 0, 1, 0, 3, 2, 'h', '2', 0, 4, 0, 8, 192, 0, 2, 1, 10, 0, 0, 1};
	static const uint8_t public[] = {0, 1, 0, 0, 4, 0, 4, 192, 0, 2, 1};
	const struct {
		const uint8_t *data;
		size_t length;
		bool private;
	} records[] = {{v4, sizeof(v4), true}, {public, sizeof(public), false},
		{v4, sizeof(v4) - 1, false}};
	static const struct dns_name name = {9, "\007example"};

	for (unsigned i = 0; i < 3; i++) {
		uint8_t bytes[256];
		struct dns_writer writer = {.bytes = bytes, .size = sizeof(bytes)};
		struct dns_message message;

		dns_write_question(&writer, 0, DNS_QR, name.bytes, name.length, DNS_HTTPS, DNS_IN);
		dns_write_record(&writer, DNS_ANSWER, NULL, DNS_HTTPS, 60, records[i].data,
			records[i].length);
		cr_assert_eq(dns_message_parse(bytes, writer.length, &message), 0);
		cr_expect_eq(dns_message_is_private(config, &message), records[i].private);
	}
}
