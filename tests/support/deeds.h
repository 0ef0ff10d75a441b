/* SPDX-License-Identifier: BSD-2-Clause */
/* deeds: steps of stories that are no packets; `text` is what the step says then. */
#ifndef TUNGATE_TESTS_DEEDS_H
#define TUNGATE_TESTS_DEEDS_H

#include "lab.h"

#define STEP_TEXT_SIZE 4096

typedef void deed_function(struct lab *lab, const char *arguments, char text[STEP_TEXT_SIZE]);

deed_function deed_refused, deed_has, deed_limits, deed_link_lost, deed_learn, deed_forget;
deed_function deed_counted, deed_logged;
deed_function deed_told, deed_domains;

#endif
