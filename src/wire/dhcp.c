/* SPDX-License-Identifier: BSD-2-Clause */
/* dhcp: the fixed part and the options behind it. */
#include "wire/dhcp.h"

#include <string.h>

/* RFC 2131, 2 */
struct dhcp_header {
	uint8_t op; /* BOOT* */
	uint8_t hardware_type;
	uint8_t hardware_length;
	uint8_t hops;
	be32 transaction;
	be16 seconds;
	be16 flags;
	be32 client, yours, server, relay;
	uint8_t hardware[16];
	uint8_t sname[64];
	uint8_t file[128];
	be32 cookie;
} WIRE;
static_assert(sizeof(struct dhcp_header) == 240, "RFC 2131");

#define BOOTREQUEST       1
#define BOOTREPLY         2
#define HARDWARE_ETHERNET 1
#define COOKIE            0x63825363
#define OVERLOAD_FILE     1
#define OVERLOAD_SNAME    2
#define FQDN_WIRE         0x04 /* RFC 4702, 2.1: E */

/* ---- parsing ---- */

static union addr address_of(const uint8_t *bytes)
{
	union addr address = {0};

	memcpy(&address.v4, bytes, sizeof(address.v4));
	return address;
}

static uint16_t number_of(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* One option.  Of one that is repeated the first counts; a wrong length is as good as a wrong
 * message. */
static bool option_parse(
	uint8_t code, const uint8_t *data, uint8_t length, struct dhcp *dhcp, uint8_t *overload)
{
	const struct dhcp_text text = {data, length};

	switch (code) {
	case DHCP_OPTION_TYPE:
		dhcp->type = data[0];
		return length == 1 && data[0] >= DHCP_DISCOVER && data[0] <= DHCP_INFORM;
	case DHCP_OPTION_OVERLOAD:
		*overload = data[0];
		return length == 1;
	case DHCP_OPTION_REQUESTED:
		if (length != 4)
			return false;
		dhcp->requested = address_of(data);
		return true;
	case DHCP_OPTION_SERVER:
		if (length != 4)
			return false;
		dhcp->server = address_of(data);
		return true;
	case DHCP_OPTION_MAX_SIZE:
		if (length != 2)
			return false;
		dhcp->max_size = number_of(data);
		return true;
	case DHCP_OPTION_CLIENT_ID:
		dhcp->client_id = text;
		return length >= 2;
	case DHCP_OPTION_HOST_NAME:
		dhcp->host_name = text;
		return length >= 1;
	case DHCP_OPTION_PARAMETERS:
		dhcp->parameters = text;
		return length >= 1;
	case DHCP_OPTION_RAPID_COMMIT:
		dhcp->rapid_commit = true;
		return length == 0;
	case DHCP_OPTION_FQDN:
		if (length < 3)
			return false;
		dhcp->fqdn_is_wire = data[0] & FQDN_WIRE;
		dhcp->fqdn = (struct dhcp_text){data + 3, (uint8_t)(length - 3)};
		return true;
	default:
		return true;
	}
}

/* The options of one field.  They end with an END, or with the field. */
static bool options_parse(const uint8_t *bytes, size_t left, struct dhcp *dhcp, uint8_t *overload)
{
	while (left > 0 && *bytes != DHCP_OPTION_END) {
		if (*bytes == DHCP_OPTION_PAD) {
			bytes++;
			left--;
			continue;
		}
		if (left < 2 || bytes[1] + 2U > left)
			return false;
		/* No option that we read may be empty but one, which reads nothing. */
		if (bytes[1] == 0 && bytes[0] != DHCP_OPTION_RAPID_COMMIT) {
			bytes += 2;
			left -= 2;
			continue;
		}
		if (!option_parse(bytes[0], bytes + 2, bytes[1], dhcp, overload))
			return false;
		left -= bytes[1] + 2U;
		bytes += bytes[1] + 2U;
	}
	return true;
}

bool dhcp_parse(const uint8_t *bytes, size_t length, struct dhcp *dhcp)
{
	const struct dhcp_header *header = (const struct dhcp_header *)bytes;
	uint8_t overload = 0, nested = 0;

	if (length < sizeof(*header) || header->op != BOOTREQUEST ||
		header->hardware_type != HARDWARE_ETHERNET || header->hardware_length != 6 ||
		header->cookie != htonl(COOKIE))
		return false;
	*dhcp = (struct dhcp){
		.transaction = header->transaction,
		.flags = ntohs(header->flags),
		.client.v4 = header->client,
		.relay.v4 = header->relay,
	};
	memcpy(dhcp->mac, header->hardware, sizeof(dhcp->mac));
	if (!options_parse(bytes + sizeof(*header), length - sizeof(*header), dhcp, &overload))
		return false;
	/* RFC 2132, 9.3: `file` first; what is overloaded in there means nothing. */
	if ((overload & OVERLOAD_FILE) &&
		!options_parse(header->file, sizeof(header->file), dhcp, &nested))
		return false;
	if ((overload & OVERLOAD_SNAME) &&
		!options_parse(header->sname, sizeof(header->sname), dhcp, &nested))
		return false;
	return dhcp->type != 0;
}

bool dhcp_wants(const struct dhcp *dhcp, enum dhcp_option option)
{
	return dhcp->parameters.bytes == NULL ||
	       memchr(dhcp->parameters.bytes, option, dhcp->parameters.length) != NULL;
}

/* ---- building ---- */

void dhcp_reply_begin(struct dhcp_reply *reply, uint8_t *bytes, size_t capacity,
	const struct dhcp *request, enum dhcp_type type, const union addr *yours)
{
	struct dhcp_header *header = (struct dhcp_header *)bytes;
	const uint8_t type_byte = (uint8_t)type;

	*header = (struct dhcp_header){
		.op = BOOTREPLY,
		.hardware_type = HARDWARE_ETHERNET,
		.hardware_length = 6,
		.transaction = request->transaction,
		.flags = htons(request->flags),
		.client = type == DHCP_ACK ? request->client.v4 : 0,
		.yours = yours->v4,
		.relay = request->relay.v4,
		.cookie = htonl(COOKIE),
	};
	memcpy(header->hardware, request->mac, sizeof(request->mac));
	*reply = (struct dhcp_reply){bytes, sizeof(*header), capacity};
	dhcp_reply_option(reply, DHCP_OPTION_TYPE, &type_byte, sizeof(type_byte));
}

void dhcp_reply_option(
	struct dhcp_reply *reply, enum dhcp_option option, const void *data, size_t length)
{
	/* One byte is kept for the END. */
	if (length > UINT8_MAX || reply->length + 2 + length + 1 > reply->capacity)
		return;
	reply->bytes[reply->length++] = (uint8_t)option;
	reply->bytes[reply->length++] = (uint8_t)length;
	memcpy(reply->bytes + reply->length, data, length);
	reply->length += length;
}

void dhcp_reply_u32(struct dhcp_reply *reply, enum dhcp_option option, uint32_t value)
{
	const be32 wire = htonl(value);

	dhcp_reply_option(reply, option, &wire, sizeof(wire));
}

size_t dhcp_reply_end(struct dhcp_reply *reply)
{
	reply->bytes[reply->length++] = DHCP_OPTION_END;
	if (reply->length < DHCP_BYTES_LEAST) {
		memset(reply->bytes + reply->length, 0, DHCP_BYTES_LEAST - reply->length);
		reply->length = DHCP_BYTES_LEAST;
	}
	return reply->length;
}
