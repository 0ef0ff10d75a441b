/* SPDX-License-Identifier: BSD-2-Clause */
/* domain: what a pattern may be, and what it matches. */
#include "base/domain.h"

#include <string.h>
#include <strings.h>

#define LABEL_MAX 63

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Of host names, and the underscore of names such as _acme-challenge.example.org. */
static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' ||
	       c == '_';
}

static const char *label_fault(const char *label, size_t length)
{
	if (length == 0)
		return "allowed: names between single dots, and no dot at either end";
	if (length > LABEL_MAX)
		return "allowed: at most 63 characters between two dots";
	if (label[0] == '-' || label[length - 1] == '-')
		return "allowed: names that neither begin nor end with `-`";
	for (size_t i = 0; i < length; i++) {
		if (label[i] == '*')
			return "allowed: `*` as the whole first label, as in *.example.org";
		if ((unsigned char)label[i] >= 0x80)
			return "allowed: international names in their ASCII form, xn--...";
		if (!is_letter(label[i]))
			return "allowed: letters, digits, `-`, `_` and dots";
	}
	return NULL;
}

/* Nothing ends in a number but an address (WHATWG URL, section 3.5). */
static bool is_number(const char *label, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!is_digit(label[i]))
			return false;
	return true;
}

const char *domain_pattern_fault(const char *pattern, size_t length)
{
	const char *end = pattern + length;

	if (length >= DOMAIN_NAME_SIZE)
		return "allowed: at most 253 characters";
	if (length >= 1 && pattern[0] == '*' && (length == 1 || pattern[1] == '.')) {
		if (length == 1)
			return NULL;
		pattern += 2;
	}
	for (;;) {
		const char *dot = memchr(pattern, '.', (size_t)(end - pattern));
		const size_t label = (size_t)((dot != NULL ? dot : end) - pattern);
		const char *fault = label_fault(pattern, label);
		if (fault != NULL)
			return fault;
		if (dot == NULL)
			return is_number(pattern, label) ? "allowed: names, not addresses" : NULL;
		pattern = dot + 1;
	}
}

bool domain_matches(const char *pattern, size_t length, const char *name)
{
	const size_t name_length = strlen(name);

	if (pattern[0] != '*')
		return name_length == length && strncasecmp(pattern, name, length) == 0;
	/* With the dot: not what merely ends alike. */
	pattern++;
	length--;
	if (length > 0 && name[0] == '.')
		return false;
	return name_length > length &&
	       strncasecmp(pattern, name + name_length - length, length) == 0;
}

bool domain_copy(char *target, size_t size, const char *name, size_t length)
{
	target[0] = '\0';
	if (length >= size)
		return false;
	for (size_t i = 0; i < length; i++)
		target[i] =
			(char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] - 'A' + 'a' : name[i]);
	target[length] = '\0';
	return true;
}
