#include "operation.h"

#include "cleanup.h"
#include "tests/mount/peer.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOUNT_POINT "n"
#define WORDS_OUT "said.out"
#define WORDS_ERR "said.err"

static const char *path_of(const char *name)
{
    static char path[64];
    snprintf(path, sizeof path, "m/app/%s", name);
    return path;
}

static const char *other_of(const char *name)
{
    static char other[64];
    snprintf(other, sizeof other, "%s-moved", name);
    return other;
}

static void prepare_nothing(const char *name)
{
    (void)name;
}

static void prepare_key(const char *name)
{
    peer_set("app", name, "old");
}

static void forget_key(const char *name)
{
    if (!peer_lacks("app", name))
        peer_remove("app", name);
    if (!peer_lacks("app", other_of(name)))
        peer_remove("app", other_of(name));
}

static int stat_key(const char *name)
{
    struct stat status;
    if (stat(path_of(name), &status) != 0)
        return errno;
    return status.st_size == 3 ? 0 : TOLD_WRONG;
}

static int list(const char *name)
{
    DIR *directory = opendir("m/few");
    const struct dirent *entry;
    unsigned ones = 0, others = 0;
    (void)name;
    if (!directory)
        return errno;
    for (errno = 0; (entry = readdir(directory)); errno = 0) {
        ones += strcmp(entry->d_name, "one") == 0;
        others += entry->d_name[0] != '.' && strcmp(entry->d_name, "one") != 0;
    }
    int err = errno;
    closedir(directory);
    return err ? err : ones == 1 && others == 0 ? 0 : TOLD_WRONG;
}

static int read_key(const char *name)
{
    char text[64];
    ssize_t len = harness_read(path_of(name), text, sizeof text);
    return len < 0 ? (int)-len : strcmp(text, "old") != 0 ? TOLD_WRONG : 0;
}

static int replace(const char *name)
{
    return -harness_write(path_of(name), O_TRUNC, "new");
}

static int append(const char *name)
{
    return -harness_write(path_of(name), O_APPEND, "+1");
}

static int shorten(const char *name)
{
    return truncate(path_of(name), 1) == 0 ? 0 : errno;
}

static int create(const char *name)
{
    return -harness_write(path_of(name), O_CREAT | O_EXCL, "new");
}

static int unlink_key(const char *name)
{
    return unlink(path_of(name)) == 0 ? 0 : errno;
}

static int rename_key(const char *name)
{
    char to[96];
    snprintf(to, sizeof to, "m/app/%s", other_of(name));
    return rename(path_of(name), to) == 0 ? 0 : errno;
}

/* What stands in the key, of these two texts; NULL: no such key. */
static enum after look_at(const char *name, const char *old, const char *new)
{
    char *value DS_AUTO_FREE = peer_get("app", name);
    if (value ? old && strcmp(value, old) == 0 : !old)
        return AFTER_OLD;
    if (value ? new &&strcmp(value, new) == 0 : !new)
        return AFTER_NEW;
    return value ? AFTER_OTHER : AFTER_LOST;
}

static enum after look_replaced(const char *name)
{
    return look_at(name, "old", "new");
}

static enum after look_appended(const char *name)
{
    return peer_has("app", name, "old+1+1") ? AFTER_TWICE : look_at(name, "old", "old+1");
}

static enum after look_shortened(const char *name)
{
    return look_at(name, "old", "o");
}

static enum after look_created(const char *name)
{
    return look_at(name, NULL, "new");
}

static enum after look_unlinked(const char *name)
{
    return look_at(name, "old", NULL);
}

static enum after look_renamed(const char *name)
{
    enum after from = look_at(name, "old", NULL), to = look_at(other_of(name), NULL, "old");
    if (from == AFTER_OLD && to == AFTER_NEW)
        return AFTER_BOTH;
    if (from == to)
        return from;
    return from == AFTER_NEW && to == AFTER_OLD ? AFTER_LOST : AFTER_OTHER;
}

