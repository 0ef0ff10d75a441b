/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * requests_trace: `rules.trace`: what would become of a packet, step by step, and why.
 */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "daemon/packet_text.h"
#include "daemon/requests_parts.h"
#include "tungate/trace.h"

#define TEXT_SIZE 512

struct explanation {
	struct requests *requests;
	json_t *steps;
	const struct trace_rule *deciding;
};

static void __attribute__((format(printf, 3, 4)))
step_add(json_t *steps, const char *step, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	const struct member members[] = {
		{"step", text_json(step)},
		{"text", text_json(text)},
	};
	json_array_append_new(steps, object_json(members, ARRAY_COUNT(members)));
}

static const char *side_text(struct requests *requests, zone_id zone, uint16_t network)
{
	const struct config *config = requests->ops.config(requests->ops.context);

	if (ZONE_IS_SERVICE(zone))
		return "gateway";
	return network < config->network_count ? config->networks[network].name : "uplink";
}

/* ---- why a rule does not match ---- */

static const char *state_text(uint8_t state)
{
	switch (state) {
	case RULE_STATE_NEW:
		return "new";
	case RULE_STATE_ESTABLISHED:
		return "established";
	case RULE_STATE_RELATED:
		return "related";
	default:
		return "invalid";
	}
}

static void flags_text(uint8_t flags, char *text, size_t size)
{
	static const char *const names[] = {"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"};
	size_t used = 0;

	snprintf(text, size, "none");
	for (unsigned i = 0; i < 8; i++)
		if (flags >> i & 1)
			used += (size_t)snprintf(
				text + used, size - used, "%s%s", used > 0 ? "," : "", names[i]);
}

static void domain_missed_text(const struct trace_query *query, char text[TEXT_SIZE])
{
	char address[ADDR_TEXT_SIZE];

	if (query->domain != NULL)
		snprintf(text, TEXT_SIZE, "the guest has got this address for %s%s", query->domain,
			query->domain_holds ? "" : ", and must ask again");
	else
		snprintf(text, TEXT_SIZE, "the guest has asked for no name of %s",
			addr_format(query->family, &query->destination, address));
}

/* What the packet has where the rule wants something else. */
static void missed_text(const struct explanation *explanation, const struct trace_rule *rule,
	const struct trace_query *query, char text[TEXT_SIZE])
{
	struct requests *requests = explanation->requests;
	const char *word = rule_word_name((enum rule_word)rule->missed);
	char what[ADDR_TEXT_SIZE] = "";

	switch (rule->missed) {
	case WORD_STATE:
		snprintf(what, sizeof(what), "%s", state_text(query->state));
		break;
	case WORD_FORWARDED:
		snprintf(text, TEXT_SIZE, "not through a published port");
		return;
	case WORD_IN:
		snprintf(what, sizeof(what), "%s",
			side_text(requests, query->in, query->in_network));
		break;
	case WORD_OUT:
		snprintf(what, sizeof(what), "%s",
			side_text(requests, query->out, query->out_network));
		break;
	case WORD_FAMILY:
		snprintf(what, sizeof(what), "%s", query->family == AF_INET ? "ipv4" : "ipv6");
		break;
	case WORD_PROTO:
		protocol_format(query->protocol, what, sizeof(what));
		break;
	case WORD_FROM_PORT:
		snprintf(what, sizeof(what), "%u", query->source_port);
		break;
	case WORD_TO_PORT:
		snprintf(what, sizeof(what), "%u", query->destination_port);
		break;
	case WORD_FROM:
		addr_format(query->family, &query->source, what);
		break;
	case WORD_TO:
		addr_format(query->family, &query->destination, what);
		break;
	case WORD_TO_DOMAIN:
		domain_missed_text(query, text);
		return;
	case WORD_ICMP_TYPE:
		snprintf(what, sizeof(what), "%u/%u", query->icmp_type, query->icmp_code);
		break;
	case WORD_TCP_FLAGS:
		flags_text(query->tcp_flags, what, sizeof(what));
		break;
	case WORD_LENGTH:
		snprintf(what, sizeof(what), "%u", query->length);
		break;
	case WORD_TTL:
		snprintf(what, sizeof(what), "%u", query->ttl);
		break;
	case WORD_DSCP:
		snprintf(what, sizeof(what), "%u", query->dscp);
		break;
	case WORD_HELPER:
		snprintf(text, TEXT_SIZE, "not announced to that helper");
		return;
	case WORD_CONNECTIONS:
		snprintf(text, TEXT_SIZE, "there are not so many connections");
		return;
	default: /* WORD_LIMIT */
		snprintf(text, TEXT_SIZE,
			rule->rule->limit.over ? "the limit is not reached"
					       : "the limit is reached");
		return;
	}
	snprintf(text, TEXT_SIZE, "%s is %s", word, what);
}

static void rule_show(void *context, const struct trace_rule *rule, const struct trace *trace)
{
	static const char *const policies[] = {"accept", "drop", "reject"};
	struct explanation *explanation = context;
	const bool matches = rule->missed == RULE_WORDS;
	char why[TEXT_SIZE] = "", policy[32];

	if (!matches)
		missed_text(explanation, rule, &trace->query, why);
	snprintf(policy, sizeof(policy), "policy %s",
		rule->action < ARRAY_COUNT(policies) ? policies[rule->action] : "return");
	const struct member members[] = {
		{"step", text_json("rule")},
		{"chain", text_json(rule->chain)},
		{"rule", text_json(rule->rule ? rule->rule->text : policy)},
		{"line", number_json(rule->rule ? rule->rule->line : 0)},
		{"matches", json_boolean(matches)},
		{"why", matches ? json_null() : text_json(why)},
	};
	json_array_append_new(explanation->steps, object_json(members, ARRAY_COUNT(members)));
}

