/* What somebody typed as SOURCE, whatever kind it is, with options that may not suit it. */
#include "fuzz.h"

#include "confine.h"
#include "inventory.h"
#include "utf8.h"

#include <errno.h>

/* Letters of the first line. */
static struct ds_source_options read_options(const char *line, struct ds_machine_filter *filter)
{
    struct ds_source_options options = {0};
    static char text[] = "x";
    static char *texts[] = {text};
    for (; *line; line++) {
        options.side_given = options.side_given || *line == 's';
        options.insecure = options.insecure || *line == 'i';
        options.rate_given = options.rate_given || *line == 'r';
        options.credentials = *line == 'c' ? text : options.credentials;
        options.cacert = *line == 'a' ? text : options.cacert;
        options.pin = *line == 'p' ? text : options.pin;
        options.machines = *line == 'm' || *line == 'f' ? filter : options.machines;
        if (*line == 'f')
            filter->folders = (struct ds_names){.names = texts, .count = 1};
    }
    return options;
}

/* In one line, without what could be a password. */
static void require_refusal(const char *why, const char *source)
{
    const char *at = strrchr(source, '@');
    const char *colon = at ? memrchr(source, ':', (size_t)(at - source)) : NULL;
    char *password = colon ? strndup(colon + 1, (size_t)(at - colon - 1)) : NULL;
    require(*why && strlen(why) < DS_WHY_BYTES && !strchr(why, '\n'));
    require(ds_utf8_valid(why, strlen(why)));
    /* A shorter one is a part of any message. */
    require(!password || strlen(password) < 24 || !strstr(why, password));
    free(password);
}

/* Where a name of a file stands it is absolute afterwards, and all else as it was. */
static void make_absolute(const char *source, const struct ds_source_options *options)
{
    char *absolute = NULL;
    char *again = NULL;
    char why[DS_WHY_BYTES];
    require(!ds_source_absolute(source, &absolute));
    require(!ds_source_absolute(absolute, &again) && !strcmp(again, absolute));
    require(strchr(source, ':') ? !strncmp(absolute, source, strcspn(source, ":") + 1)
                                : !strcmp(absolute, source));
    require(!ds_source_check(absolute, options, why));
    free(absolute);
    free(again);
}

/* Asks for the right to files that it names, absolute, and to no others but those of credentials.
 */
static void prepare(const char *source, const struct ds_source_options *options)
{
    struct ds_confine confine = {.count = 0};
    char *absolute = NULL;
    require(!ds_source_absolute(source, &absolute));
    int err = ds_source_prepare(absolute, options, &confine);
    require(!err);
    for (size_t i = 0; i < confine.count; i++)
        require(*confine.places[i].path == '/');
    require(!strncmp(source, "local:", 6) == (confine.store != NULL));
    require(!confine.store || !strcmp(confine.store, absolute + 6));
    ds_confine_clear(&confine);
    free(absolute);
}

/* Letters for options, and on the next line SOURCE. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_text(data, size);
    char *source = strchr(text, '\n');
    struct ds_machine_filter filter = {.powers = 0};
    char why[DS_WHY_BYTES] = "";
    if (source) {
        *source++ = '\0';
        struct ds_source_options options = read_options(text, &filter);
        int err = ds_source_check(source, &options, why);
        require(!err || err == -EINVAL);
        if (err)
            require_refusal(why, source);
        else
            make_absolute(source, &options);
        memset(why, 0, sizeof why);
        int inventory_err = ds_inventory_check(source, &options, why);
        require(!inventory_err || inventory_err == -EINVAL);
        if (inventory_err)
            require_refusal(why, source);
        /* Others change this process, or start one. */
        if ((!err || !inventory_err) &&
            (!strncmp(source, "local:", 6) || !strncmp(source, "tools:unix=", 11)))
            prepare(source, &options);
        require(!inventory_err || err || !ds_inventory_is(source) || options.machines);
        require(*ds_source_libraries());
    }
    free(text);
    return 0;
}
