/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_memory: whichever allocation fails, config_parse() ends with NULL, or goes on where it can
 * do without, and gives back all that it had (which the sanitizers' build sees).
 *
 * calloc() and reallocarray(), by which the parser allocates what it keeps, are replaced for this
 * program by ones that fail when their turn has come.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tungate/config.h"

static unsigned allowed = -1u; /* allocations until one fails */

void *calloc(size_t count, size_t size)
{
	if (allowed-- == 0)
		return NULL;
	void *memory = realloc(NULL, count * size);
	/* Compilers make calloc() of what they can see to be fresh and cleared: this one, again. */
	__asm__ volatile("" : "+r"(memory));
	if (memory != NULL)
		memset(memory, 0, count * size);
	return memory;
}

void *reallocarray(void *memory, size_t count, size_t size)
{
	return allowed-- == 0 ? NULL : realloc(memory, count * size);
}

static const char text[] = "[gateway]\nlog-level = debug\n"
			   "[network a]\nsubnet = 10.1.0.0/24\n[network b]\nsubnet = 10.2.0.0/24\n"
			   "[link web]\nnetwork = a\nnetns = web\naddress = 10.1.0.2\n"
			   "[filter output]\nrule = accept out uplink\nrule = drop\n"
			   "[forwards]\ntcp 80 = web\ntcp 81 = web\n";

/* Fail each allocation in turn, until one run needs no more than it is allowed. */
static void fail_each(const char *input, bool good)
{
	bool ended = false;

	for (unsigned turn = 0; !ended; turn++) {
		struct config_errors errors;

		allowed = turn;
		struct config *config = config_parse("t", input, &errors);
		ended = allowed != -1u && allowed <= turn;
		allowed = -1u;
		cr_expect_eq(config != NULL, ended && good, "allocation %u", turn);
		config_free(config);
		config_errors_free(&errors);
		cr_assert_lt(turn, 1000);
	}
}

Test(config_memory, each_failure_of_a_good_file_ends_well)
{
	fail_each(text, true);
}

Test(config_memory, each_failure_of_the_built_in_config_ends_well)
{
	fail_each("", true);
}

Test(config_memory, each_failure_while_errors_are_collected_ends_well)
{
	fail_each("x = y\n[limits]\nflows = 1\nbogus\n[network a]\n[link b]\n", false);
}
