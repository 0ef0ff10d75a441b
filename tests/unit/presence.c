/* SPDX-License-Identifier: BSD-2-Clause */
/* presence: a neighbour's kernel finds addresses that nobody has, and nobody else's. */
#include "link/presence.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../support/world.h"

WORLD_PROGRAM

#define ANSWER_MS 3000

static void mac_of(const char *name, uint8_t mac[6])
{
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = {0};

	strcpy(request.ifr_name, name);
	cr_assert_eq(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
	close(fd);
}

static struct presence *open_up0(void)
{
	struct presence *presence;
	uint8_t mac[6];

	mac_of("up0", mac);
	cr_assert_eq(presence_open(world_log(), "up0", world_ifindex("up0"), mac, &presence), 0);
	return presence;
}

static struct prefix prefix(const char *text)
{
	struct prefix parsed;
	const char *fault = prefix_parse(text, &parsed);

	cr_assert_null(fault, "%s: %s", text, fault);
	return parsed;
}

static void set(struct presence *presence, const char *first, const char *second, const char *host)
{
	const struct prefix prefixes[] = {prefix(first), prefix(second)}, own = prefix(host);

	cr_assert_eq(presence_set(presence, prefixes, 2, &own, 1), 0);
}

/* Does the neighbour at `peer` resolve the address while we answer, in so many tries? */
static bool finds(struct presence *presence, int peer, const char *address, int tries)
{
	char command[256];
	bool found = false;

	/* Nobody answers the datagram; its next hop is what this is about. */
	sh_in(peer, "bash -c 'echo x >/dev/udp/%s/9' 2>/dev/null; true", address);
	for (int i = 0; i < tries && !found; i++) {
		if (world_wait(presence_fd(presence), 20))
			presence_readable(presence);
		snprintf(command, sizeof(command),
			"exec nsenter --net=/proc/self/fd/%d ip neigh show %s dev net0 | grep -q "
			"lladdr",
			peer, address);
		found = system(command) == 0;
	}
	return found;
}

static bool is_found(struct presence *presence, int peer, const char *address)
{
	return finds(presence, peer, address, 60);
}

static bool is_not_found(struct presence *presence, int peer, const char *address)
{
	return !finds(presence, peer, address, 10);
}

Test(presence, addresses_that_nobody_has_are_found, .init = world_enter)
{
	const int peer = world_uplink();
	struct presence *presence = open_up0();

	set(presence, "192.0.2.7/32", "2001:db8::7/128", "192.0.2.2/32");
	sh_in(peer, "ip neigh flush dev net0");
	cr_expect(is_found(presence, peer, "192.0.2.7"));
	cr_expect(is_found(presence, peer, "2001:db8::7"));
	cr_expect(is_not_found(presence, peer, "192.0.2.8"));
	cr_expect(is_not_found(presence, peer, "2001:db8::8"));
	presence_close(presence);
}

Test(presence, every_address_of_a_prefix_but_the_hosts, .init = world_enter)
{
	const int peer = world_uplink();
	struct presence *presence = open_up0();

	/* The host's kernel answers for .5, if it has it. */
	set(presence, "192.0.2.4/30", "2001:db8::/96", "192.0.2.5/32");
	sh_in(peer, "ip neigh flush dev net0");
	cr_expect(is_found(presence, peer, "192.0.2.4"));
	cr_expect(is_found(presence, peer, "2001:db8::1234"));
	cr_expect(is_not_found(presence, peer, "192.0.2.5"));
	cr_expect(is_not_found(presence, peer, "192.0.2.8"));
	presence_close(presence);
}

Test(presence, new_addresses_are_announced, .init = world_enter)
{
	const int peer = world_uplink();
	struct presence *presence = open_up0();

	/* A stale entry for somebody who had the address before. */
	sh_in(peer, "ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:99 dev net0 nud stale");
	sh_in(peer, "ip neigh add 2001:db8::7 lladdr 02:00:00:00:00:99 dev net0 nud stale");
	set(presence, "192.0.2.7/32", "2001:db8::7/128", "192.0.2.2/32");
	sh_in(peer,
		"sh -c 'for i in $(seq 100); do ip neigh show dev net0 | grep -q 02:00:00:00:00:99 "
		"|| exit 0; sleep 0.02; done; exit 1'");
	presence_close(presence);
}

Test(presence, another_owner_is_in_the_log, .init = world_enter)
{
	const int peer = world_uplink();
	struct presence *presence = open_up0();

	set(presence, "192.0.2.7/32", "2001:db8::7/128", "192.0.2.2/32");
	cr_expect_not(world_logged("is the gateway's"));
	sh_in(peer, "ip addr add 192.0.2.7/24 dev net0");
	sh_in(peer, "bash -c 'ping -qc1 -W1 -I 192.0.2.7 192.0.2.99 >/dev/null; true'");
	for (int i = 0; i < 20 && !world_logged("192.0.2.7 is the gateway's"); i++)
		if (world_wait(presence_fd(presence), ANSWER_MS / 20))
			presence_readable(presence);
	cr_expect(world_logged("192.0.2.7 is the gateway's"));
	presence_close(presence);
}

Test(presence, an_interface_that_goes_down_and_comes_back, .init = world_enter)
{
	const int peer = world_uplink();
	struct presence *presence = open_up0();
	uint8_t mac[6];

	set(presence, "192.0.2.7/32", "2001:db8::7/128", "192.0.2.2/32");
	sh("ip link set up0 down");
	presence_readable(presence);
	sh("ip link set up0 address 02:00:00:00:00:42 up");
	mac_of("up0", mac);
	presence_announce(presence, mac);
	sh_in(peer, "ip neigh flush dev net0");
	cr_expect(is_found(presence, peer, "192.0.2.7"));
	sh_in(peer, "sh -c 'ip neigh show 192.0.2.7 dev net0 | grep -q 02:00:00:00:00:42'");
	presence_close(presence);
}
