/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port_range: are the external ports free of the host's own?
 *
 * Two owners are possible.  The kernel hands out ip_local_port_range to whoever does not ask for a
 * port, except those of ip_local_reserved_ports.  And sockets hold ports now, as sock_diag tells;
 * those on loopback addresses are no trouble, since nothing of ours ever arrives there, nor is a
 * connection in TIME-WAIT, which nobody holds any more.
 *
 * The same list tells whether a program uses an address that is to be the gateway's alone.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "host/guard.h"
#include "host/request.h"

#define SYSCTL_DIR "/proc/sys/net/ipv4/"

/* Every reserved port of "8080,9148-9155", at most "1-65535" in full: one line. */
static bool read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	const bool read = fgets(line, size, file) != NULL;
	fclose(file);
	return read;
}

/* Whether `ports` lies inside one range of the list; the kernel writes it sorted and merged. */
static bool list_covers(const char *list, struct port_range ports)
{
	while (*list) {
		char *end;
		const unsigned long first = strtoul(list, &end, 10);
		const unsigned long last = *end == '-' ? strtoul(end + 1, &end, 10) : first;

		if (end == list)
			return false;
		if (first <= ports.first && ports.last <= last)
			return true;
		list = *end ? end + 1 : end;
	}
	return false;
}

static bool is_reserved(struct port_range ports)
{
	char line[4096];

	return read_line(SYSCTL_DIR "ip_local_reserved_ports", line, sizeof(line)) &&
	       list_covers(line, ports);
}

/* "32768\t60999" */
static bool ephemeral_range(struct port_range *range)
{
	char line[64], *end;

	if (!read_line(SYSCTL_DIR "ip_local_port_range", line, sizeof(line)))
		return false; /* a kernel without IPv4 */
	range->first = (uint16_t)strtoul(line, &end, 10);
	range->last = (uint16_t)strtoul(end, NULL, 10);
	return true;
}

static int check_ephemeral(const struct log *log, struct port_range ports)
{
	struct port_range given;

	if (!ephemeral_range(&given) || ports.last < given.first || given.last < ports.first ||
		is_reserved(ports))
		return 0;
	log_error(log,
		"ports %u-%u overlap the ports %u-%u that the kernel gives to the host's programs: "
		"choose others by `ports =`, or reserve them by `sysctl "
		"net.ipv4.ip_local_reserved_ports=%u-%u`",
		ports.first, ports.last, given.first, given.last, ports.first, ports.last);
	return -EADDRINUSE;
}

/* The lowest of the ports that a socket holds. */
struct holder {
	const struct port_list *ports;
	uint16_t port; /* 0: none */
	uint8_t family;
	union addr address;
};

static void on_socket(void *context, struct nlmsghdr *message)
{
	const struct inet_diag_msg *socket = NLMSG_DATA(message);
	struct holder *holder = context;
	const uint16_t port = ntohs(socket->id.idiag_sport);
	union addr address = {0};

	if (message->nlmsg_type != SOCK_DIAG_BY_FAMILY || !port_list_has(holder->ports, port) ||
		(holder->port && holder->port <= port))
		return;
	memcpy(&address, socket->id.idiag_src, addr_bits(socket->idiag_family) / 8);
	if (addr_is_loopback(socket->idiag_family, &address))
		return;
	holder->port = port;
	holder->family = socket->idiag_family;
	holder->address = address;
}

static int dump_sockets(struct nl_sock *socket, uint8_t family, uint8_t protocol,
	request_answer *each, void *context)
{
	const struct inet_diag_req_v2 query = {
		.sdiag_family = family,
		.sdiag_protocol = protocol,
		.idiag_states = ~(1U << TCP_TIME_WAIT),
	};
	struct request request;

	request_start(&request, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &query, sizeof(query));
	return request_run(socket, &request, each, context);
}

static int check_held(const struct log *log, struct nl_sock *socket, const struct port_list *ports,
	uint8_t family, uint8_t protocol)
{
	struct holder holder = {.ports = ports};
	char text[ADDR_TEXT_SIZE], list[PORT_LIST_TEXT_SIZE];
	const int error = dump_sockets(socket, family, protocol, on_socket, &holder);

	if (error) {
		log_warning(log,
			"cannot see which ports are in use (sock_diag): %s; make sure "
			"that %s are free",
			strerror(-error), port_list_format(ports, list));
		return 0;
	}
	if (holder.port == 0)
		return 0;
	log_error(log,
		"%s port %u of `ports = %s` is in use on %s: stop the program that has it (`ss "
		"-anp sport = :%u`), or choose other `ports =`",
		protocol == IPPROTO_TCP ? "TCP" : "UDP", holder.port, port_list_format(ports, list),
		addr_format(holder.family, &holder.address, text), holder.port);
	return -EADDRINUSE;
}

static int check_sockets(const struct log *log, const struct port_list *ports)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct nl_sock *socket;
	int error = request_open(NETLINK_SOCK_DIAG, &socket);

	if (error) {
		log_warning(
			log, "cannot see which ports are in use (sock_diag): %s", strerror(-error));
		return 0;
	}
	for (unsigned i = 0; i < 4 && !error; i++)
		error = check_held(log, socket, ports, families[i / 2], protocols[i % 2]);
	request_close(socket);
	return error;
}

int guard_check_ports(const struct log *log, const struct port_list *ports)
{
	int error = 0;

	for (unsigned i = 0; i < ports->count && !error; i++)
		error = check_ephemeral(log, ports->range[i]);
	return error ? error : check_sockets(log, ports);
}

/* ---- users of an address ---- */

struct user {
	uint8_t family;
	const union addr *address;
	uint16_t port; /* 0: none */
};

/* The address as a socket of either family has it: an IPv6 one may be IPv4 inside. */
static bool is_address(const struct user *user, const struct inet_diag_msg *socket)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const uint8_t *source = (const uint8_t *)socket->id.idiag_src;

	if (socket->idiag_family == user->family)
		return memcmp(source, user->address->bytes, addr_bits(user->family) / 8) == 0;
	return socket->idiag_family == AF_INET6 && memcmp(source, mapped, sizeof(mapped)) == 0 &&
	       memcmp(source + sizeof(mapped), user->address->bytes, 4) == 0;
}

static void on_user(void *context, struct nlmsghdr *message)
{
	const struct inet_diag_msg *socket = NLMSG_DATA(message);
	struct user *user = context;

	if (message->nlmsg_type == SOCK_DIAG_BY_FAMILY && user->port == 0 &&
		is_address(user, socket))
		user->port = ntohs(socket->id.idiag_sport);
}

bool guard_address_user(uint8_t family, const union addr *address, char text[GUARD_USER_TEXT_SIZE])
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct user user = {.family = family, .address = address};
	struct nl_sock *socket;

	if (request_open(NETLINK_SOCK_DIAG, &socket) != 0)
		return false;
	for (unsigned i = 0; i < 2 && user.port == 0; i++) {
		dump_sockets(socket, AF_INET6, protocols[i], on_user, &user);
		if (family == AF_INET)
			dump_sockets(socket, AF_INET, protocols[i], on_user, &user);
		if (user.port != 0)
			snprintf(text, GUARD_USER_TEXT_SIZE, "%s port %u",
				protocols[i] == IPPROTO_TCP ? "TCP" : "UDP", user.port);
	}
	request_close(socket);
	return user.port != 0;
}
