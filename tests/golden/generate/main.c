/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generate: golden rows' pcaps from their scripts.
 *
 *	golden-generate tests/golden/rows/NAME.script ...
 *
 * writes NAME.in.pcap and NAME.out.pcap beside each.  What comes out is what the script says, not
 * what the engine does: the test compares the two.
 */
#include <stdlib.h>
#include <string.h>
#include "../../support/script.h"

/* The file of the same row with another suffix. */
static void row_path(char path[256], const char *script, const char *suffix)
{
	snprintf(path, 256, "%.*s%s", (int)(strrchr(script, '.') - script), script, suffix);
}

static struct gateway *row_gateway(const char *script)
{
	char path[256];

	row_path(path, script, ".conf");
	char *config = file_read(path, NULL);
	if (config == NULL) {
		snprintf(path, sizeof(path), "%.*s/default.conf",
			(int)(strrchr(script, '/') - script), script);
		config = file_read(path, NULL);
	}
	if (config == NULL) {
		fprintf(stderr, "%s: no config of its own, and no default.conf\n", script);
		exit(1);
	}
	struct gateway *gateway = gateway_create(config, 0);
	free(config);
	return gateway;
}

static void trace_save(struct trace *trace, const char *script, const char *suffix)
{
	char path[256];

	row_path(path, script, suffix);
	FILE *file = fopen(path, "wb");
	if (file == NULL || fwrite(trace->bytes, 1, trace->length, file) != trace->length ||
		fclose(file) != 0) {
		perror(path);
		exit(1);
	}
	trace_free(trace);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct gateway *gateway = row_gateway(argv[i]);
		char *script = file_read(argv[i], NULL);
		struct trace in, out;

		if (script == NULL) {
			perror(argv[i]);
			return 1;
		}
		script_compile(script, gateway, &in, &out);
		trace_save(&in, argv[i], ".in.pcap");
		trace_save(&out, argv[i], ".out.pcap");
		free(script);
		gateway_free(gateway);
	}
	return 0;
}
