# SPDX-License-Identifier: BSD-2-Clause
# `make install PREFIX=/usr DESTDIR=...`: programs, manuals, examples, the systemd unit.

INSTALL := install -D -m

.PHONY: install
install: all ## install to PREFIX (default /usr/local), below DESTDIR
	$(INSTALL) 755 $(B)/tungated $(DESTDIR)$(PREFIX)/sbin/tungated
	$(INSTALL) 755 $(B)/tungate $(DESTDIR)$(PREFIX)/bin/tungate
	$(INSTALL) 755 $(B)/tungate-cni $(DESTDIR)$(PREFIX)/lib/cni/tungate-cni
	set -e; for page in $(wildcard cmd/*/*.[1-8]); do \
		$(INSTALL) 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done
	set -e; for file in $(wildcard examples/*.conf examples/*.sh examples/*.json examples/tutorial/*.conf examples/cni/*); do \
		$(INSTALL) 644 $$file $(DESTDIR)$(PREFIX)/share/doc/tungate/$$file; done
	mkdir -p $(DESTDIR)$(PREFIX)/lib/systemd/system
	sed 's|@PREFIX@|$(PREFIX)|' examples/tungated.service \
		>$(DESTDIR)$(PREFIX)/lib/systemd/system/tungated.service

.PHONY: uninstall
uninstall: ## remove what `make install` put there
	rm -f $(DESTDIR)$(PREFIX)/sbin/tungated $(DESTDIR)$(PREFIX)/bin/tungate \
		$(DESTDIR)$(PREFIX)/lib/cni/tungate-cni \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/tungated.service \
		$(foreach page,$(wildcard cmd/*/*.[1-8]),$(DESTDIR)$(PREFIX)/share/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page)))
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/tungate
