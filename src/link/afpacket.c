/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * afpacket: the uplink, one raw packet socket per interface of the host.
 *
 * A frame lies in the packet's own buffer as the kernel reads and writes it, in one piece:
 *
 *	headroom ... | virtio-net header 10 | Ethernet 14 (or 0) | IP packet, packet->data
 *
 * so a burst is one system call with one iovec per packet, and no byte moves.
 *
 * Opening.  A packet socket that is made with a protocol hears every interface at once; this one is
 * made with none, gets its options and its filter, and is bound last.  So nothing but our own is
 * ever queued, and nothing has to be drained.
 *
 * Reading.  recvmmsg() is limited by a number of messages, a burst by bytes as well; so it is asked
 * for as many messages as the last burst's average size makes a burst of.
 *
 * Writing.  sendmmsg() stops at the first frame it cannot send.  That frame is lost, or, if it was
 *a super-packet that the kernel calls invalid (before 6.2: all of UDP), sent again in segments;
 *then it goes on behind it.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "link/afpacket.h"
#include "link/segments.h"
#include "wire/gso.h"
#include "wire/vnet.h"

#define VNET_BYTES sizeof(struct vnet_header)
static_assert(PACKET_HEADROOM >= sizeof(struct vnet_header) + sizeof(struct ethernet_header),
	"the frame's headers fit before the packet");

/* Receive errors in a row (packets that no virtio-net header describes, such as GSO SCTP) before
 * we leave the rest for the next turn. */
#define READ_ERRORS_MAX 8
/* What our frames may hold in queues of the kernel's: a full one must be the device's, not ours. */
#define SEND_BUFFER_BYTES (32 * 1024 * 1024)

struct afpacket {
	const struct log *log;
	int fd;
	char name[IFNAMSIZ];
	uint16_t l2_bytes; /* 14, or 0 on an interface without Ethernet header */
	uint8_t mac[6];
	bool segments;          /* the kernel takes TCP super-packets */
	bool udp_segments;      /* ... and UDP ones */
	uint32_t average_bytes; /* of the frames of the last burst read */
	struct mmsghdr message[LINK_BURST];
	struct iovec vector[LINK_BURST];
	struct sockaddr_ll to4, to6; /* says the protocol where no Ethernet header does */
	struct segments scratch;
};

/* ---- reading ---- */

static unsigned portion(const struct afpacket *afpacket, size_t bytes_left, unsigned packets_left)
{
	const size_t fitting = bytes_left / afpacket->average_bytes + 1;

	if (packets_left > LINK_BURST)
		packets_left = LINK_BURST;
	return fitting < packets_left ? (unsigned)fitting : packets_left;
}

/* Ask for up to `count` frames.  How many came, or -errno. */
static int receive(struct afpacket *afpacket, struct packet *packets, unsigned count)
{
	const size_t head = VNET_BYTES + afpacket->l2_bytes;

	for (unsigned i = 0; i < count; i++) {
		afpacket->vector[i].iov_base = packets[i].data - head;
		afpacket->vector[i].iov_len = packets[i].capacity + head;
		afpacket->message[i].msg_hdr = (struct msghdr){
			.msg_iov = &afpacket->vector[i],
			.msg_iovlen = 1,
		};
	}
	const int received = recvmmsg(afpacket->fd, afpacket->message, count, MSG_DONTWAIT, NULL);
	return received < 0 ? -errno : received;
}

/* Whether message `i` is a whole IP packet; fills the packet if so. */
static bool accept_frame(const struct afpacket *afpacket, unsigned i, struct packet *packet)
{
	const size_t head = VNET_BYTES + afpacket->l2_bytes;
	const size_t bytes = afpacket->message[i].msg_len;

	if (bytes <= head || afpacket->message[i].msg_hdr.msg_flags & MSG_TRUNC)
		return false;
	vnet_decode((const struct vnet_header *)(packet->data - head), afpacket->l2_bytes,
		&packet->offload);
	packet->length = (uint32_t)(bytes - head);
	packet->in_zone = ZONE_UPLINK;
	packet->parsed = false;
	return true;
}

/* Move the buffer of `from` to the place of `to`, and the other way round. */
static void swap_buffers(struct packet *to, struct packet *from)
{
	const struct packet kept = *to;

	*to = *from;
	*from = kept;
}

