/* SPDX-License-Identifier: BSD-2-Clause */
/* config_host: what a network's keys say about the host as a neighbour; a part of config.h. */
#ifndef TUNGATE_CONFIG_OF_HOST_H
#define TUNGATE_CONFIG_OF_HOST_H

#include <stdbool.h>
#include <stdint.h>
#include "base/addr.h"

/* `host-service`: what guests reach of the host, at the gateway's address. */
#define CONFIG_HOST_SERVICES_MAX 16 /* lines of a network */
struct host_service {
	struct port_list ports; /* at the gateway's address */
	uint8_t protocol;       /* IPPROTO_TCP or IPPROTO_UDP */
	bool proxy_protocol;    /* TCP: the program is told who the guest is */
	uint8_t family;         /* of `address`; 0: the host's loopback */
	union addr address;
	uint16_t port; /* of the program; 0: the same */
	unsigned line;
};

struct host_config {
	/* `host-link`: the interface by which the host is a guest of the network. */
	char device[16]; /* "": none */
	union addr address4, address6;
	unsigned line;
	uint8_t service_count;
	struct host_service services[CONFIG_HOST_SERVICES_MAX];
};

#endif
