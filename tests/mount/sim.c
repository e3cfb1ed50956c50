#include "sim.h"

#include "cleanup.h"
#include "place.h"
#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64
#define OUTPUT "sim.out"

static pid_t sim_pid; /* 0: none runs */

static void become_sim(const char *binary, const char *const *arguments, int ready)
{
    char fd[16];
    snprintf(fd, sizeof fd, "%d", ready);
    const char *argv[ARGUMENTS_MAX] = {"datasets-sim",
                                       "--store",
                                       "s.db",
                                       "--rpc",
                                       "unix:" SIM_SOCKET,
                                       "--control",
                                       "unix:" SIM_CONTROL,
                                       "--log",
                                       SIM_LOG,
                                       "--ready-fd",
                                       fd};
    size_t count = 11;
    while (arguments && *arguments && count < ARGUMENTS_MAX - 1)
        argv[count++] = *arguments++;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int out = open(OUTPUT, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int null = open("/dev/null", O_RDONLY);
    if (out < 0 || null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
        _exit(126);
    execv(binary, (char *const *)argv); // NOLINT: execv() does not change them
    _exit(127);
}

/* True when "ready" arrives; false when the child ends or takes too long. */
static bool wait_ready(int fd)
{
    char line[8] = "";
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return poll(&ready, 1, HARNESS_START_MS) == 1 && read(fd, line, sizeof line - 1) == 6 &&
           strcmp(line, "ready\n") == 0;
}

void sim_start(const char *const *arguments)
{
    char binary[PATH_MAX];
    int ready[2];
    harness_program("DATASETS_SIM", "datasets-sim", binary);
    assert_int_equal(sim_pid, 0);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    sim_pid = fork();
    if (sim_pid == 0) {
        if (fcntl(ready[1], F_SETFD, 0) != 0)
            _exit(126);
        become_sim(binary, arguments, ready[1]);
    }
    close(ready[1]);
    bool well = sim_pid > 0 && wait_ready(ready[0]);
    close(ready[0]);
    if (well)
        return;
    harness_print_file(OUTPUT);
    fail_msg("the simulator does not listen");
}

bool sim_runs(void)
{
    return sim_pid != 0;
}

static bool end_by(int signal_number, int expected)
{
    pid_t pid = sim_pid;
    sim_pid = 0;
    return harness_end_child(pid, signal_number, expected, "the simulator", OUTPUT);
}

bool sim_end(void)
{
    sim_vsock_end();
    if (!sim_runs())
        return true;
    bool well = end_by(SIGTERM, 0);
    if (access(SIM_SOCKET, F_OK) == 0 || access(SIM_CONTROL, F_OK) == 0) {
        print_error("the simulator left a socket there\n");
        well = false;
    }
    return well;
}

void sim_stop(void)
{
    if (!sim_end())
        fail();
}

void sim_kill(void)
{
    if (!end_by(SIGKILL, 128 + SIGKILL))
        fail();
}

const char *sim_source(void)
{
    static char source[PATH_MAX];
    snprintf(source, sizeof source, "tools:unix=%.2000s/" SIM_SOCKET, harness_dir());
    return source;
}

/* The way of a mount that names this side, or none. */
static enum sim_way way_of(const char *chosen, bool guest, bool host)
{
    static const struct {
        const char *name;
        enum sim_way guest, host, unnamed;
    } ways[] = {
        {"tools", SIM_WAY_TOOLS, SIM_WAY_NONE, SIM_WAY_NONE},
        {"tools-all", SIM_WAY_TOOLS, SIM_WAY_NONE, SIM_WAY_TOOLS},
        {"rest", SIM_WAY_NONE, SIM_WAY_REST, SIM_WAY_REST},
        {"machines", SIM_WAY_MACHINES, SIM_WAY_MACHINES, SIM_WAY_MACHINES},
        {"rest-machines", SIM_WAY_NONE, SIM_WAY_REST_MACHINES, SIM_WAY_REST_MACHINES},
        {"rest-tools", SIM_WAY_TOOLS, SIM_WAY_REST, SIM_WAY_REST},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, chosen) == 0)
            return guest ? ways[i].guest : host ? ways[i].host : ways[i].unnamed;
    fail_msg("DATASETFS_TEST_SOURCE=%s is not known", chosen);
    return SIM_WAY_NONE;
}

enum sim_way sim_choose_way(const char *options, char *others, size_t size)
{
    const char *chosen = getenv("DATASETFS_TEST_SOURCE");
    bool guest = false;
    bool host = false;
    size_t len = 0;
    others[0] = '\0';
    for (const char *word = options; word && *word;) {
        size_t word_len = strcspn(word, ",");
        bool side = !strncmp(word, "side=", 5);
        guest = guest || (word_len == 10 && !strncmp(word, "side=guest", 10));
        host = host || (word_len == 9 && !strncmp(word, "side=host", 9));
        if (!side && len < size)
            len += (size_t)snprintf(others + len, size - len, "%s%.*s", len ? "," : "",
                                    (int)word_len, word);
        word += word_len + (word[word_len] == ',');
    }
    assert_true(len < size);
    return chosen && *chosen ? way_of(chosen, guest, host) : SIM_WAY_NONE;
}

static int connect_control(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SIM_CONTROL};
    const void *plain = &address;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_ok(connect(fd, plain, sizeof address));
    return fd;
}

