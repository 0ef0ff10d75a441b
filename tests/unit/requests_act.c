/* SPDX-License-Identifier: BSD-2-Clause */
/* requests_act: the methods that change the gateway, asked over a real socket. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "../support/butler.h"

/* ---- forwards ---- */

Test(requests_act, a_forward_is_added_listed_and_deleted)
{
	struct butler *butler = butler_open();
	static const char params[] =
		"{\"protocol\":\"udp\",\"host\":\"192.0.2.1:5000-5009\",\"guest\":\"fresh:6000\"}";
	static const struct expected expected[] = {
		{"protocol", "udp"},
		{"host_address", "192.0.2.1"},
		{"host_port", "5000"},
		{"host_port_last", "5009"},
		{"guest_address", "10.77.0.4"},
		{"guest_port", "6000"},
		{"guest_name", "fresh"},
		{"network", "lab"},
		{"source", "live"},
		{NULL, NULL},
	};

	json_t *added = result_of(butler, "forward.add", params);
	cr_assert_eq(json_array_size(added), 1);
	expect_texts(json_array_get(added, 0), expected);
	json_decref(added);
	json_t *list = result_of(butler, "forward.list", NULL);
	cr_assert_eq(json_array_size(list), 1);
	expect_texts(json_array_get(list, 0), expected);
	json_decref(list);
	butler->forwards[0].line = 12;
	json_t *deleted = result_of(
		butler, "forward.del", "{\"protocol\":\"udp\",\"host\":\"192.0.2.1:5000-5009\"}");
	cr_expect_eq(json_array_size(deleted), 1);
	cr_expect_str_eq(at(json_array_get(deleted, 0), "source"), "config");
	cr_expect_eq(butler->forward_count, 0);
	json_decref(deleted);
	butler_close(butler);
}

Test(requests_act, deleting_needs_the_exact_publication)
{
	static const char *const others[] = {
		"{\"protocol\":\"udp\",\"host\":\"8080\"}",
		"{\"protocol\":\"tcp\",\"host\":\"8081\"}",
		"{\"protocol\":\"tcp\",\"host\":\"8080-8081\"}",
		"{\"protocol\":\"tcp\",\"host\":\"192.0.2.1:8080\"}",
	};
	struct butler *butler = butler_open();

	/* The same port for an IPv4 and for an IPv6 guest. */
	json_decref(result_of(butler, "forward.add",
		"{\"protocol\":\"tcp\",\"host\":\"8080\",\"guest\":\"10.77.0.2:80\"}"));
	json_decref(result_of(butler, "forward.add",
		"{\"protocol\":\"tcp\",\"host\":\"[::]:8080\",\"guest\":\"[fd77::2]:80\"}"));
	for (unsigned i = 0; i < 4; i++)
		expect_error(butler, "forward.del", others[i], "not-found", "is not published");
	cr_expect_eq(butler->forward_count, 2);
	json_t *deleted = result_of(
		butler, "forward.del", "{\"protocol\":\"tcp\",\"host\":\"0.0.0.0:8080\"}");
	cr_expect_eq(json_array_size(deleted), 2);
	json_decref(deleted);
	butler_close(butler);
}

Test(requests_act, what_the_daemon_refuses_has_a_code_and_its_words)
{
	static const struct {
		int err;
		const char *code;
	} rows[] = {
		{-EADDRINUSE, "exists"},
		{-EEXIST, "exists"},
		{-ENOENT, "not-found"},
		{-EINVAL, "invalid"},
		{-EPERM, "denied"},
		{-ENOMEM, "failed"},
	};
	struct butler *butler = butler_open();

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		butler->refusal = rows[i].err;
		expect_error(butler, "forward.add",
			"{\"protocol\":\"tcp\",\"host\":\"80\",\"guest\":\"guest:80\"}",
			rows[i].code, "the daemon says");
		expect_error(
			butler, "attach", "{\"netns\":\"x\"}", rows[i].code, "the daemon says");
		expect_error(
			butler, "detach", "{\"name\":\"guest\"}", rows[i].code, "the daemon says");
	}
	butler_close(butler);
}

