/* SPDX-License-Identifier: BSD-2-Clause */
/* mac: Ethernet addresses as people write them. */
#include "base/mac.h"

#include <stdio.h>

static int digit_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	const char small = (char)(digit | 0x20);
	return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

bool mac_parse(const char *text, uint8_t mac[6])
{
	for (unsigned i = 0; i < 6; i++) {
		unsigned digits = 0, value = 0;

		if (i > 0 && *text++ != ':')
			return false;
		for (; digits < 2 && digit_value(*text) >= 0; digits++)
			value = value << 4 | (unsigned)digit_value(*text++);
		if (digits == 0)
			return false;
		mac[i] = (uint8_t)value;
	}
	return *text == '\0';
}

char *mac_format(const uint8_t mac[6], char text[MAC_TEXT_SIZE])
{
	snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
	return text;
}
