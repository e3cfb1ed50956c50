#include "rest_options.h"

#include "cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct sim_rest_shape sim_rest_shape_default = {.id_prefix = "", .list_max = 4000};

const char sim_rest_options_usage[] =
    "vCenter's REST interface:\n"
    "  --https 127.0.0.1:PORT\n"
    "                        where to listen; 0: any port\n"
    "  --port-file FILE      write the port there before 'ready'\n"
    "  --cert FILE, --key FILE\n"
    "                        of the server, PEM\n"
    "  --user NAME, --password-file FILE\n"
    "                        who may log in\n"
    "  --vm ID=NAME=FILE     a virtual machine and its store, repeatable (vm-1=web-01=STORE)\n"
    "  --vm-state ID=poweredOn|poweredOff|suspended|unsupported|gone\n"
    "                        repeatable; unsupported: hardware below vmx-20\n"
    "  --place KIND=ID=NAME[=PARENT]\n"
    "                        a datacenter, cluster, host or folder, and the id of what it is in,\n"
    "                        repeatable; machines that are added later are on the hosts and in\n"
    "                        the folders in turn\n"
    "  --vm-directory DIR    a machine for each NAME.db there, vm-1001 and so on by their names\n"
    "  --list-max N          more machines than that are not listed (4000)\n"
    "\n"
    "What servers differ in; the first word is the default:\n"
    "  --error-style vapi|status|empty|legacy\n"
    "                        with error_type, without, no body, as /rest had it\n"
    "  --unauthorized-status 403|400\n"
    "                        400: so also UNABLE_TO_ALLOCATE_RESOURCE, else 500\n"
    "  --success 204|200     of changes; 200: create too, else 201; of two deletes a body 'null'\n"
    "  --no-api-session      only /rest/com/vmware/cis/session logs in\n"
    "  --no-vm-list          no GET /api/vcenter/vm, nor of one of them\n"
    "  --no-slash-keys       404 with HTML for %2F in a key\n"
    "  --id-prefix TEXT      a DataSet's id is TEXT and its name; the default is no TEXT\n";

enum { NONE = no_argument, ONE = required_argument };

static const struct option table[] = {
    {"https", ONE, NULL, 'r'},        {"port-file", ONE, NULL, 'r'},
    {"cert", ONE, NULL, 'r'},         {"key", ONE, NULL, 'r'},
    {"user", ONE, NULL, 'r'},         {"password-file", ONE, NULL, 'r'},
    {"vm", ONE, NULL, 'r'},           {"vm-state", ONE, NULL, 'r'},
    {"error-style", ONE, NULL, 'r'},  {"unauthorized-status", ONE, NULL, 'r'},
    {"success", ONE, NULL, 'r'},      {"no-api-session", NONE, NULL, 'r'},
    {"no-vm-list", NONE, NULL, 'r'},  {"no-slash-keys", NONE, NULL, 'r'},
    {"id-prefix", ONE, NULL, 'r'},    {"place", ONE, NULL, 'r'},
    {"vm-directory", ONE, NULL, 'r'}, {"list-max", ONE, NULL, 'r'},
};

const struct option *sim_rest_options_table(size_t *count)
{
    *count = sizeof table / sizeof *table;
    return table;
}

static bool take_address(const char *word, struct sim_rest_options *out)
{
    static const char host[] = "127.0.0.1:";
    const char *port = word + sizeof host - 1;
    if (strncmp(word, host, sizeof host - 1) != 0 || !*port || strlen(port) > 5 ||
        strspn(port, "0123456789") != strlen(port) || strtoul(port, NULL, 10) > UINT16_MAX)
        return false;
    out->port = (uint16_t)strtoul(port, NULL, 10);
    return out->given = true;
}

static int take_number(const char *word, size_t *out)
{
    if (!*word || strlen(word) > 9 || strspn(word, "0123456789") != strlen(word))
        return -EINVAL;
    *out = strtoul(word, NULL, 10);
    return 0;
}