/* ---- attach, detach, reload ---- */

Test(requests_act, attach_tells_the_daemon_what_is_wanted)
{
	struct butler *butler = butler_open();
	static const char params[] =
		"{\"name\":\"fresh\",\"network\":\"lab\",\"netns\":\"pid:7\",\"mtu\":1400,"
		"\"device\":\"net0\",\"addresses\":[\"10.77.0.4\",\"fd77::4\"]}";

	json_t *attached = result_of(butler, "attach", params);
	expect_texts(attached, (const struct expected[]){
				       {"link.name", "fresh"},
				       {"link.netns", "pid:7"},
				       {"link.source", "live"},
				       {"gateway4", "10.77.0.1"},
				       {"gateway6", "fd77::1"},
				       {NULL, NULL},
			       });
	const json_t *dns = json_object_get(attached, "dns");
	cr_expect_eq(json_array_size(dns), butler->lab->config->networks[0].dns ? 2 : 0);
	json_decref(attached);
	cr_expect_str_eq(butler->attach_name, "fresh");
	cr_expect_str_eq(butler->attach_where, "pid:7");
	cr_expect_eq(butler->attach.netns_fd, -1);
	cr_expect_eq(butler->attach.mtu, 1400);
	cr_expect_str_eq(butler->attach_device, "net0");
	cr_expect_eq(butler->attach.link.address4.v4, addr_v4(10, 77, 0, 4).v4);
	cr_expect_eq(butler->attach.link.address6.bytes[15], 4);

	json_decref(result_of(butler, "detach", "{\"name\":\"fresh\"}"));
	expect_error(butler, "detach", "{\"name\":\"fresh\"}", "not-found", "no link `fresh`");
	butler_close(butler);
}

Test(requests_act, attach_reads_what_belongs_to_each_kind)
{
	struct butler *butler = butler_open();
	const struct link_config *link = &butler->attach.link;

	json_decref(result_of(butler, "attach",
		"{\"netdev\":\"vm0\",\"mac\":\"52:54:00:12:34:56\",\"addresses\":[\"10.77.0.4\"]"
		"}"));
	cr_expect_eq(link->kind, LINK_NETDEV);
	cr_expect_str_eq(link->device, "vm0");
	cr_expect_eq(link->mac[5], 0x56);
	json_decref(result_of(butler, "attach", "{\"tap\":\"tap7\",\"bridge\":\"br0\"}"));
	cr_expect_eq(link->kind, LINK_TAP);
	cr_expect_str_eq(link->device, "tap7");
	cr_expect_str_eq(link->bridge, "br0");
	json_decref(result_of(
		butler, "attach", "{\"qemu\":\"/run/vm\",\"datagram\":true,\"many\":true}"));
	cr_expect_eq(link->kind, LINK_QEMU);
	cr_expect_str_eq(link->socket, "/run/vm");
	cr_expect_eq(link->socket_mode, SOCKET_DATAGRAM);
	cr_expect_eq(link->guests, GUESTS_MANY);
	butler_close(butler);
}

Test(requests_act, attach_says_what_does_not_belong_together)
{
	static const struct {
		const char *params, *code, *message;
	} rows[] = {
		{"{}", "bad-request", "attach what?"},
		{"{\"netns\":\"a\",\"tap\":\"b\"}", "bad-request", "more than one place"},
		{"{\"netdev\":\"a\",\"device\":\"b\"}", "invalid",
			"`device`: allowed: only with `netns`"},
		{"{\"netdev\":\"a\",\"bridge\":\"b\"}", "invalid", "only with `tap`"},
		{"{\"tap\":\"a\",\"datagram\":true}", "invalid", "only with `qemu`"},
		{"{\"netns\":\"a\",\"many\":true}", "invalid",
			"only with `tap`, `netdev` or `qemu`"},
		{"{\"netns\":\"a\",\"mac\":\"2:0:0:0:0:1\"}", "invalid", "`mac`: allowed: only"},
		{"{\"tap\":\"a\",\"many\":true,\"mac\":\"2:0:0:0:0:1\"}", "invalid",
			"of many guests"},
		{"{\"tap\":\"a\",\"bridge\":\"b\",\"addresses\":[\"10.77.0.4\"]}", "invalid",
			"of many guests"},
		{"{\"tap\":\"a b\"}", "invalid", "bad interface name `a b`"},
		{"{\"netdev\":\"0123456789abcdef\"}", "invalid", "1 to 15 bytes"},
		{"{\"qemu\":\"vm.sock\"}", "invalid", "an absolute path"},
		{"{\"qemu\":\"/x\",\"mac\":\"1:0:0:0:0:1\"}", "invalid", "of one station"},
		{"{\"tap\":\"a\",\"name\":\"0123456789012345678901234567890123456789\"}", "invalid",
			"1 to 31 bytes"},
	};
	struct butler *butler = butler_open();

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_error(butler, "attach", rows[i].params, rows[i].code, rows[i].message);
	butler_close(butler);
}

