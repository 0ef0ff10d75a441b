/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ask: what each subcommand asks of the daemon.
 */
#include "ask.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "call.h"
#include "show.h"

/* ---- parameters ---- */

/* The parameters with one more; NULL where any could not be made. */
static json_t *with(json_t *params, const char *key, json_t *value)
{
	if (json_object_set_new(params, key, value) == 0)
		return params;
	json_decref(params);
	return NULL;
}

static json_t *with_option(
	json_t *params, const struct arguments *arguments, const char *option, const char *key)
{
	const char *value = option_value(arguments, option);

	return value ? with(params, key, json_string(value)) : params;
}

json_t *no_params(const struct arguments *arguments)
{
	(void)arguments;
	return json_object();
}

json_t *forward_add_params(const struct arguments *arguments)
{
	return with(forward_del_params(arguments), "guest", json_string(arguments->operands[2]));
}

json_t *forward_del_params(const struct arguments *arguments)
{
	json_t *params = with(json_object(), "protocol", json_string(arguments->operands[0]));

	return with(params, "host", json_string(arguments->operands[1]));
}

json_t *original_params(const struct arguments *arguments)
{
	json_t *params = with(json_object(), "protocol", json_string(arguments->operands[0]));

	params = with(params, "peer", json_string(arguments->operands[1]));
	if (arguments->operand_count < 3)
		return params;
	return with(params, "local", json_string(arguments->operands[2]));
}

json_t *detach_params(const struct arguments *arguments)
{
	return with(json_object(), "name", json_string(arguments->operands[0]));
}

json_t *trace_params(const struct arguments *arguments)
{
	return with(json_object(), "packet", json_string(arguments->operands[0]));
}

/* Digits are sent as a number, anything else as it is: the daemon says what is allowed. */
static json_t *number_or_text(const char *text)
{
	char *end;

	errno = 0;
	const long long number = strtoll(text, &end, 10);
	return errno == 0 && end != text && !*end ? json_integer(number) : json_string(text);
}

json_t *filter_params(const struct arguments *arguments)
{
	const char *port = option_value(arguments, "--port");
	const char *limit = option_value(arguments, "--limit");
	json_t *params = json_object();

	params = with_option(params, arguments, "--protocol", "protocol");
	params = with_option(params, arguments, "--link", "link");
	params = with_option(params, arguments, "--address", "address");
	params = with_option(params, arguments, "--state", "state");
	if (port)
		params = with(params, "port", number_or_text(port));
	if (limit)
		params = with(params, "limit", number_or_text(limit));
	return params;
}

/* "10.77.0.5,fd77::5" as a list. */
static json_t *addresses_list(const char *text)
{
	json_t *list = json_array();

	while (*text) {
		const size_t length = strcspn(text, ",");
		json_array_append_new(list, json_stringn(text, length));
		text += length + (text[length] == ',');
	}
	return list;
}

json_t *attach_params(const struct arguments *arguments)
{
	const char *address = option_value(arguments, "--address");
	const char *mtu = option_value(arguments, "--mtu");
	json_t *params = json_object();

	params = with_option(params, arguments, "--name", "name");
	params = with_option(params, arguments, "--network", "network");
	params = with_option(params, arguments, "--device", "device");
	params = with_option(params, arguments, "--netdev", "netdev");
	params = with_option(params, arguments, "--tap", "tap");
	params = with_option(params, arguments, "--bridge", "bridge");
	params = with_option(params, arguments, "--qemu", "qemu");
	params = with_option(params, arguments, "--mac", "mac");
	if (option_value(arguments, "--datagram"))
		params = with(params, "datagram", json_true());
	if (option_value(arguments, "--many"))
		params = with(params, "many", json_true());
	if (mtu)
		params = with(params, "mtu", number_or_text(mtu));
	if (address)
		params = with(params, "addresses", addresses_list(address));
	return params;
}

/* A namespace whose descriptor goes with the request. */
static json_t *with_namespace(json_t *params, const char *where)
{
	return with(with(params, "descriptor", json_true()), "netns", json_string(where));
}

json_t *run_params(const struct arguments *arguments)
{
	char where[32];

	snprintf(where, sizeof(where), "pid:%d", (int)getpid());
	return with(with_namespace(attach_params(arguments), where), "hold", json_true());
}

/* ---- asking ---- */

static int print_json(const json_t *value, size_t flags)
{
	if (json_dumpf(value, stdout, flags | JSON_ENCODE_ANY) < 0 || putchar('\n') == EOF)
		return STATUS_FAILED;
	return STATUS_OK;
}

int ask(const struct arguments *arguments, const char *method, json_t *params, int passed_fd)
{
	json_t *result;
	int status = call_method(arguments, method, params, passed_fd, &result);

	if (status != STATUS_OK)
		return status;
	if (arguments->json)
		status = print_json(result, JSON_INDENT(2));
	else
		arguments->command->show(arguments, result);
	json_decref(result);
	return status;
}

/*
 * Open a network namespace by NAME (of `ip netns`), PATH (with a slash) or pid:N, as the caller
 * sees them: the daemon may live among other files and processes.  The descriptor, or -1 after
 * saying why.
 */
static int namespace_open(const char *where)
{
	char path[PATH_MAX];

	if (strncmp(where, "pid:", 4) == 0)
		snprintf(path, sizeof(path), "/proc/%s/ns/net", where + 4);
	else
		snprintf(
			path, sizeof(path), "%s%s", strchr(where, '/') ? "" : "/run/netns/", where);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		complain("cannot open the network namespace %s (%s: %s): allowed: a NAME of `ip "
			 "netns list`, a PATH with a slash, or pid:N",
			where, path, strerror(errno));
	return fd;
}

int ask_attach(const struct arguments *arguments)
{
	const char *where = option_value(arguments, "--netns");

	if (!where && !option_value(arguments, "--netdev") && !option_value(arguments, "--tap") &&
		!option_value(arguments, "--qemu")) {
		complain("attach what? usage: tungate attach %s", arguments->command->operands);
		return STATUS_USAGE;
	}
	if (!where)
		return ask(arguments, "attach", attach_params(arguments), -1);
	const int fd = namespace_open(where);
	if (fd < 0)
		return control_code_status(CONTROL_NOT_FOUND);
	json_t *params = with_namespace(attach_params(arguments), where);
	const int status = ask(arguments, "attach", params, fd);
	close(fd);
	return status;
}

/* Print events until the daemon goes, or we are interrupted. */
static int follow(const struct arguments *arguments)
{
	struct control_answer answer;
	struct call call;
	int status = call_open(&call, arguments);

	if (status != STATUS_OK)
		return status;
	setlinebuf(stdout);
	status = call_send(&call, "connections.follow", filter_params(arguments), -1);
	while (status == STATUS_OK) {
		status = call_receive(&call, &answer);
		if (status != STATUS_OK)
			break;
		if (arguments->json)
			status = print_json(answer.event, JSON_COMPACT);
		else
			show_connection_event(answer.event);
		control_answer_release(&answer);
	}
	call_close(&call);
	return status;
}

int ask_connections(const struct arguments *arguments)
{
	if (option_value(arguments, "--follow"))
		return follow(arguments);
	return ask(arguments, "connections", filter_params(arguments), -1);
}
