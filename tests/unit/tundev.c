/* SPDX-License-Identifier: BSD-2-Clause */
/* tundev: the links `tun` and `netns`, against the kernel at the other end. */
#include "link/tundev.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../support/packets.h"
#include "../support/world.h"
#include "host/netns.h"

WORLD_PROGRAM

#define BURST 4

/* A burst of packets to read into. */
static struct packet *burst_make(void)
{
	struct packet *packets = calloc(BURST, sizeof(*packets));

	for (unsigned i = 0; i < BURST; i++) {
		uint8_t *bytes = malloc(PACKET_HEADROOM + PACKET_BYTES_MAX);

		packets[i].data = bytes + PACKET_HEADROOM;
		packets[i].capacity = PACKET_BYTES_MAX;
	}
	return packets;
}

static void burst_free(struct packet *packets)
{
	for (unsigned i = 0; i < BURST; i++)
		free(packets[i].data - PACKET_HEADROOM);
	free(packets);
}

static union addr address(const char *text)
{
	union addr address;
	uint8_t family;

	cr_assert(addr_parse(text, &address, &family));
	return address;
}

static struct prefix prefix(const char *text)
{
	struct prefix prefix;

	cr_assert_null(prefix_parse(text, &prefix));
	return prefix;
}

static struct link_settings guest_settings(void)
{
	return (struct link_settings){
		.zone = 7,
		.device = "eth0",
		.mtu = 1400,
		.prefix_length4 = 24,
		.prefix_length6 = 64,
		.address4 = address("10.77.0.5"),
		.gateway4 = address("10.77.0.1"),
		.address6 = address("fd77:7467::5"),
		.gateway6 = address("fd77:7467::1"),
	};
}

/* A guest, and what it is attached by. */
struct world {
	int guest, maker;
	struct link *link;
	struct packet *packets;
};

static struct world world_open(void)
{
	const struct link_settings settings = guest_settings();
	struct world world = {
		.guest = world_netns(),
		.maker = world_netns(),
		.packets = burst_make(),
	};

	cr_assert_eq(
		link_netns_open(world_log(), &settings, world.guest, world.maker, &world.link), 0);
	return world;
}

static void world_close(struct world *world)
{
	if (world->link)
		world->link->ops->close(world->link);
	burst_free(world->packets);
	close(world->guest);
	close(world->maker);
}

/* Read and parse one packet, waiting for it. */
static struct packet *read_one(struct world *world)
{
	cr_assert(world_wait(world->link->fd, 2000), "a packet");
	cr_assert_eq(world->link->ops->read(world->link, world->packets, 1), 1);
	cr_assert(packet_parse(world->packets));
	return world->packets;
}

static void write_one(struct world *world, struct packet *packet)
{
	struct packet *const packets[] = {packet};

	cr_expect_eq(world->link->ops->write(world->link, packets, 1), 1);
	packet_dispose(packet);
}

/* A socket of the guest's, blocking. */
static int guest_socket(const struct world *world, int type)
{
	const int fd = netns_socket(world->guest, AF_INET, type, 0);

	cr_assert(fd >= 0);
	fcntl(fd, F_SETFL, 0);
	return fd;
}

static struct sockaddr_in server(void)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(80),
		.sin_addr.s_addr = inet_addr("192.0.2.1")};
}

Test(tundev, guest_is_configured, .init = world_enter_with_tun)
{
	struct world world = world_open();

	cr_expect_str_eq(world.link->kind, "netns");
	cr_expect_str_eq(world.link->device, "eth0");
	cr_expect_eq(world.link->mtu, 1400);
	cr_expect_eq(world.link->zone, 7);
	sh_in(world.guest, "ip addr show eth0 | grep -q 'inet 10.77.0.5/24 scope global eth0'");
	sh_in(world.guest, "ip addr show eth0 | grep 'inet6 fd77:7467::5/64' | grep -qv tentative");
	sh_in(world.guest, "ip link show eth0 | grep -q 'UP,LOWER_UP.* mtu 1400'");
	sh_in(world.guest, "ip link show lo | grep -q 'LOOPBACK,UP'");
	sh_in(world.guest,
		"ip route get 192.0.2.1 | grep -q 'via 10.77.0.1 dev eth0 src 10.77.0.5'");
	sh_in(world.guest, "ip -6 route get 2001:db8::1 | grep -q 'via fd77:7467::1 dev eth0.*src "
			   "fd77:7467::5'");
	sh_in(world.maker, "ip -br link | wc -l | grep -qx 1");
	sh("ip -br link | wc -l | grep -qx 1");
	world.link->ops->close(world.link);
	sh_in(world.guest, "ip -br link | wc -l | grep -qx 1");
	world.link = NULL;
	world_close(&world);
}

