/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * forward: a published port, "tcp", "[HOSTADDR:]8080[-8090]", "[NETWORK/]GUEST[:PORT]".
 *
 * The guest's address decides the family, and a host address must be of the same; 0.0.0.0 and [::]
 * are any address of the host.  A name stands for its link's address of the host address's family;
 * where there is none, for the IPv4 and the IPv6 address that the link has.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "config/check.h"
#include "config/nat.h"
#include "config/networks.h"
#include "config/rule.h"

/*
 * Split "ADDRESS:PORTS", "[ADDRESS]:PORTS", "ADDRESS" or "[ADDRESS]": `host` receives the part
 * before the last colon, without brackets, and *ports what follows, or NULL.  An IPv6 address
 * without brackets has no port.
 */
static bool endpoint_split(const char *text, char host[WORD_SIZE], const char **ports)
{
	const char *colon = strrchr(text, ':');
	size_t length = strlen(text);

	*ports = NULL;
	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (end == NULL || (end[1] != '\0' && end[1] != ':'))
			return false;
		if (end[1] == ':')
			*ports = end + 2;
		text++;
		length = (size_t)(end - text);
	} else if (colon != NULL && strchr(text, ':') == colon) {
		*ports = colon + 1;
		length = (size_t)(colon - text);
	}
	if (length >= WORD_SIZE)
		return false;
	memcpy(host, text, length);
	host[length] = '\0';
	return true;
}

static bool host_parse(const char *text, struct forward *forward, const struct sentence *why)
{
	char host[WORD_SIZE];
	const char *ports;

	if (strchr(text, ':') == NULL)
		return ports_parse(text, &forward->ports, why);
	if (!endpoint_split(text, host, &ports) || ports == NULL)
		return refuse(why,
			"bad port `%s`: allowed: PORT, FIRST-LAST, ADDRESS:PORT or [ADDRESS]:PORT",
			text);
	if (!addr_parse(host, &forward->host, &forward->host_family) ||
		addr_is_multicast(forward->host_family, &forward->host))
		return refuse(why,
			"bad host address `%s`: allowed: an address of the host's, IPv6 in "
			"brackets",
			host);
	return ports_parse(ports, &forward->ports, why);
}

/* A guest being sought. */
struct search {
	const struct config *config;
	const struct config_names *names;
	int network; /* or NETWORK_ANY */
	const struct sentence *why;
};

/* Is the link of the config called so, on that network? */
static bool link_is(const struct link_config *link, unsigned network, const char *name)
{
	return link->network == network && strcmp(link->name, name) == 0;
}

/* The address of a link of the config, of `family` (0: IPv4 first). */
static bool link_take(
	const struct search *search, unsigned network, const char *name, struct forward *forward)
{
	const uint8_t family = forward->host_family;

	for (unsigned i = 0; i < search->config->link_count; i++) {
		const struct link_config *link = &search->config->links[i];
		const bool v4 = !addr_is_zero(&link->address4) && family != AF_INET6;
		const bool v6 = !addr_is_zero(&link->address6) && family != AF_INET;

		if (!link_is(link, network, name) || (!v4 && !v6))
			continue;
		forward->guest_family = v4 ? AF_INET : AF_INET6;
		forward->guest = v4 ? link->address4 : link->address6;
		return true;
	}
	return false;
}

/* Why there is no guest of this name, with an address that will do. */
static bool name_refuse(const struct search *search, const char *name, uint8_t family)
{
	char known[CHOICES_SIZE] = "";

	for (unsigned i = 0; i < search->config->link_count; i++) {
		const struct link_config *link = &search->config->links[i];
		const bool here = search->network == NETWORK_ANY ||
				  (unsigned)search->network == link->network;

		if (!here || !network_is_seen(search->names, link->network))
			continue;
		if (strcmp(link->name, name) == 0)
			return refuse(search->why,
				"link `%s` has no %saddress: give it one in [link %s]", name,
				family == 0 ? "" : (family == AF_INET ? "IPv4 " : "IPv6 "), name);
		choices_add(known, link->name);
	}
	if (known[0] == '\0')
		return refuse(search->why,
			"unknown guest `%s`: allowed: an address of a network, or the name of a "
			"link",
			name);
	return refuse_choice(search->why, "guest", name, known);
}

