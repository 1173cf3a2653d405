# SPDX-License-Identifier: GPL-2.0
# Builds and installs l3vpn: the kernel module, the daemon and the shell. `make help` lists what there is.

ifneq ($(KERNELRELEASE),)
# Called by the kernel's build system, which takes what to build from Kbuild.
include $(src)/Kbuild
else

KVER	?= $(shell uname -r)
KDIR	?= /lib/modules/$(KVER)/build
DESTDIR	?=
PREFIX	?= /usr/local
INSTALL	?= install
top	:= $(CURDIR)

# What the module is made of. O=DIR (which the kernel understands differently, so it is not handed on) builds a copy of these there, so that many kernels share one source tree.
module_sources := Kbuild Makefile kernel uapi

has_module := $(wildcard kernel/*.c)
has_daemon := $(wildcard userspace/Makefile)
has_kdir := $(wildcard $(KDIR)/Makefile)

.PHONY: all userspace modules install modules_install clean check help

all: userspace
ifneq ($(has_kdir),)
all: modules
else
	@echo "The kernel module is not built: no kernel headers at $(KDIR)."
	@echo "Install linux-headers-$(KVER), or say make modules KDIR=..."
endif

userspace:
ifneq ($(has_daemon),)
	$(MAKE) -C userspace
endif

modules:
ifeq ($(has_module),)
	$(error There is no module source in kernel/)
endif
ifeq ($(has_kdir),)
	$(error No kernel headers at $(KDIR): install linux-headers-$(KVER) or set KDIR=)
endif
ifneq ($(O),)
	mkdir -p "$(O)"
	rsync -a --delete --include='*/' --include='*.c' --include='*.h' --include='Kbuild*' --include=Makefile \
		--exclude='*' --prune-empty-dirs $(module_sources) "$(O)/src/"
	$(MAKE) -C "$(KDIR)" O= M="$(abspath $(O))/src" modules
	cp "$(O)/src/l3vpn.ko" "$(O)/l3vpn.ko"
else
	$(MAKE) -C "$(KDIR)" O= M="$(top)" modules
endif

modules_install:
	$(MAKE) -C "$(KDIR)" O= M="$(if $(O),$(abspath $(O))/src,$(top))" \
		$(if $(DESTDIR),INSTALL_MOD_PATH="$(DESTDIR)") INSTALL_MOD_DIR=extra modules_install

install:
ifneq ($(has_kdir),)
	$(MAKE) modules_install
else
	@echo "The kernel module is not installed: no kernel headers at $(KDIR)."
endif
	$(INSTALL) -d "$(DESTDIR)$(PREFIX)/include/linux"
	$(INSTALL) -m 644 uapi/linux/*.h "$(DESTDIR)$(PREFIX)/include/linux/"
ifneq ($(has_daemon),)
	$(MAKE) -C userspace install DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)"
endif

# The kernel's build leaves its products beside the sources when O= is not used.
clean:
ifneq ($(has_daemon),)
	$(MAKE) -C userspace clean
endif
	rm -rf build
	find kernel selftests -name '*.o' -o -name '*.ko' -o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' 2>/dev/null | \
		xargs -r rm -f
	rm -f *.o *.ko *.mod *.mod.c .*.cmd .module-common.o Module.symvers modules.order .Module.symvers.cmd

check:
	scripts/check

help:
	@echo 'make                        the daemon, the shell and, with kernel headers, the module'
	@echo 'make modules KDIR=DIR       the module for the kernel whose headers are in DIR'
	@echo 'make modules KDIR=DIR O=OUT the same, in OUT, leaving the source tree alone'
	@echo 'make install                all of it, under DESTDIR= and PREFIX=$(PREFIX)'
	@echo 'make modules_install        only the module, under DESTDIR='
	@echo 'make check                  scripts/check: every test, on every kernel'
	@echo 'make clean                  back to the sources'
	@echo
	@echo 'scripts/demo                two VPNs across a small provider network, in a guest'
	@echo 'scripts/vm -- COMMAND       COMMAND in a guest with the module loaded'

endif