static bool set_state(const char *word, struct sim_vms *vms)
{
    size_t len = strcspn(word, "=");
    char *id DS_AUTO_FREE = strndup(word, len);
    return id && word[len] && sim_vms_set_state(vms, id, word + len + 1) == 0;
}

static int keep_state(const char *word, struct sim_rest_options *out)
{
    const char **more = reallocarray(out->states, out->state_count + 1, sizeof *more);
    if (!more)
        return -ENOMEM;
    out->states = more;
    out->states[out->state_count++] = word;
    return 0;
}

static bool take_errors(const char *word, struct sim_rest_shape *shape)
{
    static const char *const words[] = {
        [SIM_REST_ERRORS_VAPI] = "vapi",
        [SIM_REST_ERRORS_STATUS] = "status",
        [SIM_REST_ERRORS_EMPTY] = "empty",
        [SIM_REST_ERRORS_LEGACY] = "legacy",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(words[i], word)) {
            shape->errors = (enum sim_rest_errors)i;
            return true;
        }
    }
    return false;
}

static bool take_switch(const char *word, const char *off, const char *on, bool *out)
{
    *out = !strcmp(word, on);
    return *out || !strcmp(word, off);
}

static bool take_shape(const char *name, const char *argument, struct sim_rest_shape *shape)
{
    if (!strcmp(name, "error-style"))
        return take_errors(argument, shape);
    if (!strcmp(name, "unauthorized-status"))
        return take_switch(argument, "403", "400", &shape->refuses_by_400);
    if (!strcmp(name, "success"))
        return take_switch(argument, "204", "200", &shape->success_is_200);
    if (!strcmp(name, "no-api-session"))
        return shape->no_api_session = true;
    if (!strcmp(name, "no-vm-list"))
        return shape->no_vm_list = true;
    if (!strcmp(name, "no-slash-keys"))
        return shape->no_slash_keys = true;
    shape->id_prefix = argument;
    return true;
}

int sim_rest_options_take(const char *name, const char *argument, struct sim_vms *vms,
                          struct sim_rest_options *out)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {
        {"port-file", &out->port_file},         {"cert", &out->cert}, {"key", &out->key},
        {"password-file", &out->password_file}, {"user", &out->user},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!strcmp(texts[i].name, name)) {
            *texts[i].text = argument;
            return *argument != '\0' ? 0 : -EINVAL;
        }
    }
    if (!strcmp(name, "vm"))
        return sim_vms_add(vms, argument);
    if (!strcmp(name, "vm-directory")) {
        out->directory = true;
        return sim_vms_add_directory(vms, argument);
    }
    if (!strcmp(name, "place"))
        return sim_vms_add_place(vms, argument);
    if (!strcmp(name, "list-max"))
        return take_number(argument, &out->shape.list_max);
    if (!strcmp(name, "vm-state"))
        return keep_state(argument, out);
    bool good = !strcmp(name, "https") ? take_address(argument, out)
                                       : take_shape(name, argument, &out->shape);
    return good ? 0 : -EINVAL;
}

static bool complain(const char *what, const char *detail)
{
    fprintf(stderr, "datasets-sim: %s%s\n", what, detail);
    return false;
}

bool sim_rest_options_finish(const struct sim_rest_options *options, const char *store,
                             struct sim_vms *vms)
{
    char *spec DS_AUTO_FREE = NULL;
    if (!options->cert || !options->key || !options->user || !options->password_file)
        return complain("--https needs --cert, --key, --user and --password-file", "");
    if (!vms->count && !store && !options->directory)
        return complain("--https needs --vm, --vm-directory or --store", "");
    if (!vms->count && !options->directory &&
        (asprintf(&spec, "vm-1=web-01=%s", store) < 0 || sim_vms_add(vms, spec) != 0))
        return complain("cannot make the default machine", "");
    for (size_t i = 0; i < options->state_count; i++) {
        if (!set_state(options->states[i], vms))
            return complain("--vm-state names no machine or no state: ", options->states[i]);
    }
    return true;
}

void sim_rest_options_clear(struct sim_rest_options *options)
{
    free(options->states);
    options->states = NULL;
    options->state_count = 0;
}
