/* SPDX-License-Identifier: BSD-2-Clause */
/* shares_check: whether networks can have what they are given, beside each other. */
#include "config/check.h"

#include <string.h>

#include "config/words.h"

void check_isolation(const struct config *config, unsigned line, struct problems *problems)
{
	for (unsigned i = 0; i < config->network_count; i++) {
		const struct network_config *network = &config->networks[i];

		if (!network->isolate)
			problems_add(problems, network->line,
				"network `%s` has `isolate = no`, and the [filter forward] in line "
				"%u "
				"decides instead: allowed: `rule = accept in %s out %s` there",
				network->name, line, network->name, network->name);
	}
}

/* The first range of a list with a port of another list, or NULL. */
static const struct port_range *overlap(const struct port_list *list, const struct port_list *other)
{
	for (unsigned i = 0; i < list->count; i++)
		if (port_list_overlaps(other, list->range[i]))
			return &list->range[i];
	return NULL;
}

static void check_network_ports(const struct config *config, const struct network_config *network,
	struct problems *problems)
{
	const struct port_list *all = &config->gateway.ports;
	struct port_list outside = network->ports;
	char text[PORT_LIST_TEXT_SIZE], allowed[PORT_LIST_TEXT_SIZE], range_text[PORTS_TEXT_SIZE];

	port_list_format(all, allowed);
	if (!port_list_subtract(&outside, all) || outside.count > 0)
		problems_add(problems, network->line,
			"network `%s` has `ports = %s`: allowed: some of %s, `ports` of [gateway]",
			network->name, port_list_format(&network->ports, text), allowed);
	if (network->ports.count > 0 && network->port_block != 0)
		problems_add(problems, network->line,
			"network `%s` has `ports` and `port-block`: allowed: one of the two",
			network->name);
	const struct port_range *taken = overlap(&network->forward_ports, all);
	if (taken != NULL)
		problems_add(problems, network->line,
			"network `%s` has `forward-ports` %s, which are among the external ports: "
			"allowed: any outside %s, `ports` of [gateway]",
			network->name, ports_format(taken, range_text), allowed);
}

static void check_pair(const struct network_config *network, const struct network_config *other,
	struct problems *problems)
{
	const struct port_range *ports = overlap(&network->ports, &other->ports);
	const struct port_range *forwards = overlap(&network->forward_ports, &other->forward_ports);
	char text[PORTS_TEXT_SIZE];

	if (ports != NULL)
		problems_add(problems, network->line,
			"`ports` %s of network `%s` are also network `%s`'s in line %u: allowed: "
			"each port once",
			ports_format(ports, text), network->name, other->name, other->line);
	if (forwards != NULL)
		problems_add(problems, network->line,
			"`forward-ports` %s of network `%s` are also network `%s`'s in line %u: "
			"allowed: each port once",
			ports_format(forwards, text), network->name, other->name, other->line);
}

/* What is left for those that have no ports of their own. */
static void check_rest(const struct config *config, struct problems *problems)
{
	const struct network_config *sharing = NULL, *last = NULL;
	struct port_list rest = config->gateway.ports;
	bool good = true;

	for (unsigned i = 0; i < config->network_count; i++) {
		const struct network_config *network = &config->networks[i];

		if (network->ports.count == 0)
			sharing = network;
		else
			last = network;
		good = good && port_list_subtract(&rest, &network->ports);
	}
	if (!good && last != NULL)
		problems_add(problems, last->line,
			"`ports` of networks leave more than %d ranges of those of [gateway]: "
			"allowed: ranges side by side",
			PORT_RANGES_MAX);
	else if (sharing != NULL && rest.count == 0)
		problems_add(problems, sharing->line,
			"network `%s` has no `ports`, and others have all of them: allowed: ports "
			"of "
			"its own, or fewer for the others",
			sharing->name);
}

void check_shares(const struct config *config, struct problems *problems)
{
	for (unsigned i = 0; i < config->network_count; i++) {
		check_network_ports(config, &config->networks[i], problems);
		for (unsigned j = 0; j < i; j++)
			check_pair(&config->networks[i], &config->networks[j], problems);
	}
	check_rest(config, problems);
}
