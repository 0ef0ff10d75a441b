/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_rules: the methods about rules: chains, sets, [nat].
 */
#include "config/words.h"
#include "daemon/requests_parts.h"

#define SET_ELEMENTS_MAX 256 /* of one set, in an answer */

static const char *const action_names[] = {
	[RULE_ACCEPT] = "accept",
	[RULE_DROP] = "drop",
	[RULE_REJECT] = "reject",
};

/* ---- chains ---- */

static json_t *span_json(const struct rule *rule, struct text_span span)
{
	return json_stringn(rule->text + span.at, span.length);
}

static json_t *log_json(const struct rule_info *info)
{
	const struct member members[] = {
		{"prefix", span_json(info->rule, info->rule->log)},
		{"suppressed", number_json(info->log_suppressed)},
	};

	return object_json(members, ARRAY_COUNT(members));
}

static json_t *rule_json(const struct rule_info *info)
{
	const struct rule *rule = info->rule;
	const bool logs = rule->action == RULE_LOG || (rule->words & RULE_WORD(WORD_LOG));
	const bool comment = rule->words & RULE_WORD(WORD_COMMENT);
	const struct member members[] = {
		{"rule", text_json(rule->text)},
		{"line", number_json(rule->line)},
		{"counter", counter_json(&info->counter)},
		{"comment", comment ? span_json(rule, rule->comment) : json_null()},
		{"log", logs ? log_json(info) : json_null()},
	};

	return object_json(members, ARRAY_COUNT(members));
}

/* The user's chains have none. */
static json_t *policy_json(const struct rule_info *info)
{
	if (info->policy >= ARRAY_COUNT(action_names))
		return json_null();
	const struct member members[] = {
		{"action", text_json(action_names[info->policy])},
		{"counter", counter_json(&info->counter)},
	};
	return object_json(members, ARRAY_COUNT(members));
}

static json_t *chain_json(const struct engine *engine, unsigned chain)
{
	json_t *rules = json_array();
	struct rule_info info;
	unsigned i = 0;

	for (; engine_rule_info(engine, chain, i, &info) && info.rule; i++)
		json_array_append_new(rules, rule_json(&info));
	const struct member members[] = {
		{"chain", text_json(engine_chain_name(engine, chain))},
		{"rules", rules},
		{"policy", policy_json(&info)},
	};
	return object_json(members, ARRAY_COUNT(members));
}

/* ---- sets ---- */

static json_t *element_json(const struct set *set, unsigned i)
{
	char text[ADDR_RANGE_TEXT_SIZE];

	if (set->kind == SET_DOMAINS)
		return json_string(set->domains[i]);
	if (set->kind == SET_PORTS)
		return json_string(ports_format(&set->ports[i], text));
	return json_string(addr_range_format(&set->addresses[i], text));
}

static json_t *set_json(const struct set *set)
{
	static const char *const kinds[] = {
		[SET_EMPTY] = "empty",
		[SET_ADDRESSES] = "addresses",
		[SET_PORTS] = "ports",
		[SET_DOMAINS] = "domains",
	};
	json_t *elements = json_array();

	for (unsigned i = 0; i < set->count && i < SET_ELEMENTS_MAX; i++)
		json_array_append_new(elements, element_json(set, i));
	const struct member members[] = {
		{"name", text_json(set->name)},
		{"kind", text_json(kinds[set->kind])},
		{"count", number_json(set->count)},
		{"elements", elements},
		{"line", number_json(set->line)},
	};
	return object_json(members, ARRAY_COUNT(members));
}

static json_t *sets_json(const struct config *config)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < config->set_count; i++)
		json_array_append_new(list, set_json(&config->sets[i]));
	return list;
}

/* ---- [nat] ---- */

static json_t *nat_json(const struct nat_rules *nat)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < nat->count; i++) {
		const struct rule *rule = &nat->rule[i].match;
		const char *action = nat_kind_name((enum nat_kind)nat->rule[i].kind);
		const struct member members[] = {
			{"action", text_json(action)},
			{"match", text_json(rule->text)},
			{"line", number_json(rule->line)},
		};
		json_array_append_new(list, object_json(members, ARRAY_COUNT(members)));
	}
	return list;
}

void handle_rules(void *context, struct control_request *request)
{
	struct requests *requests = context;
	const struct engine *engine = requests->ops.engine;
	const struct config *config = requests->ops.config(requests->ops.context);
	json_t *chains = json_array();

	for (unsigned chain = 0; engine_chain_name(engine, chain); chain++)
		json_array_append_new(chains, chain_json(engine, chain));
	const struct member members[] = {
		{"chains", chains},
		{"sets", sets_json(config)},
		{"nat", nat_json(&config->nat)},
	};
	control_reply(request, object_json(members, ARRAY_COUNT(members)));
}
