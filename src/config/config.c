/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: from the text of a file to a struct config.
 *
 * The text is read into a document first (sections and entries with their lines), then taken up in
 * the order of what refers to what, whatever order the file has: networks; links, which name them;
 * sets, which name links; the names of chains; rules, which name all of these; [nat]; forwards.
 * Errors are collected all the way and sorted by line at the end; one is enough to throw the config
 * away.
 */
#include "tungate/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/defaults.h"
#include "config/direct.h"
#include "config/dns.h"
#include "config/document.h"
#include "config/helper.h"
#include "config/host.h"
#include "config/keys.h"
#include "config/timeout.h"
#include "config/sets.h"
#include "config/value.h"

struct loader {
	struct config *config;
	struct document document;
	struct problems problems;
	unsigned opened[SECTION_COUNT]
		       [CHAIN_COUNT]; /* line of a section without a name; 0: not seen */
};

/* ---- entries ---- */

static bool key_repeats(const struct key *key)
{
	return key->type == KEY_RULE || key->type == KEY_NAT || key->type == KEY_ROUTE ||
	       key->type == KEY_LEASE || key->type == KEY_DNS_ZONE || key->type == KEY_DNS_NAME ||
	       key->type == KEY_DNS_DOMAINS || key->type == KEY_SERVICE;
}

/* A line that the table of keys knows. */
static bool key_load(struct loader *loader, enum section_id id, const struct entry *entry,
	void *base, unsigned seen[KEYS_MAX], const struct sentence *why)
{
	unsigned count;
	const struct key *keys = keys_all(&count);
	const int key = key_find(id, entry->name, why);

	if (key < 0)
		return false;
	if (seen[key] != 0 && !key_repeats(&keys[key]))
		return refuse(why, "given in line %u already: allowed: once", seen[key]);
	seen[key] = entry->line;
	return value_parse(loader->config, &keys[key], entry->line, entry->value, base, why);
}

static void entries_load(
	struct loader *loader, enum section_id id, const struct section *section, void *base)
{
	unsigned seen[KEYS_MAX] = {0};
	char text[SENTENCE_SIZE];
	const struct sentence why = {text, sizeof(text)};

	for (unsigned i = 0; i < section->count; i++) {
		const struct entry *entry = &loader->document.entries[section->first + i];
		const bool good = id == SECTION_TIMEOUTS && timeout_is_of_port(entry->name)
					  ? timeout_of_port_add(loader->config, entry->name,
						    entry->value, entry->line, base, &why)
					  : key_load(loader, id, entry, base, seen, &why);
		if (!good)
			problems_add(&loader->problems, entry->line, "`%s = %s`: %s", entry->name,
				entry->value, text);
	}
}

static bool forward_append(
	struct config *config, const struct forward *forward, const struct sentence *why)
{
	if (config->forward_count == CONFIG_FORWARDS_MAX)
		return refuse(why,
			"allowed: at most %d forwards, a name counts once for each "
			"address that it has",
			CONFIG_FORWARDS_MAX);
	if (!array_reserve(&config->forwards, config->forward_count, sizeof(*forward)))
		return refuse(why, "out of memory");
	config->forwards[config->forward_count++] = *forward;
	return true;
}

/* "tcp [HOSTADDR:]8080 = web:80": the protocol is the key's first word. */
static bool forward_load(
	struct loader *loader, const struct entry *entry, const struct sentence *why)
{
	struct config *config = loader->config;
	const char *host = entry->name;
	char protocol[WORD_SIZE];
	struct forward forwards[2];

	word_next(&host, protocol);
	host += strspn(host, BLANKS);
	if (*host == '\0')
		return refuse(
			why, "allowed: tcp or udp, a blank, PORT or HOSTADDR:PORT, then `= GUEST`");
	const unsigned count = config_parse_forwards(config, NULL, protocol, host, entry->value,
		forwards, why->text, (unsigned)why->size);
	for (unsigned i = 0; i < count; i++) {
		forwards[i].line = entry->line;
		if (!forward_append(config, &forwards[i], why))
			return false;
	}
	return count > 0;
}

static void forwards_load(struct loader *loader, const struct section *section)
{
	char text[SENTENCE_SIZE];
	const struct sentence why = {text, sizeof(text)};

	for (unsigned i = 0; i < section->count; i++) {
		const struct entry *entry = &loader->document.entries[section->first + i];

		if (!forward_load(loader, entry, &why))
			problems_add(&loader->problems, entry->line, "`%s = %s`: %s", entry->name,
				entry->value, text);
	}
}

