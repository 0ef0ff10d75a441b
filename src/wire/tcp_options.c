/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_options: the options of a TCP segment that tracking and clamping need. */
#include <arpa/inet.h>
#include <string.h>
#include "wire/parse.h"

static uint32_t load_be32(const uint8_t *bytes)
{
	be32 word;

	memcpy(&word, bytes, sizeof(word));
	return ntohl(word);
}

static void parse_sack(const uint8_t *option, struct tcp_options *options)
{
	options->sack_count = (uint8_t)((option[1] - 2) / 8);
	for (unsigned i = 0; i < options->sack_count; i++) {
		const uint32_t right = load_be32(option + 2 + 8 * i + 4);

		if (i == 0 || (int32_t)(right - options->sack_highest) > 0)
			options->sack_highest = right;
	}
}

static void parse_option(const uint8_t *option, uint32_t at, struct tcp_options *options)
{
	const uint8_t size = option[1];

	switch (option[0]) {
	case TCP_OPTION_MSS:
		if (size == 4) {
			options->mss_offset = (uint16_t)(at + 2);
			options->mss = (uint16_t)(option[2] << 8 | option[3]);
		}
		break;
	case TCP_OPTION_WINDOW_SCALE:
		if (size == 3) {
			options->has_scale = true;
			options->scale = option[2] > 14 ? 14 : option[2];
		}
		break;
	case TCP_OPTION_SACK_PERMITTED:
		options->sack_permitted = size == 2;
		break;
	case TCP_OPTION_SACK:
		if (size >= 10 && (size - 2) % 8 == 0)
			parse_sack(option, options);
		break;
	}
}

void packet_tcp_options(const struct packet *packet, struct tcp_options *options)
{
	uint32_t at = packet->headers.l4 + (uint32_t)sizeof(struct tcp_header);
	const uint32_t end = packet->headers.payload;

	*options = (struct tcp_options){0};
	while (at < end && packet->data[at] != TCP_OPTION_END) {
		const uint8_t *option = packet->data + at;

		if (option[0] == TCP_OPTION_NOP) {
			at++;
			continue;
		}
		if (end - at < 2 || option[1] < 2 || option[1] > end - at)
			return;
		parse_option(option, at, options);
		at += option[1];
	}
}