/* Close ranks: packets[0..] are good ones.  How many, and their bytes. */
static unsigned accept_frames(
	const struct afpacket *afpacket, struct packet *packets, unsigned received, size_t *bytes)
{
	unsigned count = 0;

	for (unsigned i = 0; i < received; i++) {
		*bytes += afpacket->message[i].msg_len;
		if (!accept_frame(afpacket, i, &packets[i]))
			continue;
		if (i != count)
			swap_buffers(&packets[count], &packets[i]);
		count++;
	}
	return count;
}

int afpacket_read(struct afpacket *afpacket, struct packet *packets, unsigned max)
{
	unsigned count = 0, frames = 0, errors = 0;
	size_t bytes = 0;

	while (count < max && bytes < LINK_BURST_BYTES && errors < READ_ERRORS_MAX) {
		const unsigned asked = portion(afpacket, LINK_BURST_BYTES - bytes, max - count);
		const int received = receive(afpacket, packets + count, asked);

		if (received == -ENETDOWN || received == -ENODEV || received == -ENXIO)
			return count ? (int)count : -ENETDOWN;
		if (received == -EAGAIN)
			break;
		if (received < 0) {
			errors++;
			continue;
		}
		count += accept_frames(afpacket, packets + count, (unsigned)received, &bytes);
		frames += (unsigned)received;
		if ((unsigned)received < asked)
			break;
	}
	if (frames > 0)
		afpacket->average_bytes = (uint32_t)(bytes / frames) + 1;
	return (int)count;
}

/* ---- writing ---- */

/* The first nibble of an IP packet is its version. */
static bool is_ipv4(const struct packet *packet)
{
	return packet->data[0] >> 4 == 4;
}

/* Put the headers in front of the packet and describe the frame to sendmsg(2). */
static void frame_fill(const struct afpacket *afpacket, struct packet *packet,
	const struct next_hop *hop, struct iovec *vector, struct msghdr *message)
{
	const size_t head = VNET_BYTES + afpacket->l2_bytes;
	struct ethernet_header *ethernet = (struct ethernet_header *)(packet->data - ETH_HLEN);
	const bool ipv4 = is_ipv4(packet);

	*vector = (struct iovec){packet->data - head, packet->length + head};
	*message = (struct msghdr){.msg_iov = vector, .msg_iovlen = 1};
	vnet_encode(&packet->offload, afpacket->l2_bytes, vector->iov_base);
	if (afpacket->l2_bytes == 0) {
		message->msg_name = (void *)(ipv4 ? &afpacket->to4 : &afpacket->to6);
		message->msg_namelen = sizeof(afpacket->to4);
		return;
	}
	memcpy(ethernet->destination, hop->mac, sizeof(hop->mac));
	memcpy(ethernet->source, afpacket->mac, sizeof(afpacket->mac));
	ethernet->type = htons(ipv4 ? ETH_P_IP : ETH_P_IPV6);
}

/* A super-packet's segments on their way to its hop. */
struct segment_sending {
	const struct afpacket *afpacket;
	const struct next_hop *hop;
};

