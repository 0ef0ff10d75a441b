/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helpers: all helpers there are, for engine_params.
 */
#ifndef TUNGATE_HELPER_HELPERS_H
#define TUNGATE_HELPER_HELPERS_H

#include "tungate/config.h"

struct helper;

/* By enum helper_id. */
extern const struct helper *const helpers[HELPER_COUNT];

extern const struct helper helper_ftp;
extern const struct helper helper_irc;
extern const struct helper helper_tftp;
extern const struct helper helper_sip;
extern const struct helper helper_pptp;

#endif
