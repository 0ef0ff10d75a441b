/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine: any story of packets, time and changes leaves the engine's books in order.
 *
 * The input is a program: one byte chooses what happens, a few more say how.  Packets come from
 * guests, from the uplink and from the gateway's own services; answers to and errors about what
 * has left are among them, so that stories go on.  The tables are small enough to fill up.
 *
 * What must hold after each step: a refused packet is counted once, under its reason; a sound
 * packet leaves as a sound one, to a zone that exists; what is counted as alive is what a walk
 * finds.  At the end: no flow, no port, no timer is left behind.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "../support/gateway.h"
#include "../support/packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FLOWS 24
#define SENT  8 /* packets that have left and may be answered */

static const char config_text[] =
	"[gateway]\nports = 61000-61015\n"
	"[limits]\nflows = 1024\ndomains = 64\n"
	"[network lab]\nsubnet = 10.77.0.0/24, fd77::/64\n"
	"[network wide]\nsubnet = 10.78.0.0/24\nmtu = 1280\n"
	"[link web]\nnetwork = lab\nnetns = web\naddress = 10.77.0.2, fd77::2\n"
	"[link other]\nnetwork = lab\nnetns = other\naddress = 10.77.0.3, fd77::3\n"
	"[link tun]\nnetwork = wide\nkind = tun\n"
	"[sets]\nnames = *.b.c\nblocked = 203.0.113.0/24, 2001:db8:51::/64\n"
	"[chain slow]\n"
	"rule = reject with port-unreachable proto udp limit over 3/second per source log \"s\"\n"
	"rule = reject with proto-unreachable to @blocked length 60-70\n"
	"rule = drop connections over 9 per destination\n"
	"rule = return proto tcp tcp-flags syn/syn,ack\n"
	"[filter forward]\npolicy = reject\n"
	"rule = jump slow in lab\n"
	"rule = accept state established,related\n"
	"rule = accept forwarded\n"
	"rule = drop in lab proto udp port 7\n"
	"rule = reject in lan to domain *.a,@names log \"d\"\n"
	"rule = accept in lan\n"
	"[nat]\nno-masquerade = in wide to 198.51.100.0/24\nmasquerade = in lan out uplink\n"
	"[forwards]\ntcp 80 = web:80\nudp 53 = web:53\n";

static const char *const addresses4[] = {"10.77.0.2", "10.77.0.3", "10.77.0.1", "10.78.0.5",
	"10.78.0.6", "192.0.2.1", "192.0.2.2", "192.0.2.3", "198.51.100.2", "203.0.113.1",
	"198.18.0.1", "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", "10.77.0.9"};
static const char *const addresses6[] = {"fd77::2", "fd77::3", "fd77::1", "2001:db8::1",
	"2001:db8::2", "2001:db8::3", "2001:db8:51::2", "::1", "ff02::1", "::", "fe80::1",
	"fd77::9"};
static const uint16_t ports[] = {80, 53, 7, 4000, 4001, 61000, 61001, 61007};

struct story {
	const uint8_t *data;
	size_t left;
	struct gateway *gateway;
	struct packet *sent[SENT];
	zone_id sent_to[SENT];
	unsigned sent_count;
};

/* ---- reading the program ---- */

static uint8_t read_byte(struct story *story)
{
	if (story->left == 0)
		return 0;
	story->left--;
	return *story->data++;
}

static unsigned choose(struct story *story, unsigned count)
{
	return read_byte(story) % count;
}

static uint32_t read_word(struct story *story)
{
	uint32_t word = 0;

	for (int i = 0; i < 4; i++)
		word = word << 8 | read_byte(story);
	return word;
}

/* Sequence numbers that a connection may have, or any. */
static uint32_t read_sequence(struct story *story)
{
	const uint8_t byte = read_byte(story);

	return byte < 200 ? 1000 + byte % 16 : byte < 250 ? 1000u + byte * 500u : read_word(story);
}

static zone_id read_zone(struct story *story)
{
	static const zone_id zones[] = {0, 1, 2, ZONE_UPLINK};

	return zones[choose(story, 4)];
}

/* ---- what must hold ---- */

static uint64_t drops_total(const struct engine *engine)
{
	const struct engine_status *status = engine_status(engine);
	uint64_t total = 0;

	for (int drop = 0; drop < DROP_COUNT; drop++)
		total += status->drops[drop];
	return total;
}

