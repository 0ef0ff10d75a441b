/* SPDX-License-Identifier: BSD-2-Clause */
/* filter: table filter as [filter ...] and [chain NAME]. */
#ifndef TUNGATE_IMPORT_FILTER_H
#define TUNGATE_IMPORT_FILTER_H

#include "import/page.h"

/* Returns false if memory ran out. */
bool filter_write(struct page *page, const struct save *save, const struct sides *sides);

#endif
