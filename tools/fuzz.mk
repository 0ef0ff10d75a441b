# SPDX-License-Identifier: BSD-2-Clause
# Fuzzing with libFuzzer, which comes with clang: one program per tests/fuzz/NAME.c, seeded from
# tests/fuzz/corpus/NAME.  What it finds on the way stays in build/, a crash is a file there.

FUZZ_SECONDS ?= 60
FUZZ_SRC     := $(wildcard tests/fuzz/*.c)
FUZZ_BINS    := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(FUZZ_SRC))

CFLAGS_fuzz  := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
                -fno-omit-frame-pointer
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined

$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(HOST_LIB) $(PURE_LIB)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(PKG_LIBS) -o $@

# Stories for the engine are told with the tests' own words.
$(B)/fuzz/engine $(B)/fuzz/helper $(B)/fuzz/calls: $(call obj,tests/support/arena.c tests/support/gateway.c tests/support/packets.c)

.PHONY: fuzz-bins
fuzz-bins: $(FUZZ_BINS)

.PHONY: fuzz
fuzz: ## fuzz every parser; FUZZ_SECONDS=60 each, FUZZ="packet rule" selects
	$(MAKE) --no-print-directory CC=clang VARIANT=fuzz B=$(B)/fuzz fuzz-run

.PHONY: fuzz-smoke
fuzz-smoke: ## the same for a few seconds each, as a part of make check
	$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=5

FUZZ ?= $(notdir $(FUZZ_BINS))

# libFuzzer's dictionary of what it tried is of no use to anybody afterwards.
.PHONY: fuzz-run
fuzz-run: $(FUZZ:%=$(B)/fuzz/%)
	@set -o pipefail; for name in $(FUZZ); do \
		echo "fuzz $$name for $(FUZZ_SECONDS) s"; \
		mkdir -p $(B)/corpus/$$name; \
		$(B)/fuzz/$$name -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 \
			-verbosity=0 -print_final_stats=1 -artifact_prefix=$(B)/crash-$$name- \
			$(B)/corpus/$$name tests/fuzz/corpus/$$name 2>&1 | \
			sed '/^###### Rec/,/^###### End/d' || exit 1; \
	done
