/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packet_log: lines about packets.
 */
#include "daemon/packet_log.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

struct writer {
	char *text;
	size_t used;
};

static void __attribute__((format(printf, 2, 3)))
put(struct writer *writer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	const int length = vsnprintf(
		writer->text + writer->used, PACKET_LOG_SIZE - writer->used, format, arguments);
	va_end(arguments);
	writer->used += (size_t)length;
	if (writer->used >= PACKET_LOG_SIZE)
		writer->used = PACKET_LOG_SIZE - 1;
}

static const char *side_name(const struct config *config, zone_id zone, uint16_t network)
{
	if (ZONE_IS_SERVICE(zone))
		return "gateway";
	return network < config->network_count ? config->networks[network].name : "uplink";
}

static void put_protocol(struct writer *writer, uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		put(writer, " proto=tcp");
		break;
	case IPPROTO_UDP:
		put(writer, " proto=udp");
		break;
	case IPPROTO_ICMP:
		put(writer, " proto=icmp");
		break;
	case IPPROTO_ICMPV6:
		put(writer, " proto=icmp6");
		break;
	default:
		put(writer, " proto=%u", protocol);
	}
}

static void put_end(struct writer *writer, const char *name, const struct rule_log *line,
	const union addr *address, uint16_t port)
{
	char text[ADDR_TEXT_SIZE];

	put(writer, " %s=%s", name, addr_format(line->family, address, text));
	if (line->has_ports)
		put(writer, " %cport=%u", name[0], port);
}

/* FIN, SYN, RST, PSH, ACK, URG, ECE, CWR. */
static void put_flags(struct writer *writer, uint8_t flags)
{
	static const char letters[] = "FSRPAUEC";

	put(writer, " flags=");
	for (unsigned i = 0; letters[i] != '\0'; i++)
		if (flags >> i & 1)
			put(writer, "%c", letters[i]);
}

char *packet_log_format(const struct config *config, const struct rule_log *line,
	const char *const links[2], char text[PACKET_LOG_SIZE])
{
	static const char *const verdicts[] = {
		[RULE_ACCEPT] = "accept",
		[RULE_DROP] = "drop",
		[RULE_REJECT] = "reject",
		[RULE_LOG] = "none",
		[RULE_JUMP] = "none",
		[RULE_RETURN] = "none",
	};
	struct writer writer = {.text = text};

	put(&writer, "rule \"%.*s\" chain=%s verdict=%s in=%s", line->rule->log.length,
		line->rule->text + line->rule->log.at, line->chain, verdicts[line->rule->action],
		side_name(config, line->in, line->in_network));
	if (links[0] != NULL)
		put(&writer, " from=%s", links[0]);
	put(&writer, " out=%s", side_name(config, line->out, line->out_network));
	if (links[1] != NULL)
		put(&writer, " to=%s", links[1]);
	put_protocol(&writer, line->protocol);
	put_end(&writer, "src", line, &line->source, line->source_port);
	put_end(&writer, "dst", line, &line->destination, line->destination_port);
	if (line->domain != NULL)
		put(&writer, " domain=%s", line->domain);
	if (line->is_icmp)
		put(&writer, " type=%u code=%u", line->icmp_type, line->icmp_code);
	if (line->is_tcp)
		put_flags(&writer, line->tcp_flags);
	put(&writer, " ttl=%u len=%" PRIu32, line->ttl, line->length);
	if (line->suppressed != 0)
		put(&writer, " suppressed=%" PRIu64, line->suppressed);
	return text;
}
