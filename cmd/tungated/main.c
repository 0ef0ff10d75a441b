/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tungated: the gateway's daemon.  Runs in the foreground; systemd, a shell's & or a container puts
 * it in the background.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include "daemon/daemon.h"

#define DEFAULT_CONFIG "/etc/tungate/tungate.conf"

static const char usage_text[] =
	"usage: tungated [-t] [-c FILE] [-s SOCKET] [-l LEVEL] [-L]\n"
	"\n"
	"  -c, --config FILE    configuration (default " DEFAULT_CONFIG ", and where that\n"
	"                       does not exist one network with the built-in rules)\n"
	"  -t, --test           check the configuration and exit: 0 good, 1 not\n"
	"  -s, --socket PATH    control socket instead of the configured one\n"
	"  -l, --log-level L    error, warning, info, debug or trace, instead of the\n"
	"                       configured one\n"
	"  -L, --syslog         log to syslog instead of standard error\n"
	"  -V, --version        print the version\n"
	"  -h, --help           print this\n"
	"\n"
	"Example, a gateway for containers with everything at its default:\n"
	"  sudo tungated &\n"
	"  sudo tungate run -- curl http://example.org/\n";

static void log_to_stderr(void *context, enum log_level level, const char *line)
{
	(void)context;
	fprintf(stderr, "tungated: %s: %s\n", log_level_name(level), line);
}

static void log_to_syslog(void *context, enum log_level level, const char *line)
{
	static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_DEBUG};

	(void)context;
	syslog(priorities[level], "%s", line);
}

struct arguments {
	const char *config;
	const char *socket;
	bool test;
	bool syslog;
	bool level_given;
	enum log_level level;
};

static bool level_set(struct arguments *arguments, const char *text)
{
	arguments->level_given = true;
	if (log_level_parse(text, &arguments->level))
		return true;
	fprintf(stderr,
		"tungated: log level \"%s\": allowed are error, warning, info, debug, trace\n",
		text);
	return false;
}

/* -1: go on; else the exit status. */
static int arguments_parse(struct arguments *arguments, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"test", no_argument, NULL, 't'},
		{"socket", required_argument, NULL, 's'},
		{"log-level", required_argument, NULL, 'l'},
		{"syslog", no_argument, NULL, 'L'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:ts:l:LVh", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			arguments->config = optarg;
			break;
		case 't':
			arguments->test = true;
			break;
		case 's':
			arguments->socket = optarg;
			break;
		case 'l':
			if (!level_set(arguments, optarg))
				return 2;
			break;
		case 'L':
			arguments->syslog = true;
			break;
		case 'V':
			puts("tungated " TUNGATE_VERSION);
			return 0;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		default:
			fputs("tungated: try `tungated --help`\n", stderr);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "tungated: unexpected \"%s\"; try `tungated --help`\n", argv[optind]);
	return 2;
}

static int config_test(const char *path)
{
	struct config_errors errors;
	struct config *config = daemon_config_read(path, &errors);

	for (unsigned i = 0; i < errors.count; i++)
		fprintf(stderr, "%s\n", errors.text[i]);
	config_errors_free(&errors);
	if (config == NULL)
		return 1;
	printf("%s: good (%u networks, %u links, %u forwards)\n",
		path != NULL ? path : "built-in defaults", config->network_count,
		config->link_count, config->forward_count);
	config_free(config);
	return 0;
}

/* The default file may be missing; one that was named may not. */
static const char *config_choose(const struct arguments *arguments)
{
	FILE *file;

	if (arguments->config != NULL)
		return arguments->config;
	file = fopen(DEFAULT_CONFIG, "re");
	if (file == NULL)
		return NULL;
	fclose(file);
	return DEFAULT_CONFIG;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.level = LOG_LEVEL_INFO};
	const int status = arguments_parse(&arguments, argc, argv);

	if (status >= 0)
		return status;
	const char *path = config_choose(&arguments);
	if (arguments.test)
		return config_test(path);
	struct log log = {
		.level = arguments.level, .sink = arguments.syslog ? log_to_syslog : log_to_stderr};
	openlog("tungated", LOG_PID, LOG_DAEMON);
	const struct daemon_options options = {
		.config_path = path,
		.control = arguments.socket,
		.log = &log,
		.level_given = arguments.level_given,
		.syslog = log_to_syslog,
	};
	return daemon_run(&options);
}
