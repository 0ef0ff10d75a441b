/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * link: how bursts of packets are read from and written to one guest, whatever the kind.
 *
 * One struct per kind embeds struct link first; the daemon sees only this vtable.  Reads and writes
 * never block.  Packets carry their offload both ways; a link that cannot segment or checksum does
 * it itself (wire/gso).
 */
#ifndef TUNGATE_LINK_LINK_H
#define TUNGATE_LINK_LINK_H

#include <stdbool.h>
#include <sys/types.h>
#include "base/log.h"
#include "tungate/config.h"
#include "tungate/packet.h"

struct lan;
struct link;

struct link_ops {
	/*
	 * Read up to `max` packets into packets[i].data (capacity each PACKET_BYTES_MAX, headroom
	 * PACKET_HEADROOM): sets data, length, offload, in_zone, parsed = false.  Stops early
	 * once LINK_BURST_BYTES were read, so that large packets are still in cache when they are
	 * sent. Returns how many, 0 when there is nothing now, -ENODEV when the link is dead.
	 */
	int (*read)(struct link *link, struct packet *packets, unsigned max);
	/*
	 * Write `count` packets in order; may use their headroom.  Returns how many the kernel
	 * took; the others are lost (a full queue drops, as a network does), -ENODEV when it is
	 * dead.
	 */
	int (*write)(struct link *link, struct packet *const *packets, unsigned count);
	/* Close and free; removes what opening made, puts back what it changed. */
	void (*close)(struct link *link);
};

#define LINK_BURST       64 /* packets in a burst */
#define LINK_BURST_BYTES (96 * 1024)

/*
 * Ethernet links (l2_bytes = 14) carry frames: read() leaves the Ethernet header in front of
 * packet->data, whatever the frame holds, and write() expects it there.  `lan` answers on them, and
 * is whoever opened the link's.
 */
struct link {
	const struct link_ops *ops;
	const char *kind; /* "tun", "netns" ... */
	int fd; /* for polling: readable means read() has something, error or hang-up: dead */
	zone_id zone;
	uint16_t mtu;         /* bytes */
	uint8_t l2_bytes;     /* of the Ethernet header; 0: IP packets only */
	unsigned burst;       /* packets that its reader asks for next; at least 1 */
	bool segments;        /* the other side takes super-packets (TSO) */
	bool udp_segments;    /* ... and UDP ones (USO) */
	bool merge;           /* what it reads are segments that may be put together again */
	bool more;            /* read() has more already, which `fd` does not tell */
	bool away;            /* the other side is not there now, and may come (back) */
	bool outlives_errors; /* an error of `fd` is over when read() has returned */
	int ifindex;          /* of the host's interface that it lives by; 0: none */
	char device[16];      /* interface name as it is there */
	char place[CONFIG_TEXT_SIZE]; /* "netns NAME", for people */
	struct lan *lan;              /* NULL: none */
};

/* What every kind needs to configure the guest's side. */
struct link_settings {
	zone_id zone;
	const char *device; /* interface name to give */
	uint16_t mtu;
	uint8_t prefix_length4; /* 0: no IPv4 */
	uint8_t prefix_length6;
	union addr address4, gateway4;
	union addr address6, gateway6;
	struct prefix subnet4, subnet6; /* link `tun`: what to route to it; family 0: none */
	const char *bridge;             /* link `tap`: to join; "": none */
	const char *socket;             /* link `qemu`: path */
	bool datagram;                  /* ... of datagrams */
	uid_t owner;                    /* ... whose it is; (uid_t)-1: ours */
	gid_t owner_group;
};

/*
 * Open a TUN in our own namespace: address = the gateway's, route to the subnet.
 * All return 0 and the link, or -errno after logging one sentence with what the user can do.
 */
int link_tun_open(const struct log *log, const struct link_settings *settings, struct link **link);

/* The same for the host as a guest: with the guest's addresses, and its route is the only one. */
int link_host_open(const struct log *log, const struct link_settings *settings, struct link **link);

/*
 * Open a TUN inside the network namespace of `netns_fd` (kept open by the caller; closed by the
 * caller afterwards): address, default routes through the gateway (both families), MTU, lo up.
 * The device is made in our own service namespace and moved there, so that it never shows in the
 * host's and its descriptor does not keep the guest's namespace alive: read() returns -ENODEV once
 * the namespace is gone. `maker_fd` is the namespace to make it in.
 */
int link_netns_open(const struct log *log, const struct link_settings *settings, int netns_fd,
	int maker_fd, struct link **link);

/* Open a TAP in our own namespace, without addresses, and have it join a bridge. */
int link_tap_open(const struct log *log, const struct link_settings *settings, struct link **link);

/* Take over an interface of our own namespace: its frames are ours, and the kernel hears none.
 * -ENODEV, without a word, where there is none of this name. */
int link_netdev_open(
	const struct log *log, const struct link_settings *settings, struct link **link);

/* Listen on a unix socket for a VM of QEMU's. */
int link_qemu_open(const struct log *log, const struct link_settings *settings, struct link **link);

#endif
