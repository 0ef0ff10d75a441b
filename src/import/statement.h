/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * statement: what one rule of iptables says, in the words of tungate.
 *
 * Reading a rule ends in one of four fates.  A fault is the first thing about it that has no
 * counterpart; the rest of the rule is of no interest then.
 */
#ifndef TUNGATE_IMPORT_STATEMENT_H
#define TUNGATE_IMPORT_STATEMENT_H

#include "config/words.h"
#include "import/save.h"
#include "import/sides.h"

/* Words of a rule, in the order in which they are written. */
enum part {
	PART_STATE,
	PART_FORWARDED, /* without an argument: " " */
	PART_IN,
	PART_OUT,
	PART_FROM,
	PART_TO,
	PART_PROTO,
	PART_FROM_PORT,
	PART_TO_PORT,
	PART_ICMP_TYPE,
	PART_TCP_FLAGS,
	PART_LENGTH,
	PART_TTL,
	PART_DSCP,
	PART_HELPER,
	PART_CONNECTIONS,
	PART_LIMIT,
	PART_COUNT,
};

enum fate {
	FATE_GOOD,
	FATE_LOST,  /* has no counterpart */
	FATE_HOST,  /* is about the host's own traffic */
	FATE_NEVER, /* never matches here, or changes nothing: `fault` says why */
};

/* Options of targets whose values are kept as they are. */
enum target_option {
	TARGET_REJECT_WITH,
	TARGET_LOG_PREFIX,
	TARGET_TO_DESTINATION,
	TARGET_TO_SOURCE,
	TARGET_TO_PORTS,
	TARGET_TO,            /* NETMAP's */
	TARGET_SOURCE_PREFIX, /* of SNPT and DNPT */
	TARGET_DESTINATION_PREFIX,
	TARGET_HELPER, /* CT's */
	TARGET_OPTION_COUNT,
};

#define FAULT_SIZE 200

struct statement {
	const struct save_rule *rule;
	uint8_t fate; /* enum fate */
	char fault[FAULT_SIZE];
	char part[PART_COUNT][WORD_SIZE]; /* empty: not said */
	char comment[WORD_SIZE];
	const char *target; /* NULL: none */
	bool goes;          /* -g instead of -j */
	const char *option[TARGET_OPTION_COUNT];
};

/* Where a rule is asked: bits of the built-in chains that lead to it. */
enum place {
	PLACE_OF_INPUT = 1,
	PLACE_OF_FORWARD = 2,
	PLACE_OF_OUTPUT = 4,
	PLACE_OF_PREROUTING = 8,
	PLACE_OF_POSTROUTING = 16,
};

struct statement_context {
	const struct save *save;
	const struct sides *sides;
	unsigned places; /* bits of enum place */
};

void statement_read(struct statement *statement, const struct statement_context *context,
	const struct save_rule *rule);

/* Give it a fate other than good, unless it has one. */
void statement_fail(struct statement *statement, enum fate fate, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Say a word; to say another than was said is a fault. */
void statement_say(struct statement *statement, enum part part, const char *text);

/* What holds for `inner` where it is reached through `outer` alone: the words of both. */
void statement_merge(struct statement *inner, const struct statement *outer);

/* " in home proto tcp ...": all words said, each behind a blank, in `text` of `size` bytes. */
void statement_words(const struct statement *statement, char *text, size_t size);

#endif
