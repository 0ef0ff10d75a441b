/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match: the options of a rule of iptables, by a table of what each means here.
 *
 * A row names an option as iptables-save prints it (and the other spellings that iptables takes),
 * how many values follow, and what takes them.  A row without a function is an option that changes
 * nothing here.  Options that no row has belong to a match or a target without a counterpart, whose
 * name tells why; behind it nothing is read, as nobody knows how many values there are.
 */
#include "import/match.h"

#include <stdio.h>
#include <string.h>

#include "import/target.h"

#define VALUES_MAX 2

/* One that has no counterpart has options that nobody can read. */
static void target_take(struct match_reader *reader, const char *const *values, bool negated)
{
	struct statement *statement = reader->statement;
	const struct save *save = reader->context->save;
	const struct save_chain *chain = &save->chains[statement->rule->chain];

	(void)negated;
	statement->target = values[0];
	if (save_chain_named(save, (enum save_table)chain->table, values[0]) < 0 &&
		!target_is_known(values[0]))
		target_fail(statement);
}

static void goto_take(struct match_reader *reader, const char *const *values, bool negated)
{
	target_take(reader, values, negated);
	reader->statement->goes = true;
}

static const struct {
	const char *names; /* choices */
	unsigned values;
	match_take *take;
} options[] = {
	{"-i|--in-interface", 1, match_in},
	{"-o|--out-interface", 1, match_out},
	{"-s|--source|--src", 1, match_source},
	{"-d|--destination|--dst", 1, match_destination},
	{"-p|--protocol|--proto", 1, match_protocol},
	{"-j|--jump", 1, target_take},
	{"-g|--goto", 1, goto_take},
	{"--sport|--source-port|--sports|--source-ports", 1, match_source_port},
	{"--dport|--destination-port|--dports|--destination-ports", 1, match_destination_port},
	{"--ports", 1, match_any_port},
	{"--state|--ctstate", 1, match_state},
	{"--ctstatus", 1, match_ctstatus},
	{"--icmp-type|--icmpv6-type", 1, match_icmp_type},
	{"--tcp-flags", 2, match_tcp_flags},
	{"--syn", 0, match_syn},
	{"--src-range", 1, match_source_range},
	{"--dst-range", 1, match_destination_range},
	{"--length", 1, match_length},
	{"--ttl-eq|--hl-eq|--ttl", 1, match_ttl_equal},
	{"--ttl-lt|--hl-lt", 1, match_ttl_less},
	{"--ttl-gt|--hl-gt", 1, match_ttl_greater},
	{"--dscp", 1, match_dscp},
	{"--dscp-class", 1, match_dscp_class},
	{"--dst-type", 1, match_dst_type},
	{"--limit", 1, match_limit},
	{"--limit-burst|--hashlimit-burst", 1, match_burst},
	{"--hashlimit-upto|--hashlimit", 1, match_hash_upto},
	{"--hashlimit-above", 1, match_hash_above},
	{"--hashlimit-mode", 1, match_hash_mode},
	{"--hashlimit-srcmask|--hashlimit-dstmask", 1, match_hash_mask},
	{"--hashlimit-name|--hashlimit-htable-size|--hashlimit-htable-max|--hashlimit-htable-"
	 "expire|"
	 "--hashlimit-htable-gcinterval",
		1, NULL}, /* of its table, which here is nobody's to see */
	{"--connlimit-above", 1, match_connections_above},
	{"--connlimit-upto", 1, match_connections_upto},
	{"--connlimit-mask", 1, match_connections_mask},
	{"--connlimit-saddr", 0, match_connections_source},
	{"--connlimit-daddr", 0, match_connections_destination},
	{"--comment", 1, match_comment},
	/* Fields of a line of the log: all that there is, always. */
	{"--log-level|--nflog-group|--nflog-threshold|--nflog-size|--ulog-nlgroup|--ulog-cprange|"
	 "--ulog-qthreshold|--nflog-range",
		1, NULL},
	{"--log-tcp-sequence|--log-tcp-options|--log-ip-options|--log-uid|--log-macdecode", 0,
		NULL},
	/* Ports are always random, and a guest's external address is always the same. */
	{"--random|--random-fully|--persistent", 0, NULL},
	{"--set-counters|-c", 2, NULL},
};

/* Matches by `-m` whose options stand above. */
static const char known_matches[] =
	"tcp|udp|sctp|dccp|udplite|icmp|icmp6|multiport|state|conntrack|limit|hashlimit|connlimit|"
	"comment|iprange|addrtype|length|ttl|hl|dscp|helper";