Test(tundev, idle_guest_is_silent, .init = world_enter_with_tun)
{
	struct world world = world_open();

	cr_expect_not(world_wait(world.link->fd, 1500));
	cr_expect_eq(world.link->ops->read(world.link, world.packets, BURST), 0);
	world_close(&world);
}

Test(tundev, packets_both_ways, .init = world_enter_with_tun)
{
	struct world world = world_open();
	const struct sockaddr_in to = server();
	const int fd = guest_socket(&world, SOCK_DGRAM);
	char text[16] = {0};

	for (unsigned i = 0; i < BURST + 1; i++)
		cr_assert_eq(sendto(fd, "ping", 4, 0, (const void *)&to, sizeof(to)), 4);
	cr_expect_eq(world.link->ops->read(world.link, world.packets, BURST), BURST);
	const struct packet *packet = read_one(&world);
	cr_expect_eq(packet->in_zone, 7);
	cr_expect_eq(packet->length, 32);
	cr_expect_eq(packet->headers.destination_port, htons(80));
	cr_expect_arr_eq(packet->data + packet->headers.payload, "ping", 4);
	cr_expect_null(packet_fault(packet));

	snprintf(text, sizeof(text), "10.77.0.5:%u", ntohs(packet->headers.source_port));
	write_one(&world, UDP_PACKET("192.0.2.1:80", text, .payload = "pong", .payload_bytes = 4));
	write_one(&world, UDP_PACKET("192.0.2.1:80", text, .payload = "part", .payload_bytes = 4,
				  .partial_checksum = true));
	cr_expect_eq(recv(fd, text, sizeof(text), 0), 4);
	cr_expect_arr_eq(text, "pong", 4);
	cr_expect_eq(recv(fd, text, sizeof(text), 0), 4);
	cr_expect_arr_eq(text, "part", 4);
	close(fd);
	world_close(&world);
}

/* A TCP connection of the guest's, whose other end is played here. */
struct connection {
	int fd;
	char guest[24];
	uint32_t next; /* sequence expected from the guest */
	uint32_t sequence;
};

static struct connection connection_open(struct world *world)
{
	const struct sockaddr_in to = server();
	struct connection connection = {
		.fd = guest_socket(world, SOCK_STREAM | SOCK_NONBLOCK), .sequence = 5000};

	fcntl(connection.fd, F_SETFL, O_NONBLOCK);
	connect(connection.fd, (const void *)&to, sizeof(to));
	const struct packet *syn = read_one(world);
	const struct tcp_header *tcp = packet_l4(syn);
	connection.next = ntohl(tcp->sequence) + 1;
	snprintf(connection.guest, sizeof(connection.guest), "10.77.0.5:%u",
		ntohs(tcp->source_port));
	write_one(
		world, TCP_PACKET("192.0.2.1:80", connection.guest, .tcp_flags = TCP_SYN | TCP_ACK,
			       .mss = 1360, .scale = 7, .sequence = connection.sequence++,
			       .acknowledgment = connection.next));
	read_one(world); /* ACK */
	fcntl(connection.fd, F_SETFL, 0);
	return connection;
}

Test(tundev, super_packets_from_the_guest, .init = world_enter_with_tun)
{
	struct world world = world_open();
	struct connection connection = connection_open(&world);
	static char data[13600];

	cr_assert_eq(send(connection.fd, data, sizeof(data), 0), (ssize_t)sizeof(data));
	const struct packet *packet = read_one(&world);
	cr_expect_eq(packet->offload.gso_type, OFFLOAD_GSO_TCPV4);
	cr_expect_eq(packet->offload.gso_size, 1360);
	cr_expect_gt(packet->length, 1400);
	cr_expect(packet->offload.flags & OFFLOAD_NEEDS_CSUM);
	cr_expect_null(packet_fault(packet));
	close(connection.fd);
	world_close(&world);
}

static struct packet *data_packet(struct connection *connection, uint32_t bytes, uint16_t gso_size)
{
	static char data[65000];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (char)(i * 7);
	struct packet *packet = TCP_PACKET("192.0.2.1:80", connection->guest,
		.tcp_flags = TCP_ACK | TCP_PSH, .sequence = connection->sequence,
		.acknowledgment = connection->next, .payload = data, .payload_bytes = bytes,
		.partial_checksum = true, .gso_size = gso_size);
	connection->sequence += bytes;
	cr_assert(packet_parse(packet));
	return packet;
}

static void expect_received(struct connection *connection, size_t bytes)
{
	char *data = malloc(bytes);

	cr_assert_eq(recv(connection->fd, data, bytes, MSG_WAITALL), (ssize_t)bytes);
	for (size_t i = 0; i < bytes; i++)
		cr_assert_eq(data[i], (char)(i * 7), "byte %zu", i);
	free(data);
}

Test(tundev, super_packets_to_the_guest, .init = world_enter_with_tun)
{
	struct world world = world_open();
	struct connection connection = connection_open(&world);

	write_one(&world, data_packet(&connection, 60000, 1360));
	expect_received(&connection, 60000);
	cr_expect(world.link->segments);
	close(connection.fd);
	world_close(&world);
}

