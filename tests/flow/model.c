/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model: the engine against a NAT that is as simple as possible.
 *
 * The model is a list of connections and a few sentences about ports.  Random packets from a fixed
 * seed, with the clock moving, go through both; after each one the engine must have done
 * what the model allows, and have as many flows and ports in use as the model has.
 *
 * The model does not choose external ports, it learns them and judges the choice:
 *	- a socket that has a port keeps it, unless with this peer the port is somebody else's;
 *	- a new port is a free one, as long as there is a free one;
 *	- a port is shared between peers that differ, and not between ICMP identifiers;
 *	- none is given only where there is none to give.
 */
#include "../support/packets.h"
#include "../support/steps.h"

#define GUESTS     3
#define PEERS      3
#define PEER_PORTS 2
#define ENTRIES    4096
#define PUBLISHED  8080 /* on the host, of the first guest's port 80 */
#define WHEEL_MS   64   /* a timer is never early, and at most so late */

/* Seconds. */
#define UDP_S         20
#define UDP_STREAM_S  40
#define ICMP_S        10
#define SYN_SENT_S    15
#define SYN_RECV_S    12
#define ESTABLISHED_S 50
#define CLOSE_S       8

static const char config[] = "[timeouts]\n"
			     "udp = 20\n"
			     "udp-stream = 40\n"
			     "icmp = 10\n"
			     "tcp-syn-sent = 15\n"
			     "tcp-syn-received = 12\n"
			     "tcp-established = 50\n"
			     "tcp-close = 8\n";

static const char *const guests[GUESTS] = {"guest", "second", "far"};
static const char *const peers[PEERS] = {"server", "server2", "server3"};

enum stage { UNREPLIED, REPLIED, SYN_SENT, SYN_RECEIVED, ESTABLISHED, CLOSED };

struct entry {
	uint8_t protocol;
	uint8_t guest, peer;
	uint16_t port, peer_port; /* port: the identifier of ICMP, whose peer_port is 0 */
	uint16_t external;        /* the port of the host */
	uint16_t shown;           /* the peer's port as the guest sees it */
	bool published;
	enum stage stage;
	uint64_t deadline_ms;
};

struct model {
	struct lab *lab;
	uint64_t random;
	uint32_t range;   /* ports there are */
	unsigned sockets; /* of each guest */
	bool tcp;
	bool forward;
	unsigned count;
	unsigned long sent, refused, shared, moved;
	struct entry entry[ENTRIES];
};

static uint32_t draw(struct model *model, uint32_t bound)
{
	return (uint32_t)(test_random(&model->random) % bound);
}

/* ---- the list ---- */

static bool entry_is_over(const struct entry *entry, uint64_t now_ms)
{
	const uint64_t deadline_ms = entry->deadline_ms;

	if (entry->stage == CLOSED)
		return deadline_ms <= now_ms;
	return (deadline_ms + WHEEL_MS - 1) / WHEEL_MS * WHEEL_MS <= now_ms;
}

static void entry_remove(struct model *model, struct entry *entry)
{
	*entry = model->entry[--model->count];
}

static void model_expire(struct model *model)
{
	for (unsigned i = model->count; i-- > 0;)
		if (entry_is_over(&model->entry[i], model->lab->now_ms))
			entry_remove(model, &model->entry[i]);
}

static void entry_enter(struct model *model, struct entry *entry, enum stage stage)
{
	static const unsigned seconds[] = {
		UDP_S, UDP_STREAM_S, SYN_SENT_S, SYN_RECV_S, ESTABLISHED_S, CLOSE_S};
	const unsigned icmp = entry->protocol == IPPROTO_ICMP;

	entry->stage = stage;
	entry->deadline_ms = model->lab->now_ms + (icmp ? ICMP_S : seconds[stage]) * 1000ULL;
}

/* What a guest's packet to a peer belongs to. */
static struct entry *find_by_guest(struct model *model, const struct entry *like)
{
	for (unsigned i = 0; i < model->count; i++) {
		struct entry *e = &model->entry[i];
		if (e->protocol == like->protocol && e->guest == like->guest &&
			e->port == like->port && e->peer == like->peer &&
			e->shown == like->peer_port)
			return e;
	}
	return NULL;
}

/* What a peer's packet to the host belongs to. */
static struct entry *find_by_peer(struct model *model, const struct entry *like)
{
	for (unsigned i = 0; i < model->count; i++) {
		struct entry *e = &model->entry[i];
		if (e->protocol == like->protocol && e->external == like->external &&
			e->peer == like->peer && e->peer_port == like->peer_port)
			return e;
	}
	return NULL;
}

static bool port_is_used(struct model *model, uint8_t protocol, uint16_t external)
{
	for (unsigned i = 0; i < model->count; i++)
		if (model->entry[i].protocol == protocol && !model->entry[i].published &&
			model->entry[i].external == external)
			return true;
	return false;
}

