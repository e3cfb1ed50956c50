/* A request whose caller is interrupted or dies. */
#ifndef FS_INTERRUPT_H
#define FS_INTERRUPT_H

#include "request.h"

/* True if a fatal signal waits for the caller, or it is gone. */
bool fs_interrupt_is_dying(const struct fs_request *request);

/* Of an interrupted request: true if it is to end, since its caller dies or has been patient for
 * long enough. */
bool fs_interrupt_is_due(const struct fs_request *request);

/* Lets a request that runs wait for nothing any more. True if it goes on alone: it has been replied
 * to (fs_reply_early()). */
bool fs_interrupt_end(struct fs_request *request);

#endif
