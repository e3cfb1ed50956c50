/* The lines of a reply's head. */
#include "reply_head.h"

#include <string.h>

/* An empty line ends a head. One that follows (after 100, say) begins anew, with a status line. */
size_t ds_reply_head_take(char *line, size_t size, size_t count, void *head)
{
    static const char version[] = "HTTP/";
    struct ds_reply_head *taken = head;
    size_t len = size * count;
    if (len >= sizeof version - 1 && memcmp(line, version, sizeof version - 1) == 0)
        taken->whole = false;
    else if ((len == 1 && line[0] == '\n') || (len == 2 && line[0] == '\r' && line[1] == '\n'))
        taken->whole = true;
    return len;
}
