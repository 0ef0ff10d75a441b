/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io: bursts of packets through the engine.
 *
 * One set of buffers serves all links, since each burst is finished before the next one is
 * read: the same few pages stay in the cache.  Outgoing packets are gathered as long as they leave
 * by the same door and written together, in order, so no flow is ever reordered.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "daemon/guests.h"
#include "daemon/io.h"
#include "daemon/service.h"
#include "daemon/uplinks.h"
#include "lan/lan.h"
#include "wire/gro.h"

/* Bursts read from one descriptor before the others get their turn. */
#define ROUNDS_MAX 8
/* A slot holds headroom and the largest packet, rounded up to whole pages. */
#define SLOT_BYTES (((PACKET_HEADROOM + PACKET_BYTES_MAX + 4095) / 4096) * 4096)

/* Where a gathered batch leaves. */
enum door { DOOR_NONE, DOOR_UPLINK, DOOR_LINK, DOOR_SERVICE };

struct io {
	struct daemon *daemon;
	uv_idle_t spinner;
	uint64_t spin_until_ns;
	uint8_t *buffers;
	struct packet packet[LINK_BURST];
	struct packet made;  /* for what the engine makes */
	struct packet frame; /* for what LAN services make */
	/* The batch being gathered. */
	enum door door;
	uint16_t door_index;
	unsigned count;
	struct packet *batch[LINK_BURST];
};

/* ---- busy polling ---- */

/*
 * After a burst the next one is often a few microseconds away: less than it takes to fall asleep
 * and be woken.  While the spinner is active the loop polls without sleeping.
 */
static void spin(uv_idle_t *spinner)
{
	struct io *io = spinner->data;

	if (uv_hrtime() >= io->spin_until_ns)
		uv_idle_stop(spinner);
}

static void spin_start(struct io *io)
{
	const uint32_t busy_poll_us = io->daemon->config->gateway.busy_poll_us;

	if (busy_poll_us == 0)
		return;
	io->spin_until_ns = uv_hrtime() + (uint64_t)busy_poll_us * 1000;
	uv_idle_start(&io->spinner, spin);
}

/* ---- life ---- */

/* Slots behind those of the burst. */
enum { SLOT_MADE = LINK_BURST, SLOT_FRAME, SLOT_COUNT };

static void slot_give(const struct io *io, struct packet *packet, unsigned i)
{
	packet->data = io->buffers + (size_t)i * SLOT_BYTES + PACKET_HEADROOM;
	packet->capacity = PACKET_BYTES_MAX;
}

static void slot_reset(struct io *io, unsigned i)
{
	slot_give(io, &io->packet[i], i);
}

int io_create(struct daemon *daemon, struct io **result)
{
	struct io *io = calloc(1, sizeof(*io));
	const size_t bytes = (size_t)SLOT_COUNT * SLOT_BYTES;

	if (io == NULL)
		return -ENOMEM;
	io->daemon = daemon;
	io->buffers = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (io->buffers == MAP_FAILED) {
		free(io);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < LINK_BURST; i++)
		slot_reset(io, i);
	slot_give(io, &io->made, SLOT_MADE);
	slot_give(io, &io->frame, SLOT_FRAME);
	uv_idle_init(daemon->loop, &io->spinner);
	io->spinner.data = io;
	*result = io;
	return 0;
}

void io_free(struct io *io)
{
	if (io == NULL)
		return;
	munmap(io->buffers, (size_t)SLOT_COUNT * SLOT_BYTES);
	free(io);
}

/* ---- out ---- */

/* What a link's LAN services have made, and what they held back, on its way; and their timer. */
void io_flush_lan(struct io *io, struct link *link)
{
	struct packet *const frame = &io->frame;

	while (lan_next_output(link->lan, frame))
		if (link->ops->write(link, &frame, 1) != 1)
			engine_count_drop(io->daemon->engine, DROP_SEND);
	guests_lan_arm(io->daemon->guests, link->zone);
}

/* Give the batch its Ethernet headers.  How many packets are left of it to be written now. */
static unsigned batch_address(struct io *io, const struct link *link)
{
	const uint64_t now_ms = uv_now(io->daemon->loop);
	unsigned kept = 0;

	for (unsigned i = 0; i < io->count; i++) {
		switch (lan_output(link->lan, io->batch[i], now_ms)) {
		case LAN_SEND:
			io->batch[kept++] = io->batch[i];
			break;
		case LAN_HELD:
			break;
		case LAN_UNREACHABLE:
			engine_count_drop(io->daemon->engine, DROP_NEIGHBOUR);
			break;
		}
	}
	return kept;
}

static void link_write(struct io *io, struct link *link)
{
	const bool has_lan = link != NULL && link->lan != NULL;
	const unsigned count = has_lan ? batch_address(io, link) : io->count;
	const int sent = link == NULL || count == 0 ? 0 : link->ops->write(link, io->batch, count);

	for (unsigned lost = sent < 0 ? 0 : (unsigned)sent; lost < count; lost++)
		engine_count_drop(io->daemon->engine, DROP_SEND);
	if (has_lan)
		io_flush_lan(io, link);
}

static void batch_flush(struct io *io)
{
	if (io->count == 0)
		return;
	switch (io->door) {
	case DOOR_UPLINK:
		uplinks_send(io->daemon->uplinks, io->batch, io->count);
		break;
	case DOOR_LINK:
		link_write(io, guests_link(io->daemon->guests, io->door_index));
		break;
	default:
		link_write(io, service_link(io->daemon->service, io->door_index));
		break;
	}
	io->count = 0;
}

static void batch_add(struct io *io, struct packet *packet, enum door door, uint16_t index)
{
	if (io->door != door || io->door_index != index || io->count == LINK_BURST)
		batch_flush(io);
	io->door = door;
	io->door_index = index;
	io->batch[io->count++] = packet;
}

