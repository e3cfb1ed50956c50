#include "fault.h"

#include "clock.h"
#include "trouble.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#define TOLD(...) .told = {__VA_ARGS__}
#define BOTH(kind) .rest = (kind), .tools = (kind)

/* A server's error type, or status, that is an errno: no change has been made, and that is told. */
#define TYPE(type, ...)                                                                            \
    {                                                                                              \
        .name = type, .rest = "error=" type, .manner = MANNER_OWN, TOLD(__VA_ARGS__)               \
    }
#define STATUS(number, ...)                                                                        \
    {                                                                                              \
        .name = "status " #number, .rest = "status=" #number, .manner = MANNER_FROM,               \
        TOLD(__VA_ARGS__)                                                                          \
    }
/* The same where it is said to be busy: it is asked again until the deadline, which may come while
 * an answer is on its way. */
#define BUSY(words, kind)                                                                          \
    {                                                                                              \
        .name = (words), .rest = (kind), .manner = MANNER_OWN, .varies = true,                     \
        TOLD(EAGAIN, ETIMEDOUT)                                                                    \
    }
#define BEHIND_STATUS(number)                                                                      \
    {                                                                                              \
        .name = "status " #number " of a gateway, once, done", .rest = "status-after=" #number,    \
        .manner = MANNER_ONCE, .may_be_done = true, TOLD(EIO, ETIMEDOUT)                           \
    }
/* An error of the host's, and a failure of the whole request. */
#define ID(id, ...)                                                                                \
    {                                                                                              \
        .name = "error-id " id, .tools = "error=" id, .manner = MANNER_FROM, TOLD(__VA_ARGS__)     \
    }
#define RPC(text, ...)                                                                             \
    {                                                                                              \
        .name = "reply `0 " text "`", .tools = "rpc-error=" text, .manner = MANNER_FROM,           \
        TOLD(__VA_ARGS__)                                                                          \
    }
/* A reply that is in a file. To who asks for a DataSet's attributes any object is an answer. */
#define SAYS(file)                                                                                 \
    BOTH("say-after=" file), .manner = MANNER_FROM, .may_be_done = true, TOLD(EPROTO, EIO, EEXIST)
#define SAID(file, words)                                                                          \
    {                                                                                              \
        .name = (words), SAYS(file)                                                                \
    }

