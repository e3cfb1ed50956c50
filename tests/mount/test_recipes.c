/* The working mounts and the use cases in the README, run as they stand there: the two mounts are
 * where it says, and `datasetfs` finds the machine's store wherever its SOURCE leads. */
#include "harness.h"

#include "peer.h"
#include "shell.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char readme[PATH_MAX];
static char *section; /* of the README, owned */

/* Where the README has them, in this program's own mount namespace. */
static void bind(const char *from, const char *above, const char *point)
{
    assert_ok(mount("tmpfs", above, "tmpfs", 0, NULL));
    assert_ok(mkdir(point, 0755));
    assert_ok(mount(from, point, NULL, MS_BIND, NULL));
}

static int end_places(void **state)
{
    umount2("/run", MNT_DETACH);
    umount2("/mnt", MNT_DETACH);
    return harness_teardown(state);
}

/* Files that the README takes for there, and a `datasetfs` that knows its machines. */
static void make_files(void)
{
    assert_sh_ok("dash", "",
                 "mkdir bin conf; echo 'interval = 60' >agent.conf; echo 'echo hooked' >hook.sh; "
                 "printf '\\211PNG\\0\\377' >logo.png; echo 'nofile = 4096' >conf/limits.conf; "
                 "cat >bin/datasetfs <<'END'\n"
                 "#!/bin/sh\n"
                 "case $1 in\n"
                 "tools) exec $DATASETFS local:s.db \"$2\" -o side=guest ;;\n"
                 "https://vcenter.example.com) exec $DATASETFS local:./ \"$2\" ;;\n"
                 "https:*) exec $DATASETFS \"local:${1##*/}.db\" \"$2\" ;;\n"
                 "local:*) exec $DATASETFS \"$@\" ;;\n"
                 "esac\n"
                 "verb=$1 side=host\nshift\n"
                 "for word; do\n"
                 "    case $word in\n"
                 "    tools) side=guest word=local:s.db ;;\n"
                 "    https:*) word=local:s.db ;;\n"
                 "    esac\n"
                 "    set -- \"$@\" \"$word\"\n    shift\n"
                 "done\n"
                 "exec $DATASETFS $verb -o side=$side \"$@\"\n"
                 "END\nchmod +x bin/datasetfs");
}

