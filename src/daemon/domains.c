/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domains: what the DNS forwarder asks, answered by the rules.
 */
#include "daemon/domains.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/guests.h"
#include "daemon/refusals.h"

struct domain_policy {
	struct daemon *daemon;
	struct refusals refusals;
};

int domain_policy_create(struct daemon *daemon, struct domain_policy **result)
{
	struct domain_policy *policy = calloc(1, sizeof(*policy));

	if (policy == NULL)
		return -ENOMEM;
	policy->daemon = daemon;
	*result = policy;
	return 0;
}

void domain_policy_free(struct domain_policy *policy)
{
	free(policy);
}

static struct daemon_refusal refusal_of(const struct domain_policy *policy,
	const struct dns_asker *asker, const char *name, bool resolved)
{
	const char *link = guests_name(policy->daemon->guests, asker->zone);
	struct daemon_refusal refusal = {
		.network = asker->network,
		.family = asker->family,
		.address = asker->address,
		.resolved = resolved,
	};

	snprintf(refusal.link, sizeof(refusal.link), "%s", link != NULL ? link : "?");
	domain_copy(refusal.name, sizeof(refusal.name), name, strnlen(name, DOMAIN_NAME_SIZE - 1));
	return refusal;
}

/* ---- the forwarder's questions ---- */

static void name_log(struct domain_policy *policy, zone_id zone,
	const struct daemon_refusal *refusal, uint64_t now_ms)
{
	const struct config *config = policy->daemon->config;
	char address[ADDR_TEXT_SIZE], more[48] = "";
	uint64_t suppressed;

	if (!refusals_may_log(&policy->refusals, zone, now_ms, &suppressed))
		return;
	if (suppressed > 0)
		snprintf(more, sizeof(more), " suppressed=%" PRIu64, suppressed);
	log_info(policy->daemon->log, "name refused: domain=%s in=%s from=%s src=%s%s",
		refusal->name,
		refusal->network < config->network_count ? config->networks[refusal->network].name
							 : "?",
		refusal->link, addr_format(refusal->family, &refusal->address, address), more);
}

static bool may_resolve(void *context, const struct dns_asker *asker, const char *name)
{
	struct domain_policy *policy = context;
	const struct config *config = policy->daemon->config;
	const uint64_t now_ms = uv_now(policy->daemon->loop);

	if (asker->network < config->network_count &&
		config->networks[asker->network].dns_names == DNS_NAMES_ANY)
		return true;
	if (engine_domain_allowed(policy->daemon->engine, asker->network, name))
		return true;
	const struct daemon_refusal refusal = refusal_of(policy, asker, name, false);
	refusals_add(&policy->refusals, &refusal, now_ms);
	name_log(policy, asker->zone, &refusal, now_ms);
	return false;
}

static void resolved(void *context, const struct dns_asker *asker, const char *name, uint8_t family,
	const union addr *address, uint32_t ttl_s)
{
	const struct domain_policy *policy = context;
	const struct domain_answer answer = {
		.link = asker->zone,
		.asker_family = asker->family,
		.asker = asker->address,
		.name = name,
		.family = family,
		.address = *address,
		.ttl_s = ttl_s,
	};

	engine_domain_learn(policy->daemon->engine, &answer, uv_now(policy->daemon->loop));
}

struct dns_policy domain_policy_hooks(struct domain_policy *policy)
{
	return (struct dns_policy){
		.context = policy, .may_resolve = may_resolve, .resolved = resolved};
}

/* ---- what was refused ---- */

void domain_policy_packet_refused(struct domain_policy *policy, const struct rule_log *line)
{
	if (line->domain == NULL ||
		(line->rule->action != RULE_DROP && line->rule->action != RULE_REJECT))
		return;
	const struct dns_asker asker = {line->in, line->in_network, line->family, line->source};
	const struct daemon_refusal refusal = refusal_of(policy, &asker, line->domain, true);
	refusals_add(&policy->refusals, &refusal, uv_now(policy->daemon->loop));
}

bool domain_policy_refusal(
	const struct domain_policy *policy, unsigned index, struct daemon_refusal *refusal)
{
	return refusals_get(&policy->refusals, index, uv_now(policy->daemon->loop), refusal);
}
