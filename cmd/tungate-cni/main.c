/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tungate-cni: a CNI plugin that attaches containers to tungated.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "cni.h"

bool cni_fail(struct cni_error *error, enum cni_code code, const char *format, ...)
{
	va_list arguments;

	*error = (struct cni_error){.code = code};
	va_start(arguments, format);
	vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	return false;
}

bool cni_advise(struct cni_error *error, const char *details)
{
	snprintf(error->details, sizeof(error->details), "%s", details);
	return false;
}

/* ---- the commands: *output may be left NULL ---- */

static bool add(const struct cni_call *call, json_t **output, struct cni_error *error)
{
	json_t *attached = NULL, *network = NULL;
	struct cni_error ignored;
	bool absent;
	struct gateway *gateway = gateway_open(call, &absent, error);

	if (gateway && gateway_attach(gateway, &attached, error)) {
		const json_t *link = json_object_get(attached, "link");
		network = gateway_network(
			gateway, json_string_value(json_object_get(link, "network")), error);
		*output = network ? cni_result(call, attached, network) : NULL;
		if (network && !*output)
			cni_fail(error, CNI_IO_FAILURE, "out of memory");
		if (!*output)
			gateway_release(gateway, &ignored);
	}
	json_decref(network);
	json_decref(attached);
	gateway_close(gateway);
	return *output != NULL;
}

/* Where there is no daemon there are no links and no live forwards: nothing is left to delete. */
static bool del(const struct cni_call *call, json_t **output, struct cni_error *error)
{
	bool absent;
	struct gateway *gateway = gateway_open(call, &absent, error);
	const bool done = gateway ? gateway_release(gateway, error) : absent;

	(void)output;
	gateway_close(gateway);
	return done;
}

static bool link_check(struct gateway *gateway, struct cni_error *error)
{
	json_t *link = gateway_link(gateway, error);
	const char *state = json_string_value(json_object_get(link, "state"));
	const bool up = state && strcmp(state, "up") == 0;

	if (link && !up)
		cni_fail(error, CNI_DIFFERENT, "the link is not up");
	json_decref(link);
	return up;
}

static bool check(const struct cni_call *call, json_t **output, struct cni_error *error)
{
	bool absent;
	struct gateway *gateway = gateway_open(call, &absent, error);
	const bool good = gateway && link_check(gateway, error) &&
			  gateway_published(gateway, error) && check_interface(call, error);

	(void)output;
	gateway_close(gateway);
	return good;
}

/* Links whose namespace has gone are gone with it; their published ports are not. */
static bool gc(const struct cni_call *call, json_t **output, struct cni_error *error)
{
	bool absent;
	struct gateway *gateway = gateway_open(call, &absent, error);
	const bool done = gateway ? gateway_sweep(gateway, error) : absent;

	(void)output;
	gateway_close(gateway);
	return done;
}

static bool status(const struct cni_call *call, json_t **output, struct cni_error *error)
{
	bool absent;
	struct gateway *gateway = gateway_open(call, &absent, error);
	json_t *network = gateway ? gateway_network(gateway, call->network, error) : NULL;

	(void)output;
	if (!network)
		error->code = CNI_UNAVAILABLE;
	json_decref(network);
	gateway_close(gateway);
	return error->code != CNI_UNAVAILABLE;
}

static bool version(const struct cni_call *call, json_t **output, struct cni_error *error)
{
	*output = cni_versions_json(call->version);
	return *output || cni_fail(error, CNI_IO_FAILURE, "out of memory");
}

static bool (*const commands[])(
	const struct cni_call *call, json_t **output, struct cni_error *error) = {
	[CNI_ADD] = add,
	[CNI_DEL] = del,
	[CNI_CHECK] = check,
	[CNI_GC] = gc,
	[CNI_STATUS] = status,
	[CNI_VERSION] = version,
};

int main(void)
{
	struct cni_call call;
	struct cni_error error = {0};
	json_t *output = NULL;
	const bool done =
		cni_call_read(&call, &error) && commands[call.command](&call, &output, &error);

	if (!done) {
		json_decref(output);
		output = cni_error_json(call.version, &error);
	}
	if (output) {
		json_dumpf(output, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(output);
	}
	cni_call_release(&call);
	return !done;
}
