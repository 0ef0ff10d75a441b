/* SPDX-License-Identifier: BSD-2-Clause */
/* name: see name.h. */
#include "lan/name.h"

#include <ctype.h>
#include <string.h>
#include "lan/state.h"

void name_of_text(const uint8_t *bytes, size_t length, char name[CONFIG_NAME_SIZE])
{
	const uint8_t *dot = memchr(bytes, '.', length);
	size_t label = dot != NULL ? (size_t)(dot - bytes) : length;

	while (label > 0 && bytes[label - 1] == '\0') /* some send the NUL, too */
		label--;
	if (label == 0 || label >= CONFIG_NAME_SIZE || bytes[0] == '-' || bytes[label - 1] == '-')
		return;
	for (size_t i = 0; i < label; i++)
		if (!isalnum(bytes[i]) && bytes[i] != '-')
			return;
	for (size_t i = 0; i < label; i++)
		name[i] = (char)tolower(bytes[i]);
}

void name_of_wire(const uint8_t *bytes, size_t length, char name[CONFIG_NAME_SIZE])
{
	if (length > 0 && bytes[0] < length)
		name_of_text(bytes + 1, bytes[0], name);
}

const char *name_given(
	const struct lan *lan, uint8_t family, const uint8_t mac[6], const char *said)
{
	const struct lan_reservation *reservation = lease_reservation(lan, family, mac);

	if (reservation != NULL && reservation->name[0] != '\0')
		return reservation->name;
	return lan->settings.many ? said : lan->name;
}

size_t name_wire(const char *domain, uint8_t *wire)
{
	size_t length = 0;

	while (*domain != '\0') {
		const size_t label = strcspn(domain, ".");

		wire[length] = (uint8_t)label;
		memcpy(wire + length + 1, domain, label);
		length += 1 + label;
		domain += label + (domain[label] == '.');
	}
	wire[length++] = 0;
	return length;
}
