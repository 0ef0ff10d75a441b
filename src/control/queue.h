/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue: bytes on their way out of a non-blocking socket.
 */
#ifndef TUNGATE_CONTROL_QUEUE_H
#define TUNGATE_CONTROL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

/* All zero: empty. */
struct control_queue {
	char *bytes;
	size_t start, end, size;
};

static inline size_t control_queue_length(const struct control_queue *queue)
{
	return queue->end - queue->start;
}

/* Append; false when out of memory, the queue is then as before. */
bool control_queue_append(struct control_queue *queue, const char *bytes, size_t length);
/* Send what the socket takes.  0, or -errno when the peer is gone. */
int control_queue_send(struct control_queue *queue, int fd);
void control_queue_free(struct control_queue *queue);

#endif
