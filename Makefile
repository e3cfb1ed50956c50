# Build, test and install datasetfs; "make help" lists the targets.

VERSION := 1.0.0
BUILD   := build
PREFIX  ?= /usr/local
DESTDIR ?=
# mount(8) looks for its helpers here only, wherever PREFIX is.
HELPER_DIR ?= /sbin
UNIT_DIR   ?= $(PREFIX)/lib/systemd/system
CC      ?= cc
PKG_CONFIG ?= pkg-config
# The kinds of SOURCE that the program knows. The tests need all three.
CLIENTS ?= local rest tools
KNOWN   := local rest tools
ifneq ($(filter-out $(KNOWN),$(CLIENTS))$(if $(strip $(CLIENTS)),,none),)
$(error CLIENTS=$(CLIENTS): expected one or more of $(KNOWN))
endif
PKGS_local := sqlite3
PKGS_rest  := libcurl
UNITS_rest := datasetfs@.service
UNITS_tools := datasetfs-guest.service
UNITS   := $(foreach client,$(CLIENTS),$(UNITS_$(client)))
# The filter of system calls; a guest's own program does without the library.
SECCOMP ?= $(if $(filter-out tools,$(CLIENTS)),yes,no)
PKGS    := fuse3 jansson $(sort $(foreach client,$(CLIENTS),$(PKGS_$(client)))) $(if $(filter yes,$(SECCOMP)),libseccomp)
LEFT_OUT := $(foreach client,$(filter-out $(CLIENTS),$(KNOWN)),-DDS_WITH_$(client)=0) \
            $(if $(filter yes,$(SECCOMP)),,-DDS_WITH_seccomp=0)

WARN   := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef
HARDEN := -fstack-protector-strong -fPIE
ifneq ($(WERROR),)
WARN += -Werror
endif
# A distribution sets its own level; fortification needs optimisation and disturbs sanitizers.
ifeq ($(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS))$(SAN),)
FORTIFY := -D_FORTIFY_SOURCE=2
endif
CFLAGS ?= -O2 -g

ALL_CPPFLAGS := -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=314 -DDS_VERSION='"$(VERSION)"' -Iinclude \
                $(FORTIFY) $(shell $(PKG_CONFIG) --cflags $(PKGS)) $(CPPFLAGS)
ALL_CFLAGS   := -std=c11 $(WARN) $(HARDEN) -pthread $(CFLAGS) $(SAN)
ALL_LDFLAGS  := -pie -Wl,-z,relro,-z,now -pthread $(LDFLAGS) $(SAN)
LIBS         := $(shell $(PKG_CONFIG) --libs $(PKGS))

LIB_SRC   := $(filter-out $(patsubst %,client/%/%,$(filter-out $(CLIENTS),$(KNOWN))), \
                 $(wildcard client/*.c client/*/*.c)) $(filter-out fs/main.c,$(wildcard fs/*.c fs/*/*.c))
