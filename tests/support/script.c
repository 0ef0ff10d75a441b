/* SPDX-License-Identifier: BSD-2-Clause */
/* script: traces from text. */
#include "script.h"

#include <stdlib.h>
#include <string.h>
#include "describe.h"
#include "packets.h"

char *file_read(const char *path, size_t *length)
{
	FILE *file = fopen(path, "rb"), *copy;
	char *bytes = NULL;
	size_t size = 0;

	if (file == NULL)
		return NULL;
	copy = open_memstream(&bytes, &size);
	for (int c = getc(file); c != EOF; c = getc(file))
		putc(c, copy);
	fclose(copy);
	fclose(file);
	if (length != NULL)
		*length = size;
	return bytes;
}

static void compile_line(
	const char *line, const struct gateway *gateway, struct trace *in, struct trace *out)
{
	unsigned long time_ms;
	char zone_name[CONFIG_NAME_SIZE], way[4];
	int length = 0;

	if (sscanf(line, "%lu %31s %3s %n", &time_ms, zone_name, way, &length) < 3) {
		fprintf(stderr, "not a line of a script: %s\n", line);
		abort();
	}
	const zone_id zone = gateway_zone(gateway, zone_name);
	const bool inwards = strcmp(way, "in") == 0;
	if (zone == ZONE_NONE || (!inwards && strcmp(way, "out") != 0)) {
		fprintf(stderr, "no such link or way: %s\n", line);
		abort();
	}
	struct packet *packet = packet_describe(line + length);
	if (inwards)
		trace_add(in, time_ms, zone, TRACE_TO_GATEWAY, packet);
	else
		trace_add(out, time_ms, zone, TRACE_FROM_GATEWAY, packet);
	packet_dispose(packet);
}

void script_compile(
	const char *text, const struct gateway *gateway, struct trace *in, struct trace *out)
{
	char *copy = strdup(text), *rest = copy;

	trace_begin(in);
	trace_begin(out);
	for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n"))
		if (line[0] != '#' && line[strspn(line, " \t")] != '\0')
			compile_line(line, gateway, in, out);
	trace_finish(in);
	trace_finish(out);
	free(copy);
}