static void check_books(const struct gateway *gateway)
{
	const struct engine_status *status = engine_status(gateway->engine);
	struct flow_info info;
	uint32_t cursor = 0, alive = 0;

	while (engine_flow_next(gateway->engine, &cursor, &info)) {
		assert(info.state != NULL);
		alive++;
	}
	assert(alive == status->flows);
	assert(status->flows <= FLOWS);
	assert(status->ports_used <= status->ports_max);
	assert(status->fragments <= status->fragments_max);
	assert((engine_deadline(gateway->engine) == UINT64_MAX) ==
		(alive == 0 && status->fragments == 0));
}

static void check_leaving(const struct packet *packet, bool sound)
{
	assert(packet->out_zone <= 2 || packet->out_zone == ZONE_UPLINK ||
		packet->out_zone == ZONE_SERVICE(0) || packet->out_zone == ZONE_SERVICE(1));
	assert(packet->length <= packet->capacity);
	if (sound)
		assert(packet_fault(packet) == NULL);
}

/* ---- packets ---- */

static void remember(struct story *story, const struct packet *packet)
{
	const unsigned slot = story->sent_count++ % SENT;

	if (story->sent[slot] != NULL)
		packet_dispose(story->sent[slot]);
	story->sent[slot] = packet_copy(packet);
	story->sent_to[slot] = packet->out_zone;
}

static void drain(struct story *story)
{
	struct packet *made = packet_with_room(ENGINE_OUTPUT_BYTES);

	while (engine_next_output(story->gateway->engine, made))
		check_leaving(made, true);
	packet_dispose(made);
}

/* Hand it in; `sound` says that its lengths and checksums are right. */
static void hand_in(struct story *story, zone_id zone, struct packet *packet, bool sound)
{
	struct gateway *gateway = story->gateway;
	const uint64_t drops = drops_total(gateway->engine);
	enum verdict verdict;

	packet->in_zone = zone;
	if (choose(story, 2) == 0)
		engine_prefetch(gateway->engine, packet);
	if (choose(story, 16) == 0) {
		packet->network = (uint16_t)choose(story, 2);
		verdict = engine_output(gateway->engine, packet, gateway->now_ms);
	} else {
		verdict = engine_input(gateway->engine, packet, gateway->now_ms);
	}
	/* Held fragments go with the one that condemns them. */
	assert(drops_total(gateway->engine) >= drops + (verdict == VERDICT_DROP));
	if (verdict == VERDICT_DROP)
		assert(packet->drop < DROP_COUNT);
	if (verdict == VERDICT_SEND) {
		check_leaving(packet, sound);
		remember(story, packet);
	}
	drain(story);
	packet_dispose(packet);
}

static void describe_l4(struct story *story, struct build *build)
{
	static const uint8_t protocols[] = {
		IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_TCP, 47};
	static const uint8_t flags[] = {TCP_SYN, TCP_ACK, TCP_SYN | TCP_ACK, TCP_FIN | TCP_ACK,
		TCP_RST, TCP_RST | TCP_ACK, TCP_ACK | TCP_PSH};

	build->protocol = protocols[choose(story, sizeof(protocols))];
	build->source_port = ports[choose(story, 8)];
	build->destination_port = ports[choose(story, 8)];
	build->ttl = choose(story, 8) == 0 ? 1 : 64;
	build->payload_bytes = choose(story, 8) == 0 ? 1400 : 8;
	build->scale = -1;
	if (build->protocol == IPPROTO_TCP) {
		build->tcp_flags = flags[choose(story, sizeof(flags))];
		build->sequence = read_sequence(story);
		build->acknowledgment = read_sequence(story);
		build->window = 0xffff;
		build->mss = build->tcp_flags & TCP_SYN ? 1460 : 0;
	}
	if (build->protocol == IPPROTO_TCP || build->protocol == IPPROTO_UDP) {
		build->partial_checksum = choose(story, 2) == 0;
		if (build->partial_checksum && choose(story, 4) == 0) {
			build->payload_bytes = 5000;
			build->gso_size = 1000;
		}
	}
}

