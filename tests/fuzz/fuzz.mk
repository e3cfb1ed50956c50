# What each fuzzer of tests/fuzz is compiled with, so that the fuzzer sees which way it takes there: the files of the
# decoder, whose lines tests/fuzz/coverage counts; and along with these what is no decoder.
FUZZED_attributes := client/base/attributes_json.c
FUZZED_credentials := $(addprefix client/rest/,credentials.c login_file.c netrc.c)
FUZZED_document := $(addprefix client/command/,document.c import_plan.c input.c set_many.c shown.c)
FUZZED_files := $(addprefix fs/control/,control.c info.c snapshot.c xattr.c) $(addprefix fs/text/,commit.c held_back.c image.c)
FUZZ_ALONG_files := $(wildcard fs/file/*.c)
FUZZED_held  := fs/text/held_back.c fs/text/image.c
FUZZED_image := fs/text/image.c client/base/utf8.c
FUZZED_inventory := $(addprefix client/rest/,by_folder.c fetch.c json.c listing.c parts.c scope.c vm_name.c)
FUZZ_ALONG_inventory := client/rest/server.c client/checked/inventory.c
FUZZED_json  := $(addprefix client/tools/,error.c json.c reply.c wire.c) $(addprefix client/base/,json_load.c json_text.c)
FUZZED_names := $(addprefix client/base/,file_name.c machine_name.c sha256.c text.c utf8.c) fs/text/scratch_name.c
FUZZED_netrc := client/rest/netrc.c
FUZZED_options := client/command/arguments.c \
                  $(addprefix fs/,command_line.c mount_helper.c option_kernel.c option_own.c) \
                  $(addprefix client/base/,machine_options.c option.c store_options.c)
FUZZED_rest  := $(addprefix client/rest/,error.c json.c reply.c vm_name.c) $(addprefix client/base/,json_load.c json_text.c machines.c)
FUZZED_source := client/source.c client/local/local.c client/rest/url.c client/base/path.c
FUZZED_store := $(addprefix client/local/,entry.c local.c ops.c schema.c store.c)
FUZZED_url   := $(addprefix client/rest/,url.c vm_name.c)
FUZZED_wire  := client/tools/wire.c
# What nearly all of them share.
FUZZED_BASE  := $(addprefix client/base/,attributes_json.c buf.c call.c dataset.c json_load.c json_text.c text.c \
                                           utf8.c)

FUZZ_SRC     := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ         := $(FUZZ_SRC:%.c=$(BUILD)/%)
FUZZ_NAMES   := $(FUZZ_SRC:tests/fuzz/fuzz_%.c=%)
FUZZ_SECONDS := 60
# What some of them share of their own.
FUZZ_SHARED  := $(BUILD)/tests/fuzz/libshared.a
FUZZ_SHARED_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out $(FUZZ_SRC) tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
FUZZ_SANITIZED := -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
FUZZ_COUNTED := -O1 -g -fsanitize=fuzzer -fprofile-instr-generate -fcoverage-mapping

$(FUZZ_SHARED): $(FUZZ_SHARED_OBJ)
	rm -f $@ && $(AR) rcs $@ $^

# Each replays its corpus.
$(FUZZ): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/tests/fuzz/replay.o $(FUZZ_SHARED) $(LIB)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) $(TEST_LIBS)

FUZZ_CC = clang $(ALL_CPPFLAGS) -U_FORTIFY_SOURCE -std=c11 $(WARN) -pthread $(1) -o $@ \
          $< $(sort $(FUZZED_$*) $(FUZZ_ALONG_$*) $(FUZZED_BASE)) $(FUZZ_SHARED) $(LIB) $(LIBS)
FUZZ_NEEDS := $(wildcard client/*/*.[ch] client/*.[ch] fs/*/*.[ch] fs/*.[ch] include/*.h tests/fuzz/*.h) \
              $(FUZZ_SHARED) $(LIB) tests/fuzz/fuzz.mk Makefile

$(BUILD)/tests/fuzz/fuzz_%.libfuzzer: tests/fuzz/fuzz_%.c $(FUZZ_NEEDS)
	@mkdir -p $(@D)
	$(call FUZZ_CC,$(FUZZ_SANITIZED))

$(BUILD)/tests/fuzz/fuzz_%.counted: tests/fuzz/fuzz_%.c $(FUZZ_NEEDS)
	@mkdir -p $(@D)
	$(call FUZZ_CC,$(FUZZ_COUNTED))

FUZZ_COMMA := ,
FUZZ_EMPTY :=
# NAME=FILE,FILE…
FUZZ_DECODERS = $(foreach name,$(FUZZ_NAMES),$(name)=$(subst $(FUZZ_EMPTY) ,$(FUZZ_COMMA),$(strip $(FUZZED_$(name)))))
