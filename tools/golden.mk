# SPDX-License-Identifier: BSD-2-Clause
# Golden rows: their pcaps are made from their scripts (tests/golden/golden.c tells how).

GOLDEN_SRC := tests/golden/generate/main.c \
              $(addprefix tests/support/,describe.c gateway.c packets.c script.c trace.c)

$(B)/golden-generate: $(call obj,$(GOLDEN_SRC)) $(PURE_LIB)
	$(CC) $(ALL_LDFLAGS) $^ -linih -lpcap -o $@

.PHONY: golden
golden: $(B)/golden-generate ## make the golden rows' pcaps anew from their scripts
	$(B)/golden-generate $(wildcard tests/golden/rows/*.script)
