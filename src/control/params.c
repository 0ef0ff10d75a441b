/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * params: the parameters of a request, read into a struct by a table.
 */
#include "control/params.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_strings(const json_t *value)
{
	size_t i;
	json_t *item;

	if (!json_is_array(value))
		return false;
	json_array_foreach(value, i, item) if (!json_is_string(item)) return false;
	return true;
}

/* Store one value, or return what it should have been. */
static const char *param_store(const struct param *param, const json_t *value, void *values)
{
	char *target = (char *)values + param->offset;

	switch (param->kind) {
	case PARAM_STRING:
		if (!json_is_string(value))
			return "a string";
		*(const char **)(void *)target = json_string_value(value);
		break;
	case PARAM_NUMBER:
		if (!json_is_integer(value) || json_integer_value(value) < 0)
			return "a whole number that is not negative";
		*(int64_t *)(void *)target = json_integer_value(value);
		break;
	case PARAM_FLAG:
		if (!json_is_boolean(value))
			return "true or false";
		*(bool *)target = json_is_true(value);
		break;
	case PARAM_STRINGS:
		if (!is_strings(value))
			return "a list of strings";
		*(const json_t **)(void *)target = value;
		break;
	}
	return NULL;
}

static const struct param *param_find(const struct param *params, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (strcmp(params[i].name, name) == 0)
			return &params[i];
	return NULL;
}

static bool refuse_unknown(struct control_request *request, const struct param *params,
	unsigned count, const char *name)
{
	char known[256] = "";

	for (unsigned i = 0; i < count; i++) {
		const size_t used = strlen(known);
		snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", params[i].name);
	}
	control_fail(request, CONTROL_BAD_REQUEST, "unknown parameter `%.64s`: allowed: %s", name,
		count ? known : "none");
	return false;
}

bool params_read(
	struct control_request *request, const struct param *params, unsigned count, void *values)
{
	const char *name;
	json_t *value;

	json_object_foreach(request->params, name, value)
	{
		const struct param *param = param_find(params, count, name);
		if (!param)
			return refuse_unknown(request, params, count, name);
		const char *wanted = param_store(param, value, values);
		if (wanted) {
			control_fail(request, CONTROL_BAD_REQUEST, "parameter `%s` must be %s",
				name, wanted);
			return false;
		}
	}
	for (unsigned i = 0; i < count; i++) {
		if (params[i].required && !json_object_get(request->params, params[i].name)) {
			control_fail(request, CONTROL_BAD_REQUEST, "parameter `%s` is missing",
				params[i].name);
			return false;
		}
	}
	return true;
}
