/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helpers: the table of all helpers.
 */
#include "helper/helpers.h"

const struct helper *const helpers[HELPER_COUNT] = {
	[HELPER_FTP] = &helper_ftp,
	[HELPER_IRC] = &helper_irc,
	[HELPER_TFTP] = &helper_tftp,
	[HELPER_SIP] = &helper_sip,
	[HELPER_PPTP] = &helper_pptp,
};
