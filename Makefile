# SPDX-License-Identifier: GPL-2.0-only
# Conventional targets: all check systest fleettest bench bench-report fuzz lint install uninstall
# clean. Everything built is in $(B).
B	     ?= build
PREFIX	     ?= /usr/local
# make's own default is cc, under which LTO would stay off
ifeq ($(origin CC),default)
CC	     := gcc
endif
PKG_CONFIG   ?= pkg-config
PACKAGES     := sqlite3 jansson yaml-0.1 libxml-2.0 libzstd zlib liblzma libxxhash libtracefs libcurl
VERSION	     := $(shell cat VERSION)

OPTFLAGS     ?= -O2 -g
WARNINGS     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
		-Wpointer-arith -Wformat=2 -Wno-format-nonliteral
CPPFLAGS     += -Iinclude -I$(B)/gen -D_GNU_SOURCE -DDMS_VERSION='"$(VERSION)"' \
		-D_FORTIFY_SOURCE=2
# The pipeline is many small functions in many files. Tests are linked without, in less time.
LTO	     ?= $(if $(SANITIZE),,$(if $(findstring gcc,$(CC)),-flto=auto -ffat-lto-objects))
# gcc learns what runs often from runs of a program that counts, if it runs here: see "profile" below.
PGO	     ?= $(if $(LTO),$(if $(findstring -gcc,$(CC)),,yes))
CET	     := $(if $(filter x86_64%,$(shell $(CC) -dumpmachine)),-fcf-protection)
CFLAGS	     += -std=gnu11 $(OPTFLAGS) $(LTO) $(WARNINGS) $(if $(WERROR),-Werror) -fstack-protector-strong \
		-fstack-clash-protection $(CET) \
		-fPIC -fvisibility=hidden -pthread $(SANITIZE)
LDFLAGS	     += -pthread -Wl,-z,relro,-z,now $(SANITIZE)
PKG_CFLAGS   := $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
# libcurl is loaded by those who need it: src/fleet/libcurl.c
PKG_LIBS     := $(shell $(PKG_CONFIG) --libs $(filter-out libcurl,$(PACKAGES))) -lcsv -lm

