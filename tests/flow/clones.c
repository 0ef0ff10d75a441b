/* SPDX-License-Identifier: BSD-2-Clause */
/* clones: guests with one address, each on a link of its own (the kernel's nft_nat_zones.sh). */
#include <stdio.h>
#include <string.h>
#include "../support/describe.h"
#include "../support/packets.h"
#include "../support/steps.h"

#define CLONES 100

static char config[64 * 1024];

static struct lab_options options = {.config = config, .ports = {61000, 61199}};

static void config_write(const char *clones)
{
	int at = snprintf(config, sizeof(config),
		"[network farm]\nclones = %s\n"
		"subnet = 10.66.0.0/24, fd66::/64\n",
		clones);

	for (unsigned i = 0; i < CLONES; i++)
		at += snprintf(config + at, sizeof(config) - (size_t)at,
			"[link clone%u]\nnetwork = farm\nnetns = clone%u\n"
			"address = 10.66.0.2, fd66::2\n",
			i, i);
}

/* From the same address and port, to the same server: a mapping for each. */
static be16 ask(struct lab *lab, unsigned clone)
{
	const char *line = lab->family == AF_INET
				   ? "udp 10.66.0.2:5000 > 198.51.100.1:53 len 20"
				   : "udp [fd66::2]:5000 > [2001:db8:1::1]:53 len 20";
	struct packet *packet = packet_describe(line);
	char name[16];

	snprintf(name, sizeof(name), "clone%u", clone);
	packet->in_zone = lab_zone(lab, name);
	cr_assert_eq(lab_send(lab, packet), VERDICT_SEND, "%s", name);
	const be16 port = packet->headers.source_port;
	packet_dispose(packet);
	return port;
}

static void expect_answer(struct lab *lab, unsigned clone, be16 port)
{
	char line[128], name[16];

	snprintf(line, sizeof(line),
		lab->family == AF_INET ? "udp 198.51.100.1:53 > 192.0.2.1:%u len %u"
				       : "udp [2001:db8:1::1]:53 > [2001:db8::1]:%u len %u",
		__builtin_bswap16(port), clone);
	snprintf(name, sizeof(name), "clone%u", clone);
	struct packet *packet = packet_describe(line);
	packet->in_zone = ZONE_UPLINK;
	cr_assert_eq(lab_send(lab, packet), VERDICT_SEND);
	cr_expect_eq(packet->out_zone, lab_zone(lab, name), "the answer for %s", name);
	cr_expect_eq(packet->headers.destination_port, __builtin_bswap16(5000));
	packet_dispose(packet);
}

Test(clones, each_has_connections_of_its_own)
{
	config_write("yes");
	for (unsigned i = 0; i < 2; i++) {
		struct lab *lab = lab_open(i == 0 ? AF_INET : AF_INET6, &options);
		be16 port[CLONES];

		for (unsigned clone = 0; clone < CLONES; clone++)
			port[clone] = ask(lab, clone);
		cr_expect_eq(engine_status(lab->engine)->flows, CLONES);
		cr_expect_eq(engine_status(lab->engine)->ports_used, CLONES);
		for (unsigned clone = CLONES; clone-- > 0;)
			expect_answer(lab, clone, port[clone]);
		lab_close(lab);
	}
}

Test(clones, are_refused_unless_the_network_wants_them)
{
	struct config_errors errors;

	config_write("no");
	cr_assert_null(config_parse("test", config, &errors));
	cr_expect_not_null(strstr(errors.text[0], "`clones = yes`"), "%s", errors.text[0]);
	config_errors_free(&errors);
}

/* Who comes in by the address finds one of them, always the same. */
static const char two[] = "[network farm]\nclones = yes\nsubnet = 10.66.0.0/24, fd66::/64\n"
			  "[link one]\nnetwork = farm\nnetns = one\naddress = 10.66.0.2, fd66::2\n"
			  "[link two]\nnetwork = farm\nnetns = two\naddress = 10.66.0.2, fd66::2\n"
			  "[filter forward]\nrule = accept in lan out lan\n";

Test(clones, are_sought_as_the_first)
{
	const struct lab_options both = {.config = two};
	struct lab *lab = lab_open(AF_INET, &both);
	struct packet *packet = packet_describe("udp 10.77.0.2:5000 > 10.66.0.2:53");

	packet->in_zone = lab_zone(lab, "guest");
	cr_assert_eq(lab_send(lab, packet), VERDICT_SEND);
	cr_expect_eq(packet->out_zone, lab_zone(lab, "one"));
	packet_dispose(packet);
	lab_close(lab);
}
