/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp_error: errors about packets of our flows, translated with what they quote (RFC 5508).
 */
#ifndef TUNGATE_ENGINE_ICMP_ERROR_H
#define TUNGATE_ENGINE_ICMP_ERROR_H

#include "engine/state.h"

/* Handle a parsed packet of kind L4_ICMP_ERROR, whichever side it comes from. */
enum verdict icmp_error_input(struct engine *engine, struct packet *packet, bool output);

#endif
