/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include "link/link.h"
int link_qemu_open(const struct log *log, const struct link_settings *settings, struct link **link)
{
	(void)log, (void)settings, (void)link;
	return -EOPNOTSUPP;
}
