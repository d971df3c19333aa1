# SPDX-License-Identifier: GPL-2.0-only
# Conventional targets: all check bench fuzz lint install uninstall clean. Everything built is in $(B).
B	     ?= build
PREFIX	     ?= /usr/local
CC	     ?= gcc
PKG_CONFIG   ?= pkg-config
PACKAGES     := libtraceevent sqlite3 jansson libzstd zlib libxxhash
VERSION	     := $(shell cat VERSION)

OPTFLAGS     ?= -O2 -g
WARNINGS     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
		-Wpointer-arith -Wformat=2 -Wno-format-nonliteral
CPPFLAGS     += -Iinclude -I$(B)/gen -D_GNU_SOURCE -DDMS_VERSION='"$(VERSION)"' \
		-D_FORTIFY_SOURCE=2
CFLAGS	     += -std=gnu11 $(OPTFLAGS) $(WARNINGS) $(if $(WERROR),-Werror) -fstack-protector-strong \
		-fPIC -fvisibility=hidden -pthread $(SANITIZE)
LDFLAGS	     += -pthread -Wl,-z,relro,-z,now $(SANITIZE)
PKG_CFLAGS   := $(shell $(PKG_CONFIG) --cflags $(PACKAGES))
PKG_LIBS     := $(shell $(PKG_CONFIG) --libs $(PACKAGES)) -lcsv

STAGES	     := base input decode symbols model rules stats store report
LIB_SRC	     := $(sort $(wildcard $(STAGES:%=src/%/*.c))) $(B)/gen/schema.c
LIB_OBJ	     := $(patsubst %.c,$(B)/%.o,$(patsubst $(B)/%,%,$(LIB_SRC)))
CLI_OBJ	     := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard src/cli/*.c)))
SQL	     := schemas/001-init.sql $(sort $(wildcard schemas/queries/*.sql))

all: $(B)/dmascope

$(B)/libdmascope.a: $(LIB_OBJ)
	rm -f $@ && $(AR) rcs $@ $^

$(B)/dmascope: $(B)/src/main.o $(CLI_OBJ) $(B)/libdmascope.a
	$(CC) $(LDFLAGS) -pie -o $@ $^ $(PKG_LIBS)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(PKG_CFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/gen/schema.c: schemas/embed.sh $(SQL)
	@mkdir -p $(@D)
	sh schemas/embed.sh $(SQL) > $@.tmp && mv $@.tmp $@

clean:
	rm -rf $(B)

.PHONY: all clean check check-asan bench fuzz lint install uninstall
-include $(shell find $(B) -name '*.d' 2>/dev/null)
