# SPDX-License-Identifier: BSD-2-Clause
# The pure engine by itself: libtungate.a and nothing else of ours.

$(B)/bench-engine: $(call obj,tests/bench/engine.c) $(PURE_LIB)
	$(CC) $(ALL_LDFLAGS) $^ -linih -o $@

.PHONY: bench-engine
bench-engine: $(B)/bench-engine ## ns per packet of the engine, at 1 k, 100 k and 1 M flows
	$(B)/bench-engine
