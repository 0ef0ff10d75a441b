/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tundev: a TUN or TAP device, one packet per read(2) and write(2), each behind a virtio-net
 * header.
 *
 * The header goes into the ten bytes in front of the IP packet, or of a TAP's Ethernet header, so
 * one contiguous buffer serves both directions and no byte of a packet is ever moved.
 *
 * Offloads.  TUNSETOFFLOAD says what the kernel may leave to us when we read: it is tried from
 * everything downwards, since kernels before 6.2 know no UDP segmentation.  When we write, the
 * kernel takes super-packets by the virtio-net header alone; where it answers EINVAL all the same
 * (6.6.44 refused good ones), the packet is sent again in segments, and from then on all of its
 * kind are.
 *
 * The end.  The device lives as long as its descriptor; when its namespace dies first, read() and
 * write() say EBADFD.  EIO means only that somebody set the interface down: the packet is lost, the
 * link is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "link/segments.h"
#include "link/tundev.h"
#include "wire/gso.h"
#include "wire/vnet.h"

#ifndef TUN_F_USO4 /* Linux 6.2 */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

#define VNET_BYTES sizeof(struct vnet_header)
static_assert(PACKET_HEADROOM >= sizeof(struct vnet_header) + sizeof(struct ethernet_header),
	"the headers fit before the packet");

/* Packets in a row that may fail to be read before we leave them for the next turn. */
#define READ_ERRORS_MAX 8

struct tundev {
	struct link link;
	struct segments segments;
};

static struct tundev *tundev_of(struct link *link)
{
	return (struct tundev *)link;
}

/* Whether an errno of read or write means that there is no device any more. */
static bool is_gone(int error)
{
	return error == EBADFD || error == ENODEV;
}

/* Bytes in front of the IP packet. */
static size_t head_of(const struct link *link)
{
	return VNET_BYTES + link->l2_bytes;
}

static void received(const struct link *link, struct packet *packet, size_t bytes)
{
	const size_t head = head_of(link);

	vnet_decode((const struct vnet_header *)(packet->data - head), link->l2_bytes,
		&packet->offload);
	packet->length = (uint32_t)(bytes - head);
	packet->in_zone = link->zone;
	packet->parsed = false;
}

static int tundev_read(struct link *link, struct packet *packets, unsigned max)
{
	const size_t head = head_of(link);
	unsigned count = 0, errors = 0;
	size_t total = 0;

	while (count < max && total < LINK_BURST_BYTES && errors < READ_ERRORS_MAX) {
		struct packet *packet = &packets[count];
		const ssize_t bytes = read(link->fd, packet->data - head, packet->capacity + head);

		if (bytes > (ssize_t)head) {
			received(link, packet, (size_t)bytes);
			total += (size_t)bytes;
			count++;
		} else if (bytes < 0 && errno == EAGAIN) {
			break;
		} else if (bytes < 0 && is_gone(errno)) {
			return count ? (int)count : -ENODEV;
		} else {
			errors++; /* a packet that no virtio-net header describes (EINVAL): lost */
		}
	}
	return (int)count;
}

/* 0 or -errno. */
static int write_whole(void *context, struct packet *packet)
{
	const struct link *link = context;
	const size_t head = head_of(link);

	vnet_encode(&packet->offload, link->l2_bytes, (struct vnet_header *)(packet->data - head));
	if (write(link->fd, packet->data - head, packet->length + head) < 0)
		return -errno;
	return 0;
}

static int write_packet(struct link *link, struct packet *packet)
{
	const uint8_t gso_type = packet->offload.gso_type;
	bool *whole = segments_are_tcp(gso_type) ? &link->segments : &link->udp_segments;
	int error;

	if (gso_type == OFFLOAD_GSO_NONE)
		return write_whole(link, packet);
	if (*whole) {
		error = write_whole(link, packet);
		if (error != -EINVAL)
			return error;
	}
	error = segments_write(
		&tundev_of(link)->segments, packet, link->l2_bytes, write_whole, link);
	if (!error)
		*whole = false;
	return error;
}

static int tundev_write(struct link *link, struct packet *const *packets, unsigned count)
{
	int taken = 0;

	for (unsigned i = 0; i < count; i++) {
		const int error = write_packet(link, packets[i]);

		if (!error)
			taken++;
		else if (is_gone(-error))
			return -ENODEV;
	}
	return taken;
}

/* The device goes with its descriptor, its addresses and routes with the device. */
static void tundev_close(struct link *link)
{
	close(link->fd);
	free(tundev_of(link));
}

static const struct link_ops tundev_ops = {
	.read = tundev_read,
	.write = tundev_write,
	.close = tundev_close,
};

static const char *open_advice(int error)
{
	switch (error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return "the kernel's tun driver is missing: `modprobe tun`, or give the container "
		       "/dev/net/tun";
	case EACCES:
	case EPERM:
		return "not allowed: run as root or with CAP_NET_ADMIN";
	case EBUSY:
	case EEXIST:
		return "an interface of this name is in use: choose another by `device =`";
	default:
		return strerror(error);
	}
}

/* What the kernel may hand us undone: as much as it offers. */
static void offload_enable(struct link *link)
{
	static const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	static const unsigned uso = TUN_F_USO4 | TUN_F_USO6;
	static const unsigned offers[] = {
		tcp | TUN_F_TSO_ECN | uso, tcp | TUN_F_TSO_ECN, tcp, TUN_F_CSUM};

	link->segments = true;
	for (size_t i = 0; i < sizeof(offers) / sizeof(*offers); i++) {
		if (ioctl(link->fd, TUNSETOFFLOAD, offers[i]) < 0)
			continue;
		link->udp_segments = (offers[i] & uso) != 0;
		return;
	}
}

/* Attach a descriptor of /dev/net/tun to a new device. */
static int device_make(struct link *link, const char *name)
{
	const int type = link->l2_bytes ? IFF_TAP : IFF_TUN;
	struct ifreq request = {
		.ifr_flags = (short)(type | IFF_NO_PI | IFF_VNET_HDR | IFF_TUN_EXCL)};
	const int header_bytes = VNET_BYTES;

	if (strlen(name) >= sizeof(request.ifr_name))
		return -ENAMETOOLONG;
	strcpy(request.ifr_name, name);
	if (ioctl(link->fd, TUNSETIFF, &request) < 0 ||
		ioctl(link->fd, TUNSETVNETHDRSZ, &header_bytes) < 0)
		return -errno;
	memcpy(link->device, request.ifr_name, sizeof(link->device));
	offload_enable(link);
	return 0;
}

int tundev_open(const struct log *log, const char *kind, const char *name, unsigned l2_bytes,
	const struct link_settings *settings, struct link **link)
{
	struct tundev *device = calloc(1, sizeof(*device));
	int error = -ENOMEM;

	if (!device)
		goto fail;
	device->link.ops = &tundev_ops;
	device->link.kind = kind;
	device->link.zone = settings->zone;
	device->link.mtu = settings->mtu;
	device->link.l2_bytes = (uint8_t)l2_bytes;
	device->link.burst = 1;
	device->link.fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (device->link.fd < 0) {
		error = -errno;
		goto fail_free;
	}
	error = device_make(&device->link, name);
	if (error)
		goto fail_close;
	*link = &device->link;
	return 0;

fail_close:
	close(device->link.fd);
fail_free:
	free(device);
fail:
	log_error(log, "cannot make %s interface %s: %s", l2_bytes ? "TAP" : "TUN", name,
		open_advice(-error));
	return error;
}