static void send_any(struct story *story)
{
	struct build build = {.family = AF_INET};
	const bool v6 = choose(story, 4) == 0;
	const char *const *addresses = v6 ? addresses6 : addresses4;
	const unsigned count = v6 ? sizeof(addresses6) / sizeof(*addresses6)
				  : sizeof(addresses4) / sizeof(*addresses4);
	const char *source = addresses[choose(story, count)];
	const char *destination = addresses[choose(story, count)];

	describe_l4(story, &build);
	if (build.protocol == IPPROTO_ICMP)
		build.icmp_type = choose(story, 2) == 0 ? ICMP4_ECHO : (uint8_t)choose(story, 20);
	hand_in(story, read_zone(story), packet_make(source, destination, &build), true);
}

/* A packet that has left, or NULL. */
static const struct packet *pick_sent(struct story *story, zone_id *zone)
{
	const unsigned slot = choose(story, SENT);

	*zone = story->sent_to[slot];
	return story->sent[slot];
}

static void mirror(const struct headers *headers, struct build *build)
{
	build->family = headers->family;
	build->source = headers->destination;
	build->destination = headers->source;
	build->source_port = ntohs(headers->destination_port);
	build->destination_port = ntohs(headers->source_port);
}

static void hand_in_build(struct story *story, zone_id zone, const struct build *build)
{
	struct packet *packet = packet_with_room(PACKET_BYTES_MAX);

	if (build_packet(packet, build) == 0)
		packet_dispose(packet);
	else
		hand_in(story, zone, packet, true);
}

static void send_answer(struct story *story)
{
	zone_id zone;
	const struct packet *sent = pick_sent(story, &zone);
	struct build build = {.family = AF_INET};

	if (sent == NULL)
		return;
	describe_l4(story, &build);
	build.protocol = sent->headers.protocol;
	mirror(&sent->headers, &build);
	if (sent->headers.kind == L4_TCP) {
		const struct tcp_header *tcp = packet_l4(sent);
		build.sequence =
			choose(story, 4) == 0 ? read_sequence(story) : ntohl(tcp->acknowledgment);
		build.acknowledgment = ntohl(tcp->sequence) + packet_payload_bytes(sent) +
				       !!(tcp->flags & (TCP_SYN | TCP_FIN));
	} else if (sent->headers.kind == L4_ICMP_QUERY) {
		build.icmp_type = build.family == AF_INET ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
		build.source_port = ntohs(sent->headers.source_port);
		build.destination_port = 1;
	} else if (sent->headers.kind != L4_UDP) {
		build.partial_checksum = false;
		build.gso_size = 0;
	}
	hand_in_build(story, zone, &build);
}

static void send_error(struct story *story)
{
	zone_id zone;
	const struct packet *sent = pick_sent(story, &zone);
	struct build build = {.scale = -1};

	if (sent == NULL || (sent->offload.flags & OFFLOAD_NEEDS_CSUM) ||
		sent->headers.kind == L4_ICMP_ERROR)
		return;
	mirror(&sent->headers, &build);
	build.protocol = build.family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	build.icmp_type = (uint8_t)choose(story, 13);
	build.icmp_code = (uint8_t)choose(story, 5);
	build.icmp_rest = 1280;
	build.payload = sent->data;
	build.payload_bytes = sent->length;
	if (sent->length > 64 && choose(story, 2) == 0)
		build.payload_bytes = 28u + choose(story, 100) % (sent->length - 28);
	hand_in_build(story, zone, &build);
}

static void send_again(struct story *story)
{
	zone_id zone;
	const struct packet *sent = pick_sent(story, &zone);

	if (sent == NULL)
		return;
	struct packet *packet = packet_copy(sent);
	packet->parsed = false;
	hand_in(story, read_zone(story), packet, true);
}

static void send_broken(struct story *story)
{
	zone_id zone;
	const struct packet *sent = pick_sent(story, &zone);

	if (sent == NULL || sent->length == 0)
		return;
	struct packet *packet = packet_copy(sent);
	packet->parsed = false;
	for (unsigned i = choose(story, 4) + 1; i > 0; i--)
		packet->data[choose(story, packet->length < 80 ? packet->length : 80)] =
			read_byte(story);
	if (choose(story, 4) == 0)
		packet->length = choose(story, packet->length) + 1;
	hand_in(story, zone, packet, false);
}

static void send_bytes(struct story *story)
{
	const uint32_t length = choose(story, 128) + 1;
	struct packet *packet = packet_with_room(length);

	for (uint32_t i = 0; i < length; i++)
		packet->data[i] = read_byte(story);
	packet->length = length;
	hand_in(story, read_zone(story), packet, false);
}

