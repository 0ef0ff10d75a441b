/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ops: what the control socket's requests ask the daemon to do, handed to the part that does it.
 */
#include <stddef.h>
#include "daemon/daemon.h"
#include "daemon/domains.h"
#include "daemon/leases.h"
#include "daemon/guests.h"
#include "daemon/publish.h"
#include "daemon/redirects.h"
#include "daemon/uplinks.h"

static const struct config *op_config(void *context)
{
	return ((struct daemon *)context)->config;
}

static void op_status(void *context, struct daemon_status *status)
{
	struct daemon *daemon = context;

	*status = (struct daemon_status){
		.started_s = daemon->started_s,
		.uptime_ms = uv_now(daemon->loop) - daemon->started_ms,
		.config_path = daemon->config_path,
	};
	uplinks_status(daemon->uplinks, status);
}

static uint64_t op_now(void *context)
{
	return uv_now(((struct daemon *)context)->loop);
}

static bool op_link(void *context, unsigned index, struct daemon_link *link)
{
	return guests_describe(((struct daemon *)context)->guests, index, link);
}

static const char *op_link_name(void *context, zone_id zone)
{
	return guests_name(((struct daemon *)context)->guests, zone);
}

static int op_attach(void *context, const struct daemon_attach *attach, struct daemon_link *link,
	struct request_error *error)
{
	return guests_attach(((struct daemon *)context)->guests, attach, link, error);
}

static int op_detach(void *context, uint16_t network, const char *name, struct request_error *error)
{
	return guests_detach(((struct daemon *)context)->guests, network, name, error);
}

static const struct forward *op_forward(void *context, unsigned index)
{
	return publish_get(((struct daemon *)context)->publish, index);
}

static int op_forward_add(void *context, const struct forward *forward, struct request_error *error)
{
	return publish_add(((struct daemon *)context)->publish, forward, error);
}

static int op_forward_del(void *context, const struct forward *forward, struct request_error *error)
{
	return publish_del(((struct daemon *)context)->publish, forward, error);
}

static const struct known_lease *op_lease(void *context, unsigned index)
{
	return leases_at(((struct daemon *)context)->leases, index);
}

static bool op_refusal(void *context, unsigned index, struct daemon_refusal *refusal)
{
	return domain_policy_refusal(((struct daemon *)context)->domains, index, refusal);
}

static struct dns_forwarder *op_dns(void *context)
{
	return ((struct daemon *)context)->dns;
}

static bool op_redirected(void *context, uint8_t protocol, uint8_t family, const union addr *peer,
	uint16_t port, struct flow_info *flow)
{
	return redirects_find(
		((struct daemon *)context)->redirects, protocol, family, peer, port, flow);
}

static int op_reload(void *context, struct config_errors *errors)
{
	return daemon_reload(context, errors);
}

void daemon_ops_fill(struct daemon *daemon, struct daemon_ops *ops)
{
	*ops = (struct daemon_ops){
		.context = daemon,
		.engine = daemon->engine,
		.names = {.find = guests_find, .context = daemon},
		.config = op_config,
		.status = op_status,
		.now_ms = op_now,
		.link = op_link,
		.link_name = op_link_name,
		.attach = op_attach,
		.detach = op_detach,
		.forward = op_forward,
		.forward_add = op_forward_add,
		.forward_del = op_forward_del,
		.lease = op_lease,
		.refusal = op_refusal,
		.dns = op_dns,
		.redirected = op_redirected,
		.reload = op_reload,
	};
}
