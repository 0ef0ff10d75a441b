/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reason: names and meanings of the drop reasons, from the one table in verdict.h.
 */
#include "tungate/verdict.h"

static const struct {
	const char *name;
	const char *meaning;
} reasons[DROP_COUNT] = {
#define X(name, text, meaning) {text, meaning},
	TUNGATE_DROPS(X)
#undef X
};

const char *drop_name(enum drop drop)
{
	return reasons[drop].name;
}

const char *drop_meaning(enum drop drop)
{
	return reasons[drop].meaning;
}
