/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports: allocation of external ports.
 */
#include <netinet/in.h>
#include "engine/ports.h"

uint32_t ports_size(const struct ports *ports)
{
	return (uint32_t)(ports->range.last - ports->range.first) + 1;
}

size_t ports_bytes(struct port_range range)
{
	const size_t size = (size_t)(range.last - range.first) + 1;

	return ENGINE_EXTERNALS_MAX * PORTS_PROTOCOLS * size * sizeof(uint16_t);
}

void ports_init(struct ports *ports, uint16_t *users, struct port_range range,
	const struct siphash_key *key)
{
	*ports = (struct ports){.users = users, .range = range, .key = *key};
}

int ports_protocol(uint8_t family, uint8_t ip_protocol)
{
	switch (ip_protocol) {
	case IPPROTO_TCP:
		return PORTS_TCP;
	case IPPROTO_UDP:
		return PORTS_UDP;
	case IPPROTO_ICMP:
		return family == AF_INET ? PORTS_ICMP : -1;
	case IPPROTO_ICMPV6:
		return family == AF_INET6 ? PORTS_ICMP : -1;
	default:
		return -1;
	}
}

uint32_t ports_random(struct ports *ports, uint32_t bound)
{
	const uint64_t word = ports->counter++;

	return (uint32_t)(((siphash_words(&ports->key, &word, 1) >> 32) * bound) >> 32);
}

static uint16_t *ports_table(
	const struct ports *ports, unsigned external, enum ports_protocol protocol)
{
	return ports->users + (size_t)(external * PORTS_PROTOCOLS + protocol) * ports_size(ports);
}

uint16_t ports_take_free(struct ports *ports, unsigned external, enum ports_protocol protocol)
{
	uint16_t *users = ports_table(ports, external, protocol);
	const uint32_t size = ports_size(ports);

	if (ports->used[external][protocol] == size)
		return 0;
	uint32_t i = ports_random(ports, size);
	while (users[i] != 0)
		i = i + 1 == size ? 0 : i + 1;
	users[i] = 1;
	ports->used[external][protocol]++;
	return (uint16_t)(ports->range.first + i);
}

void ports_take(struct ports *ports, unsigned external, enum ports_protocol protocol, uint16_t port)
{
	uint16_t *users = ports_table(ports, external, protocol) + (port - ports->range.first);

	if ((*users)++ == 0)
		ports->used[external][protocol]++;
}

void ports_release(
	struct ports *ports, unsigned external, enum ports_protocol protocol, uint16_t port)
{
	uint16_t *users = ports_table(ports, external, protocol) + (port - ports->range.first);

	if (--(*users) == 0)
		ports->used[external][protocol]--;
}