static uint32_t ports_in_use(struct model *model, uint8_t protocol)
{
	uint32_t used = 0;

	for (uint32_t i = 0; i < model->range; i++)
		used += port_is_used(model, protocol, (uint16_t)(61000 + i));
	return used;
}

/* ---- judging a choice of port ---- */

/* Does the socket have a port; may it keep one of them with this peer; is one of them in the way?
 */
static void judge_socket(
	struct model *model, const struct entry *new, bool *has, bool *keeps, bool *clashes)
{
	*has = *keeps = *clashes = false;
	for (unsigned i = 0; i < model->count; i++) {
		const struct entry *e = &model->entry[i];
		struct entry probe = *new;
		if (e->published || e->protocol != new->protocol || e->guest != new->guest ||
			e->port != new->port)
			continue;
		probe.external = e->external;
		*has = true;
		*keeps = *keeps || e->external == new->external;
		*clashes = *clashes || find_by_peer(model, &probe) != NULL;
	}
}

static void judge_port(struct model *model, const struct entry *new)
{
	const uint32_t used = ports_in_use(model, new->protocol);
	bool has, keeps, clashes;

	judge_socket(model, new, &has, &keeps, &clashes);
	cr_assert(new->external >= 61000 && new->external < 61000 + model->range);
	cr_assert_null(find_by_peer(model, new), "a tuple is given twice");
	if (keeps)
		return;
	cr_assert(!has || clashes, "a socket changes its port without need");
	if (used < model->range) {
		cr_assert(!port_is_used(model, new->protocol, new->external),
			"a port is shared without need");
		return;
	}
	cr_assert_neq(new->protocol, IPPROTO_ICMP, "an identifier is shared");
	model->shared++;
}

/* No port was given: with this peer, none was left. */
static void judge_refusal(struct model *model, struct entry *new)
{
	cr_assert_eq(ports_in_use(model, new->protocol), model->range);
	if (new->protocol == IPPROTO_ICMP)
		return;
	for (uint32_t i = 0; i < model->range; i++) {
		new->external = (uint16_t)(61000 + i);
		cr_assert_not_null(find_by_peer(model, new), "a port was left");
	}
}

/* ---- packets ---- */

static struct packet *make(struct model *model, const char *from, uint16_t from_port,
	const char *to, uint16_t to_port, const struct build *fields)
{
	const struct lab *lab = model->lab;
	struct build build = *fields;

	build.source_port = from_port;
	build.destination_port = to_port;
	build.scale = -1;
	build.window = 0xffff;
	return packet_make(lab_address_text(lab, from, strlen(from)),
		lab_address_text(lab, to, strlen(to)), &build);
}

/* The packet of an entry as its guest or its peer sends it. */
static struct packet *from_guest(
	struct model *model, const struct entry *entry, const struct build *fields)
{
	struct packet *packet = make(model, guests[entry->guest], entry->port, peers[entry->peer],
		entry->peer_port, fields);

	packet->in_zone = entry->guest;
	return packet;
}

static struct packet *from_peer(
	struct model *model, const struct entry *entry, const struct build *fields)
{
	struct build build = *fields;
	const bool icmp = entry->protocol == IPPROTO_ICMP;

	if (icmp)
		build.icmp_type =
			model->lab->family == AF_INET ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
	struct packet *packet =
		make(model, peers[entry->peer], icmp ? entry->external : entry->peer_port, "host",
			icmp ? 0 : entry->external, &build);
	packet->in_zone = ZONE_UPLINK;
	return packet;
}

/* Send it; what it became is in *after, its ports as in the headers. */
static enum verdict give(struct model *model, struct packet *packet, struct packet *after)
{
	const enum verdict verdict = lab_send(model->lab, packet);
	struct packet *answer;

	if (verdict == VERDICT_SEND)
		cr_assert_null(packet_fault(packet));
	while ((answer = lab_answer(model->lab)) != NULL)
		packet_dispose(answer);
	*after = *packet;
	packet_dispose(packet);
	model->sent++;
	return verdict;
}

static void expect_at_uplink(const struct model *model, const struct packet *after,
	const struct entry *entry, uint16_t external)
{
	const union addr host = lab_address(model->lab, "host");
	const union addr peer = lab_address(model->lab, peers[entry->peer]);

	cr_assert_eq(after->out_zone, ZONE_UPLINK);
	cr_assert(addr_equal(&after->headers.source, &host));
	cr_assert(addr_equal(&after->headers.destination, &peer));
	cr_assert_eq(ntohs(after->headers.source_port), external);
	cr_assert_eq(ntohs(after->headers.destination_port), entry->peer_port);
}

