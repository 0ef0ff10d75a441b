/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * frames: bursts of frames through a packet socket.
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
 * a super-packet that the kernel calls invalid (before 6.2: all of UDP), sent again in segments;
 * then it goes on behind it.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "link/frames.h"
#include "wire/vnet.h"

#define VNET_BYTES sizeof(struct vnet_header)
static_assert(PACKET_HEADROOM >= sizeof(struct vnet_header) + sizeof(struct ethernet_header),
	"the frame's headers fit before the packet");

/* Receive errors in a row (packets that no virtio-net header describes, such as GSO SCTP) before
 * we leave the rest for the next turn. */
#define READ_ERRORS_MAX 8
/* What our frames may hold in queues of the kernel's: a full one must be the device's, not ours. */
#define SEND_BUFFER_BYTES (32 * 1024 * 1024)

/* ---- reading ---- */

static unsigned portion(const struct frames *frames, size_t bytes_left, unsigned packets_left)
{
	const size_t fitting = bytes_left / frames->average_bytes + 1;

	if (packets_left > LINK_BURST)
		packets_left = LINK_BURST;
	return fitting < packets_left ? (unsigned)fitting : packets_left;
}

/* Ask for up to `count` frames.  How many came, or -errno. */
static int receive(struct frames *frames, struct packet *packets, unsigned count)
{
	const size_t head = VNET_BYTES + frames->l2_bytes;

	for (unsigned i = 0; i < count; i++) {
		frames->vector[i].iov_base = packets[i].data - head;
		frames->vector[i].iov_len = packets[i].capacity + head;
		frames->message[i].msg_hdr = (struct msghdr){
			.msg_iov = &frames->vector[i],
			.msg_iovlen = 1,
		};
	}
	const int received = recvmmsg(frames->fd, frames->message, count, MSG_DONTWAIT, NULL);
	return received < 0 ? -errno : received;
}

