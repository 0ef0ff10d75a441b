/* SPDX-License-Identifier: BSD-2-Clause */
/* tap and netdev, against the kernel at the other end; qemu, against a machine of ours. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../support/packets.h"
#include "../support/world.h"
#include "host/netns.h"
#include "lan/lan.h"
#include "link/framing.h"
#include "link/link.h"

WORLD_PROGRAM

#define BURST     4
#define GUEST_MAC "\x52\x54\x00\x00\x00\x02"
#define GUEST     "10.77.0.2"
#define SERVER    "192.0.2.1"

struct bench {
	int guest; /* namespace */
	struct link *link;
	struct packet packets[BURST];
};

static void packets_make(struct bench *bench)
{
	for (unsigned i = 0; i < BURST; i++) {
		uint8_t *bytes = malloc(PACKET_HEADROOM + PACKET_BYTES_MAX);

		bench->packets[i].data = bytes + PACKET_HEADROOM;
		bench->packets[i].capacity = PACKET_BYTES_MAX;
	}
}

static void bench_close(struct bench *bench)
{
	if (bench->link)
		bench->link->ops->close(bench->link);
	for (unsigned i = 0; i < BURST; i++)
		free(bench->packets[i].data - PACKET_HEADROOM);
	close(bench->guest);
}

/* The guest's kernel has its address on `device`, and knows the gateway. */
static void guest_configure(int guest, const char *device)
{
	sh_in(guest, "ip link set %s address 52:54:00:00:00:02 up", device);
	sh_in(guest, "ip address add " GUEST "/24 dev %s", device);
	sh_in(guest, "ip neighbour add 10.77.0.1 lladdr 02:74:67:00:00:01 dev %s", device);
	sh_in(guest, "ip route add default via 10.77.0.1");
}

static const struct link_settings settings = {.zone = 7,
	.device = "vm0",
	.mtu = 1400,
	.bridge = "",
	.socket = "",
	.owner = (uid_t)-1,
	.owner_group = (gid_t)-1};

static struct bench tap_bench(void)
{
	struct bench bench = {.guest = world_netns()};

	packets_make(&bench);
	cr_assert_eq(link_tap_open(world_log(), &settings, &bench.link), 0);
	sh("ip link set vm0 netns /proc/self/fd/%d", bench.guest);
	guest_configure(bench.guest, "vm0");
	return bench;
}

static struct bench netdev_bench(void)
{
	struct bench bench = {.guest = world_peer("vm0", "eth0")};

	packets_make(&bench);
	cr_assert_eq(link_netdev_open(world_log(), &settings, &bench.link), 0);
	guest_configure(bench.guest, "eth0");
	return bench;
}

/* Read until an IPv4 packet to the server comes: the kernel says this and that of its own. */
static struct packet *read_one(struct bench *bench)
{
	for (unsigned i = 0; i < 20; i++) {
		struct packet *packet = &bench->packets[0];

		cr_assert(world_wait(bench->link->fd, 2000), "a frame");
		if (bench->link->ops->read(bench->link, packet, 1) == 1 && packet_parse(packet) &&
			packet->headers.family == AF_INET &&
			packet->headers.destination.v4 == inet_addr(SERVER))
			return packet;
	}
	cr_assert_fail("nothing but noise");
	return NULL;
}

/* Put the Ethernet header in front and write. */
static void write_one(struct bench *bench, struct packet *packet)
{
	struct ethernet_header *ethernet = (struct ethernet_header *)(packet->data - 14);
	struct packet *const packets[] = {packet};

	memcpy(ethernet->destination, GUEST_MAC, 6);
	memcpy(ethernet->source, LAN_GATEWAY_MAC, 6);
	ethernet->type = htons(0x0800);
	cr_expect_eq(bench->link->ops->write(bench->link, packets, 1), 1);
	packet_dispose(packet);
}

static int guest_socket(const struct bench *bench, int type)
{
	const int fd = netns_socket(bench->guest, AF_INET, type, 0);

	cr_assert(fd >= 0);
	fcntl(fd, F_SETFL, 0);
	return fd;
}

