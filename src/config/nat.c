/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nat: the language of [nat].
 *
 *	masquerade    = MATCH [-> :PORTS]
 *	no-masquerade = MATCH
 *	snat          = MATCH -> ADDRESS[-ADDRESS][:PORTS],...
 *	dnat          = MATCH -> ADDRESS[-ADDRESS]|LINK[:PORT[-PORT]],...
 *	no-dnat       = MATCH
 *	redirect      = MATCH -> :PORT | host:PORT | ADDRESS:PORT | LINK:PORT [proxy-protocol]
 *	map           = INSIDE <-> OUTSIDE
 *	npt           = INSIDE <-> OUTSIDE
 *
 * MATCH is that of a rule.  The arrow stands where netfilter says `to`, which here is a word of the
 * match.  A link's name stands for its addresses of both families; a connection takes a target of
 * its own family.
 */
#include "config/nat.h"
#include "config/networks.h"

#include <netinet/in.h>
#include <string.h>

#include "config/check.h"
#include "config/rule.h"

#define ARROW     "->"
#define ARROW_MAP "<->"
#define NPT_MAX   112 /* behind the prefix, a word must be left that takes up the difference */

static const char *const kind_names[NAT_KINDS] = {
	"masquerade", "no-masquerade", "snat", "dnat", "no-dnat", "redirect", "map", "npt"};
static const char *const kind_targets[NAT_KINDS] = {
	[NAT_MASQUERADE] = ":PORTS",
	[NAT_SNAT] = "ADDRESS, ADDRESS-ADDRESS or either with :PORTS",
	[NAT_DNAT] = "guests: ADDRESS, ADDRESS-ADDRESS or LINK, each with :PORT or without",
	[NAT_REDIRECT] = ":PORT, host:PORT, ADDRESS:PORT or LINK:PORT",
};

struct parser {
	const struct config *config;
	struct nat_rule *rule;
	const struct sentence *why;
};

const char *nat_kind_name(enum nat_kind kind)
{
	return kind_names[kind];
}

/* ---- what the match says ---- */

static bool match_is_only(const struct rule *match, uint8_t one, uint8_t other)
{
	for (unsigned protocol = 0; protocol <= UINT8_MAX; protocol++)
		if (protocol != one && protocol != other &&
			rule_has_protocol(match, (uint8_t)protocol))
			return false;
	return true;
}

static bool match_is_of_ports(const struct rule *match)
{
	return match_is_only(match, IPPROTO_TCP, IPPROTO_UDP);
}

/* The one range of destination ports that the match names, or NULL. */
static const struct port_range *match_ports(const struct rule *match)
{
	const struct port_match *ports = &match->to_ports;

	if (!(match->words & ~match->negated & RULE_WORD(WORD_TO_PORT)) || ports->set_count > 0 ||
		ports->count != 1)
		return NULL;
	return &ports->range[0];
}

/* Whether all that it matches comes from guests. */
static bool match_is_of_guests(const struct rule *match)
{
	const bool not = match->negated & RULE_WORD(WORD_IN);

	if (!(match->words & RULE_WORD(WORD_IN)))
		return false;
	return not ? match->in.kind == SIDE_UPLINK
		   : match->in.kind == SIDE_LAN || match->in.kind == SIDE_NETWORK;
}

/* ---- targets ---- */

static bool bad_target(const struct parser *parser, const char *text)
{
	return refuse(parser->why, "bad target `%s`: allowed: %s", text,
		kind_targets[parser->rule->kind]);
}

/* Cut "HOST:PORTS" in two; *ports is NULL where there are none.  An IPv6 address has brackets where
 * ports follow. */
static bool endpoint_cut(char *text, char **ports)
{
	char *colon = strrchr(text, ':');
	char *bracket = strrchr(text, ']');

	*ports = NULL;
	if (bracket != NULL) {
		if (bracket[1] != '\0' && bracket[1] != ':')
			return false;
		colon = bracket[1] == ':' ? bracket + 1 : NULL;
	} else if (colon != strchr(text, ':')) {
		return true;
	}
	if (colon != NULL) {
		*colon = '\0';
		*ports = colon + 1;
	}
	return true;
}

/* An address, in brackets or not. */
static bool address_read(const char *text, union addr *address, uint8_t *family)
{
	char bare[ADDR_TEXT_SIZE];
	const size_t length = strlen(text);

	if (text[0] != '[')
		return addr_parse(text, address, family);
	if (length < 2 || length >= sizeof(bare) || text[length - 1] != ']')
		return false;
	memcpy(bare, text + 1, length - 2);
	bare[length - 2] = '\0';
	return addr_parse(bare, address, family) && *family == AF_INET6;
}

