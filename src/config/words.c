/* SPDX-License-Identifier: BSD-2-Clause */
/* words: choices, words, numbers, and the sentences that refuse them. */
#include "config/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool refuse(const struct sentence *why, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why->text, why->size, format, arguments);
	va_end(arguments);
	return false;
}

/* Step to the next of "a|b|c"; its length, or 0 at the end. */
static size_t choice_step(const char **choice, const char **rest)
{
	*choice = *rest;
	const size_t length = strcspn(*choice, "|");

	*rest = *choice + length + ((*choice)[length] == '|');
	return length;
}

int choice_index(const char *choices, const char *word)
{
	const size_t wanted = strlen(word);
	const char *choice;
	size_t length;

	for (int i = 0; (length = choice_step(&choice, &choices)) > 0; i++) {
		if (length == wanted && memcmp(choice, word, length) == 0)
			return i;
	}
	return -1;
}

char *choices_format(const char *choices, char *text, size_t size)
{
	const char *choice;
	size_t used = 0, length;

	text[0] = '\0';
	while ((length = choice_step(&choice, &choices)) > 0 && used < size) {
		used += (size_t)snprintf(text + used, size - used, "%s%.*s", used > 0 ? ", " : "",
			(int)length, choice);
	}
	return text;
}

void choices_add(char choices[CHOICES_SIZE], const char *name)
{
	const size_t used = strlen(choices);

	if (used + 1 + strlen(name) < CHOICES_SIZE)
		snprintf(choices + used, CHOICES_SIZE - used, "%s%s", used > 0 ? "|" : "", name);
}

#define NEAR_LENGTH_MAX 32

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edits between two words of at most NEAR_LENGTH_MAX bytes: insert, delete, replace, or swap two
 * neighbours (the optimal string alignment distance). */
static unsigned edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned edits[NEAR_LENGTH_MAX + 1][NEAR_LENGTH_MAX + 1]; /* of the first i and j bytes */

	for (size_t i = 0; i <= a_length; i++)
		edits[i][0] = (unsigned)i;
	for (size_t j = 0; j <= b_length; j++)
		edits[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		for (size_t j = 1; j <= b_length; j++) {
			const unsigned replaced = edits[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			const unsigned shifted = 1 + least(edits[i - 1][j], edits[i][j - 1]);

			edits[i][j] = least(replaced, shifted);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				edits[i][j] = least(edits[i][j], edits[i - 2][j - 2] + 1);
		}
	}
	return edits[a_length][b_length];
}

/* The choice that `word` was probably meant to be: a quarter of its letters may be wrong, and
 * one more.  Returns its length, or 0. */
static size_t choice_nearest(const char *choices, const char *word, const char **nearest)
{
	const size_t word_length = strlen(word);
	unsigned best = (unsigned)(word_length / 4 + 2);
	size_t nearest_length = 0, length;
	const char *choice;

	if (word_length > NEAR_LENGTH_MAX)
		return 0;
	while ((length = choice_step(&choice, &choices)) > 0) {
		if (length > NEAR_LENGTH_MAX)
			continue;
		const unsigned distance = edit_distance(word, word_length, choice, length);
		/* A word that has nothing of the choice left is no misspelling of it. */
		if (distance < best && distance < length) {
			best = distance;
			*nearest = choice;
			nearest_length = length;
		}
	}
	return nearest_length;
}

bool refuse_choice(
	const struct sentence *why, const char *what, const char *word, const char *choices)
{
	char allowed[2 * CHOICES_SIZE], near[NEAR_LENGTH_MAX + 20] = "";
	const char *nearest;
	const size_t length = choice_nearest(choices, word, &nearest);

	if (length > 0)
		snprintf(near, sizeof(near), "did you mean `%.*s`? ", (int)length, nearest);
	return refuse(why, "unknown %s `%s`: %sallowed: %s", what, word, near,
		choices_format(choices, allowed, sizeof(allowed)));
}

bool word_next(const char **rest, char word[WORD_SIZE])
{
	const char *text = *rest + strspn(*rest, BLANKS);
	size_t length = 0;

	while (*text != '\0') {
		const char *next = text + strspn(text, BLANKS);

		if (next > text && *next != ',' && text[-1] != ',')
			break;
		text = next;
		if (*text == '\0')
			break;
		if (length < WORD_SIZE - 1)
			word[length++] = *text;
		text++;
	}
	word[length] = '\0';
	*rest = text;
	return length > 0;
}

bool list_next(const char **rest, char element[WORD_SIZE])
{
	const char *text = *rest;

	if (text == NULL)
		return false;
	size_t length = strcspn(text, ",");
	*rest = text[length] == ',' ? text + length + 1 : NULL;
	const size_t blanks = strspn(text, BLANKS);
	text += blanks;
	length -= blanks;
	while (length > 0 && strchr(BLANKS, text[length - 1]) != NULL)
		length--;
	snprintf(element, WORD_SIZE, "%.*s", (int)length, text);
	return true;
}

bool number_read(const char **text, uint32_t *value)
{
	const char *digit = *text;
	uint64_t sum = 0;

	for (; *digit >= '0' && *digit <= '9'; digit++) {
		sum = sum * 10 + (uint64_t)(*digit - '0');
		if (sum > UINT32_MAX)
			return false;
	}
	if (digit == *text)
		return false;
	*text = digit;
	*value = (uint32_t)sum;
	return true;
}

bool number_parse(const char *text, uint32_t max, uint32_t *value)
{
	uint32_t number;

	if (!number_read(&text, &number) || *text != '\0' || number > max)
		return false;
	*value = number;
	return true;
}

bool ports_parse(const char *text, struct port_range *range, const struct sentence *why)
{
	const char *rest = text;
	uint32_t first, last;

	if (!number_read(&rest, &first))
		goto malformed;
	last = first;
	if (*rest == '-') {
		rest++;
		if (!number_read(&rest, &last))
			goto malformed;
	}
	if (*rest != '\0' || first == 0 || last > UINT16_MAX)
		goto malformed;
	if (last < first)
		return refuse(why, "port range `%s` ends before it begins", text);
	*range = (struct port_range){.first = (uint16_t)first, .last = (uint16_t)last};
	return true;

malformed:
	return refuse(
		why, "bad port `%s`: allowed: 1 to 65535, or a range such as 5000-5010", text);
}

char *ports_format(const struct port_range *range, char *text)
{
	if (range->first == range->last)
		snprintf(text, PORTS_TEXT_SIZE, "%u", range->first);
	else
		snprintf(text, PORTS_TEXT_SIZE, "%u-%u", range->first, range->last);
	return text;
}

bool text_copy(char *target, size_t size, const char *text)
{
	const size_t length = strlen(text);

	if (length >= size)
		return false;
	memcpy(target, text, length + 1);
	return true;
}

bool array_reserve(void *array_pointer, size_t count, size_t item_size)
{
	void *items, *more;

	if ((count & (count - 1)) != 0) /* room is always a power of two */
		return true;
	memcpy(&items, array_pointer, sizeof(items)); /* a pointer to whatever type */
	more = reallocarray(items, count > 0 ? 2 * count : 1, item_size);
	if (more != NULL)
		memcpy(array_pointer, &more, sizeof(more));
	/* cppcheck-suppress memleak ; memcpy() gave it to the caller */
	return more != NULL;
}
