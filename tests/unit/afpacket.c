/* SPDX-License-Identifier: BSD-2-Clause */
/* afpacket: the uplink's socket on a veth pair whose other end is looked at too, and on a TUN. */
#include "link/afpacket.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../support/packets.h"
#include "../support/world.h"
#include "host/netns.h"

WORLD_PROGRAM

#define BURST        8
#define BUFFER_BYTES (8 * 1024 * 1024)
#define HOST         "192.0.2.2"
#define FAR          "192.0.2.1"

static const struct port_claims claims = {.external = {1, {{61000, 65535}}}};

struct world {
	int peer;
	struct afpacket *uplink; /* on up0, 192.0.2.2 and 2001:db8::2 */
	struct afpacket *far;    /* on net0 in the peer's namespace, 192.0.2.1 and 2001:db8::1 */
	struct next_hop hop;     /* net0 */
	struct packet packets[BURST];
};

static struct afpacket *open_on(const char *name)
{
	struct afpacket *afpacket;

	cr_assert_eq(
		afpacket_open(world_log(), world_ifindex(name), BUFFER_BYTES, &claims, &afpacket),
		0);
	return afpacket;
}

static void mac_of(const char *name, uint8_t mac[6])
{
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	cr_assert_eq(ioctl(fd, SIOCGIFHWADDR, &request), 0);
	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
	close(fd);
}

static void packets_make(struct packet *packets)
{
	for (unsigned i = 0; i < BURST; i++) {
		uint8_t *bytes = malloc(PACKET_HEADROOM + PACKET_BYTES_MAX);

		packets[i] = (struct packet){
			.data = bytes + PACKET_HEADROOM, .capacity = PACKET_BYTES_MAX};
	}
}

static void packets_free(struct packet *packets)
{
	for (unsigned i = 0; i < BURST; i++)
		free(packets[i].data - PACKET_HEADROOM);
}

static struct world world_open(void)
{
	struct world world = {.peer = world_uplink()};

	sh("ping -qc1 -W1 " FAR " >/dev/null; ping -qc1 -W1 2001:db8::1 >/dev/null");
	world.uplink = open_on("up0");
	const int previous = netns_enter(world.peer);
	world.far = open_on("net0");
	mac_of("net0", world.hop.mac);
	netns_leave(previous);
	packets_make(world.packets);
	return world;
}

static void world_close(struct world *world)
{
	afpacket_close(world->uplink);
	afpacket_close(world->far);
	packets_free(world->packets);
	close(world->peer);
}

/* Write one packet, and dispose of it. */
static int write_one(struct world *world, struct packet *packet)
{
	struct packet *const packets[] = {packet};
	const struct next_hop *const hops[] = {&world->hop};

	if (!packet->parsed)
		cr_assert(packet_parse(packet));
	const int taken = afpacket_write(world->uplink, packets, hops, 1);
	packet_dispose(packet);
	return taken;
}

#define SILENCE_MS 150
#define ANSWER_MS  3000 /* on a busy machine */

/* Expect this many packets, all of them good, and none after them. */
static void expect_packets(
	struct world *world, struct afpacket *afpacket, int count, const char *what)
{
	int read = 0;

	while (read < BURST &&
		world_wait(afpacket_fd(afpacket), read < count ? ANSWER_MS : SILENCE_MS))
		read += afpacket_read(afpacket, world->packets + read, (unsigned)(BURST - read));
	cr_expect_eq(read, count, "%s", what);
	for (int i = 0; i < read; i++) {
		cr_expect(packet_parse(&world->packets[i]), "%s", what);
		cr_expect_null(packet_fault(&world->packets[i]), "%s", what);
		cr_expect_eq(world->packets[i].in_zone, ZONE_UPLINK);
	}
}

/* A datagram from the peer's kernel. */
static void send_from_peer(const struct world *world, const char *to, uint16_t port, size_t bytes)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = inet_addr(to)};
	const int fd = netns_socket(world->peer, AF_INET, SOCK_DGRAM, 0);
	static const char data[2000];

	cr_expect_eq(sendto(fd, data, bytes, 0, (const void *)&address, sizeof(address)),
		(ssize_t)bytes);
	close(fd);
}