static void expect_datagrams_both_ways(struct bench *bench)
{
	const struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = inet_addr(SERVER)};
	const int fd = guest_socket(bench, SOCK_DGRAM);
	char text[32] = {0};

	cr_assert_eq(sendto(fd, "ping", 4, 0, (const void *)&to, sizeof(to)), 4);
	const struct packet *packet = read_one(bench);
	cr_expect_eq(packet->in_zone, 7);
	cr_expect_eq(packet->length, 32);
	cr_expect_arr_eq(packet->data - 14, LAN_GATEWAY_MAC, 6);
	cr_expect_arr_eq(packet->data - 8, GUEST_MAC, 6);
	cr_expect_null(packet_fault(packet), "offsets count from the IP header");
	snprintf(text, sizeof(text), GUEST ":%u", ntohs(packet->headers.source_port));
	write_one(bench, UDP_PACKET(SERVER ":80", text, .payload = "whole", .payload_bytes = 5));
	write_one(bench, UDP_PACKET(SERVER ":80", text, .payload = "half!", .payload_bytes = 5,
				 .partial_checksum = true));
	cr_expect_eq(recv(fd, text, sizeof(text), 0), 5);
	cr_expect_arr_eq(text, "whole", 5);
	cr_expect_eq(recv(fd, text, sizeof(text), 0), 5);
	cr_expect_arr_eq(text, "half!", 5);
	close(fd);
}

/* A super-packet of UDP, which a socket gets in the datagrams that it stands for. */
static void expect_super_packets(struct bench *bench)
{
	const struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(5000)};
	const int fd = guest_socket(bench, SOCK_DGRAM);
	char data[2000];

	cr_assert_eq(bind(fd, (const void *)&own, sizeof(own)), 0);
	write_one(bench, UDP_PACKET(SERVER ":80", GUEST ":5000", .payload_bytes = 2500,
				 .partial_checksum = true, .gso_size = 1000));
	cr_expect_eq(recv(fd, data, sizeof(data), 0), 1000);
	cr_expect_eq(recv(fd, data, sizeof(data), 0), 1000);
	cr_expect_eq(recv(fd, data, sizeof(data), 0), 500);
	close(fd);
}

Test(ethernet_links, tap_carries_frames, .init = world_enter_with_tun)
{
	struct bench bench = tap_bench();

	cr_expect_str_eq(bench.link->kind, "tap");
	expect_datagrams_both_ways(&bench);
	expect_super_packets(&bench);
	bench_close(&bench);
}

Test(ethernet_links, netdev_carries_frames, .init = world_enter)
{
	struct bench bench = netdev_bench();

	cr_expect_str_eq(bench.link->kind, "netdev");
	cr_expect_eq(bench.link->ifindex, world_ifindex("vm0"));
	expect_datagrams_both_ways(&bench);
	expect_super_packets(&bench);
	bench_close(&bench);
}

Test(ethernet_links, netdev_outlives_down_and_not_the_end, .init = world_enter)
{
	struct bench bench = netdev_bench();

	sh("ip link set vm0 down");
	cr_expect(world_wait(bench.link->fd, 1000), "it wakes the poll");
	cr_expect_eq(bench.link->ops->read(bench.link, bench.packets, BURST), 0);
	sh("ip link set vm0 up");
	sh_in(bench.guest, "ip route replace default via 10.77.0.1");
	expect_datagrams_both_ways(&bench);
	sh("ip link delete vm0");
	cr_expect_eq(bench.link->ops->read(bench.link, bench.packets, BURST), -ENODEV);
	bench_close(&bench);
}

/* ---- qemu ---- */

static struct bench qemu_bench(const char *path)
{
	struct link_settings wanted = settings;
	struct bench bench = {.guest = -1};

	wanted.socket = path;
	packets_make(&bench);
	cr_assert_eq(link_qemu_open(world_log(), &wanted, &bench.link), 0);
	return bench;
}

static int machine_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	cr_assert_eq(connect(fd, (const void *)&address, sizeof(address)), 0);
	return fd;
}

static void path_make(char path[64])
{
	snprintf(path, 64, "/tmp/tungate-qemu-%d", (int)getpid());
}

static void frame_send(int fd, uint8_t byte, uint32_t length)
{
	uint8_t frame[FRAMING_LENGTH_BYTES + 2000];

	framing_prefix(frame, length);
	memset(frame + FRAMING_LENGTH_BYTES, byte, length);
	cr_assert_eq(send(fd, frame, FRAMING_LENGTH_BYTES + length, 0),
		(ssize_t)(FRAMING_LENGTH_BYTES + length));
}

