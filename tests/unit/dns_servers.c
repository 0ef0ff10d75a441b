/* SPDX-License-Identifier: BSD-2-Clause */
/* dns_servers: what resolv.conf names, who is asked first; how much one guest may wait for. */
#include "dns/parts.h"
#include "host/sockets.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct dns_servers *all;
static struct dns_list *list;

static void begin(void)
{
	all = dns_servers_create();
	list = dns_list_create(all);
	cr_assert(all != NULL && list != NULL);
}

static void end(void)
{
	dns_list_unref(list);
	cr_expect_null(dns_servers_next(all, NULL), "no list is left, hence no server");
	dns_servers_free(all);
}

TestSuite(dns_servers, .init = begin, .fini = end);

static const char *address_of(const struct dns_server *server)
{
	static char text[ADDR_TEXT_SIZE];
	union addr address;
	uint16_t port;

	socket_address_read(&server->address, &address, &port);
	cr_expect_eq(port, 53);
	return addr_format((uint8_t)server->address.ss_family, &address, text);
}

static void parse(const char *text)
{
	char copy[1024];

	snprintf(copy, sizeof(copy), "%s", text);
	resolv_conf_parse(copy, list, all);
}

Test(dns_servers, resolv_conf)
{
	parse("# nameserver 192.0.2.1\n; comment\nsearch lab\n"
	      "nameserver 127.0.0.53\r\n\tnameserver\t2001:db8::53 trailing\nnameserver x\n"
	      "nameserver fe80::1%lo\noptions edns0 trust-ad rotate timeout:3 attempts:2\n"
	      "nameserver");
	cr_assert_eq(list->count, 3);
	cr_expect_str_eq(address_of(list->server[0]), "127.0.0.53");
	cr_expect_str_eq(address_of(list->server[1]), "2001:db8::53");
	cr_expect_str_eq(address_of(list->server[2]), "fe80::1");
	cr_expect_neq(((struct sockaddr_in6 *)&list->server[2]->address)->sin6_scope_id, 0);
	cr_expect(list->rotate);
	cr_expect_eq(list->timeout_ms, 3000);
}

Test(dns_servers, resolv_conf_without_servers_is_the_host_itself)
{
	parse("options timeout:99\n");
	cr_assert_eq(list->count, 1);
	cr_expect_str_eq(address_of(list->server[0]), "127.0.0.1");
	cr_expect_eq(list->timeout_ms, 30000);
}

Test(dns_servers, resolv_conf_with_too_many)
{
	parse("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
	      "nameserver 192.0.2.4\nnameserver 192.0.2.5\nnameserver 192.0.2.6\n"
	      "nameserver 192.0.2.7\nnameserver 192.0.2.8\nnameserver 192.0.2.9\n");
	cr_expect_eq(list->count, DNS_SERVERS_MAX);
}

Test(dns_servers, who_fails_is_asked_last_for_a_while)
{
	struct dns_server *order[DNS_SERVERS_MAX];

	parse("nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n");
	dns_server_failed(list->server[0], 1000);
	cr_assert_eq(dns_list_order(list, 1000, order), 3);
	cr_expect_eq(order[0], list->server[1]);
	cr_expect_eq(order[2], list->server[0]);
	dns_list_order(list, 1000 + DNS_PENALTY_MS, order);
	cr_expect_eq(order[0], list->server[0]);
	dns_server_failed(list->server[0], 20000);
	dns_server_answered(list->server[0]);
	dns_list_order(list, 20000, order);
	cr_expect_eq(order[0], list->server[0]);
}

Test(dns_servers, rotation)
{
	struct dns_server *order[DNS_SERVERS_MAX];

	parse("nameserver 192.0.2.1\nnameserver 192.0.2.2\noptions rotate\n");
	for (unsigned i = 0; i < 4; i++) {
		dns_list_order(list, 0, order);
		cr_expect_eq(order[0], list->server[i % 2]);
		cr_expect_eq(order[1], list->server[!(i % 2)]);
	}
}

/* Two networks that name one server share what is known about it, and nothing else. */
Test(dns_servers, a_server_of_two_lists)
{
	struct dns_list *other = dns_list_create(all);

	parse("nameserver 192.0.2.1\n");
	cr_assert(dns_list_add(other, all, &list->server[0]->address));
	cr_expect_eq(other->server[0], list->server[0]);
	cr_expect_neq(other->view, list->view);
	dns_list_unref(other);
	cr_expect_str_eq(address_of(list->server[0]), "192.0.2.1");
}

/* ---- guests ---- */

static unsigned told;

static void count_told(struct dns_channel *channel, const struct sockaddr_storage *peer,
	const uint8_t *bytes, size_t length)
{
	(void)channel;
	(void)peer;
	(void)length;
	cr_expect_eq(bytes[3] & DNS_RCODE, DNS_SERVFAIL);
	told++;
}

static struct dns_forwarder *forwarder;
static struct dns_channel channel;

static void admit(uint8_t guest)
{
	struct dns_request *request = calloc(1, sizeof(*request));

	request->channel = &channel;
	request->family = AF_INET;
	request->address = addr_v4(10, 77, 0, guest);
	request->query.name = (struct dns_name){1, ""};
	TAILQ_INSERT_TAIL(&channel.requests, request, of_channel);
	channel.request_count++;
	cr_assert_eq(dns_client_admit(forwarder, request), 0);
}

static unsigned waiting(uint8_t guest)
{
	const union addr address = addr_v4(10, 77, 0, guest);
	const struct dns_request *request;
	unsigned count = 0;

	TAILQ_FOREACH(request, &channel.requests, of_channel)
	count += addr_equal(&request->address, &address);
	return count;
}

/* Who floods loses his own oldest questions, whatever others have. */
Test(dns_servers, one_guest_does_not_starve_others)
{
	forwarder = calloc(1, sizeof(*forwarder));
	forwarder->counters = calloc(1, sizeof(*forwarder->counters));
	channel = (struct dns_channel){.forwarder = forwarder, .send = count_told};
	TAILQ_INIT(&channel.requests);

	for (unsigned i = 0; i < 5; i++)
		admit(1);
	for (unsigned i = 0; i < DNS_CLIENT_MAX + 50; i++)
		admit(2);
	cr_expect_eq(waiting(1), 5);
	cr_expect_eq(waiting(2), DNS_CLIENT_MAX);
	cr_expect_eq(told, 50);
	for (uint8_t guest = 3; guest < 7; guest++)
		for (unsigned i = 0; i < DNS_CLIENT_MAX; i++)
			admit(guest);
	cr_expect_eq(forwarder->request_count, DNS_REQUESTS_MAX);
	cr_expect_eq(waiting(1), 5);
	for (uint8_t guest = 2; guest < 7; guest++)
		cr_expect_geq(waiting(guest), (DNS_REQUESTS_MAX - 5) / 5);
	dns_channel_forget(&channel);
	cr_expect_eq(forwarder->request_count, 0);
	cr_expect(LIST_EMPTY(&forwarder->clients));
	free(forwarder->counters);
	free(forwarder);
}
