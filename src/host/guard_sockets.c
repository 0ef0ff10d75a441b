/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * guard_sockets: a socket per port and protocol that the kernel delivers to instead of answering
 * itself.
 *
 * A filter that returns 0 makes the socket drop everything.  It must be on before the socket can
 * hear (bind for UDP, listen for TCP), and a TCP socket must listen: one that is only bound still
 * lets the kernel reset.  A dual-stack IPv6 socket covers both families.  Each costs about 40 us
 * and 8 KB, so they are made in portions.
 */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "host/guard_sockets.h"

/* What the rest of the program needs in descriptors beside the guard's. */
#define DESCRIPTORS_SPARE 4096
#define LOOPBACK_IFINDEX  1

struct guard_sockets {
	const struct log *log;
	struct port_list ports;
	int family;
	int *fd; /* TCP and UDP of each port in turn; -1: somebody else holds it */
	unsigned total;
	unsigned made;
	bool gave_up;
};

static int attach(int fd, struct sock_filter *code, unsigned short length)
{
	const struct sock_fprog program = {.len = length, .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno
											   : 0;
}

int guard_sockets_local_only(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, LOOPBACK_IFINDEX, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};

	return attach(fd, code, sizeof(code) / sizeof(*code));
}

static int bind_port(int fd, int family, uint16_t port)
{
	const struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	const struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	static const int off = 0;
	int status;

	if (family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
		status = bind(fd, (const struct sockaddr *)&any6, sizeof(any6));
	} else {
		status = bind(fd, (const struct sockaddr *)&any4, sizeof(any4));
	}
	return status < 0 ? -errno : 0;
}

static int deafen(int fd, int family, int type, uint16_t port)
{
	struct sock_filter nothing[] = {BPF_STMT(BPF_RET | BPF_K, 0)};
	int error = attach(fd, nothing, 1);

	if (!error)
		error = bind_port(fd, family, port);
	if (!error && type == SOCK_STREAM && listen(fd, 1) < 0)
		error = -errno;
	return error;
}

/* The descriptor or -errno. */
static int deaf_socket(int family, int type, uint16_t port)
{
	const int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	const int error = deafen(fd, family, type, port);
	if (error) {
		close(fd);
		return error;
	}
	return fd;
}

/* False: no more can be made at all. */
static bool make_next(struct guard_sockets *sockets)
{
	const uint16_t port = port_list_at(&sockets->ports, sockets->made / 2);
	const bool tcp = sockets->made % 2 == 0;
	const int fd = deaf_socket(sockets->family, tcp ? SOCK_STREAM : SOCK_DGRAM, port);

	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
		log_warning(sockets->log,
			"%u of %u guard sockets, then: %s; raise the limit of open files "
			"(LimitNOFILE=), or give fewer `ports =`",
			sockets->made, sockets->total, strerror(-fd));
		return false;
	}
	if (fd < 0)
		log_warning(sockets->log,
			"cannot guard %s port %u: %s; connections through it "
			"may be reset",
			tcp ? "TCP" : "UDP", port, strerror(-fd));
	sockets->fd[sockets->made++] = fd < 0 ? -1 : fd;
	return true;
}

bool guard_sockets_fill(struct guard_sockets *sockets, unsigned count)
{
	while (count-- > 0 && sockets->made < sockets->total && !sockets->gave_up)
		sockets->gave_up = !make_next(sockets);
	return sockets->made < sockets->total && !sockets->gave_up;
}

static void close_all(struct guard_sockets *sockets)
{
	while (sockets->made > 0)
		if (sockets->fd[--sockets->made] >= 0)
			close(sockets->fd[sockets->made]);
	free(sockets->fd);
	sockets->fd = NULL;
}

static void limit_raise(unsigned descriptors)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= descriptors)
		return;
	limit.rlim_cur = descriptors;
	if (limit.rlim_max < descriptors) {
		const struct rlimit more = {descriptors, descriptors};

		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			return;
		limit.rlim_cur = limit.rlim_max;
	}
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int ports_take(struct guard_sockets *sockets, const struct port_list *ports)
{
	sockets->ports = *ports;
	sockets->total = 2 * port_list_size(ports);
	sockets->gave_up = false;
	sockets->fd = calloc(sockets->total, sizeof(*sockets->fd));
	if (!sockets->fd) {
		sockets->total = 0;
		return -ENOMEM;
	}
	limit_raise(sockets->total + DESCRIPTORS_SPARE);
	return 0;
}

static bool ports_equal(const struct port_list *a, const struct port_list *b)
{
	bool equal = a->count == b->count;

	for (unsigned i = 0; equal && i < a->count; i++)
		equal = a->range[i].first == b->range[i].first &&
			a->range[i].last == b->range[i].last;
	return equal;
}

int guard_sockets_ports_set(struct guard_sockets *sockets, const struct port_list *ports)
{
	if (ports_equal(ports, &sockets->ports))
		return 0;
	close_all(sockets);
	return ports_take(sockets, ports);
}

static int usable_family(void)
{
	const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return AF_INET;
	close(fd);
	return AF_INET6;
}

int guard_sockets_open(
	const struct log *log, const struct port_list *ports, struct guard_sockets **sockets)
{
	struct guard_sockets *opened = calloc(1, sizeof(*opened));

	if (!opened)
		return -ENOMEM;
	opened->log = log;
	opened->family = usable_family();
	const int error = ports_take(opened, ports);
	if (error) {
		free(opened);
		return error;
	}
	*sockets = opened;
	return 0;
}

void guard_sockets_close(struct guard_sockets *sockets)
{
	close_all(sockets);
	free(sockets);
}
