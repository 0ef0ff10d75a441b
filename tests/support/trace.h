/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace: packets with time and zone, as a pcap file in memory.
 *
 * The Ethernet addresses tell the zone: 02:74:67:00:HH:LL is the far end of zone HHLL (ff:ff: the
 * uplink), 02:74:67:01:00:00 the gateway.  So any tool that reads pcap files shows who sent what.
 */
#ifndef TUNGATE_TESTS_TRACE_H
#define TUNGATE_TESTS_TRACE_H

#include <pcap/pcap.h>
#include <stdio.h>
#include "tungate/packet.h"

/* A trace that is being written. */
struct trace {
	FILE *stream;
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	char *bytes; /* the whole file, after trace_finish() */
	size_t length;
};

enum trace_way { TRACE_TO_GATEWAY, TRACE_FROM_GATEWAY };

void trace_begin(struct trace *trace);
void trace_add(struct trace *trace, uint64_t time_ms, zone_id zone, enum trace_way way,
	const struct packet *packet);
void trace_finish(struct trace *trace);
void trace_free(struct trace *trace);

/* The next packet of a file opened with pcap_open_offline(), or NULL at its end: a new one, with
 * in_zone set from whichever address is not the gateway's. */
struct packet *trace_next(pcap_t *pcap, uint64_t *time_ms);

#endif
