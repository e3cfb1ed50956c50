/* scripts/lint-floors on a small tree of two floors: quiet while it is in order, and what it says
 * of each fault. Run it from the root of the source tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char tree[64];

static void put(const char *path, const char *text)
{
    char name[128];
    snprintf(name, sizeof name, "%s/%s", tree, path);
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The upper floor calls the lower one, and both are in order. */
static int set_up(void **state)
{
    static const char *const folders[] = {
        "",         "fs",           "fs/low",        "fs/high",  "build",
        "build/fs", "build/fs/low", "build/fs/high", "fs/other", "build/fs/other",
        "fs/model"};
    (void)state;
    snprintf(tree, sizeof tree, "/tmp/floors-XXXXXX");
    if (!mkdtemp(tree))
        return -1;
    for (size_t i = 1; i < sizeof folders / sizeof *folders; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s", tree, folders[i]);
        if (mkdir(name, 0700) != 0)
            return -1;
    }
    put("fs/floors", "# The lowest first.\n"
                     "fs/low/                 the lower one\n"
                     "fs/high/ fs/other/      two that stand beside each other\n"
                     "owner seen fs/low/owner.c\n");
    put("fs/low/node.h", "struct part { int a, *b; };\n"
                         "struct node { struct part seen; };\n"
                         "void fs_low(struct node *node);\n");
    put("fs/low/node.c", "#include \"node.h\"\n"
                         "void fs_low(struct node *node) { (void)node; }\n");
    put("fs/low/owner.c", "#include \"node.h\"\n"
                          "void fs_owner(struct node *node) { node->seen.a = 1; }\n");
    put("fs/high/high.h", "#include \"low/node.h\"\n"
                          "void fs_high(struct node *node);\n"
                          "extern int fs_high_count;\n");
    put("fs/high/high.c", "#include \"high.h\"\n"
                          "int fs_high_count;\n"
                          "void fs_high(struct node *node)\n"
                          "{ if (node->seen.a == 2 && node->seen.a >= 1) fs_low(node); }\n");
    put("fs/other/other.c", "int fs_other(void) { return 1; }\n");
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r '%s'", tree);
    return system(command); // NOLINT(cert-env33-c): the path is our own
}

/* Compiles what has been written and runs the script: it must fail unless `words` is NULL, and
 * print exactly this line. */
static void expect(const char *words)
{
    static const char build[] = "cd '%s' && for c in fs/*/*.c; do ${CC:-cc} -w -Ifs -c -o "
                                "build/${c%%c}o $c || exit 3; done";
    char command[512], line[512], printed[2048] = "";
    snprintf(command, sizeof command, build, tree);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
    snprintf(command, sizeof command, "env -u BUILD scripts/lint-floors '%s' 2>&1", tree);
    FILE *output = popen(command, "r"); // NOLINT(cert-env33-c)
    assert_non_null(output);
    while (fgets(line, sizeof line, output))
        strncat(printed, line, sizeof printed - strlen(printed) - 1);
    int status = pclose(output);
    assert_string_equal(printed, words ? words : "");
    assert_true(words ? status != 0 : status == 0);
}

static void test_order(void **state)
{
    (void)state;
    expect(NULL);
}

static void test_upward_include(void **state)
{
    (void)state;
    put("fs/low/more.c", "#include \"high/high.h\"\n");
    expect("floors: fs/low/more.c: knows fs/high/high.h, which stands on no lower floor\n");
}

/* No header tells of it. */
static void test_upward_call(void **state)
{
    (void)state;
    put("fs/low/more.c", "void fs_high(void *);\n"
                         "void fs_more(void) { fs_high(0); }\n");
    expect("floors: fs/low/more.c: knows fs_high of fs/high/high.c, which stands on no lower "
           "floor\n");
    put("fs/low/more.c", "extern int fs_high_count;\n"
                         "int fs_more(void) { return fs_high_count; }\n");
    expect("floors: fs/low/more.c: knows fs_high_count of fs/high/high.c, which stands on no lower "
           "floor\n");
}

static void test_beside(void **state)
{
    (void)state;
    put("fs/other/other.c", "void fs_high(void *);\n"
                            "void fs_other(void) { fs_high(0); }\n");
    expect("floors: fs/other/other.c: knows fs_high of fs/high/high.c, which stands on no lower "
           "floor\n");
}

/* One includes the other, which calls it. */
static void test_circle(void **state)
{
    (void)state;
    put("fs/high/high.c", "#include \"high.h\"\n"
                          "int fs_high_count;\n"
                          "void fs_more(void);\n"
                          "void fs_high(struct node *node) { (void)node; fs_more(); }\n");
    put("fs/high/more.h", "#include \"high.h\"\n");
    put("fs/high/more.c", "void fs_more(void) {}\n");
    expect("floors: circle: fs/high/high.c -> fs/high/more.c (fs_more) -> fs/high/high.c "
           "(fs/high/high.h)\n");
}

static void test_circle_of_three(void **state)
{
    (void)state;
    put("fs/high/a.c", "void fs_b(void); void fs_a(void) { fs_b(); }\n");
    put("fs/high/b.c", "void fs_c(void); void fs_b(void) { fs_c(); }\n");
    put("fs/high/c.c", "void fs_a(void); void fs_c(void) { fs_a(); }\n");
    expect("floors: circle: fs/high/a.c -> fs/high/b.c (fs_b) -> fs/high/c.c (fs_c) -> "
           "fs/high/a.c (fs_a)\n");
}

static void test_owner(void **state)
{
    static const char *const changes[] = {
        "node->seen.a = 1",
        "node->seen.a += 1",
        "node->seen.a++",
        "--node->seen.a",
        "node->seen = (struct part){0}",
        "memset(&node->seen, 0, 8)",
        "node->seen.b[3] |= 1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char text[256], line[256];
        snprintf(text, sizeof text,
                 "#include \"low/node.h\"\n"
                 "#include <string.h>\n"
                 "void fs_more(struct node *node)\n{\n    %s;\n}\n",
                 changes[i]);
        snprintf(line, sizeof line,
                 "floors: fs/high/more.c:5:    %s;    (only fs/low/owner.c assigns to seen)\n",
                 changes[i]);
        put("fs/high/more.c", text);
        expect(line);
    }
}

static void test_part_without_owner(void **state)
{
    (void)state;
    put("fs/model/node.h", "struct fs_node {\n    int number;\n    struct fs_seen seen;\n"
                           "    struct fs_busy *busy;\n};\n"
                           "struct fs_busy {\n    struct fs_told told; /* words */\n};\n");
    expect("floors: fs/model/: stands on no floor\n"
           "floors: fs/model/node.h: the part told has no owner\n");
}

/* What cannot be told is a fault too. */
static void test_unknown(void **state)
{
    (void)state;
    put("fs/stray.c", "int fs_stray;\n");
    expect("floors: build/fs/stray.o is not built, so no calls of it were read\n"
           "floors: fs/: stands on no floor\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_order),       TEST(test_upward_include),
        TEST(test_upward_call), TEST(test_beside),
        TEST(test_circle),      TEST(test_circle_of_three),
        TEST(test_owner),       TEST(test_part_without_owner),
        TEST(test_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
