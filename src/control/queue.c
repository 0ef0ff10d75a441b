/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue: bytes on their way out of a non-blocking socket.
 *
 * One block of memory that grows as needed; what was sent leaves a hole at its start, which is
 * closed only when the block would have to grow, and the block is given back once all is sent.
 */
#include "control/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define QUEUE_BYTES_MIN 4096

static bool queue_reserve(struct control_queue *queue, size_t length)
{
	const size_t held = control_queue_length(queue);

	if (queue->size - queue->end >= length)
		return true;
	if (queue->start > 0) {
		memmove(queue->bytes, queue->bytes + queue->start, held);
		queue->start = 0;
		queue->end = held;
	}
	size_t size = queue->size ? queue->size : QUEUE_BYTES_MIN;
	while (size - held < length)
		size *= 2;
	if (size == queue->size)
		return true;
	char *bytes = realloc(queue->bytes, size);
	if (!bytes)
		return false;
	queue->bytes = bytes;
	queue->size = size;
	return true;
}

bool control_queue_append(struct control_queue *queue, const char *bytes, size_t length)
{
	if (!queue_reserve(queue, length))
		return false;
	memcpy(queue->bytes + queue->end, bytes, length);
	queue->end += length;
	return true;
}

int control_queue_send(struct control_queue *queue, int fd)
{
	while (control_queue_length(queue) > 0) {
		const ssize_t sent = send(fd, queue->bytes + queue->start,
			control_queue_length(queue), MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		queue->start += (size_t)sent;
	}
	control_queue_free(queue);
	return 0;
}

void control_queue_free(struct control_queue *queue)
{
	free(queue->bytes);
	*queue = (struct control_queue){0};
}
