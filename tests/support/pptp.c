/* SPDX-License-Identifier: BSD-2-Clause */
/* pptp: control messages that name calls. */
#include "pptp.h"

#include <arpa/inet.h>
#include "wire/parse.h"
#include "wire/pptp.h"

static void put_be16(uint8_t *at, uint32_t number)
{
	at[0] = (uint8_t)(number >> 8);
	at[1] = (uint8_t)number;
}

uint32_t pptp_build(const struct pptp_words *words, uint8_t *message)
{
	static const uint8_t lengths[] = {
		[PPTP_OUTGOING_REQUEST] = 168, 32, 220, 24, 28, 16, 148, 40, 24};
	const uint8_t length = lengths[words->control];

	put_be16(message, length);
	put_be16(message + 2, PPTP_CONTROL);
	put_be16(message + 4, PPTP_COOKIE >> 16);
	put_be16(message + 6, PPTP_COOKIE & 0xffff);
	put_be16(message + 8, words->control);
	put_be16(message + PPTP_FIRST_CALL, words->call);
	put_be16(message + PPTP_SECOND_CALL, words->peer);
	message[PPTP_RESULT] = words->result;
	return length;
}

bool pptp_write(const struct packet *packet, FILE *to)
{
	const uint8_t *payload = packet->data + packet->headers.payload;
	const struct pptp_header *header = (const void *)payload;

	if (packet->headers.kind != L4_TCP || packet_payload_bytes(packet) < PPTP_RESULT ||
		header->cookie != htonl(PPTP_COOKIE))
		return false;
	fprintf(to, " pptp %u call %u", ntohs(header->control),
		payload[PPTP_FIRST_CALL] << 8 | payload[PPTP_FIRST_CALL + 1]);
	if (header->control == htons(PPTP_OUTGOING_REPLY) ||
		header->control == htons(PPTP_INCOMING_REPLY))
		fprintf(to, " peer %u",
			payload[PPTP_SECOND_CALL] << 8 | payload[PPTP_SECOND_CALL + 1]);
	return true;
}
