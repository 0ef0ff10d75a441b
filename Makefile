# SPDX-License-Identifier: BSD-2-Clause
# tungate: `make help` lists the targets.  Everything built goes to build/.

.DELETE_ON_ERROR:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules
SHELL := /bin/bash

CC        ?= gcc
VARIANT   ?= release
B         := build/$(VARIANT)
PREFIX    ?= /usr/local
VERSION   := 0.1.0

PACKAGES  := libuv libnl-3.0 inih jansson libcap-ng libsystemd ldns
WARNINGS  := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla \
             -Wconversion -Wno-sign-conversion -Wpointer-arith -Wwrite-strings -Wundef
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_plain   := -O0
LDFLAGS_release := -Wl,-z,relro,-z,now
LDFLAGS_asan    := -fsanitize=address,undefined
BASE_CFLAGS := -std=gnu11 -D_GNU_SOURCE -DTUNGATE_VERSION='"$(VERSION)"' -Iinclude -Isrc $(WARNINGS) -fPIE -MMD -MP
ALL_CFLAGS  = $(BASE_CFLAGS) $(CFLAGS_$(VARIANT)) $(EXTRA_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie $(LDFLAGS_$(VARIANT)) $(LDFLAGS)
# Asked for when first needed (`make deps` may bring it) and then kept.
PKG_CFLAGS  = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null | \
                sed 's/-I/-isystem /g'))$(PKG_CFLAGS)
PKG_LIBS    = $(eval PKG_LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null))$(PKG_LIBS)

# The pure library, and the rest of the house.
PURE_DIRS   := base wire engine helper lan config import
HOST_DIRS   := link host dns control daemon
PURE_SRC    := $(wildcard $(PURE_DIRS:%=src/%/*.c))
HOST_SRC    := $(wildcard $(HOST_DIRS:%=src/%/*.c))
DAEMON_SRC  := $(wildcard cmd/tungated/*.c)
CLIENT_SRC  := $(wildcard cmd/tungate/*.c)
CNI_SRC     := $(wildcard cmd/tungate-cni/*.c)
UNIT_SRC    := $(wildcard tests/unit/*.c tests/flow/*.c tests/golden/*.c)
SUPPORT_SRC := $(wildcard tests/support/*.c)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

PURE_LIB  := $(B)/libtungate.a
HOST_LIB  := $(B)/libhost.a
UNIT_BINS := $(patsubst tests/%.c,$(B)/tests/%,$(UNIT_SRC))

# `make V=1` shows the whole commands.
Q := $(if $(V),,@)
say = $(if $(V),,@echo "  $(1)	$(2)")

.PHONY: all
all: $(B)/tungated $(B)/tungate $(B)/tungate-cni $(PURE_LIB) ## build the daemon, the commands and the library

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(PKG_CFLAGS) -c $< -o $@

$(PURE_LIB): $(call obj,$(PURE_SRC))
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

$(HOST_LIB): $(call obj,$(HOST_SRC))
	@rm -f $@
	$(call say,AR,$@)
	$(Q)ar rcs $@ $^

$(B)/tungated: $(call obj,$(DAEMON_SRC)) $(HOST_LIB) $(PURE_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(PKG_LIBS) -lm -o $@

$(B)/tungate: $(call obj,$(CLIENT_SRC)) $(HOST_LIB) $(PURE_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(shell pkg-config --libs jansson inih) -o $@

$(B)/tungate-cni: $(call obj,$(CNI_SRC)) $(HOST_LIB) $(PURE_LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(shell pkg-config --libs jansson) -o $@

# Unit, flow and golden tests: one Criterion program per file.
$(B)/tests/%: $(B)/obj/tests/%.o $(call obj,$(SUPPORT_SRC)) $(HOST_LIB) $(PURE_LIB)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) $^ $(PKG_LIBS) -lcriterion -lpcap -o $@

.PHONY: unit-bins
unit-bins: $(UNIT_BINS)

# Every file once: what another compiler says of them.
.PHONY: objects
objects: $(call obj,$(PURE_SRC) $(HOST_SRC) $(DAEMON_SRC) $(CLIENT_SRC) $(UNIT_SRC) $(SUPPORT_SRC) $(wildcard tests/bench/*.c))

include $(wildcard tools/*.mk)

.PHONY: clean
clean: ## remove everything built
	rm -rf build

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  \1\t/' | sort | expand -t 20

-include $(shell find $(B) -name '*.d' 2>/dev/null)
