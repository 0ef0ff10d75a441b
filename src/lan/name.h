/* SPDX-License-Identifier: BSD-2-Clause */
/* name: how guests are called: host names' first labels, of lower case letters, digits, hyphens. */
#ifndef TUNGATE_LAN_NAME_H
#define TUNGATE_LAN_NAME_H

#include "lan/lan.h"

/* The first label of what a guest says, into a clear `name`; left clear where it is none. */
void name_of_text(const uint8_t *bytes, size_t length, char name[CONFIG_NAME_SIZE]);
/* ... said in labels (RFC 1035, 3.1). */
void name_of_wire(const uint8_t *bytes, size_t length, char name[CONFIG_NAME_SIZE]);
/* What a guest is told that it is called: as its reservation says, else as the link of one guest
 * is called, else as it says itself; "": nothing. */
const char *name_given(
	const struct lan *lan, uint8_t family, const uint8_t mac[6], const char *said);
/* A domain as labels; returns the length, which is at most two more than that of the text. */
size_t name_wire(const char *domain, uint8_t *wire);

#endif
