/* SPDX-License-Identifier: BSD-2-Clause */
/* log: format a line, make it printable, hand it to the sink. */
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define LINE_BYTES 1024

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_TRACE] = "trace",
};
#define LEVEL_COUNT (sizeof(level_names) / sizeof(*level_names))

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list arguments;

	if (level > log->level)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	/* Names come from guests and from the control socket: they must not forge lines or move
	 * the reader's cursor. */
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	log->sink(log->context, level, line);
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

bool log_level_parse(const char *text, enum log_level *level)
{
	for (size_t i = 0; i < LEVEL_COUNT; i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*level = (enum log_level)i;
			return true;
		}
	}
	return false;
}
