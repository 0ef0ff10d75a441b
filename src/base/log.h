/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log: one line per event, with a level, to a sink that the program chooses.
 *
 * The pure library never opens anything: it formats into a buffer and calls the sink.  A packet
 * never causes a line above LOG_LEVEL_TRACE, unless a rule says so; set-up failures are logged
 * once, where they are understood.
 */
#ifndef TUNGATE_BASE_LOG_H
#define TUNGATE_BASE_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_TRACE,
};

/* Receives one formatted line without a newline. */
typedef void log_sink(void *context, enum log_level level, const char *line);

struct log {
	enum log_level level; /* lines above it are not formatted */
	log_sink *sink;
	void *context;
};

void log_write(const struct log *log, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(log, ...)   log_write(log, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(log, ...) log_write(log, LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(log, ...)    log_write(log, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(log, ...)   log_write(log, LOG_LEVEL_DEBUG, __VA_ARGS__)

/* "error", "warning", "info", "debug", "trace". */
const char *log_level_name(enum log_level level);
bool log_level_parse(const char *text, enum log_level *level);

#endif
