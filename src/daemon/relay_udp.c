/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay_udp: pass datagrams on to the target, and its answers back to the client they are for.
 *
 * An exchange is one client address and the local address that it wrote to; it has a socket of its
 * own connected to the target, by which answers find their way, and the target's answers leave with
 * that local address as their source.  Exchanges are found by a keyed hash, because clients choose
 * the keys, and kept in order of use: the head is the next to expire, and the one to go when there
 * are too many.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/addr.h"
#include "base/siphash.h"
#include "daemon/relay_kind.h"
#include "host/sockets.h"

#define DATAGRAM_BYTES_MAX 65535
#define DATAGRAM_BURST     64 /* handled per turn of the loop */

struct exchange_key {
	union addr client;
	union addr local; /* zero: unknown */
	uint32_t scope;   /* of a link-local client: its interface */
	be16 port;
	uint8_t family;
	uint8_t zero;
};
#define KEY_WORDS (sizeof(struct exchange_key) / sizeof(uint64_t))
static_assert(sizeof(struct exchange_key) % sizeof(uint64_t) == 0, "hashed as whole words");

struct exchange {
	struct udp_relay *relay;
	struct exchange_key key;
	LIST_ENTRY(exchange) bucket;
	TAILQ_ENTRY(exchange) used;
	uint64_t expires_ms;
	int fd;           /* connected to the target */
	unsigned attempt; /* targets that were tried */
	bool answered;
	uv_poll_t poll;
};

LIST_HEAD(bucket, exchange);

struct udp_relay {
	struct relay relay;
	struct siphash_key hash_key;
	TAILQ_HEAD(, exchange) used; /* the longest unused first */
	char datagram[DATAGRAM_BYTES_MAX];
	uint16_t port; /* of the listening socket */
	unsigned bucket_mask;
	struct bucket buckets[];
};

/* Room for the local address of a datagram. */
union pktinfo {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/* ---- addresses of datagrams ---- */

static void key_set_local(struct exchange_key *key, struct msghdr *message)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part;
		part = CMSG_NXTHDR(message, part)) {
		if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(part), sizeof(info));
			key->local.v4 = info.ipi_spec_dst.s_addr;
		} else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(part), sizeof(info));
			memcpy(key->local.bytes, &info.ipi6_addr, sizeof(key->local.bytes));
		}
	}
}

static void key_set_client(struct exchange_key *key, const struct sockaddr_storage *address)
{
	key->family = (uint8_t)address->ss_family;
	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
		key->client.v4 = v4->sin_addr.s_addr;
		key->port = v4->sin_port;
	} else {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
		memcpy(key->client.bytes, &v6->sin6_addr, sizeof(key->client.bytes));
		key->port = v6->sin6_port;
		key->scope = v6->sin6_scope_id;
	}
}

static socklen_t client_address(const struct exchange_key *key, struct sockaddr_storage *address)
{
	if (key->family == AF_INET) {
		*(struct sockaddr_in *)address = (struct sockaddr_in){
			.sin_family = AF_INET,
			.sin_port = key->port,
			.sin_addr.s_addr = key->client.v4,
		};
		return sizeof(struct sockaddr_in);
	}
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;
	*v6 = (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = key->port,
		.sin6_scope_id = key->scope,
	};
	memcpy(&v6->sin6_addr, key->client.bytes, sizeof(v6->sin6_addr));
	return sizeof(*v6);
}

/* The control message that makes `key->local` the source of a datagram; its length. */
static size_t local_pktinfo(const struct exchange_key *key, union pktinfo *pktinfo)
{
	struct cmsghdr *part = &pktinfo->header;

	if (addr_is_zero(&key->local))
		return 0;
	if (key->family == AF_INET) {
		const struct in_pktinfo info = {.ipi_spec_dst.s_addr = key->local.v4};
		part->cmsg_level = IPPROTO_IP;
		part->cmsg_type = IP_PKTINFO;
		part->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(part), &info, sizeof(info));
		return CMSG_SPACE(sizeof(info));
	}
	struct in6_pktinfo info = {.ipi6_ifindex = key->scope};
	memcpy(&info.ipi6_addr, key->local.bytes, sizeof(info.ipi6_addr));
	part->cmsg_level = IPPROTO_IPV6;
	part->cmsg_type = IPV6_PKTINFO;
	part->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(part), &info, sizeof(info));
	return CMSG_SPACE(sizeof(info));
}

/* ---- exchanges ---- */

static struct bucket *bucket_of(struct udp_relay *udp, const struct exchange_key *key)
{
	uint64_t words[KEY_WORDS];

	memcpy(words, key, sizeof(words));
	return &udp->buckets[siphash_words(&udp->hash_key, words, KEY_WORDS) & udp->bucket_mask];
}

