/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sets: the lists of [sets] under their names.
 *
 * A set is of addresses, of ports or of domains, as its first element is.  Its lines add up; when
 * all are read, sets_settle() sorts and merges, so that whoever asks can search by halves.
 */
#ifndef TUNGATE_CONFIG_SETS_H
#define TUNGATE_CONFIG_SETS_H

#include "config/words.h"
#include "tungate/config.h"

/* One element that stands for addresses: an address, a prefix, a range, or the name of a link: its
 * one or two addresses. */
bool addresses_parse(const struct config *config, const char *element, struct addr_range ranges[2],
	unsigned *count, const struct sentence *why);

/* "addresses", "ports" ...: what a set is of. */
const char *set_kind_name(enum set_kind kind);
/* A line of [sets]: add the elements of `list` to the set `name`, which is made if need be. */
bool set_load(struct config *config, const char *name, const char *list, unsigned line,
	const struct sentence *why);
void sets_settle(struct config *config);
void sets_free(struct config *config);

#endif
