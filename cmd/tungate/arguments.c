/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arguments: options and operands of a command line, by the table of its subcommand.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "command.h"

#define NEAR_WORD_MAX 32
#define NEAR_EDITS    2

const struct option common_options[] = {
	{"--json", NULL, "print the daemon's answer as JSON"},
	{"--socket", "PATH", "the control socket (else $TUNGATE_SOCKET, else the default)"},
	{"--help", NULL, "show this text"},
	{NULL, NULL, NULL},
};

void complain(const char *format, ...)
{
	va_list arguments;

	fputs("tungate: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

/* ---- suggestions ---- */

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	const unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* How many letters to insert, delete or replace to get from one word to the other. */
static unsigned edits(const char *a, const char *b)
{
	const size_t length = strlen(b);
	unsigned row[NEAR_WORD_MAX + 1];

	if (strlen(a) > NEAR_WORD_MAX || length > NEAR_WORD_MAX)
		return NEAR_WORD_MAX;
	for (unsigned j = 0; j <= length; j++)
		row[j] = j;
	for (unsigned i = 1; a[i - 1]; i++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (unsigned j = 1; j <= length; j++) {
			const unsigned above = row[j];
			row[j] =
				least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[length];
}

const char *nearest(const char *word, const char *best, const char *candidate)
{
	const unsigned limit = best ? edits(word, best) : NEAR_EDITS + 1;

	return edits(word, candidate) < limit ? candidate : best;
}

/* ---- options ---- */

const char *option_value(const struct arguments *arguments, const char *name)
{
	const struct option *options = arguments->command->options;

	for (unsigned i = 0; options && options[i].name; i++)
		if (strcmp(options[i].name, name) == 0)
			return arguments->option[i];
	return NULL;
}

static int option_find(const struct option *options, const char *word, size_t length)
{
	for (int i = 0; options && options[i].name; i++)
		if (strlen(options[i].name) == length && memcmp(options[i].name, word, length) == 0)
			return i;
	return -1;
}

static bool option_unknown(const struct arguments *arguments, const char *word)
{
	const char *near = NULL;

	for (const struct option *option = common_options; option->name; option++)
		near = nearest(word, near, option->name);
	if (arguments->command && arguments->command->options)
		for (const struct option *option = arguments->command->options; option->name;
			option++)
			near = nearest(word, near, option->name);
	complain("unknown option %s%s%s%s; see `tungate %s%s--help`", word,
		near ? ": did you mean " : "", near ? near : "", near ? "?" : "",
		arguments->command ? arguments->command->name : "", arguments->command ? " " : "");
	return false;
}

static void option_store(
	struct arguments *arguments, const struct option *options, int index, char *value)
{
	if (options != common_options) {
		arguments->option[index] = value;
		if (arguments->given_count < GIVEN_MAX)
			arguments->given[arguments->given_count++] =
				(struct given){options[index].name, value};
	} else if (index == 0) {
		arguments->json = true;
	} else if (index == 1) {
		arguments->socket = value;
	} else {
		arguments->help = true;
	}
}

/* Read the option at **words, and its value, and step over them. */
static bool option_read(struct arguments *arguments, char ***words)
{
	char *word = *(*words)++;
	char *equals = strchr(word, '=');
	const size_t length = equals ? (size_t)(equals - word) : strlen(word);
	const struct option *options = common_options;
	int index = option_find(options, word, length);

	if (index < 0 && arguments->command) {
		options = arguments->command->options;
		index = option_find(options, word, length);
	}
	if (index < 0)
		return option_unknown(arguments, word);
	char *value = word + strlen(word); /* none: "" */
	if (!options[index].value && equals) {
		complain("%s takes no value", options[index].name);
		return false;
	}
	if (options[index].value)
		value = equals ? equals + 1 : **words;
	if (!value || (options[index].value && !*value)) {
		complain("%s needs a value: %s %s", options[index].name, options[index].name,
			options[index].value);
		return false;
	}
	if (options[index].value && !equals)
		(*words)++;
	option_store(arguments, options, index, value);
	return true;
}

static bool is_option(const char *word)
{
	return word && word[0] == '-' && word[1];
}

bool arguments_parse_common(struct arguments *arguments, char ***words)
{
	while (is_option(**words))
		if (!option_read(arguments, words))
			return false;
	return true;
}

bool arguments_parse(struct arguments *arguments, char **words)
{
	const struct subcommand *command = arguments->command;
	bool options_end = false;

	arguments->operands = words;
	while (*words) {
		if (!options_end && strcmp(*words, "--") == 0) {
			options_end = true;
			words++;
		} else if (!options_end && is_option(*words)) {
			if (!option_read(arguments, &words))
				return false;
		} else {
			options_end |= command->keeps_rest;
			arguments->operands[arguments->operand_count++] = *words++;
		}
	}
	arguments->operands[arguments->operand_count] = NULL;
	if (arguments->help)
		return true;
	if (arguments->operand_count < command->operands_min)
		complain("too few words; usage: tungate %s %s", command->name, command->operands);
	else if (!command->keeps_rest && arguments->operand_count > command->operands_max)
		complain("unexpected word `%s`; usage: tungate %s %s",
			arguments->operands[command->operands_max], command->name,
			command->operands);
	else
		return true;
	return false;
}
