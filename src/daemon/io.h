/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * io: move packets: read a burst, put each through the engine, write what comes out in batches.
 */
#ifndef TUNGATE_DAEMON_IO_H
#define TUNGATE_DAEMON_IO_H

#include "daemon/daemon.h"
#include "link/afpacket.h"
#include "link/link.h"

/* 0 or -ENOMEM. */
int io_create(struct daemon *daemon, struct io **result);
void io_free(struct io *io);

/* A link has something to read.  0, or -ENODEV where it is dead. */
int io_link_readable(struct io *io, struct link *link);
/* The services' own device on a network has something to read.  As above. */
int io_service_readable(struct io *io, struct link *link, uint16_t network);
/* An uplink has something to read. */
void io_uplink_readable(struct io *io, struct afpacket *afpacket);
/* Send what a link's LAN services have made (after they were called). */
void io_flush_lan(struct io *io, struct link *link);
/* Send what the engine has made on its own (after engine_tick()). */
void io_flush_engine(struct io *io);

#endif
