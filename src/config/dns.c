/* SPDX-License-Identifier: BSD-2-Clause */
/* dns: the keys of a network about names. */
#include "config/dns.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define LABEL_BYTES_MAX 63 /* RFC 1035, section 2.3.4 */
#define NAMES_MAX       4096
#define ZONES_MAX       1024

static bool is_of_label(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* None is empty or too long; letters, digits, `-` and `_`: names of hosts and services, not all
 * that DNS could carry. */
static bool labels_are_good(const char *text, size_t length)
{
	size_t label = 0;

	for (size_t i = 0; i <= length; i++) {
		const bool end = i == length || text[i] == '.';

		if (end ? label == 0 : !is_of_label(text[i]) || label == LABEL_BYTES_MAX)
			return false;
		label = end ? 0 : label + 1;
	}
	return true;
}

bool domain_parse(const char *text, char name[DNS_NAME_TEXT_SIZE])
{
	size_t length = strlen(text);

	if (length > 0 && text[length - 1] == '.')
		length--;
	if (length >= DNS_NAME_TEXT_SIZE || !labels_are_good(text, length))
		return false;
	for (size_t i = 0; i < length; i++)
		name[i] = (char)tolower((unsigned char)text[i]);
	name[length] = '\0';
	return true;
}

static bool domain_read(const char *text, char name[DNS_NAME_TEXT_SIZE], const struct sentence *why)
{
	return domain_parse(text, name) ||
	       refuse(why, "bad name `%s`: allowed: a domain name such as corp.example", text);
}

static bool servers_read(const char *text, struct dns_server_list *list, const struct sentence *why)
{
	struct dns_server_list servers = {0};
	char element[WORD_SIZE];

	while (list_next(&text, element)) {
		struct dns_server_address *server = &servers.server[servers.count];

		if (servers.count == DNS_SERVERS_MAX)
			return refuse(why, "allowed: at most %d servers", DNS_SERVERS_MAX);
		if (!addr_parse(element, &server->address, &server->family) ||
			addr_is_zero(&server->address) ||
			addr_is_multicast(server->family, &server->address))
			return refuse(why,
				"bad address `%s`: allowed: addresses of DNS servers such as "
				"10.0.0.53 or 2001:db8::53, with commas between",
				element);
		servers.count++;
	}
	*list = servers;
	return true;
}

bool key_dns_servers(const char *text, struct dns_config *dns, const struct sentence *why)
{
	return servers_read(text, &dns->servers, why);
}

bool key_dns_zone(const char *text, struct dns_config *dns, const struct sentence *why)
{
	char name[WORD_SIZE], servers[WORD_SIZE], more[WORD_SIZE];
	struct dns_zone zone;

	if (!word_next(&text, name) || !word_next(&text, servers) || word_next(&text, more))
		return refuse(why, "allowed: ZONE ADDRESS[,ADDRESS], such as corp.example "
				   "10.0.0.53");
	if (!domain_read(name, zone.name, why) || !servers_read(servers, &zone.servers, why))
		return false;
	for (unsigned i = 0; i < dns->zone_count; i++)
		if (strcmp(dns->zones[i].name, zone.name) == 0)
			return refuse(why,
				"zone `%s` has servers already: allowed: one line for each zone, "
				"with commas between its servers",
				zone.name);
	if (dns->zone_count == ZONES_MAX)
		return refuse(why, "allowed: at most %d zones", ZONES_MAX);
	if (!array_reserve(&dns->zones, dns->zone_count, sizeof(zone)))
		return refuse(why, "out of memory");
	dns->zones[dns->zone_count++] = zone;
	return true;
}

bool key_dns_name(const char *text, struct dns_config *dns, const struct sentence *why)
{
	char name[WORD_SIZE], address[WORD_SIZE], more[WORD_SIZE];
	struct dns_static_name entry;

	if (!word_next(&text, name) || !word_next(&text, address) || word_next(&text, more))
		return refuse(why, "allowed: NAME ADDRESS, such as db.lab 10.77.0.50");
	if (!domain_read(name, entry.name, why))
		return false;
	if (!addr_parse(address, &entry.address, &entry.family))
		return refuse(why,
			"bad address `%s`: allowed: one such as 10.77.0.50 or fd77:7467::50",
			address);
	if (dns->name_count == NAMES_MAX)
		return refuse(why, "allowed: at most %d names", NAMES_MAX);
	if (!array_reserve(&dns->names, dns->name_count, sizeof(entry)))
		return refuse(why, "out of memory");
	dns->names[dns->name_count++] = entry;
	return true;
}

bool key_dns_domains(const char *text, struct dns_config *dns, const struct sentence *why)
{
	char element[WORD_SIZE], name[DNS_NAME_TEXT_SIZE];

	while (list_next(&text, element)) {
		if (!domain_read(element, name, why))
			return false;
		if (dns->rebind_allow_count == ZONES_MAX)
			return refuse(why, "allowed: at most %d zones", ZONES_MAX);
		if (!array_reserve(&dns->rebind_allow, dns->rebind_allow_count, sizeof(name)))
			return refuse(why, "out of memory");
		memcpy(dns->rebind_allow[dns->rebind_allow_count++], name, sizeof(name));
	}
	return true;
}

void dns_config_free(struct dns_config *dns)
{
	free(dns->zones);
	free(dns->names);
	free(dns->rebind_allow);
}
