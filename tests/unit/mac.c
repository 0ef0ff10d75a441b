/* SPDX-License-Identifier: BSD-2-Clause */
/* mac: Ethernet addresses as people write them. */
#include <criterion/criterion.h>
#include <string.h>
#include "base/mac.h"

Test(mac, is_read_as_it_is_written)
{
	static const uint8_t expected[6] = {0x52, 0x54, 0x00, 0xab, 0x0f, 0xff};
	static const char *const spellings[] = {"52:54:00:ab:0f:ff", "52:54:0:AB:f:Ff"};
	char text[MAC_TEXT_SIZE];
	uint8_t mac[6];

	for (unsigned i = 0; i < 2; i++) {
		cr_assert(mac_parse(spellings[i], mac));
		cr_expect_arr_eq(mac, expected, sizeof(mac));
	}
	cr_expect_str_eq(mac_format(mac, text), "52:54:00:ab:0f:ff");
}

Test(mac, refuses_everything_else)
{
	static const char *const wrong[] = {"", ":", "52:54:00:ab:0f",
		"52:54:00:ab:0f:", "52:54:00:ab:0f:fg",
		"52:54:00:ab:0f:ff:", "52:54:00:ab:0f:ff:11", "525:4:00:ab:0f:ff",
		"52-54-00-ab-0f-ff", " 52:54:00:ab:0f:ff", "52:54:00:ab:0f:ff ", "52::00:ab:0f:ff",
		"@2:54:00:ab:0f:ff"};
	uint8_t mac[6];

	for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		cr_expect_not(mac_parse(wrong[i], mac), "%s", wrong[i]);
}
