/* What the guest's side needs to be of use. */
#include "examine.h"

#include "child.h"
#include "cleanup.h"
#include "vsock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define DMI_BYTES 80

/* The machine's own word for what it is, or an empty text. */
static void read_dmi(const char *name, char out[DMI_BYTES])
{
    char path[64];
    snprintf(path, sizeof path, "/sys/class/dmi/id/%s", name);
    FILE *file = fopen(path, "re");
    if (!file || !fgets(out, DMI_BYTES, file))
        *out = '\0';
    if (file)
        fclose(file);
    out[strcspn(out, "\n")] = '\0';
}

/* The processor's bit of CPUID leaf 1 that hypervisors set, as the kernel tells it. */
static bool has_hypervisor_bit(void)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char *line DS_AUTO_FREE = NULL;
    size_t size = 0;
    bool found = false;
    while (file && !found && getline(&line, &size, file) > 0)
        found = !strncmp(line, "flags", 5) && strstr(line, " hypervisor");
    if (file)
        fclose(file);
    return found;
}

static void look_at_hypervisor(struct ds_report *report)
{
    static const char advice[] =
        "tools is for the inside of a VMware virtual machine; elsewhere use https://HOST/VM";
    char vendor[DMI_BYTES];
    char product[DMI_BYTES];
    read_dmi("sys_vendor", vendor);
    read_dmi("product_name", product);
    if (!strncmp(vendor, "VMware", strlen("VMware")))
        ds_report_ok(report, "hypervisor", "%s %s", vendor, product);
    else if (*vendor)
        ds_report_warn(report, "hypervisor", advice, "this machine is %s %s, not VMware's", vendor,
                       product);
    else if (has_hypervisor_bit())
        ds_report_warn(
            report, "hypervisor", advice,
            "there is one, but nothing tells that it is VMware's (no /sys/class/dmi/id)");
    else
        ds_report_warn(report, "hypervisor", advice, "this is no virtual machine");
}

/* How the program has ended. Outside of a virtual machine some versions say so, and others nothing.
 */
static void tell_program(const char *name, const struct ds_child_result *result,
                         struct ds_report *report)
{
    const char *said = result->errors.len ? result->errors.data : "not inside a virtual machine";
    const char *version = result->output.len ? result->output.data : "of an unknown version";
    if (!WIFEXITED(result->status) || WEXITSTATUS(result->status))
        ds_report_warn(report, "VMware Tools", NULL, "%s is there and ends with status %#x: %.*s",
                       name, (unsigned)result->status, (int)strcspn(said, "\n"), said);
    else
        ds_report_ok(report, "VMware Tools", "%.*s", (int)strcspn(version, "\n"), version);
}

/* `needed`: requests go through that program. */
static void look_at_program(const char *path, bool needed, struct ds_report *report)
{
    const char *const argv[] = {path ? path : DS_TOOLS_PROGRAM, "--version", NULL};
    const struct ds_child_program program = {.argv = argv, .max_output_bytes = 1024};
    struct ds_child_result result = {0};
    struct ds_call *call = report->call(report->context);
    int err = ds_child_run(call, true, &program, &result);
    if (err && needed)
        ds_report_fail(report, "VMware Tools", "install the package open-vm-tools", "%s",
                       ds_report_words(call, err));
    else if (err)
        ds_report_ok(report, "VMware Tools", "not used, since there is AF_VSOCK (%s)",
                     ds_report_words(call, err));
    else
        tell_program(argv[0], &result, report);
    ds_buf_free(&result.output);
    ds_buf_free(&result.errors);
}

/* False if no connection can be tried. */
static bool look_at_vsock(struct ds_report *report, bool exists)
{
    if (!exists) {
        ds_report_warn(report, "AF_VSOCK", "load its module: modprobe vmw_vsock_vmci_transport",
                       "this kernel has none: %s is run for each request, which is slow",
                       DS_TOOLS_PROGRAM);
        ds_report_skip(report, "port", "there is no AF_VSOCK");
        return true;
    }
    ds_report_ok(report, "AF_VSOCK", "the kernel has it");
    struct ds_call *call = report->call(report->context);
    int err = ds_vsock_try_port(call);
    if (err)
        ds_report_fail(report, "port",
                       err == -EACCES ? "run as root, or with CAP_NET_BIND_SERVICE" : NULL, "%s",
                       ds_report_words(call, err));
    else
        ds_report_ok(report, "port", "a privileged one can be had");
    return !err;
}

/* What to do when the host does not tell its DataSets. */
static const char *advice_for(int err, enum ds_tools_way way, const char *words)
{
    bool disabled = strcasestr(words, "disabled") != NULL;
    if (err == -EHOSTUNREACH && way == DS_TOOLS_WAY_UNIX)
        return "start what listens there, or name another socket";
    if (err == -EHOSTUNREACH || (err == -EOPNOTSUPP && disabled))
        return "inside a VMware virtual machine, ask its administrator whether its advanced "
               "parameters (isolation.tools.*) disable guest RPC";
    if (err == -EOPNOTSUPP)
        return "the host must be ESXi 8.0 or newer, and the machine's compatibility \"ESXi 8.0\"";
    if (err == -EACCES)
        return "run as root";
    if (err == -ETIMEDOUT)
        return "the host is silent: try a longer -o timeout=, and look at its hostd";
    return NULL;
}

static void look_at_host(enum ds_tools_way way, const char *path,
                         const struct ds_source_options *options, struct ds_report *report,
                         struct ds_client **out)
{
    struct ds_source_options delayed = *options;
    struct ds_names names DS_CLEANUP(ds_names_clear) = {0};
    struct ds_client *client = NULL;
    struct ds_call *call = report->call(report->context);
    delayed.delay_connect = true;
    int err = ds_tools_open(way, path, &delayed, call, &client);
    if (!err)
        err = ds_client_list(client, call, &names);
    if (!err) {
        ds_report_ok(report, "host", "it answers, and knows DataSets");
        *out = client;
        return;
    }
    const char *words = ds_report_words(call, err);
    ds_report_fail(report, "host", advice_for(err, way, words), "%s", words);
    ds_client_free(client, call);
}

void ds_tools_examine(enum ds_tools_way way, const char *path,
                      const struct ds_source_options *options, struct ds_report *report,
                      struct ds_client **out)
{
    bool can_connect = true;
    if (way == DS_TOOLS_WAY_UNIX) {
        ds_report_skip(report, "hypervisor", "tools:unix= goes to a socket instead");
    } else {
        bool by_program = way == DS_TOOLS_WAY_PROGRAM;
        bool exists = ds_vsock_exists();
        look_at_hypervisor(report);
        look_at_program(path, by_program || !exists, report);
        can_connect = by_program || look_at_vsock(report, exists);
    }
    if (can_connect)
        look_at_host(way, path, options, report, out);
    else
        ds_report_skip(report, "host", "it cannot be reached without a port");
}
