/* SPDX-License-Identifier: BSD-2-Clause */
/* value: the text behind a `=` as the value of a key, checked against the key's row. */
#ifndef TUNGATE_CONFIG_VALUE_H
#define TUNGATE_CONFIG_VALUE_H

#include "config/keys.h"

/*
 * Parse `text` into the key's member of the struct at `base`.  `config` has the networks that are
 * known so far; `line` is kept with rules.  False, with what is allowed in `why`, leaves the member
 * as it was or half filled, which is of no matter to a config that is thrown away.
 */
bool value_parse(const struct config *config, const struct key *key, unsigned line,
	const char *text, void *base, const struct sentence *why);

/* Why `name` cannot name a network or a link, or NULL. */
const char *name_fault(const char *name);

/* The name of an interface. */
bool interface_value(const char *text, char member[16], const struct sentence *why);

#endif