/* ADDRESS or ADDRESS-ADDRESS; false for whatever is neither. */
static bool addresses_read(const char *text, struct addr_range *range)
{
	char first[WORD_SIZE];
	const char *dash = strchr(text, '-');
	uint8_t family;

	if (dash == NULL) {
		if (!address_read(text, &range->first, &range->family))
			return false;
		range->last = range->first;
		return true;
	}
	memcpy(first, text, (size_t)(dash - text));
	first[dash - text] = '\0';
	return address_read(first, &range->first, &range->family) &&
	       address_read(dash + 1, &range->last, &family) && family == range->family;
}

static bool ports_add(const struct parser *parser, const char *text, struct port_list *list)
{
	struct port_range range;

	if (!ports_parse(text, &range, parser->why))
		return false;
	if (list->count == PORT_RANGES_MAX)
		return refuse(parser->why, "allowed: at most %d ranges of ports", PORT_RANGES_MAX);
	if (port_list_overlaps(list, range))
		return refuse(
			parser->why, "ports %s overlap others: allowed: each port once", text);
	unsigned i = list->count++;
	for (; i > 0 && list->range[i - 1].first > range.first; i--)
		list->range[i] = list->range[i - 1];
	list->range[i] = range;
	return true;
}

static bool target_append(const struct parser *parser, const struct nat_target *target)
{
	struct nat_rule *rule = parser->rule;

	if (rule->target_count == NAT_TARGETS_MAX)
		return refuse(parser->why,
			"too many targets: allowed: %d, a link's name counts once for each of IPv4 "
			"and IPv6",
			NAT_TARGETS_MAX);
	rule->target[rule->target_count++] = *target;
	return true;
}

/* `in NETWORK` of the line itself, where that network has the address. */
static int network_said(const struct parser *parser, uint8_t family, const union addr *address)
{
	const struct rule *match = &parser->rule->match;
	const struct side_match *in = &match->in;

	if (!(match->words & ~match->negated & RULE_WORD(WORD_IN)) || in->kind != SIDE_NETWORK)
		return NETWORK_ANY;
	const struct prefix *subnet =
		network_subnet(&parser->config->networks[in->network], family);
	return subnet->family != 0 && prefix_contains(subnet, family, address) ? in->network
									       : NETWORK_ANY;
}

/* A guest's address, or several in a row: of one network, and none that no guest can have. */
static bool guests_check(const struct parser *parser, int wanted, struct nat_target *target)
{
	const struct config *config = parser->config;
	const struct addr_range *range = &target->addresses;
	const uint8_t family = range->family;
	char first[ADDR_TEXT_SIZE], last[ADDR_TEXT_SIZE];

	addr_format(family, &range->first, first);
	addr_format(family, &range->last, last);
	if (addr_compare(&range->first, &range->last) > 0)
		return refuse(parser->why, "%s-%s: allowed: the lower address first", first, last);
	if (wanted == NETWORK_ANY)
		wanted = network_said(parser, family, &range->first);
	const int index = network_find(config, NULL, wanted, family, &range->first, parser->why);
	if (index == NETWORK_AMBIGUOUS)
		return false;
	if (index < 0 || !prefix_contains(network_subnet(&config->networks[index], family), family,
				 &range->last))
		return refuse(parser->why,
			"target %s: allowed: a guest's address, in the subnet of one of the "
			"networks",
			index < 0 ? first : last);
	target->network = (uint16_t)index;
	const struct network_config *network = &config->networks[index];
	const struct prefix *subnet = network_subnet(network, family);
	const union addr *gateway = family == AF_INET ? &network->gateway4 : &network->gateway6;
	if (addr_range_contains(range, family, gateway))
		return refuse(parser->why,
			"target %s is the gateway itself: allowed: a guest's address; `redirect` "
			"leads to the host",
			addr_format(family, gateway, first));
	if (!subnet_has_host(subnet, &range->first) || !subnet_has_host(subnet, &range->last))
		return refuse(parser->why,
			"target %s is no guest's: allowed: neither the first nor the broadcast "
			"address of a subnet",
			subnet_has_host(subnet, &range->first) ? last : first);
	return true;
}