static int segment_send(void *context, struct packet *segment)
{
	const struct segment_sending *sending = context;
	struct msghdr message;
	struct iovec vector;

	frame_fill(sending->afpacket, segment, sending->hop, &vector, &message);
	return sendmsg(sending->afpacket->fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int send_segments(
	struct afpacket *afpacket, struct packet *packet, const struct next_hop *hop)
{
	struct segment_sending sending = {afpacket, hop};

	return segments_write(&afpacket->scratch, packet, segment_send, &sending);
}

static bool goes_whole(const struct afpacket *afpacket, const struct packet *packet)
{
	if (packet->offload.gso_type == OFFLOAD_GSO_NONE)
		return true;
	return segments_are_tcp(packet->offload.gso_type) ? afpacket->segments
							  : afpacket->udp_segments;
}

/* The kernel refused a frame.  How many packets (0 or 1) went out after all. */
static unsigned send_again(
	struct afpacket *afpacket, struct packet *packet, const struct next_hop *hop, int error)
{
	const uint8_t gso_type = packet->offload.gso_type;

	if (error != EINVAL || gso_type == OFFLOAD_GSO_NONE ||
		send_segments(afpacket, packet, hop) != 0)
		return 0;
	if (segments_are_tcp(gso_type))
		afpacket->segments = false;
	else
		afpacket->udp_segments = false;
	return 1;
}

/* Send the first `count` messages.  How many packets went out, or -ENETDOWN. */
static int send_messages(struct afpacket *afpacket, struct packet *const *packets,
	const struct next_hop *const *hops, unsigned count)
{
	unsigned done = 0, taken = 0;

	while (done < count) {
		const int sent = sendmmsg(
			afpacket->fd, afpacket->message + done, count - done, MSG_DONTWAIT);

		if (sent > 0) {
			taken += (unsigned)sent;
			done += (unsigned)sent;
			continue;
		}
		if (errno == ENETDOWN || errno == ENODEV || errno == ENXIO)
			return -ENETDOWN;
		if (errno == EAGAIN)
			break; /* the send buffer is full, for those behind as well */
		taken += send_again(afpacket, packets[done], hops[done], errno);
		done++;
	}
	return (int)taken;
}

/* Make messages of the packets up to the first that has to be cut.  How many. */
static unsigned fill_messages(struct afpacket *afpacket, struct packet *const *packets,
	const struct next_hop *const *hops, unsigned count)
{
	unsigned filled = 0;

	while (filled < count && filled < LINK_BURST && goes_whole(afpacket, packets[filled])) {
		frame_fill(afpacket, packets[filled], hops[filled], &afpacket->vector[filled],
			&afpacket->message[filled].msg_hdr);
		filled++;
	}
	return filled;
}

int afpacket_write(struct afpacket *afpacket, struct packet *const *packets,
	const struct next_hop *const *hops, unsigned count)
{
	unsigned done = 0;
	int taken = 0;

	while (done < count) {
		const unsigned filled =
			fill_messages(afpacket, packets + done, hops + done, count - done);

		if (filled == 0) {
			taken += send_segments(afpacket, packets[done], hops[done]) == 0;
			done++;
			continue;
		}
		const int sent = send_messages(afpacket, packets + done, hops + done, filled);
		if (sent < 0)
			return sent;
		taken += sent;
		done += filled;
	}
	return taken;
}

/* ---- opening ---- */

int afpacket_claims_set(struct afpacket *afpacket, const struct port_claims *claims)
{
	struct sock_filter *code = calloc(BPF_MAXINSNS, sizeof(*code));
	int length = -ENOMEM;

	if (code)
		length = claims_program(claims, CLAIMS_SOCKET, afpacket->l2_bytes, code);
	if (length > 0) {
		const struct sock_fprog program = {.len = (unsigned short)length, .filter = code};

		if (setsockopt(afpacket->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
			    sizeof(program)) < 0)
			length = -errno;
	}
	free(code);
	if (length == -ENOMEM || length == -E2BIG)
		log_error(afpacket->log,
			"the filter of uplink %s does not fit the kernel: publish fewer, larger "
			"port ranges, or raise net.core.optmem_max",
			afpacket->name);
	else if (length < 0)
		log_error(afpacket->log, "cannot attach the filter of uplink %s: %s",
			afpacket->name, strerror(-length));
	return length < 0 ? length : 0;
}

/* What kind of link layer the interface has.  0 or -errno, logged. */
static int identify(struct afpacket *afpacket, int ifindex)
{
	struct ifreq request = {.ifr_ifindex = ifindex};

	if (ioctl(afpacket->fd, SIOCGIFNAME, &request) < 0) {
		log_error(afpacket->log, "there is no interface with index %d any more", ifindex);
		return -ENODEV;
	}
	memcpy(afpacket->name, request.ifr_name, sizeof(afpacket->name));
	if (ioctl(afpacket->fd, SIOCGIFHWADDR, &request) < 0) {
		const int error = -errno;

		log_error(afpacket->log, "cannot ask for the MAC address of %s: %s", afpacket->name,
			strerror(-error));
		return error;
	}
	const int l2_bytes = claims_l2_bytes(request.ifr_hwaddr.sa_family);
	if (l2_bytes < 0) {
		log_error(afpacket->log,
			"%s cannot be an uplink: it has neither Ethernet nor plain IP frames (link "
			"type %d); name another interface by `uplink =`",
			afpacket->name, request.ifr_hwaddr.sa_family);
		return l2_bytes;
	}
	afpacket->l2_bytes = (uint16_t)l2_bytes;
	memcpy(afpacket->mac, request.ifr_hwaddr.sa_data, sizeof(afpacket->mac));
	return 0;
}

static int buffer_set(int fd, int force, int plain, uint32_t bytes)
{
	const int value = bytes > INT32_MAX / 2 ? INT32_MAX / 2 : (int)bytes;

	if (setsockopt(fd, SOL_SOCKET, force, &value, sizeof(value)) == 0)
		return 0;
	setsockopt(fd, SOL_SOCKET, plain, &value, sizeof(value));
	return -EPERM;
}

/* The default receive buffer holds four large packets: say so where the kernel allows no more. */
static void buffers_set(struct afpacket *afpacket, uint32_t receive_bytes)
{
	int granted = 0;
	socklen_t size = sizeof(granted);

	buffer_set(afpacket->fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER_BYTES);
	if (buffer_set(afpacket->fd, SO_RCVBUFFORCE, SO_RCVBUF, receive_bytes) == 0)
		return;
	getsockopt(afpacket->fd, SOL_SOCKET, SO_RCVBUF, &granted, &size);
	if ((uint32_t)granted / 2 < receive_bytes) /* the kernel tells twice what it was given */
		log_warning(afpacket->log,
			"uplink %s has a receive buffer of %d KiB, %u KiB were asked for: bursts "
			"may be lost; raise net.core.rmem_max",
			afpacket->name, granted / 2048, receive_bytes / 1024);
}

static int bind_last(struct afpacket *afpacket, int ifindex)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = ifindex,
	};

	afpacket->to4 = afpacket->to6 = address;
	afpacket->to4.sll_protocol = htons(ETH_P_IP);
	afpacket->to6.sll_protocol = htons(ETH_P_IPV6);
	return bind(afpacket->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno
											  : 0;
}

static int configure(struct afpacket *afpacket, int ifindex, uint32_t receive_buffer_bytes,
	const struct port_claims *claims)
{
	static const int on = 1;
	int error = identify(afpacket, ifindex);

	if (error)
		return error;
	if (setsockopt(afpacket->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0) {
		error = -errno;
		log_error(afpacket->log,
			"the kernel's packet sockets have no virtio-net headers: %s",
			strerror(-error));
		return error;
	}
	/* Before 4.20 the filter alone drops our own frames, by their packet type. */
	setsockopt(afpacket->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	buffers_set(afpacket, receive_buffer_bytes);
	error = afpacket_claims_set(afpacket, claims);
	if (error)
		return error;
	error = bind_last(afpacket, ifindex);
	if (error)
		log_error(afpacket->log, "cannot listen on uplink %s: %s", afpacket->name,
			strerror(-error));
	return error;
}

int afpacket_open(const struct log *log, int ifindex, uint32_t receive_buffer_bytes,
	const struct port_claims *claims, struct afpacket **afpacket)
{
	struct afpacket *opened = calloc(1, sizeof(*opened));
	int error;

	if (!opened) {
		log_error(log, "out of memory for an uplink");
		return -ENOMEM;
	}
	*opened = (struct afpacket){
		.log = log,
		.segments = true,
		.udp_segments = true,
		.average_bytes = LINK_BURST_BYTES / 8,
	};
	opened->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (opened->fd < 0) {
		error = -errno;
		log_error(log, "cannot open a packet socket: %s; run as root or with CAP_NET_RAW",
			strerror(-error));
		goto free_opened;
	}
	error = configure(opened, ifindex, receive_buffer_bytes, claims);
	if (error)
		goto close_fd;
	*afpacket = opened;
	return 0;

close_fd:
	close(opened->fd);
free_opened:
	free(opened);
	return error;
}

void afpacket_close(struct afpacket *afpacket)
{
	close(afpacket->fd);
	free(afpacket);
}

int afpacket_fd(const struct afpacket *afpacket)
{
	return afpacket->fd;
}

void afpacket_mac_set(struct afpacket *afpacket, const uint8_t mac[6])
{
	memcpy(afpacket->mac, mac, sizeof(afpacket->mac));
}

uint32_t afpacket_lost(struct afpacket *afpacket)
{
	struct tpacket_stats statistics = {0};
	socklen_t size = sizeof(statistics);

	getsockopt(afpacket->fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size);
	return statistics.tp_drops;
}
