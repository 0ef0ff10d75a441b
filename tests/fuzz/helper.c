/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helper: whatever two ends say to each other on a helped connection, and in whatever segments, the
 * engine's books stay in order and what leaves is sound.
 *
 * The first byte chooses a helper and who listens.  Then the input is a list of segments: who
 * speaks, how the segment lies to what has been said (next, again, overlapping, ahead), how it is
 * acknowledged, and text, for which a few bytes stand for whole words of the protocols.
 *
 * One gateway serves all inputs: each leaves it as empty as it was.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <string.h>
#include "../support/gateway.h"
#include "../support/packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config_text[] =
	"[network lab]\nsubnet = 10.77.0.0/24, fd77::/64\n"
	"[link web]\nnetwork = lab\nnetns = web\naddress = 10.77.0.2, fd77::2\n"
	"[limits]\nexpectations = 16\nguest-expectations = 8\nhelped-flows = 16\n"
	"[helpers]\nftp =\nirc =\ntftp =\nsip =\npptp =\n"
	"[forwards]\ntcp 21 = web:21\ntcp 6667 = web:6667\ntcp 5060 = web:5060\n"
	"tcp 1723 = web:1723\nudp 69 = web:69\nudp 5060 = web:5060\n";

static const struct {
	uint8_t protocol;
	uint16_t port;
} services[] = {{IPPROTO_TCP, 21}, {IPPROTO_TCP, 6667}, {IPPROTO_UDP, 69}, {IPPROTO_TCP, 5060},
	{IPPROTO_UDP, 5060}, {IPPROTO_TCP, 1723}};

/* What a byte above 0xc0 stands for. */
static const char *const words[] = {"PORT 10,77,0,2,19,137\r\n", "EPRT |1|10.77.0.2|5001|\r\n",
	"EPRT |2|fd77::2|5001|\r\n", "220 \r\n", "PASV\r\n", "EPSV\r\n",
	"227 (10,77,0,2,19,137)\r\n", "227 (198,51,100,2,19,137)\r\n", "229 (|||5001|)\r\n",
	"NICK a\r\n", ":s\r\n", "PRIVMSG b :\001DCC SEND f 172818434 5001 9\001\r\n",
	"PRIVMSG b :\001DCC RESUME f 61000 1\001\r\n", "\001DCC ", "\r\n",
	"INVITE sip:b SIP/2.0\r\n", "SIP/2.0 200 OK\r\n", "Contact: <sip:a@10.77.0.2:5060>\r\n",
	"Via: SIP/2.0/UDP 10.77.0.2\r\n", "Content-Length: 60\r\n\r\n", "c=IN IP4 10.77.0.2\r\n",
	"m=audio 40000 RTP/AVP 0\r\n"};
#define WORDS (sizeof(words) / sizeof(words[0]))

struct talk {
	const uint8_t *data;
	size_t left;
	struct gateway *gateway;
	bool published; /* the server is the guest */
	uint8_t protocol;
	uint16_t port, external_port;
	uint32_t said[2];  /* own number of what client and server say next */
	uint32_t heard[2]; /* shown numbers that have reached client and server */
};
enum { CLIENT, SERVER };

static uint8_t read_byte(struct talk *talk)
{
	if (talk->left == 0)
		return 0;
	talk->left--;
	return *talk->data++;
}

/* From `who`, as it addresses the other. */
static struct packet *packet_from(struct talk *talk, int who, const struct build *build)
{
	static const char *const guest = "10.77.0.2", *const outside = "198.51.100.2";
	static const char *const host = "192.0.2.1";
	const bool from_guest = (who == SERVER) == talk->published;
	struct build whole = *build;

	whole.source_port = who == CLIENT ? 4000 : talk->port;
	whole.destination_port = who == CLIENT ? talk->port : 4000;
	if (!from_guest && !talk->published)
		whole.destination_port = talk->external_port;
	struct packet *exact =
		packet_make(from_guest ? guest : outside, from_guest ? outside : host, &whole);
	struct packet *packet = packet_from_bytes(exact->data, exact->length, exact->length + 512);
	packet->offload = exact->offload;
	packet->in_zone = from_guest ? 0 : ZONE_UPLINK;
	packet_dispose(exact);
	return packet;
}

static void hand_in(struct talk *talk, int who, struct packet *packet)
{
	const enum verdict verdict =
		engine_input(talk->gateway->engine, packet, talk->gateway->now_ms);

	if (verdict == VERDICT_SEND) {
		assert(packet_fault(packet) == NULL);
		assert(packet->length <= packet->capacity);
		talk->external_port = who == CLIENT && !talk->published
					      ? ntohs(packet->headers.source_port)
					      : talk->external_port;
		if (packet->headers.kind == L4_TCP) {
			const struct tcp_header *tcp = packet_l4(packet);
			const uint32_t end = ntohl(tcp->sequence) + packet_payload_bytes(packet) +
					     !!(tcp->flags & TCP_SYN);
			if ((int32_t)(end - talk->heard[!who]) > 0)
				talk->heard[!who] = end;
		}
	}
	packet_dispose(packet);
}

