/* SPDX-License-Identifier: BSD-2-Clause */
/* netlink: what the kernel says about routes, interfaces, addresses and neighbours, and when. */
#include "host/netlink.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../support/world.h"

WORLD_PROGRAM

/* What a handler was told since the last events_await(). */
#define EVENTS_MAX 256
struct events {
	struct host_netlink *netlink;
	struct host_event list[EVENTS_MAX];
	unsigned count;
};

static void on_event(void *context, const struct host_event *event)
{
	struct events *events = context;

	if (events->count < EVENTS_MAX)
		events->list[events->count++] = *event;
}

static struct events *open_netlink(void)
{
	static struct events events;

	cr_assert_eq(host_netlink_open(world_log(), on_event, &events, &events.netlink), 0);
	return &events;
}

static union addr address(const char *text)
{
	union addr address;
	uint8_t family;

	cr_assert(addr_parse(text, &address, &family), "%s", text);
	return address;
}

static uint8_t family_of(const char *text)
{
	return strchr(text, ':') ? AF_INET6 : AF_INET;
}

/* Wait for an event of this kind and (unless NULL) address; the first of it. */
static const struct host_event *await(
	struct events *events, enum host_change change, const char *about)
{
	const union addr wanted = about ? address(about) : (union addr){0};

	for (unsigned turn = 0; turn < 40; turn++) {
		if (world_wait(host_netlink_fd(events->netlink), 100))
			host_netlink_dispatch(events->netlink);
		for (unsigned i = 0; i < events->count; i++)
			if (events->list[i].change == change &&
				(!about || addr_equal(&events->list[i].address, &wanted)))
				return &events->list[i];
	}
	return NULL;
}

static unsigned count(const struct events *events, enum host_change change)
{
	unsigned found = 0;

	for (unsigned i = 0; i < events->count; i++)
		found += events->list[i].change == change;
	return found;
}

/* Forget everything up to now. */
static void forget(struct events *events)
{
	while (world_wait(host_netlink_fd(events->netlink), 50))
		host_netlink_dispatch(events->netlink);
	events->count = 0;
}

static enum route_result route_to(
	struct host_netlink *netlink, const char *to, struct host_route *route)
{
	const union addr destination = address(to);

	memset(route, 0, sizeof(*route));
	return host_route_get(netlink, family_of(to), &destination, route);
}

static void expect_addr(const union addr *found, const char *text)
{
	const union addr wanted = address(text);

	cr_expect(addr_equal(found, &wanted), "%s", text);
}

Test(netlink, routes_by_gateway_and_on_link, .init = world_enter)
{
	struct events *events = open_netlink();
	struct host_route route;

	world_uplink();
	sh("ip route add default via 192.0.2.1; ip route add default via 2001:db8::1");
	cr_assert_eq(route_to(events->netlink, "198.51.100.1", &route), ROUTE_UPLINK);
	cr_expect_eq(route.ifindex, world_ifindex("up0"));
	cr_expect(route.has_gateway);
	cr_expect_eq(route.gateway_family, AF_INET);
	expect_addr(&route.gateway, "192.0.2.1");
	expect_addr(&route.source, "192.0.2.2");
	cr_expect_eq(route.mtu, 1500);

	cr_assert_eq(route_to(events->netlink, "2001:db8:9::1", &route), ROUTE_UPLINK);
	cr_expect_eq(route.gateway_family, AF_INET6);
	expect_addr(&route.gateway, "2001:db8::1");
	expect_addr(&route.source, "2001:db8::2");
	cr_expect_eq(route.mtu, 1500);

	cr_assert_eq(route_to(events->netlink, "192.0.2.9", &route), ROUTE_UPLINK);
	cr_expect_not(route.has_gateway);
	expect_addr(&route.source, "192.0.2.2");
	cr_assert_eq(route_to(events->netlink, "2001:db8::9", &route), ROUTE_UPLINK);
	cr_expect_not(route.has_gateway);
	host_netlink_close(events->netlink);
}