/* Addresses that connections may leave with. */
static bool outside_check(const struct parser *parser, const struct addr_range *range)
{
	char text[ADDR_TEXT_SIZE];

	addr_format(range->family, &range->first, text);
	if (addr_compare(&range->first, &range->last) > 0)
		return refuse(
			parser->why, "%s is higher than the last: allowed: the lower first", text);
	if (addr_is_martian(range->family, &range->first) ||
		addr_is_martian(range->family, &range->last) ||
		addr_is_link_local(range->family, &range->first))
		return refuse(
			parser->why, "address %s: allowed: one that others can answer to", text);
	if (config_network_of(parser->config, range->family, &range->first) >= 0)
		return refuse(parser->why,
			"address %s is of a network of guests: allowed: addresses outside", text);
	return true;
}

/* A link's addresses, one target for each family. */
static bool link_append(
	const struct parser *parser, int wanted, const char *name, struct nat_target *target)
{
	char known[CHOICES_SIZE] = "";
	const struct config *config = parser->config;

	for (unsigned i = 0; i < config->link_count; i++) {
		const struct link_config *link = &config->links[i];
		const bool v4 = !addr_is_zero(&link->address4), v6 = !addr_is_zero(&link->address6);

		if (wanted != NETWORK_ANY && link->network != wanted)
			continue;
		choices_add(known, link->name);
		if (strcmp(link->name, name) != 0)
			continue;
		target->network = link->network;
		if (!v4 && !v6)
			return refuse(parser->why,
				"link `%s` has no address: give it one in [link %s]", name, name);
		target->addresses = (struct addr_range){link->address4, link->address4, AF_INET};
		if (v4 && !target_append(parser, target))
			return false;
		target->addresses = (struct addr_range){link->address6, link->address6, AF_INET6};
		return !v6 || target_append(parser, target);
	}
	if (known[0] == '\0')
		return bad_target(parser, name);
	return refuse_choice(parser->why, "guest", name, known);
}

static bool guest_append(
	const struct parser *parser, int wanted, const char *host, struct nat_target *target)
{
	if (!addresses_read(host, &target->addresses))
		return link_append(parser, wanted, host, target);
	if (parser->rule->kind == NAT_REDIRECT &&
		networks_have_gateway(
			parser->config, target->addresses.family, &target->addresses.first)) {
		target->addresses = (struct addr_range){.family = 0};
		return target_append(parser, target);
	}
	return guests_check(parser, wanted, target) && target_append(parser, target);
}

static bool target_parse(const struct parser *parser, char *text)
{
	struct nat_rule *rule = parser->rule;
	struct nat_target target = {0};
	char whole[WORD_SIZE], *ports;
	const size_t digits = strspn(text, "0123456789-");
	const char *host = text;
	int wanted = NETWORK_ANY;

	text_copy(whole, sizeof(whole), text);
	if (rule->kind >= NAT_DNAT &&
		!network_cut(parser->config, NULL, &host, &wanted, parser->why))
		return false;
	text += host - text;
	/* "192.0.2.5:1024-2047,4096-8191": more ports of the target before. */
	if (rule->target_count > 0 && text[digits] == '\0' && digits > 0 &&
		rule->target[rule->target_count - 1].ports.count > 0 &&
		(rule->kind == NAT_MASQUERADE || rule->kind == NAT_SNAT))
		return ports_add(parser, text, &rule->target[rule->target_count - 1].ports);
	if (!endpoint_cut(text, &ports) ||
		(ports != NULL && !ports_add(parser, ports, &target.ports)))
		return ports == NULL && bad_target(parser, whole);
	switch (rule->kind) {
	case NAT_MASQUERADE:
		if (text[0] != '\0' || ports == NULL || rule->target_count > 0)
			return bad_target(parser, whole);
		return target_append(parser, &target);
	case NAT_SNAT:
		if (!addresses_read(text, &target.addresses))
			return bad_target(parser, whole);
		return outside_check(parser, &target.addresses) && target_append(parser, &target);
	case NAT_REDIRECT:
		if (ports == NULL)
			return bad_target(parser, whole);
		if (text[0] == '\0' || strcmp(text, "host") == 0)
			return target_append(parser, &target);
		return guest_append(parser, wanted, text, &target);
	default:
		if (text[0] == '\0')
			return bad_target(parser, whole);
		return guest_append(parser, wanted, text, &target);
	}
}