static bool exists(const char *dataset)
{
    struct ds_attributes attributes DS_CLEANUP(ds_attributes_clear) = {0};
    return peer_query(dataset, &attributes);
}

static void prepare_dataset(const char *name)
{
    peer_create(name, DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
}

static void forget_dataset(const char *name)
{
    if (exists(name))
        peer_destroy(name);
}

static int make_dataset(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "m/%s", name);
    return mkdir(path, 0700) == 0 ? 0 : errno;
}

static int remove_dataset(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "m/%s", name);
    return rmdir(path) == 0 ? 0 : errno;
}

static enum after look_made(const char *name)
{
    return exists(name) ? AFTER_NEW : AFTER_OLD;
}

static enum after look_removed(const char *name)
{
    return exists(name) ? AFTER_OLD : AFTER_NEW;
}

static int room(const char *name)
{
    struct statvfs status;
    (void)name;
    return statvfs("m", &status) == 0 ? 0 : errno;
}

/* Programs of their own. */

static void keep_words(void)
{
    int out = open(WORDS_OUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int err = open(WORDS_ERR, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0 || err < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(TOLD_NO_LINE);
}

static int mount_another(const char *name)
{
    (void)name;
    keep_words();
    enum way way = way_of_run();
    execl(harness_binary(), "datasetfs", way_source(way), MOUNT_POINT, "-o", way_options(way),
          (char *)NULL);
    return TOLD_NO_LINE;
}

static int get_key(const char *name)
{
    keep_words();
    enum way way = way_of_run();
    execl(harness_binary(), "datasetfs", "get", "-o", way_options(way), way_source(way), "app",
          name, (char *)NULL);
    return TOLD_NO_LINE;
}

/* One line, and perhaps another one that says that the session could not be ended either. */
static bool says_why(const char *path)
{
    static const char begin[] = "datasetfs: ",
                      other[] = "datasetfs: the session could not be ended";
    char text[2048];
    ssize_t len = harness_read(path, text, sizeof text);
    const char *end = len > 0 ? strchr(text, '\n') : NULL;
    if (!end || strncmp(text, begin, strlen(begin)) != 0)
        return false;
    return end[1] == '\0' ||
           (strncmp(end + 1, other, strlen(other)) == 0 && !strchr(end + 1, '\n')[1]);
}

/* What a program says that was refused: that it was not in time, or anything else. */
static int read_refusal(void)
{
    char text[2048] = "";
    if (!says_why(WORDS_ERR)) {
        harness_print_file(WORDS_ERR);
        return TOLD_NO_LINE;
    }
    harness_read(WORDS_ERR, text, sizeof text);
    return strstr(text, "within the time limit") ? ETIMEDOUT : TOLD_REFUSED;
}

/* The daemon of MOUNT_POINT, which has become a child of ours as that of "m" is. */
static pid_t find_daemon(void)
{
    pid_t pids[2];
    char root[PATH_MAX], path[64];
    assert_int_equal(harness_children("datasetfs", pids, 2), 2);
    snprintf(path, sizeof path, "/proc/%d/cwd", (int)pids[0]);
    ssize_t len = readlink(path, root, sizeof root);
    return len == 1 ? pids[0] : pids[1]; /* in the background it goes to / */
}

/* Reaps what a mount in the background has left to us, until the daemon of "m" is alone. */
static void reap_others(void)
{
    assert_soon(waitpid(-1, NULL, WNOHANG) <= 0 && harness_children("datasetfs", NULL, 0) == 1);
}

/* Ends the mount that is there if all went well. */
static int read_mounting(int status)
{
    if (status != 0) {
        reap_others();
        return read_refusal();
    }
    if (!harness_mounted(MOUNT_POINT, NULL, 0))
        return TOLD_WRONG;
    pid_t daemon = find_daemon();
    assert_ok(umount2(MOUNT_POINT, 0));
    int ended = harness_wait_child(daemon, HARNESS_SOON_MS, false);
    reap_others();
    return ended == 0 ? 0 : TOLD_WRONG;
}

static int read_getting(int status)
{
    char text[64];
    if (status != 0)
        return read_refusal();
    return harness_read(WORDS_OUT, text, sizeof text) == 3 && strcmp(text, "old") == 0 ? 0
                                                                                       : TOLD_WRONG;
}

static void prepare_mount(const char *name)
{
    (void)name;
    if (mkdir(MOUNT_POINT, 0700) != 0)
        assert_int_equal(errno, EEXIST);
}

#define COMMANDS(tools, rest, machines)                                                            \
    {                                                                                              \
        [WAY_TOOLS] = "datasets-" tools, [WAY_REST] = "rest-" rest,                                \
        [WAY_MACHINES] = "rest-" machines                                                          \
    }
#define SAME_COMMANDS(tools, rest) COMMANDS(tools, rest, rest)
#define ON_KEY .ways = IN_ALL, .prepare = prepare_key, .forget = forget_key

const struct operation operations[] = {
    {.name = "mount",
     .ways = IN_ALL,
     .command = COMMANDS("list", "list", "vms"),
     .prepare = prepare_mount,
     .run = mount_another,
     .read_words = read_mounting,
     .forget = prepare_nothing},
    {"stat", ON_KEY, .command = SAME_COMMANDS("get-entry", "get"), .run = stat_key},
    {.name = "ls",
     .ways = IN_ALL,
     .command = SAME_COMMANDS("list-keys", "list-keys"),
     .prepare = prepare_nothing,
     .run = list,
     .forget = prepare_nothing},
    {"read", ON_KEY, .command = SAME_COMMANDS("get-entry", "get"), .run = read_key},
    {"write", ON_KEY, .command = SAME_COMMANDS("set-entry", "set"), .run = replace,
     .look = look_replaced},
    {"append", ON_KEY, .command = SAME_COMMANDS("set-entry", "set"), .run = append,
     .look = look_appended},
    {"truncate", ON_KEY, .command = SAME_COMMANDS("set-entry", "set"), .run = shorten,
     .look = look_shortened},
    {.name = "create",
     .ways = IN_ALL,
     .command = SAME_COMMANDS("set-entry", "set"),
     .prepare = prepare_nothing,
     .run = create,
     .look = look_created,
     .forget = forget_key},
    {"unlink", ON_KEY, .command = SAME_COMMANDS("delete-entry", "remove"), .run = unlink_key,
     .look = look_unlinked},
    {"rename", ON_KEY, .command = SAME_COMMANDS("set-entry", "set"),
     .second = SAME_COMMANDS("delete-entry", "remove"), .run = rename_key, .look = look_renamed},
    {.name = "mkdir",
     .ways = IN_LOCAL | IN_REST,
     .command = SAME_COMMANDS("list", "create"),
     .prepare = prepare_nothing,
     .run = make_dataset,
     .look = look_made,
     .forget = forget_dataset},
    {.name = "rmdir",
     .ways = IN_LOCAL | IN_REST,
     .command = SAME_COMMANDS("list", "destroy"),
     .prepare = prepare_dataset,
     .run = remove_dataset,
     .look = look_removed,
     .forget = forget_dataset},
    {.name = "statfs",
     .ways = IN_ALL,
     .prepare = prepare_nothing,
     .run = room,
     .forget = prepare_nothing,
     .asks_nothing = true},
    {"`get`", .ways = IN_LOCAL | IN_TOOLS | IN(WAY_REST),
     .command = SAME_COMMANDS("get-entry", "get"), .prepare = prepare_key, .run = get_key,
     .read_words = read_getting, .forget = forget_key},
};

const size_t operation_count = sizeof operations / sizeof *operations;
