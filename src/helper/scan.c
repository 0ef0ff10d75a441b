/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scan: reading a message from its front.
 */
#include "helper/scan.h"

#include <ctype.h>
#include <string.h>

bool scan_byte(struct scan *scan, char byte)
{
	if (scan_peek(scan) != (uint8_t)byte)
		return false;
	scan->at++;
	return true;
}

bool scan_word(struct scan *scan, const char *word)
{
	const uint32_t length = (uint32_t)strlen(word);

	if (scan->length - scan->at < length ||
		strncasecmp(scan->text + scan->at, word, length) != 0)
		return false;
	scan->at += length;
	return true;
}

uint32_t scan_blanks(struct scan *scan)
{
	const uint32_t from = scan->at;

	while (scan_peek(scan) == ' ' || scan_peek(scan) == '\t')
		scan->at++;
	return scan->at - from;
}

bool scan_until(struct scan *scan, const char *bytes)
{
	while (scan->at < scan->length) {
		const char byte = scan->text[scan->at];
		if (byte != '\0' && strchr(bytes, byte) != NULL)
			return true;
		scan->at++;
	}
	return false;
}

bool scan_number(struct scan *scan, uint32_t max, uint32_t *number)
{
	uint64_t value = 0;
	unsigned digits = 0;

	for (int c; (c = scan_peek(scan)) >= '0' && c <= '9'; scan->at++) {
		if (++digits > 10)
			return false;
		value = 10 * value + (unsigned)(c - '0');
	}
	*number = (uint32_t)value;
	return digits > 0 && value <= max;
}

static bool is_of_address(uint8_t family, int c)
{
	if (family == AF_INET)
		return (c >= '0' && c <= '9') || c == '.';
	return c > 0 && (isxdigit(c) || c == ':' || c == '.');
}

bool scan_address(struct scan *scan, uint8_t family, union addr *address)
{
	char text[ADDR_TEXT_SIZE];
	uint32_t length = 0;
	uint8_t found;

	while (is_of_address(family, scan_peek(scan))) {
		if (length + 1 == sizeof(text))
			return false;
		text[length++] = scan->text[scan->at++];
	}
	text[length] = '\0';
	return addr_parse(text, address, &found) && found == family;
}

bool scan_line_ends(struct scan *scan)
{
	scan_blanks(scan);
	scan_byte(scan, '\r');
	scan_byte(scan, '\n');
	return scan->at == scan->length;
}
