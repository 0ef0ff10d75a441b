/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config: any text is a config or a list of errors, never both, never neither; nothing is read
 * beyond it (the copy ends where the input does) and nothing leaks.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tungate/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config_errors errors;
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	struct config *config = config_parse("fuzz", text, &errors);
	assert((config == NULL) == (errors.count > 0));
	for (unsigned i = 0; i < errors.count; i++)
		assert(strncmp(errors.text[i], "fuzz:", 5) == 0);
	if (config != NULL) {
		char error[256];

		assert(config->network_count > 0);
		assert(config_reloadable(config, config, error, sizeof(error)));
	}
	config_free(config);
	config_errors_free(&errors);
	free(text);
	return 0;
}
