/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mac: Ethernet addresses as people write them.
 */
#ifndef TUNGATE_BASE_MAC_H
#define TUNGATE_BASE_MAC_H

#include <stdbool.h>
#include <stdint.h>

#define MAC_TEXT_SIZE 18 /* "52:54:00:12:34:56", with NUL */

/* Six numbers of one or two hexadecimal digits, with colons between them. */
bool mac_parse(const char *text, uint8_t mac[6]);
/* Two digits each; returns `text`. */
char *mac_format(const uint8_t mac[6], char text[MAC_TEXT_SIZE]);

#endif
