/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sip_edit: what is to be replaced in a message.
 */
#include "helper/sip_edit.h"

#include <string.h>

/* A replacement as the engine takes it. */
struct joined {
	struct span span;
	uint32_t length;
	char text[SEQADJ_TEXT_BYTES];
};

void sip_edits_begin(struct sip_edits *edits, const char *text)
{
	edits->text = text;
	edits->count = 0;
	edits->overflow = false;
}

void sip_edit(struct sip_edits *edits, struct span span, const char *text)
{
	const uint32_t length = (uint32_t)strlen(text);
	unsigned at = edits->count;

	if (length == span.length && memcmp(edits->text + span.at, text, length) == 0)
		return;
	if (edits->count == SIP_EDITS_MAX || length > SIP_EDIT_TEXT_BYTES) {
		edits->overflow = true;
		return;
	}
	for (; at > 0 && edits->edit[at - 1].span.at > span.at; at--)
		edits->edit[at] = edits->edit[at - 1];
	edits->count++;
	edits->edit[at].span = span;
	edits->edit[at].length = length;
	memcpy(edits->edit[at].text, text, length);
}

int32_t sip_edits_growth(const struct sip_edits *edits, uint32_t from)
{
	int32_t growth = 0;

	for (unsigned i = 0; i < edits->count; i++)
		if (edits->edit[i].span.at >= from)
			growth += (int32_t)edits->edit[i].length -
				  (int32_t)edits->edit[i].span.length;
	return growth;
}

/* Join a replacement to one before it, if there is room for both. */
static bool join(const char *text, struct joined *joined, const struct sip_edit *edit)
{
	const uint32_t end = joined->span.at + joined->span.length;
	const uint32_t between = edit->span.at - end;

	if (joined->length + between + edit->length > sizeof(joined->text))
		return false;
	memcpy(joined->text + joined->length, text + end, between);
	memcpy(joined->text + joined->length + between, edit->text, edit->length);
	joined->length += between + edit->length;
	joined->span.length += between + edit->span.length;
	return true;
}

static unsigned join_all(const struct sip_edits *edits, struct joined *joined)
{
	unsigned count = 0;

	for (unsigned i = 0; i < edits->count; i++) {
		const struct sip_edit *edit = &edits->edit[i];

		if (count > 0 && join(edits->text, &joined[count - 1], edit))
			continue;
		joined[count] = (struct joined){.span = edit->span, .length = edit->length};
		memcpy(joined[count++].text, edit->text, edit->length);
	}
	return count;
}

void sip_edits_apply(struct sip_edits *edits, struct helper_message *message)
{
	struct joined joined[SIP_EDITS_MAX];
	const unsigned count = join_all(edits, joined);

	if (edits->overflow || count > HELPER_EDITS)
		return;
	for (unsigned i = 0; i < count; i++)
		helper_replace(message, joined[i].span.at, joined[i].span.length, joined[i].text,
			joined[i].length);
}
