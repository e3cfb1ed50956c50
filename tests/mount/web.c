#include "web.h"

#include "cleanup.h"
#include "harness.h"
#include "sim_rest.h"

#include <stdio.h>
#include <stdlib.h>

static char token[64];

static char *command(const char *url, const char *method, const char *path, const char *options)
{
    char *text = NULL;
    /* No proxy from the environment, nothing made of the URL; a later --max-time counts. */
    int len = asprintf(&text,
                       "curl -gsS --noproxy '*' --path-as-is --max-time 100 --cacert " SIM_CA
                       " -w '\\n%%{http_code}' -X %s %s%s%s %s '%s%s'",
                       method, *token ? "-H 'vmware-api-session-id: " : "", token,
                       *token ? "'" : "", options ? options : "", url, path);
    assert_true(len > 0);
    return text;
}

const struct shell_result *web_ask_at(const char *url, const char *method, const char *path,
                                      const char *options)
{
    char *text DS_AUTO_FREE = command(url, method, path, options);
    return shell_run("bash", "%s", text);
}

const struct shell_result *web_ask(const char *method, const char *path, const char *options)
{
    return web_ask_at(sim_rest_url(), method, path, options);
}

pid_t web_spawn(const char *method, const char *path, const char *options)
{
    char *text DS_AUTO_FREE = command(sim_rest_url(), method, path, options);
    return shell_spawn("bash", "exec %s", text);
}

void web_forget(void)
{
    token[0] = '\0';
}

const char *web_token(void)
{
    return token;
}

void web_login(void)
{
    char got[64];
    web_forget();
    const struct shell_result *result = web_ask("POST", "/api/session", WEB_LOGIN);
    if (sscanf(result->out, "\"%32[0-9a-f]\"\n201", got) != 1)
        fail_msg("no session: '%s' %s", result->out, result->err);
    snprintf(token, sizeof token, "%s", got);
}

static void report(const struct shell_result *result, const char *method, const char *path)
{
    print_error("%s %.200s\n  curl's status %d\n  reply '%.600s'\n  errors '%.400s'\n", method,
                path, result->status, result->out, result->err);
}

void web_assert(const char *file, int line, const char *expected, const char *method,
                const char *path, const char *options)
{
    const struct shell_result *result = web_ask(method, path, options);
    if (result->status == 0 && strcmp(result->out, expected) == 0)
        return;
    report(result, method, path);
    print_error("  expected '%.600s'\n", expected);
    _fail(file, line);
}

void web_assert_error(const char *file, int line, const char *status, const char *words,
                      const char *method, const char *path, const char *options)
{
    const struct shell_result *result = web_ask(method, path, options);
    const char *got = strrchr(result->out, '\n');
    if (got && strcmp(got + 1, status) == 0 && strstr(result->out, words))
        return;
    report(result, method, path);
    print_error("  expected status %s and '%.400s'\n", status, words);
    _fail(file, line);
}

void web_assert_broken(const char *file, int line, int either, int other, const char *method,
                       const char *path, const char *options)
{
    const struct shell_result *result = web_ask(method, path, options);
    if (result->status == either || result->status == other)
        return;
    report(result, method, path);
    print_error("  expected curl's status %d or %d\n", either, other);
    _fail(file, line);
}
