/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * afpacket: the uplink: frames between us and the next hops.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "link/afpacket.h"
#include "link/frames.h"
#include "wire/headers.h"

struct afpacket {
	const struct log *log;
	char name[IFNAMSIZ];
	uint8_t mac[6];
	struct frames frames;
};

int afpacket_read(struct afpacket *afpacket, struct packet *packets, unsigned max)
{
	return frames_read(&afpacket->frames, packets, max, ZONE_UPLINK);
}

/* The first nibble of an IP packet is its version. */
static void ethernet_fill(
	const struct afpacket *afpacket, struct packet *packet, const struct next_hop *hop)
{
	struct ethernet_header *ethernet = (struct ethernet_header *)(packet->data - ETH_HLEN);

	memcpy(ethernet->destination, hop->mac, sizeof(hop->mac));
	memcpy(ethernet->source, afpacket->mac, sizeof(afpacket->mac));
	ethernet->type = htons(packet->data[0] >> 4 == 4 ? ETH_P_IP : ETH_P_IPV6);
}

int afpacket_write(struct afpacket *afpacket, struct packet *const *packets,
	const struct next_hop *const *hops, unsigned count)
{
	for (unsigned i = 0; i < count && afpacket->frames.l2_bytes; i++)
		ethernet_fill(afpacket, packets[i], hops[i]);
	return frames_write(&afpacket->frames, packets, count);
}

/* ---- opening ---- */

int afpacket_claims_set(struct afpacket *afpacket, const struct port_claims *claims)
{
	struct sock_filter *code = calloc(BPF_MAXINSNS, sizeof(*code));
	int length = -ENOMEM;

	if (code)
		length = claims_program(claims, CLAIMS_SOCKET, afpacket->frames.l2_bytes, code);
	if (length > 0) {
		const int error = frames_filter(&afpacket->frames, code, (unsigned)length);

		length = error ? error : length;
	}
	free(code);
	if (length == -ENOMEM || length == -E2BIG)
		log_error(afpacket->log,
			"the filter of uplink %s does not fit the kernel: publish fewer, larger "
			"port ranges, or raise net.core.optmem_max",
			afpacket->name);
	else if (length < 0)
		log_error(afpacket->log, "cannot attach the filter of uplink %s: %s",
			afpacket->name, strerror(-length));
	return length < 0 ? length : 0;
}

/* What kind of link layer the interface has.  0 or -errno, logged. */
static int identify(struct afpacket *afpacket, int ifindex)
{
	struct ifreq request = {.ifr_ifindex = ifindex};

	if (ioctl(afpacket->frames.fd, SIOCGIFNAME, &request) < 0) {
		log_error(afpacket->log, "there is no interface with index %d any more", ifindex);
		return -ENODEV;
	}
	memcpy(afpacket->name, request.ifr_name, sizeof(afpacket->name));
	if (ioctl(afpacket->frames.fd, SIOCGIFHWADDR, &request) < 0) {
		const int error = -errno;

		log_error(afpacket->log, "cannot ask for the MAC address of %s: %s", afpacket->name,
			strerror(-error));
		return error;
	}
	const int l2_bytes = claims_l2_bytes(request.ifr_hwaddr.sa_family);
	if (l2_bytes < 0) {
		log_error(afpacket->log,
			"%s cannot be an uplink: it has neither Ethernet nor plain IP frames (link "
			"type %d); name another interface by `uplink =`",
			afpacket->name, request.ifr_hwaddr.sa_family);
		return l2_bytes;
	}
	afpacket->frames.l2_bytes = (uint16_t)l2_bytes;
	memcpy(afpacket->mac, request.ifr_hwaddr.sa_data, sizeof(afpacket->mac));
	return 0;
}

static int configure(struct afpacket *afpacket, int ifindex, uint32_t receive_buffer_bytes,
	const struct port_claims *claims)
{
	char name[IFNAMSIZ + sizeof("uplink ")];
	int error = identify(afpacket, ifindex);

	if (error)
		return error;
	snprintf(name, sizeof(name), "uplink %s", afpacket->name);
	error = frames_tune(&afpacket->frames, afpacket->log, name, receive_buffer_bytes);
	if (error)
		return error;
	error = afpacket_claims_set(afpacket, claims);
	if (error)
		return error;
	error = frames_bind(&afpacket->frames, ifindex);
	if (error)
		log_error(afpacket->log, "cannot listen on uplink %s: %s", afpacket->name,
			strerror(-error));
	return error;
}

int afpacket_open(const struct log *log, int ifindex, uint32_t receive_buffer_bytes,
	const struct port_claims *claims, struct afpacket **afpacket)
{
	struct afpacket *opened = calloc(1, sizeof(*opened));
	int error;

	if (!opened) {
		log_error(log, "out of memory for an uplink");
		return -ENOMEM;
	}
	opened->log = log;
	error = frames_open(&opened->frames);
	if (error) {
		log_error(log, "cannot open a packet socket: %s; run as root or with CAP_NET_RAW",
			strerror(-error));
		goto free_opened;
	}
	error = configure(opened, ifindex, receive_buffer_bytes, claims);
	if (error)
		goto close_fd;
	*afpacket = opened;
	return 0;

close_fd:
	frames_close(&opened->frames);
free_opened:
	free(opened);
	return error;
}

void afpacket_close(struct afpacket *afpacket)
{
	frames_close(&afpacket->frames);
	free(afpacket);
}

int afpacket_fd(const struct afpacket *afpacket)
{
	return afpacket->frames.fd;
}

void afpacket_mac_set(struct afpacket *afpacket, const uint8_t mac[6])
{
	memcpy(afpacket->mac, mac, sizeof(afpacket->mac));
}

uint32_t afpacket_lost(struct afpacket *afpacket)
{
	struct tpacket_stats statistics = {0};
	socklen_t size = sizeof(statistics);

	getsockopt(afpacket->frames.fd, SOL_PACKET, PACKET_STATISTICS, &statistics, &size);
	return statistics.tp_drops;
}
