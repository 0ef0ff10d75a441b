/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule: any text is a rule or a reason.  A rule that was accepted is accepted again from the text
 * that it keeps, with the same meaning.  The first byte chooses what is parsed: a chain's rule, or
 * a forward whose three parts are separated by newlines.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tungate/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char networks[] =
	"[network lab]\nsubnet = 10.77.0.0/24, fd77::/64\n"
	"[network work]\nsubnet = 10.78.0.0/24\n"
	"[link web]\nnetwork = lab\nnetns = w\naddress = 10.77.0.2, fd77::2\n"
	"[sets]\nallowed = *.debian.org,pypi.org\nweb-ports = 80,443\nblocked = "
	"192.0.2.0/24,2001:db8::1-2001:db8::9\n"
	"[chain ssh]\nrule = return\n";

/* Each name is a part of the text that is a pattern, and matches what it says. */
static void domains_try(const struct rule *rule)
{
	assert(rule->domains.count <= CONFIG_ELEMENTS_MAX);
	for (unsigned i = 0; i < rule->domains.count; i++) {
		const struct text_span span = rule->domains.name[i];
		const char *pattern = rule->text + span.at;
		char name[DOMAIN_NAME_SIZE + 1];

		assert(span.at + span.length < CONFIG_TEXT_SIZE);
		assert(domain_pattern_fault(pattern, span.length) == NULL);
		assert(domain_copy(name, sizeof(name), pattern, span.length));
		if (name[0] == '*')
			name[0] = 'x';
		assert(domain_matches(pattern, span.length, name));
	}
}

static void rule_try(const struct config *config, enum chain chain, const char *text)
{
	struct rule rule, again;
	char error[300] = "";

	if (!config_parse_rule(config, chain, text, &rule, error, sizeof(error))) {
		assert(error[0] != '\0');
		return;
	}
	assert(rule.from.count <= CONFIG_ELEMENTS_MAX && rule.to.count <= CONFIG_ELEMENTS_MAX);
	assert(rule.from_ports.count <= CONFIG_ELEMENTS_MAX);
	assert(rule.to_ports.count <= CONFIG_ELEMENTS_MAX);
	assert(rule.log.at + rule.log.length < CONFIG_TEXT_SIZE);
	assert(rule.comment.at + rule.comment.length < CONFIG_TEXT_SIZE);
	assert(rule.icmp_count <= CONFIG_ICMP_MAX);
	domains_try(&rule);
	assert(config_parse_rule(config, chain, rule.text, &again, error, sizeof(error)));
	assert(rule.words == again.words && rule.negated == again.negated);
	assert(rule.action == again.action && rule.states == again.states);
	assert(memcmp(rule.protocols, again.protocols, sizeof(rule.protocols)) == 0);
	assert(rule.domains.count == again.domains.count);
	assert(rule.domains.set_count == again.domains.set_count);
	assert(rule.from.count == again.from.count && rule.to.count == again.to.count);
}

static void forward_try(const struct config *config, char *protocol)
{
	struct forward forward;
	char error[300] = "";
	char *host = strchr(protocol, '\n');

	if (host == NULL)
		return;
	*host++ = '\0';
	char *guest = strchr(host, '\n');
	if (guest == NULL)
		return;
	*guest++ = '\0';
	if (!config_parse_forward(
		    config, NULL, protocol, host, guest, &forward, error, sizeof(error))) {
		assert(error[0] != '\0');
		return;
	}
	assert(forward.ports.first > 0 && forward.ports.first <= forward.ports.last);
	assert(forward.guest_port + (forward.ports.last - forward.ports.first) <= UINT16_MAX);
	assert(forward.network < config->network_count);
	assert(config_forwards_overlap(&forward, &forward));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config *config; /* the same for every input: libFuzzer has no other place */
	struct config_errors errors;

	if (config == NULL)
		config = config_parse("networks", networks, &errors);
	char *text = malloc(size);
	if (size == 0 || text == NULL) {
		free(text);
		return 0;
	}
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] % 4 < CHAIN_COUNT)
		rule_try(config, (enum chain)(data[0] % 4), text);
	else
		forward_try(config, text);
	free(text);
	return 0;
}
