/* What import reads, beside what is there: a plan of what to do, which a model carries out. */
#include "fuzz.h"
#include "memory_store.h"
#include "quiet_log.h"

#include "client/command/document.h"
#include "client/command/import_plan.h"
#include "client/command/input.h"
#include "client/command/set_many.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* It is not there, is a directory, or is longer than it may be. */
static void require_unreadable(const char *name, size_t most)
{
    struct ds_buf text = {0};
    require(ds_input_read(name, most, &text) == DS_STATUS_FAILED);
    ds_buf_free(&text);
}

/* As a file that a command reads. */
static json_t *read_object(const uint8_t *data, size_t size)
{
    static int fd = -1;
    char path[64];
    json_t *json = NULL;
    if (fd < 0)
        fd = memfd_create("document", MFD_CLOEXEC);
    require(fd >= 0 && ftruncate(fd, 0) == 0);
    require(pwrite(fd, data, size, 0) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (size)
        require_unreadable(path, size - 1);
    enum ds_status status = ds_input_object(path, &json);
    require(status == DS_STATUS_OK || status == DS_STATUS_USAGE);
    require(status != DS_STATUS_OK || json_is_object(json));
    return status == DS_STATUS_OK ? json : NULL;
}

static void set_text(json_t *dataset, const char *name, const char *text)
{
    require(!json_object_set_new(dataset, name, json_string(text)));
}

static void change(json_t *dataset, const struct ds_attributes *attributes)
{
    static const char omit[] = "omit_from_snapshot_and_clone";
    if (attributes->description)
        set_text(dataset, "description", attributes->description);
    if (attributes->host)
        set_text(dataset, "host", ds_access_name(attributes->host));
    if (attributes->guest)
        set_text(dataset, "guest", ds_access_name(attributes->guest));
    if (attributes->omit_from_snapshot_and_clone)
        require(!json_object_set_new(
            dataset, omit, json_boolean(attributes->omit_from_snapshot_and_clone == DS_FLAG_ON)));
}

/* A key that is already as it should be counts as well. */
static void set_keys(const struct ds_arguments *arguments, struct memory_store *store,
                     const struct ds_import_step *step, size_t *sets)
{
    struct ds_session session = {.arguments = arguments, .client = &store->client, .interrupt = -1};
    require(ds_set_many(&session, step->dataset, step->sets, sets) == DS_STATUS_OK);
}

static void carry_out(const struct ds_import_plan *plan, const struct ds_arguments *arguments,
                      struct memory_store *store)
{
    json_t *datasets = store->datasets;
    size_t sets = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const struct ds_import_step *step = &plan->steps[i];
        json_t *dataset = json_object_get(datasets, step->dataset);
        require(step->creates == !dataset);
        if (step->creates) {
            dataset =
                json_pack("{s:s, s:s, s:s, s:b, s:{}}", "description", "", "host", "READ_WRITE",
                          "guest", "READ_WRITE", "omit_from_snapshot_and_clone", 0, "entries");
            require(!json_object_set_new(datasets, step->dataset, dataset));
        }
        change(dataset, &step->begin);
        set_keys(arguments, store, step, &sets);
        for (size_t k = 0; k < step->removes.count; k++)
            require(!json_object_del(ds_document_entries(dataset), step->removes.names[k]));
        change(dataset, &step->end);
    }
    require(sets == plan->sets);
}

static bool is_empty(const struct ds_import_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct ds_import_step *step = &plan->steps[i];
        if (step->creates || ds_import_changes(&step->begin) || ds_import_changes(&step->end) ||
            json_object_size(step->sets) || step->removes.count)
            return false;
    }
    return true;
}

static void require_as_wanted(json_t *document, json_t *datasets, bool host)
{
    const char *name;
    json_t *wanted;
    json_object_foreach(ds_document_datasets(document), name, wanted)
    {
        struct ds_attributes given = {0};
        struct ds_attributes made = {0};
        json_t *dataset = json_object_get(datasets, name);
        require(json_equal(ds_document_entries(wanted), ds_document_entries(dataset)));
        require(!ds_document_attributes(wanted, &given));
        require(!ds_document_attributes(dataset, &made));
        if (host) {
            require(!given.description || !strcmp(given.description, made.description));
            require(!given.host || given.host == made.host);
            require(!given.guest || given.guest == made.guest);
            require(!given.omit_from_snapshot_and_clone ||
                    given.omit_from_snapshot_and_clone == made.omit_from_snapshot_and_clone);
        }
        ds_attributes_clear(&given);
        ds_attributes_clear(&made);
    }
}

/* The store's. */
static enum ds_status plan(const struct ds_arguments *arguments, struct memory_store *store,
                           const json_t *document, struct ds_import_plan *out)
{
    struct ds_session session = {.arguments = arguments, .client = &store->client, .interrupt = -1};
    return ds_import_plan_make(&session, document, out);
}

/* What was planned and done need not be done again. */
static void import(json_t *document, const json_t *there, enum ds_side side, bool replace)
{
    struct ds_arguments arguments = {.replace = replace, .store.timeout_ms = 60000};
    struct ds_import_plan first = {0};
    struct ds_import_plan second = {0};
    struct memory_store store;
    struct ds_call call;
    memory_store_begin(&store, side, true, json_deep_copy(there));
    enum ds_status status = plan(&arguments, &store, document, &first);
    require(json_equal(store.datasets, there));
    if (status == DS_STATUS_OK) {
        carry_out(&first, &arguments, &store);
        require_as_wanted(document, store.datasets, side == DS_SIDE_HOST);
        arguments.replace = false;
        status = plan(&arguments, &store, document, &second);
        /* Our own access may have become none, which is what was asked for. */
        if (status == DS_STATUS_OK && side == DS_SIDE_HOST)
            require(is_empty(&second));
    }
    ds_import_plan_clear(&first);
    ds_import_plan_clear(&second);
    ds_call_init(&call, 60000);
    ds_client_free(&store.client, &call);
}

/* A document; and behind a line of three dashes the object of the DataSets that are there, of which
 * those that are none stand for what cannot be read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char dashes[] = "\n---\n";
    const uint8_t *cut = memmem(data, size, dashes, sizeof dashes - 1);
    size_t len = cut ? (size_t)(cut - data) : size;
    size_t skip = cut ? len + sizeof dashes - 1 : size;
    require_unreadable("/nonexistent/document", size);
    require_unreadable("/", size);
    json_t *document = read_object(data, len);
    json_t *there = skip < size ? read_object(data + skip, size - skip) : json_object();
    if (document && there && ds_document_check("input", document) == DS_STATUS_OK)
        for (int i = 0; i < 4; i++)
            import(document, there, i & 1 ? DS_SIDE_HOST : DS_SIDE_GUEST, i & 2);
    json_decref(document);
    json_decref(there);
    return 0;
}
