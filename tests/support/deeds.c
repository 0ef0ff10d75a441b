/* SPDX-License-Identifier: BSD-2-Clause */
/* deeds: steps of stories that are about guests: their limits, links, addresses, names; and rules.
 */
#include "deeds.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* What is known of the guest who has an address; false where it has no account. */
static bool find_guest(const struct lab *lab, const char *place, struct guest_info *info)
{
	const union addr address = lab_address(lab, place);
	uint32_t cursor = 0;

	while (engine_guest_next(lab->engine, &cursor, info))
		if (addr_equal(
			    lab->family == AF_INET ? &info->address4 : &info->address6, &address))
			return true;
	return false;
}

void deed_refused(struct lab *lab, const char *arguments, char text[STEP_TEXT_SIZE])
{
	char place[32], what[32];
	struct guest_info info;
	unsigned i = 0;

	cr_assert_eq(sscanf(arguments, "%31s %31s", place, what), 2);
	while (strcmp(what, guest_refusal_name((enum guest_refusal)i)) != 0)
		i++;
	if (find_guest(lab, place, &info))
		snprintf(text, STEP_TEXT_SIZE, "%lu", info.refused[i]);
	else
		snprintf(text, STEP_TEXT_SIZE, "gone");
}

void deed_has(struct lab *lab, const char *arguments, char text[STEP_TEXT_SIZE])
{
	char place[32], what[32];
	struct guest_info info = {0};

	cr_assert_eq(sscanf(arguments, "%31s %31s", place, what), 2);
	if (!find_guest(lab, place, &info))
		snprintf(text, STEP_TEXT_SIZE, "gone");
	else if (strcmp(what, "flows") == 0)
		snprintf(text, STEP_TEXT_SIZE, "%u %u", info.flows[0], info.flows[1]);
	else if (strcmp(what, "half_open") == 0)
		snprintf(text, STEP_TEXT_SIZE, "%u %u", info.half_open[0], info.half_open[1]);
	else if (strcmp(what, "ports") == 0)
		snprintf(text, STEP_TEXT_SIZE, "%u %u %u", info.ports[0], info.ports[1],
			info.ports[2]);
	else
		cr_assert_fail("nobody has %s", what);
}

void deed_limits(struct lab *lab, const char *arguments, char text[STEP_TEXT_SIZE])
{
	struct config *config = lab_config(lab->options->network, arguments);

	engine_limits_set(lab->engine, &config->limits);
	config_free(config);
	text[0] = '\0';
}

void deed_link_lost(struct lab *lab, const char *arguments, char text[STEP_TEXT_SIZE])
{
	engine_link_remove(lab->engine, lab_zone(lab, arguments));
	text[0] = '\0';
}

static zone_id link_and_place(const struct lab *lab, const char *arguments, union addr *address)
{
	char link[32], place[32];

	cr_assert_eq(sscanf(arguments, "%31s %31s", link, place), 2);
	*address = lab_address(lab, place);
	return lab_zone(lab, link);
}

void deed_learn(struct lab *lab, const char *arguments, char text[STEP_TEXT_SIZE])
{
	union addr address;
	const zone_id zone = link_and_place(lab, arguments, &address);

	snprintf(text, STEP_TEXT_SIZE, "%d",
		engine_link_address_add(lab->engine, zone, lab->family, &address));
}

void deed_forget(struct lab *lab, const char *arguments, char text[STEP_TEXT_SIZE])
{
	union addr address;
	const zone_id zone = link_and_place(lab, arguments, &address);

	engine_link_address_del(lab->engine, zone, lab->family, &address);
	text[0] = '\0';
}

/* ---- rules ---- */

void deed_counted(struct lab *lab, const char *arguments, char text[STEP_TEXT_SIZE])
{
	const char *known;
	struct rule_info info;
	unsigned index, chain = 0;
	char name[16];

	cr_assert_eq(sscanf(arguments, "%15s %u", name, &index), 2);
	while ((known = engine_chain_name(lab->engine, chain)) != NULL && strcmp(name, known) != 0)
		chain++;
	cr_assert(engine_rule_info(lab->engine, chain, index, &info));
	snprintf(text, STEP_TEXT_SIZE, "%lu", info.counter.packets);
}

void deed_logged(struct lab *lab, const char *arguments, char text[STEP_TEXT_SIZE])
{
	(void)arguments;
	snprintf(text, STEP_TEXT_SIZE, "%u %s", lab->log_lines, lab->log_last);
}

/* ---- names ---- */

void deed_told(struct lab *lab, const char *arguments, char text[STEP_TEXT_SIZE])
{
	char link[32], name[300], word[64], asker[32] = "", number[ADDR_TEXT_SIZE];
	union addr address;
	uint8_t family;
	unsigned ttl_s;

	cr_assert(
		sscanf(arguments, "%31s %299s %63s %u %31s", link, name, word, &ttl_s, asker) >= 4);
	cr_assert(lab_word_address(lab, word, strlen(word), number));
	cr_assert(addr_parse(number, &address, &family));
	const struct domain_answer answer = {
		.link = lab_zone(lab, link),
		.asker_family = lab->family,
		.asker = lab_address(lab, asker[0] != '\0' ? asker : link),
		.name = name,
		.family = family,
		.address = address,
		.ttl_s = ttl_s,
	};
	engine_domain_learn(lab->engine, &answer, lab->now_ms);
	text[0] = '\0';
}

void deed_domains(struct lab *lab, const char *arguments, char text[STEP_TEXT_SIZE])
{
	const zone_id link = lab_zone(lab, arguments);
	struct domain_info info;
	uint32_t cursor = 0;
	int used = 0;

	snprintf(text, STEP_TEXT_SIZE, "nothing");
	while (engine_domain_next(lab->engine, &cursor, lab->now_ms, &info))
		if (info.link == link)
			used += snprintf(text + used, (size_t)(STEP_TEXT_SIZE - used), "%s%s%s %lu",
				used > 0 ? ", " : "", info.name, info.allowed ? "" : "!",
				info.expires_ms / 1000);
}
