/* The mount under test beside the model: what each step should answer, faults of the store, and how
 * both come to agree again after one.
 *
 * A fault is a refusal: the store says no and has done nothing. When one has struck, the step may
 * fail with its errno, or a later one on a handle whose data was lost; somebody must be told. Then
 * the model takes over what the store holds, which must be something it may hold. When none has
 * struck, all must be as the model says. */
#ifndef MODEL_RUN_H
#define MODEL_RUN_H

#include "model.h"

#define MODEL_PATH_BYTES 32
#define MODEL_CUT_SHORT (-1) /* the result of a write that stopped before its end */

/* Before the first step; `faults`: the store is the simulated host and may refuse. */
void model_run_begin(bool faults);

/* Says that the steps are done, and how many faults struck. Without it, model_run_end() shows the
 * last steps. */
void model_run_done(void);
void model_run_end(void);

/* How many steps were begun. */
unsigned long model_run_steps(void);

/* Begins a step; the words are shown if it fails. */
void model_step(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* More words for the same step. */
void model_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

_Noreturn void model_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

const char *model_dataset(unsigned key);
const char *model_name(unsigned key);
void model_path(char path[MODEL_PATH_BYTES], unsigned key);

/* Lets the store refuse one of the next requests, or the next change of a value. */
enum model_arm { MODEL_ARM_ANY, MODEL_ARM_WRITES };
void model_arm(enum model_arm what);
void model_disarm(void);

/* True if the fault has struck, which model_verdict() has not heard of yet. */
bool model_struck(void);

/* Compares the errnos (0: success). True if the step went as expected and no fault struck; false
 * if one did: the model has then taken over what the store holds. */
bool model_verdict(int expected, int got);

/* `handle` holds back a part of a code point: until model_cut_closed() an EILSEQ is its due. */
void model_cut_open(struct model_handle *handle);
void model_cut_closed(void);

/* Takes over what the store holds; a creation or truncation that waited for data and is not there
 * counts as refused. True if that is another value than the file's. */
bool model_resync(struct model_file *file);

/* True if that value (NULL: none) is what the file has. */
bool model_stored_is(const struct model_file *file, const char *stored);

/* The store holds just the content, and may hold nothing else from now on. */
void model_check_store(struct model_file *file);

/* What must be in the store now, after a close or an fsync, is there. */
void model_check_committed(struct model_file *file);

/* Everything that the file shows, through a handle that may read. */
void model_check_content(const struct model_handle *handle);

/* True if the store has an empty value there, or a fault has struck. */
bool model_emptied_or_struck(const struct model_file *file);

/* The kernel asks for the attributes, whatever it remembers; they must be right, soon: a release
 * that was refused may not have come to its end. It forgets pages:
 * those of a file that was open while gathered data was lost still show that. */
void model_refresh(const struct model_file *file);

#endif