Test(netlink, routes_with_particulars, .init = world_enter)
{
	struct events *events = open_netlink();
	struct host_route route;

	world_uplink();
	sh("ip addr add 192.0.2.77/24 dev up0");
	sh("ip route add 198.51.100.0/24 via 192.0.2.1 mtu 1280 src 192.0.2.77");
	sh("ip route add 203.0.113.0/24 via inet6 2001:db8::1 dev up0");
	sh("ip route add 198.18.0.0/15 nexthop via 192.0.2.1 nexthop via 192.0.2.3");
	sh("ip route add 2001:db8:5::/48 via 2001:db8::1 mtu 1400");
	cr_assert_eq(route_to(events->netlink, "198.51.100.1", &route), ROUTE_UPLINK);
	cr_expect_eq(route.mtu, 1280);
	expect_addr(&route.source, "192.0.2.77");
	cr_assert_eq(route_to(events->netlink, "203.0.113.1", &route), ROUTE_UPLINK);
	cr_expect(route.has_gateway);
	cr_expect_eq(route.gateway_family, AF_INET6);
	expect_addr(&route.gateway, "2001:db8::1");
	cr_assert_eq(route_to(events->netlink, "198.18.0.1", &route), ROUTE_UPLINK);
	cr_expect(route.has_gateway, "one hop of two");
	cr_assert_eq(route_to(events->netlink, "2001:db8:5::1", &route), ROUTE_UPLINK);
	cr_expect_eq(route.mtu, 1400);
	host_netlink_close(events->netlink);
}

Test(netlink, what_is_no_uplink, .init = world_enter)
{
	static const struct {
		const char *to;
		enum route_result result;
	} rows[] = {{"198.51.100.1", ROUTE_NONE}, {"2001:db8:9::1", ROUTE_NONE},
		{"127.0.0.1", ROUTE_LOCAL}, {"::1", ROUTE_LOCAL}, {"192.0.2.2", ROUTE_LOCAL},
		{"2001:db8::2", ROUTE_LOCAL}, {"192.0.2.255", ROUTE_NONE},
		{"255.255.255.255", ROUTE_NONE}, {"10.1.0.1", ROUTE_PROHIBITED},
		{"10.2.0.1", ROUTE_PROHIBITED}, {"10.3.0.1", ROUTE_NONE},
		{"fd01::1", ROUTE_PROHIBITED}, {"fd02::1", ROUTE_PROHIBITED},
		{"fd03::1", ROUTE_NONE}};
	struct events *events = open_netlink();
	struct host_route route;

	world_uplink();
	sh("ip route add prohibit 10.1.0.0/16; ip route add blackhole 10.2.0.0/16");
	sh("ip route add unreachable 10.3.0.0/16; ip route add unreachable fd03::/16");
	sh("ip route add prohibit fd01::/16; ip route add blackhole fd02::/16");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(route_to(events->netlink, rows[i].to, &route), rows[i].result, "%s",
			rows[i].to);
	host_netlink_close(events->netlink);
}

Test(netlink, ipv6_without_a_global_address, .init = world_enter)
{
	struct events *events = open_netlink();
	struct host_route route;

	world_peer("up0", "net0");
	sh("ip route add default via fe80::1 dev up0");
	sh("sleep 2; ip addr show dev up0 | grep 'inet6 fe80' | grep -qv tentative");
	cr_expect_eq(route_to(events->netlink, "2001:db8:9::1", &route), ROUTE_NONE);
	sh("ip addr add 2001:db8::2/128 dev up0 nodad");
	cr_expect_eq(route_to(events->netlink, "2001:db8:9::1", &route), ROUTE_UPLINK);
	host_netlink_close(events->netlink);
}

