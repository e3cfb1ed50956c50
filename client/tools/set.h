/* Setting and appending, also what is too long for one message.
 *
 * A long value goes as a set and appends, cut between code points and measured as it stands in the
 * message. Once the first part is there, no cancellation ends it. */
#ifndef DS_TOOLS_SET_H
#define DS_TOOLS_SET_H

#include "commands.h"

/* Operations of struct ds_client_ops.
 *
 * A long set that breaks is begun once more, since its first part replaces whatever stands there;
 * then the value is read back, once, and compared. If it still breaks, is refused half-way or
 * differs, `previous` is put back (and read back, if it is long too), or the key removed, and the
 * error returned with words that say what stands there now. Where putting back fails the result is
 * -EIO, or -ETIMEDOUT if the time is over. With -EIO the call's `sent` is ANSWERED, for nothing can
 * be concluded from the value that stands there; otherwise ANSWERED says that `previous` does, or
 * that nothing was changed, and MAYBE that a part of the new value may. */
int ds_set_entry(struct ds_client *client, struct ds_call *call, const char *dataset,
                 const char *key, const char *data, size_t len, const struct ds_previous *previous);

/* As many of the pairs as a message holds; none, and nothing is sent, if the first does not fit. */
int ds_set_some(struct ds_client *client, struct ds_call *call, const char *dataset,
                struct ds_pair *pairs, size_t count, size_t *done);

/* A long append reads the value first. If it breaks once, what stands there tells where to go on.
 * If it breaks again it is -EIO with DS_SENT_MAYBE. What the host refuses half-way is taken back by
 * setting the first value again, or -EIO with DS_SENT_ANSWERED where that fails too. */
int ds_set_append(struct ds_client *client, struct ds_call *call, const char *dataset,
                  const char *key, const char *data, size_t len);

#endif
