/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * members: reading results of the daemon.
 *
 * A member that is missing or of another type than expected reads as 0 or "": a newer or older
 * daemon still shows what both know.
 */
#ifndef TUNGATE_MEMBERS_H
#define TUNGATE_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

static inline const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static inline int64_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static inline bool flag_of(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

#endif
