/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_parser: what the files of the rule language share; private to rule*.c.
 *
 * A word's function reads the word's arguments from `rest`.  Each word is claimed once; what only
 * the whole rule can tell (ports need a protocol that has them, both ends one family) is checked
 * when it has been read.
 */
#ifndef TUNGATE_CONFIG_RULE_PARSER_H
#define TUNGATE_CONFIG_RULE_PARSER_H

#include "config/rule.h"

struct parser {
	const struct config *config;
	enum rule_place place;
	const char *text;           /* of the whole rule */
	const char *rest;           /* of it */
	uint32_t seen;              /* bits of enum rule_word, `any` included */
	uint8_t icmp;               /* the protocol that icmp-type is about; 0: none */
	bool ports_missing;         /* some protocol that was named has no ports */
	char icmp_types[WORD_SIZE]; /* kept until the protocol is known */
	struct rule *rule;
	const struct sentence *why;
};

/* Say the word; false where it was said before. */
bool word_claim(struct parser *parser, enum rule_word word);
/* It says `any`: as if it had not been there. */
void word_unsay(struct parser *parser, enum rule_word word);
/* The word's argument; its absence is an error that names what is expected. */
bool argument_next(
	struct parser *parser, const char *word, const char *expected, char argument[WORD_SIZE]);
/* Step over the next word if it is this one. */
bool word_skip(struct parser *parser, const char *expected);
/* Step over a `not` behind the word. */
void word_negate(struct parser *parser, enum rule_word word);
/* A number from `least` to `most` behind a word. */
bool argument_number(
	struct parser *parser, const char *word, uint32_t least, uint32_t most, uint32_t *number);

/* rule_match.c */
bool state_parse(struct parser *parser);
bool forwarded_parse(struct parser *parser);
bool in_parse(struct parser *parser);
bool out_parse(struct parser *parser);
bool family_parse(struct parser *parser);
bool proto_parse(struct parser *parser);
bool helper_parse(struct parser *parser);
/* rule_packet.c */
bool tcp_flags_parse(struct parser *parser);
bool length_parse(struct parser *parser);
bool ttl_parse(struct parser *parser);
bool dscp_parse(struct parser *parser);
bool limit_parse(struct parser *parser);
bool connections_parse(struct parser *parser);
/* rule_lists.c */
bool from_parse(struct parser *parser);
bool to_parse(struct parser *parser);
bool port_parse(struct parser *parser);
/* Add a set to a list: its name without the @. */
bool rule_set_add(struct parser *parser, const char *name, enum set_kind kind, uint16_t *sets,
	uint8_t *count);
/* rule_domain.c: behind `to domain` */
bool to_domain_parse(struct parser *parser);
/* rule_icmp.c */
bool icmp_type_parse(struct parser *parser);
bool icmp_finish(struct parser *parser);

/* rule_check.c: what only the whole rule can tell. */
bool rule_check(struct parser *parser);

/* Two families that a list, a type or a word may be about. */
#define FAMILY_V4   1u
#define FAMILY_V6   2u
#define FAMILY_BOTH (FAMILY_V4 | FAMILY_V6)
static inline unsigned family_bit(uint8_t family)
{
	return family == AF_INET ? FAMILY_V4 : FAMILY_V6;
}

#endif
