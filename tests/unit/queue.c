/* SPDX-License-Identifier: BSD-2-Clause */
/* queue: bytes leave in the order in which they came, however little the socket takes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "control/queue.h"

/* The n-th byte of the stream. */
static char byte_at(size_t n)
{
	return (char)(n * 7 + (n >> 8));
}

static void append(struct control_queue *queue, size_t *appended, size_t length)
{
	char *bytes = malloc(length);

	for (size_t i = 0; i < length; i++)
		bytes[i] = byte_at(*appended + i);
	cr_assert(control_queue_append(queue, bytes, length));
	*appended += length;
	free(bytes);
}

/* Read up to `size` bytes and compare them. */
static void receive(int fd, size_t *received, size_t size)
{
	static char bytes[65536];
	const ssize_t got = recv(fd, bytes, size, MSG_DONTWAIT);

	for (ssize_t i = 0; i < got; i++, ++*received)
		cr_assert_eq(bytes[i], byte_at(*received), "byte %zu", *received);
}

Test(queue, order_is_kept)
{
	struct control_queue queue = {0};
	size_t appended = 0, received = 0;
	const int small = 4096;
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	for (unsigned i = 0; i < 3000; i++) {
		append(&queue, &appended, 1 + i * 31 % 700);
		cr_assert_eq(control_queue_send(&queue, ends[0]), 0);
		receive(ends[1], &received, 1 + i * 17 % 500);
		cr_assert_leq(received + control_queue_length(&queue), appended);
	}
	while (received < appended) {
		cr_assert_eq(control_queue_send(&queue, ends[0]), 0);
		receive(ends[1], &received, 65536);
	}
	cr_expect_eq(control_queue_length(&queue), 0);
	cr_expect_null(queue.bytes, "an empty queue keeps memory");
	close(ends[0]);
	close(ends[1]);
}

Test(queue, a_peer_that_is_gone_is_told)
{
	struct control_queue queue = {0};
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	close(ends[1]);
	cr_expect_eq(control_queue_send(&queue, ends[0]), 0, "there is nothing to send");
	cr_assert(control_queue_append(&queue, "x", 1));
	cr_expect_eq(control_queue_send(&queue, ends[0]), -EPIPE);
	control_queue_free(&queue);
	close(ends[0]);
}
