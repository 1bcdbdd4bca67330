# SPDX-License-Identifier: GPL-2.0-or-later
#
# One file, not recursive.  Everything that is built goes under build/, and
# what is built with sanitizers (SAN=1) under build/san/.
#
# make [all]        the programs
# make deps         install what is missing to build, check and lint (root)
# make run          build, then run the agent in the foreground from build/run
# make check        everything: unit, fuzz and system tests, packages, a Debian
#                   13, emulated kernels and a whole emulated machine
# make check-fast   what takes under two minutes
# make check-kernel boots the kernels that are supported and runs all triggers
#                   in each: a table; KERNELS="5.10 6.12" TRIGGERS="open exec";
#                   TRIGGERS=lacks: only the machines that lack something
# make lint         silent when there is nothing to say
# make fuzz         each fuzzer for FUZZ_SECONDS
# make bench        a row a figure; writes build/bench.json; BENCH=PARTS
# make install      to DESTDIR and prefix; install-repo: the publisher's tool
#
# CC=clang  another compiler     WERROR=1  a warning is an error
# SAN=1  with sanitizers         V=1  shows the commands

VERSION := 0.1.0

SHELL := /bin/bash
.SHELLFLAGS := -e -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
MAKEFLAGS += --no-builtin-rules -j$(shell nproc)
export LC_ALL := C.UTF-8

ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
BPFTOOL ?= $(shell PATH="$$PATH:/usr/sbin:/sbin" command -v bpftool || \
	echo bpftool)
PYTHON := /usr/bin/python3
MACHINE := $(shell uname -m)

O := build
ifdef SAN
B := $(O)/san
else
B := $(O)
endif

# One word a step; nothing at all when the goal is lint.
ifdef V
say =
else ifneq ($(filter lint,$(MAKECMDGOALS)),)
say = @
else
say = @printf '  %-5s %s\n' $1 $@;
endif

# Programs: a folder each, and the libraries that only it may use.

SANDBOX_LIBS := -lseccomp -lcap-ng
NAME_daemon := khiend
NAME_cli := khienctl
NAME_conf := khien-conf
NAME_sensor := khien-sensor
NAME_gate := khien-gate
NAME_scan := khien-scan
NAME_engine := khien-engine
NAME_query := khien-query
NAME_keep := khien-keep
NAME_mounts := khien-mounts
NAME_proof := khien-proof
NAME_conform := khien-tuf
NAME_fetch := khien-fetch
NAME_verify := khien-verify
NAME_repo := khien-repo
LIBS_daemon :=
LIBS_proof :=
LIBS_cli := -ljansson
LIBS_conf := -linih $(SANDBOX_LIBS)
LIBS_sensor := -lbpf $(SANDBOX_LIBS)
LIBS_gate := $(SANDBOX_LIBS)
LIBS_mounts := $(SANDBOX_LIBS)
LIBS_scan := -lyara -lcrypto -lz -ljansson $(SANDBOX_LIBS)
LIBS_engine := -lsqlite3 -ljansson $(SANDBOX_LIBS)
LIBS_query := -lsqlite3 -ljansson $(SANDBOX_LIBS)
LIBS_keep := -lsodium $(SANDBOX_LIBS)
LIBS_tuf := -lsodium -lcrypto -ljansson
LIBS_client := $(LIBS_tuf)
LIBS_http := -lcurl $(LIBS_tuf)
LIBS_fetch := $(LIBS_http) $(SANDBOX_LIBS)
LIBS_conform := -lcurl $(LIBS_tuf)
LIBS_release := -larchive -lz $(LIBS_tuf)
LIBS_verify := -larchive -lz $(LIBS_tuf) $(SANDBOX_LIBS)
LIBS_repo := $(LIBS_release)
LIBS_lib := -ljansson $(SANDBOX_LIBS)

# Libraries of updater/, and who is linked with them.
WITH_client := tuf
WITH_http := tuf
WITH_release := tuf
WITH_fetch := http tuf
WITH_conform := client http tuf
WITH_verify := client release tuf
WITH_repo := client release tuf
# Whose forge*.c its unit tests are linked with, when not of all of these.
FORGE_repo := repo

FOLDERS := daemon cli conf sensor gate mounts scan engine query keep proof \
	tuf client http release fetch verify repo conform
