/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * subnets: which addresses are behind an interface, as far as rules tell.
 *
 * The first that says something wins, in this order: what the user said; a prefix beside the
 * interface's name (`-i eth0 -s 192.168.1.0/24`, `-s 172.17.0.0/16 ! -o docker0`); where there
 * is only one network, the prefix that is masqueraded, or that may not come in from the uplink;
 * then the neighbourhood of a guest that a rule names.  Without any of it a subnet is made up.
 */
#ifndef TUNGATE_IMPORT_SUBNETS_H
#define TUNGATE_IMPORT_SUBNETS_H

#include "import/sides.h"

void subnets_find(struct sides *sides, const struct save *save);

#endif
