/* What a hostile vCenter answers when it is asked for its machines, and for what they are in. */
#include "clock.h"
#include "fuzz.h"
#include "quiet_log.h"
#include "steps.h"

#include "client/rest/rest.h"
#include "client/rest/server.h"
#include "machine_name.h"
#include "store_options.h"
#include "utf8.h"

#include <errno.h>
#include <stdlib.h>

/* What one input may cost. */
enum { GENERATED_MAX = 4100, GENERATED_ALL_MAX = 13000, REQUESTS_MAX = 100, TIMEOUT_MS = 10000 };

static struct steps answers;
static unsigned requests_made;
static size_t generated; /* so far */

/* A list of machines, or folders, that is longer than an input should be. */
static void generate(const struct step *step, bool folders, struct ds_buf *out)
{
    size_t count = step->number < GENERATED_MAX ? step->number : GENERATED_MAX;
    if (count > GENERATED_ALL_MAX - generated)
        count = GENERATED_ALL_MAX - generated;
    generated += count;
    unsigned first = step->len ? (unsigned char)step->text[0] : 0;
    require(!ds_buf_puts(out, "["));
    for (size_t i = 0; i < count; i++)
        require(!ds_buf_printf(out, "%s{\"%s-%zu\",\"name\":\"n%zu\"}", i ? "," : "",
                               folders ? "folder\":\"group-v" : "vm\":\"vm", first + i, i));
    require(!ds_buf_puts(out, "]"));
}

static void break_off(struct ds_http_request *request)
{
    request->sent = DS_SENT_MAYBE;
    request->error = -EIO;
    snprintf(request->text, sizeof request->text, "it broke");
}

static void answer(struct ds_http_request *request)
{
    struct step step;
    requests_made++;
    if (requests_made > REQUESTS_MAX) {
        break_off(request);
        return;
    }
    request->sent = DS_SENT_ANSWERED;
    request->status = 200;
    if (!next_step(&answers, &step)) {
        require(!ds_buf_puts(&request->reply, "[]"));
        return;
    }
    switch (step.what) {
    case 'f':
    case 'g':
        generate(&step, step.what == 'f', &request->reply);
        return;
    case 'm': /* too many */
        request->status = 500;
        require(!ds_buf_puts(&request->reply, "{\"error_type\":\"UNABLE_TO_ALLOCATE_RESOURCE\"}"));
        return;
    case 'e':
        break_off(request);
        return;
    case 'h':
        request->html = true;
        break;
    default:
        break;
    }
    request->status = step.number ? (int)(step.number % 1000) : 200;
    require(!ds_buf_append(&request->reply, step.text, step.len));
}

void ds_session_run(struct ds_session *session, struct ds_call *call,
                    struct ds_http_request *const *requests, size_t count)
{
    (void)session;
    for (size_t i = 0; i < count; i++) {
        require(!strncmp(requests[i]->url, "https://vc/api/vcenter/", 23));
        answer(requests[i]);
    }
    ds_call_set_sent(call, DS_SENT_ANSWERED);
}

static struct ds_vcenter only_one = {.base = (char[]){"https://vc"}};

int ds_vcenter_new(const struct ds_url *url, const struct ds_source_options *options,
                   struct ds_call *call, struct ds_vcenter **out)
{
    (void)options, (void)call;
    require(!strcmp(url->base, only_one.base));
    *out = &only_one;
    return 0;
}

void ds_vcenter_free(struct ds_vcenter *vcenter, struct ds_call *call)
{
    (void)vcenter, (void)call;
}

void ds_vcenter_abandon(struct ds_vcenter *vcenter, const struct ds_call *call)
{
    (void)vcenter, (void)call;
}

struct ds_caps ds_vcenter_caps(const struct ds_vcenter *vcenter)
{
    (void)vcenter;
    return (struct ds_caps){.side = DS_SIDE_HOST, .batch_keys = 1, .parallel = 1};
}

int ds_rest_open_shared(struct ds_vcenter *vcenter, const char *id, struct ds_call *call,
                        struct ds_client **out)
{
    (void)vcenter, (void)id, (void)call, (void)out;
    return -ENODEV;
}

/* 0, or a failure with words. */
static bool went_well(int err, const struct ds_call *call)
{
    require(err <= 0 && err != -ENOMEM);
    require(!err || err == -ENOENT || (*call->text && !strchr(call->text, '\n')));
    return !err;
}

static void require_machines(const struct ds_machines *machines)
{
    for (size_t i = 0; i < machines->count; i++) {
        const struct ds_machine *machine = &machines->list[i];
        require(ds_machine_name_is_id(machine->id) && *machine->name);
        require(ds_utf8_valid(machine->name, strlen(machine->name)));
        require(machine->power < DS_POWER_COUNT);
        require(!i || strcmp(machine[-1].name, machine->name) <= 0);
        require(!i || strcmp(machine[-1].id, machine->id) != 0);
    }
}

static void list(struct ds_inventory *inventory)
{
    struct ds_machines machines = {0};
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    if (went_well(ds_inventory_list(inventory, &call, &machines), &call))
        require_machines(&machines);
    ds_machines_clear(&machines);
}

static void find(struct ds_inventory *inventory, enum ds_machine_by by, const char *text)
{
    struct ds_machines machines = {0};
    struct ds_call call;
    ds_call_init(&call, TIMEOUT_MS);
    if (went_well(ds_inventory_find(inventory, &call, by, text, &machines), &call)) {
        const struct ds_machine *found = machines.list;
        require(machines.count == 1);
        require(!strcmp(by == DS_MACHINE_BY_ID ? found->id : found->name, text));
        require_machines(&machines);
    }
    ds_machines_clear(&machines);
}

/* What -o says of machines; false if it is refused. */
static bool read_options(const struct step *step, struct ds_store_options *options)
{
    const struct ds_option_table table = {.options = ds_machine_option, .to = options};
    char why[DS_OPTION_WHY_BYTES];
    char *text = copy_text((const uint8_t *)step->text, step->len);
    int err = ds_option_parse_list(&table, 1, text, why);
    free(text);
    require(!err || err == -EINVAL);
    return !err;
}

/* o: options; then answers, each to one request: a, and perhaps a status, and the body; h:
 * likewise, said to be HTML; g: a list of so many machines, whose ids begin with the text's first
 * byte; f: likewise of folders; m: there are too many; e: none. When there are no more, nothing is
 * found. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds_store_options options = ds_store_options_default();
    struct ds_inventory *inventory = NULL;
    struct ds_call call;
    struct step step;
    answers = steps_of(data, size);
    clock_us = 0;
    requests_made = 0;
    generated = 0;
    struct steps first = answers;
    bool good = true;
    if (next_step(&first, &step) && step.what == 'o') {
        good = read_options(&step, &options);
        answers = first;
    }
    ds_call_init(&call, TIMEOUT_MS);
    if (good &&
        went_well(ds_server_open("https://vc", &options.source, &call, &inventory), &call)) {
        list(inventory);
        list(inventory);
        find(inventory, DS_MACHINE_BY_ID, "vm-1");
        find(inventory, DS_MACHINE_BY_NAME, "web");
        list(inventory);
        ds_inventory_free(inventory, &call);
    }
    ds_store_options_clear(&options);
    return 0;
}