Test(tundev, refused_super_packets_are_cut, .init = world_enter_with_tun)
{
	struct world world = world_open();
	struct connection connection = connection_open(&world);
	struct packet *packet = data_packet(&connection, 20000, 1360);

	packet->offload.header_size = 60000; /* EINVAL: behind the packet's end */
	write_one(&world, packet);
	expect_received(&connection, 20000);
	cr_expect_not(world.link->segments, "it is remembered");
	write_one(&world, data_packet(&connection, 20000, 1360));
	expect_received(&connection, 20000);
	close(connection.fd);
	world_close(&world);
}

Test(tundev, death_of_the_guest_is_noticed, .init = world_enter_with_tun)
{
	struct world world = world_open();
	struct packet *packet = UDP_PACKET("192.0.2.1:80", "10.77.0.5:9");
	struct packet *const packets[] = {packet};

	close(world.guest);
	cr_expect(world_wait(world.link->fd, 5000), "the descriptor wakes the poll");
	cr_expect_eq(world.link->ops->read(world.link, world.packets, BURST), -ENODEV);
	cr_expect_eq(world.link->ops->write(world.link, packets, 1), -ENODEV);
	packet_dispose(packet);
	world.guest = -1;
	world_close(&world);
}

Test(tundev, interface_set_down_is_no_death, .init = world_enter_with_tun)
{
	struct world world = world_open();
	struct packet *packet = UDP_PACKET("192.0.2.1:80", "10.77.0.5:9");
	struct packet *const packets[] = {packet};

	sh_in(world.guest, "ip link set eth0 down");
	cr_expect_eq(world.link->ops->write(world.link, packets, 1), 0);
	cr_expect_eq(world.link->ops->read(world.link, world.packets, BURST), 0);
	sh_in(world.guest, "ip link set eth0 up");
	cr_expect_eq(world.link->ops->write(world.link, packets, 1), 1);
	packet_dispose(packet);
	world_close(&world);
}

Test(tundev, ipv6_is_switched_on_for_the_link, .init = world_enter_with_tun)
{
	const struct link_settings settings = guest_settings();
	const int guest = world_netns(), maker = world_netns();
	struct link *link;

	sh_in(guest, "sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'");
	cr_assert_eq(link_netns_open(world_log(), &settings, guest, maker, &link), 0);
	sh_in(guest, "ip -6 route get 2001:db8::1 | grep -q 'dev eth0'");
	link->ops->close(link);
}

Test(tundev, obstacles_in_the_guest_are_named, .init = world_enter_with_tun)
{
	const struct link_settings settings = guest_settings();
	const int maker = world_netns();
	const int guest = world_peer("up0", "eth0");
	struct link *link;

	cr_expect_eq(link_netns_open(world_log(), &settings, guest, maker, &link), -EEXIST);
	cr_expect(world_logged("the guest has an interface eth0 already"));
	sh_in(guest, "ip link set eth0 name eth1 up");
	sh_in(guest, "ip route add default dev eth1");
	cr_expect_eq(link_netns_open(world_log(), &settings, guest, maker, &link), -EEXIST);
	cr_expect(world_logged("the guest has an IPv4 default route already"));
	sh_in(guest, "sh -c '! ip link show eth0 2>/dev/null'");
	sh_in(maker, "ip -br link | wc -l | grep -qx 1");
}

Test(tundev, tun_in_our_own_namespace, .init = world_enter_with_tun)
{
	struct link_settings settings = guest_settings();
	struct link *link, *second;

	settings.device = "tg-lab";
	settings.subnet4 = prefix("10.77.0.0/24");
	settings.subnet6 = prefix("fd77:7467::/64");
	cr_assert_eq(link_tun_open(world_log(), &settings, &link), 0);
	cr_expect_str_eq(link->kind, "tun");
	cr_expect_str_eq(link->device, "tg-lab");
	sh("ip route get 10.77.0.9 | grep -q 'dev tg-lab src 10.77.0.1'");
	sh("ip -6 route get fd77:7467::9 | grep -q 'dev tg-lab.*src fd77:7467::1'");
	sh("ip route show dev tg-lab | wc -l | grep -qx 1");

	cr_expect_eq(link_tun_open(world_log(), &settings, &second), -EBUSY);
	cr_expect(world_logged("an interface of this name is in use"));
	settings.device = "tg-two";
	cr_assert_eq(link_tun_open(world_log(), &settings, &second), 0);
	cr_expect(world_logged("the host has a route to 10.77.0.0/24 already"));
	sh("ip route get 10.77.0.9 | grep -q 'dev tg-lab'");
	second->ops->close(second);
	link->ops->close(link);
	sh("ip -br link | wc -l | grep -qx 1");
}