Test(netlink, route_mtu_follows_the_interface, .init = world_enter)
{
	struct events *events = open_netlink();
	struct host_route route;

	world_uplink();
	cr_assert_eq(route_to(events->netlink, "192.0.2.1", &route), ROUTE_UPLINK);
	cr_expect_eq(route.mtu, 1500);
	forget(events);
	sh("ip link set up0 mtu 1300");
	cr_expect_not_null(await(events, HOST_INTERFACE_CHANGED, NULL));
	cr_expect_not_null(await(events, HOST_ROUTES_CHANGED, NULL));
	cr_assert_eq(route_to(events->netlink, "192.0.2.1", &route), ROUTE_UPLINK);
	cr_expect_eq(route.mtu, 1300);
	host_netlink_close(events->netlink);
}

Test(netlink, look_up_is_fast, .init = world_enter)
{
	struct events *events = open_netlink();
	struct host_route route;
	struct timespec start, end;

	world_uplink();
	sh("ip route add default via 192.0.2.1");
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (unsigned i = 0; i < 2000; i++)
		cr_assert_eq(route_to(events->netlink, "198.51.100.1", &route), ROUTE_UPLINK);
	clock_gettime(CLOCK_MONOTONIC, &end);
	const double us = ((double)(end.tv_sec - start.tv_sec) * 1e9 +
				  (double)(end.tv_nsec - start.tv_nsec)) /
			  2000 / 1000;
	cr_log_info("%.1f us per look-up", us);
	cr_expect_lt(us, 500, "%.1f us, sanitizers and a busy machine included", us);
	host_netlink_close(events->netlink);
}

Test(netlink, interfaces, .init = world_enter)
{
	struct events *events = open_netlink();
	struct host_interface interface;

	world_uplink();
	sh("ip link set up0 address 02:00:00:00:00:07 mtu 1400");
	cr_assert_eq(host_interface_get(events->netlink, world_ifindex("up0"), &interface), 0);
	cr_expect_str_eq(interface.name, "up0");
	cr_expect(interface.up);
	cr_expect(interface.ethernet);
	cr_expect_not(interface.loopback);
	cr_expect_eq(interface.mtu, 1400);
	cr_expect_arr_eq(interface.mac, "\2\0\0\0\0\7", 6);
	cr_assert_eq(host_interface_get(events->netlink, 1, &interface), 0);
	cr_expect(interface.loopback);
	cr_expect_not(interface.ethernet);
	cr_expect_eq(host_interface_get(events->netlink, 4711, &interface), -ENODEV);
	host_netlink_close(events->netlink);
}

struct address_search {
	const char *text;
	const char *prefix;
	unsigned found, all;
};

static void look_at(void *context, int ifindex, uint8_t family, const struct prefix *prefix,
	const union addr *found)
{
	struct address_search *search = context;
	const union addr wanted = address(search->text);
	char text[ADDR_TEXT_SIZE];

	search->all++;
	if (family != family_of(search->text) || !addr_equal(found, &wanted))
		return;
	search->found++;
	cr_expect_gt(ifindex, 0);
	cr_expect_str_eq(prefix_format(prefix, text), search->prefix);
}

static void expect_address(
	struct events *events, const char *text, const char *prefix, unsigned count)
{
	struct address_search search = {text, prefix, 0, 0};

	cr_expect_eq(host_addresses_each(events->netlink, look_at, &search), 0);
	cr_expect_eq(search.found, count, "%s", text);
	cr_expect_geq(search.all, 4);
}

Test(netlink, addresses, .init = world_enter)
{
	struct events *events = open_netlink();

	world_uplink();
	sh("ip addr add 10.9.8.7 peer 10.0.0.1/30 dev up0");
	sh("echo 5 >/proc/sys/net/ipv6/conf/up0/dad_transmits");
	sh("ip addr add 2001:db8::77/64 dev up0");
	expect_address(events, "127.0.0.1", "127.0.0.0/8", 1);
	expect_address(events, "::1", "::1/128", 1);
	expect_address(events, "192.0.2.2", "192.0.2.0/24", 1);
	expect_address(events, "2001:db8::2", "2001:db8::/64", 1);
	expect_address(events, "10.9.8.7", "10.0.0.0/30", 1);
	expect_address(events, "2001:db8::77", "", 0);
	host_netlink_close(events->netlink);
}

