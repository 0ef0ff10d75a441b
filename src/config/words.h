/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words: the small language tools that every part of the configuration shares: choices, words,
 * numbers, and the sentences that refuse them.
 *
 * A list of choices is one string, "accept|drop|reject", so that the same text is matched against,
 * searched for the nearest name, and printed as what is allowed.
 */
#ifndef TUNGATE_CONFIG_WORDS_H
#define TUNGATE_CONFIG_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/addr.h"

#define BLANKS        " \t"
#define WORD_SIZE     256  /* the longest word or list of a line, with NUL */
#define SENTENCE_SIZE 512  /* one explanation */
#define CHOICES_SIZE  1024 /* names joined by '|'; further ones are left out of a message */

/* Where an explanation is written to. */
struct sentence {
	char *text;
	size_t size;
};

/* Write the explanation and return false, so that a parser can say `return refuse(...)`. */
bool refuse(const struct sentence *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* "unknown WHAT `word`: did you mean `near`? allowed: a, b, c"; returns false. */
bool refuse_choice(
	const struct sentence *why, const char *what, const char *word, const char *choices);

/* The index of `word` among the choices, or -1. */
int choice_index(const char *choices, const char *word);
/* The choices as people list them, "a, b, c", in `text`; returns it. */
char *choices_format(const char *choices, char *text, size_t size);
/* Append a name to a list of choices, if it fits. */
void choices_add(char choices[CHOICES_SIZE], const char *name);

/*
 * Take the next blank-separated word of *rest; blanks around a comma do not end it, so that
 * "80, 443" is one word.  Returns false at the end of the text; an over-long word is cut, so
 * callers bound the text by WORD_SIZE.
 */
bool word_next(const char **rest, char word[WORD_SIZE]);
/* Take the next element of a comma-separated list, trimmed (it may be empty); false at the end. */
bool list_next(const char **rest, char element[WORD_SIZE]);

/* Read decimal digits at *text and step over them; false if there are none or they exceed
 * UINT32_MAX. */
bool number_read(const char **text, uint32_t *value);
/* Parse a whole text as a number of at most `max`, or as a port or range of ports "N[-M]". */
bool number_parse(const char *text, uint32_t max, uint32_t *value);
bool ports_parse(const char *text, struct port_range *range, const struct sentence *why);
/* "80" or "8000-8100", in `text` of PORTS_TEXT_SIZE bytes; returns it. */
#define PORTS_TEXT_SIZE 12
char *ports_format(const struct port_range *range, char *text);

/* Copy with NUL; false (and nothing copied) if it does not fit. */
bool text_copy(char *target, size_t size, const char *text);

/* Make room for one more item in a malloc()ed array of `count` items; false if out of memory. */
bool array_reserve(void *array_pointer, size_t count, size_t item_size);

#endif
