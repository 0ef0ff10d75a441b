/* SPDX-License-Identifier: BSD-2-Clause */
/* trace: packets as a pcap file in memory. */
#include "trace.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "packets.h"
#include "wire/headers.h"

#define TYPE_IPV4      0x0800
#define TYPE_IPV6      0x86dd
#define SNAPSHOT_BYTES 65535

static const uint8_t gateway_mac[6] = {0x02, 0x74, 0x67, 0x01, 0, 0};

static void set_zone_mac(uint8_t mac[6], zone_id zone)
{
	const uint8_t bytes[] = {0x02, 0x74, 0x67, 0, (uint8_t)(zone >> 8), (uint8_t)zone};

	memcpy(mac, bytes, sizeof(bytes));
}

void trace_begin(struct trace *trace)
{
	*trace = (struct trace){.pcap = pcap_open_dead(DLT_EN10MB, SNAPSHOT_BYTES)};
	trace->stream = open_memstream(&trace->bytes, &trace->length);
	if (trace->pcap == NULL || trace->stream == NULL)
		abort();
	trace->dumper = pcap_dump_fopen(trace->pcap, trace->stream);
	if (trace->dumper == NULL)
		abort();
}

void trace_add(struct trace *trace, uint64_t time_ms, zone_id zone, enum trace_way way,
	const struct packet *packet)
{
	uint8_t frame[SNAPSHOT_BYTES];
	struct ethernet_header *ethernet = (void *)frame;
	const uint32_t length = (uint32_t)sizeof(*ethernet) + packet->length;
	const struct pcap_pkthdr header = {
		.ts = {.tv_sec = (time_t)(time_ms / 1000),
			.tv_usec = (long)(time_ms % 1000) * 1000},
		.caplen = length,
		.len = length,
	};

	if (length > sizeof(frame))
		abort();
	set_zone_mac(way == TRACE_TO_GATEWAY ? ethernet->source : ethernet->destination, zone);
	memcpy(way == TRACE_TO_GATEWAY ? ethernet->destination : ethernet->source, gateway_mac, 6);
	ethernet->type = htons(packet->data[0] >> 4 == 4 ? TYPE_IPV4 : TYPE_IPV6);
	memcpy(ethernet + 1, packet->data, packet->length);
	pcap_dump((u_char *)trace->dumper, &header, frame);
}

void trace_finish(struct trace *trace)
{
	pcap_dump_close(trace->dumper); /* closes the stream too */
	pcap_close(trace->pcap);
}

void trace_free(struct trace *trace)
{
	free(trace->bytes);
}

struct packet *trace_next(pcap_t *pcap, uint64_t *time_ms)
{
	struct pcap_pkthdr *header;
	const u_char *frame;

	if (pcap_next_ex(pcap, &header, &frame) != 1 ||
		header->caplen < sizeof(struct ethernet_header))
		return NULL;
	const struct ethernet_header *ethernet = (const void *)frame;
	const uint32_t length = header->caplen - (uint32_t)sizeof(*ethernet);
	const bool inwards = memcmp(ethernet->destination, gateway_mac, 6) == 0;
	const uint8_t *mac = inwards ? ethernet->source : ethernet->destination;

	struct packet *packet = packet_from_bytes(ethernet + 1, length, length);
	packet->in_zone = (zone_id)(mac[4] << 8 | mac[5]);
	*time_ms = (uint64_t)header->ts.tv_sec * 1000 + (uint64_t)header->ts.tv_usec / 1000;
	return packet;
}