__attribute__((format(printf, 1, 0))) static const char *ask(const char *format, va_list arguments)
{
    static char answer[256];
    char line[1024];
    int fd DS_AUTO_CLOSE = connect_control();
    int len = vsnprintf(line, sizeof line - 1, format, arguments);
    assert_in_range(len, 0, sizeof line - 2);
    line[len++] = '\n';
    assert_int_equal(send(fd, line, (size_t)len, MSG_NOSIGNAL), len);
    size_t got = 0;
    while (got < sizeof answer - 1 && !memchr(answer, '\n', got)) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&readable, 1, HARNESS_SOON_MS), 1);
        ssize_t more = read(fd, answer + got, sizeof answer - 1 - got);
        assert_true(more > 0);
        got += (size_t)more;
    }
    answer[got - 1] = '\0';
    return answer;
}

const char *sim_control(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *answer = ask(format, arguments);
    va_end(arguments);
    return answer;
}

void sim_fault(const char *format, ...)
{
    char spec[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(spec, sizeof spec, format, arguments);
    va_end(arguments);
    assert_string_equal(sim_control("fault %s", spec), "ok");
}

void sim_clear(void)
{
    assert_string_equal(sim_control("clear"), "ok");
}

static uint64_t ask_number(const char *word)
{
    unsigned long long number = 0;
    assert_int_equal(sscanf(sim_control("%s", word), "ok %llu", &number), 1);
    return number;
}

uint64_t sim_fired(void)
{
    return ask_number("fired");
}

uint64_t sim_cuts(void)
{
    return ask_number("cuts");
}

size_t sim_log_count_all(const char *const *words)
{
    FILE *file = fopen(SIM_LOG, "re");
    char *line DS_AUTO_FREE = NULL;
    size_t size = 0;
    size_t count = 0;
    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        const char *const *word = words;
        while (*word && strstr(line, *word))
            word++;
        count += !*word;
    }
    fclose(file);
    return count;
}

static void set_plan(const char *variable, const char *plan)
{
    if (plan)
        setenv(variable, plan, 1);
    else
        unsetenv(variable);
}

/* The address sanitizer's library wants to be the first one, which ours need not follow. */
static void allow_preload(void)
{
    static const char word[] = "verify_asan_link_order=0";
    const char *old = getenv("ASAN_OPTIONS");
    char options[1024];
    if (old && strstr(old, word))
        return;
    snprintf(options, sizeof options, "%.900s%s%s", old ? old : "", old ? ":" : "", word);
    setenv("ASAN_OPTIONS", options, 1);
}

void sim_preload(const char *variable, const char *name)
{
    char library[PATH_MAX];
    harness_program(variable, name, library);
    setenv("LD_PRELOAD", library, 1);
    allow_preload();
}

void sim_preload_end(void)
{
    unsetenv("LD_PRELOAD");
}

void sim_vsock_begin(const char *socket_plan, const char *bind_plan, const char *connect_plan)
{
    char path[PATH_MAX];
    sim_preload("FAKEVSOCK", "libfakevsock.so");
    snprintf(path, sizeof path, "%.2000s/" SIM_SOCKET, harness_dir());
    setenv("FAKEVSOCK_PATH", path, 1);
    snprintf(path, sizeof path, "%.2000s/" SIM_VSOCK_LOG, harness_dir());
    setenv("FAKEVSOCK_LOG", path, 1);
    set_plan("FAKEVSOCK_SOCKET", socket_plan);
    set_plan("FAKEVSOCK_BIND", bind_plan);
    set_plan("FAKEVSOCK_CONNECT", connect_plan);
}

void sim_vsock_end(void)
{
    static const char *const variables[] = {"FAKEVSOCK_PATH", "FAKEVSOCK_LOG", "FAKEVSOCK_SOCKET",
                                            "FAKEVSOCK_BIND", "FAKEVSOCK_CONNECT"};
    sim_preload_end();
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
}
