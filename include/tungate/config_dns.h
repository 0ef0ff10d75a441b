/* SPDX-License-Identifier: BSD-2-Clause */
/* config_dns: what a network's keys say about names; a part of config.h. */
#ifndef TUNGATE_CONFIG_DNS_H
#define TUNGATE_CONFIG_DNS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/addr.h"

#define DNS_NAME_TEXT_SIZE 254 /* of a domain name, with NUL and without the final dot */
#define DNS_SERVERS_MAX    8   /* of one list */

struct dns_server_list {
	uint8_t count;
	struct dns_server_address {
		uint8_t family;
		union addr address;
	} server[DNS_SERVERS_MAX];
};

/* Names are in lower case, without the final dot. */
struct dns_config {
	struct dns_server_list servers; /* none: the host's */
	/* Zones with servers of their own. */
	struct dns_zone {
		char name[DNS_NAME_TEXT_SIZE];
		struct dns_server_list servers;
	} * zones;
	unsigned zone_count;
	/* Names that are answered here, one line for each address. */
	struct dns_static_name {
		char name[DNS_NAME_TEXT_SIZE];
		uint8_t family;
		union addr address;
	} * names;
	unsigned name_count;
	bool rebind; /* private addresses are taken from any server */
	/* ... and for what is in these zones. */
	char (*rebind_allow)[DNS_NAME_TEXT_SIZE];
	unsigned rebind_allow_count;
};

#endif
