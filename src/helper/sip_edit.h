/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sip_edit: what is to be replaced in a message, gathered in any order.
 *
 * Replacements that lie near each other become one, with what is between them: in a session
 * description most do, and of those that the engine keeps for a stream there are few.
 */
#ifndef TUNGATE_HELPER_SIP_EDIT_H
#define TUNGATE_HELPER_SIP_EDIT_H

#include "engine/helper.h"
#include "helper/sip_message.h"

#define SIP_EDITS_MAX       48
#define SIP_EDIT_TEXT_BYTES 56 /* "[address]:65535" */

struct sip_edits {
	const char *text; /* that of the message */
	unsigned count;
	bool overflow; /* there were more: none of them counts */
	struct sip_edit {
		struct span span;
		uint32_t length;
		char text[SIP_EDIT_TEXT_BYTES];
	} edit[SIP_EDITS_MAX];
};

void sip_edits_begin(struct sip_edits *edits, const char *text);
/* Replace a piece of the message; nothing happens where it says that already. */
void sip_edit(struct sip_edits *edits, struct span span, const char *text);
/* Bytes that the message gains behind `from`. */
int32_t sip_edits_growth(const struct sip_edits *edits, uint32_t from);
/* Hand them over to the engine: all of them, or none where there are too many. */
void sip_edits_apply(struct sip_edits *edits, struct helper_message *message);

#endif