/* "TARGET,TARGET [proxy-protocol]" */
static bool targets_parse(const struct parser *parser, const char *text)
{
	char list[WORD_SIZE], element[WORD_SIZE];
	const char *rest = list;

	if (!word_next(&text, list))
		return refuse(parser->why, "nothing behind `" ARROW "`: allowed: %s",
			kind_targets[parser->rule->kind]);
	while (list_next(&rest, element))
		if (!target_parse(parser, element))
			return false;
	if (!word_next(&text, element))
		return true;
	if (parser->rule->kind != NAT_REDIRECT || strcmp(element, "proxy-protocol") != 0)
		return refuse(parser->why, "`%s` behind the targets: allowed: %s", element,
			parser->rule->kind == NAT_REDIRECT ? "proxy-protocol" : "nothing");
	parser->rule->proxy_protocol = true;
	return !word_next(&text, element) ||
	       refuse(parser->why, "`%s` behind `proxy-protocol`: allowed: nothing", element);
}

/* ---- the whole line ---- */

/* A range of ports keeps its order, so it needs as many in the match. */
static bool target_ports_check(const struct parser *parser, const struct nat_target *target)
{
	const struct port_range *from = match_ports(&parser->rule->match);
	const struct port_range *to = &target->ports.range[0];
	char text[PORTS_TEXT_SIZE];

	if (target->ports.count == 0)
		return true;
	if (!match_is_of_ports(&parser->rule->match))
		return refuse(parser->why, "a port in the target needs `proto tcp` or `proto udp`");
	if (to->first != to->last &&
		(from == NULL || from->last - from->first != to->last - to->first))
		return refuse(parser->why,
			"target ports %s: allowed: one port, or as many as the one range behind "
			"`port` has",
			ports_format(to, text));
	return true;
}

static bool masquerade_check(const struct parser *parser)
{
	const struct port_list *ports = &parser->config->gateway.ports;
	const struct port_list *own = &parser->rule->target[0].ports;
	char text[PORT_LIST_TEXT_SIZE];

	for (unsigned i = 0; parser->rule->target_count > 0 && i < own->count; i++)
		for (uint32_t port = own->range[i].first; port <= own->range[i].last; port++)
			if (!port_list_has(ports, (uint16_t)port))
				return refuse(parser->why,
					"port %u: allowed: some of %s, `ports` of [gateway]", port,
					port_list_format(ports, text));
	return true;
}

static bool redirect_check(const struct parser *parser)
{
	const struct nat_rule *rule = parser->rule;
	const struct rule *match = &rule->match;

	if (!match_is_of_ports(match))
		return refuse(parser->why, "`redirect` needs `proto tcp` or `proto udp`");
	for (unsigned i = 0; i < rule->target_count; i++) {
		const bool host = rule->target[i].addresses.family == 0;
		if (host && rule->target_count > 1)
			return refuse(
				parser->why, "allowed: one program of the host, or guests in turn");
		if (host && !match_is_of_guests(match))
			return refuse(parser->why,
				"allowed: `in lan` or a network's name: what comes from outside is "
				"for guests alone");
		if (!host && rule->proxy_protocol)
			return refuse(parser->why,
				"`proxy-protocol`: allowed: to the host; guests see the client's "
				"own address");
	}
	if (rule->proxy_protocol && !match_is_only(match, IPPROTO_TCP, IPPROTO_TCP))
		return refuse(parser->why, "`proxy-protocol` needs `proto tcp`");
	return true;
}

static bool targets_check(const struct parser *parser)
{
	const struct nat_rule *rule = parser->rule;

	if (rule->kind == NAT_MASQUERADE)
		return masquerade_check(parser);
	if (rule->kind == NAT_REDIRECT && !redirect_check(parser))
		return false;
	if (rule->kind == NAT_SNAT)
		return true;
	for (unsigned i = 0; i < rule->target_count; i++)
		if (!target_ports_check(parser, &rule->target[i]))
			return false;
	return true;
}

/* Find `arrow` as a word of its own. */
static const char *arrow_find(const char *text, const char *arrow)
{
	char word[WORD_SIZE];

	for (const char *rest = text; word_next(&rest, word);)
		if (strcmp(word, arrow) == 0)
			return rest - strlen(arrow);
	return NULL;
}

static bool is_about_sources(const struct nat_rule *rule)
{
	return rule->kind <= NAT_SNAT;
}