/* Why others have no counterpart. */
static const struct {
	const char *names; /* choices; the last row is for all others */
	enum fate fate;
	const char *why;
} unknown_matches[] = {
	{"mark|connmark", FATE_LOST,
		"marks: there are none here; say what the mark stands for, by addresses or "
		"networks"},
	{"set", FATE_LOST, "a set's elements are not in the input: list them in [sets]"},
	{"mac", FATE_LOST, "hardware addresses: a guest is known by its link here"},
	{"owner", FATE_HOST, "programs and users are the host's own"},
	{"recent", FATE_LOST, "a list of recent addresses: see `limit ... per source`"},
	{"statistic", FATE_LOST, "chance: several targets of one `dnat` line take turns"},
	{"string|u32|bpf", FATE_LOST, "rules do not look into payloads"},
	{"physdev", FATE_LOST, "ports of a bridge: a guest's link belongs to one network here"},
	{"policy", FATE_LOST, "IPsec policies are the host kernel's"},
	{"rpfilter", FATE_NEVER,
		"not needed: sources are checked before any rule, see `spoofed` of `tungate "
		"drops`"},
	{"", FATE_LOST, "this match has no counterpart"},
};

static void match_unknown(struct statement *statement, const char *name)
{
	unsigned row = 0;

	while (unknown_matches[row].names[0] != '\0' &&
		choice_index(unknown_matches[row].names, name) < 0)
		row++;
	statement_fail(statement, unknown_matches[row].fate, "-m %.30s: %s", name,
		unknown_matches[row].why);
}

/* Options whose values the target keeps: in order of enum target_option. */
static int target_option_index(const char *option)
{
	static const char *const names[TARGET_OPTION_COUNT] = {
		[TARGET_REJECT_WITH] = "--reject-with",
		[TARGET_LOG_PREFIX] = "--log-prefix|--nflog-prefix|--ulog-prefix",
		[TARGET_TO_DESTINATION] = "--to-destination",
		[TARGET_TO_SOURCE] = "--to-source",
		[TARGET_TO_PORTS] = "--to-ports",
		[TARGET_TO] = "--to",
		[TARGET_SOURCE_PREFIX] = "--src-pfx",
		[TARGET_DESTINATION_PREFIX] = "--dst-pfx",
		[TARGET_HELPER] = "", /* an option of a match too: helper_take() */
	};

	for (int i = 0; i < TARGET_OPTION_COUNT; i++) {
		if (choice_index(names[i], option) >= 0)
			return i;
	}
	return -1;
}

struct words {
	char **word;
	unsigned count;
};

/* The next word, or NULL. */
static const char *word_step(struct words *words)
{
	if (words->count == 0)
		return NULL;
	words->count--;
	return *words->word++;
}

/* Take the values of a row; `!` may stand before them too, as old versions wrote it. */
static void row_take(struct match_reader *reader, unsigned row, struct words *words, bool negated)
{
	const char *values[VALUES_MAX];

	for (unsigned i = 0; i < options[row].values; i++) {
		values[i] = word_step(words);
		if (i == 0 && values[i] != NULL && strcmp(values[i], "!") == 0) {
			negated = true;
			values[i] = word_step(words);
		}
		if (values[i] == NULL) {
			statement_fail(reader->statement, FATE_LOST, "nothing behind %.30s",
				reader->option);
			return;
		}
	}
	if (options[row].take != NULL)
		options[row].take(reader, values, negated);
}

/* --helper is of -m helper, and of the target CT. */
static void helper_take(struct match_reader *reader, const char *value, bool negated)
{
	struct statement *statement = reader->statement;

	if (value == NULL)
		statement_fail(statement, FATE_LOST, "nothing behind --helper");
	else if (statement->target != NULL)
		statement->option[TARGET_HELPER] = value;
	else
		match_helper(reader, &value, negated);
}

static void option_take(struct match_reader *reader, struct words *words, bool negated)
{
	struct statement *statement = reader->statement;
	const char *option = reader->option;

	if (strcmp(option, "-m") == 0 || strcmp(option, "--match") == 0) {
		const char *name = word_step(words);
		if (name == NULL || choice_index(known_matches, name) < 0)
			match_unknown(statement, name == NULL ? "" : name);
		return;
	}
	if (strcmp(option, "--helper") == 0) {
		helper_take(reader, word_step(words), negated);
		return;
	}
	const int kept = target_option_index(option);
	if (kept >= 0) {
		statement->option[kept] = word_step(words);
		return;
	}
	for (unsigned row = 0; row < sizeof(options) / sizeof(options[0]); row++) {
		if (choice_index(options[row].names, option) >= 0) {
			row_take(reader, row, words, negated);
			return;
		}
	}
	statement_fail(statement, FATE_LOST, "%.30s has no counterpart", option);
}

/* Where reading ended early, the target is still worth knowing. */
static void target_find(struct statement *statement, const struct statement_context *context)
{
	bool negated;

	if (statement->target == NULL)
		statement->target = save_option(context->save, statement->rule, "-j", &negated);
}

void match_read(struct statement *statement, const struct statement_context *context)
{
	struct match_reader reader = {.statement = statement, .context = context};
	struct words words = {save_words(context->save, statement->rule), statement->rule->words};

	while (words.count > 0 && statement->fate == FATE_GOOD) {
		bool negated = false;

		reader.option = word_step(&words);
		if (strcmp(reader.option, "!") == 0 && words.count > 0) {
			negated = true;
			reader.option = word_step(&words);
		}
		option_take(&reader, &words, negated);
	}
	match_limits_finish(&reader);
	target_find(statement, context);
}
