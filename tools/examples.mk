# SPDX-License-Identifier: BSD-2-Clause
# The examples are programs and files that work: this builds and runs them.

EMBED_SRC := examples/embed.c

$(B)/embed: $(call obj,$(EMBED_SRC)) $(PURE_LIB)
	$(CC) $(ALL_LDFLAGS) $^ -linih -o $@

.PHONY: embed
embed: $(B)/embed ## a program of its own around libtungate.a

.PHONY: check-embed
check-embed: $(B)/embed
	@if diff <($(B)/embed) examples/embed.expected; then \
		echo "ok - embed: prints what examples/embed.expected has"; \
	else \
		echo "not ok - embed: prints what examples/embed.expected has"; exit 1; \
	fi