static void helpers_load(struct loader *loader, const struct section *section)
{
	char text[SENTENCE_SIZE];
	const struct sentence why = {text, sizeof(text)};

	for (unsigned i = 0; i < section->count; i++) {
		const struct entry *entry = &loader->document.entries[section->first + i];

		if (!helper_line_parse(
			    loader->config, entry->name, entry->value, entry->line, &why))
			problems_add(&loader->problems, entry->line, "`%s = %s`: %s", entry->name,
				entry->value, text);
	}
}

static void sets_load(struct loader *loader, const struct section *section)
{
	char text[SENTENCE_SIZE];
	const struct sentence why = {text, sizeof(text)};

	for (unsigned i = 0; i < section->count; i++) {
		const struct entry *entry = &loader->document.entries[section->first + i];

		if (!set_load(loader->config, entry->name, entry->value, entry->line, &why))
			problems_add(&loader->problems, entry->line, "`%s = %s`: %s", entry->name,
				entry->value, text);
	}
}

/* ---- sections ---- */

/* A network or a link of this name, or NULL with the reason said. */
static struct network_config *network_add(
	struct config *config, const char *name, unsigned line, const struct sentence *why)
{
	const int other = config_network_named(config, name);

	if (other >= 0) {
		refuse(why, "network `%s` is in line %u already: allowed: each name once", name,
			config->networks[other].line);
		return NULL;
	}
	if (config->network_count == CONFIG_NETWORKS_MAX) {
		refuse(why, "allowed: at most %d networks", CONFIG_NETWORKS_MAX);
		return NULL;
	}
	if (!array_reserve(&config->networks, config->network_count, sizeof(*config->networks))) {
		refuse(why, "out of memory");
		return NULL;
	}
	struct network_config *network = &config->networks[config->network_count++];
	*network = (struct network_config){
		.line = line, .owner_uid = CONFIG_NOBODY, .owner_gid = CONFIG_NOBODY};
	text_copy(network->name, sizeof(network->name), name);
	keys_defaults(config, SECTION_NETWORK, network);
	return network;
}

static struct link_config *link_add(
	struct config *config, const char *name, unsigned line, const struct sentence *why)
{
	for (unsigned i = 0; i < config->link_count; i++) {
		if (strcmp(config->links[i].name, name) == 0) {
			refuse(why, "link `%s` is in line %u already: allowed: each name once",
				name, config->links[i].line);
			return NULL;
		}
	}
	if (config->link_count == CONFIG_LINKS_MAX) {
		refuse(why, "allowed: at most %d links", CONFIG_LINKS_MAX);
		return NULL;
	}
	if (!array_reserve(&config->links, config->link_count, sizeof(*config->links))) {
		refuse(why, "out of memory");
		return NULL;
	}
	struct link_config *link = &config->links[config->link_count++];
	*link = (struct link_config){.line = line, .network = NETWORK_UNKNOWN};
	text_copy(link->name, sizeof(link->name), name);
	keys_defaults(config, SECTION_LINK, link);
	return link;
}

static bool chain_add(
	struct config *config, const char *name, unsigned line, const struct sentence *why)
{
	const int other = config_chain_named(config, name);
	const char *fault = name_fault(name);

	if (fault != NULL)
		return refuse(why, "bad name: %s", fault);
	if (choice_index(CHAIN_NAMES, name) >= 0)
		return refuse(why,
			"allowed: any name but input, forward and output: those are "
			"[filter %s]",
			name);
	if (other >= 0)
		return refuse(why, "chain `%s` is in line %u already: allowed: each name once",
			name, config->user_chains[other].line);
	if (config->user_chain_count == CONFIG_CHAINS_MAX)
		return refuse(why, "allowed: at most %d chains", CONFIG_CHAINS_MAX);
	if (!array_reserve(
		    &config->user_chains, config->user_chain_count, sizeof(*config->user_chains)))
		return refuse(why, "out of memory");
	struct chain_config *chain = &config->user_chains[config->user_chain_count++];
	*chain = (struct chain_config){.line = line, .rules.policy = RULE_RETURN};
	text_copy(chain->name, sizeof(chain->name), name);
	return true;
}

static void chain_load(struct loader *loader, const struct section *section)
{
	const int chain = config_chain_named(loader->config, section->label);

	/* One that was refused by chains_open() is not there, or has the line of another. */
	if (chain >= 0 && loader->config->user_chains[chain].line == section->line)
		entries_load(loader, SECTION_CHAIN, section, &loader->config->user_chains[chain]);
}

static void network_load(
	struct loader *loader, const struct section *section, struct network_config *network)
{
	const unsigned problems_before = loader->problems.count;

	entries_load(loader, SECTION_NETWORK, section, network);
	default_gateways(network);
	default_domain(network);
	if (loader->problems.count == problems_before)
		check_network(network, &loader->problems);
}

static void link_load(
	struct loader *loader, const struct section *section, struct link_config *link)
{
	const unsigned problems_before = loader->problems.count;