const struct fault faults[] = {
    {"refused", .trouble = &trouble_refused, .ways = IN_SIMULATED, TOLD(EHOSTUNREACH)},
    {"reset at connecting", .trouble = &trouble_reset, .ways = IN_SIMULATED,
     TOLD(EHOSTUNREACH, EIO)},
    {"closed, once", BOTH("close-before"), .manner = MANNER_ONCE},
    {"closed, once, done", BOTH("close"), .manner = MANNER_ONCE, .may_be_done = true},
    {"closed", BOTH("close-before"), .manner = MANNER_FROM, TOLD(EIO, EHOSTUNREACH)},
    {"closed, done", BOTH("close"), .manner = MANNER_FROM, .may_be_done = true,
     TOLD(EIO, EHOSTUNREACH)},
    {"closed after each request", .tools = "one-request", .manner = MANNER_FROM},
    {"reply cut at each byte, once", BOTH("drop-after"), .manner = MANNER_EACH_BYTE_ONCE,
     .may_be_done = true},
    {"reply cut at each byte", BOTH("drop-after"), .manner = MANNER_EACH_BYTE, .may_be_done = true,
     TOLD(EIO, EPROTO)},
    {"half a reply", BOTH("truncate"), .manner = MANNER_FROM, .may_be_done = true,
     TOLD(EPROTO, EIO)},
    {"silent", BOTH("never-reply-before"), .manner = MANNER_OWN, TOLD(ETIMEDOUT)},
    {"silent, done", BOTH("never-reply"), .manner = MANNER_OWN, .may_be_done = true,
     TOLD(ETIMEDOUT, EIO)},
    {"a byte a second", BOTH("slow=1000"), .manner = MANNER_OWN, .may_be_done = true,
     TOLD(ETIMEDOUT, EIO)},
    {"garbage", BOTH("garbage"), .manner = MANNER_FROM, .may_be_done = true, TOLD(EPROTO, EIO)},
    SAID("types", "wrong types"),
    SAID("deep", "deep nesting"),
    {"10 MiB for 1 KiB", SAYS("long"), .large = true},
    SAID("bytes", "bad UTF-8"),
    SAID("twice", "duplicate members"),
    {"another key's answer", .tools = "say-after=other", .manner = MANNER_OWN,
     .not_for = "mount ls write append truncate create unlink rename", TOLD(EPROTO, EIO)},
    {"10 MiB of JSON", .rest = "huge=10485760", .manner = MANNER_FROM, .may_be_done = true,
     .large = true, TOLD(EPROTO, EIO)},
    {"a header of 70,000 bytes", .rest = "header=70000", .manner = MANNER_FROM},
    {"redirected", .rest = "redirect=/login", .manner = MANNER_FROM, TOLD(EPROTO, EOPNOTSUPP)},
    {"session expired", .trouble = &trouble_session, .ways = IN_REST, .not_for = "mount `get`"},
    {"busy", BOTH("busy"), .manner = MANNER_OWN, .varies = true, TOLD(EAGAIN, ETIMEDOUT)},
    {"busy, come back in an hour", .rest = "retry-after=3600", .manner = MANNER_OWN, TOLD(EAGAIN)},
    STATUS(400, EINVAL),
    STATUS(401, EACCES),
    STATUS(403, EACCES),
    STATUS(404, ENOENT, ENODEV, EOPNOTSUPP),
    STATUS(405, EOPNOTSUPP),
    BUSY("status 409", "status=409"),
    STATUS(413, EFBIG),
    STATUS(414, ENAMETOOLONG),
    STATUS(418, EIO),
    BUSY("status 429", "status=429"),
    STATUS(500, EIO),
    STATUS(501, EOPNOTSUPP),
    STATUS(502, EIO),
    BUSY("status 503", "status=503"),
    STATUS(504, ETIMEDOUT, EIO),
    STATUS(507, ENOSPC),
    BEHIND_STATUS(502),
    BEHIND_STATUS(503),
    BEHIND_STATUS(504),
    TYPE("NOT_FOUND", ENOENT, ENODEV, ESTALE),
    TYPE("ALREADY_EXISTS", EEXIST),
    TYPE("RESOURCE_IN_USE", ENOTEMPTY),
    TYPE("UNAUTHORIZED", EACCES),
    TYPE("UNAUTHENTICATED", EACCES),
    TYPE("INVALID_ARGUMENT", EINVAL),
    TYPE("UNEXPECTED_INPUT", EINVAL),
    TYPE("INVALID_ELEMENT_CONFIGURATION", EINVAL),
    TYPE("INVALID_ELEMENT_TYPE", EINVAL),
    TYPE("INVALID_REQUEST", EINVAL),
    TYPE("UNABLE_TO_ALLOCATE_RESOURCE", ENOSPC),
    TYPE("NOT_ALLOWED_IN_CURRENT_STATE", EBUSY),
    TYPE("ALREADY_IN_DESIRED_STATE", EBUSY),
    TYPE("FEATURE_IN_USE", EBUSY),
    BUSY("CONCURRENT_CHANGE", "error=CONCURRENT_CHANGE"),
    BUSY("SERVICE_UNAVAILABLE", "error=SERVICE_UNAVAILABLE"),
    TYPE("UNSUPPORTED", EOPNOTSUPP),
    TYPE("OPERATION_NOT_FOUND", EOPNOTSUPP),
    TYPE("TIMED_OUT", ETIMEDOUT, EIO),
    TYPE("CANCELED", EIO),
    TYPE("RESOURCE_INACCESSIBLE", EIO),
    TYPE("INTERNAL_SERVER_ERROR", EIO),
    TYPE("UNVERIFIED_PEER", EACCES),
    TYPE("ERROR", EIO),
    TYPE("SOMETHING_NEW", EIO),
    ID("not-found", ENOENT, ESTALE),
    ID("already-exists", EEXIST),
    ID("permission-denied", EACCES),
    ID("invalid-argument", EINVAL),
    ID("unable-to-allocate-resource", ENOSPC),
    ID("not-allowed-in-current-state", EBUSY),
    ID("unsupported", EOPNOTSUPP),
    ID("timed-out", EIO),
    ID("internal-error", EIO),
    RPC("Unknown command", EOPNOTSUPP),
    RPC("Permission denied", EACCES),
    RPC("disabled", EOPNOTSUPP),
    {"DataSet read-only", .trouble = &trouble_read_only, .ways = IN_ALL,
     .not_for = "mount stat ls read mkdir rmdir `get`", TOLD(EACCES)},
    {"store file locked", .trouble = &trouble_locked, .ways = IN_LOCAL,
     .not_for = "mount stat ls read `get`", .varies = true, TOLD(EAGAIN, ETIMEDOUT)},
    {"disk full", .trouble = &trouble_full, .ways = IN_LOCAL,
     .not_for = "mount stat ls read unlink rmdir `get`", .varies = true, .may_work = true,
     TOLD(ENOSPC)},
    {"store stopped", .trouble = &trouble_store_stopped, .ways = IN_SIMULATED, .may_be_done = true,
     .varies = true, TOLD(ETIMEDOUT, EIO)},
    {"daemon stopped and continued", .trouble = &trouble_daemon_stopped, .ways = IN_ALL,
     .not_for = "mount `get`"},
    /* A connection that is made then finds a certificate that is not valid. */
    {"clock ten years ahead", .trouble = &clock_ahead, .ways = IN_ALL,
     .not_for = "mount stat ls read `get`", TOLD(EACCES)},
    {"clock ten years back", .trouble = &clock_back, .ways = IN_ALL,
     .not_for = "mount stat ls read `get`", TOLD(EACCES)},
    {"no descriptor left", .trouble = &trouble_descriptors, .ways = IN_SIMULATED,
     .not_for = "mount `get`", .varies = true, TOLD(EHOSTUNREACH, EIO)},
    {"1,000 signals a second, daemon", .trouble = &trouble_daemon_signals, .ways = IN_ALL,
     .not_for = "mount `get`"},
    {"1,000 signals a second, caller", .trouble = &trouble_caller_signals, .ways = IN_ALL,
     .not_for = "mount `get`", .may_be_done = true, .varies = true, .may_work = true,
     TOLD(EINTR, EIO)},
};

