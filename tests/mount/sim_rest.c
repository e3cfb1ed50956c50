#include "sim_rest.h"

#include "place.h"
#include "process.h"
#include "shell.h"
#include "sim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARGUMENTS_MAX 48
#define CA_KEY "ca.key"
#define PASSWORD_FILE "password"
#define PORT_FILE "https.port"
#define CONFIGURATION "openssl.cnf"
#define NEW_KEY                                                                                    \
    "openssl req -config " CONFIGURATION " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "      \
    "-nodes "
#define SELF_SIGNED NEW_KEY "-x509 -days 2 "

static uint16_t port;             /* of the running test; 0: not chosen yet */
static char port_is_of[PATH_MAX]; /* the test's directory */

static void make(const char *path, const char *text)
{
    assert_int_equal(harness_write(path, O_CREAT | O_EXCL, text), 0);
}

static void run(const char *command)
{
    const struct shell_result *made = shell_run("bash", "set -o pipefail; %s", command);
    if (made->status != 0)
        fail_msg("openssl does not make a certificate: %s", made->err);
}

static void make_authority(void)
{
    make(CONFIGURATION, "[req]\ndistinguished_name = name\n[name]\n"
                        "[authority]\nbasicConstraints = critical, CA:TRUE\n"
                        "keyUsage = critical, keyCertSign, cRLSign\n"
                        "[server]\nbasicConstraints = critical, CA:FALSE\n"
                        "extendedKeyUsage = serverAuth\n");
    run(SELF_SIGNED "-extensions authority -subj '/CN=authority of a test' -keyout " CA_KEY
                    " -out " SIM_CA);
}

void sim_make_certificate(const char *name, const char *alternatives, bool self_signed)
{
    char command[1024];
    if (access(SIM_CA, F_OK) != 0)
        make_authority();
    if (self_signed)
        snprintf(command, sizeof command,
                 SELF_SIGNED "-extensions server -addext subjectAltName=%s -subj /CN=%s "
                             "-keyout %s.key -out %s.pem",
                 alternatives, name, name, name);
    else
        snprintf(command, sizeof command,
                 NEW_KEY "-new -subj /CN=%s -keyout %s.key | openssl x509 -req -days 2 -CA " SIM_CA
                         " -CAkey " CA_KEY " -set_serial 0x$(openssl rand -hex 8) -out %s.pem "
                         "-extfile <(cat " CONFIGURATION "; echo subjectAltName=%s) "
                         "-extensions server",
                 name, name, name, alternatives);
    run(command);
}

/* What the server and its clients need; once per test. */
static void prepare(void)
{
    if (strcmp(port_is_of, harness_dir()) == 0)
        return;
    snprintf(port_is_of, sizeof port_is_of, "%s", harness_dir());
    port = 0;
    sim_make_certificate("server", "IP:127.0.0.1,DNS:localhost", false);
    make(PASSWORD_FILE, SIM_PASSWORD "\n");
    make(SIM_CREDENTIALS, "username=" SIM_USER "\npassword=" SIM_PASSWORD "\n");
}

static uint16_t read_port(void)
{
    char text[16];
    assert_true(harness_read(PORT_FILE, text, sizeof text) > 0);
    unsigned long number = strtoul(text, NULL, 10);
    assert_in_range(number, 1, UINT16_MAX);
    return (uint16_t)number;
}

void sim_start_rest(const char *const *arguments)
{
    char address[32];
    prepare();
    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)port);
    const char *all[ARGUMENTS_MAX] = {"--https", address,      "--port-file",     PORT_FILE,
                                      "--cert",  "server.pem", "--key",           "server.key",
                                      "--user",  SIM_USER,     "--password-file", PASSWORD_FILE};
    size_t count = 12;
    for (; arguments && *arguments; arguments++) {
        assert_true(count < ARGUMENTS_MAX - 1);
        all[count++] = *arguments;
    }
    sim_start(all);
    port = read_port();
}

uint16_t sim_rest_port(void)
{
    assert_int_not_equal(port, 0);
    return port;
}

const char *sim_rest_url(void)
{
    static char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u", (unsigned)sim_rest_port());
    return url;
}

const char *sim_rest_source(void)
{
    static char source[80];
    snprintf(source, sizeof source, "%s/" SIM_VM, sim_rest_url());
    return source;
}

const char *sim_rest_options(const char *others)
{
    static char options[1024];
    bool any = others && *others;
    int len =
        snprintf(options, sizeof options, "cacert=" SIM_CA ",credentials=" SIM_CREDENTIALS "%s%s",
                 any ? "," : "", any ? others : "");
    assert_in_range(len, 1, sizeof options - 1);
    return options;
}

size_t sim_sessions(void)
{
    unsigned long count = 0;
    assert_int_equal(sscanf(sim_control("sessions"), "ok %lu", &count), 1);
    return count;
}
