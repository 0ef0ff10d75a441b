/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * params: the parameters of a request, read into a struct by a table.
 */
#ifndef TUNGATE_CONTROL_PARAMS_H
#define TUNGATE_CONTROL_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include "control/server.h"

enum param_kind {
	PARAM_STRING,  /* const char *, valid as long as the request */
	PARAM_NUMBER,  /* int64_t, not negative */
	PARAM_FLAG,    /* bool */
	PARAM_STRINGS, /* const json_t *, an array of strings */
};

struct param {
	const char *name;
	enum param_kind kind;
	bool required;
	size_t offset; /* into the struct */
};

/*
 * Fill `values` from the request's parameters; what is absent stays as it was.  False after the
 * request was answered: a parameter is unknown, missing or of the wrong kind.
 */
bool params_read(
	struct control_request *request, const struct param *params, unsigned count, void *values);

#endif
