/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netdev: an interface of the host's, taken over: the host's side of a VM's TAP, of a veth pair, or
 * a network card.
 *
 * Its frames are read and written by a packet socket, as an uplink's are; what the kernel must not
 * do meanwhile is in takeover.h.  Super-packets may always be written: the kernel segments them in
 * software where the device, or the machine at the other end of a TAP, does not take them.
 *
 * An interface that goes down leaves an error in the socket, and when it is up again the socket
 * goes on; so does the link, whose other side is away meanwhile.  One that is gone is gone for
 * good, with whatever comes under the same name being another.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "lan/lan.h"
#include "link/frames.h"
#include "link/takeover.h"

#define RECEIVE_BUFFER_BYTES (8 * 1024 * 1024)

struct netdev {
	struct link link;
	struct takeover takeover;
	struct frames frames;
};

static struct netdev *netdev_of(struct link *link)
{
	return (struct netdev *)link;
}

/* The interface is gone, or another has its name. */
static bool is_gone(const struct link *link)
{
	char name[IF_NAMESIZE];

	return !if_indextoname((unsigned)link->ifindex, name) || strcmp(name, link->device) != 0;
}

static int netdev_read(struct link *link, struct packet *packets, unsigned max)
{
	const int count = frames_read(&netdev_of(link)->frames, packets, max, link->zone);

	if (count != -ENETDOWN)
		return count;
	return is_gone(link) ? -ENODEV : 0;
}

static int netdev_write(struct link *link, struct packet *const *packets, unsigned count)
{
	const int sent = frames_write(&netdev_of(link)->frames, packets, count);

	if (sent != -ENETDOWN)
		return sent;
	return is_gone(link) ? -ENODEV : 0;
}

static void netdev_close(struct link *link)
{
	struct netdev *netdev = netdev_of(link);

	frames_close(&netdev->frames);
	takeover_end(&netdev->takeover);
	free(netdev);
}

static const struct link_ops netdev_ops = {
	.read = netdev_read,
	.write = netdev_write,
	.close = netdev_close,
};

/*
 * Frames from others to the gateway or to a group.  A network card that hears everything would
 * otherwise wake us for each conversation of its segment; frames with a VLAN tag are of a network
 * that is not this one.
 */
static int filter_attach(const struct frames *frames)
{
	const uint8_t *mac = LAN_GATEWAY_MAC;
	const uint32_t head = (uint32_t)mac[0] << 24 | mac[1] << 16 | mac[2] << 8 | mac[3];
	const uint32_t tail = (uint32_t)mac[4] << 8 | mac[5];
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 8, 0),
		BPF_STMT(
			BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 6),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x01000000, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, head, 0, 3),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, tail, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return frames_filter(frames, code, sizeof(code) / sizeof(*code));
}

/* The gateway's MAC address is not the interface's: a card must be told to let it through. */
static void hear_all(const struct frames *frames, int ifindex)
{
	const struct packet_mreq request = {.mr_ifindex = ifindex, .mr_type = PACKET_MR_PROMISC};

	setsockopt(frames->fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request));
}

static int listen_on(const struct log *log, struct netdev *netdev)
{
	struct frames *frames = &netdev->frames;
	int error = frames_tune(frames, log, netdev->link.device, RECEIVE_BUFFER_BYTES);

	if (error)
		return error;
	frames->l2_bytes = ETH_HLEN;
	error = filter_attach(frames);
	if (!error)
		error = frames_bind(frames, netdev->link.ifindex);
	if (error)
		log_error(log, "cannot listen on %s: %s", netdev->link.device, strerror(-error));
	else
		hear_all(frames, netdev->link.ifindex);
	return error;
}

static void describe(struct netdev *netdev, const struct link_settings *settings)
{
	const uint32_t mtu = netdev->takeover.mtu;

	netdev->link = (struct link){
		.ops = &netdev_ops,
		.kind = "netdev",
		.fd = netdev->frames.fd,
		.zone = settings->zone,
		.mtu = mtu != 0 && mtu < settings->mtu ? (uint16_t)mtu : settings->mtu,
		.l2_bytes = ETH_HLEN,
		.burst = 1,
		.segments = true,
		.udp_segments = true,
		.away = !netdev->takeover.has_carrier,
		.outlives_errors = true,
		.ifindex = netdev->takeover.ifindex,
	};
	strncpy(netdev->link.device, settings->device, sizeof(netdev->link.device) - 1);
}

int link_netdev_open(
	const struct log *log, const struct link_settings *settings, struct link **link)
{
	struct netdev *netdev = calloc(1, sizeof(*netdev));
	int error = -ENOMEM;

	if (!netdev)
		return error;
	error = frames_open(&netdev->frames);
	if (error) {
		log_error(log, "cannot open a packet socket: %s; run as root or with CAP_NET_RAW",
			strerror(-error));
		goto free_netdev;
	}
	error = takeover_begin(log, settings->device, &netdev->takeover);
	if (error)
		goto close_frames;
	describe(netdev, settings);
	error = listen_on(log, netdev);
	if (error)
		goto end_takeover;
	*link = &netdev->link;
	return 0;

end_takeover:
	takeover_end(&netdev->takeover);
close_frames:
	frames_close(&netdev->frames);
free_netdev:
	free(netdev);
	return error;
}
