/* SPDX-License-Identifier: BSD-2-Clause */
/* save: a text of iptables-save as tables, chains and rules in words; syntax without meaning. */
#include "import/save.h"

#include <stdlib.h>
#include <string.h>

#include "config/words.h"

struct reader {
	struct save *save;
	struct remarks *remarks;
	unsigned line;
	int table; /* enum save_table; -1: outside of any */
};

static void misunderstood(struct reader *reader, const char *what)
{
	remark_add(reader->remarks, reader->line, REMARK_LOST,
		"%s: is this the output of iptables-save?", what);
}

/* ---- words ---- */

static bool word_add(struct save *save, char *word)
{
	if (!array_reserve(&save->words, save->word_count, sizeof(*save->words)))
		return false;
	save->words[save->word_count++] = word;
	return true;
}

/* Take the next word of *rest out of its quotes, in place; NULL at the end. */
static char *word_take(char **rest)
{
	char *from = *rest + strspn(*rest, BLANKS), *to = from, *word = from;
	bool quoted = false;

	if (*from == '\0')
		return NULL;
	for (; *from != '\0' && (quoted || strchr(BLANKS, *from) == NULL); from++) {
		if (*from == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *from == '\\' && from[1] != '\0')
			from++;
		*to++ = *from;
	}
	*rest = *from == '\0' ? from : from + 1;
	*to = '\0';
	return word;
}

/* ---- lines ---- */

static void table_open(struct reader *reader, const char *name)
{
	static const char names[] = "filter|nat|mangle|raw"; /* enum save_table */
	const int table = choice_index(names, name);

	reader->table = table < 0 ? TABLE_OTHER : table;
	reader->save->has_table[reader->table] = true;
}

static bool chain_add(struct reader *reader, const char *name, const char *policy)
{
	struct save *save = reader->save;

	if (!array_reserve(&save->chains, save->chain_count, sizeof(*save->chains)))
		return false;
	save->chains[save->chain_count++] = (struct save_chain){
		.table = (uint8_t)reader->table,
		.line = reader->line,
		.name = name,
		.policy = policy,
	};
	return true;
}

/* ":FORWARD DROP [0:0]" */
static bool chain_read(struct reader *reader, char *text)
{
	const char *name = word_take(&text), *policy = word_take(&text);

	if (name == NULL || policy == NULL) {
		misunderstood(reader, "a chain without a policy");
		return true;
	}
	if (save_chain_named(reader->save, (enum save_table)reader->table, name) >= 0) {
		misunderstood(reader, "a chain that was there before");
		return true;
	}
	return chain_add(reader, name, policy);
}

/* "-A FORWARD -i eth0 ..." */
static bool rule_read(struct reader *reader, char *text, const char *source)
{
	struct save *save = reader->save;
	struct save_rule rule = {.line = reader->line, .source = source, .first = save->word_count};
	const char *command = word_take(&text), *name = word_take(&text);
	char *word;

	if (command == NULL || name == NULL || choice_index("-A|--append", command) < 0) {
		misunderstood(reader, "neither a table, a chain nor a rule");
		return true;
	}
	int chain = save_chain_named(save, (enum save_table)reader->table, name);
	if (chain < 0) {
		if (!chain_add(reader, name, "-"))
			return false;
		chain = (int)save->chain_count - 1;
	}
	while ((word = word_take(&text)) != NULL) {
		if (!word_add(save, word))
			return false;
	}
	rule.chain = (unsigned)chain;
	rule.words = save->word_count - rule.first;
	if (!array_reserve(&save->rules, save->rule_count, sizeof(*save->rules)))
		return false;
	save->rules[save->rule_count++] = rule;
	save->chains[chain].rules++;
	return true;
}

/* Step over "[12:720] ". */
static size_t counters_length(const char *line)
{
	if (*line != '[')
		return 0;
	const size_t digits = strspn(line + 1, "0123456789:");
	return line[1 + digits] == ']' ? 2 + digits + strspn(line + 2 + digits, BLANKS) : 0;
}

/* One line, twice: `source` to be shown, `text` to be cut into words. */
static bool line_read(struct reader *reader, const char *source, char *text)
{
	size_t skip = strspn(text, BLANKS);

	skip += counters_length(text + skip);
	text += skip;
	source += skip;
	if (*text == '\0' || *text == '#')
		return true;
	if (*text == '*') {
		text++;
		const char *name = word_take(&text);
		table_open(reader, name == NULL ? "" : name);
		return true;
	}
	if (strcmp(text, "COMMIT") == 0) {
		reader->table = -1;
		return true;
	}
	if (reader->table < 0) {
		misunderstood(reader, "a line outside of any table");
		return true;
	}
	return *text == ':' ? chain_read(reader, text + 1) : rule_read(reader, text, source);
}

/* ---- the whole text ---- */

/* An address of IPv6, or a word that only ip6tables has. */
static bool is_v6(const char *word)
{
	static const char names[] = "ipv6-icmp|icmpv6|icmp6|--icmpv6-type";
	struct prefix prefix;
	union addr address;

	return choice_index(names, word) >= 0 ||
	       (prefix_parse_address(word, &prefix, &address) == NULL && prefix.family == AF_INET6);
}

static void family_find(struct save *save)
{
	for (unsigned i = 0; i < save->word_count; i++)
		save->v6 |= is_v6(save->words[i]);
}

bool save_read(struct save *save, const char *text, struct remarks *remarks)
{
	struct reader reader = {.save = save, .remarks = remarks, .table = -1};
	bool good;

	*save = (struct save){.lines = strdup(text), .unquoted = strdup(text)};
	good = save->lines != NULL && save->unquoted != NULL;
	for (size_t at = 0; good && save->lines[at] != '\0';) {
		const size_t length = strcspn(save->lines + at, "\n");
		const bool last = save->lines[at + length] == '\0';
		const bool carriage = length > 0 && save->lines[at + length - 1] == '\r';
		const size_t end = at + length - carriage;

		reader.line++;
		save->lines[end] = save->unquoted[end] = '\0';
		good = line_read(&reader, save->lines + at, save->unquoted + at);
		at += length + !last;
	}
	if (!good)
		save_free(save);
	else
		family_find(save);
	return good;
}

void save_free(struct save *save)
{
	free(save->chains);
	free(save->rules);
	free(save->words);
	free(save->lines);
	free(save->unquoted);
	*save = (struct save){0};
}

int save_chain_named(const struct save *save, enum save_table table, const char *name)
{
	for (unsigned i = 0; i < save->chain_count; i++) {
		if (save->chains[i].table == table && strcmp(save->chains[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

char **save_words(const struct save *save, const struct save_rule *rule)
{
	return rule->words > 0 ? &save->words[rule->first] : NULL;
}

const char *save_option(
	const struct save *save, const struct save_rule *rule, const char *option, bool *negated)
{
	char **words = save_words(save, rule);

	for (unsigned i = 0; i + 1 < rule->words; i++) {
		if (strcmp(words[i], option) != 0)
			continue;
		const bool behind = strcmp(words[i + 1], "!") == 0; /* as old versions wrote it */
		*negated = behind || (i > 0 && strcmp(words[i - 1], "!") == 0);
		return behind ? (i + 2 < rule->words ? words[i + 2] : NULL) : words[i + 1];
	}
	return NULL;
}
