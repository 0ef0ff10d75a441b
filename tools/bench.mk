# SPDX-License-Identifier: BSD-2-Clause
# Measuring: gateways side by side in one world of namespaces.

TRAFFIC_SRC := $(addprefix tests/bench/,traffic.c measure.c serve.c tcp.c udp_rate.c udp_flows.c)

$(B)/traffic: $(call obj,$(TRAFFIC_SRC))
	$(CC) $(ALL_LDFLAGS) $^ -lm -o $@

$(B)/framer: $(call obj,tests/bench/framer.c)
	$(CC) $(ALL_LDFLAGS) $^ -o $@

.PHONY: bench
bench: all $(B)/traffic $(B)/framer ## compare gateways; BENCH="-r 3 -g kernel,tungate -t udp-out" selects
	TUNGATE_BUILD=$(abspath $(B)) tests/bench/run.sh $(BENCH)
