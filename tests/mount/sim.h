/* The simulated host (tests/sim) as a child of the running test, on the store "s.db".
 *
 * One runs at a time. The harness stops it after the test's daemons and fails the test unless it
 * ends with status 0, its sockets removed and no sanitizer's report printed. */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SIM_SOCKET "rpc" /* in the test's directory, as the rest */
#define SIM_CONTROL "control"
#define SIM_LOG "sim.log"

/* Starts it with these further arguments (ending in NULL; NULL: none) and waits until it listens.
 */
void sim_start(const char *const *arguments);
bool sim_runs(void);

/* Ends it by SIGTERM, or by SIGKILL, which leaves its sockets there. Fails the test unless it ends
 * as it should. */
void sim_stop(void);
void sim_kill(void);

/* For the harness: like sim_stop(), but false instead of a failed test; true if none runs. */
bool sim_end(void);

/* "tools:unix=" and the socket, absolute. Valid until the next call. */
const char *sim_source(void);

/* For the harness: what a mount with these options (NULL: none) is to go over, as
 * DATASETFS_TEST_SOURCE says; `others` then gets the options without the side. */
enum sim_way {
    SIM_WAY_NONE,
    SIM_WAY_TOOLS,
    SIM_WAY_REST,
    SIM_WAY_MACHINES,     /* a machine of the inventory of a directory */
    SIM_WAY_REST_MACHINES /* of a vCenter's */
};
enum sim_way sim_choose_way(const char *options, char *others, size_t size);

/* Adds a fault to those that there are; removes all; how often faults have struck so far, and how
 * often one has ended a connection in a head or in TLS. */
void sim_fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sim_clear(void);
uint64_t sim_fired(void);
uint64_t sim_cuts(void);

/* Sends a line to the control socket; the answer without its newline is valid until the next. */
const char *sim_control(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Lines of the log that hold all of these words; NULL ends them. */
#define sim_log_count(...) sim_log_count_all((const char *const[]){__VA_ARGS__, NULL})
size_t sim_log_count_all(const char *const *words);

/* From now on until sim_vsock_end() or the test's end, programs that this test starts find the
 * simulator behind AF_VSOCK (tests/sim/fakevsock.c) and write what they do with it to "vsock.log".
 * The plans, such as "EADDRINUSE:3" or "EADDRINUSE:3@datasetfs", are for the first calls of each
 * program, or of that one; NULL: all succeed. */
void sim_vsock_begin(const char *socket_plan, const char *bind_plan, const char *connect_plan);
void sim_vsock_end(void);

#define SIM_VSOCK_LOG "vsock.log"

/* What is started from now on, until sim_preload_end(), has the library `name` of this build in it
 * ($VARIABLE: another). */
void sim_preload(const char *variable, const char *name);
void sim_preload_end(void);

#endif