static void start(void)
{
    static const char *const datasets[] = {"app", "status", "facts", "seed"};
    for (size_t i = 0; i < sizeof datasets / sizeof *datasets; i++)
        peer_create(datasets[i], DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    make_files();
    harness_start("h", NULL);
    harness_start("g", "side=guest");
    bind("h", "/mnt", "/mnt/web-01");
    bind("g", "/run", "/run/datasets");
}

/* The lines of code that follow `title`, without their indentation, in a file; the words behind
 * "    # " are what they print, in another. */
static void extract(const char *title)
{
    const char *at = strstr(section, title);
    assert_non_null(at);
    FILE *code = fopen("code", "w");
    FILE *out = fopen("expected", "w");
    assert_true(code && out);
    at = strstr(at, "\n\n    ") + 1;
    for (at++; strncmp(at, "    ", 4) == 0 || strncmp(at, "\n    ", 5) == 0;
         at += strcspn(at, "\n") + 1) {
        if (*at == '\n')
            continue;
        int len = (int)strcspn(at, "\n");
        char *line = strndup(at + 4, (size_t)len - 4);
        char *comment = strstr(line, "    # ");
        if (comment)
            fprintf(out, "%s\n", comment + 6);
        fprintf(code, "%s\n", line);
        free(line);
    }
    assert_int_equal(fclose(code), 0);
    assert_int_equal(fclose(out), 0);
}

static const struct recipe {
    const char *title;
    const char *needs; /* a program; NULL: none */
    const char *check; /* what holds afterwards */
} recipes[] = {
    {"**How far a machine's setup is.**", NULL, "grep -q done /run/datasets/status/setup"},
    {"**An agent's configuration.**", NULL, "cmp agent.conf /run/agent.conf"},
    {"**An inventory of packages,**", "dpkg-query", "test -s /mnt/web-01/status/packages"},
    {"**Ansible: facts that the host gives.**", "ansible", "true"},
    {"**Puppet: external facts.**", "facter", "true"},
    {"**cloud-init: a seed for NoCloud.**", "cloud-init",
     "/usr/bin/python3 -c 'from cloudinit import util; "
     "seed = util.read_seeded(\"/run/datasets/seed/\"); "
     "assert seed[0] == {\"instance-id\": \"web-01\"}, seed; assert b\"hostname\" in seed[1], "
     "seed'"},
    {"**Scripts**", NULL, "true"},
    {"**A backup,**", NULL, "test -s web-01.json"},
    {"**What is no text**", NULL, "true"},
    {"**A folder of settings.**", "rsync", "cmp conf/limits.conf /run/datasets/app/limits.conf"},
};

/* The lines print what the README says, and then `check` holds. */
static void run(const char *title, const char *check)
{
    extract(title);
    const struct shell_result *ran = shell_run(
        "dash",
        "PATH=$PWD/bin:$PATH HOME=$PWD PASSWORD=p LC_ALL=C.UTF-8 sh -e code >out 2>err && "
        "echo >>out && %s && grep . expected >e; grep . out >o; cmp e o || cmp expected out",
        check);
    if (ran->status) {
        harness_print_file("code");
        harness_print_file("out");
        harness_print_file("err");
        fail_msg("%s: %s", title, ran->err);
    }
}

static void test_recipe(void **state)
{
    const struct recipe *recipe = *state;
    if (recipe->needs && shell_run("dash", "command -v %s", recipe->needs)->status)
        skip();
    start();
    run(recipe->title, recipe->check);
}

/* Daemons in the background, whose mounts are gone, are ours to reap. */
static void reap(unsigned count)
{
    while (count-- > 0) {
        int status = 0;
        assert_soon(waitpid(-1, &status, WNOHANG) > 0);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static void test_laptop(void **state)
{
    (void)state;
    make_files();
    run("### On a laptop", "! test -e store.db");
    reap(2);
}

static void test_guest(void **state)
{
    (void)state;
    make_files();
    peer_create("app", DS_ACCESS_READ_WRITE, DS_ACCESS_READ_WRITE);
    assert_ok(mount("tmpfs", "/run", "tmpfs", 0, NULL));
    run("### In a virtual machine", "umount /run/datasets && grep -qx app out && "
                                    "echo app >expected");
    reap(1);
}

static void test_many_machines(void **state)
{
    (void)state;
    make_files();
    assert_ok(mount("tmpfs", "/mnt", "tmpfs", 0, NULL));
    run("### For many machines", "cmp /mnt/web-01/app/greeting /mnt/web-02/app/greeting && "
                                 "umount /mnt/web-01 /mnt/web-02 /mnt/vc");
    assert_content(".vcenter", "username=ansible@vsphere.local\npassword=p\n");
    reap(3);
}

/* No recipe stands in the README that is not run here. */
static void test_all(void **state)
{
    (void)state;
    size_t count = 0;
    for (const char *at = strstr(section, "\n## From the field"); (at = strstr(at, "\n**")); at++)
        count++;
    assert_int_equal(count, sizeof recipes / sizeof *recipes);
}

static void read_section(void)
{
    FILE *file = fopen(readme, "re");
    size_t size = 0;
    if (!file || getdelim(&section, &size, '\0', file) < 0)
        abort();
    fclose(file);
    char *begin = strstr(section, "\n## A working mount\n");
    char *field = begin ? strstr(begin, "\n## From the field\n") : NULL;
    char *end = field ? strstr(field + 1, "\n## ") : NULL;
    if (!end)
        abort();
    *end = '\0';
    memmove(section, begin, strlen(begin) + 1);
}

int main(void)
{
    enum { COUNT = sizeof recipes / sizeof *recipes };
    struct CMUnitTest tests[4 + COUNT] = {
        cmocka_unit_test(test_all),
        {"test_laptop", test_laptop, harness_setup, end_places, NULL},
        {"test_guest", test_guest, harness_setup, end_places, NULL},
        {"test_many_machines", test_many_machines, harness_setup, end_places, NULL},
    };
    if (!realpath("README.md", readme)) { /* run from the root of the tree */
        fprintf(stderr, "README.md: %s\n", strerror(errno));
        return 1;
    }
    read_section();
    for (size_t i = 0; i < COUNT; i++)
        tests[4 + i] = (struct CMUnitTest){recipes[i].title, test_recipe, harness_setup, end_places,
                                           (void *)&recipes[i]};
    harness_begin();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    harness_end();
    free(section);
    return failed > 0;
}
