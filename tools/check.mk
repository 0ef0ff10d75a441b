# SPDX-License-Identifier: BSD-2-Clause
# Everything that must hold: what CI runs.

.PHONY: check
check: deps vm-kernel ## build, test and lint everything; closes with `N passed, N failed, N skipped`
	@tools/check.sh

.PHONY: vm-kernel
vm-kernel: ## the Linux that virtual machines of the tests boot, into build/vm
	@tools/vm-kernel.sh build/vm

.PHONY: test
test: all unit-bins ## unit, flow and golden tests of this variant
	@set -e; for program in $(UNIT_BINS); do $$program --jobs 1 -q; done

.PHONY: netns
netns: all ## the gateway in namespaces; NETNS="ping forward" selects
	@TUNGATE_BUILD=$(abspath $(B)) tests/netns/run.sh $(NETNS)
