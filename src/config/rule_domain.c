/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_domain: `to domain`: where a guest goes, by the names that it has asked for; and the
 * patterns of names in [sets].
 */
#include <string.h>

#include "base/domain.h"
#include "config/rule_parser.h"
#include "config/sets.h"

/* One element of the list, which lies in the rule's own text. */
static bool name_add(struct parser *parser, const char *element, size_t length)
{
	struct domain_match *list = &parser->rule->domains;
	const char *fault;

	if (element[0] == '@') {
		char name[WORD_SIZE];

		memcpy(name, element + 1, length - 1);
		name[length - 1] = '\0';
		return rule_set_add(parser, name, SET_DOMAINS, list->set, &list->set_count);
	}
	fault = domain_pattern_fault(element, length);
	if (fault != NULL)
		return refuse(parser->why, "bad domain `%.*s`: %s", (int)length, element, fault);
	if (list->count == CONFIG_ELEMENTS_MAX)
		return refuse(parser->why,
			"too many domains: allowed: %d in one list: use a set of [sets]",
			CONFIG_ELEMENTS_MAX);
	list->name[list->count++] =
		(struct text_span){(uint8_t)(element - parser->text), (uint8_t)length};
	return true;
}

static bool names_add(struct parser *parser, const char *list, const char *end)
{
	while (list <= end) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		const char *stop = comma != NULL ? comma : end;

		list += strspn(list, BLANKS);
		size_t length = list < stop ? (size_t)(stop - list) : 0;
		while (length > 0 && strchr(BLANKS, list[length - 1]) != NULL)
			length--;
		if (!name_add(parser, list, length))
			return false;
		list = stop + 1;
	}
	return true;
}

bool to_domain_parse(struct parser *parser)
{
	char word[WORD_SIZE];

	if (parser->place != PLACE_FORWARD && parser->place != PLACE_CHAIN)
		return refuse(parser->why,
			"`to domain`: allowed: in [filter forward] and in chains that it jumps to");
	if (!word_claim(parser, WORD_TO_DOMAIN))
		return false;
	word_negate(parser, WORD_TO_DOMAIN);
	const char *list = parser->rest + strspn(parser->rest, BLANKS);
	if (!argument_next(
		    parser, "to domain", "names such as example.org,*.debian.org, or @SET", word))
		return false;
	return names_add(parser, list, parser->rest);
}