/* ---- the other steps ---- */

static void begin_show(struct requests *requests, json_t *steps, const struct packet *packet,
	const struct trace *trace)
{
	const char *link = requests->ops.link_name(requests->ops.context, packet->in_zone);

	step_add(steps, "source", "%s%s",
		packet->in_zone == ZONE_UPLINK     ? "uplink"
		: ZONE_IS_SERVICE(packet->in_zone) ? "the gateway itself"
						   : "link ",
		link != NULL ? link : "");
	if (trace->known)
		step_add(steps, "connection", "a live one, id %u, %s%s", trace->flow, trace->state,
			trace->reply ? ", in reply" : "");
	else
		step_add(steps, "connection", "none yet: this packet would begin it");
}

/* Where it goes to, and as whom: only as far as it came. */
static void route_show(struct requests *requests, json_t *steps, const struct packet *packet,
	const struct trace *trace)
{
	const struct trace_query *query = &trace->query;
	const struct rule *rule = trace->destination_rule;
	char text[ADDR_TEXT_SIZE];

	if (!trace->asked)
		return;
	const bool changed = !addr_equal(&query->destination, &packet->headers.destination) ||
			     (query->has_ports && query->destination_port !=
							  ntohs(packet->headers.destination_port));
	if (changed)
		step_add(steps, "destination", "becomes %s%s%s",
			addr_port_format(
				query->family, &query->destination, query->destination_port, text),
			rule != NULL ? ", by " : "",
			rule != NULL       ? rule->text
			: trace->forwarded ? ", a published port"
					   : "");
	else
		step_add(steps, "destination", "stays");
	step_add(steps, "route", "%s > %s", side_text(requests, query->in, query->in_network),
		side_text(requests, query->out, query->out_network));
}

static void source_show(json_t *steps, const struct trace *trace)
{
	const struct rule *rule = trace->nat_rule;
	char text[ADDR_TEXT_SIZE];

	if (!trace->source_decided)
		return;
	if (trace->translated)
		step_add(steps, "source NAT", "becomes %s%s%s",
			addr_format(trace->query.family, &trace->source, text),
			rule != NULL ? ", by " : "", rule != NULL ? rule->text : "");
	else
		step_add(steps, "source NAT", "stays%s%s", rule != NULL ? ", by " : "",
			rule != NULL ? rule->text : "");
}

static void verdict_show(json_t *steps, const struct trace *trace)
{
	if (trace->passes)
		step_add(steps, "verdict", "passes");
	else if (trace->answer == TRACE_SILENT)
		step_add(steps, "verdict", "dropped, %s: %s", drop_name(trace->drop),
			drop_meaning(trace->drop));
	else if (trace->answer == TRACE_RESET)
		step_add(steps, "verdict", "dropped, %s: %s; its sender gets a reset",
			drop_name(trace->drop), drop_meaning(trace->drop));
	else
		step_add(steps, "verdict",
			"dropped, %s: %s; its sender gets an ICMP error of type %u, code %u",
			drop_name(trace->drop), drop_meaning(trace->drop), trace->icmp_type,
			trace->icmp_code);
}

static json_t *join(json_t *first, json_t *second)
{
	json_array_extend(first, second);
	json_decref(second);
	return first;
}

static json_t *trace_json(struct requests *requests, const char *text, struct packet *packet)
{
	const struct daemon_ops *ops = &requests->ops;
	struct explanation explanation = {.requests = requests, .steps = json_array()};
	json_t *steps = json_array();
	struct trace trace;

	engine_trace(
		ops->engine, packet, ops->now_ms(ops->context), rule_show, &explanation, &trace);
	begin_show(requests, steps, packet, &trace);
	route_show(requests, steps, packet, &trace);
	steps = join(steps, explanation.steps);
	verdict_show(steps, &trace);
	source_show(steps, &trace);
	const struct member members[] = {
		{"packet", text_json(text)},
		{"passes", json_boolean(trace.passes)},
		{"reason", trace.passes ? json_null() : text_json(drop_name(trace.drop))},
		{"steps", steps},
	};
	return object_json(members, ARRAY_COUNT(members));
}

void handle_rules_trace(void *context, struct control_request *request)
{
	static const struct param params[] = {
		{"packet", PARAM_STRING, true, 0},
	};
	struct requests *requests = context;
	uint8_t data[PACKET_BYTES_MAX];
	struct packet packet = {.data = data, .capacity = sizeof(data)};
	struct request_error error = {0};
	const struct sentence why = {error.text, sizeof(error.text)};
	const char *text;

	if (!params_read(request, params, ARRAY_COUNT(params), &text))
		return;
	if (!packet_text_build(&requests->ops, text, &packet, &why))
		return control_fail(request, CONTROL_INVALID, "%s", error.text);
	control_reply(request, trace_json(requests, text, &packet));
}
