# SPDX-License-Identifier: BSD-2-Clause
# Seeing it work, and using it.

.PHONY: deps
deps: ## install what building and checking need (Debian 12; as root)
	@tools/deps.sh

.PHONY: demo
demo: ## the main job, shown in namespaces of its own; no internet needed
	@tools/deps.sh build demo
	@$(MAKE) --no-print-directory all
	@TUNGATE_BUILD=$(abspath $(B)) tools/demo.sh

.PHONY: run
run: ## a shell whose only way out is the gateway, over the host's real uplink (as root)
	@tools/deps.sh build
	@$(MAKE) --no-print-directory all
	@TUNGATE_BUILD=$(abspath $(B)) tools/run.sh examples/minimal.conf