Test(ethernet_links, qemu_reads_many_frames_at_once)
{
	char path[64];
	unsigned heard = 0;

	path_make(path);
	struct bench bench = qemu_bench(path);
	const int machine = machine_connect(path);
	cr_expect(bench.link->away);
	cr_expect_eq(bench.link->ops->read(bench.link, bench.packets, BURST), 0, "it is accepted");
	cr_expect_not(bench.link->away);
	for (unsigned i = 0; i < 3 * BURST; i++)
		frame_send(machine, (uint8_t)i, 100 + i);
	frame_send(machine, 0, 14); /* nothing in it */
	do {
		cr_assert_eq(bench.link->ops->read(bench.link, bench.packets, BURST), BURST);
		for (unsigned i = 0; i < BURST; i++, heard++) {
			cr_expect_eq(bench.packets[i].length, 86 + heard);
			cr_expect_eq(bench.packets[i].data[-14], heard);
			cr_expect_eq(bench.packets[i].data[85 + heard], heard);
		}
	} while (heard < 3 * BURST);
	cr_expect_eq(bench.link->ops->read(bench.link, bench.packets, BURST), 0);
	cr_expect_not(bench.link->more);
	close(machine);
	cr_expect(world_wait(bench.link->fd, 1000));
	bench.link->ops->read(bench.link, bench.packets, BURST);
	cr_expect(bench.link->away);
	bench_close(&bench);
	cr_expect_lt(access(path, F_OK), 0, "its name is gone");
}

/* Take whole frames off what a machine has read; each must be what was written. */
static unsigned frames_check(struct framing *framing)
{
	const uint8_t *frame;
	uint32_t length;
	unsigned count = 0;

	while (framing_next(framing, 65535 + 54, &frame, &length) == FRAMING_FRAME) {
		struct packet *packet = packet_from_bytes(frame + 14, length - 14, length);

		cr_assert_arr_eq(frame, GUEST_MAC, 6);
		cr_assert(packet_parse(packet));
		cr_assert_null(packet_fault(packet), "a segment with its checksum");
		packet_dispose(packet);
		count++;
	}
	return count;
}

static unsigned machine_read(int machine, struct framing *framing)
{
	unsigned count = 0;

	for (;;) {
		size_t room;
		uint8_t *space = framing_space(framing, &room);
		const ssize_t got = recv(machine, space, room, MSG_DONTWAIT);

		if (got <= 0)
			return count;
		framing_add(framing, (size_t)got);
		count += frames_check(framing);
	}
}

Test(ethernet_links, qemu_cuts_and_sends_whole_frames_whatever_the_machine_reads)
{
	struct framing *framing = calloc(1, sizeof(*framing));
	char path[64];
	unsigned heard = 0, refused = 0;

	path_make(path);
	struct bench bench = qemu_bench(path);
	const int machine = machine_connect(path);
	bench.link->ops->read(bench.link, bench.packets, BURST);
	write_one(&bench, UDP_PACKET(SERVER ":80", GUEST ":5000", .payload_bytes = 100,
				  .partial_checksum = true));
	write_one(&bench,
		TCP_PACKET(SERVER ":80", GUEST ":5000", .tcp_flags = TCP_ACK,
			.payload_bytes = 30000, .partial_checksum = true, .gso_size = 1000));
	cr_expect_eq(machine_read(machine, framing), 31);

	/* More than the socket holds: frames are lost, none in part. */
	for (unsigned i = 0; i < 400; i++) {
		struct packet *packet =
			TCP_PACKET(SERVER ":80", GUEST ":5000", .tcp_flags = TCP_ACK,
				.payload_bytes = 60000, .partial_checksum = true, .gso_size = 1401);
		struct packet *const packets[] = {packet};

		memcpy(packet->data - 14, GUEST_MAC, 6);
		refused += bench.link->ops->write(bench.link, packets, 1) != 1;
		packet_dispose(packet);
	}
	cr_expect_gt(refused, 0);
	heard = machine_read(machine, framing);
	cr_expect_gt(heard, 40);
	/* What was left of the last one comes when there is room. */
	cr_expect_eq(bench.link->ops->read(bench.link, bench.packets, BURST), 0);
	machine_read(machine, framing);
	write_one(&bench, UDP_PACKET(SERVER ":80", GUEST ":5000", .payload_bytes = 9));
	cr_expect_geq(machine_read(machine, framing), 1);
	cr_expect_eq(framing->begin, framing->end, "and no byte too many");
	close(machine);
	bench_close(&bench);
	free(framing);
}