/* Whether message `i` is a whole frame; fills the packet if so. */
static bool accept_frame(
	const struct frames *frames, unsigned i, zone_id zone, struct packet *packet)
{
	const size_t head = VNET_BYTES + frames->l2_bytes;
	const size_t bytes = frames->message[i].msg_len;

	if (bytes <= head || frames->message[i].msg_hdr.msg_flags & MSG_TRUNC)
		return false;
	vnet_decode((const struct vnet_header *)(packet->data - head), frames->l2_bytes,
		&packet->offload);
	packet->length = (uint32_t)(bytes - head);
	packet->in_zone = zone;
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
static unsigned accept_frames(const struct frames *frames, struct packet *packets,
	unsigned received, zone_id zone, size_t *bytes)
{
	unsigned count = 0;

	for (unsigned i = 0; i < received; i++) {
		*bytes += frames->message[i].msg_len;
		if (!accept_frame(frames, i, zone, &packets[i]))
			continue;
		if (i != count)
			swap_buffers(&packets[count], &packets[i]);
		count++;
	}
	return count;
}

int frames_read(struct frames *frames, struct packet *packets, unsigned max, zone_id zone)
{
	unsigned count = 0, heard = 0, errors = 0;
	size_t bytes = 0;

	while (count < max && bytes < LINK_BURST_BYTES && errors < READ_ERRORS_MAX) {
		const unsigned asked = portion(frames, LINK_BURST_BYTES - bytes, max - count);
		const int received = receive(frames, packets + count, asked);

		if (received == -ENETDOWN || received == -ENODEV || received == -ENXIO)
			return count ? (int)count : -ENETDOWN;
		if (received == -EAGAIN)
			break;
		if (received < 0) {
			errors++;
			continue;
		}
		count += accept_frames(frames, packets + count, (unsigned)received, zone, &bytes);
		heard += (unsigned)received;
		if ((unsigned)received < asked)
			break;
	}
	if (heard > 0)
		frames->average_bytes = (uint32_t)(bytes / heard) + 1;
	return (int)count;
}

/* ---- writing ---- */

/* The first nibble of an IP packet is its version. */
static const struct sockaddr_ll *address_of(
	const struct frames *frames, const struct packet *packet)
{
	return packet->data[0] >> 4 == 4 ? &frames->to4 : &frames->to6;
}

/* Put the virtio-net header in front and describe the frame to sendmsg(2). */
static void frame_fill(const struct frames *frames, struct packet *packet, struct iovec *vector,
	struct msghdr *message)
{
	const size_t head = VNET_BYTES + frames->l2_bytes;

	*vector = (struct iovec){packet->data - head, packet->length + head};
	*message = (struct msghdr){.msg_iov = vector, .msg_iovlen = 1};
	vnet_encode(&packet->offload, frames->l2_bytes, vector->iov_base);
	if (frames->l2_bytes == 0) {
		message->msg_name = (void *)address_of(frames, packet);
		message->msg_namelen = sizeof(frames->to4);
	}
}

static int segment_send(void *context, struct packet *segment)
{
	const struct frames *frames = context;
	struct msghdr message;
	struct iovec vector;

	frame_fill(frames, segment, &vector, &message);
	return sendmsg(frames->fd, &message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

static int send_segments(struct frames *frames, struct packet *packet)
{
	return segments_write(&frames->scratch, packet, frames->l2_bytes, segment_send, frames);
}

static bool goes_whole(const struct frames *frames, const struct packet *packet)
{
	if (packet->offload.gso_type == OFFLOAD_GSO_NONE)
		return true;
	return segments_are_tcp(packet->offload.gso_type) ? frames->segments : frames->udp_segments;
}

/* The kernel refused a frame.  How many packets (0 or 1) went out after all. */
static unsigned send_again(struct frames *frames, struct packet *packet, int error)
{
	const uint8_t gso_type = packet->offload.gso_type;

	if (error != EINVAL || gso_type == OFFLOAD_GSO_NONE || send_segments(frames, packet) != 0)
		return 0;
	if (segments_are_tcp(gso_type))
		frames->segments = false;
	else
		frames->udp_segments = false;
	return 1;
}

/* Send the first `count` messages.  How many packets went out, or -ENETDOWN. */
static int send_messages(struct frames *frames, struct packet *const *packets, unsigned count)
{
	unsigned done = 0, taken = 0;

	while (done < count) {
		const int sent =
			sendmmsg(frames->fd, frames->message + done, count - done, MSG_DONTWAIT);

		if (sent > 0) {
			taken += (unsigned)sent;
			done += (unsigned)sent;
			continue;
		}
		if (errno == ENETDOWN || errno == ENODEV || errno == ENXIO)
			return -ENETDOWN;
		if (errno == EAGAIN)
			break; /* the send buffer is full, for those behind as well */
		taken += send_again(frames, packets[done], errno);
		done++;
	}
	return (int)taken;
}

/* Make messages of the packets up to the first that has to be cut.  How many. */
static unsigned fill_messages(struct frames *frames, struct packet *const *packets, unsigned count)
{
	unsigned filled = 0;

	while (filled < count && filled < LINK_BURST && goes_whole(frames, packets[filled])) {
		frame_fill(frames, packets[filled], &frames->vector[filled],
			&frames->message[filled].msg_hdr);
		filled++;
	}
	return filled;
}

int frames_write(struct frames *frames, struct packet *const *packets, unsigned count)
{
	unsigned done = 0;
	int taken = 0;

	while (done < count) {
		const unsigned filled = fill_messages(frames, packets + done, count - done);

		if (filled == 0) {
			taken += send_segments(frames, packets[done]) == 0;
			done++;
			continue;
		}
		const int sent = send_messages(frames, packets + done, filled);
		if (sent < 0)
			return sent;
		taken += sent;
		done += filled;
	}
	return taken;
}

/* ---- opening ---- */

static int buffer_set(int fd, int force, int plain, uint32_t bytes)
{
	const int value = bytes > INT32_MAX / 2 ? INT32_MAX / 2 : (int)bytes;

	if (setsockopt(fd, SOL_SOCKET, force, &value, sizeof(value)) == 0)
		return 0;
	setsockopt(fd, SOL_SOCKET, plain, &value, sizeof(value));
	return -EPERM;
}

/* The default receive buffer holds four large packets: say so where the kernel allows no more. */
static void buffers_set(const struct frames *frames, const struct log *log, const char *name,
	uint32_t receive_bytes)
{
	int granted = 0;
	socklen_t size = sizeof(granted);

	buffer_set(frames->fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER_BYTES);
	if (buffer_set(frames->fd, SO_RCVBUFFORCE, SO_RCVBUF, receive_bytes) == 0)
		return;
	getsockopt(frames->fd, SOL_SOCKET, SO_RCVBUF, &granted, &size);
	if ((uint32_t)granted / 2 < receive_bytes) /* the kernel tells twice what it was given */
		log_warning(log,
			"%s has a receive buffer of %d KiB, %u KiB were asked for: bursts may be "
			"lost; raise net.core.rmem_max",
			name, granted / 2048, receive_bytes / 1024);
}

int frames_open(struct frames *frames)
{
	frames->segments = frames->udp_segments = true;
	frames->average_bytes = LINK_BURST_BYTES / 8;
	frames->fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return frames->fd < 0 ? -errno : 0;
}

int frames_tune(
	struct frames *frames, const struct log *log, const char *name, uint32_t receive_bytes)
{
	static const int on = 1;

	if (setsockopt(frames->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0) {
		const int error = -errno;

		log_error(log, "the kernel's packet sockets have no virtio-net headers: %s",
			strerror(-error));
		return error;
	}
	/* Before 4.20 the filter alone drops our own frames, by their packet type. */
	setsockopt(frames->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on));
	buffers_set(frames, log, name, receive_bytes);
	return 0;
}

int frames_filter(const struct frames *frames, struct sock_filter *code, unsigned length)
{
	const struct sock_fprog program = {.len = (unsigned short)length, .filter = code};

	return setsockopt(frames->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0
		       ? -errno
		       : 0;
}

int frames_bind(struct frames *frames, int ifindex)
{
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = ifindex,
	};

	frames->to4 = frames->to6 = address;
	frames->to4.sll_protocol = htons(ETH_P_IP);
	frames->to6.sll_protocol = htons(ETH_P_IPV6);
	return bind(frames->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno
											: 0;
}

void frames_close(const struct frames *frames)
{
	close(frames->fd);
}
