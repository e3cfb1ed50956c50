/* Who may use a fetched value. */
#include "open_ticket.h"

#include "call.h"

void fs_ticket_give(struct fs_node *node, pid_t tid)
{
    node->ticket.tid = tid;
    node->ticket.until_ms = ds_call_now_ms() + FS_FRESH_MS;
}

void fs_ticket_expect(struct fs_node *node)
{
    node->ticket.coming = true;
}

void fs_ticket_expected(struct fs_node *node, int64_t asked_ms, bool came)
{
    node->ticket.coming = false;
    if (!came)
        return;
    node->ticket.asked_ms = asked_ms;
    node->ticket.ahead_ms = node->seen.fetched_ms;
    node->ticket.ahead_stat = node->ticket.ahead_open = true;
}

bool fs_ticket_is_expected(const struct fs_node *node)
{
    return node->ticket.coming;
}

bool fs_ticket_waits(const struct fs_node *node, enum fs_ticket_use use, int64_t since_ms)
{
    bool left = use == FS_TICKET_STAT ? node->ticket.ahead_stat : node->ticket.ahead_open;

    return left && node->ticket.asked_ms >= since_ms &&
           ds_call_now_ms() - node->ticket.ahead_ms <= FS_TICKET_AHEAD_MS;
}

bool fs_ticket_take_ahead(struct fs_node *node, enum fs_ticket_use use, int64_t since_ms)
{
    if (node->seen.value == NULL || !fs_ticket_waits(node, use, since_ms))
        return false;
    *(use == FS_TICKET_STAT ? &node->ticket.ahead_stat : &node->ticket.ahead_open) = false;
    return true;
}

bool fs_ticket_take(struct fs_node *node, pid_t tid)
{
    bool own = node->ticket.tid == tid && tid != 0 && ds_call_now_ms() <= node->ticket.until_ms &&
               node->seen.value != NULL;

    node->ticket.tid = 0;
    return own;
}

bool fs_ticket_came_ahead(const struct fs_node *node)
{
    return node->ticket.ahead_ms != 0 && node->ticket.ahead_ms == node->seen.fetched_ms;
}

void fs_ticket_void(struct fs_node *node)
{
    node->ticket.tid = 0;
    node->ticket.ahead_ms = 0;
    node->ticket.ahead_stat = node->ticket.ahead_open = false;
}