Test(ethernet_links, qemu_takes_the_place_of_the_dead_only)
{
	struct link_settings wanted = settings;
	char path[64];
	struct stat found;
	struct link *second;

	path_make(path);
	struct bench bench = qemu_bench(path);
	wanted.socket = path;
	cr_assert_eq(stat(path, &found), 0);
	cr_expect_eq(found.st_mode & 0777, 0600);
	cr_expect_eq(link_qemu_open(world_log(), &wanted, &second), -EADDRINUSE);
	cr_expect(world_logged("another program has the socket"));
	bench_close(&bench);

	const int fd = open(path, O_CREAT | O_RDWR, 0600);
	cr_expect_eq(link_qemu_open(world_log(), &wanted, &second), -EEXIST);
	close(fd);
	unlink(path);

	/* A socket whose owner has died. */
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int dead = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	cr_assert_eq(bind(dead, (const void *)&address, sizeof(address)), 0);
	close(dead);
	bench = qemu_bench(path);
	bench_close(&bench);
}

static unsigned descriptors_open(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

Test(ethernet_links, qemu_leaves_nothing_open_where_there_can_be_no_socket)
{
	struct link_settings wanted = settings;
	struct link *link;

	wanted.socket = "/dev/null/socket";
	const unsigned before = descriptors_open();
	cr_expect_eq(link_qemu_open(world_log(), &wanted, &link), -ENOTDIR);
	cr_expect(world_logged("cannot make the socket /dev/null/socket"));
	cr_expect_eq(descriptors_open(), before);
}

/* Put a link to the victim wherever a socket appears. */
static pid_t replacer_start(const char *path, const char *victim)
{
	const pid_t child = fork();
	char link[80];
	struct stat found;

	if (child != 0)
		return child;
	snprintf(link, sizeof(link), "%s-link", path);
	for (;;)
		if (lstat(path, &found) == 0 && S_ISSOCK(found.st_mode) &&
			symlink(victim, link) == 0)
			rename(link, path);
}

/* Its directory may belong to somebody else. */
Test(ethernet_links, qemu_gives_away_its_socket_and_no_other_file)
{
	struct link_settings wanted = settings;
	char path[64], victim[80];
	struct stat found;
	struct link *link;

	path_make(path);
	snprintf(victim, sizeof(victim), "%s-victim", path);
	close(open(victim, O_CREAT | O_WRONLY, 0600));
	wanted.socket = path;
	wanted.owner_group = getgid();
	umask(077);
	cr_assert_eq(link_qemu_open(world_log(), &wanted, &link), 0);
	cr_expect_eq(stat(path, &found), 0);
	cr_expect_eq(found.st_mode & 0777, 0660, "whatever the mask");
	link->ops->close(link);

	const pid_t replacer = replacer_start(path, victim);
	for (unsigned i = 0; i < 1000; i++) {
		if (link_qemu_open(world_log(), &wanted, &link) == 0)
			link->ops->close(link);
		unlink(path);
	}
	kill(replacer, SIGKILL);
	waitpid(replacer, NULL, 0);
	cr_expect_eq(stat(victim, &found), 0);
	cr_expect_eq(found.st_mode & 0777, 0600);
	snprintf(path + strlen(path), sizeof(path) - strlen(path), "-link");
	unlink(path);
	unlink(victim);
}

/* The kernel says of a name that fills the whole address that it is a byte longer. */
Test(ethernet_links, qemu_answers_a_datagram_machine_with_the_longest_name)
{
	struct sockaddr_un machine = {.sun_family = AF_UNIX}, gateway = machine;
	struct link_settings wanted = settings;
	uint8_t frame[200] = {0};
	struct bench bench = {.guest = -1};
	char path[64];

	path_make(path);
	packets_make(&bench);
	wanted.socket = path;
	wanted.datagram = true;
	cr_assert_eq(link_qemu_open(world_log(), &wanted, &bench.link), 0);
	const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	const int written = snprintf(machine.sun_path, sizeof(machine.sun_path), "%s-", path);
	memset(machine.sun_path + written, 'm', sizeof(machine.sun_path) - (size_t)written);
	cr_assert_eq(bind(fd, (const void *)&machine, sizeof(machine)), 0);
	snprintf(gateway.sun_path, sizeof(gateway.sun_path), "%s", path);
	cr_assert_eq(
		sendto(fd, frame, sizeof(frame), 0, (const void *)&gateway, sizeof(gateway)), 200);
	cr_expect_eq(bench.link->ops->read(bench.link, bench.packets, BURST), 1);
	write_one(&bench, UDP_PACKET(SERVER ":80", GUEST ":5000", .payload_bytes = 9));
	cr_expect_gt(recv(fd, frame, sizeof(frame), MSG_DONTWAIT), 0, "it is answered");
	char name[sizeof(machine.sun_path) + 1] = "";
	memcpy(name, machine.sun_path, sizeof(machine.sun_path));
	cr_expect_eq(unlink(name), 0);
	close(fd);
	bench_close(&bench);
}
