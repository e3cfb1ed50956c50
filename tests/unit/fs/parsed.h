/* Command lines that are accepted or refused. Who includes it defines PARSED_PROGRAM, the word in
 * front, and PARSED_BY, the function under test. */
#ifndef PARSED_H
#define PARSED_H

#include "fs/model/options.h"
#include "option.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LEN(array) (sizeof(array) / sizeof *(array))
#define ALWAYS "nosuid,nodev,noexec"

static struct fs_options options;
static char why[DS_OPTION_WHY_BYTES];

static int clear(void **state)
{
    (void)state;
    fs_options_clear(&options);
    return 0;
}

/* Parses the program's name and these arguments, up to NULL. */
static int parse_list(const char *first, va_list list)
{
    char *argv[16] = {(char[]){PARSED_PROGRAM}};
    int argc = 1;
    for (const char *arg = first; arg; arg = va_arg(list, const char *)) {
        assert_true(argc + 1 < (int)LEN(argv));
        argv[argc++] = (char *)(uintptr_t)arg;
    }
    fs_options_clear(&options);
    memset(why, 'x', sizeof why);
    return PARSED_BY(&options, argc, argv, why);
}

static void accept(const char *first, ...)
{
    va_list list;
    va_start(list, first);
    int err = parse_list(first, list);
    va_end(list);
    if (err)
        print_error("%s\n", why);
    assert_int_equal(err, 0);
}

static void refuse(const char *message, const char *first, ...)
{
    static const struct fs_options empty;
    va_list list;
    va_start(list, first);
    int err = parse_list(first, list);
    va_end(list);
    assert_int_equal(err, -EINVAL);
    assert_string_equal(why, message);
    assert_memory_equal(&options, &empty, sizeof empty);
}

#endif
