/* SPDX-License-Identifier: BSD-2-Clause */
/* dns: the keys of a network about names: servers, zones, static names, private addresses. */
#ifndef TUNGATE_CONFIG_DNS_KEYS_H
#define TUNGATE_CONFIG_DNS_KEYS_H

#include "config/words.h"
#include "tungate/config.h"

/* Each parses one value and adds it to `dns`; false, with what is allowed in `why`. */
bool key_dns_servers(const char *text, struct dns_config *dns, const struct sentence *why);
bool key_dns_zone(const char *text, struct dns_config *dns, const struct sentence *why);
bool key_dns_name(const char *text, struct dns_config *dns, const struct sentence *why);
bool key_dns_domains(const char *text, struct dns_config *dns, const struct sentence *why);
void dns_config_free(struct dns_config *dns);

/* A domain name in lower case without its final dot; false where it is none. */
bool domain_parse(const char *text, char name[DNS_NAME_TEXT_SIZE]);

#endif