LIB_OBJ   := $(LIB_SRC:%.c=$(BUILD)/%.o)
LIB       := $(BUILD)/libdatasetfs.a
MAIN      := $(BUILD)/datasetfs
UNIT      := $(patsubst %.c,$(BUILD)/%,$(wildcard $(addsuffix /test_*.c,tests/unit tests/unit/* tests/unit/*/*)))
CONTRACT  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/contract/test_*.c))
CONTRACT_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/contract/test_%,$(wildcard tests/contract/*.c)))
MOUNT     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/mount/test_*.c))
MOUNT_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/mount/test_%,$(wildcard tests/mount/*.c)))
# The matrix of faults, on the harness of the mounts.
FAULTS    := $(BUILD)/tests/faults/test_faults
FAULTS_WAYS := $(FAULTS) $(addsuffix @$(FAULTS),tools-all rest rest-machines)
FAULTS_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out tests/faults/test_%,$(wildcard tests/faults/*.c)))
SIM       := $(BUILD)/datasets-sim
PRELOADED := $(addprefix tests/sim/,clockjump.c failalloc.c fakevsock.c keeptriggers.c lateopen.c probe.c)
SIM_OBJ   := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(PRELOADED),$(wildcard tests/sim/*.c)))
SIM_LIBS  := -lmicrohttpd -ldl
# glibc had dlsym() in a library of its own before 2.34.
TEST_LIBS := -lcmocka -ldl
FAKEVSOCK := $(BUILD)/libfakevsock.so
PRELOADS  := $(PRELOADED:tests/sim/%.c=$(BUILD)/lib%.so)
BENCH     := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/*.c))
# Suites that also run with their guest mounts, or with all their mounts, over the tools channel, with
# their host mounts over REST, and in the directory of a machine of an inventory: of all that can, in a
# vCenter's the quick ones.
MOUNT_DIR := $(BUILD)/tests/mount
OVER_TOOLS := $(addprefix tools@$(MOUNT_DIR)/,test_access test_users test_two test_load test_vanish) \
              $(addprefix tools-all@$(MOUNT_DIR)/,test_attributes test_budget test_calls_tree \
                  test_calls_write test_crash test_directories test_followers test_fresh test_listing \
                  test_matrix test_names test_numbers test_prefill test_refused test_rename test_scratch \
                  test_scratch_load test_scratch_rename test_scratch_tools test_shell test_text test_times test_two)
OVER_REST := $(addprefix rest@$(MOUNT_DIR)/,test_access test_attributes test_budget test_calls_tree \
                 test_calls_write test_control test_crash test_directories test_followers test_fresh \
                 test_listing test_load test_matrix test_names test_prefill test_refused test_rename test_scratch \
                 test_scratch_rename test_scratch_tools test_shell test_text test_times test_users test_vanish) \
             $(addprefix rest-tools@$(MOUNT_DIR)/,test_two)
OVER_MACHINES := $(addprefix machines@$(MOUNT_DIR)/,test_access test_attributes test_calls_tree \
                     test_calls_write test_control test_directories test_followers test_fresh test_late \
                     test_late_close test_listing test_names test_numbers test_prefill test_refused test_rename test_scratch \
                     test_scratch_limit test_scratch_rename test_shell test_text test_times test_together \
                     test_two test_users test_vanish) \
                 $(addprefix rest-machines@$(MOUNT_DIR)/,test_access test_attributes test_budget \
                     test_calls_tree test_calls_write test_control test_fresh test_refused test_rename \
                     test_shell test_text test_times test_users test_vanish)
# Those that take longest start first, lest one goes on by itself in the end. Those that count requests
# within the 20 ms for which the kernel knows a file run while nothing else does.
LONG      := $(addprefix %/,test_contract test_matrix test_shell test_model test_rest_fault test_rest_model test_faults \
                 test_load test_bound test_rest_listing)
ALONE     := %/test_budget
.DEFAULT_GOAL := all
include tests/fuzz/fuzz.mk
PROGRAMS  := $(UNIT) $(CONTRACT) $(MOUNT) $(FUZZ) $(FAULTS)
RUNS      := $(PROGRAMS) $(OVER_TOOLS) $(OVER_REST) $(OVER_MACHINES) $(filter-out $(FAULTS),$(FAULTS_WAYS))
TEST_OBJ  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(addsuffix /*.c,tests/* tests/unit/* tests/unit/*/*)))
.SECONDARY:

all: $(MAIN) ## build build/datasetfs

$(MAIN): $(BUILD)/fs/main.o $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(LIB): $(LIB_OBJ)
	rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

# Written when it is other than last time.
$(BUILD)/clients: FORCE
	@mkdir -p $(@D)
	@echo '$(sort $(CLIENTS)) $(SECCOMP)' | cmp -s - $@ || echo '$(sort $(CLIENTS)) $(SECCOMP)' >$@
.PHONY: FORCE

KNOWING := $(BUILD)/client/source.o $(BUILD)/client/base/confine_calls.o
$(LIB) $(KNOWING): $(BUILD)/clients
$(KNOWING): ALL_CPPFLAGS += $(LEFT_OUT)

# A floor of fs/ names a header of another one with its folder; a test names what it tests from the root.
$(BUILD)/fs/%.o $(BUILD)/tests/%: ALL_CPPFLAGS += -Ifs
$(BUILD)/tests/%: ALL_CPPFLAGS += -I.

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(UNIT): $(BUILD)/%: $(BUILD)/%.o $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(TEST_LIBS)

$(CONTRACT): $(BUILD)/%: $(BUILD)/%.o $(CONTRACT_OBJ) $(LIB) | $(SIM) $(PRELOADS)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(TEST_LIBS)

