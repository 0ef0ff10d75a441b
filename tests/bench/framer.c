/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * framer: a virtual machine's network card without the machine: framer SOCKET DEVICE
 *
 * On one side a TAP, which the kernel of this namespace uses as its card; on the other the unix
 * socket of a gateway, as QEMU's `-netdev stream` uses it: each frame behind its length, 32 bits in
 * network order.  Like that card it has no offloads: frames are as long as the MTU at most and
 * their checksums complete.  So gateways can be compared, and not the emulator.
 *
 * A burst is what the source has, up to a buffer's size, and leaves in one send().  While that
 * waits for room in the socket, the TAP's queue is left to fill.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FRAME_MAX  (64 * 1024 + 14)
#define BURST_SIZE (256 * 1024)
#define HEAD_SIZE  sizeof(uint32_t)

struct burst {
	size_t start, end; /* of what has yet to go */
	unsigned char data[BURST_SIZE];
};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static int socket_open(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		die(path);
	strcpy(address.sun_path, path);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die(path);
	return fd;
}

static int tap_open(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || strlen(name) >= sizeof(request.ifr_name))
		die("/dev/net/tun");
	strcpy(request.ifr_name, name);
	if (ioctl(fd, TUNSETIFF, &request) != 0)
		die(name);
	return fd;
}

/* Frames from the TAP, each behind its length, until there are no more or no room. */
static void burst_read(int tap, struct burst *burst)
{
	burst->start = burst->end = 0;
	while (BURST_SIZE - burst->end >= HEAD_SIZE + FRAME_MAX) {
		unsigned char *head = burst->data + burst->end;
		ssize_t size = read(tap, head + HEAD_SIZE, FRAME_MAX);
		uint32_t length;

		if (size < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (size < 0)
			die("read from the device");
		length = htonl((uint32_t)size);
		memcpy(head, &length, HEAD_SIZE);
		burst->end += HEAD_SIZE + (size_t)size;
	}
}

static void burst_send(int socket, struct burst *burst)
{
	ssize_t size = send(socket, burst->data + burst->start, burst->end - burst->start,
		MSG_DONTWAIT | MSG_NOSIGNAL);

	if (size >= 0)
		burst->start += (size_t)size;
	else if (errno != EAGAIN && errno != EINTR)
		die("send to the gateway");
}

/* What the socket has, behind the piece of a frame that is there already. */
static void burst_receive(int socket, struct burst *burst)
{
	ssize_t size;

	memmove(burst->data, burst->data + burst->start, burst->end - burst->start);
	burst->end -= burst->start;
	burst->start = 0;
	size = recv(socket, burst->data + burst->end, BURST_SIZE - burst->end, MSG_DONTWAIT);
	if (size == 0)
		exit(0);
	if (size > 0)
		burst->end += (size_t)size;
	else if (errno != EAGAIN && errno != EINTR)
		die("receive from the gateway");
}

/* Whole frames go to the TAP; one that it does not take is lost, as on any wire. */
static void burst_write(int tap, struct burst *burst)
{
	while (burst->end - burst->start >= HEAD_SIZE) {
		uint32_t length;

		memcpy(&length, burst->data + burst->start, HEAD_SIZE);
		length = ntohl(length);
		if (length > FRAME_MAX) {
			fputs("framer: a frame without end\n", stderr);
			exit(1);
		}
		if (burst->end - burst->start < HEAD_SIZE + length)
			return;
		if (write(tap, burst->data + burst->start + HEAD_SIZE, length) < 0 &&
			errno != EAGAIN && errno != EIO && errno != EINVAL)
			die("write to the device");
		burst->start += HEAD_SIZE + length;
	}
}

int main(int argc, char **argv)
{
	static struct burst out, in;
	struct pollfd fds[2];

	if (argc != 3) {
		fputs("usage: framer SOCKET DEVICE\n", stderr);
		return 2;
	}
	fds[0].fd = tap_open(argv[2]);
	fds[1].fd = socket_open(argv[1]);
	for (;;) {
		bool waiting = out.start < out.end;

		fds[0].events = waiting ? 0 : POLLIN;
		fds[1].events = (short)(POLLIN | (waiting ? POLLOUT : 0));
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[0].revents & POLLIN)
			burst_read(fds[0].fd, &out);
		if (out.start < out.end)
			burst_send(fds[1].fd, &out);
		if (fds[1].revents) {
			burst_receive(fds[1].fd, &in);
			burst_write(fds[0].fd, &in);
		}
	}
}