Test(afpacket, reads_what_is_ours, .init = world_enter)
{
	struct world world = world_open();

	send_from_peer(&world, HOST, 60999, 10);
	send_from_peer(&world, HOST, 61000, 10);
	send_from_peer(&world, HOST, 60999, 10);
	send_from_peer(&world, HOST, 65535, 20);
	expect_packets(&world, world.uplink, 2, "");
	cr_expect_eq(world.packets[0].headers.destination_port, htons(61000));
	cr_expect_eq(world.packets[0].length, 38);
	cr_expect(world.packets[0].offload.flags & OFFLOAD_NEEDS_CSUM, "as veth leaves it");
	cr_expect_eq(world.packets[1].headers.destination_port, htons(65535));
	cr_expect_eq(afpacket_read(world.uplink, world.packets, BURST), 0);
	world_close(&world);
}

Test(afpacket, claims_change, .init = world_enter)
{
	static const struct published dns[] = {{IPPROTO_UDP, {53, 53}}};
	const struct port_claims with_dns = {
		.external = {1, {{61000, 65535}}}, .published = dns, .published_count = 1};
	struct world world = world_open();

	send_from_peer(&world, HOST, 53, 10);
	expect_packets(&world, world.uplink, 0, "");
	cr_expect_eq(afpacket_claims_set(world.uplink, &with_dns), 0);
	send_from_peer(&world, HOST, 53, 10);
	expect_packets(&world, world.uplink, 1, "");
	world_close(&world);
}

/* A program at the other end that takes datagrams, so that no ICMP error answers them. */
static int sink(const struct world *world, uint16_t port)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
	const int fd = netns_socket(world->peer, AF_INET, SOCK_DGRAM, 0);

	cr_assert_eq(bind(fd, (const void *)&any, sizeof(any)), 0);
	return fd;
}

Test(afpacket, hears_neither_itself_nor_the_host, .init = world_enter)
{
	struct world world = world_open();
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(61000), .sin_addr.s_addr = inet_addr(FAR)};
	const int fd = socket(AF_INET, SOCK_DGRAM, 0), far_end = sink(&world, 61000);

	cr_expect_eq(sendto(fd, "x", 1, 0, (const void *)&to, sizeof(to)), 1);
	cr_expect_eq(write_one(&world, UDP_PACKET(HOST ":61000", FAR ":61000")), 1);
	expect_packets(&world, world.far, 2, "both left");
	expect_packets(&world, world.uplink, 0, "");
	close(fd);
	close(far_end);
	world_close(&world);
}

/* Put a frame on the wire at the far end. */
static void inject(const struct world *world, const uint8_t *head, size_t head_bytes)
{
	struct packet *packet = UDP_PACKET(FAR ":443", HOST ":61000");
	const int fd = netns_socket(world->peer, AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll to = {.sll_family = AF_PACKET};
	uint8_t frame[128];

	const int previous = netns_enter(world->peer);
	to.sll_ifindex = world_ifindex("net0");
	netns_leave(previous);
	memcpy(frame, head, head_bytes);
	memcpy(frame + head_bytes, packet->data, packet->length);
	cr_expect_gt(sendto(fd, frame, head_bytes + packet->length, 0, (void *)&to, sizeof(to)), 0);
	close(fd);
	packet_dispose(packet);
}

Test(afpacket, frames_for_others_and_tagged_ones, .init = world_enter)
{
	struct world world = world_open();
	uint8_t head[18] = {0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0x08, 0x00};

	mac_of("up0", head);
	inject(&world, head, 14);
	expect_packets(&world, world.uplink, 1, "");
	head[5] ^= 1;
	inject(&world, head, 14);
	expect_packets(&world, world.uplink, 0, "another MAC");
	head[5] ^= 1;
	memcpy(head + 12, "\x81\x00\x00\x05\x08\x00", 6);
	inject(&world, head, 18);
	expect_packets(&world, world.uplink, 0, "VLAN 5");
	world_close(&world);
}

Test(afpacket, writes_in_order_and_says_whose, .init = world_enter)
{
	struct world world = world_open();
	struct packet *packets[3];
	const struct next_hop *hops[] = {&world.hop, &world.hop, &world.hop};
	const uint8_t mac[6] = {2, 0, 0, 1, 2, 3};

	for (unsigned i = 0; i < 3; i++)
		packets[i] = i == 1 ? UDP_PACKET("[2001:db8::2]:61000", "[2001:db8::1]:61001",
					      .partial_checksum = true)
				    : UDP_PACKET(HOST ":61000", FAR ":61001", .payload_bytes = i);
	afpacket_mac_set(world.uplink, mac);
	cr_expect_eq(afpacket_write(world.uplink, packets, hops, 3), 3);
	expect_packets(&world, world.far, 3, "");
	cr_expect_eq(world.packets[0].length, 28);
	cr_expect_eq(world.packets[1].headers.family, AF_INET6);
	cr_expect_eq(world.packets[2].length, 30);
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_arr_eq(world.packets[i].data - 8, mac, 6);
		packet_dispose(packets[i]);
	}
	world_close(&world);
}

