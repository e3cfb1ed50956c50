/* What somebody writes into .datasetfs/info: a DataSet's attributes as JSON, both ways. */
#include "fuzz.h"

#include "client/base/json_load.h"
#include "dataset.h"
#include "utf8.h"

#include <errno.h>

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* What is known is written, and reads the same. */
static void write_back(const struct ds_attributes *attributes)
{
    struct ds_attributes again = {0};
    struct ds_buf text = {0};
    char why[DS_WHY_BYTES];
    require(!ds_attributes_to_json(NULL, attributes, &text));
    require(!ds_attributes_from_json(text.data, text.len, &again, why));
    require(same_text(again.description, attributes->description));
    require(again.host == attributes->host && again.guest == attributes->guest);
    require(again.omit_from_snapshot_and_clone == attributes->omit_from_snapshot_and_clone);
    require(!again.used_known);
    ds_attributes_clear(&again);
    ds_buf_free(&text);
}

/* With a name and a size it is what one reads there, and not what one may write. */
static void show(const char *name, struct ds_attributes *attributes)
{
    struct ds_attributes again = {0};
    struct ds_buf text = {0};
    char why[DS_WHY_BYTES] = "";
    json_t *json = NULL;
    attributes->used_known = true;
    attributes->used_bytes = UINT64_MAX >> 12;
    require(!ds_attributes_to_json(name, attributes, &text));
    require(!ds_json_load(text.data, text.len, JSON_REJECT_DUPLICATES, &json));
    require(same_text(json_string_value(json_object_get(json, "name")), name));
    require((uint64_t)json_integer_value(json_object_get(json, "used")) == attributes->used_bytes);
    require(ds_attributes_from_json(text.data, text.len, &again, why) == -EINVAL);
    require(strstr(why, "cannot be changed") != NULL);
    json_decref(json);
    ds_buf_free(&text);
}

/* Not a byte of it was touched. */
static void require_same(const void *a, const void *b, size_t size)
{
    require(!memcmp(a, b, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char sign[] = "d";
    struct ds_attributes before;
    struct ds_attributes found;
    char why[DS_WHY_BYTES] = "";
    memset(&before, 0, sizeof before); /* the padding too */
    before.description = sign;
    memcpy(&found, &before, sizeof found);
    int err = ds_attributes_from_json((const char *)data, size, &found, why);
    require(!err || err == -EINVAL);
    if (err) {
        require_same(&found, &before, sizeof found);
        require(*why && strlen(why) < sizeof why && !strchr(why, '\n'));
        require(ds_utf8_valid(why, strlen(why)));
        return 0;
    }
    require(!found.used_known && found.host <= DS_ACCESS_READ_WRITE);
    require(!found.description || (strlen(found.description) <= DS_DESCRIPTION_MAX_BYTES &&
                                   ds_utf8_valid(found.description, strlen(found.description))));
    write_back(&found);
    show("a \"name\"\n", &found);
    ds_attributes_clear(&found);
    return 0;
}
