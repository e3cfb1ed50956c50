/* Names that others chose, as files, and names of files that programs look up, back. */
#include "fuzz.h"

#include "file_name.h"
#include "fs/text/scratch_name.h"
#include "machine_name.h"
#include "text.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static bool is_text(const char *text)
{
    return ds_utf8_valid(text, strlen(text));
}

/* Anything else would break the listing that it stands in. */
static void require_file_name(const char *name)
{
    size_t len = strlen(name);
    require(len >= 1 && len <= DS_FILE_NAME_MAX_BYTES);
    require(!strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

/* The key's name means the key, if it means one at all. */
static void name_key(enum ds_file_name_place place, const char *key)
{
    char name[DS_FILE_NAME_MAX_BYTES + 1];
    char *again = NULL;
    ds_file_name_encode(place, key, name);
    require_file_name(name);
    if (!is_text(key))
        return;
    require(is_text(name));
    require(ds_file_name_is_shortened(name) == ds_file_name_needs_shortening(place, key));
    int err = ds_file_name_decode(place, name, &again);
    require(err == (ds_file_name_is_shortened(name) ? -EINVAL : 0));
    require(err || !strcmp(again, key));
    free(again);
    ds_file_name_shorten(key, name);
    require_file_name(name);
    require(is_text(name));
    require(ds_file_name_is_shortened(name) || !ds_file_name_needs_shortening(place, key));
}

/* What has a key is that key's one name. */
static void read_name(enum ds_file_name_place place, const char *name)
{
    char again[DS_FILE_NAME_MAX_BYTES + 1];
    char *key = NULL;
    int err = ds_file_name_decode(place, name, &key);
    require(!err || err == -EINVAL || err == -EILSEQ || err == -ENAMETOOLONG);
    if (err) {
        require(!key);
        return;
    }
    ds_file_name_encode(place, key, again);
    require(!strcmp(again, name));
    free(key);
}

static void name_machine(const char *name, const char *id)
{
    int last = ds_machine_name_is_id(id);
    for (int ambiguous = 0; ambiguous <= last; ambiguous++) {
        char file_name[DS_FILE_NAME_MAX_BYTES + 1];
        ds_machine_name_encode(name, id, ambiguous, file_name);
        require_file_name(file_name);
        require(is_text(file_name) || !is_text(name) || !is_text(id));
    }
}

static void read_machine(const char *text)
{
    struct ds_machine_name found = {0};
    char again[DS_FILE_NAME_MAX_BYTES + 1];
    int err = ds_machine_name_decode(text, &found);
    require(!err || err == -EINVAL || err == -EILSEQ || err == -ENAMETOOLONG);
    require(err ? !found.name && !found.id : found.name || found.id);
    if (!err && found.name) {
        ds_machine_name_encode(found.name, found.id ? found.id : "vm-1", found.id != NULL, again);
        require(!strcmp(again, text));
    }
    require(err || found.name || ds_machine_name_is_id(text));
    ds_machine_name_clear(&found);
}

/* As people are shown it: in one line, and what is clean stays. */
static void show(const char *name)
{
    char *clean = strdup(name);
    require(clean != NULL);
    ds_text_clean(clean);
    require(is_text(clean) && strlen(clean) <= strlen(name));
    for (const char *p = clean; *p; p++)
        require((unsigned char)*p >= 0x20 && *p != 0x7F);
    char *again = strdup(clean);
    require(again != NULL);
    ds_text_clean(again);
    require(!strcmp(again, clean));
    free(again);
    free(clean);
}

/* Names that look as if tools had made them up, by the usual globs and by those that are given. */
static void judge(const char *name, const char *globs)
{
    for (int made = FS_MADE_OPENLY; made <= FS_MADE_BY_RENAME; made++) {
        enum fs_made how = (enum fs_made)made;
        require(how != FS_MADE_OPENLY || fs_scratch_name_kind(NULL, name, how) == FS_SCRATCH_NONE);
        require(fs_scratch_name_kind(NULL, name, how) <= FS_SCRATCH_PROBE);
        if (fs_scratch_name_globs_valid(globs))
            require(fs_scratch_name_kind(globs, name, how) <= FS_SCRATCH_PROBE);
        require(fs_scratch_name_kind("", name, how) == FS_SCRATCH_NONE);
    }
    for (int flags = 0; flags < 4; flags++)
        fs_scratch_name_made((flags & 1 ? O_EXCL : 0) | (flags & 2 ? O_RDWR : O_WRONLY), 0600);
}

/* A name, and behind a line's end the id of a machine. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_text(data, size);
    for (int place = DS_FILE_NAME_IN_ROOT; place <= DS_FILE_NAME_IN_DATASET; place++) {
        name_key(place, text);
        read_name(place, text);
    }
    read_machine(text);
    show(text);
    char *line = strchr(text, '\n');
    if (line)
        *line = '\0';
    judge(text, line ? line + 1 : "*");
    name_machine(text, line ? line + 1 : "vm-42");
    free(text);
    return 0;
}