static bool name_locate(const struct search *search, const char *name, struct forward *forward)
{
	const struct config *config = search->config;
	const struct config_names *names = search->names;
	const uint8_t family = forward->host_family;
	int found = NETWORK_NOWHERE;

	for (unsigned i = 0; i < config->network_count; i++) {
		if ((search->network != NETWORK_ANY && search->network != (int)i) ||
			!network_is_seen(names, i))
			continue;
		const bool here =
			(names != NULL && names->find(names->context, (uint16_t)i, name, family,
						  &forward->guest_family, &forward->guest)) ||
			link_take(search, i, name, forward);
		if (here && found != NETWORK_NOWHERE)
			return refuse(search->why,
				"guest `%s` is in the networks `%s` and `%s`: allowed: %s/%s or "
				"%s/%s",
				name, config->networks[found].name, config->networks[i].name,
				config->networks[found].name, name, config->networks[i].name, name);
		if (here)
			found = (int)i;
	}
	if (found == NETWORK_NOWHERE)
		return name_refuse(search, name, family);
	forward->network = (uint16_t)found;
	return true;
}

static bool guest_nowhere(const struct search *search, const struct forward *forward)
{
	char text[ADDR_TEXT_SIZE], known[CHOICES_SIZE] = "";

	for (unsigned i = 0; i < search->config->network_count; i++) {
		const struct prefix *subnet =
			network_subnet(&search->config->networks[i], forward->guest_family);

		if (subnet->family != 0 && network_is_seen(search->names, i))
			choices_add(known, prefix_format(subnet, text));
	}
	addr_format(forward->guest_family, &forward->guest, text);
	return refuse_choice(search->why, "guest", text, known);
}

/* A guest given by its address: in one of the networks, and one that a guest can have there. */
static bool address_locate(const struct search *search, struct forward *forward)
{
	const uint8_t family = forward->guest_family;
	const int index = network_find(search->config, search->names, search->network, family,
		&forward->guest, search->why);
	char text[ADDR_TEXT_SIZE];

	if (index == NETWORK_AMBIGUOUS)
		return false;
	if (index < 0)
		return guest_nowhere(search, forward);
	const struct network_config *network = &search->config->networks[index];
	const union addr *gateway = family == AF_INET ? &network->gateway4 : &network->gateway6;

	addr_format(family, &forward->guest, text);
	if (addr_equal(&forward->guest, gateway))
		return refuse(
			search->why, "%s is the gateway itself: allowed: a guest's address", text);
	if (!subnet_has_host(network_subnet(network, family), &forward->guest))
		return refuse(search->why,
			"%s is no guest's: allowed: neither the first nor the broadcast "
			"address of a subnet",
			text);
	forward->network = (uint16_t)index;
	return true;
}

static bool guest_find(const struct search *search, const char *guest, struct forward *forward)
{
	if (addr_parse(guest, &forward->guest, &forward->guest_family))
		return address_locate(search, forward);
	if (!text_copy(forward->guest_name, sizeof(forward->guest_name), guest))
		return refuse(search->why, "unknown guest `%s`: allowed: names of at most %d bytes",
			guest, CONFIG_NAME_SIZE - 1);
	return name_locate(search, guest, forward);
}

/* The guest's ports: as many as the host's, from `text` on; NULL: the same. */
static bool guest_ports_parse(const char *text, struct forward *forward, const struct sentence *why)
{
	const unsigned more = (unsigned)(forward->ports.last - forward->ports.first);
	struct port_range range = forward->ports;

	if (text != NULL && !ports_parse(text, &range, why))
		return false;
	if (range.first != range.last && (unsigned)(range.last - range.first) != more)
		return refuse(why, "guest ports `%s`: allowed: as many as on the host: %u", text,
			more + 1);
	if (range.first + more > UINT16_MAX)
		return refuse(why, "guest ports from %u on: allowed: %u or less for %u ports",
			range.first, UINT16_MAX - more, more + 1);
	forward->guest_port = range.first;
	return true;
}

