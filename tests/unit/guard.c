/* SPDX-License-Identifier: BSD-2-Clause */
/* guard: who answers a packet to one of our ports, asked from the other end of the wire. */
#include "host/guard.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/packets.h"
#include "../support/world.h"
#include "host/netns.h"
#include "host/port_lock.h"
#include "link/link.h"

WORLD_PROGRAM

#define SILENCE_MS 150
#define ANSWER_MS  3000 /* on a busy machine */

static const struct published web[] = {{IPPROTO_TCP, {80, 80}}, {IPPROTO_UDP, {53, 53}}};
static const struct port_claims claims = {.external = {1, {{61000, 61020}}}};
static const struct port_claims claims_and_web = {
	.external = {1, {{61000, 61020}}}, .published = web, .published_count = 2};

static socklen_t host_address(int family, uint16_t port, struct sockaddr_storage *address)
{
	struct sockaddr_in *in4 = (void *)address;
	struct sockaddr_in6 *in6 = (void *)address;

	*address = (struct sockaddr_storage){.ss_family = (sa_family_t)family};
	if (family == AF_INET) {
		in4->sin_port = htons(port);
		in4->sin_addr.s_addr = inet_addr("192.0.2.2");
		return sizeof(*in4);
	}
	in6->sin6_port = htons(port);
	inet_pton(AF_INET6, "2001:db8::2", &in6->sin6_addr);
	return sizeof(*in6);
}

/* What a client at the other end gets, and is expected to: ECONNREFUSED, 0 (connected), or
 * ETIMEDOUT (silence). */
static int ask(int peer, int family, int type, uint16_t port, int expected)
{
	const int fd = netns_socket(peer, family, type, 0);
	struct sockaddr_storage to;
	const socklen_t size = host_address(family, port, &to);
	struct pollfd wait = {.fd = fd, .events = type == SOCK_STREAM ? POLLOUT : POLLIN};
	int error = 0;
	socklen_t error_size = sizeof(error);

	cr_assert(fd >= 0);
	connect(fd, (const void *)&to, size);
	if (type == SOCK_DGRAM)
		cr_assert_eq(send(fd, "x", 1, 0), 1);
	if (poll(&wait, 1, expected == ETIMEDOUT ? SILENCE_MS : ANSWER_MS) == 0)
		error = ETIMEDOUT;
	else
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
	close(fd);
	return error;
}

static void expect(int peer, int family, int type, uint16_t port, int error, const char *what)
{
	cr_expect_eq(ask(peer, family, type, port, error), error, "%s: %s %s %u", what,
		type == SOCK_STREAM ? "TCP" : "UDP", family == AF_INET ? "IPv4" : "IPv6", port);
}

static void expect_all(int peer, uint16_t port, int error, const char *what)
{
	expect(peer, AF_INET, SOCK_STREAM, port, error, what);
	expect(peer, AF_INET, SOCK_DGRAM, port, error, what);
	expect(peer, AF_INET6, SOCK_STREAM, port, error, what);
	expect(peer, AF_INET6, SOCK_DGRAM, port, error, what);
}

static struct guard *open_guard(enum guard_mode mode, const struct port_claims *of)
{
	struct guard *guard;

	cr_assert_eq(guard_open(world_log(), mode, of, &guard), 0);
	cr_assert_eq(guard_cover(guard, world_ifindex("up0")), 0);
	return guard;
}

Test(guard, clsact_silences_the_kernel_on_our_ports, .init = world_enter)
{
	const int peer = world_uplink();

	expect_all(peer, 61000, ECONNREFUSED, "without guard");
	struct guard *guard = open_guard(GUARD_AUTO, &claims);
	cr_expect_str_eq(guard_kind(guard), "clsact");
	cr_expect_eq(guard_cover(guard, world_ifindex("up0")), 0, "again is no error");
	cr_expect_not(guard_fill(guard, 10));
	expect_all(peer, 61000, ETIMEDOUT, "covered");
	expect_all(peer, 61020, ETIMEDOUT, "covered");
	expect_all(peer, 60999, ECONNREFUSED, "not ours");
	expect_all(peer, 61021, ECONNREFUSED, "not ours");
	sh_in(peer, "ping -qc1 -W1 192.0.2.2 >/dev/null");
	sh_in(peer, "ping -qc1 -W1 2001:db8::2 >/dev/null");
	guard_uncover(guard, world_ifindex("up0"));
	expect_all(peer, 61000, ECONNREFUSED, "uncovered");
	guard_close(guard);
	sh("! tc qdisc show dev up0 | grep clsact");
}

