/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import: `tungate import FILE`: the rules of iptables-save as a configuration.
 *
 * The configuration goes to standard output, what there is to say about it to standard error.  The
 * work is done by src/import; here are the file, the options and the exit status.
 */
#include "import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"

#define INPUT_BYTES_MAX (16u << 20)

/* The whole file as a text, or NULL after saying why not. */
static char *text_read(FILE *file, const char *name)
{
	char *text = malloc(INPUT_BYTES_MAX + 1);
	const size_t length = text ? fread(text, 1, INPUT_BYTES_MAX + 1, file) : 0;
	const char *fault = NULL;

	if (!text)
		fault = "out of memory";
	else if (ferror(file))
		fault = strerror(errno);
	else if (length > INPUT_BYTES_MAX)
		fault = "more than 16 MiB";
	else if (memchr(text, '\0', length))
		fault = "not a text: a NUL is in it";
	if (fault) {
		complain("%s: %s", name, fault);
		free(text);
		return NULL;
	}
	text[length] = '\0';
	return text;
}

static char *file_read(const char *name)
{
	if (strcmp(name, "-") == 0)
		return text_read(stdin, "standard input");
	FILE *file = fopen(name, "re");
	if (!file) {
		complain("%s: %s", name, strerror(errno));
		return NULL;
	}
	char *text = text_read(file, name);
	fclose(file);
	return text;
}

/* ---- options ---- */

/* "eth0=home", "eth0=home,192.168.1.0/24", "eth0": cut in place. */
static bool side_read(struct import_options *options, bool lan, char *text)
{
	struct import_side *side = &options->side[options->side_count];
	char *network = strchr(text, '='), *subnet = NULL;

	if (options->side_count == IMPORT_SIDES_MAX) {
		complain("more than %d interfaces", IMPORT_SIDES_MAX);
		return false;
	}
	if (network)
		*network++ = '\0';
	if (network && (subnet = strchr(network, ',')))
		*subnet++ = '\0';
	if (!*text || (lan && (!network || !*network)) || (!lan && network)) {
		complain(lan ? "bad --lan `%s`: allowed: INTERFACE=NETWORK[,SUBNET]"
			     : "bad --uplink `%s`: allowed: INTERFACE",
			text);
		return false;
	}
	*side = (struct import_side){.interface = text, .network = network, .subnet = subnet};
	options->side_count++;
	return true;
}

static bool options_read(const struct arguments *arguments, struct import_options *options)
{
	for (unsigned i = 0; i < arguments->given_count; i++) {
		const struct given *given = &arguments->given[i];
		const bool lan = strcmp(given->name, "--lan") == 0;

		if (!lan && strcmp(given->name, "--uplink") != 0)
			continue;
		if (!side_read(options, lan, given->value))
			return false;
	}
	options->v6 = option_value(arguments, "--v6") != NULL;
	return true;
}

/* ---- what there is to say ---- */

static void remarks_print(const struct import *import, const char *name)
{
	static const char *const kinds[] = {
		[REMARK_LOST] = "not expressed: ",
		[REMARK_HOST] = "the host's own: ",
		[REMARK_NOTE] = "note: ",
	};

	for (unsigned i = 0; i < import->remarks.count; i++) {
		const struct remark *remark = &import->remarks.remark[i];

		if (remark->line > 0)
			fprintf(stderr, "%s:%u: ", name, remark->line);
		else
			fprintf(stderr, "%s: ", name);
		fprintf(stderr, "%s%s\n", kinds[remark->kind], remark->text);
	}
}

static int result_print(const struct import *import, const char *name, bool good)
{
	remarks_print(import, name);
	if (!good) {
		if (import->remarks.count == 0)
			complain("out of memory");
		return STATUS_USAGE;
	}
	fputs(import->text, stdout);
	if (fflush(stdout) != 0) {
		complain("standard output: %s", strerror(errno));
		return STATUS_FAILED;
	}
	if (import->lost > 0)
		complain("%u line%s not expressed", import->lost,
			import->lost == 1 ? " is" : "s are");
	return import->lost > 0 ? STATUS_FAILED : STATUS_OK;
}

int import(const struct arguments *arguments)
{
	const char *operand = arguments->operands[0];
	const char *name = strcmp(operand, "-") == 0 ? "stdin" : operand;
	struct import_options options = {.name = name};
	struct import import;

	if (!options_read(arguments, &options))
		return STATUS_USAGE;
	char *text = file_read(operand);
	if (!text)
		return STATUS_USAGE;
	const bool good = import_run(&options, text, &import);
	const int status = result_print(&import, name, good);
	import_free(&import);
	free(text);
	return status;
}
