/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gro: put consecutive TCP segments of a burst together into super-packets, where a device could
 * not, so that everything behind us (engine, system call, the receiver's stack) is paid once.
 */
#ifndef TUNGATE_WIRE_GRO_H
#define TUNGATE_WIRE_GRO_H

#include "wire/parse.h"

/*
 * Merge what can be merged among `count` packets, in place; returns how many are left, in their
 * order, at the front.  Those merged away keep their buffers, behind them.  Packets that are not
 * parsed yet are parsed; one that does not parse stays as it is, for the engine to drop.  What
 * segmentation makes of a merged packet is, byte for byte, what was merged (but for IPv4
 * identifications, which DF makes meaningless: RFC 6864).
 */
unsigned gro_merge(struct packet *packets, unsigned count);

#endif