static uint32_t read_text(struct talk *talk, char text[512])
{
	uint32_t length = 0;

	for (uint8_t byte; (byte = read_byte(talk)) != 0xff && talk->left > 0 && length < 400;) {
		if (byte >= 0xc0 && byte - 0xc0u < WORDS) {
			const size_t bytes = strlen(words[byte - 0xc0]);
			memcpy(text + length, words[byte - 0xc0], bytes);
			length += (uint32_t)bytes;
		} else {
			text[length++] = (char)byte;
		}
	}
	return length;
}

static void speak(struct talk *talk)
{
	const uint8_t how = read_byte(talk);
	const int who = how & 1 ? SERVER : CLIENT;
	char text[512];
	struct build build = {.protocol = talk->protocol,
		.scale = -1,
		.window = 0xffff,
		.tcp_flags = TCP_ACK | TCP_PSH,
		.payload = text,
		.sequence = talk->said[who],
		.acknowledgment = talk->heard[who],
		.partial_checksum = (how & 2) != 0};

	build.payload_bytes = read_text(talk, text);
	if (how & 4)
		build.sequence += (uint32_t)(int8_t)read_byte(talk);
	if (how & 8)
		build.acknowledgment -= read_byte(talk);
	if (how & 16)
		build.gso_size = (uint16_t)(build.partial_checksum ? 1 + how * 4 : 0);
	if (talk->protocol == IPPROTO_UDP)
		build.gso_size = 0;
	const uint32_t end = build.sequence + build.payload_bytes;
	if ((int32_t)(end - talk->said[who]) > 0)
		talk->said[who] = end;
	hand_in(talk, who, packet_from(talk, who, &build));
}

static void shake_hands(struct talk *talk)
{
	struct build build = {.protocol = talk->protocol,
		.scale = -1,
		.window = 0xffff,
		.tcp_flags = TCP_SYN,
		.sequence = talk->said[CLIENT]++};

	if (talk->protocol != IPPROTO_TCP)
		return;
	hand_in(talk, CLIENT, packet_from(talk, CLIENT, &build));
	build.tcp_flags = TCP_SYN | TCP_ACK;
	build.sequence = talk->said[SERVER]++;
	build.acknowledgment = talk->heard[SERVER];
	hand_in(talk, SERVER, packet_from(talk, SERVER, &build));
}

/* Somebody connects to what may be expected. */
static void knock(struct talk *talk)
{
	const bool from_guest = read_byte(talk) & 1;
	struct build build = {.protocol = read_byte(talk) & 1 ? IPPROTO_TCP : IPPROTO_UDP,
		.scale = -1,
		.window = 0xffff,
		.tcp_flags = TCP_SYN,
		.source_port = 20,
		.destination_port = from_guest ? 5001 : 61000};
	struct expectation_info info;
	uint32_t cursor = 0;

	if (engine_expectation_next(talk->gateway->engine, &cursor, &info))
		build.destination_port = info.port;
	struct packet *packet = packet_make(from_guest ? "10.77.0.2" : "198.51.100.2",
		from_guest ? "198.51.100.2" : "192.0.2.1", &build);
	packet->in_zone = from_guest ? 0 : ZONE_UPLINK;
	if (engine_input(talk->gateway->engine, packet, talk->gateway->now_ms) == VERDICT_SEND)
		assert(packet_fault(packet) == NULL);
	packet_dispose(packet);
}

static void check_books(const struct engine *engine)
{
	const struct engine_status *status = engine_status(engine);
	struct expectation_info info;
	uint32_t cursor = 0, count = 0;

	while (engine_expectation_next(engine, &cursor, &info)) {
		assert(info.helper != NULL);
		count++;
	}
	assert(count == status->expectations);
	assert(status->expectations <= 8);
	assert(status->helped <= status->helped_max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gateway *gateway;
	static struct packet *made;
	struct talk talk = {.data = data, .left = size, .said = {0xfffffff0, 0xffffff80}};

	if (gateway == NULL) {
		gateway = gateway_create(config_text, 64);
		made = packet_with_room(ENGINE_OUTPUT_BYTES);
	}
	talk.gateway = gateway;
	const uint8_t kind = read_byte(&talk);
	talk.published = kind & 0x80;
	talk.protocol = services[kind % 6].protocol;
	talk.port = services[kind % 6].port;
	shake_hands(&talk);
	while (talk.left > 0) {
		const uint8_t what = read_byte(&talk);
		if (what < 0xe0)
			speak(&talk);
		else if (what < 0xf8)
			knock(&talk);
		else
			gateway_advance(talk.gateway, 20000);
		check_books(talk.gateway->engine);
		while (engine_next_output(talk.gateway->engine, made))
			assert(packet_fault(made) == NULL);
	}
	gateway_end_flows(talk.gateway);
	assert(engine_status(talk.gateway->engine)->expectations == 0);
	assert(engine_status(talk.gateway->engine)->helped == 0);
	assert(engine_status(talk.gateway->engine)->ports_used == 0);
	assert(engine_deadline(talk.gateway->engine) == UINT64_MAX);
	return 0;
}