SRC_lib := $(wildcard agent/lib/*.c)
$(foreach f,$(FOLDERS),$(eval SRC_$f := $(wildcard agent/$f/*.c updater/$f/*.c)))
PRESENT := $(strip $(foreach f,$(FOLDERS),$(if $(SRC_$f),$f)))
PROGRAMS := $(foreach f,$(PRESENT),$(if $(filter %/main.c,$(SRC_$f)),\
	$B/$(NAME_$f)))
LIBRARY := $B/lib/libkhien.a
KERNEL := $(wildcard kernel/*.bpf.c)
# Those that every kernel may load become one object file.
TRACING := process file reach uring net datagram privilege
# And those of the security modules' hooks, tier L, another one.
SECURITY := guard shield hooks mapping
SKELETONS := $O/gen/tracing.skel.h $O/gen/security.skel.h \
	$(patsubst kernel/%.bpf.c,$O/gen/%.skel.h,$(filter-out \
		$(TRACING:%=kernel/%.bpf.c) $(SECURITY:%=kernel/%.bpf.c),$(KERNEL)))

# Flags.

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wvla -Wformat=2 -Wundef -Wpointer-arith \
	-Wwrite-strings -Wimplicit-fallthrough
ifdef WERROR
WARNINGS += -Werror
endif
COMMON := -std=gnu17 -g -I. -I$O -D_GNU_SOURCE -ffile-prefix-map=$(CURDIR)=. \
	-DKHIEN_VERSION='"$(VERSION)"' -fPIE $(WARNINGS)
HARDEN := -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	-fstack-clash-protection
LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code \
	-Wl,--as-needed
ifneq ($(findstring clang,$(CC)),)
HARDEN += -ftrivial-auto-var-init=pattern
else
HARDEN += -ftrivial-auto-var-init=zero
endif
ifeq ($(MACHINE),x86_64)
HARDEN += -fcf-protection=full
LINK += -Wl,-z,ibt,-z,shstk
BPF_ARCH := x86
else ifeq ($(MACHINE),aarch64)
HARDEN += -mbranch-protection=standard
BPF_ARCH := arm64
endif
SANITIZE := -O1 -DKHIEN_SAN -fno-omit-frame-pointer \
	-fno-sanitize-recover=undefined
FUZZ_CFLAGS = $(COMMON) $(SANITIZE) -DKHIEN_FUZZ \
	-fsanitize=fuzzer-no-link,address,undefined
ifdef SAN
CFLAGS_ALL = $(COMMON) $(SANITIZE) -fsanitize=address,undefined $(CFLAGS)
LINK_ALL = $(LINK) -fsanitize=address,undefined $(LDFLAGS)
else
CFLAGS_ALL = $(COMMON) $(HARDEN) $(CFLAGS)
LINK_ALL = $(LINK) $(LDFLAGS)
endif
# v2: atomics that return a value, which v3 emits, are not in Linux 5.10.
BPF_CFLAGS := -target bpf -mcpu=v2 -O2 -g -std=gnu17 -Wall -Wextra \
	-Wno-unused-parameter -D__TARGET_ARCH_$(BPF_ARCH) -I. \
	-idirafter /usr/include/$(MACHINE)-linux-gnu \
	-ffile-prefix-map=$(CURDIR)=.

objects = $(addprefix $(if $2,$2,$B)/,$(1:.c=.o))
OBJ_lib := $(call objects,$(SRC_lib))

.PHONY: all deps run check check-fast check-kernel lint fuzz fuzz-build tests
.PHONY: bench install install-repo clean
all: $(PROGRAMS)

# Goals that install what they need do so before anything else is built.
ifneq ($(filter deps run check check-fast check-kernel lint fuzz bench deb rpm,\
	$(MAKECMDGOALS)),)
FIRST := deps
endif

# A change of compiler or flags builds everything again.
FLAGS_NOW = $(CC) $(CFLAGS_ALL) $(LINK_ALL) $(BPF_CFLAGS)
$B/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(FLAGS_NOW)) | cmp -s - $@ || \
		printf '%s\n' $(call quote,$(FLAGS_NOW)) >$@
quote = '$(subst ','\'',$1)'
.PHONY: FORCE
FORCE:

# Compiling and linking.

$B/%.o: %.c $B/flags | $(FIRST)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(LIBRARY): $(OBJ_lib)
	@mkdir -p $(@D)
	@rm -f $@
	$(call say,AR)ar rcsD $@ $^

define objects_of
OBJ_$1 := $(filter-out %/main.o,$(call objects,$(SRC_$1) \
	$(foreach w,$(WITH_$1),$(SRC_$w))))
endef
define program
$B/$(NAME_$1): $(filter %/main.o,$(call objects,$(SRC_$1))) $(OBJ_$1) $(LIBRARY)
	$$(call say,LD)$$(CC) $$(LINK_ALL) $$^ $(LIBS_$1) -o $$@
endef
$(foreach f,$(PRESENT),$(eval $(call objects_of,$f)))
$(foreach f,$(PRESENT),$(if $(NAME_$f),$(eval $(call program,$f))))

$O/kernel/%.bpf.o: kernel/%.bpf.c $O/bpf-flags | $(FIRST)
	@mkdir -p $(@D)
	$(call say,BPF)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $O/kernel/$*.bpf.d -MT $@ \
		-c $< -o $O/kernel/$*.bpf.whole.o
	@$(BPFTOOL) gen object $@ $O/kernel/$*.bpf.whole.o

$O/bpf-flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(call quote,$(CLANG) $(BPF_CFLAGS)) | cmp -s - $@ || \
		printf '%s\n' $(call quote,$(CLANG) $(BPF_CFLAGS)) >$@

$O/kernel/tracing.bpf.o: $(TRACING:%=$O/kernel/%.bpf.o)
	$(call say,BPF)$(BPFTOOL) gen object $@ $^

$O/kernel/security.bpf.o: $(SECURITY:%=$O/kernel/%.bpf.o)
	$(call say,BPF)$(BPFTOOL) gen object $@ $^

$O/gen/%.skel.h: $O/kernel/%.bpf.o
	@mkdir -p $(@D)
	$(call say,GEN)$(BPFTOOL) gen skeleton $< name $(subst -,_,$*)_bpf >$@

$(call objects,$(SRC_sensor)) $(call objects,$(SRC_sensor),$O/fuzz): \
	| $(SKELETONS)

# Unit tests: a program each, linked with its folder but for main.c.  Those
# named test_* and root-* are run; others are what they start.  forge*.c is
# what the tests of its folder share, and of those that are linked with it.

UNIT := $(filter-out $(wildcard tests/unit/*/forge*.c),\
	$(wildcard tests/unit/*/*.c))
UNIT_TESTS := $(patsubst %.c,$B/%,$(foreach f,lib $(PRESENT),\
	$(filter tests/unit/$f/%,$(UNIT))))
define unit
$B/tests/unit/$1/%: $B/tests/unit/$1/%.o $(OBJ_$1) \
		$(call objects,$(wildcard $(foreach w,$(or $(FORGE_$1),$1 $(WITH_$1)),\
		tests/unit/$w/forge*.c))) $(LIBRARY)
	$$(call say,LD)$$(CC) $$(LINK_ALL) $$^ $(LIBS_$1) -lcmocka -o $$@
endef
OBJ_lib_saved := $(OBJ_lib)
OBJ_lib :=
$(foreach f,lib $(PRESENT),$(eval $(call unit,$f)))
OBJ_lib := $(OBJ_lib_saved)
$(call objects,$(wildcard tests/unit/sensor/*.c)): | $(SKELETONS)

# Small programs that tests start.  Never with sanitizers: they must be fast,
# and some of them run in places where a sanitizer cannot.
TOOLS := $(patsubst %.c,$O/%,$(wildcard tests/triggers/*.c tests/system/*.c \
	tests/bench/*.c))
$(TOOLS): $O/%: %.c | $(FIRST)
	@mkdir -p $(@D)
	$(call say,TOOL)$(CC) $(COMMON) $(HARDEN) $(LINK) -MMD -MP $< -o $@ -pthread

# The first process of the guests, where there is no library.
INIT := $O/tests/kernel/init
$(INIT): tests/kernel/init.c tests/kernel/lack.c tests/kernel/lack.h | $(FIRST)
	@mkdir -p $(@D)
	$(call say,TOOL)$(CC) $(COMMON) $(HARDEN) -static $(filter %.c,$^) -o $@

# Fuzzers: linked with every folder of agent/ and updater/ that their source
# includes from, and what that is linked with.

FUZZERS := $(patsubst %.c,$O/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_folders = $(sort $(filter-out lib,$(shell \
	sed -n -E 's!^\#include "(agent|updater)/([a-z]*)/.*!\2!p' $1)))
$O/fuzz/%.o: %.c $B/flags | $(FIRST)
	@mkdir -p $(@D)
	$(call say,FUZZ)$(CLANG) $(FUZZ_CFLAGS) -MMD -MP -c $< -o $@
$O/fuzz/libkhien.a: $(call objects,$(SRC_lib),$O/fuzz)
	@rm -f $@
	$(call say,AR)ar rcsD $@ $^
define fuzzer
$O/fuzz/$(1:.c=): $O/fuzz/$(1:.c=.o) $O/fuzz/libkhien.a $(foreach f,$2,\
		$(filter-out %/main.o,$(call objects,$(SRC_$f),$O/fuzz)))
	$$(call say,LD)$$(CLANG) -fsanitize=fuzzer,address,undefined $$(filter-out %.a,$$^) \
		$$(filter %.a,$$^) $(foreach f,$2,$(LIBS_$f)) \
		$(LIBS_lib) -Wl,--as-needed -o $$@
endef
$(foreach s,$(wildcard tests/fuzz/fuzz_*.c),\
	$(eval $(call fuzzer,$s,$(sort $(foreach f,$(call fuzz_folders,$s),\
		$f $(WITH_$f))))))
FUZZ_SECONDS ?= 4

RUN_TESTS = @KHIEN_FUZZ_SECONDS=$(FUZZ_SECONDS) \
	KHIEN_KERNELS=$(call quote,$(KERNELS)) \
	KHIEN_TRIGGERS=$(call quote,$(TRIGGERS)) \
	$(PYTHON) tests/run.py --build $B
PARTS ?= unit fuzz rules packages debian13 system kernels guest

fuzz-build: $(FUZZERS)
fuzz: $(FUZZERS)
	$(RUN_TESTS) fuzz

# Testing and running.

tests: $(PROGRAMS) $(UNIT_TESTS) $(TOOLS) $(INIT)
check: tests $(FUZZERS)
	$(RUN_TESTS) $(PARTS)
check-fast: tests
	$(RUN_TESTS) --fast unit rules system
check-kernel: $(PROGRAMS) $(TOOLS) $(INIT)
	$(RUN_TESTS) kernels
bench: $(PROGRAMS) $(TOOLS)
	@$(PYTHON) tests/bench/bench.py --build $B $(BENCH)
lint: $(PROGRAMS) | $(FIRST)
	@LINT_FLAGS=$(call quote,$(COMMON) $(HARDEN)) \
		LINT_BPF_FLAGS=$(call quote,$(BPF_CFLAGS)) \
		$(PYTHON) tests/lint/lint.py --build $O

# In the foreground, with everything it keeps under build/run.
RUN := $(CURDIR)/$O/run
run: $(PROGRAMS)
	@if [ $$(id -u) != 0 ]; then \
		echo "make run: the agent must be started by root" >&2; exit 1; \
	fi; \
	mkdir -p $(RUN)/scratch; mode=enforce; \
	mountpoint -q $(RUN)/scratch || \
		mount -t tmpfs -o mode=1777,size=256m khien-scratch \
			$(RUN)/scratch || mode=observe; \
	trap 'umount -l $(RUN)/scratch' EXIT; trap : INT TERM HUP; \
	group=root; ! getent group khien >/dev/null || group=khien; \
	printf '%s\n' '[agent]' 'state_dir = $(RUN)/state' \
		'run_dir = $(RUN)' "group = $$group" '' \
		'[gate]' "mode = $$mode" 'enforce = $(RUN)/scratch' \
		'on_unreached = allow' '' \
		'[rules]' 'dir = $(CURDIR)/signatures/yara' \
		>$(RUN)/khien.conf; \
	$(CURDIR)/$B/khiend --config $(RUN)/khien.conf \
		--programs $(CURDIR)/$B || [ $$? = 3 ] # khienctl stop

# An install does not start anything; packages do that.  BUILT=DIR installs what
# was built in DIR, and builds nothing.
prefix ?= /usr
sysconfdir ?= /etc
unitdir ?= $(prefix)/lib/systemd/system
zshdir ?= $(prefix)/share/zsh/site-functions
TO = $(DESTDIR)$(prefix)
FROM := $(or $(BUILT),$B)
INSTALLED := $(addprefix $(FROM)/,$(filter-out khiend khienctl khien-tuf \
	khien-repo,$(foreach f,$(PRESENT),$(NAME_$f))))
install: $(if $(BUILT),,$(PROGRAMS))
	install -d $(TO)/sbin $(TO)/bin $(TO)/libexec/khien \
		$(TO)/share/khien/rules $(DESTDIR)$(sysconfdir)/khien/rules.d \
		$(DESTDIR)$(sysconfdir)/khien/khien.conf.d
	install -m 755 $(FROM)/khiend $(TO)/sbin
	install -m 755 $(FROM)/khienctl $(TO)/bin
	install -m 755 $(INSTALLED) $(TO)/libexec/khien
	cd signatures/yara && find . -name '*.yar' \
		-exec install -D -m 644 {} $(TO)/share/khien/rules/{} \;
	install -m 644 packaging/conf/khien.conf $(DESTDIR)$(sysconfdir)/khien
	install -d $(DESTDIR)$(unitdir)
	install -m 644 packaging/systemd/khien.service \
		packaging/systemd/khien-update.service \
		packaging/systemd/khien-update.timer $(DESTDIR)$(unitdir)
	install -D -m 644 packaging/sysusers/khien.conf \
		$(TO)/lib/sysusers.d/khien.conf
	install -D -m 644 packaging/tmpfiles/khien.conf \
		$(TO)/lib/tmpfiles.d/khien.conf
	install -D -m 644 packaging/apparmor/khien \
		$(DESTDIR)$(sysconfdir)/apparmor.d/khien
	install -D -m 644 packaging/completions/khienctl.bash \
		$(TO)/share/bash-completion/completions/khienctl
	install -D -m 644 packaging/completions/_khienctl \
		$(DESTDIR)$(zshdir)/_khienctl
	for page in packaging/man/*.[1-8]; do \
		section=$${page##*.}; \
		install -D -m 644 $$page \
			$(TO)/share/man/man$$section/$${page##*/}; \
	done