/* ---- everything else that happens to an engine ---- */

static void pass_time(struct story *story)
{
	gateway_advance(story->gateway, 1ULL << choose(story, 30));
}

static void change_links(struct story *story)
{
	struct gateway *gateway = story->gateway;
	const unsigned link = choose(story, gateway->config->link_count);
	const struct link_config *config = &gateway->config->links[link];
	const struct engine_link again = {
		.network = config->network,
		.mtu = choose(story, 2) == 0 ? 1280 : 0,
		.whole_subnet = config->kind == LINK_TUN,
		.address4 = config->address4,
		.address6 = config->address6,
	};

	if (choose(story, 2) == 0)
		engine_link_remove(gateway->engine, (zone_id)link);
	engine_link_set(gateway->engine, (zone_id)link, &again);
}

static void change_addresses(struct story *story)
{
	struct engine *engine = story->gateway->engine;
	const union addr address = addr_v4(192, 0, 2, (uint8_t)(1 + choose(story, 2)));

	if (choose(story, 2) == 0)
		engine_external_del(engine, AF_INET, &address);
	else
		engine_external_add(engine, AF_INET, &address);
	engine_path_invalidate(engine);
}

/* What the DNS tells a guest: any name, an address that packets may go to. */
static void learn_name(struct story *story)
{
	struct gateway *gateway = story->gateway;
	struct domain_info info;
	char name[8] = "";
	union addr address;
	uint32_t cursor = 0;
	uint8_t family;

	for (unsigned i = choose(story, sizeof(name)); i > 0; i--)
		name[i - 1] = "abc.A*"[choose(story, 6)];
	assert(addr_parse(addresses4[choose(story, sizeof(addresses4) / sizeof(*addresses4))],
		&address, &family));
	address.bytes[3] = (uint8_t)(address.bytes[3] + choose(story, 4));
	const struct domain_answer answer = {
		.link = read_zone(story),
		.asker_family = AF_INET,
		.asker = addr_v4(10, 78, 0, (uint8_t)choose(story, 8)),
		.name = name,
		.family = family,
		.address = address,
		.ttl_s = read_word(story),
	};
	engine_domain_learn(gateway->engine, &answer, gateway->now_ms);
	while (engine_domain_next(gateway->engine, &cursor, gateway->now_ms, &info))
		assert(info.link <= 2 && info.expires_ms > 0 && strlen(info.name) < sizeof(name));
}

static void change_policy(struct story *story)
{
	struct gateway *gateway = story->gateway;
	const struct config *config = gateway->config;
	const struct forward *forward = &config->forwards[choose(story, config->forward_count)];

	switch (choose(story, 4)) {
	case 0:
		engine_forward_del(gateway->engine, forward);
		break;
	case 1:
		engine_forward_add(gateway->engine, forward);
		break;
	case 2:
		ruleset_free(engine_ruleset_swap(gateway->engine, ruleset_create(config)));
		break;
	default:
		engine_flow_end(gateway->engine, choose(story, FLOWS));
		learn_name(story);
	}
}

static void step(struct story *story)
{
	static void (*const steps[])(struct story *) = {send_any, send_answer, send_any,
		send_answer, send_error, send_again, send_broken, send_bytes, pass_time,
		change_links, change_addresses, change_policy};

	steps[choose(story, sizeof(steps) / sizeof(*steps))](story);
	check_books(story->gateway);
}

/* However it ends, nothing may be left. */
static void end(struct story *story, bool by_time)
{
	struct gateway *gateway = story->gateway;

	if (by_time)
		gateway_advance(gateway, 10ULL * 24 * 3600 * 1000);
	else
		gateway_end_flows(gateway);
	check_books(gateway);
	assert(engine_status(gateway->engine)->flows == 0);
	assert(engine_status(gateway->engine)->ports_used == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct story story = {.data = data, .left = size};

	story.gateway = gateway_create(config_text, FLOWS);
	const bool by_time = choose(&story, 2) == 0;
	while (story.left > 0)
		step(&story);
	end(&story, by_time);
	for (unsigned i = 0; i < SENT; i++)
		if (story.sent[i] != NULL)
			packet_dispose(story.sent[i]);
	gateway_free(story.gateway);
	return 0;
}
