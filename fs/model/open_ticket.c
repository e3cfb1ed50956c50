/* Who may use a fetched value. */
#include "open_ticket.h"

#include "call.h"

void fs_ticket_give(struct fs_node *node, pid_t tid)
{
    node->ticket.tid = tid;
    node->ticket.until_ms = ds_call_now_ms() + FS_FRESH_MS;
}

void fs_ticket_give_ahead(struct fs_node *node, pid_t tid)
{
    node->ticket.ahead_ms = node->seen.fetched_ms;
    node->ticket.ahead_tid = tid;
    node->ticket.ahead_stat = node->ticket.ahead_open = true;
}

static bool came_for(const struct fs_node *node, pid_t tid)
{
    return tid != 0 && node->ticket.ahead_tid == tid &&
           ds_call_now_ms() - node->ticket.ahead_ms <= FS_TICKET_AHEAD_MS;
}

bool fs_ticket_waits(const struct fs_node *node, pid_t tid)
{
    return node->ticket.ahead_stat && came_for(node, tid);
}

bool fs_ticket_take_ahead(struct fs_node *node, pid_t tid, enum fs_ticket_use use)
{
    bool *left = use == FS_TICKET_STAT ? &node->ticket.ahead_stat : &node->ticket.ahead_open;
    bool takes = *left && node->seen.value != NULL && came_for(node, tid);

    if (takes)
        *left = false;
    return takes;
}

bool fs_ticket_take(struct fs_node *node, pid_t tid)
{
    bool ahead = fs_ticket_take_ahead(node, tid, FS_TICKET_OPEN);
    bool own = node->ticket.tid == tid && tid != 0 && ds_call_now_ms() <= node->ticket.until_ms &&
               node->seen.value != NULL;

    node->ticket.tid = 0;
    return ahead || own;
}

bool fs_ticket_came_ahead(const struct fs_node *node)
{
    return node->ticket.ahead_ms == node->seen.fetched_ms;
}

void fs_ticket_void(struct fs_node *node)
{
    node->ticket.tid = 0;
    node->ticket.ahead_stat = node->ticket.ahead_open = false;
}