$(MOUNT): $(BUILD)/%: $(BUILD)/%.o $(MOUNT_OBJ) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(TEST_LIBS)

$(FAULTS): $(FAULTS).o $(FAULTS_OBJ) $(MOUNT_OBJ) $(LIB) | $(SIM) $(PRELOADS)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(TEST_LIBS)

$(SIM): $(SIM_OBJ) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(SIM_LIBS)

# Preloaded into programs of the system too, which know no sanitizers.
$(PRELOADS): $(BUILD)/lib%.so: tests/sim/%.c $(wildcard tests/sim/*.h) Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -std=c11 $(WARN) -O2 -g -fPIC -shared -Wl,-z,relro,-z,now -o $@ $< -ldl

check: all $(PROGRAMS) $(SIM) $(PRELOADS) ## build and run every test, or TESTS="name ..." only
	@tests/run $(BUILD) $(filter $(LONG),$(RUNS)) $(filter-out $(LONG) $(ALONE),$(RUNS)) \
	    --alone $(filter $(ALONE),$(RUNS))

# All cells; of "make check" a part. The tables are kept for faults-document.
FAULTS_TABLES := $(BUILD)/faults
faults: all $(FAULTS) $(SIM) $(PRELOADS) ## try each fault with each operation over each SOURCE; prints the table
	@rm -rf $(FAULTS_TABLES) && mkdir -p $(FAULTS_TABLES)
	@FAULTS=all FAULTS_TABLES=$(abspath $(FAULTS_TABLES)) TIMEOUT=7200 tests/run $(BUILD) $(FAULTS_WAYS); \
	    status=$$?; cat $(FAULTS_TABLES)/*.md; exit $$status

faults-document: ## put what "make faults" has printed last into SECURITY.md
	cat $(foreach way,local tools-all rest rest-machines,$(FAULTS_TABLES)/$(way).md) >$(FAULTS_TABLES)/all
	sed -i -e '/^<!-- faults: /,/^<!-- end of faults -->/{//!d}' -e '/^<!-- faults: /r $(FAULTS_TABLES)/all' SECURITY.md

fuzz: $(FUZZ:%=%.libfuzzer) $(FUZZ:%=%.counted) ## fuzz each decoder for FUZZ_SECONDS (60), and what that covers; needs clang
	@tests/fuzz/run $(BUILD) $(FUZZ_SECONDS) $(FUZZ_NAMES)
	@tests/fuzz/coverage $(BUILD) $(FUZZ_DECODERS)

fuzz-coverage: $(FUZZ:%=%.counted) ## which lines of each decoder its corpus covers; needs clang and llvm
	@tests/fuzz/coverage $(BUILD) $(FUZZ_DECODERS)

bench: ## measure against peers; results in build/bench.csv and build/bench.svg
	@BUILD=$(BUILD) scripts/bench

bench-programs: $(BENCH) $(SIM) $(FAKEVSOCK)

$(BENCH): $(BUILD)/%: $(BUILD)/%.o
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

check-asan: ## the same with address, leak and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory check BUILD=$(BUILD)/asan CFLAGS='-O1 -g -fno-omit-frame-pointer' \
	    SAN='-fsanitize=address,undefined -fno-sanitize-recover=undefined'

# Processes of the contract's tests start threads after a fork, which this sanitizer forbids by default.
check-tsan: ## the same with the thread sanitizer
	@TSAN_OPTIONS="die_after_fork=0:$$TSAN_OPTIONS" $(MAKE) --no-print-directory check BUILD=$(BUILD)/tsan CFLAGS='-O1 -g' SAN='-fsanitize=thread'

# Of the mounts' suites some that do much in little time; the daemon is what is checked there.
MEMCHECKED := $(addprefix $(MOUNT_DIR)/,test_rename test_text)
memcheck: all $(UNIT) $(MEMCHECKED) $(SIM) $(PRELOADS) ## unit tests, and some mounts, under valgrind
	@WITH=tests/memcheck tests/run $(BUILD) $(UNIT); status=$$?; \
	    DATASETFS=$(CURDIR)/tests/memcheck MEMCHECKED=$(abspath $(MAIN)) tests/run $(BUILD) $(MEMCHECKED) && \
	    exit $$status

check-boot: all $(SIM) ## boot bare roots from the packages; needs root and Debian's packages (tests/boot/run)
	@BUILD=$(BUILD) tests/boot/run

lint: all $(TEST_OBJ) ## floors and circles, formatting, clang-tidy, cppcheck, shellcheck
	@BUILD=$(BUILD) scripts/lint

analyze: ## gcc's and clang's analyzers, as far as lint has not done it
	@scripts/analyze

night: ## all that takes long, in 90 minutes: a line for each
	@BUILD=$(BUILD) scripts/night

format: ## rewrite the sources in the house style
	clang-format -i $$(git ls-files -co --exclude-standard '*.c' '*.h')

install: all ## install below $(DESTDIR)$(PREFIX)
	install -D -m 755 $(MAIN) $(DESTDIR)$(PREFIX)/bin/datasetfs
	install -D -m 644 scripts/completion/datasetfs.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/datasetfs
	install -D -m 644 scripts/completion/_datasetfs $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_datasetfs
	install -D -m 644 client/command/datasetfs.1 $(DESTDIR)$(PREFIX)/share/man/man1/datasetfs.1
	install -D -m 644 fs/datasetfs.8 $(DESTDIR)$(PREFIX)/share/man/man8/datasetfs.8
	sed -i 's/^\.Os$$/.Os datasetfs $(VERSION)/' $(DESTDIR)$(PREFIX)/share/man/man[18]/datasetfs.[18]
	ln -sf datasetfs.8 $(DESTDIR)$(PREFIX)/share/man/man8/mount.datasetfs.8
	install -d $(DESTDIR)$(HELPER_DIR)
	ln -sf $(PREFIX)/bin/datasetfs $(DESTDIR)$(HELPER_DIR)/mount.datasetfs
	for unit in $(UNITS); do install -D -m 644 scripts/systemd/$$unit $(DESTDIR)$(UNIT_DIR)/$$unit || exit 1; done

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/datasetfs \
	    $(DESTDIR)$(PREFIX)/share/man/man1/datasetfs.1 \
	    $(DESTDIR)$(PREFIX)/share/man/man8/datasetfs.8 \
	    $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_datasetfs \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions/datasetfs \
	    $(DESTDIR)$(HELPER_DIR)/mount.datasetfs \
	    $(UNITS:%=$(DESTDIR)$(UNIT_DIR)/%) \
	    $(DESTDIR)$(PREFIX)/share/man/man8/mount.datasetfs.8

DIST := datasetfs-$(VERSION)

dist: ## pack the last commit as build/datasetfs-VERSION.tar.gz
	@git rev-parse --verify -q HEAD >/dev/null || { echo "make dist packs a commit: run it in a clone" >&2; exit 1; }
	@mkdir -p $(BUILD)
	git archive --prefix=$(DIST)/ HEAD | gzip -n9 >$(BUILD)/$(DIST).tar.gz

# What is packed builds, passes the tests that need no mount, installs, and leaves nothing when removed.
distcheck: dist ## unpack that, build, test, install and uninstall it
	rm -rf $(BUILD)/distcheck && mkdir -p $(BUILD)/distcheck
	tar -xzf $(BUILD)/$(DIST).tar.gz -C $(BUILD)/distcheck
	cd $(BUILD)/distcheck && find $(DIST) | sort >before
	$(MAKE) -C $(BUILD)/distcheck/$(DIST) BUILD=build check TESTS="unit/ contract/"
	$(MAKE) -C $(BUILD)/distcheck/$(DIST) BUILD=build install DESTDIR=$(abspath $(BUILD))/distcheck/root
	$(BUILD)/distcheck/root$(PREFIX)/bin/datasetfs -V
	$(MAKE) -C $(BUILD)/distcheck/$(DIST) BUILD=build uninstall DESTDIR=$(abspath $(BUILD))/distcheck/root
	! find $(BUILD)/distcheck/root ! -type d | grep .
	$(MAKE) -C $(BUILD)/distcheck/$(DIST) BUILD=build clean
	cd $(BUILD)/distcheck && find $(DIST) | sort | diff before -
	rm -rf $(BUILD)/distcheck

clean: ## remove build/
	rm -rf $(BUILD)

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

-include $(LIB_OBJ:.o=.d) $(BUILD)/fs/main.d $(TEST_OBJ:.o=.d)
.PHONY: all bench bench-programs dist distcheck check check-boot check-asan check-tsan analyze faults faults-document fuzz \
        fuzz-coverage lint memcheck night format install uninstall clean help