/* Send a request with a descriptor. */
static void send_with(int socket, const char *text, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec data = {.iov_base = (char *)text, .iov_len = strlen(text)};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control.bytes),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	cr_assert_eq(sendmsg(socket, &message, 0), (ssize_t)strlen(text));
	close(fd);
}

Test(requests_act, attach_takes_a_descriptor_of_a_namespace_and_of_nothing_else)
{
	static const char request[] =
		"{\"id\":1,\"method\":\"attach\",\"params\":{\"descriptor\":true}}\n";
	static const char *const wrong[] = {"/dev/null", "/proc/self/ns/uts", "/etc/passwd"};
	struct butler *butler = butler_open();

	for (unsigned i = 0; i < 3; i++) {
		send_with(butler->talk.fd, request, open(wrong[i], O_RDONLY));
		json_t *answer = talk_answer(&butler->talk);
		cr_expect_str_eq(at(answer, "error.code"), "invalid", "%s", wrong[i]);
		json_decref(answer);
	}
	send_with(butler->talk.fd, request, open("/proc/self/ns/net", O_RDONLY));
	json_t *answer = talk_answer(&butler->talk);
	cr_expect_str_eq(at(answer, "result.link.name"), "fresh");
	cr_expect_geq(butler->attach.netns_fd, 0);
	cr_expect_lt(
		fcntl(butler->attach.netns_fd, F_GETFD), 0, "it is borrowed, and closed after");
	json_decref(answer);
	butler_close(butler);
}

Test(requests_act, a_held_link_goes_with_its_client)
{
	static const char hold[] =
		"{\"id\":1,\"method\":\"attach\",\"params\":{\"netns\":\"x\",\"hold\":true}}\n";
	struct butler *butler = butler_open();
	struct talk talk = talk_open(&butler->loop, butler->path);

	talk_send(&talk, hold);
	json_t *event = talk_answer(&talk);
	cr_expect_str_eq(at(event, "event.link.name"), "fresh");
	json_decref(event);
	cr_expect(butler->attached);
	shutdown(talk.fd, SHUT_WR);
	cr_expect_null(talk_line(&talk));
	cr_expect_not(butler->attached, "closed before it was detached");
	talk_close(&talk);

	/* Once it was detached, the name may be another's. */
	talk = talk_open(&butler->loop, butler->path);
	talk_send(&talk, hold);
	json_decref(talk_answer(&talk));
	json_decref(result_of(butler, "detach", "{\"name\":\"fresh\"}"));
	talk_close(&talk);
	talk_settle(&butler->loop);
	cr_expect_eq(butler->detaches, 2, "what was gone was detached again");
	butler_close(butler);
}

Test(requests_act, reload_is_all_or_says_every_error)
{
	struct butler *butler = butler_open();

	json_decref(result_of(butler, "reload", NULL));
	butler->refusal = -EINVAL;
	expect_error(butler, "reload", "{}", "invalid",
		"tungate.conf:3: unknown key `por?ts`\ntungate.conf:9: no");
	butler->refusal = -ENOMEM;
	expect_error(butler, "reload", "{}", "failed", strerror(ENOMEM));
	butler->refusal = 0;
	butler_close(butler);
}