Test(guard, taps_still_see_what_clsact_shoots, .init = world_enter)
{
	const int peer = world_uplink();
	struct guard *guard = open_guard(GUARD_CLSACT, &claims);
	const struct sockaddr_ll all = {.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = world_ifindex("up0")};
	const int tap = socket(AF_PACKET, SOCK_DGRAM, 0);
	uint8_t bytes[256];
	bool seen = false;

	cr_assert_eq(bind(tap, (const void *)&all, sizeof(all)), 0);
	expect(peer, AF_INET, SOCK_DGRAM, 61001, ETIMEDOUT, "");
	while (recv(tap, bytes, sizeof(bytes), MSG_DONTWAIT) >= 28)
		seen |= bytes[9] == IPPROTO_UDP && bytes[22] == 61001 >> 8 && bytes[28] == 'x';
	cr_expect(seen);
	close(tap);
	guard_close(guard);
}

Test(guard, claims_change_while_covered, .init = world_enter)
{
	const int peer = world_uplink();
	struct guard *guard = open_guard(GUARD_CLSACT, &claims);

	expect(peer, AF_INET, SOCK_STREAM, 80, ECONNREFUSED, "");
	cr_expect_eq(guard_claims_set(guard, &claims_and_web), 0);
	expect(peer, AF_INET, SOCK_STREAM, 80, ETIMEDOUT, "");
	expect(peer, AF_INET6, SOCK_STREAM, 80, ETIMEDOUT, "");
	expect(peer, AF_INET, SOCK_DGRAM, 80, ECONNREFUSED, "");
	expect(peer, AF_INET6, SOCK_DGRAM, 53, ETIMEDOUT, "");
	sh("test $(tc filter show dev up0 ingress | grep -c handle) = 1");
	cr_expect_eq(guard_claims_set(guard, &claims), 0);
	expect(peer, AF_INET, SOCK_STREAM, 80, ECONNREFUSED, "");
	guard_close(guard);
}

Test(guard, other_addresses_are_left_alone, .init = world_enter)
{
	const int peer = world_uplink();
	struct claimed_address address = {.family = AF_INET};
	struct port_claims elsewhere = claims;
	uint8_t family;

	elsewhere.addresses = &address;
	elsewhere.address_count = 1;
	cr_assert(addr_parse("192.0.2.99", &address.address, &family));
	struct guard *guard = open_guard(GUARD_CLSACT, &elsewhere);
	expect_all(peer, 61000, ECONNREFUSED, "not the address");
	cr_assert(addr_parse("192.0.2.2", &address.address, &family));
	cr_expect_eq(guard_claims_set(guard, &elsewhere), 0);
	expect(peer, AF_INET, SOCK_STREAM, 61000, ETIMEDOUT, "");
	expect(peer, AF_INET6, SOCK_STREAM, 61000, ECONNREFUSED, "");
	guard_close(guard);
}

/* A TCP SYN to the host over a TUN: whether the kernel answers it. */
static bool answers(struct link *link, const char *from, const char *to, bool expected)
{
	struct packet *packet = TCP_PACKET(from, to, .tcp_flags = TCP_SYN);
	struct packet *const packets[] = {packet};

	cr_assert_eq(link->ops->write(link, packets, 1), 1);
	packet_dispose(packet);
	if (!world_wait(link->fd, expected ? ANSWER_MS : SILENCE_MS))
		return false;
	struct packet *answer = packet_with_room(PACKET_BYTES_MAX);
	cr_expect_eq(link->ops->read(link, answer, 1), 1);
	packet_dispose(answer);
	return true;
}

