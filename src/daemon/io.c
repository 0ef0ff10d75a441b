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
	struct packet made; /* for what the engine makes */
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

static void slot_reset(struct io *io, unsigned i)
{
	io->packet[i].data = io->buffers + (size_t)i * SLOT_BYTES + PACKET_HEADROOM;
	io->packet[i].capacity = PACKET_BYTES_MAX;
}

int io_create(struct daemon *daemon, struct io **result)
{
	struct io *io = calloc(1, sizeof(*io));
	const size_t bytes = (size_t)(LINK_BURST + 1) * SLOT_BYTES;

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
	io->made.data = io->buffers + (size_t)LINK_BURST * SLOT_BYTES + PACKET_HEADROOM;
	io->made.capacity = PACKET_BYTES_MAX;
	uv_idle_init(daemon->loop, &io->spinner);
	io->spinner.data = io;
	*result = io;
	return 0;
}

void io_free(struct io *io)
{
	if (io == NULL)
		return;
	munmap(io->buffers, (size_t)(LINK_BURST + 1) * SLOT_BYTES);
	free(io);
}

/* ---- out ---- */

static void link_write(struct io *io, struct link *link)
{
	const int sent = link == NULL ? 0 : link->ops->write(link, io->batch, io->count);

	for (unsigned lost = sent < 0 ? 0 : (unsigned)sent; lost < io->count; lost++)
		engine_count_drop(io->daemon->engine, DROP_SEND);
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
	unsigned *burst; /* packets to ask for */
	bool uplink;     /* segments may need merging */
	bool service;    /* packets are our own services' on `network` */
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

static void burst_process(struct io *io, const struct source *source, unsigned count)
{
	const uint64_t now_ms = uv_now(io->daemon->loop);
	const unsigned slots = count;

	if (source->uplink && count > 1)
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
	spin_start(io);
}

/*
 * Read bursts while there is more, a few at most, so that others get their turn.  A source is asked
 * for twice as much as it had last time, and one that had a single packet for one only: to find
 * it empty would cost a system call more, and the poll that follows anyway says the same.
 */
static int source_drain(struct io *io, const struct source *source)
{
	for (unsigned round = 0; round < ROUNDS_MAX; round++) {
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
		if (!full || wanted == 1)
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
	const struct source source = {.from = link, .read = read_link, .burst = &link->burst};

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
		.from = afpacket, .read = read_uplink, .burst = &burst, .uplink = true};

	source_drain(io, &source);
}
