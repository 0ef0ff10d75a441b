/* SPDX-License-Identifier: BSD-2-Clause */
/* log: what reaches the sink. */
#include "base/log.h"

#include <criterion/criterion.h>
#include <string.h>

struct capture {
	unsigned lines;
	enum log_level level;
	char line[2048];
};

static void capture_line(void *context, enum log_level level, const char *line)
{
	struct capture *capture = context;

	capture->lines++;
	capture->level = level;
	strncpy(capture->line, line, sizeof(capture->line) - 1);
}

Test(log, writes_up_to_its_level)
{
	struct capture capture = {0};
	const struct log log = {LOG_LEVEL_INFO, capture_line, &capture};

	log_debug(&log, "too %s", "much");
	cr_expect_eq(capture.lines, 0);
	log_info(&log, "%s has %d", "lab", 3);
	cr_expect_eq(capture.lines, 1);
	cr_expect_eq(capture.level, LOG_LEVEL_INFO);
	cr_expect_str_eq(capture.line, "lab has 3");
	log_error(&log, "worse");
	cr_expect_eq(capture.lines, 2);
	cr_expect_eq(capture.level, LOG_LEVEL_ERROR);
}

Test(log, one_line_stays_one_line)
{
	struct capture capture = {0};
	const struct log log = {LOG_LEVEL_INFO, capture_line, &capture};

	log_info(&log, "name %s", "a\nb\x1b[2Jc\td\x7f \xc3\xa9");
	cr_expect_str_eq(capture.line, "name a?b?[2Jc?d? \xc3\xa9");
}

Test(log, a_long_line_is_cut)
{
	struct capture capture = {0};
	const struct log log = {LOG_LEVEL_INFO, capture_line, &capture};
	char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info(&log, "%s", text);
	cr_expect_eq(strlen(capture.line), 1023);
}

Test(log, level_names)
{
	for (enum log_level level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_TRACE; level++) {
		enum log_level parsed = LOG_LEVEL_ERROR;

		cr_expect(log_level_parse(log_level_name(level), &parsed));
		cr_expect_eq(parsed, level);
	}
	enum log_level level = LOG_LEVEL_DEBUG;
	cr_expect_not(log_level_parse("Info", &level));
	cr_expect_not(log_level_parse("", &level));
	cr_expect_eq(level, LOG_LEVEL_DEBUG);
}