static bool line_parse(const struct parser *parser, const char *text)
{
	struct nat_rule *rule = parser->rule;
	const char *arrow = arrow_find(text, ARROW), *targets = kind_targets[rule->kind];
	char match[CONFIG_TEXT_SIZE];

	memcpy(match, text, strlen(text) + 1);
	if (arrow != NULL)
		match[arrow - text] = '\0';
	if (!rule_parse(parser->config, is_about_sources(rule) ? PLACE_NAT : PLACE_DNAT, match,
		    &rule->match, parser->why))
		return false;
	if (targets == NULL && arrow != NULL)
		return refuse(parser->why, "`" ARROW "`: allowed: a match alone");
	if (arrow == NULL && targets != NULL && rule->kind != NAT_MASQUERADE)
		return refuse(parser->why, "no target: allowed: `" ARROW "` at the end, then %s",
			targets);
	return (arrow == NULL || targets_parse(parser, arrow + strlen(ARROW))) &&
	       targets_check(parser);
}

/* ---- map and npt ---- */

static bool prefix_read(const struct parser *parser, const char *text, struct prefix *prefix)
{
	const char *fault = prefix_parse(text, prefix);

	if (fault == NULL)
		return true;
	return refuse(parser->why, "bad prefix `%s`: %s: allowed: INSIDE " ARROW_MAP " OUTSIDE",
		text, fault);
}

static bool inside_check(const struct parser *parser, int wanted)
{
	const struct config *config = parser->config;
	struct nat_rule *rule = parser->rule;
	const struct prefix *inside = &rule->inside;
	const int index =
		network_find(config, NULL, wanted, inside->family, &inside->base, parser->why);
	char text[ADDR_TEXT_SIZE];

	if (index == NETWORK_AMBIGUOUS)
		return false;
	if (index < 0 ||
		inside->length < network_subnet(&config->networks[index], inside->family)->length)
		return refuse(parser->why,
			"%s: allowed: first the inside, addresses of one of the networks",
			prefix_format(inside, text));
	if (inside->length == addr_bits(inside->family) &&
		networks_have_gateway(config, inside->family, &inside->base))
		return refuse(parser->why, "%s is the gateway itself: allowed: guests' addresses",
			prefix_format(inside, text));
	rule->network = (uint16_t)index;
	return true;
}

static bool map_parse(const struct parser *parser, const char *text)
{
	struct nat_rule *rule = parser->rule;
	struct prefix *inside = &rule->inside, *outside = &rule->outside;
	char word[WORD_SIZE], arrow[WORD_SIZE], last[WORD_SIZE];
	const char *first = word;
	int network;

	if (!word_next(&text, word) || !word_next(&text, arrow) || strcmp(arrow, ARROW_MAP) != 0 ||
		!word_next(&text, last) || word_next(&text, arrow))
		return refuse(parser->why, "allowed: INSIDE " ARROW_MAP
					   " OUTSIDE, such as 10.77.0.5 " ARROW_MAP " 192.0.2.5");
	if (!network_cut(parser->config, NULL, &first, &network, parser->why) ||
		!prefix_read(parser, first, inside) || !prefix_read(parser, last, outside))
		return false;
	if (inside->family != outside->family || inside->length != outside->length)
		return refuse(parser->why,
			"%s and %s: allowed: prefixes of one family and of equal length", first,
			last);
	if (rule->kind == NAT_NPT && (inside->family != AF_INET6 || inside->length > NPT_MAX))
		return refuse(parser->why, "`npt`: allowed: IPv6 prefixes of at most /%d", NPT_MAX);
	struct addr_range range = {outside->base, outside->base, outside->family};
	return inside_check(parser, network) && outside_check(parser, &range);
}

bool nat_rule_parse(const struct config *config, enum nat_kind kind, const char *text,
	struct nat_rule *rule, const struct sentence *why)
{
	const struct parser parser = {config, rule, why};

	*rule = (struct nat_rule){.kind = (uint8_t)kind};
	if (strlen(text) >= CONFIG_TEXT_SIZE)
		return refuse(why, "a line of %zu bytes: allowed: %d", strlen(text),
			CONFIG_TEXT_SIZE - 1);
	if (kind == NAT_MAP || kind == NAT_NPT ? !map_parse(&parser, text)
					       : !line_parse(&parser, text))
		return false;
	return text_copy(rule->match.text, sizeof(rule->match.text), text);
}

bool nat_rules_append(struct nat_rules *rules, const struct nat_rule *rule)
{
	if (!array_reserve(&rules->rule, rules->count, sizeof(*rule)))
		return false;
	rules->rule[rules->count++] = *rule;
	return true;
}