static bool forward_check(
	const struct config *config, struct forward *forward, const struct sentence *why)
{
	const struct port_list *ports = &config->gateway.ports;
	char text[PORTS_TEXT_SIZE], external[PORT_LIST_TEXT_SIZE];

	if (forward->host_family != 0 && forward->host_family != forward->guest_family)
		return refuse(why,
			"host address and guest are of different families: allowed: both IPv4, "
			"or both IPv6");
	if (addr_is_zero(&forward->host))
		forward->host_family = 0;
	if (port_list_overlaps(ports, forward->ports))
		return refuse(why,
			"port %s is among the external ports that flows are given: allowed: any "
			"outside %s, `ports` of [gateway]",
			ports_format(&forward->ports, text), port_list_format(ports, external));
	const char *snat = nat_snat_overlaps(config, forward);
	if (snat != NULL)
		return refuse(why,
			"port %s is among the ports that `snat = %s` gives away: allowed: any "
			"other",
			ports_format(&forward->ports, text), snat);
	return true;
}

bool config_parse_forward(const struct config *config, const struct config_names *names,
	const char *protocol, const char *host, const char *guest, struct forward *forward,
	char *error, unsigned error_size)
{
	const struct sentence why = {error, error_size};
	struct search search = {config, names, NETWORK_ANY, &why};
	char guest_host[WORD_SIZE];
	const char *guest_ports;

	*forward = (struct forward){0};
	switch (choice_index("tcp|udp", protocol)) {
	case 0:
		forward->protocol = IPPROTO_TCP;
		break;
	case 1:
		forward->protocol = IPPROTO_UDP;
		break;
	default:
		return refuse_choice(&why, "protocol", protocol, "tcp|udp");
	}
	if (!network_cut(config, names, &guest, &search.network, &why))
		return false;
	if (!endpoint_split(guest, guest_host, &guest_ports))
		return refuse(&why,
			"bad guest `%s`: allowed: NAME, ADDRESS, NAME:PORT, ADDRESS:PORT or "
			"[ADDRESS]:PORT, each also behind NETWORK/",
			guest);
	return host_parse(host, forward, &why) && guest_ports_parse(guest_ports, forward, &why) &&
	       guest_find(&search, guest_host, forward) && forward_check(config, forward, &why);
}

unsigned config_parse_forwards(const struct config *config, const struct config_names *names,
	const char *protocol, const char *host, const char *guest, struct forward forwards[2],
	char *error, unsigned error_size)
{
	char ignored[SENTENCE_SIZE];
	const struct sentence nobody = {ignored, sizeof(ignored)};

	if (!config_parse_forward(
		    config, names, protocol, host, guest, &forwards[0], error, error_size))
		return 0;
	const bool any_host = strchr(host, ':') == NULL;
	if (!any_host || forwards[0].guest_name[0] == '\0')
		return 1;
	forwards[1] = forwards[0];
	forwards[1].host_family = forwards[0].guest_family == AF_INET ? AF_INET6 : AF_INET;
	const struct search again = {config, names, forwards[0].network, &nobody};
	if (!guest_find(&again, forwards[0].guest_name, &forwards[1]))
		return 1;
	forwards[1].host_family = 0;
	return 2;
}

bool config_forwards_overlap(const struct forward *a, const struct forward *b)
{
	return a->protocol == b->protocol && a->guest_family == b->guest_family &&
	       a->ports.first <= b->ports.last && b->ports.first <= a->ports.last &&
	       (a->host_family == 0 || b->host_family == 0 || addr_equal(&a->host, &b->host));
}