# The publisher's tool, never on an endpoint.  khien-scan is what it checks
# releases with.
install-repo: $(if $(BUILT),,$B/khien-repo $B/khien-scan)
	install -d $(TO)/bin $(TO)/libexec/khien
	install -m 755 $(FROM)/khien-repo $(TO)/bin
	install -m 755 $(FROM)/khien-scan $(TO)/libexec/khien
	install -D -m 644 packaging/man/khien-repo.1 \
		$(TO)/share/man/man1/khien-repo.1
	install -d $(TO)/share/khien-repo/nginx
	install -m 644 packaging/nginx/*.conf $(TO)/share/khien-repo/nginx

# Packages, from a copy of this tree: build/deb/*.deb and build/rpm/*.rpm.
.PHONY: deb rpm
deb rpm: | $(FIRST)
	@BUILT=$(call quote,$(BUILT)) packaging/build.sh $@ $(VERSION) \
		$(or $(OUT),$O/$@)

# What a fresh Debian 12 or 13 lacks.  No network when nothing is missing.
PACKAGES := gcc make git ca-certificates libc6-dev binutils clang llvm bpftool \
	libbpf-dev libyara-dev yara libsqlite3-dev libjansson-dev libinih-dev \
	libseccomp-dev libcap-ng-dev libssl-dev libsodium-dev \
	libcurl4-openssl-dev libarchive-dev zlib1g-dev strace \
	libcmocka-dev python3 python3-pytest \
	python3-cryptography libclang-rt-dev procps util-linux openssl iproute2 \
	clang-format clang-tidy cppcheck mmdebstrap e2fsprogs qemu-system-x86 \
	debian-archive-keyring nginx debhelper dh-apparmor dpkg-dev fakeroot \
	lintian rpm apparmor systemd pkg-config
# Debian starts nginx once it is installed; tests start their own.
deps:
	@missing=$$(for package in $(PACKAGES); do \
		dpkg-query -W -f '$${db:Status-Abbrev}' $$package 2>/dev/null | \
			grep -q ^ii || echo $$package; done); \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ $$(id -u) != 0 ]; then \
		echo "missing packages; as root: apt-get install" $$missing >&2; \
		exit 1; \
	fi; \
	echo "installing" $$missing; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get -qq update && \
		apt-get -qq install -y --no-install-recommends $$missing \
		</dev/null >$${TMPDIR:-/tmp}/khien-deps.log 2>&1 || \
		{ tail -n 20 $${TMPDIR:-/tmp}/khien-deps.log >&2; exit 1; }; \
	case " "$$missing" " in *nginx*) \
		systemctl --quiet disable --now nginx 2>/dev/null || \
			service nginx stop >/dev/null 2>&1 || true;; \
	esac

clean:
	rm -rf $O

-include $(shell [ ! -d $O ] || find $O \( -path $O/run -o \
	-path $O/guest -o -path $O/kernels -o -path $O/deb -o -path $O/rpm -o \
	-path $O/packages -o -path $O/debian13 \) -prune -o -name '*.d' -type f -print)
