#include "rest_session.h"

#include "cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define SESSIONS_MAX 1024

struct session {
    unsigned number;
    char token[SIM_REST_TOKEN_BYTES];
};

struct sim_rest_sessions {
    pthread_mutex_t lock;
    struct session list[SESSIONS_MAX]; /* under lock, as the rest */
    size_t count;
    unsigned begun;
};

struct sim_rest_sessions *sim_rest_sessions_new(void)
{
    struct sim_rest_sessions *sessions = calloc(1, sizeof *sessions);
    if (sessions)
        pthread_mutex_init(&sessions->lock, NULL);
    return sessions;
}

void sim_rest_sessions_free(struct sim_rest_sessions *sessions)
{
    if (sessions)
        pthread_mutex_destroy(&sessions->lock);
    free(sessions);
}

static void make_token(char token[SIM_REST_TOKEN_BYTES])
{
    unsigned char bytes[(SIM_REST_TOKEN_BYTES - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort();
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(token + 2 * i, 3, "%02x", bytes[i]);
}

unsigned sim_rest_sessions_begin(struct sim_rest_sessions *sessions,
                                 char token[SIM_REST_TOKEN_BYTES])
{
    DS_LOCK_SCOPE(&sessions->lock);
    if (sessions->count == SESSIONS_MAX)
        return 0;
    struct session *session = &sessions->list[sessions->count++];
    session->number = ++sessions->begun;
    make_token(session->token);
    memcpy(token, session->token, sizeof session->token);
    return session->number;
}

static struct session *find(struct sim_rest_sessions *sessions, const char *token)
{
    for (size_t i = 0; token && i < sessions->count; i++) {
        if (!strcmp(sessions->list[i].token, token))
            return &sessions->list[i];
    }
    return NULL;
}

unsigned sim_rest_sessions_find(struct sim_rest_sessions *sessions, const char *token)
{
    DS_LOCK_SCOPE(&sessions->lock);
    const struct session *session = find(sessions, token);
    return session ? session->number : 0;
}

unsigned sim_rest_sessions_end(struct sim_rest_sessions *sessions, const char *token)
{
    DS_LOCK_SCOPE(&sessions->lock);
    struct session *session = find(sessions, token);
    unsigned number = session ? session->number : 0;
    if (session)
        *session = sessions->list[--sessions->count];
    return number;
}

void sim_rest_sessions_expire(struct sim_rest_sessions *sessions)
{
    DS_LOCK_SCOPE(&sessions->lock);
    sessions->count = 0;
}

bool sim_rest_sessions_last(struct sim_rest_sessions *sessions, char token[SIM_REST_TOKEN_BYTES])
{
    DS_LOCK_SCOPE(&sessions->lock);
    for (size_t i = 0; i < sessions->count; i++) {
        if (sessions->list[i].number != sessions->begun)
            continue;
        memcpy(token, sessions->list[i].token, SIM_REST_TOKEN_BYTES);
        return true;
    }
    return false;
}

size_t sim_rest_sessions_count(struct sim_rest_sessions *sessions)
{
    DS_LOCK_SCOPE(&sessions->lock);
    return sessions->count;
}
