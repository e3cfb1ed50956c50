/* Who has logged in to the REST interface. */
#ifndef SIM_REST_SESSION_H
#define SIM_REST_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#define SIM_REST_TOKEN_BYTES 33 /* 32 hexadecimal digits and a NUL */

struct sim_rest_sessions;

struct sim_rest_sessions *sim_rest_sessions_new(void);
void sim_rest_sessions_free(struct sim_rest_sessions *sessions);

/* Begins a session and returns its number, from 1 on; 0 if there are too many. */
unsigned sim_rest_sessions_begin(struct sim_rest_sessions *sessions,
                                 char token[SIM_REST_TOKEN_BYTES]);

/* The number of the token's session; 0: none. NULL is no token. */
unsigned sim_rest_sessions_find(struct sim_rest_sessions *sessions, const char *token);

/* Ends the token's session and returns its number; 0: there is none. */
unsigned sim_rest_sessions_end(struct sim_rest_sessions *sessions, const char *token);

/* Ends all. */
void sim_rest_sessions_expire(struct sim_rest_sessions *sessions);

/* The token of the session begun last; false if there is none any more. */
bool sim_rest_sessions_last(struct sim_rest_sessions *sessions, char token[SIM_REST_TOKEN_BYTES]);

/* How many there are. */
size_t sim_rest_sessions_count(struct sim_rest_sessions *sessions);

#endif
