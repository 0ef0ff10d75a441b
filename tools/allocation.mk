# SPDX-License-Identifier: BSD-2-Clause
# tests/flow/allocation.c counts the calls for memory of everything that is linked into it.

$(B)/tests/flow/allocation: ALL_LDFLAGS += \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
