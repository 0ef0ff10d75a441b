/* SPDX-License-Identifier: BSD-2-Clause */
/* target: what is done with a packet, by iptables' name and by ours. */
#ifndef TUNGATE_IMPORT_TARGET_H
#define TUNGATE_IMPORT_TARGET_H

#include "import/statement.h"

/* A filter rule's action: "accept", `log "ssh: "`, "reject with tcp-reset".  False, and the
 * statement has failed, where there is none. */
bool target_action(struct statement *statement, char *action, size_t size);

/* Whether its options can be read. */
bool target_is_known(const char *name);

/* Give a statement the reason why its target has no counterpart. */
void target_fail(struct statement *statement);

/* Where DNAT and its like lead: "192.168.1.2:8080-8090", "[fd00::2]:80". */
struct target_address {
	bool has_address;
	char address[2 * ADDR_TEXT_SIZE]; /* one, or a range A-B */
	union addr first;
	char ports[16]; /* one, or a range; empty: as they are */
};
bool target_address_read(const char *text, struct target_address *target);

#endif
