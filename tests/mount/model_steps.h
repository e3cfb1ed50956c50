/* The steps: each does one thing to the mount and to the model, and compares. */
#ifndef MODEL_STEPS_H
#define MODEL_STEPS_H

#include "model_run.h"

#define MODEL_LARGE 20000 /* values that are soon cut, since each commit sends all of them */

void model_step_open(struct model_handle *handle); /* a free one */
void model_step_close(struct model_handle *handle);
void model_step_fsync(struct model_handle *handle);
void model_step_unlink(void);
void model_step_rename(void);
void model_step_truncate(void);

/* On a handle that may write. */
void model_step_write(struct model_handle *handle);
void model_step_blocks(struct model_handle *handle);
void model_step_ftruncate(struct model_handle *handle);

/* An open makes final what waits, and finds nothing if that is refused: its writer is told why. */
bool model_refuses_creation(const struct model_file *file, int got);

/* One write as it was rolled. */
struct model_put {
    off_t offset; /* where it is to go */
    bool moves;   /* by write(2), at the handle's position */
    struct ds_buf data;
    int expected;
};

/* The length of what a write starts from. */
size_t model_base(const struct model_file *file);

/* A length as programs write: mostly short. */
size_t model_length(void);

/* Adds letters until the end of what is replaced cuts no code point. */
void model_align(const struct model_file *file, struct model_put *put);

/* The bytes were written. */
void model_put(struct model_file *file, size_t offset, const char *data, size_t len);

#endif
