/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qemu: a unix socket that a VM of QEMU's connects to, so that neither of the two needs a
 * privilege.
 *
 * Stream (`-netdev stream`): a length before each frame.  We listen; one VM at a time is connected,
 * and when it has gone another may come, or the same after a reboot.  Frames are read many at once
 * into one buffer (framing.h) and copied from there, since the next one must not lie where the
 * headers of this one are going to grow.
 *
 * Datagrams (`-netdev dgram`): one frame each, read right to where it belongs.  Our socket has a
 * name, the VM's has one, too, and answers go to whoever is heard: from one VM, until nobody has
 * its socket any more.
 *
 * QEMU takes no offload on either: super-packets are cut, checksums completed.  What comes has its
 * checksum, which nothing on the way from memory to memory can have damaged; so segments are put
 * together again before the engine, without being summed.
 *
 * Writing.  A burst is one system call, with a vector of frames: packets where they lie, segments
 * in a buffer of ours.  A stream that takes only a part of a frame gets the rest of that first when
 * it has room again; whole frames that it has no room for are lost, as in any full queue.
 *
 * Polling.  The listening socket and the connection are in an epoll set whose descriptor is the
 * link's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "link/framing.h"
#include "link/link.h"
#include "link/segments.h"
#include "link/unix_socket.h"
#include "wire/gso.h"

#define ETHERNET     sizeof(struct ethernet_header)
#define FRAME_MOST   (ETHERNET + PACKET_BYTES_MAX)
#define PREFIX_BYTES (FRAMING_LENGTH_BYTES + ETHERNET) /* in front of the IP packet */
static_assert(PACKET_HEADROOM >= PREFIX_BYTES, "the headers fit before the packet");
static_assert(FRAMING_BYTES >= 2 * (FRAME_MOST + FRAMING_LENGTH_BYTES), "a frame finds room");

#define FRAMES_OUT        256 /* in one system call */
#define SEND_BUFFER_BYTES (4 * 1024 * 1024)

struct qemu {
	struct link link; /* its fd: the epoll set, or the socket for datagrams */
	const struct log *log;
	struct unix_socket socket;
	bool datagram;
	/* Stream. */
	int vm;                      /* the connection; -1: nobody is there */
	bool refused;                /* another one has been sent away, and the log says so */
	size_t rest_begin, rest_end; /* of a frame that was sent in part */
	uint8_t rest[FRAMING_LENGTH_BYTES + FRAME_MOST];
	struct framing framing;
	/* Datagrams. */
	struct sockaddr_un peer;
	socklen_t peer_bytes; /* 0: nobody has been heard */
	struct sockaddr_un sender[LINK_BURST];
	struct mmsghdr message[FRAMES_OUT];
	/* The burst on its way out. */
	unsigned count;
	size_t used; /* of `segments` */
	struct iovec vector[FRAMES_OUT];
	uint8_t segments[4 * PACKET_BYTES_MAX];
};

static struct qemu *qemu_of(struct link *link)
{
	return (struct qemu *)link;
}

/* ---- the connection ---- */

static void watch(const struct qemu *qemu, int operation, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	epoll_ctl(qemu->link.fd, operation, fd, &event);
}

static void vm_gone(struct qemu *qemu, const char *why)
{
	log_info(qemu->log, "%s: the machine is gone: %s", qemu->socket.address.sun_path, why);
	close(qemu->vm); /* which takes it out of the epoll set, too */
	qemu->vm = -1;
	qemu->rest_begin = qemu->rest_end = 0;
	framing_reset(&qemu->framing);
	qemu->link.away = true;
}

static void vm_welcome(struct qemu *qemu, int fd)
{
	const int bytes = SEND_BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	qemu->vm = fd;
	qemu->refused = false;
	qemu->link.away = false;
	watch(qemu, EPOLL_CTL_ADD, fd, EPOLLIN);
	log_info(qemu->log, "%s: a machine has connected", qemu->socket.address.sun_path);
}

