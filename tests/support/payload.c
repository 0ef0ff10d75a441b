/* SPDX-License-Identifier: BSD-2-Clause */
/* payload: text in packets. */
#include "payload.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

char *payload_find(const char *text)
{
	return strstr(text, " data \"");
}

void payload_escape(const uint8_t *bytes, size_t length, FILE *to)
{
	fputc('"', to);
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '\r')
			fputs("\\r", to);
		else if (bytes[i] == '\n')
			fputs("\\n", to);
		else if (bytes[i] == '"' || bytes[i] == '\\')
			fprintf(to, "\\%c", bytes[i]);
		else if (isprint(bytes[i]))
			fputc(bytes[i], to);
		else
			fprintf(to, "\\%o", bytes[i]);
	}
	fputc('"', to);
}

/* What stands between braces; returns what is behind them. */
static const char *read_brace(const char *pattern, char name[32])
{
	const char *end = strchr(pattern, '}');

	cr_assert(end != NULL && end - pattern < 32, "no brace: %s", pattern);
	snprintf(name, 32, "%.*s", (int)(end - pattern), pattern);
	return end + 1;
}

static uint32_t *variable(struct lab *lab, char letter)
{
	cr_assert(letter >= 'a' && letter <= 'z', "no variable: $%c", letter);
	return &lab->variables[letter - 'a'];
}

static void write_number(uint32_t number, bool in_two, FILE *to)
{
	if (in_two)
		fprintf(to, "%u,%u", number >> 8, number & 0xff);
	else
		fprintf(to, "%u", number);
}

static void write_place(const struct lab *lab, char *name, FILE *to)
{
	const bool commas = name[strlen(name) - 1] == ',';
	const bool number = name[0] == '#';

	if (commas)
		name[strlen(name) - 1] = '\0';
	const union addr address = lab_address(lab, name + number);
	char text[ADDR_TEXT_SIZE];
	addr_format(lab->family, &address, text);
	for (char *c = text; commas && *c != '\0'; c++)
		if (*c == '.')
			*c = ',';
	if (number && lab->family == AF_INET)
		fprintf(to, "%u", ntohl(address.v4));
	else
		fputs(text, to);
}

static void write_brace(const struct lab *lab, char *name, FILE *to)
{
	if (name[0] == '$')
		write_number(lab->variables[name[1] - 'a'], name[2] == ',', to);
	else if (name[1] == '|')
		fputc(name[lab->family == AF_INET ? 0 : 2], to);
	else
		write_place(lab, name, to);
}

void payload_write(const struct lab *lab, const char *pattern, FILE *to)
{
	char name[32];

	while (*pattern != '\0') {
		if (*pattern == '{') {
			pattern = read_brace(pattern + 1, name);
			write_brace(lab, name, to);
		} else {
			fputc(*pattern++, to);
		}
	}
}

/* Learn a variable from the text; what is behind it. */
static const char *learn(struct lab *lab, const char *name, const char *text)
{
	char *end;
	uint32_t value = (uint32_t)strtoul(text, &end, 10);

	if (name[2] == ',' && *end == ',')
		value = value << 8 | (uint32_t)strtoul(end + 1, &end, 10);
	for (unsigned i = 0; i < LAB_VARIABLES; i++)
		cr_expect_neq(lab->variables[i], value, "$%c is $%c", name[1], 'a' + i);
	*variable(lab, name[1]) = value;
	return end;
}

bool payload_matches(struct lab *lab, const char *pattern, const char *text)
{
	char name[32], known[128];

	while (*pattern != '\0') {
		if (*pattern != '{') {
			if (*pattern++ != *text++)
				return false;
			continue;
		}
		pattern = read_brace(pattern + 1, name);
		if (name[0] == '$' && *variable(lab, name[1]) == 0) {
			text = learn(lab, name, text);
			continue;
		}
		FILE *to = fmemopen(known, sizeof(known), "w");
		write_brace(lab, name, to);
		fclose(to);
		if (strncmp(text, known, strlen(known)) != 0)
			return false;
		text += strlen(known);
	}
	return *text == '\0';
}
