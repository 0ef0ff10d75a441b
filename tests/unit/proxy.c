/* SPDX-License-Identifier: BSD-2-Clause */
/* proxy: the PROXY protocol's header, byte by byte as its specification has it. */
#include "wire/proxy.h"

#include <criterion/criterion.h>
#include <string.h>

static union addr address(const char *text)
{
	union addr parsed;
	uint8_t family;

	cr_assert(addr_parse(text, &parsed, &family));
	return parsed;
}

Test(proxy, ipv4)
{
	static const uint8_t wanted[] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T',
		'\n', 0x21, 0x11, 0, 12, 10, 77, 0, 2, 198, 51, 100, 10, 0x9c, 0x40, 0, 80};
	const union addr guest = address("10.77.0.2"), server = address("198.51.100.10");
	uint8_t bytes[PROXY_HEADER_BYTES_MAX];

	cr_expect_eq(proxy_header(bytes, AF_INET, (struct proxy_end){&guest, 40000},
			     (struct proxy_end){&server, 80}),
		sizeof(wanted));
	cr_expect_eq(memcmp(bytes, wanted, sizeof(wanted)), 0);
}

Test(proxy, ipv6)
{
	static const uint8_t wanted[] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T',
		'\n', 0x21, 0x21, 0, 36, 0xfd, 0x77, 0x74, 0x67, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
		0x20, 0x01, 0x0d, 0xb8, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x04, 0x00, 1, 0xbb};
	const union addr guest = address("fd77:7467::2"), server = address("2001:db8:2::10");
	uint8_t bytes[PROXY_HEADER_BYTES_MAX];

	cr_expect_eq(proxy_header(bytes, AF_INET6, (struct proxy_end){&guest, 1024},
			     (struct proxy_end){&server, 443}),
		sizeof(wanted));
	cr_expect_eq(memcmp(bytes, wanted, sizeof(wanted)), 0);
}