static void expect_at_guest(
	const struct model *model, const struct packet *after, const struct entry *entry)
{
	const union addr guest = lab_address(model->lab, guests[entry->guest]);

	cr_assert_eq(after->out_zone, entry->guest);
	cr_assert(addr_equal(&after->headers.destination, &guest));
	cr_assert_eq(ntohs(after->headers.destination_port), entry->port);
	cr_assert_eq(ntohs(after->headers.source_port), entry->shown);
}

/* ---- what happens ---- */

static void begin(struct model *model, struct entry *new, const struct build *fields)
{
	struct packet after;

	if (give(model, from_guest(model, new, fields), &after) == VERDICT_DROP) {
		cr_assert_eq(after.drop, DROP_NO_PORT, "%s", drop_name((enum drop)after.drop));
		judge_refusal(model, new);
		model->refused++;
		return;
	}
	new->external = ntohs(after.headers.source_port);
	new->shown = new->peer_port;
	expect_at_uplink(model, &after, new, new->external);
	judge_port(model, new);
	cr_assert_lt(model->count, ENTRIES);
	entry_enter(model, new, new->protocol == IPPROTO_TCP ? SYN_SENT : UNREPLIED);
	model->entry[model->count++] = *new;
}

/* UDP and ICMP of a guest. */
static void guest_sends(struct model *model, struct entry *like)
{
	const struct build fields = {.protocol = like->protocol,
		.icmp_type = like->protocol == IPPROTO_ICMP ? ICMP4_ECHO : 0,
		.payload_bytes = draw(model, 64)};
	struct entry *entry = find_by_guest(model, like);
	struct packet after;

	if (entry == NULL) {
		begin(model, like, &fields);
		return;
	}
	/* To a published port's client the guest speaks of the port that it was shown. */
	cr_assert_eq(give(model, from_guest(model, like, &fields), &after), VERDICT_SEND);
	expect_at_uplink(model, &after, entry, entry->external);
	entry_enter(
		model, entry, entry->published || entry->stage == REPLIED ? REPLIED : UNREPLIED);
}

/* TCP of a guest: whatever comes next in its connection. */
static void guest_sends_segment(struct model *model, struct entry *like)
{
	struct build fields = {.protocol = IPPROTO_TCP, .tcp_flags = TCP_SYN, .sequence = 1000};
	struct entry *entry = find_by_guest(model, like);
	struct packet after;

	if (entry != NULL && entry->stage == CLOSED) {
		entry_remove(model, entry);
		entry = NULL;
	}
	if (entry == NULL) {
		begin(model, like, &fields);
		return;
	}
	if (entry->stage != SYN_SENT) {
		const bool resets = entry->stage == ESTABLISHED && draw(model, 4) == 0;
		fields.tcp_flags = resets ? TCP_RST : TCP_ACK;
		fields.sequence = 1001;
		fields.acknowledgment = resets ? 0 : 5001;
		entry_enter(model, entry, resets ? CLOSED : ESTABLISHED);
	}
	cr_assert_eq(give(model, from_guest(model, like, &fields), &after), VERDICT_SEND);
	expect_at_uplink(model, &after, entry, entry->external);
}

/* From outside, to a port that is somebody's or nobody's. */
static void peer_sends(struct model *model, struct entry *like)
{
	struct build fields = {.protocol = like->protocol,
		.tcp_flags = TCP_SYN | TCP_ACK,
		.sequence = 5000,
		.acknowledgment = 1001};
	struct entry *entry = find_by_peer(model, like);
	struct packet after;

	if (entry != NULL && entry->protocol == IPPROTO_TCP && entry->stage != SYN_SENT) {
		fields.tcp_flags = TCP_ACK;
		fields.sequence = 5001;
		if (entry->stage != ESTABLISHED)
			return;
	}
	const enum verdict verdict = give(model, from_peer(model, like, &fields), &after);
	if (entry == NULL) {
		cr_assert_eq(verdict, VERDICT_DROP);
		return;
	}
	cr_assert_eq(verdict, VERDICT_SEND, "%s", drop_name((enum drop)after.drop));
	expect_at_guest(model, &after, entry);
	if (entry->protocol == IPPROTO_TCP)
		entry_enter(model, entry, entry->stage == SYN_SENT ? SYN_RECEIVED : ESTABLISHED);
	else
		entry_enter(model, entry, entry->published ? entry->stage : REPLIED);
}

