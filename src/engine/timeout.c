/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * timeout: how long a flow lives without packets.
 *
 * Asked with every packet, so what is said of single ports is looked up, not searched.  The port is
 * that of the service itself: behind a published port, the guest's.
 */
#include <netinet/in.h>
#include <string.h>
#include "engine/helper.h"
#include "engine/state.h"
#include "engine/timeout.h"

static_assert(CONFIG_PORT_TIMEOUTS_MAX < UINT8_MAX, "numbers of one byte");

/* What is said of the service's port, in seconds; 0: nothing. */
static uint32_t port_timeout_s(const struct engine *engine, const struct flow *flow)
{
	if (__builtin_expect(engine->timeouts.port_count == 0, true))
		return 0;
	const uint8_t *of_port = engine->port_timeouts->of_port[flow->protocol == IPPROTO_UDP];
	const uint8_t which = of_port[ntohs(flow->port[REPLY][SOURCE])];
	return which == 0 ? 0 : engine->timeouts.port[which - 1].seconds;
}

static uint64_t udp_timeout_s(const struct engine *engine, const struct flow *flow)
{
	const struct timeouts_config *timeouts = &engine->timeouts;
	const uint32_t of_port = port_timeout_s(engine, flow);

	if (of_port != 0)
		return of_port;
	if (flow->port[REPLY][SOURCE] == htons(53))
		return timeouts->udp_dns;
	return flow->flags & FLOW_REPLIED ? timeouts->udp_stream : timeouts->udp;
}

static uint64_t tcp_timeout_s(const struct engine *engine, const struct flow *flow)
{
	const struct timeouts_config *timeouts = &engine->timeouts;
	uint32_t of_port;

	switch (flow->tcp.state) {
	case TCP_STATE_SYN_SENT:
	case TCP_STATE_SYN_SENT2:
		return timeouts->tcp_syn_sent;
	case TCP_STATE_SYN_RECEIVED:
		return timeouts->tcp_syn_received;
	case TCP_STATE_ESTABLISHED:
		of_port = port_timeout_s(engine, flow);
		return of_port != 0 ? of_port : timeouts->tcp_established;
	case TCP_STATE_FIN_WAIT:
		return timeouts->tcp_fin_wait;
	case TCP_STATE_CLOSE_WAIT:
		return timeouts->tcp_close_wait;
	case TCP_STATE_LAST_ACK:
		return timeouts->tcp_last_ack;
	case TCP_STATE_TIME_WAIT:
		return timeouts->tcp_time_wait;
	default:
		return timeouts->tcp_close;
	}
}

static uint64_t other_timeout_s(const struct timeouts_config *timeouts, const struct flow *flow)
{
	switch (flow->protocol) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return timeouts->icmp;
	case IPPROTO_ESP:
	case IPPROTO_AH:
		return timeouts->esp;
	case IPPROTO_SCTP:
		return timeouts->sctp;
	case IPPROTO_GRE:
		return flow->flags & (FLOW_REPLIED | FLOW_EXPECTED) ? timeouts->gre_stream
								    : timeouts->gre;
	default:
		return timeouts->other;
	}
}

static uint64_t state_timeout_ms(const struct engine *engine, const struct flow *flow)
{
	if (flow->protocol == IPPROTO_TCP)
		return tcp_timeout_s(engine, flow) * 1000;
	if (flow->protocol == IPPROTO_UDP)
		return udp_timeout_s(engine, flow) * 1000;
	return other_timeout_s(&engine->timeouts, flow) * 1000;
}

/* A helper may know that a flow will be used again. */
uint64_t timeout_ms(const struct engine *engine, const struct flow *flow)
{
	const uint64_t timeout = state_timeout_ms(engine, flow);

	if (__builtin_expect(!(flow->flags & FLOW_HELPED), 1))
		return timeout;
	return helper_timeout_ms(engine, flow, timeout);
}

void engine_timeouts_set(struct engine *engine, const struct timeouts_config *timeouts)
{
	struct port_timeouts *ports = engine->port_timeouts;

	for (unsigned i = 0; i < engine->timeouts.port_count; i++) {
		const struct port_timeout *old = &engine->timeouts.port[i];
		memset(&ports->of_port[old->protocol == IPPROTO_UDP][old->ports.first], 0,
			(size_t)(old->ports.last - old->ports.first) + 1);
	}
	engine->timeouts = *timeouts;
	for (unsigned i = 0; i < timeouts->port_count; i++) {
		const struct port_timeout *port = &timeouts->port[i];
		memset(&ports->of_port[port->protocol == IPPROTO_UDP][port->ports.first],
			(int)(i + 1), (size_t)(port->ports.last - port->ports.first) + 1);
	}
}