static void vm_accept(struct qemu *qemu)
{
	const int fd = accept4(qemu->socket.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (qemu->vm < 0) {
		vm_welcome(qemu, fd);
		return;
	}
	close(fd);
	if (!qemu->refused)
		log_warning(qemu->log, "%s: a machine is connected, another one is refused",
			qemu->socket.address.sun_path);
	qemu->refused = true;
}

/* ---- reading ---- */

static void received(const struct link *link, struct packet *packet, size_t bytes)
{
	packet->length = (uint32_t)(bytes - ETHERNET);
	packet->offload = (struct offload){.flags = OFFLOAD_DATA_VALID};
	packet->in_zone = link->zone;
	packet->parsed = false;
}

/* Copy whole frames out of what has been read.  How many. */
static unsigned frames_take(struct qemu *qemu, struct packet *packets, unsigned max)
{
	unsigned count = 0;
	size_t total = 0;
	const uint8_t *frame;
	uint32_t length;

	while (count < max && total < LINK_BURST_BYTES) {
		const enum framing_result result =
			framing_next(&qemu->framing, FRAME_MOST, &frame, &length);

		if (result == FRAMING_BROKEN)
			vm_gone(qemu, "it sent a frame that is too long to be one");
		if (result != FRAMING_FRAME)
			break;
		if (length <= ETHERNET)
			continue; /* nothing in it */
		memcpy(packets[count].data - ETHERNET, frame, length);
		received(&qemu->link, &packets[count], length);
		total += length;
		count++;
	}
	return count;
}

/* More bytes of the stream; false where there are none. */
static bool stream_fill(struct qemu *qemu)
{
	size_t room;
	uint8_t *space = framing_space(&qemu->framing, &room);
	const ssize_t got = recv(qemu->vm, space, room, MSG_DONTWAIT);

	if (got > 0) {
		framing_add(&qemu->framing, (size_t)got);
		return true;
	}
	if (got == 0)
		vm_gone(qemu, "it has closed the connection");
	else if (errno != EAGAIN && errno != EINTR)
		vm_gone(qemu, strerror(errno));
	return false;
}

static void rest_send(struct qemu *qemu);

static int stream_read(struct link *link, struct packet *packets, unsigned max)
{
	struct qemu *qemu = qemu_of(link);
	unsigned count = frames_take(qemu, packets, max);

	if (qemu->rest_end != 0)
		rest_send(qemu);
	if (count == 0 && qemu->vm >= 0 && stream_fill(qemu))
		count = frames_take(qemu, packets, max);
	if (count == 0)
		vm_accept(qemu);
	link->more = framing_look(&qemu->framing, FRAME_MOST) != FRAMING_WAIT;
	return (int)count;
}

/* ---- writing ---- */

/* What is left of a frame, as far as it goes; what then is left is sent when there is room. */
static void rest_send(struct qemu *qemu)
{
	const ssize_t sent = send(qemu->vm, qemu->rest + qemu->rest_begin,
		qemu->rest_end - qemu->rest_begin, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		vm_gone(qemu, strerror(errno));
		return;
	}
	if (sent > 0)
		qemu->rest_begin += (size_t)sent;
	if (qemu->rest_begin < qemu->rest_end)
		return;
	qemu->rest_begin = qemu->rest_end = 0;
	watch(qemu, EPOLL_CTL_MOD, qemu->vm, EPOLLIN);
}

/* Keep what has not been sent of the frame that `sent` bytes end in. */
static void rest_keep(struct qemu *qemu, size_t sent)
{
	unsigned i = 0;

	for (; i < qemu->count && sent >= qemu->vector[i].iov_len; i++)
		sent -= qemu->vector[i].iov_len;
	if (i == qemu->count || sent == 0)
		return;
	qemu->rest_begin = 0;
	qemu->rest_end = qemu->vector[i].iov_len - sent;
	memcpy(qemu->rest, (const uint8_t *)qemu->vector[i].iov_base + sent, qemu->rest_end);
	watch(qemu, EPOLL_CTL_MOD, qemu->vm, EPOLLIN | EPOLLOUT);
}

static bool stream_flush(struct qemu *qemu)
{
	const struct msghdr message = {.msg_iov = qemu->vector, .msg_iovlen = qemu->count};
	size_t bytes = 0;

	if (qemu->vm < 0 || qemu->rest_end != 0)
		return false;
	for (unsigned i = 0; i < qemu->count; i++)
		bytes += qemu->vector[i].iov_len;
	const ssize_t sent = sendmsg(qemu->vm, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN && errno != EINTR)
		vm_gone(qemu, strerror(errno));
	if (sent > 0)
		rest_keep(qemu, (size_t)sent);
	return sent == (ssize_t)bytes;
}

static bool datagram_flush(struct qemu *qemu)
{
	if (qemu->peer_bytes == 0)
		return false;
	for (unsigned i = 0; i < qemu->count; i++)
		qemu->message[i].msg_hdr = (struct msghdr){
			.msg_name = &qemu->peer,
			.msg_namelen = qemu->peer_bytes,
			.msg_iov = &qemu->vector[i],
			.msg_iovlen = 1,
		};
	const int sent = sendmmsg(qemu->link.fd, qemu->message, qemu->count, MSG_DONTWAIT);
	if (sent < 0 && (errno == ECONNREFUSED || errno == ENOENT)) {
		log_info(qemu->log, "%s: the machine is gone", qemu->socket.address.sun_path);
		qemu->peer_bytes = 0;
		qemu->link.away = true;
	}
	return sent == (int)qemu->count;
}

/* Send the burst that was gathered; false where not all of it went. */
static bool burst_flush(struct qemu *qemu)
{
	const bool sent =
		qemu->count == 0 || (qemu->datagram ? datagram_flush(qemu) : stream_flush(qemu));

	qemu->count = 0;
	qemu->used = 0;
	return sent;
}

static void frame_add(struct qemu *qemu, const struct packet *packet)
{
	const uint32_t length = ETHERNET + packet->length;
	uint8_t *start = packet->data - ETHERNET;

	if (!qemu->datagram) {
		start -= FRAMING_LENGTH_BYTES;
		framing_prefix(start, length);
	}
	qemu->vector[qemu->count++] =
		(struct iovec){start, (size_t)(packet->data - start) + packet->length};
}

static bool segments_add(struct qemu *qemu, struct packet *packet)
{
	bool sent = true;

	if (!packet->parsed && !packet_parse(packet))
		return false;
	const uint32_t count = gso_segment_count(packet);
	const size_t most = PREFIX_BYTES + packet->headers.payload + packet->offload.gso_size;
	for (uint32_t i = 0; i < count; i++) {
		if (qemu->count == FRAMES_OUT || sizeof(qemu->segments) - qemu->used < most)
			sent &= burst_flush(qemu);
		struct packet segment = {
			.data = qemu->segments + qemu->used + PREFIX_BYTES,
			.capacity = (uint32_t)(most - PREFIX_BYTES),
		};
		gso_segment(packet, i, &segment);
		memcpy(segment.data - ETHERNET, packet->data - ETHERNET, ETHERNET);
		frame_add(qemu, &segment);
		qemu->used += PREFIX_BYTES + segment.length;
	}
	return sent;
}

static int qemu_write(struct link *link, struct packet *const *packets, unsigned count)
{
	struct qemu *qemu = qemu_of(link);
	bool sent = true;

	if (link->away)
		return 0;
	if (qemu->rest_end != 0)
		rest_send(qemu);
	for (unsigned i = 0; i < count; i++) {
		if (packets[i]->offload.gso_type != OFFLOAD_GSO_NONE) {
			sent &= segments_add(qemu, packets[i]);
			continue;
		}
		if (qemu->count == FRAMES_OUT)
			sent &= burst_flush(qemu);
		gso_complete_checksum(packets[i]);
		frame_add(qemu, packets[i]);
	}
	sent &= burst_flush(qemu);
	/* Which packets a full queue has swallowed does not matter; that it has, does. */
	return sent ? (int)count : (int)count - 1;
}

/* ---- datagrams ---- */

/* Is a frame from the machine that we speak with, or from the one that takes its place? */
static bool is_from_vm(struct qemu *qemu, const struct sockaddr_un *sender, socklen_t bytes)
{
	if (bytes <= offsetof(struct sockaddr_un, sun_path))
		return false; /* it has no name: there is no answering it */
	if (bytes > sizeof(*sender))
		bytes = sizeof(*sender); /* the kernel counts a NUL behind the longest name */
	if (bytes == qemu->peer_bytes && memcmp(sender, &qemu->peer, bytes) == 0)
		return true;
	if (qemu->peer_bytes != 0 &&
		unix_socket_is_alive(&qemu->peer, qemu->peer_bytes, SOCK_DGRAM))
		return false;
	memcpy(&qemu->peer, sender, bytes);
	qemu->peer_bytes = bytes;
	qemu->link.away = false;
	log_info(qemu->log, "%s: the machine at %.*s is there", qemu->socket.address.sun_path,
		(int)(bytes - offsetof(struct sockaddr_un, sun_path)), sender->sun_path);
	return true;
}

static int datagram_receive(struct qemu *qemu, struct packet *packets, unsigned max)
{
	for (unsigned i = 0; i < max; i++) {
		qemu->vector[i] =
			(struct iovec){packets[i].data - ETHERNET, packets[i].capacity + ETHERNET};
		qemu->message[i].msg_hdr = (struct msghdr){
			.msg_name = &qemu->sender[i],
			.msg_namelen = sizeof(qemu->sender[i]),
			.msg_iov = &qemu->vector[i],
			.msg_iovlen = 1,
		};
	}
	return recvmmsg(qemu->link.fd, qemu->message, max, MSG_DONTWAIT, NULL);
}

static int datagram_read(struct link *link, struct packet *packets, unsigned max)
{
	struct qemu *qemu = qemu_of(link);
	const int heard = datagram_receive(qemu, packets, max < LINK_BURST ? max : LINK_BURST);
	unsigned count = 0;

	for (int i = 0; i < heard; i++) {
		const struct msghdr *message = &qemu->message[i].msg_hdr;

		if (qemu->message[i].msg_len <= ETHERNET || message->msg_flags & MSG_TRUNC ||
			!is_from_vm(qemu, message->msg_name, message->msg_namelen))
			continue;
		const struct packet other = packets[count];
		packets[count] = packets[i];
		packets[i] = other;
		received(link, &packets[count], qemu->message[i].msg_len);
		count++;
	}
	/* What was not for us must not look like the end of what there is. */
	link->more = heard == (int)max && count < max;
	return (int)count;
}

/* ---- life ---- */

static void qemu_close(struct link *link)
{
	struct qemu *qemu = qemu_of(link);

	if (qemu->vm >= 0)
		close(qemu->vm);
	unix_socket_close(&qemu->socket);
	if (!qemu->datagram)
		close(link->fd);
	free(qemu);
}

static const struct link_ops stream_ops = {
	.read = stream_read,
	.write = qemu_write,
	.close = qemu_close,
};
static const struct link_ops datagram_ops = {
	.read = datagram_read,
	.write = qemu_write,
	.close = qemu_close,
};

static int poll_open(struct qemu *qemu)
{
	if (qemu->datagram) {
		const int bytes = SEND_BUFFER_BYTES;

		setsockopt(qemu->socket.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
		qemu->link.fd = qemu->socket.fd;
		return 0;
	}
	qemu->link.fd = epoll_create1(EPOLL_CLOEXEC);
	if (qemu->link.fd < 0)
		return -errno;
	watch(qemu, EPOLL_CTL_ADD, qemu->socket.fd, EPOLLIN);
	return 0;
}

int link_qemu_open(const struct log *log, const struct link_settings *settings, struct link **link)
{
	struct qemu *qemu = calloc(1, sizeof(*qemu));
	const int type = settings->datagram ? SOCK_DGRAM : SOCK_STREAM;

	if (!qemu)
		return -ENOMEM;
	qemu->log = log;
	qemu->datagram = settings->datagram;
	qemu->vm = -1;
	qemu->link = (struct link){
		.ops = settings->datagram ? &datagram_ops : &stream_ops,
		.kind = "qemu",
		.zone = settings->zone,
		.mtu = settings->mtu,
		.l2_bytes = ETHERNET,
		.burst = 1,
		.merge = true,
		.away = true,
		.outlives_errors = true,
	};
	int error = unix_socket_open(
		log, settings->socket, type, settings->owner, settings->owner_group, &qemu->socket);
	if (error)
		goto free_qemu;
	error = poll_open(qemu);
	if (error) {
		log_error(log, "cannot poll %s: %s", settings->socket, strerror(-error));
		goto close_socket;
	}
	*link = &qemu->link;
	return 0;

close_socket:
	unix_socket_close(&qemu->socket);
free_qemu:
	free(qemu);
	return error;
}
