/* SPDX-License-Identifier: BSD-2-Clause */
/* leases_text: lines of the file of leases. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/mac.h"
#include "daemon/leases.h"

#define WORDS       7
#define TIME_FORMAT "%Y-%m-%dT%H:%M:%SZ"
#define TIME_SIZE   sizeof("2026-11-22T20:15:00Z")

static const char *or_dash(const char *text)
{
	return text[0] != '\0' ? text : "-";
}

void lease_format(const struct known_lease *lease, char line[LEASE_LINE_SIZE])
{
	char address[ADDR_TEXT_SIZE], mac[MAC_TEXT_SIZE], when[TIME_SIZE], id[LEASE_ID_TEXT_SIZE];
	const time_t expires = lease->expires_s;
	struct tm broken;

	id[0] = '\0';
	for (unsigned i = 0; i < lease->id_length; i++)
		snprintf(id + (size_t)2 * i, 3, "%02x", lease->id[i]);
	if (gmtime_r(&expires, &broken) == NULL || broken.tm_year > 8099 ||
		strftime(when, sizeof(when), TIME_FORMAT, &broken) == 0)
		snprintf(when, sizeof(when), "1970-01-01T00:00:00Z");
	snprintf(line, LEASE_LINE_SIZE, "%s %s %s %s %s %s %s\n", lease->network, lease->link,
		addr_format(lease->family, &lease->address, address), mac_format(lease->mac, mac),
		when, or_dash(lease->name), or_dash(id));
}

/* ---- reading ---- */

static bool word_copy(char *target, size_t size, const char *word)
{
	return strlen(word) < size && snprintf(target, size, "%s", word) > 0;
}

static bool id_parse(const char *word, struct known_lease *lease)
{
	const size_t length = strlen(word);

	if (strcmp(word, "-") == 0)
		return true;
	if (length % 2 != 0 || length / 2 > sizeof(lease->id) ||
		strspn(word, "0123456789abcdef") != length)
		return false;
	lease->id_length = (uint8_t)(length / 2);
	for (unsigned i = 0; i < lease->id_length; i++) {
		const char digits[3] = {word[2 * i], word[2 * i + 1], '\0'};

		lease->id[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return true;
}

static bool time_parse(const char *word, int64_t *seconds)
{
	struct tm broken = {0};
	const char *end = strptime(word, TIME_FORMAT, &broken);

	if (end == NULL || *end != '\0')
		return false;
	*seconds = timegm(&broken);
	return true;
}

static bool line_parse(char *line, struct known_lease *lease)
{
	char *word[WORDS], *rest;
	unsigned count = 0;

	for (char *next = strtok_r(line, " \t", &rest); next != NULL;
		next = strtok_r(NULL, " \t", &rest)) {
		if (count == WORDS)
			return false;
		word[count++] = next;
	}
	*lease = (struct known_lease){0};
	if (count != WORDS || !word_copy(lease->network, sizeof(lease->network), word[0]) ||
		!word_copy(lease->link, sizeof(lease->link), word[1]) ||
		!addr_parse(word[2], &lease->address, &lease->family) ||
		!mac_parse(word[3], lease->mac) || !time_parse(word[4], &lease->expires_s) ||
		!id_parse(word[6], lease))
		return false;
	return strcmp(word[5], "-") == 0 || word_copy(lease->name, sizeof(lease->name), word[5]);
}

static bool lease_append(struct lease_list *list, const struct known_lease *lease)
{
	struct known_lease *more = reallocarray(list->lease, list->count + 1, sizeof(*list->lease));

	if (more == NULL)
		return false;
	list->lease = more;
	more[list->count++] = *lease;
	return true;
}

void leases_parse(struct lease_list *list, const char *text,
	void (*line_failed)(void *context, unsigned line, const char *text), void *context)
{
	char line[LEASE_LINE_SIZE], words[LEASE_LINE_SIZE];
	struct known_lease lease;

	for (unsigned number = 1; *text != '\0'; number++) {
		const size_t length = strcspn(text, "\n");
		const int shown = length < sizeof(line) ? (int)length : (int)sizeof(line) - 1;

		snprintf(line, sizeof(line), "%.*s", shown, text);
		memcpy(words, line, sizeof(words));
		text += length + (text[length] == '\n');
		if (line[strspn(line, " \t")] == '\0' || line[0] == '#')
			continue;
		if (length >= sizeof(line) || !line_parse(words, &lease) ||
			!lease_append(list, &lease))
			line_failed(context, number, line);
	}
}
