/* Who follows an order of names. */
#include "reader.h"

#include "call.h"
#include "kernel/process.h"

#include <string.h>

enum {
    /* So many names may be left out. */
    SKIPPED = 16,

    /* How often it may come to one: LOOKUP, GETATTR and OPEN, each begun anew by a worker. */
    LOOKS = 8
};

static bool knows_session(const struct fs_reader_sessions *sessions, pid_t session)
{
    for (size_t i = 0; i < FS_READER_SESSIONS && i < sessions->noted; i++)
        if (sessions->latest[i] == session)
            return true;
    return false;
}

void fs_reader_session_lists(struct fs_reader_sessions *sessions, pid_t tid)
{
    pid_t session = tid != 0 ? fs_process_session(tid) : -1;

    if (session >= 0 && !knows_session(sessions, session))
        sessions->latest[sessions->noted++ % FS_READER_SESSIONS] = session;
}

bool fs_reader_session_listed(const struct fs_reader_sessions *sessions, pid_t tid)
{
    return tid != 0 && knows_session(sessions, fs_process_session(tid));
}

struct fs_reader *fs_readers_find(struct fs_readers *readers, pid_t id, bool children)
{
    for (size_t i = 0; readers != NULL && id != 0 && i < FS_READERS; i++)
        if (readers->all[i].id == id && readers->all[i].children == children)
            return &readers->all[i];
    return NULL;
}

struct fs_reader *fs_readers_begin(struct fs_readers *readers, pid_t id, bool children)
{
    struct fs_reader *place = fs_readers_find(readers, id, children);

    if (place == NULL) {
        place = &readers->all[0];
        for (size_t i = 1; i < FS_READERS; i++)
            if (readers->all[i].at_ms < place->at_ms)
                place = &readers->all[i];
    }
    fs_listing_unref(place->own);
    *place = (struct fs_reader){.id = id, .children = children};
    place->since_ms = place->at_ms = ds_call_now_ms();
    return place;
}

struct fs_reader *fs_readers_enter(struct fs_readers *readers,
                                   const struct fs_reader_sessions *sessions, pid_t tid)
{
    struct fs_reader *reader = fs_readers_find(readers, tid, false);

    if (reader != NULL || !fs_reader_session_listed(sessions, tid))
        return reader;
    reader = fs_readers_begin(readers, tid, false);
    reader->parent = fs_process_parent(tid);
    return reader;
}

void fs_readers_clear(struct fs_readers *readers)
{
    for (size_t i = 0; i < FS_READERS; i++)
        fs_listing_unref(readers->all[i].own);
    memset(readers, 0, sizeof(*readers));
}

bool fs_reader_goes_on(struct fs_reader *reader, size_t index)
{
    reader->looks = reader->next == index + 1 ? reader->looks + 1 : 0;
    reader->next = index + 1;
    return reader->looks < LOOKS;
}

static bool reader_comes(struct fs_reader *reader, size_t index, int64_t now_ms)
{
    bool paused = now_ms - reader->at_ms > FS_READER_PAUSE_MS;
    unsigned run = reader->run;

    if (index + 1 == reader->next)
        run = paused ? 1 : run; /* still there */
    else if (paused || reader->next == 0 || (index == 0 && run > 0))
        run = 1;
    else if (run > 0 && index == reader->next)
        run++;
    else if (run < 2 || index < reader->next || index - reader->next > SKIPPED)
        run = 0;
    else
        run = 2;
    if (run == 2 && reader->run == 1 && !reader->led)
        reader->since_ms = now_ms;
    if (run < 2)
        reader->led = false;
    reader->at_ms = now_ms;
    reader->run = run;
    return fs_reader_goes_on(reader, index) && run >= 2;
}

/* The children of a process come to a key by this one, which follows itself if `own_order`. True if
 * they follow; then `*since_ms` is when they began. */
static bool children_come(struct fs_readers *readers, struct fs_reader *children,
                          const struct fs_reader *own, size_t index, bool own_order,
                          int64_t *since_ms)
{
    const struct fs_reader *parent = fs_readers_find(readers, children->id, false);

    if (own_order && (children->run < 2 || index > children->next || index + 1 < children->next)) {
        if (children->run == 1 && index == children->next) { /* the next one goes on behind it */
            children->next = index + 1;
            children->at_ms = ds_call_now_ms();
            children->since_ms = own->since_ms;
            children->led = true;
        }
        return false;
    }
    if (!reader_comes(children, index, ds_call_now_ms()))
        return false;
    /* [ -f "$f" ] && cat "$f": the parent walks, and has just been there. */
    *since_ms = parent != NULL && (parent->lists || parent->run >= 2) && parent->next == index + 1
                    ? parent->since_ms
                    : children->since_ms;
    return true;
}

/* The reader comes to a name before the last one: if that is near, it goes the other way from
 * there. A few names may be left out at that: the kernel knows them since just now. */
static void go_back(struct fs_reader *reader, struct fs_step *step, size_t last)
{
    size_t back_by = reader->next - 1 - step->index;

    if (back_by > SKIPPED)
        return;
    reader->run = 1;
    reader->back = !reader->back;
    step->index = last - step->index;
    reader->next = back_by == 1 ? step->index : step->index + 1;
}

void fs_reader_turn(struct fs_reader *reader, struct fs_step *step)
{
    size_t last = step->listing->names.count - 1;

    if (reader->back)
        step->index = last - step->index;
    if (reader->run == 0 && reader->next > 0)
        reader->run = 1;
    if (reader->run > 0 && step->index + 1 < reader->next)
        go_back(reader, step, last);
    step->back = reader->back;
}

bool fs_readers_follow(struct fs_readers *readers, struct fs_reader *own, struct fs_step *step)
{
    bool first = own->next == 0 || (own->run == 1 && own->next == step->index + 1);
    bool follows = reader_comes(own, step->index, ds_call_now_ms());
    struct fs_reader *children = !own->back ? fs_readers_find(readers, own->parent, true) : NULL;

    if (children == NULL && first && !own->back && own->parent != 0)
        children = fs_readers_begin(readers, own->parent, true);
    if (children != NULL && (first || follows) &&
        children_come(readers, children, own, step->index, follows, &step->since_ms)) {
        step->reader = children->id;
        step->children = true;
        step->run = children->run;
        return true;
    }
    step->since_ms = own->since_ms;
    step->reader = own->id;
    step->children = false;
    step->run = own->run;
    return follows;
}

bool fs_reader_place(const struct fs_listing *listing, size_t expected, const char *name,
                     size_t *index)
{
    size_t low = 0, high = listing->names.count;

    if (expected < high && strcmp(listing->names.names[expected], name) == 0) {
        *index = expected;
        return true;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(listing->names.names[middle], name);

        *index = middle;
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
