/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import: any text is refused with a remark, or becomes a configuration that config_parse() takes;
 * a line that is left out is counted.  The first byte chooses what is said about interfaces.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"
#include "tungate/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct import_options choices[] = {
	{.name = "fuzz"},
	{.name = "fuzz", .v6 = true},
	{.name = "fuzz",
		.side = {{.interface = "eth0", .network = "home", .subnet = "192.168.1.0/24"},
			{.interface = "ppp0"}},
		.side_count = 2},
};

static void config_try(const struct import *import)
{
	struct config_errors errors;
	struct config *config = config_parse("import", import->text, &errors);

	assert(config != NULL || import->lost > 0);
	config_free(config);
	config_errors_free(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct import import;
	char *text = malloc(size + 1);

	if (size == 0 || text == NULL) {
		free(text);
		return 0;
	}
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (import_run(&choices[data[0] % 3], text, &import))
		config_try(&import);
	else
		assert(import.remarks.count > 0);
	import_free(&import);
	free(text);
	return 0;
}
