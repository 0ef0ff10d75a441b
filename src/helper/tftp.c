/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tftp: the server answers a request from a port that it chooses then (RFC 1350, section 4).
 *
 * So a request expects a datagram from the server's address and any port to the port that the
 * client has sent the request from, which its mapping has outside already.  The rest of the
 * transfer is that new flow; the control flow carries nothing more.  There is nothing to replace.
 */
#include <arpa/inet.h>
#include <string.h>
#include "engine/helper.h"
#include "helper/helpers.h"

#define TFTP_READ  1
#define TFTP_WRITE 2
#define LIFE_S     30

/* A name and a transfer mode, both terminated (options may follow, RFC 2347). */
static bool is_request(const struct helper_message *message)
{
	const uint8_t *data = (const uint8_t *)message->text;
	const uint32_t length = message->length;

	if (length < 6 || data[0] != 0 || (data[1] != TFTP_READ && data[1] != TFTP_WRITE))
		return false;
	const uint8_t *name_end = memchr(data + 2, '\0', length - 2);
	if (name_end == NULL || name_end == data + 2)
		return false;
	const uint8_t *mode = name_end + 1;
	const uint8_t *end = data + length;
	const uint8_t *mode_end = mode < end ? memchr(mode, '\0', (size_t)(end - mode)) : NULL;
	return mode_end != NULL && mode_end > mode;
}

static enum helper_result read_datagram(struct helper_message *message)
{
	const struct expect_request request = {
		.protocol = IPPROTO_UDP,
		.class_max = 1,
		.port = message->sender.own_port,
		.life_s = LIFE_S,
	};
	struct expect_answer answer;

	if (message->direction == ORIGINAL && is_request(message))
		helper_expect(message, &request, &answer);
	return HELPER_PASS;
}

const struct helper helper_tftp = {
	.name = "tftp",
	.reads_udp = true,
	.read = read_datagram,
};