static void packet_out(struct io *io, struct packet *packet, enum verdict verdict)
{
	if (verdict == VERDICT_LOCAL)
		batch_add(io, packet, DOOR_SERVICE, packet->network);
	else if (verdict == VERDICT_SEND && packet->out_zone == ZONE_UPLINK)
		batch_add(io, packet, DOOR_UPLINK, 0);
	else if (verdict == VERDICT_SEND)
		batch_add(io, packet, DOOR_LINK, packet->out_zone);
}

void io_flush_engine(struct io *io)
{
	while (engine_next_output(io->daemon->engine, &io->made)) {
		if (ZONE_IS_SERVICE(io->made.out_zone)) {
			io->made.network = io->made.out_zone & 0x7fff;
			packet_out(io, &io->made, VERDICT_LOCAL);
		} else {
			packet_out(io, &io->made, VERDICT_SEND);
		}
		batch_flush(io);
	}
}

/* ---- in ---- */

/* What is a part of something, or had to be cut, may have others behind it: these follow at once,
 * so that whoever puts them together gets them in order. */
static bool may_be_followed(const struct packet *packet)
{
	return packet->headers.may_fragment || packet->headers.more_fragments;
}

/* What a burst is read from. */
struct source {
	void *from;
	int (*read)(void *from, struct packet *packets, unsigned max);
	unsigned *burst;   /* packets to ask for */
	struct link *link; /* NULL: an uplink */
	bool merge;        /* segments may need merging */
	bool service;      /* packets are our own services' on `network` */
	uint16_t network;
};

static enum verdict packet_decide(
	struct io *io, const struct source *source, struct packet *packet, uint64_t now_ms)
{
	if (!source->service)
		return engine_input(io->daemon->engine, packet, now_ms);
	packet->network = source->network;
	return engine_output(io->daemon->engine, packet, now_ms);
}

/* Frames are LAN services' first; what they leave is at the front then.  How many. */
static unsigned burst_filter(struct io *io, struct lan *lan, unsigned count, uint64_t now_ms)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		if (lan_input(lan, &io->packet[i], now_ms) != LAN_PASS)
			continue;
		if (i != kept) {
			const struct packet consumed = io->packet[kept];
			io->packet[kept] = io->packet[i];
			io->packet[i] = consumed;
		}
		kept++;
	}
	return kept;
}

static void burst_process(struct io *io, const struct source *source, unsigned count)
{
	const uint64_t now_ms = uv_now(io->daemon->loop);
	const unsigned slots = count;
	struct lan *lan = source->link != NULL ? source->link->lan : NULL;

	if (lan != NULL)
		count = burst_filter(io, lan, count, now_ms);
	if (source->merge && count > 1)
		count = gro_merge(io->packet, count);
	if (count > 1)
		for (unsigned i = 0; i < count; i++)
			engine_prefetch(io->daemon->engine, &io->packet[i]);
	for (unsigned i = 0; i < count; i++) {
		packet_out(io, &io->packet[i], packet_decide(io, source, &io->packet[i], now_ms));
		if (may_be_followed(&io->packet[i]))
			io_flush_engine(io);
	}
	batch_flush(io);
	for (unsigned i = 0; i < slots; i++) /* NAT64 moves `data` */
		slot_reset(io, i);
	io_flush_engine(io);
	if (lan != NULL)
		io_flush_lan(io, source->link);
	spin_start(io);
}

/*
 * Read bursts while there is more, a few at most, so that others get their turn.  A source is asked
 * for twice as much as it had last time, and one that had a single packet for one only: to find
 * it empty would cost a system call more, and the poll that follows anyway says the same.  One that
 * has more which no poll would tell of is read to the end of that.
 */
static bool has_more(const struct source *source)
{
	return source->link != NULL && source->link->more;
}

static int source_drain(struct io *io, const struct source *source)
{
	for (unsigned round = 0; round < ROUNDS_MAX || has_more(source); round++) {
		const unsigned wanted = *source->burst;
		const int count = source->read(source->from, io->packet, wanted);
		size_t bytes = 0;

		if (count <= 0)
			return count;
		for (int i = 0; i < count; i++)
			bytes += io->packet[i].length;
		const bool full = (unsigned)count == wanted || bytes >= LINK_BURST_BYTES;
		*source->burst = full ? (wanted * 2 < LINK_BURST ? wanted * 2 : LINK_BURST)
				      : (unsigned)count;
		burst_process(io, source, (unsigned)count);
		if ((!full || wanted == 1) && !has_more(source))
			return 0;
	}
	return 0;
}

static int read_link(void *from, struct packet *packets, unsigned max)
{
	struct link *link = from;

	return link->ops->read(link, packets, max);
}

static int read_uplink(void *from, struct packet *packets, unsigned max)
{
	return afpacket_read(from, packets, max);
}

int io_link_readable(struct io *io, struct link *link)
{
	const struct source source = {.from = link,
		.read = read_link,
		.burst = &link->burst,
		.link = link,
		.merge = link->merge};

	return source_drain(io, &source);
}

int io_service_readable(struct io *io, struct link *link, uint16_t network)
{
	const struct source source = {.from = link,
		.read = read_link,
		.burst = &link->burst,
		.service = true,
		.network = network};

	return source_drain(io, &source);
}

void io_uplink_readable(struct io *io, struct afpacket *afpacket)
{
	unsigned burst = LINK_BURST; /* recvmmsg() stops by itself where the queue ends */
	const struct source source = {
		.from = afpacket, .read = read_uplink, .burst = &burst, .merge = true};

	source_drain(io, &source);
}
