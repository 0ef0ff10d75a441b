/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * neighbours: any bytes are an ARP or neighbour message or none, and what is one has an answer that
 * is one, too.  The first byte chooses; a checksum is put right, as chance does not find it.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/cksum.h"
#include "wire/arp.h"
#include "wire/ndp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

static void arp_try(const uint8_t *bytes, size_t length)
{
	uint8_t out[ARP_BYTES];
	struct arp arp, again;

	if (!arp_parse(bytes, length, &arp))
		return;
	arp_build(&arp, out);
	assert(memcmp(out, bytes, sizeof(out)) == 0);
	const struct arp reply = arp_reply(&arp, mac);
	arp_build(&reply, out);
	assert(arp_parse(out, sizeof(out), &again));
	assert(addr_equal(&again.target, &arp.sender));
}

static void ndp_repair(uint8_t *bytes, size_t length)
{
	struct ipv6_header *ip = (struct ipv6_header *)bytes;
	struct ndp_header *header = (struct ndp_header *)(ip + 1);
	union addr source = {0}, destination = {0};

	if (length < sizeof(*ip) + sizeof(*header))
		return;
	const size_t payload = ntohs(ip->payload_length);
	if (payload < sizeof(*header) || payload > length - sizeof(*ip))
		return;
	memcpy(source.bytes, ip->source, sizeof(ip->source));
	memcpy(destination.bytes, ip->destination, sizeof(ip->destination));
	header->checksum = 0;
	const uint64_t pseudo =
		cksum_pseudo(AF_INET6, &source, &destination, IPPROTO_ICMPV6, (uint32_t)payload);
	header->checksum = (be16)~cksum_fold(cksum_add(header, payload, pseudo));
}

static void ndp_try(uint8_t *bytes, size_t length)
{
	uint8_t out[NDP_BYTES];
	struct ndp ndp, again;

	ndp_repair(bytes, length);
	if (!ndp_parse(bytes, length, &ndp))
		return;
	assert(ndp_parse(out, ndp_build(&ndp, out), &again));
	if (ndp.type != ICMP6_NEIGHBOUR_SOLICITATION)
		return;
	const struct ndp answer = ndp_answer(&ndp, mac, NDP_ROUTER);
	assert(ndp_parse(out, ndp_build(&answer, out), &again));
	assert(addr_equal(&again.target, &ndp.target));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	uint8_t *bytes = malloc(size);
	if (bytes == NULL)
		return 0;
	memcpy(bytes, data + 1, size - 1);
	if (data[0] & 1)
		arp_try(bytes, size - 1);
	else
		ndp_try(bytes, size - 1);
	free(bytes);
	return 0;
}
