/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pptp: the control messages of RFC 2637, as far as they name calls.
 */
#ifndef TUNGATE_WIRE_PPTP_H
#define TUNGATE_WIRE_PPTP_H

#include "wire/headers.h"

/* RFC 2637, 2.1: what every message starts with */
struct pptp_header {
	be16 length; /* of the whole message */
	be16 type;   /* PPTP_CONTROL */
	be32 cookie; /* PPTP_COOKIE */
	be16 control;
	be16 reserved;
} WIRE;
static_assert(sizeof(struct pptp_header) == 12, "RFC 2637, 2.1");
#define PPTP_CONTROL 1
#define PPTP_COOKIE  0x1a2b3c4d

/* RFC 2637, 2.7 to 2.15 */
#define PPTP_OUTGOING_REQUEST 7
#define PPTP_OUTGOING_REPLY   8
#define PPTP_INCOMING_REQUEST 9
#define PPTP_INCOMING_REPLY   10
#define PPTP_INCOMING_CONNECT 11
#define PPTP_CLEAR_REQUEST    12
#define PPTP_DISCONNECTED     13
#define PPTP_WAN_ERROR        14
#define PPTP_LINK_INFO        15

/* Where those messages have call ids, and both replies their result. */
#define PPTP_FIRST_CALL  12
#define PPTP_SECOND_CALL 14
#define PPTP_RESULT      16
#define PPTP_CONNECTED   1

#endif