Test(guard, covers_interfaces_without_ethernet, .init = world_enter_with_tun)
{
	struct link_settings settings = {.device = "up0",
		.mtu = 1500,
		.prefix_length4 = 24,
		.prefix_length6 = 64,
		.subnet4 = {.family = AF_INET, .length = 24},
		.subnet6 = {.family = AF_INET6, .length = 64}};
	struct link *link;
	uint8_t family;

	cr_assert(addr_parse("192.0.2.2", &settings.gateway4, &family));
	cr_assert(addr_parse("2001:db8::2", &settings.gateway6, &family));
	cr_assert(addr_parse("192.0.2.0", &settings.subnet4.base, &family));
	cr_assert(addr_parse("2001:db8::", &settings.subnet6.base, &family));
	cr_assert_eq(link_tun_open(world_log(), &settings, &link), 0);
	world_await_address6("2001:db8::2");
	cr_expect(answers(link, "192.0.2.1:443", "192.0.2.2:61000", true));
	cr_expect(answers(link, "[2001:db8::1]:443", "[2001:db8::2]:61000", true));
	struct guard *guard = open_guard(GUARD_CLSACT, &claims);
	cr_expect_not(answers(link, "192.0.2.1:443", "192.0.2.2:61000", false));
	cr_expect_not(answers(link, "[2001:db8::1]:443", "[2001:db8::2]:61000", false));
	cr_expect(answers(link, "192.0.2.1:443", "192.0.2.2:60999", true));
	guard_close(guard);
	link->ops->close(link);
}

/* A guard that ends without a chance to clean up. */
static void guard_killed(void)
{
	const pid_t child = fork();

	if (child == 0) {
		open_guard(GUARD_CLSACT, &claims);
		kill(getpid(), SIGKILL);
	}
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status));
}

Test(guard, stays_after_a_kill_until_the_next_one_closes, .init = world_enter)
{
	const int peer = world_uplink();

	guard_killed();
	expect_all(peer, 61000, ETIMEDOUT, "killed");
	struct guard *guard = open_guard(GUARD_CLSACT, &claims_and_web);
	sh("test $(tc filter show dev up0 ingress | grep -c handle) = 1");
	expect(peer, AF_INET, SOCK_STREAM, 80, ETIMEDOUT, "the new program");
	guard_close(guard);
	expect_all(peer, 61000, ECONNREFUSED, "closed");
	sh("! tc qdisc show dev up0 | grep clsact");
}

Test(guard, leaves_what_others_have_on_the_hook, .init = world_enter)
{
	const int peer = world_uplink();

	sh("tc qdisc add dev up0 clsact");
	sh("tc filter add dev up0 ingress prio 10 protocol all u32 match u32 0 0 flowid 1:1");
	struct guard *guard = open_guard(GUARD_CLSACT, &claims);
	expect_all(peer, 61000, ETIMEDOUT, "in front of them");
	guard_close(guard);
	sh("tc filter show dev up0 ingress | grep -q u32");
	sh("! tc filter show dev up0 ingress | grep -q bpf");

	sh("tc filter del dev up0 ingress prio 10");
	guard_killed();
	guard_close(open_guard(GUARD_CLSACT, &claims));
	sh("tc qdisc show dev up0 | grep -q clsact # not made by us, not even before the kill");

	sh("tc qdisc del dev up0 clsact");
	guard = open_guard(GUARD_CLSACT, &claims);
	sh("tc filter add dev up0 egress prio 10 protocol all u32 match u32 0 0 flowid 1:1");
	guard_close(guard);
	sh("tc filter show dev up0 egress | grep -q u32 # made by us, used by others");
}

Test(guard, shares_an_ingress_qdisc, .init = world_enter)
{
	const int peer = world_uplink();

	sh("tc qdisc add dev up0 ingress");
	struct guard *guard = open_guard(GUARD_CLSACT, &claims);
	expect_all(peer, 61000, ETIMEDOUT, "on an ingress qdisc");
	guard_close(guard);
	sh("tc qdisc show dev up0 | grep -q ingress");
	sh("! tc filter show dev up0 ingress | grep bpf");
	expect_all(peer, 61000, ECONNREFUSED, "closed");
}

Test(guard, interface_that_vanishes, .init = world_enter)
{
	world_uplink();
	struct guard *guard = open_guard(GUARD_CLSACT, &claims);
	const int ifindex = world_ifindex("up0");

	sh("ip link del up0");
	cr_expect_eq(guard_claims_set(guard, &claims_and_web), 0);
	guard_uncover(guard, ifindex);
	cr_expect_eq(guard_cover(guard, ifindex), -ENODEV);
	cr_expect(world_logged("cannot put the guard's filter on interface"));
	guard_close(guard);
}