static struct exchange *exchange_find(struct udp_relay *udp, const struct exchange_key *key)
{
	struct exchange *exchange;

	LIST_FOREACH(exchange, bucket_of(udp, key), bucket)
	if (memcmp(&exchange->key, key, sizeof(*key)) == 0)
		return exchange;
	return NULL;
}

static void on_exchange_closed(uv_handle_t *handle)
{
	struct exchange *exchange = handle->data;
	struct relay *relay = &exchange->relay->relay;

	free(exchange);
	relay_unref(relay);
}

static void exchange_close(struct exchange *exchange)
{
	struct udp_relay *udp = exchange->relay;

	LIST_REMOVE(exchange, bucket);
	TAILQ_REMOVE(&udp->used, exchange, used);
	udp->relay.client_count--;
	uv_close((uv_handle_t *)&exchange->poll, on_exchange_closed);
	close(exchange->fd);
}

static void udp_arm_timer(struct udp_relay *udp)
{
	const struct exchange *oldest = TAILQ_FIRST(&udp->used);
	const uint64_t now = uv_now(udp->relay.loop);

	if (oldest && !uv_is_active((uv_handle_t *)&udp->relay.timer))
		relay_timer_start(
			&udp->relay, oldest->expires_ms > now ? oldest->expires_ms - now : 0);
}

static void exchange_touch(struct exchange *exchange)
{
	struct udp_relay *udp = exchange->relay;

	exchange->expires_ms = uv_now(udp->relay.loop) + udp->relay.settings.udp_idle_ms;
	TAILQ_REMOVE(&udp->used, exchange, used);
	TAILQ_INSERT_TAIL(&udp->used, exchange, used);
	udp_arm_timer(udp);
}

static void udp_on_timer(struct relay *relay)
{
	struct udp_relay *udp = (struct udp_relay *)relay;
	struct exchange *oldest;

	while ((oldest = TAILQ_FIRST(&udp->used)) && oldest->expires_ms <= uv_now(relay->loop))
		exchange_close(oldest);
	udp_arm_timer(udp);
}

/* ---- datagrams ---- */

static void on_answer(uv_poll_t *poll, int status, int events);

