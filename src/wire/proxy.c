/* SPDX-License-Identifier: BSD-2-Clause */
/* proxy: signature, command, family and length, then addresses and ports: sections 2.2 and 2.3. */
#include "wire/proxy.h"

#include <string.h>
#include "wire/headers.h"

#define VERSION2_PROXY 0x21
#define TCP_OVER_IPV4  0x11
#define TCP_OVER_IPV6  0x21

struct proxy2_header {
	uint8_t signature[12];
	uint8_t version_command;
	uint8_t family_protocol;
	be16 length; /* of what follows */
} WIRE;
static_assert(sizeof(struct proxy2_header) == 16, "PROXY protocol, 2.2");

struct proxy2_ports {
	be16 source;
	be16 destination;
} WIRE;
static_assert(PROXY_HEADER_BYTES_MAX ==
		      sizeof(struct proxy2_header) + 2 * 16 + sizeof(struct proxy2_ports),
	"room for IPv6");

size_t proxy_header(
	uint8_t *bytes, uint8_t family, struct proxy_end source, struct proxy_end destination)
{
	const size_t address_bytes = addr_bits(family) / 8;
	const size_t length = 2 * address_bytes + sizeof(struct proxy2_ports);
	struct proxy2_header *header = (struct proxy2_header *)bytes;
	uint8_t *addresses = bytes + sizeof(*header);
	struct proxy2_ports *ports = (struct proxy2_ports *)(addresses + 2 * address_bytes);

	*header = (struct proxy2_header){
		.signature = "\r\n\r\n\0\r\nQUIT\n",
		.version_command = VERSION2_PROXY,
		.family_protocol = family == AF_INET ? TCP_OVER_IPV4 : TCP_OVER_IPV6,
		.length = htons((uint16_t)length),
	};
	memcpy(addresses, source.address->bytes, address_bytes);
	memcpy(addresses + address_bytes, destination.address->bytes, address_bytes);
	*ports = (struct proxy2_ports){htons(source.port), htons(destination.port)};
	return sizeof(*header) + length;
}