Test(guard, sockets_silence_the_kernel_too, .init = world_enter)
{
	const int peer = world_uplink();
	struct guard *guard = open_guard(GUARD_SOCKETS, &claims);

	cr_expect_str_eq(guard_kind(guard), "sockets");
	expect_all(peer, 61000, ECONNREFUSED, "none made yet");
	cr_expect(guard_fill(guard, 2));
	expect_all(peer, 61000, ETIMEDOUT, "the first port");
	expect_all(peer, 61001, ECONNREFUSED, "not yet");
	cr_expect(guard_fill(guard, 39));
	cr_expect_not(guard_fill(guard, 39), "2 for each of 21 ports");
	expect_all(peer, 61020, ETIMEDOUT, "the last port");
	expect_all(peer, 61021, ECONNREFUSED, "not ours");
	cr_expect_eq(guard_claims_set(guard, &claims_and_web), 0);
	expect_all(peer, 61000, ETIMEDOUT, "kept");
	guard_close(guard);
	expect_all(peer, 61000, ECONNREFUSED, "closed");
}

Test(guard, sockets_pass_over_a_port_that_is_held, .init = world_enter)
{
	world_uplink();
	struct guard *guard = open_guard(GUARD_SOCKETS, &claims);
	struct sockaddr_storage here;
	const socklen_t size = host_address(AF_INET, 61005, &here);
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);

	cr_assert_eq(bind(fd, (const void *)&here, size), 0);
	cr_expect_not(guard_fill(guard, 1000));
	cr_expect(world_logged("cannot guard UDP port 61005"));
	cr_expect_not(world_logged("61006"));
	close(fd);
	guard_close(guard);
}

/* Connect from the host itself. */
static int try_here(int type, const char *to, uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(to)};
	const int fd = socket(AF_INET, type, 0);
	const int status = connect(fd, (const void *)&address, sizeof(address));
	const int error = status < 0 ? errno : 0;

	if (type == SOCK_DGRAM)
		send(fd, "x", 1, 0);
	close(fd);
	return error;
}

Test(guard, published_sockets_hear_the_host_alone, .init = world_enter)
{
	const int peer = world_uplink();
	const int types[] = {SOCK_STREAM, SOCK_DGRAM};
	char byte;

	for (unsigned i = 0; i < 2; i++) {
		const struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(8080)};
		const int fd = socket(AF_INET6, types[i] | SOCK_NONBLOCK, 0);

		cr_assert_eq(bind(fd, (const void *)&any, sizeof(any)), 0);
		cr_expect_eq(guard_local_only(fd), 0);
		listen(fd, 8);
		expect(peer, AF_INET, types[i], 8080, ETIMEDOUT, "");
		expect(peer, AF_INET6, types[i], 8080, ETIMEDOUT, "");
		cr_expect_not(world_wait(fd, 0), "nothing from outside");
		cr_expect_eq(try_here(types[i], "127.0.0.1", 8080), 0);
		cr_expect_eq(try_here(types[i], "192.0.2.2", 8080), 0);
		if (types[i] == SOCK_STREAM) {
			cr_expect_geq(accept(fd, NULL, NULL), 0);
			cr_expect_geq(accept(fd, NULL, NULL), 0);
		} else {
			cr_expect_eq(recv(fd, &byte, 1, 0), 1);
			cr_expect_eq(recv(fd, &byte, 1, 0), 1);
			cr_expect_lt(recv(fd, &byte, 1, 0), 0);
		}
		close(fd);
	}
}

static int bound(int family, int type, const char *address, uint16_t port)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	const int fd = socket(family, type, 0);

	inet_pton(AF_INET, address, &in4.sin_addr);
	inet_pton(AF_INET6, address, &in6.sin6_addr);
	if (family == AF_INET)
		cr_assert_eq(bind(fd, (const void *)&in4, sizeof(in4)), 0);
	else
		cr_assert_eq(bind(fd, (const void *)&in6, sizeof(in6)), 0);
	if (type == SOCK_STREAM)
		listen(fd, 1);
	return fd;
}

static int range_check(struct port_range range)
{
	const struct port_list ports = {1, {range}};

	return guard_check_ports(world_log(), &ports);
}

