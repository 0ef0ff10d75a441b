/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segments: write a super-packet piece by piece where the other side does not take it whole.
 */
#include <errno.h>
#include <string.h>
#include "link/segments.h"
#include "wire/gso.h"

int segments_write(struct segments *segments, struct packet *packet, unsigned l2_bytes,
	segment_writer *write, void *context)
{
	struct packet segment = {
		.data = segments->bytes + PACKET_HEADROOM,
		.capacity = PACKET_BYTES_MAX,
	};
	int result = 0;

	if (!packet->parsed && !packet_parse(packet))
		return -EINVAL;
	memcpy(segment.data - l2_bytes, packet->data - l2_bytes, l2_bytes);
	const uint32_t count = gso_segment_count(packet);
	for (uint32_t i = 0; i < count; i++) {
		gso_segment(packet, i, &segment);
		const int error = write(context, &segment);
		if (error && !result)
			result = error;
	}
	return result;
}