	entries_load(loader, SECTION_LINK, section, link);
	default_link(loader->config, link);
	if (loader->problems.count == problems_before)
		check_link(loader->config, link, &loader->problems);
}

/* [network NAME], [link NAME] and [chain NAME]. */
static bool named_load(struct loader *loader, enum section_id id, const struct section *section,
	const struct sentence *why)
{
	const char *fault = name_fault(section->label);

	if (id == SECTION_CHAIN) {
		chain_load(loader, section);
		return true;
	}
	if (fault != NULL)
		return refuse(why, "bad name: %s", fault);
	if (id == SECTION_NETWORK) {
		struct network_config *network =
			network_add(loader->config, section->label, section->line, why);

		if (network != NULL)
			network_load(loader, section, network);
		return network != NULL;
	}
	struct link_config *link = link_add(loader->config, section->label, section->line, why);

	if (link != NULL)
		link_load(loader, section, link);
	return link != NULL;
}

/* All others, of which there is one each, or one for each chain. */
static bool single_load(struct loader *loader, enum section_id id, const struct section *section,
	const struct sentence *why)
{
	int chain = 0;

	if (section_label(id) == LABEL_CHAIN) {
		chain = choice_index(CHAIN_NAMES, section->label);
		if (chain < 0)
			return refuse_choice(why, "chain", section->label, CHAIN_NAMES);
	} else if (section->label[0] != '\0') {
		return refuse(why, "allowed: [%s], without a name", section->kind);
	}
	if (loader->opened[id][chain] != 0)
		return refuse(why, "this section is in line %u already: allowed: once",
			loader->opened[id][chain]);
	loader->opened[id][chain] = section->line;
	if (id == SECTION_FORWARDS)
		forwards_load(loader, section);
	else if (id == SECTION_SETS)
		sets_load(loader, section);
	else if (id == SECTION_HELPERS)
		helpers_load(loader, section);
	else
		entries_load(
			loader, id, section, section_base(loader->config, id, (unsigned)chain));
	return true;
}

static void section_problem(struct loader *loader, const struct section *section, const char *text)
{
	problems_add(&loader->problems, section->line, "[%s%s%s]: %s", section->kind,
		section->label[0] != '\0' ? " " : "", section->label, text);
}

/* Take up the sections of these kinds: bits of enum section_id. */
static void sections_load(struct loader *loader, unsigned kinds)
{
	char text[SENTENCE_SIZE];
	const struct sentence why = {text, sizeof(text)};

	for (unsigned i = 0; i < loader->document.section_count; i++) {
		const struct section *section = &loader->document.sections[i];
		const int id = choice_index(SECTION_NAMES, section->kind);
		bool good;

		if (id < 0 || !(kinds & 1u << id))
			continue;
		if (section_label((enum section_id)id) == LABEL_NAME)
			good = named_load(loader, (enum section_id)id, section, &why);
		else
			good = single_load(loader, (enum section_id)id, section, &why);
		if (!good)
			section_problem(loader, section, text);
	}
}

/* Make the user's chains, so that rules can jump to those that come later. */
static void chains_open(struct loader *loader)
{
	char text[SENTENCE_SIZE];
	const struct sentence why = {text, sizeof(text)};

	for (unsigned i = 0; i < loader->document.section_count; i++) {
		const struct section *section = &loader->document.sections[i];

		if (choice_index(SECTION_NAMES, section->kind) == SECTION_CHAIN &&
			!chain_add(loader->config, section->label, section->line, &why))
			section_problem(loader, section, text);
	}
}

static void sections_unknown(struct loader *loader)
{
	char text[SENTENCE_SIZE];
	const struct sentence why = {text, sizeof(text)};

	for (unsigned i = 0; i < loader->document.section_count; i++) {
		const struct section *section = &loader->document.sections[i];

		if (section->kind[0] == '\0' || choice_index(SECTION_NAMES, section->kind) >= 0)
			continue;
		refuse_choice(&why, "section", section->kind, SECTION_NAMES);
		section_problem(loader, section, text);
	}
}

/* ---- the whole file ---- */

static void keys_load_defaults(struct config *config)
{
	keys_defaults(config, SECTION_GATEWAY, &config->gateway);
	config->gateway.control_gid = CONFIG_NOBODY;
	keys_defaults(config, SECTION_TIMEOUTS, &config->timeouts);
	keys_defaults(config, SECTION_LIMITS, &config->limits);
	for (unsigned chain = 0; chain < CHAIN_COUNT; chain++)
		config->chains[chain].policy = (uint8_t)default_policy((enum chain)chain);
}

