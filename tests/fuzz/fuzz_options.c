/* Command lines, also those that mount(8) makes of a line of fstab. */
#include "fuzz.h"

#include "client/command/arguments.h"
#include "fs/command_line.h"
#include "fs/mount_helper.h"
#include "option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 16 };

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && !strcmp(text + len - end_len, end);
}

static void parse(int (*read)(struct fs_options *, int, char *const *, char *), int count,
                  char *const words[])
{
    struct fs_options options;
    char why[DS_OPTION_WHY_BYTES] = "";
    int err = read(&options, count, words, why);
    require(!err || err == -EINVAL);
    if (err) {
        require(*why && strlen(why) < sizeof why && !strchr(why, '\n'));
        require(!options.source && !options.mountpoint && !options.kernel_options);
        require(!options.scratch && !options.name_space);
        return;
    }
    if (!options.help && !options.version) {
        require(options.source && *options.source && options.mountpoint && *options.mountpoint);
        /* Whatever was asked for: the other side must not hand root a program. */
        require(ends_with(options.kernel_options, "nosuid,nodev,noexec"));
        require(options.max_threads >= 2 && options.umask <= 0777);
        /* One key's hash, as libcurl reads it. */
        require(!options.store.pin ||
                (!strncmp(options.store.pin, "sha256//", 8) && strlen(options.store.pin) == 52));
    }
    fs_options_clear(&options);
}

static enum ds_status run_nothing(struct ds_session *session)
{
    (void)session;
    return DS_STATUS_OK;
}

/* As those of commands. */
static void parse_command(int count, char *const words[])
{
    static const struct ds_verb verbs[] = {
        {.name = "get", .usage = "SOURCE KEY", .least = 1, .most = 2, .run = run_nothing},
        {.name = "set",
         .usage = "SOURCE KEY VALUE",
         .takes = "json null force replace dry-run exists gone equals not-equals write timeout "
                  "interval",
         .least = 0,
         .most = DS_WORDS_ANY,
         .value_last = true,
         .changes = true,
         .machines = true,
         .run = run_nothing},
    };
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        struct ds_arguments arguments = {.verb = NULL};
        char why[DS_OPTION_WHY_BYTES] = "";
        int err = ds_arguments_parse(&arguments, &verbs[i], count, words, why);
        require(!err || err == -EINVAL);
        require(!err || (*why && !strchr(why, '\n')));
        require(err || arguments.help || arguments.source);
        ds_arguments_clear(&arguments);
    }
}

/* A word on each line; the first one may be that of -o alone. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *words[WORDS_MAX + 1] = {(char[]){"datasetfs"}};
    char *list[] = {words[0], (char[]){"local:s.db"}, (char[]){"m"}, (char[]){"-o"}, NULL, NULL};
    char *text = copy_text(data, size);
    char *rest = text;
    int count = 1;
    while (rest && count < WORDS_MAX)
        words[count++] = strsep(&rest, "\n");
    parse(fs_command_line_parse, count, words);
    parse(fs_command_line_parse_sloppy, count, words);
    parse(fs_mount_helper_parse, count, words);
    parse_command(count, words);
    list[4] = text;
    parse(fs_command_line_parse, 5, list);
    parse(fs_mount_helper_parse, 5, list);
    free(text);
    return 0;
}