Test(guard, range_of_sockets_in_use, .init = world_enter)
{
	const struct port_range ports = {61000, 65535};

	cr_expect_eq(range_check(ports), 0);
	int fd = bound(AF_INET, SOCK_STREAM, "0.0.0.0", 61234);
	cr_expect_eq(range_check(ports), -EADDRINUSE);
	cr_expect(world_logged("TCP port 61234 of `ports = 61000-65535` is in use on 0.0.0.0"));
	cr_expect_eq(range_check((struct port_range){61235, 61300}), 0);
	cr_expect_eq(range_check((struct port_range){61200, 61233}), 0);
	close(fd);
	fd = bound(AF_INET6, SOCK_DGRAM, "::", 65535);
	cr_expect_eq(range_check(ports), -EADDRINUSE);
	cr_expect(world_logged("UDP port 65535"));
	close(fd);
	fd = bound(AF_INET6, SOCK_STREAM, "::1", 61500);
	cr_expect_eq(range_check(ports), 0, "loopback is no trouble");
	close(fd);
	fd = bound(AF_INET, SOCK_DGRAM, "127.0.0.53", 61500);
	cr_expect_eq(range_check(ports), 0);
	close(fd);
}

Test(guard, range_the_kernel_hands_out, .init = world_enter)
{
	sh("echo 40000 50000 >/proc/sys/net/ipv4/ip_local_port_range");
	cr_expect_eq(range_check((struct port_range){50001, 51000}), 0);
	cr_expect_eq(range_check((struct port_range){39000, 39999}), 0);
	cr_expect_eq(range_check((struct port_range){50000, 51000}), -EADDRINUSE);
	cr_expect(world_logged("ports 50000-51000 overlap the ports 40000-50000"));
	cr_expect(world_logged("net.ipv4.ip_local_reserved_ports=50000-51000"));
	cr_expect_eq(range_check((struct port_range){39000, 40000}), -EADDRINUSE);
	sh("echo 8080,41000-42000,50000-51000 >/proc/sys/net/ipv4/ip_local_reserved_ports");
	cr_expect_eq(range_check((struct port_range){50000, 51000}), 0);
	cr_expect_eq(range_check((struct port_range){41500, 41600}), 0);
	cr_expect_eq(range_check((struct port_range){41500, 42001}), -EADDRINUSE);
}

Test(guard, every_range_of_a_list_is_looked_at, .init = world_enter)
{
	const struct port_list ports = {2, {{61000, 61099}, {63000, 63099}}};

	sh("echo 40000 50000 >/proc/sys/net/ipv4/ip_local_port_range");
	int fd = bound(AF_INET, SOCK_STREAM, "0.0.0.0", 62000);
	cr_expect_eq(guard_check_ports(world_log(), &ports), 0, "between the two");
	close(fd);
	fd = bound(AF_INET, SOCK_DGRAM, "0.0.0.0", 63050);
	cr_expect_eq(guard_check_ports(world_log(), &ports), -EADDRINUSE);
	cr_expect(world_logged("UDP port 63050 of `ports = 61000-61099,63000-63099`"));
	close(fd);
	sh("echo 63050 63500 >/proc/sys/net/ipv4/ip_local_port_range");
	cr_expect_eq(guard_check_ports(world_log(), &ports), -EADDRINUSE);
	cr_expect(world_logged("ports 63000-63099 overlap the ports 63050-63500"));
}

static int lock(struct port_list ports)
{
	return port_lock_take(world_log(), &ports);
}

Test(guard, no_port_has_two_gateways, .init = world_enter)
{
	const int first = lock((struct port_list){2, {{61000, 61099}, {63000, 63099}}});

	cr_assert_geq(first, 0);
	cr_expect_eq(lock((struct port_list){2, {{61000, 61099}, {63000, 63099}}}), -EADDRINUSE);
	cr_expect_eq(lock((struct port_list){2, {{1024, 1040}, {63099, 63100}}}), -EADDRINUSE);
	cr_expect(world_logged("ports 1024-1040,63099-63100: another tungated holds "
			       "61000-61099,63000-63099"));
	cr_expect_eq(lock((struct port_list){1, {{61050, 61060}}}), -EADDRINUSE);
	const int second = lock((struct port_list){2, {{61100, 62999}, {63100, 63200}}});
	cr_expect_geq(second, 0, "between and behind");
	close(first);
	const int third = lock((struct port_list){1, {{61050, 61060}}});
	cr_expect_geq(third, 0, "the lock goes with its descriptor");
	close(second);
	close(third);
}