/* A file without networks has the built-in one. */
static bool network_built_in(struct loader *loader)
{
	char name[] = DEFAULT_NETWORK_SUBNET;
	char text[SENTENCE_SIZE];
	const struct sentence why = {text, sizeof(text)};

	if (loader->config->network_count > 0)
		return true;
	struct network_config *network = network_add(loader->config, DEFAULT_NETWORK_NAME, 0, &why);
	if (network == NULL)
		return false;
	const int key = key_find(SECTION_NETWORK, "subnet", &why);
	unsigned count;
	value_parse(loader->config, &keys_all(&count)[key], 0, name, network, &why);
	default_gateways(network);
	default_domain(network);
	return true;
}

/* Where a network has a `host-link`, the host is one more guest of it. */
static void host_links_add(struct loader *loader)
{
	struct config *config = loader->config;
	char text[SENTENCE_SIZE], name[CONFIG_NAME_SIZE];
	const struct sentence why = {text, sizeof(text)};

	for (unsigned i = 0; i < config->network_count; i++) {
		const struct network_config *network = &config->networks[i];

		if (network->host.device[0] == '\0')
			continue;
		snprintf(name, sizeof(name), HOST_LINK_NAME "%.26s", network->name);
		struct link_config *link = link_add(config, name, network->host.line, &why);
		if (link != NULL)
			host_link_fill(network, (uint16_t)i, link);
		else
			problems_add(&loader->problems, network->host.line, "host-link: %s", text);
	}
}

static bool rules_built_in(struct loader *loader)
{
	struct config *config = loader->config;

	for (unsigned chain = 0; chain < CHAIN_COUNT; chain++) {
		if (loader->opened[SECTION_FILTER][chain] == 0 &&
			!default_rules(config, (enum chain)chain))
			return false;
	}
	if (loader->opened[SECTION_FILTER][CHAIN_FORWARD] != 0)
		check_isolation(
			config, loader->opened[SECTION_FILTER][CHAIN_FORWARD], &loader->problems);
	return loader->opened[SECTION_NAT][0] != 0 || default_nat(config);
}

static void document_load(struct loader *loader)
{
	keys_load_defaults(loader->config);
	sections_unknown(loader);
	sections_load(loader, 1u << SECTION_GATEWAY | 1u << SECTION_TIMEOUTS |
				      1u << SECTION_LIMITS | 1u << SECTION_NETWORK);
	if (!network_built_in(loader))
		loader->problems.out_of_memory = true;
	sections_load(loader, 1u << SECTION_LINK);
	host_links_add(loader);
	sections_load(loader, 1u << SECTION_SETS);
	sets_settle(loader->config);
	chains_open(loader);
	sections_load(loader, 1u << SECTION_FILTER | 1u << SECTION_CHAIN | 1u << SECTION_HELPERS);
	sections_load(loader, 1u << SECTION_NAT);
	if (!rules_built_in(loader) || !direct_rules(loader->config))
		loader->problems.out_of_memory = true;
	sections_load(loader, 1u << SECTION_FORWARDS);
	check_config(loader->config, &loader->problems);
}

struct config *config_parse(const char *name, const char *text, struct config_errors *errors)
{
	struct loader loader = {.problems.file = name};

	loader.config = calloc(1, sizeof(*loader.config));
	if (loader.config == NULL) {
		*errors = (struct config_errors){0};
		return NULL;
	}
	document_read(&loader.document, text, &loader.problems);
	document_load(&loader);
	document_free(&loader.document);
	if (!problems_deliver(&loader.problems, errors)) {
		config_free(loader.config);
		return NULL;
	}
	return loader.config;
}

void config_free(struct config *config)
{
	if (config == NULL)
		return;
	for (unsigned chain = 0; chain < CHAIN_COUNT; chain++)
		free(config->chains[chain].rule);
	for (unsigned chain = 0; chain < config->user_chain_count; chain++)
		free(config->user_chains[chain].rules.rule);
	free(config->user_chains);
	sets_free(config);
	free(config->nat.rule);
	free(config->helpers.rule);
	for (unsigned i = 0; i < config->network_count; i++) {
		free(config->networks[i].reservations);
		dns_config_free(&config->networks[i].names);
	}
	free(config->networks);
	free(config->links);
	free(config->forwards);
	free(config);
}

int config_network_of(const struct config *config, uint8_t family, const union addr *address)
{
	for (unsigned i = 0; i < config->network_count; i++) {
		const struct network_config *network = &config->networks[i];
		const struct prefix *subnet =
			family == AF_INET ? &network->subnet4 : &network->subnet6;

		if (subnet->family != 0 && prefix_contains(subnet, family, address))
			return (int)i;
	}
	return -1;
}

int config_network_named(const struct config *config, const char *name)
{
	for (unsigned i = 0; i < config->network_count; i++) {
		if (strcmp(config->networks[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}