Test(netlink, address_events, .init = world_enter)
{
	struct events *events = open_netlink();

	world_uplink();
	forget(events);
	sh("ip addr add 192.0.2.50/24 dev up0");
	const struct host_event *event = await(events, HOST_ADDRESS_ADDED, "192.0.2.50");
	cr_assert_not_null(event);
	cr_expect_eq(event->ifindex, world_ifindex("up0"));
	cr_expect_eq(event->family, AF_INET);
	cr_expect_not_null(await(events, HOST_ROUTES_CHANGED, NULL));
	sh("ip addr del 192.0.2.50/24 dev up0");
	cr_expect_not_null(await(events, HOST_ADDRESS_REMOVED, "192.0.2.50"));

	/* An address that is still being checked for duplicates is none yet. */
	forget(events);
	sh("ip addr add 2001:db8::50/64 dev up0");
	if (world_wait(host_netlink_fd(events->netlink), 100))
		host_netlink_dispatch(events->netlink);
	cr_expect_eq(count(events, HOST_ADDRESS_ADDED), 0);
	event = await(events, HOST_ADDRESS_ADDED, "2001:db8::50");
	cr_assert_not_null(event);
	cr_expect_eq(event->family, AF_INET6);
	sh("ip addr del 2001:db8::50/64 dev up0");
	cr_expect_not_null(await(events, HOST_ADDRESS_REMOVED, "2001:db8::50"));
	host_netlink_close(events->netlink);
}

Test(netlink, interface_events, .init = world_enter)
{
	struct events *events = open_netlink();

	world_uplink();
	const int ifindex = world_ifindex("up0");
	forget(events);
	sh("ip link set up0 down");
	const struct host_event *event = await(events, HOST_INTERFACE_CHANGED, NULL);
	cr_assert_not_null(event);
	cr_expect_eq(event->ifindex, ifindex);
	cr_expect_not_null(await(events, HOST_ROUTES_CHANGED, NULL));
	sh("ip link set up0 addrgenmode none up; sleep 1.2 # the kernel tells of a carrier once a "
	   "second");
	forget(events);
	sh("ip link set up0 alias nothing-that-matters");
	cr_expect_not_null(await(events, HOST_INTERFACE_CHANGED, NULL));
	cr_expect_eq(count(events, HOST_ROUTES_CHANGED), 0);
	sh("ip link del up0");
	event = await(events, HOST_INTERFACE_REMOVED, NULL);
	cr_assert_not_null(event);
	cr_expect_eq(event->ifindex, ifindex);
	host_netlink_close(events->netlink);
}

Test(netlink, route_and_rule_events_come_once, .init = world_enter)
{
	struct events *events = open_netlink();

	world_uplink();
	forget(events);
	sh("for i in 1 2 3 4 5; do ip route add 10.$i.0.0/16 via 192.0.2.1; done");
	cr_expect_not_null(await(events, HOST_ROUTES_CHANGED, NULL));
	cr_expect_eq(events->count, 1);
	forget(events);
	sh("ip rule add from 10.0.0.0/8 table 100");
	cr_expect_not_null(await(events, HOST_ROUTES_CHANGED, NULL));
	forget(events);
	sh("ip -6 route add 2001:db8:7::/48 via 2001:db8::1");
	cr_expect_not_null(await(events, HOST_ROUTES_CHANGED, NULL));
	host_netlink_close(events->netlink);
}