static struct packet *tcp_super(uint32_t bytes)
{
	return TCP_PACKET(HOST ":61000", FAR ":61001", .tcp_flags = TCP_ACK, .sequence = 1,
		.payload_bytes = bytes, .partial_checksum = true, .gso_size = 1000);
}

static struct packet *udp_super(uint32_t bytes)
{
	return UDP_PACKET(HOST ":61000", FAR ":61001", .payload_bytes = bytes,
		.partial_checksum = true, .gso_size = 1000);
}

Test(afpacket, super_packets_stay_whole, .init = world_enter)
{
	struct world world = world_open();

	cr_expect_eq(write_one(&world, tcp_super(60000)), 1);
	expect_packets(&world, world.far, 1, "");
	cr_expect_eq(world.packets[0].length, 60040);
	cr_expect_eq(world.packets[0].offload.gso_type, OFFLOAD_GSO_TCPV4);
	cr_expect_eq(world.packets[0].offload.gso_size, 1000);
	cr_expect_eq(write_one(&world, udp_super(30000)), 1);
	expect_packets(&world, world.far, 1, "");
	cr_expect_eq(world.packets[0].length, 30028);
	cr_expect_eq(world.packets[0].offload.gso_type, OFFLOAD_GSO_UDP_L4);
	world_close(&world);
}

Test(afpacket, device_without_offloads, .init = world_enter)
{
	struct world world = world_open();

	sh("ethtool -K up0 tx off tso off gso off >/dev/null");
	cr_expect_eq(write_one(&world, tcp_super(3500)), 1);
	expect_packets(&world, world.far, 4, "the kernel has cut it");
	cr_expect_eq(world.packets[3].length, 540);
	cr_expect_eq(world.packets[3].offload.flags & OFFLOAD_NEEDS_CSUM, 0);
	world_close(&world);
}

Test(afpacket, refused_super_packets_are_cut, .init = world_enter)
{
	struct world world = world_open();
	struct packet *packets[] = {UDP_PACKET(HOST ":61000", FAR ":61001"), tcp_super(2500),
		UDP_PACKET(HOST ":61000", FAR ":61001"), tcp_super(1500)};
	const struct next_hop *hops[] = {&world.hop, &world.hop, &world.hop, &world.hop};

	for (unsigned i = 0; i < 4; i++)
		cr_assert(packet_parse(packets[i]));
	packets[1]->offload.header_size = 60000; /* EINVAL: behind the packet's end */
	cr_expect_eq(afpacket_write(world.uplink, packets, hops, 4), 4);
	expect_packets(&world, world.far, 6, "1 + 3 + 1 + 1, in order");
	cr_expect_eq(world.packets[0].headers.kind, L4_UDP);
	cr_expect_eq(world.packets[3].length, 540);
	cr_expect_eq(world.packets[4].headers.kind, L4_UDP);
	cr_expect_eq(world.packets[5].length, 1540, "a message already");
	for (unsigned i = 0; i < 4; i++)
		packet_dispose(packets[i]);
	cr_expect_eq(write_one(&world, tcp_super(1500)), 1);
	expect_packets(&world, world.far, 2, "remembered");
	cr_expect_eq(write_one(&world, udp_super(2000)), 1);
	expect_packets(&world, world.far, 1, "UDP has a flag of its own");
	world_close(&world);
}

Test(afpacket, one_bad_packet_costs_no_other, .init = world_enter)
{
	struct world world = world_open();
	struct packet *packets[] = {UDP_PACKET(HOST ":61000", FAR ":61001"),
		UDP_PACKET(HOST ":61000", FAR ":61001", .payload_bytes = 3000),
		UDP_PACKET(HOST ":61000", FAR ":61001")};
	const struct next_hop *hops[] = {&world.hop, &world.hop, &world.hop};

	cr_expect_eq(afpacket_write(world.uplink, packets, hops, 3), 2, "3000 > MTU");
	expect_packets(&world, world.far, 2, "");
	for (unsigned i = 0; i < 3; i++)
		packet_dispose(packets[i]);
	world_close(&world);
}

Test(afpacket, bursts_end_by_bytes_too, .init = world_enter)
{
	struct world world = world_open();

	for (unsigned i = 0; i < 6; i++)
		cr_expect_eq(write_one(&world, tcp_super(60000)), 1);
	expect_packets(&world, world.far, 6, "the size is learned");
	for (unsigned i = 0; i < 6; i++)
		cr_expect_eq(write_one(&world, tcp_super(60000)), 1);
	cr_expect(world_wait(afpacket_fd(world.far), ANSWER_MS));
	const int count = afpacket_read(world.far, world.packets, BURST);
	cr_expect(count > 0 && count <= 3, "%d", count);
	world_close(&world);
}

