/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domains: between the DNS forwarder and the rules.
 *
 * What a guest is told, the engine learns before the guest has it (engine_domain_learn()); what it
 * may ask for at all, where its network has `dns-names = allowed`, are the names that rules accept.
 * Names that were refused are logged, counted, and kept for `tungate domains`.
 */
#ifndef TUNGATE_DAEMON_DOMAINS_H
#define TUNGATE_DAEMON_DOMAINS_H

#include "daemon/daemon.h"
#include "dns/policy.h"

struct domain_policy;

/* 0 or -ENOMEM. */
int domain_policy_create(struct daemon *daemon, struct domain_policy **result);
void domain_policy_free(struct domain_policy *policy);
/* For the forwarder. */
struct dns_policy domain_policy_hooks(struct domain_policy *policy);

/* A rule refused a packet to an address that its guest has got for a domain. */
void domain_policy_packet_refused(struct domain_policy *policy, const struct rule_log *line);
/* As daemon_ops.refusal. */
bool domain_policy_refusal(
	const struct domain_policy *policy, unsigned index, struct daemon_refusal *refusal);

#endif