/* From outside, to the published port. */
static void client_sends(struct model *model, struct entry *like)
{
	const struct build fields = {.protocol = IPPROTO_UDP};
	struct entry probe;
	struct packet after;

	like->protocol = IPPROTO_UDP;
	like->external = PUBLISHED;
	like->peer_port = (uint16_t)(1000 + draw(model, PEER_PORTS));
	like->guest = 0;
	like->port = 80;
	if (find_by_peer(model, like) != NULL || !model->forward) {
		peer_sends(model, like);
		return;
	}
	cr_assert_eq(give(model, from_peer(model, like, &fields), &after), VERDICT_SEND, "%s",
		drop_name((enum drop)after.drop));
	like->published = true;
	like->shown = ntohs(after.headers.source_port);
	expect_at_guest(model, &after, like);
	/* The client's own port, unless the guest knows that peer and port already. */
	probe = *like;
	cr_assert_eq(like->shown == like->peer_port, find_by_guest(model, &probe) == NULL);
	probe.peer_port = like->shown;
	cr_assert_null(find_by_guest(model, &probe), "the guest cannot tell two flows apart");
	model->moved += like->shown != like->peer_port;
	entry_enter(model, like, UNREPLIED);
	model->entry[model->count++] = *like;
}

static void toggle_forward(struct model *model)
{
	const struct forward forward = {.protocol = IPPROTO_UDP,
		.guest_family = model->lab->family,
		.guest = lab_address(model->lab, "guest"),
		.guest_port = 80,
		.ports = {PUBLISHED, PUBLISHED}};

	if (model->forward) {
		cr_assert_eq(engine_forward_del(model->lab->engine, &forward), 0);
		for (unsigned i = model->count; i-- > 0;)
			if (model->entry[i].published)
				entry_remove(model, &model->entry[i]);
	} else {
		cr_assert_eq(engine_forward_add(model->lab->engine, &forward), 0);
	}
	model->forward = !model->forward;
}

/* ---- the run ---- */

static void one_packet(struct model *model)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_UDP, IPPROTO_TCP};
	struct entry like = {
		.protocol = protocols[draw(model, model->tcp ? 4 : 3)],
		.guest = (uint8_t)draw(model, GUESTS),
		.peer = (uint8_t)draw(model, PEERS),
		.port = (uint16_t)(draw(model, 10) == 0 ? 80 : 5000 + draw(model, model->sockets)),
		.peer_port = (uint16_t)(1000 + draw(model, PEER_PORTS)),
		.external = (uint16_t)(61000 + draw(model, model->range)),
	};

	if (like.protocol == IPPROTO_ICMP)
		like.peer_port = 0;
	switch (draw(model, 8)) {
	case 0:
		client_sends(model, &like);
		break;
	case 1:
	case 2:
	case 3:
		/* Rather somebody's than nobody's. */
		if (model->count > 0 && draw(model, 4) != 0)
			like = model->entry[draw(model, model->count)];
		peer_sends(model, &like);
		break;
	default:
		if (like.protocol == IPPROTO_TCP)
			guest_sends_segment(model, &like);
		else
			guest_sends(model, &like);
	}
}

static void expect_same_numbers(struct model *model)
{
	static const uint8_t protocols[] = {IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_TCP};
	const struct engine_status *status = engine_status(model->lab->engine);
	uint32_t most = 0;

	for (unsigned i = 0; i < 3; i++) {
		const uint32_t used = ports_in_use(model, protocols[i]);
		most = used > most ? used : most;
	}
	cr_assert_eq(status->flows, model->count);
	cr_assert_eq(status->ports_used, most);
}

static struct model model;

static void run(uint8_t family, uint32_t range, unsigned sockets, bool tcp, unsigned packets)
{
	const struct lab_options options = {.config = config,
		.flows = ENTRIES,
		.ports = {61000, (uint16_t)(61000 + range - 1)}};

	model = (struct model){.lab = lab_open(family, &options),
		.random = range,
		.range = range,
		.sockets = sockets,
		.tcp = tcp};
	for (unsigned i = 0; i < packets; i++) {
		one_packet(&model);
		if (draw(&model, 8) == 0) {
			lab_wait(model.lab, draw(&model, 400));
			model_expire(&model);
		}
		if (draw(&model, 500) == 0)
			toggle_forward(&model);
		if (i % 50 == 0)
			expect_same_numbers(&model);
	}
	lab_wait(model.lab, 60000);
	cr_expect_eq(engine_status(model.lab->engine)->flows, 0);
	cr_expect_eq(engine_status(model.lab->engine)->ports_used, 0);
	lab_close(model.lab);
}

Test(model, ports_for_all, .timeout = 120)
{
	run(AF_INET, 200, 20, true, 150000);
	cr_expect_eq(model.shared + model.refused, 0);
	cr_expect_gt(model.moved, 0, "no client was shown by another port");
	run(AF_INET6, 200, 20, true, 50000);
}

Test(model, ports_run_short, .timeout = 120)
{
	run(AF_INET, 12, 20, false, 100000);
	cr_expect_gt(model.shared, 0);
	cr_expect_gt(model.refused, 0);
	run(AF_INET6, 12, 20, false, 50000);
}