Test(netlink, overrun, .init = world_enter)
{
	struct events *events = open_netlink();
	const int small = 1;

	world_uplink();
	forget(events);
	cr_assert_eq(setsockopt(host_netlink_fd(events->netlink), SOL_SOCKET, SO_RCVBUF, &small,
			     sizeof(small)),
		0);
	sh("for i in $(seq 40); do ip route add 10.$i.0.0/16 via 192.0.2.1; done");
	cr_expect_not_null(await(events, HOST_OVERRUN, NULL));
	host_netlink_close(events->netlink);
}

static int neighbour(struct events *events, const char *text, uint8_t mac[6])
{
	const union addr of = address(text);

	return host_neighbour_get(events->netlink, world_ifindex("up0"), family_of(text), &of, mac);
}

static void expect_resolution(struct events *events, const char *text)
{
	uint8_t mac[6];

	forget(events);
	cr_expect_eq(neighbour(events, text, mac), -EINPROGRESS);
	const struct host_event *event = await(events, HOST_NEIGHBOUR, text);
	cr_assert_not_null(event, "%s", text);
	cr_expect(event->resolved);
	cr_expect_arr_eq(event->mac, "\2\0\0\0\0\1", 6);
	memset(mac, 0, sizeof(mac));
	cr_expect_eq(neighbour(events, text, mac), 0);
	cr_expect_arr_eq(mac, "\2\0\0\0\0\1", 6);
}

Test(netlink, neighbours_are_resolved_and_kept, .init = world_enter)
{
	struct events *events = open_netlink();
	const int peer = world_uplink();
	const union addr gateway = address("192.0.2.1");
	uint8_t mac[6];

	sh_in(peer, "ip link set net0 address 02:00:00:00:00:01");
	expect_resolution(events, "192.0.2.1");
	expect_resolution(events, "2001:db8::1");
	sh("ip neigh show 192.0.2.1 | grep -q managed");
	sh("ip neigh change 192.0.2.1 dev up0 nud stale");
	cr_expect_eq(neighbour(events, "192.0.2.1", mac), 0, "a stale one will do");

	host_neighbour_release(events->netlink, world_ifindex("up0"), AF_INET, &gateway);
	sh("ip neigh show 192.0.2.1 | grep lladdr | grep -qv managed");
	host_netlink_close(events->netlink);
}

Test(netlink, neighbours_that_do_not_answer, .init = world_enter)
{
	struct events *events = open_netlink();
	const union addr nobody = address("192.0.2.99");
	uint8_t mac[6];

	world_uplink();
	sh("echo 1 >/proc/sys/net/ipv4/neigh/up0/mcast_solicit");
	sh("echo 100 >/proc/sys/net/ipv4/neigh/up0/retrans_time_ms");
	forget(events);
	cr_expect_eq(neighbour(events, "192.0.2.99", mac), -EINPROGRESS);
	const struct host_event *event = await(events, HOST_NEIGHBOUR, "192.0.2.99");
	cr_assert_not_null(event);
	cr_expect_not(event->resolved);
	cr_expect_eq(neighbour(events, "192.0.2.99", mac), -EINPROGRESS, "asked for again");
	host_neighbour_release(events->netlink, world_ifindex("up0"), AF_INET, &nobody);
	cr_expect_eq(host_neighbour_get(events->netlink, 4711, AF_INET, &nobody, mac), -ENODEV);
	host_netlink_close(events->netlink);
}

Test(netlink, neighbours_that_an_administrator_fixed, .init = world_enter)
{
	struct events *events = open_netlink();
	uint8_t mac[6];

	world_uplink();
	sh("ip neigh add 192.0.2.8 lladdr 02:00:00:00:00:08 dev up0 nud permanent");
	cr_expect_eq(neighbour(events, "192.0.2.8", mac), 0);
	cr_expect_arr_eq(mac, "\2\0\0\0\0\10", 6);
	sh("ip neigh show 192.0.2.8 | grep -q PERMANENT");
	host_netlink_close(events->netlink);
}
