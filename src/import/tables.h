/* SPDX-License-Identifier: BSD-2-Clause */
/* tables: what of the tables mangle, raw and others can be said: helpers, prefix translation. */
#ifndef TUNGATE_IMPORT_TABLES_H
#define TUNGATE_IMPORT_TABLES_H

#include "import/page.h"

void tables_write(struct page *page, const struct save *save, const struct sides *sides);

#endif
