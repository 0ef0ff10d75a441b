/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * command: what a subcommand of tungate is, and how its words reach it.
 */
#ifndef TUNGATE_COMMAND_H
#define TUNGATE_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

#define OPTIONS_MAX 16
#define GIVEN_MAX   64

/* Exit statuses beside those of CONTROL_ERRORS. */
enum {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_UNREACHABLE = 3,
	STATUS_NOT_EXECUTABLE = 126,
	STATUS_NOT_FOUND = 127,
	STATUS_SIGNAL = 128, /* plus the signal's number */
};

struct option {
	const char *name;  /* "--network"; NULL ends a list */
	const char *value; /* what its value is called; NULL: it takes none */
	const char *meaning;
};

struct arguments;

struct subcommand {
	const char *name;     /* one or two words */
	const char *operands; /* as in the usage line */
	const char *summary;  /* a line for the list */
	const char *details;  /* a paragraph, or NULL */
	const char *example;
	const struct option *options; /* or NULL */
	unsigned operands_min, operands_max;
	bool keeps_rest; /* what follows the first operand is not ours to read */

	/* Most are one call: `method` with what `params` makes, its result shown by `show`. */
	const char *method;
	json_t *(*params)(const struct arguments *arguments);
	void (*show)(const struct arguments *arguments, const json_t *result);
	/* The others do all themselves and return the exit status. */
	int (*handle)(const struct arguments *arguments);
};

/* An option as it was given, for those that may be repeated. */
struct given {
	const char *name;
	char *value;
};

struct arguments {
	const struct subcommand *command;
	const char *socket;
	bool json;
	bool help;
	const char *option[OPTIONS_MAX]; /* by index in command->options; NULL: not given */
	struct given given[GIVEN_MAX];   /* with values, in order, while there is room */
	unsigned given_count;
	char **operands;
	unsigned operand_count;
};

/* The value of an option ("" for one that takes none), or NULL where it was not given. */
const char *option_value(const struct arguments *arguments, const char *name);

/*
 * Read options and operands behind the subcommand's name; operands are moved to the front of
 * `words`.  Returns false after saying what is wrong.
 */
bool arguments_parse(struct arguments *arguments, char **words);
/* Read the options in front of the subcommand's name and step over them. */
bool arguments_parse_common(struct arguments *arguments, char ***words);
/* The options that every subcommand has, ended by a NULL name. */
extern const struct option common_options[];

/* The candidate that `word` was probably meant to be, or NULL. */
const char *nearest(const char *word, const char *best, const char *candidate);

/* Print "tungate: ..." to stderr. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
