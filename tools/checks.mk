# SPDX-License-Identifier: BSD-2-Clause
# What can be said about the source without running it.

CHECKED_SRC   := $(PURE_SRC) $(HOST_SRC) $(DAEMON_SRC) $(CLIENT_SRC) $(CNI_SRC)
CHECKED_FILES := $(shell git ls-files --cached --others --exclude-standard -- '*.c' '*.h' 2>/dev/null)
PLAIN_CFLAGS   = $(filter-out -fPIE -MMD -MP -W%,$(BASE_CFLAGS)) $(PKG_CFLAGS)

.PHONY: lint
lint: purity layers sizes rfc format tidy cppcheck ## all that can be said without running anything

.PHONY: purity
purity: $(PURE_LIB) ## prove that libtungate.a makes no system call and has no variable
	@tools/purity.sh $(PURE_LIB) tools/purity.allow

.PHONY: layers
layers: ## check who includes whom
	@tools/layers.sh

.PHONY: sizes
sizes: ## check the lengths of functions and files
	@awk -f tools/sizes.awk $(wildcard $(CHECKED_FILES))

.PHONY: rfc
rfc: ## check that docs/rfc.md names tests that exist
	@tools/rfc.sh

.PHONY: format
format: ## check the layout of the source (clang-format)
	@clang-format --dry-run -Werror $(wildcard $(CHECKED_FILES))
	@echo "format: $(words $(wildcard $(CHECKED_FILES))) files as .clang-format has it"

# A third of the nodes that the analyzer may look at per function: what a function is found to do wrong
# is found by then, and the rest of the time goes into combinations of the same paths.
TIDY_DEPTH := -Xclang -analyzer-config -Xclang max-nodes=75000

# One stamp per file, so that only what changed is looked at again, by several processors.
$(B)/tidy/%.ok: %.c .clang-tidy $(filter %.h,$(wildcard $(CHECKED_FILES)))
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- $(PLAIN_CFLAGS) $(TIDY_DEPTH) 2>$(@:.ok=.log) || { cat $(@:.ok=.log) >&2; exit 1; }
	@touch $@

.PHONY: tidy
tidy: $(CHECKED_SRC:%.c=$(B)/tidy/%.ok) ## clang-tidy
	@echo "tidy: $(words $^) files"

CPPCHECK_FLAGS := --quiet --std=c11 --enable=warning,performance,portability --error-exitcode=1 \
                  --include=tools/cppcheck.h \
                  --inline-suppr --suppressions-list=tools/cppcheck.txt

.PHONY: cppcheck
cppcheck: ## cppcheck
	@mkdir -p $(B)/cppcheck
	@cppcheck $(CPPCHECK_FLAGS) --cppcheck-build-dir=$(B)/cppcheck $(filter -I%,$(BASE_CFLAGS)) \
		-DTUNGATE_VERSION='""' $(CHECKED_SRC)
	@echo "cppcheck: $(words $(CHECKED_SRC)) files"