const size_t fault_count = sizeof faults / sizeof *faults;

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = words; at && (at = strstr(at, word)); at += len)
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

bool fault_concerns(const struct fault *fault, const struct operation *operation, enum way way)
{
    unsigned ways =
        fault->trouble ? fault->ways : (fault->tools ? IN_TOOLS : 0) | (fault->rest ? IN_REST : 0);
    return (ways & operation->ways & IN(way)) && !has_word(fault->not_for, operation->name);
}

/* Replies as files. */

static void write_reply(const char *path, const char *text)
{
    assert_int_equal(harness_write(path, O_CREAT | O_EXCL, text), 0);
}

/* So many times `text`, for the caller to free. */
static char *repeated(const char *text, size_t count)
{
    size_t len = strlen(text);
    char *out = malloc(len * count + 1);
    assert_non_null(out);
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * len, text, len);
    out[len * count] = '\0';
    return out;
}

/* `begin`, so many times `text`, `end`. */
static void write_long(const char *path, const char *begin, const char *text, size_t count,
                       const char *end)
{
    char *middle = repeated(text, count), *all = NULL;
    assert_true(asprintf(&all, "%s%s%s", begin, middle, end) > 0);
    write_reply(path, all);
    free(middle);
    free(all);
}

#define JSON "200 application/json\n"
#define MEMBERS(value)                                                                             \
    "\"datasets\":" value ",\"keys\":" value ",\"entries\":" value ",\"description\":" value

void fault_write_replies(enum way way)
{
    enum { DEEP = 100000, LONG = 10 * 1024 * 1024 };
    if (IN(way) & IN_REST) {
        write_reply("types", JSON "{\"value\":1}");
        write_long("deep", JSON, "[", DEEP, "");
        write_long("long", JSON "[\"", "x", LONG, "\"]");
        write_reply("bytes", JSON "\"\xff\xfe\xc3\"");
        write_reply("twice", JSON "{\"name\":\"app\",\"name\":\"few\",\"vm\":\"1\",\"vm\":\"2\"}");
    } else if (IN(way) & IN_TOOLS) {
        write_reply("types", "1 {\"result\":\"true\"," MEMBERS("1") "}");
        write_long("deep", "1 {\"result\":true,\"entries\":", "[", DEEP, "");
        write_long("long", "1 {\"result\":true,\"keys\":[\"", "x", LONG, "\"]}");
        write_reply("bytes", "1 {\"result\":true," MEMBERS("\"\xff\xfe\xc3\"") "}");
        write_reply("twice", "1 {\"result\":true,\"result\":false," MEMBERS("[]") "}");
        write_reply("other", "1 {\"result\":true,\"entries\":[{\"another\":\"theirs\"}]}");
    }
}
