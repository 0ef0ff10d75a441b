/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * direct: `dns-direct` of networks, as rules.
 *
 * What is forbidden is rejected before all rules of chain forward, what is redirected follows all
 * lines of [nat]: so nothing that a rule accepts opens a way around it, and who leads DNS elsewhere
 * himself is left to do so.  They are rules like any others, shown and counted by `tungate rules`.
 */
#ifndef TUNGATE_CONFIG_DIRECT_H
#define TUNGATE_CONFIG_DIRECT_H

#include "tungate/config.h"

/* When all rules of the file are there; false if out of memory. */
bool direct_rules(struct config *config);

#endif