STAGES	     := base input input/perf input/text decode symbols model rules stats store report diff output record fleet run api
LIB_SRC	     := $(sort $(wildcard $(STAGES:%=src/%/*.c))) $(B)/gen/schema.c $(B)/gen/html.c \
		$(B)/gen/diff_html.c $(B)/gen/formats.c $(B)/gen/fleet.c
LIB_OBJ	     := $(patsubst %.c,$(B)/%.o,$(patsubst $(B)/%,%,$(LIB_SRC)))
CLI_OBJ	     := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard src/cli/*.c))) $(B)/gen/examples.o
SQL	     := schemas/001-init.sql $(sort $(wildcard schemas/queries/*.sql))

all: $(B)/dmascope plugin shared

$(B)/libdmascope.a: $(LIB_OBJ)
	rm -f $@ && $(AR) rcs $@ $^

$(B)/dmascope: $(B)/src/main.o $(CLI_OBJ) $(B)/libdmascope.a
	$(CC) $(LDFLAGS) $(OPTFLAGS) $(LTO) -pie -o $@ $^ $(PKG_LIBS)

# The plugin of trace-cmd, KernelShark and perf: the host brings libtraceevent, so nothing links it.
HAS_TEP	     := $(shell $(PKG_CONFIG) --exists libtraceevent && echo yes)
PLUGIN	     := $(if $(HAS_TEP),$(B)/plugins/dmascope.so)
PLUGIN_OBJ   := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard plugins/*.c)))
PLUGIN_LIBS  := $(shell $(PKG_CONFIG) --libs $(filter-out libtracefs libcurl,$(PACKAGES))) -lcsv -lm
$(PLUGIN_OBJ): CPPFLAGS += $(shell $(PKG_CONFIG) --cflags-only-I libtraceevent | \
		sed 's,/traceevent *$$,,')

plugin: $(PLUGIN)
	@$(if $(HAS_TEP),:,echo "libtraceevent is not here: the plugin is not built" >&2)

$(B)/plugins/dmascope.so: $(PLUGIN_OBJ) $(B)/libdmascope.a plugins/dmascope.map
	$(CC) $(LDFLAGS) $(OPTFLAGS) $(LTO) -shared -Wl,--as-needed \
		-Wl,--version-script=plugins/dmascope.map -o $@ $(filter %.o %.a,$^) $(PLUGIN_LIBS)

# The shared library: what include/dmascope/dmascope.h declares, and nothing else.
SONAME	     := libdmascope.so.1
API_OBJ	     := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard src/api/*.c)))
shared: $(B)/$(SONAME)

$(B)/$(SONAME): $(API_OBJ) $(B)/libdmascope.a src/api/libdmascope.map
	$(CC) $(LDFLAGS) $(OPTFLAGS) $(LTO) -shared -Wl,--as-needed -Wl,-soname,$(SONAME) \
		-Wl,--version-script=src/api/libdmascope.map -o $@ $(filter %.o %.a,$^) $(PLUGIN_LIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) $(PROFILE) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) $(PROFILE) -MMD -MP -c -o $@ $<

# profile: the same sources, built to count; what they counted while they analyzed generated traces and
# fixtures lies beside those objects. Made once: what has changed since is compiled without.
# `make PGO=` does without all of it. The name by which gcc finds the counts is part of them: -dumpbase.
PROFILED     := $(LIB_OBJ) $(CLI_OBJ) $(B)/src/main.o
BY_NAME	      = -dumpbase $(1)/$(@:$(B)/%.o=%.c) -dumpbase-ext .c -MF $(@:.o=.d)
ifeq ($(PGO),yes)
$(PROFILED): PROFILE = -fprofile-use -fprofile-correction -fprofile-partial-training -Wno-missing-profile \
		-Wno-coverage-mismatch $(call BY_NAME,$(B)/profile)
$(PROFILED): | $(B)/profile/done
$(B)/profile/done:
	$(MAKE) B=$(B)/profile PGO=counts $(B)/profile/dmascope $(B)/profile/tools/tracegen
	bash scripts/train.sh $(B)/profile
	@touch $@
else ifeq ($(PGO),counts)
$(PROFILED): PROFILE = -fprofile-generate -fprofile-update=single $(call BY_NAME,$(B))
$(B)/dmascope: private LDFLAGS += -fprofile-generate
$(B)/dmascope: private LTO = -fno-lto
endif

$(B)/gen/schema.c: schemas/embed.sh $(SQL) schemas/002-views.sql
	@mkdir -p $(@D)
	sh schemas/embed.sh $(SQL) > $@.tmp && mv $@.tmp $@

# tables and queries of the fleet; cluster.sql is kept as it is made, to be read
FLEET_SQL    := $(sort $(wildcard schemas/clickhouse/*.sql schemas/clickhouse/*/*.sql))
$(B)/gen/fleet.c: schemas/clickhouse/embed.sh $(FLEET_SQL)
	@mkdir -p $(@D)
	sh schemas/clickhouse/embed.sh schemas/clickhouse > $@.tmp && mv $@.tmp $@
$(B)/gen/fleet.o: CPPFLAGS += -Isrc

# event formats for a perf.data that has none
FORMATS	     := $(sort $(wildcard schemas/formats/*/*/*.format))
$(B)/gen/formats.c: scripts/embed-formats.sh $(FORMATS)
	@mkdir -p $(@D)
	sh scripts/embed-formats.sh $(FORMATS) > $@.tmp && mv $@.tmp $@
$(B)/gen/formats.o: CPPFLAGS += -Isrc

# what `dmascope rules ID` shows: the scripts that rules are tested by
EXAMPLES     := $(sort $(wildcard tests/scripts/rules/*-fire.txt))
$(B)/gen/examples.c: scripts/embed-examples.sh $(EXAMPLES)
	@mkdir -p $(@D)
	sh scripts/embed-examples.sh $(EXAMPLES) > $@.tmp && mv $@.tmp $@
$(B)/gen/examples.o: CPPFLAGS += -I$(CURDIR)

# the page of `dmascope report --html`; Chart.js comes from Debian's libjs-chart.js, not from here
CHART_JS     ?= /usr/share/javascript/chart.js/chart.min.js
CHART_LICENCE ?= /usr/share/doc/libjs-chart.js/copyright
HTML	     := src/report/html/page.html src/report/html/report.css
HTML_SCRIPTS := $(addprefix src/report/html/,base.js tables.js charts.js lanes.js costs.js report.js)
$(B)/gen/html.c: scripts/embed-html.sh $(HTML) $(HTML_SCRIPTS) $(wildcard $(CHART_JS))
	@mkdir -p $(@D)
	sh scripts/embed-html.sh $(HTML) $(CHART_JS) $(CHART_LICENCE) $(HTML_SCRIPTS) > $@.tmp && \
		mv $@.tmp $@

# the page of `dmascope diff --format html`, of the report's parts and its own
DIFF_HTML_SCRIPTS := $(addprefix src/report/html/,base.js tables.js charts.js) src/diff/html/diff.js
$(B)/gen/diff_html.c: scripts/embed-html.sh src/diff/html/page.html src/diff/html/diff.css \
		src/report/html/report.css $(DIFF_HTML_SCRIPTS) $(wildcard $(CHART_JS))
	@mkdir -p $(@D)
	sh scripts/embed-html.sh -n diff_html -c src/diff/html/diff.css src/diff/html/page.html \
		src/report/html/report.css $(CHART_JS) $(CHART_LICENCE) $(DIFF_HTML_SCRIPTS) \
		> $@.tmp && mv $@.tmp $@

# ---- tests: one program for each tests/check_*.c, and the tools they use -----------------------
CHECKS	     := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/check_*.c)))
TRACEGEN     := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard tests/tools/tracegen*.c)))
TOOLS	     := $(if $(TRACEGEN),$(B)/tools/tracegen) \
		$(patsubst tests/tools/%.c,$(B)/tools/%,$(wildcard tests/tools/count_events.c))
# asked for only when tests are built: users need neither Check nor libtracecmd
TRACECMD      = $(shell $(PKG_CONFIG) --$(1) libtracecmd libtracefs)
CHECK	      = $(shell $(PKG_CONFIG) --$(1) check libtraceevent)

$(B)/tests/check_cli: $(CLI_OBJ)
$(B)/tests/check_model: $(B)/tests/lib/textsource.o
$(filter $(B)/tests/check_rule%,$(CHECKS)): $(B)/tests/lib/textsource.o $(B)/tests/lib/rulebench.o
$(B)/tests/check_seed: $(B)/tests/lib/textsource.o
$(filter $(B)/tests/check_store%,$(CHECKS)): $(B)/tests/lib/store_room.o
# fuzz targets in one program: each entry under its own name
FUZZ_ALL     := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
FUZZ_OBJ     := $(FUZZ_ALL:%=$(B)/tests/fuzz/fuzz_%.o)
$(FUZZ_OBJ): CPPFLAGS += -DLLVMFuzzerTestOneInput=$(notdir $*) \
		-DLLVMFuzzerCustomMutator=mutate_$(notdir $*)
$(B)/tests/check_corpus: $(FUZZ_OBJ)
$(CHECKS): $(B)/tests/%: $(B)/tests/%.o $(B)/libdmascope.a
	$(CC) $(LDFLAGS) -fno-lto -o $@ $(filter %.o,$^) $(B)/libdmascope.a $(PKG_LIBS) $(call CHECK,libs)

$(B)/tools/tracegen: $(TRACEGEN)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -fno-lto -o $@ $^ $(PKG_LIBS)

# not under sanitizers: libtracecmd leaks, and it is the oracle, not what is tested
$(B)/tools/count_events: override SANITIZE :=
$(B)/tools/count_events: $(B)/tests/tools/count_events.o
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -fno-lto -o $@ $^ $(call TRACECMD,libs) $(PKG_LIBS)

# for the bench alone: what analyze takes without its statistics
$(B)/tools/dmascope-nostats: $(B)/src/main.o $(CLI_OBJ) $(B)/tests/tools/stats_off.o \
		$(B)/libdmascope.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) $(OPTFLAGS) $(LTO) -pie -o $@ $^ $(PKG_LIBS)

# tracegen among the tools trains the program, also where no test is built
$(B)/tests/%.o: CPPFLAGS += -Isrc -DSRCDIR='"$(CURDIR)"' $(if $(findstring tests/tools/,$@),,$(call CHECK,cflags))
$(B)/tests/tools/count_events.o: CPPFLAGS += $(call TRACECMD,cflags)
.SECONDARY: $(CHECKS:%=%.o)

RUN_TESTS     = BUILD=$(abspath $(B)) SRCDIR=$(CURDIR) DMASCOPE=$(abspath $(B)/dmascope)

check: $(B)/dmascope $(CHECKS) $(TOOLS) $(B)/$(SONAME)
	$(RUN_TESTS) bash tests/run.sh $(TESTS)

ASAN_FLAGS   := -fsanitize=address,undefined -fno-sanitize-recover=undefined
check-asan:
	LSAN_OPTIONS=suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0 \
	$(MAKE) B=$(B)/asan SANITIZE="$(ASAN_FLAGS)" OPTFLAGS="-O1 -g -fno-omit-frame-pointer" check

bench: $(B)/dmascope $(TOOLS) $(B)/tools/dmascope-nostats
	$(RUN_TESTS) bash tests/tools/bench.sh

# the scaling curves of docs/performance.md: some minutes; the plot wants gnuplot
bench-report: $(B)/dmascope $(B)/tools/tracegen
	$(RUN_TESTS) bash scripts/bench-report.sh

# clang's libFuzzer; each target FUZZ_SECONDS: make fuzz FUZZ_SECONDS=600 FUZZ_TARGETS="perf text"
FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= $(FUZZ_ALL)
FUZZ_FLAGS   := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
fuzz: $(B)/dmascope $(B)/tools/tracegen
	$(MAKE) B=$(B)/fuzz CC=clang LTO= SANITIZE="$(FUZZ_FLAGS)" OPTFLAGS="-O1 -g" \
		$(FUZZ_TARGETS:%=$(B)/fuzz/fuzz_%)
	$(RUN_TESTS) FUZZ_SECONDS=$(FUZZ_SECONDS) bash tests/fuzz/run.sh $(FUZZ_TARGETS)
# the table of docs/reliability.md, of all runs in this build directory
fuzz-table:
	BUILD=$(B) bash tests/fuzz/table.sh

$(B)/fuzz_%: tests/fuzz/fuzz_%.c $(wildcard tests/fuzz/*.h) $(B)/libdmascope.a
	clang $(CPPFLAGS) -Isrc -DSRCDIR='"$(CURDIR)"' $(PKG_CFLAGS) -std=gnu11 -g -O1 -pthread \
		-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o $@ $< \
		$(B)/libdmascope.a $(PKG_LIBS)

# recordings changed in known ways, RELATIONS_SECONDS long: make relations RECORDINGS=../shared/traces
RELATIONS_SECONDS ?= 600
relations: $(B)/dmascope
	$(RUN_TESTS) RELATIONS_SECONDS=$(RELATIONS_SECONDS) RELATIONS_SEED=$$(date +%j) \
		RECORDINGS=$(RECORDINGS) bash tests/relations_test.sh

# on the kernel that runs, as root, and in guests; each skips what this machine cannot
systest: $(B)/dmascope
	$(RUN_TESTS) bash tests/system/run.sh $(TESTS)

# ClickHouse on loopback: FLEET_RUNS runs to two shards and a server killed; replicas by ZooKeeper;
# today's release by npm
fleettest: $(B)/dmascope $(B)/tools/tracegen
	$(RUN_TESTS) bash tests/system/fleettest.sh

lint:
	bash scripts/lint.sh

# gcc's and clang's analyzers and cppcheck over all sources: some minutes
static: $(B)/gen/schema.c
	BUILD=$(B) bash tests/tools/static.sh

# ---- installing ----------------------------------------------------------------------------
INSTALLED     = $(DESTDIR)$(PREFIX)
# what a program needs besides that links libdmascope.a
STATIC_LIBS   = $(strip $(shell $(PKG_CONFIG) --static --libs \
		$(filter-out libtracefs libcurl,$(PACKAGES))) -lcsv -lm)
LIBDIR	     ?= $(PREFIX)/lib
# where the library looks for plugins; another PREFIX has its own, as ~/.local does
PLUGINDIR    ?= $(if $(filter /usr /usr/local,$(PREFIX)),$(shell \
		$(PKG_CONFIG) --variable=libdir libtraceevent),$(PREFIX)/lib)/traceevent/plugins
ZSHDIR	     ?= share/zsh/site-functions
COMPLETIONS   = bash=share/bash-completion/completions/dmascope zsh=$(ZSHDIR)/_dmascope \
		fish=share/fish/vendor_completions.d/dmascope.fish
# who builds for another machine has one of the same version that runs here, or qemu's word before
NATIVE	     ?= $(B)/dmascope

install: all
	install -D -m 755 $(B)/dmascope $(INSTALLED)/bin/dmascope
	install -D -m 644 -t $(DESTDIR)$(LIBDIR) $(B)/libdmascope.a $(B)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libdmascope.so
	mkdir -p $(DESTDIR)$(LIBDIR)/pkgconfig
	sed -e 's,@prefix@,$(PREFIX),; s,@libdir@,$(LIBDIR),; s,@version@,$(VERSION),' \
		-e 's,@libs@,$(STATIC_LIBS),' \
		src/api/libdmascope.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/libdmascope.pc
	$(if $(HAS_TEP),install -D -m 644 -t $(DESTDIR)$(PLUGINDIR) $(PLUGIN))
	install -D -m 644 -t $(INSTALLED)/include/dmascope include/dmascope/dmascope.h
	for page in $(wildcard man/*.[1-8]); do \
		install -D -m 644 -t $(INSTALLED)/share/man/man$${page##*.} $$page || exit 1; done
	for script in $(COMPLETIONS); do \
		install -D -m 644 /dev/null $(INSTALLED)/$${script#*=} && \
		$(NATIVE) completion $${script%%=*} > $(INSTALLED)/$${script#*=} || exit 1; done

uninstall:
	rm -f $(INSTALLED)/bin/dmascope $(addprefix $(DESTDIR)$(LIBDIR)/,\
		libdmascope.a $(SONAME) libdmascope.so pkgconfig/libdmascope.pc) \
		$(DESTDIR)$(PLUGINDIR)/dmascope.so \
		$(foreach script,$(COMPLETIONS),$(INSTALLED)/$(lastword $(subst =, ,$(script))))
	rm -rf $(INSTALLED)/include/dmascope
	for page in $(notdir $(wildcard man/*.[1-8])); do \
		rm -f $(INSTALLED)/share/man/man$${page##*.}/$$page; done

# Debian packages, made of a copy in $(B)/deb; debtest installs them into a root made for that
deb:
	bash debian/build.sh $(B)/deb
debtest: deb
	$(RUN_TESTS) DMS_DEBS=$(abspath $(B)/deb) bash tests/deb_test.sh

clean:
	rm -rf $(B)

.PHONY: all plugin shared deb debtest clean check check-asan systest fleettest relations bench bench-report \
	fuzz fuzz-table lint static install uninstall
-include $(shell find $(B) -name '*.d' -type f 2>/dev/null)
