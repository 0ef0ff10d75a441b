/* SPDX-License-Identifier: BSD-2-Clause */
/* remark: what an import has to say about lines of its input. */
#ifndef TUNGATE_IMPORT_REMARK_H
#define TUNGATE_IMPORT_REMARK_H

#include <stdbool.h>
#include <stdint.h>

enum remark_kind {
	REMARK_LOST, /* not expressed: the configuration does less, or more, than the line did */
	REMARK_HOST, /* about the host's own traffic, which tungate does not see */
	REMARK_NOTE, /* expressed or not needed, and worth knowing */
};

struct remark {
	unsigned line; /* 0: about the whole */
	uint8_t kind;  /* enum remark_kind */
	char *text;    /* malloc()ed */
};

struct remarks {
	struct remark *remark;
	unsigned count;
	bool out_of_memory;
};

void remark_add(struct remarks *remarks, unsigned line, enum remark_kind kind, const char *format,
	...) __attribute__((format(printf, 4, 5)));
/* In order of lines, those about the whole last. */
void remarks_sort(struct remarks *remarks);
void remarks_free(struct remarks *remarks);

#endif
