/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames: bursts of frames, or of IP packets where an interface has no Ethernet header, through a
 * packet socket: under the uplinks, and under links of kind netdev.
 */
#ifndef TUNGATE_LINK_FRAMES_H
#define TUNGATE_LINK_FRAMES_H

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include "base/log.h"
#include "link/link.h"
#include "link/segments.h"
#include "tungate/packet.h"

/* Large: part of who uses it, not of a stack frame; all zero before frames_open(). */
struct frames {
	int fd;
	uint16_t l2_bytes;      /* of the Ethernet header: 14, or 0 where there is none */
	bool segments;          /* the kernel takes TCP super-packets */
	bool udp_segments;      /* ... and UDP ones */
	uint32_t average_bytes; /* of the frames of the last burst read */
	struct mmsghdr message[LINK_BURST];
	struct iovec vector[LINK_BURST];
	struct sockaddr_ll to4, to6; /* says the protocol where no Ethernet header does */
	struct segments scratch;
};

/* The steps of opening, in this order; 0 or -errno.  After the first, frames_close(). */
int frames_open(struct frames *frames);
/* Options and buffers; logged, `name` is what for people. */
int frames_tune(
	struct frames *frames, const struct log *log, const char *name, uint32_t receive_bytes);
int frames_filter(const struct frames *frames, struct sock_filter *code, unsigned length);
/* From here on it hears the interface; l2_bytes has been set. */
int frames_bind(struct frames *frames, int ifindex);
void frames_close(const struct frames *frames);

/* As link_ops.read; -ENETDOWN when the interface is gone or down. */
int frames_read(struct frames *frames, struct packet *packets, unsigned max, zone_id zone);
/* As link_ops.write: the Ethernet header, if there is one, is in front of each packet. */
int frames_write(struct frames *frames, struct packet *const *packets, unsigned count);

#endif