static void answer_client(struct exchange *exchange, const void *data, size_t length)
{
	struct udp_relay *udp = exchange->relay;
	struct sockaddr_storage address;
	union pktinfo pktinfo = {0};
	struct iovec bytes = {.iov_base = (void *)data, .iov_len = length};
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = client_address(&exchange->key, &address),
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &pktinfo,
		.msg_controllen = local_pktinfo(&exchange->key, &pktinfo),
	};

	/* A full queue loses datagrams, as a network does. */
	(void)!sendmsg(udp->relay.settings.listen_fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static struct relay_client exchange_client(const struct exchange *exchange)
{
	const struct exchange_key *key = &exchange->key;

	return (struct relay_client){
		.family = key->family,
		.peer = key->client,
		.local = key->local,
		.peer_port = ntohs(key->port),
		.local_port = exchange->relay->port,
	};
}

/* A socket on its way to the next target, after the last one to the first again. */
static int exchange_connect(struct exchange *exchange)
{
	const struct relay_client client = exchange_client(exchange);
	struct relay *relay = &exchange->relay->relay;
	const bool again = exchange->attempt > 0;
	int fd = relay_connect(relay, SOCK_DGRAM, &client, &exchange->attempt);

	if (fd < 0 && again) {
		exchange->attempt = 0;
		fd = relay_connect(relay, SOCK_DGRAM, &client, &exchange->attempt);
	}
	return fd;
}

/* Refused: the datagram is lost, but the next one, which the client sends when it gets no answer,
 * goes to another target if there is one. */
static void exchange_refused(struct exchange *exchange)
{
	if (exchange->answered)
		return;
	const int fd = exchange_connect(exchange);
	if (fd < 0)
		return;
	uv_poll_stop(&exchange->poll);
	(void)dup3(fd, exchange->fd, O_CLOEXEC);
	close(fd);
	uv_poll_start(&exchange->poll, UV_READABLE, on_answer);
}

static void ask_target(const struct exchange *exchange, const void *data, size_t length)
{
	(void)!send(exchange->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
	struct exchange *exchange = poll->data;
	struct udp_relay *udp = exchange->relay;
	(void)events;

	for (unsigned i = 0; i < DATAGRAM_BURST; i++) {
		const ssize_t got =
			recv(exchange->fd, udp->datagram, sizeof(udp->datagram), MSG_DONTWAIT);
		if (got < 0 && errno == ECONNREFUSED) {
			exchange_refused(exchange);
			break;
		}
		if (got < 0)
			break;
		exchange->answered = true;
		answer_client(exchange, udp->datagram, (size_t)got);
		exchange_touch(exchange);
	}
	if (status < 0) /* libuv stops polling at POLLERR */
		uv_poll_start(poll, UV_READABLE, on_answer);
}

static struct exchange *exchange_open(struct udp_relay *udp, const struct exchange_key *key)
{
	struct relay *relay = &udp->relay;
	struct exchange *exchange;

	if (relay->client_count >= relay->settings.connections_max)
		exchange_close(TAILQ_FIRST(&udp->used));
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return NULL;
	exchange->relay = udp;
	exchange->key = *key;
	exchange->fd = exchange_connect(exchange);
	if (exchange->fd < 0)
		goto free_exchange;
	exchange->poll.data = exchange;
	if (uv_poll_init(relay->loop, &exchange->poll, exchange->fd) < 0)
		goto close_socket;
	uv_poll_start(&exchange->poll, UV_READABLE, on_answer);
	LIST_INSERT_HEAD(bucket_of(udp, key), exchange, bucket);
	TAILQ_INSERT_TAIL(&udp->used, exchange, used);
	relay->client_count++;
	relay->references++;
	return exchange;

close_socket:
	close(exchange->fd);
free_exchange:
	free(exchange);
	return NULL;
}

/* Read one datagram and pass it on; false when there is none. */
static bool pass_datagram(struct udp_relay *udp)
{
	struct sockaddr_storage address = {0};
	struct exchange_key key = {0};
	union pktinfo pktinfo;
	struct iovec bytes = {.iov_base = udp->datagram, .iov_len = sizeof(udp->datagram)};
	struct msghdr message = {
		.msg_name = &address,
		.msg_namelen = sizeof(address),
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &pktinfo,
		.msg_controllen = sizeof(pktinfo),
	};
	const ssize_t got = recvmsg(udp->relay.settings.listen_fd, &message, MSG_DONTWAIT);

	if (got < 0)
		return false;
	key_set_client(&key, &address);
	key_set_local(&key, &message);
	struct exchange *exchange = exchange_find(udp, &key);
	if (!exchange)
		exchange = exchange_open(udp, &key);
	if (!exchange)
		return true;
	exchange_touch(exchange);
	ask_target(exchange, udp->datagram, (size_t)got);
	return true;
}

static void udp_on_client(struct relay *relay)
{
	for (unsigned i = 0; i < DATAGRAM_BURST; i++)
		if (!pass_datagram((struct udp_relay *)relay))
			break;
}

static void udp_close_clients(struct relay *relay)
{
	struct udp_relay *udp = (struct udp_relay *)relay;

	while (!TAILQ_EMPTY(&udp->used))
		exchange_close(TAILQ_FIRST(&udp->used));
}

static bool udp_find(
	const struct relay *relay, const struct sockaddr_storage *peer, struct relay_client *client)
{
	const struct exchange *exchange;

	TAILQ_FOREACH(exchange, &((const struct udp_relay *)relay)->used, used)
	{
		if (!relay_socket_is(exchange->fd, peer))
			continue;
		*client = exchange_client(exchange);
		return true;
	}
	return false;
}

static uint16_t listener_port(int fd)
{
	struct sockaddr_storage local = {0};
	socklen_t size = sizeof(local);
	union addr address;
	uint16_t port = 0;

	if (getsockname(fd, (struct sockaddr *)&local, &size) == 0)
		socket_address_read(&local, &address, &port);
	return port;
}

/* Have each datagram say which local address it was sent to. */
static void listener_ask_local(int fd)
{
	int family = 0;
	const int on = 1;
	socklen_t size = sizeof(family);

	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
	if (family == AF_INET)
		(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
}

static unsigned bucket_count(unsigned exchanges)
{
	unsigned count = 16;

	while (count < exchanges)
		count *= 2;
	return count;
}

struct relay *relay_udp_new(const struct relay_settings *settings)
{
	static const struct relay_kind kind = {
		.on_client = udp_on_client,
		.on_timer = udp_on_timer,
		.close_clients = udp_close_clients,
		.find = udp_find,
	};
	const unsigned buckets = bucket_count(settings->connections_max);
	struct udp_relay *udp = calloc(1, sizeof(*udp) + buckets * sizeof(udp->buckets[0]));

	if (!udp)
		return NULL;
	udp->relay.kind = &kind;
	udp->port = listener_port(settings->listen_fd);
	udp->bucket_mask = buckets - 1;
	TAILQ_INIT(&udp->used);
	(void)!getrandom(&udp->hash_key, sizeof(udp->hash_key), 0);
	listener_ask_local(settings->listen_fd);
	return &udp->relay;
}