Test(afpacket, loss_is_counted, .init = world_enter)
{
	struct afpacket *small;
	struct world world = world_open();

	cr_assert_eq(afpacket_open(world_log(), world_ifindex("up0"), 20000, &claims, &small), 0);
	for (unsigned i = 0; i < 200; i++)
		send_from_peer(&world, HOST, 61000, 1000);
	cr_expect_gt(afpacket_lost(small), 50);
	cr_expect_eq(afpacket_lost(small), 0, "since the last call");
	cr_expect_eq(afpacket_lost(world.uplink), 0);
	afpacket_close(small);
	world_close(&world);
}

Test(afpacket, interface_down_and_up_and_gone, .init = world_enter)
{
	struct world world = world_open();
	struct packet *packet = UDP_PACKET(HOST ":61000", FAR ":61001");
	struct packet *const packets[] = {packet};
	const struct next_hop *const hops[] = {&world.hop};
	const int far_end = sink(&world, 61001);

	sh("ip link set up0 down");
	cr_expect(world_wait(afpacket_fd(world.uplink), 100), "it wakes the poll");
	cr_expect_eq(afpacket_read(world.uplink, world.packets, BURST), -ENETDOWN);
	cr_expect_eq(afpacket_write(world.uplink, packets, hops, 1), -ENETDOWN);
	sh("ip link set up0 up");
	cr_expect_eq(afpacket_write(world.uplink, packets, hops, 1), 1);
	send_from_peer(&world, HOST, 61000, 10);
	expect_packets(&world, world.uplink, 1, "");
	sh("ip link del up0");
	cr_expect_eq(afpacket_read(world.uplink, world.packets, BURST), -ENETDOWN);
	cr_expect_eq(afpacket_write(world.uplink, packets, hops, 1), -ENETDOWN);
	packet_dispose(packet);
	close(far_end);
	world_close(&world);
}

Test(afpacket, refuses_what_is_not_there, .init = world_enter)
{
	struct afpacket *afpacket;

	cr_expect_eq(afpacket_open(world_log(), 12345, BUFFER_BYTES, &claims, &afpacket), -ENODEV);
	cr_expect(world_logged("no interface with index 12345"));
}

Test(afpacket, uplink_without_ethernet, .init = world_enter_with_tun)
{
	const struct link_settings settings = {.device = "ppp7", .mtu = 1500};
	const struct next_hop hop = {{0}};
	const struct next_hop *const hops[] = {&hop, &hop};
	struct packet packets[BURST];
	struct link *wire;

	cr_assert_eq(link_tun_open(world_log(), &settings, &wire), 0);
	packets_make(packets);
	struct afpacket *uplink = open_on("ppp7");
	struct packet *const out[] = {UDP_PACKET(HOST ":61000", FAR ":53", .payload_bytes = 9),
		TCP_PACKET("[2001:db8::2]:61000", "[2001:db8::1]:80", .tcp_flags = TCP_ACK,
			.payload_bytes = 5000, .partial_checksum = true, .gso_size = 1000)};
	cr_expect_eq(afpacket_write(uplink, out, hops, 2), 2);
	cr_expect_eq(wire->ops->read(wire, packets, BURST), 2);
	cr_expect_eq(packets[0].length, 37);
	cr_expect_eq(packets[1].length, 5060);
	cr_expect_eq(packets[1].offload.gso_type, OFFLOAD_GSO_TCPV6);

	struct packet *in[] = {UDP_PACKET(FAR ":53", HOST ":61000"),
		UDP_PACKET(FAR ":53", HOST ":60000"),
		UDP_PACKET("[2001:db8::1]:53", "[2001:db8::2]:61000", .partial_checksum = true)};
	cr_expect_eq(wire->ops->write(wire, in, 3), 3);
	cr_expect_eq(afpacket_read(uplink, packets, BURST), 2);
	for (unsigned i = 0; i < 2; i++) {
		cr_expect(packet_parse(&packets[i]));
		cr_expect_null(packet_fault(&packets[i]));
		packet_dispose(out[i]);
	}
	cr_expect_eq(packets[1].headers.family, AF_INET6);
	for (unsigned i = 0; i < 3; i++)
		packet_dispose(in[i]);
	afpacket_close(uplink);
	wire->ops->close(wire);
	packets_free(packets);
}
