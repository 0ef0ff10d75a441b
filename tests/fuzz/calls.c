/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calls: whatever a telephone or its server says, over UDP or TCP, or a PPTP client or its, what
 * comes out of the engine is sound, and nothing is left when the flows have ended.
 *
 * The input is a conversation: a byte that chooses who says it to whom, two bytes that say how
 * long it is, text.  The parsers also read each text by itself, from memory that ends where it
 * does.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "../support/gateway.h"
#include "../support/packets.h"
#include "helper/sip_sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SERVER "8.8.8.8"

static const char config[] = "[network lab]\nsubnet = 10.77.0.0/24\n"
			     "[link guest]\nnetwork = lab\nnetns = g\naddress = 10.77.0.2\n"
			     "[helpers]\nsip =\npptp =\n";

/* Three conversations, each known to the engine by its port. */
enum { CALL_UDP, CALL_TCP, CALL_PPTP, CALLS };

struct call {
	uint8_t protocol;
	uint16_t port;
	uint16_t external;
	uint32_t sequence[2]; /* of the guest, of the server */
};

struct world {
	struct gateway *gateway;
	struct call calls[CALLS];
};

/* ---- parsers alone ---- */

static void try_places(const char *text, struct span value)
{
	struct span rest = value, parameter;
	struct sip_place place;

	while (sip_uri_next(text, &rest, &place))
		assert(place.host.at >= value.at &&
			place.host.at + place.host.length <= value.at + value.length);
	rest = value;
	if (sip_via_parse(text, &rest, &place))
		sip_parameter(text, rest, "received", &parameter);
}

static void try_parsers(const uint8_t *data, uint32_t size, bool stream)
{
	char *text = malloc(size > 0 ? size : 1);
	struct sip_message message;
	struct sip_field field;
	struct sdp sdp;

	memcpy(text, data, size);
	if (sip_message_parse(text, size, stream, &message) == SIP_WHOLE) {
		assert(message.length <= size && message.head <= message.length);
		for (uint32_t at = message.fields.at; sip_field_next(&message, &at, &field);) {
			assert(field.value.at + field.value.length <= message.head);
			try_places(text, field.value);
		}
	}
	sdp_parse(text, (struct span){0, size}, &sdp);
	assert(sdp.count <= SDP_MEDIA_MAX);
	free(text);
}

/* ---- conversations ---- */

static void say(struct world *world, struct call *call, bool server, uint8_t flags,
	const uint8_t *text, uint32_t length)
{
	const struct build build = {
		.protocol = call->protocol,
		.source_port = server ? call->port : 5000,
		.destination_port = server ? call->external : call->port,
		.tcp_flags = flags,
		.sequence = call->sequence[server],
		.acknowledgment = flags & TCP_ACK ? 1001 : 0,
		.window = 65535,
		.scale = -1,
		.payload = text,
		.payload_bytes = length,
	};
	struct packet *made =
		packet_make(server ? SERVER : "10.77.0.2", server ? "192.0.2.1" : SERVER, &build);
	struct packet *packet = packet_from_bytes(made->data, made->length, made->length + 2048);
	const zone_id zone = server ? ZONE_UPLINK : gateway_zone(world->gateway, "guest");
	struct packet answer = {.data = malloc(PACKET_BYTES_MAX), .capacity = PACKET_BYTES_MAX};

	packet_dispose(made);
	if (gateway_input(world->gateway, zone, packet) == VERDICT_SEND) {
		assert(packet_fault(packet) == NULL);
		if (!server && call->external == 0)
			call->external = ntohs(packet->headers.source_port);
	}
	call->sequence[server] += length + !!(flags & TCP_SYN);
	packet_dispose(packet);
	while (engine_next_output(world->gateway->engine, &answer))
		;
	free(answer.data);
}

static void open_calls(struct world *world)
{
	world->calls[CALL_UDP] = (struct call){.protocol = IPPROTO_UDP, .port = 5060};
	world->calls[CALL_TCP] = (struct call){IPPROTO_TCP, 5060, 0, {1000, 1000}};
	world->calls[CALL_PPTP] = (struct call){IPPROTO_TCP, 1723, 0, {1000, 1000}};
	say(world, &world->calls[CALL_UDP], false, 0, NULL, 1);
	for (unsigned i = CALL_TCP; i < CALLS; i++) {
		struct call *call = &world->calls[i];

		say(world, call, false, TCP_SYN, NULL, 0);
		say(world, call, true, TCP_SYN | TCP_ACK, NULL, 0);
		say(world, call, false, TCP_ACK, NULL, 0);
		assert(call->external != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world world; /* an engine takes longer to make than to use */

	if (world.gateway == NULL)
		world.gateway = gateway_create(config, 1024);
	open_calls(&world);
	while (size > 3) {
		const uint32_t wanted = (uint32_t)(data[1] << 8 | data[2]) % 1400;
		const uint32_t length = wanted < size - 3 ? wanted : (uint32_t)size - 3;
		struct call *call = &world.calls[(data[0] >> 1) % CALLS];

		try_parsers(data + 3, length, data[0] & 1);
		say(&world, call, data[0] & 1, TCP_PSH | TCP_ACK, data + 3, length);
		data += 3 + length;
		size -= 3 + length;
	}
	gateway_end_flows(world.gateway);
	assert(engine_status(world.gateway->engine)->expectations == 0);
	assert(engine_status(world.gateway->engine)->flows == 0);
	return 0;
}
