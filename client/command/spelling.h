/* DATASET and KEY as people write them: as a mount shows them. */
#ifndef DS_SPELLING_H
#define DS_SPELLING_H

#include "dataset.h"
#include "session.h"

/* The name of the DataSet that the command line's word means, new in `*out`; one that is shown
 * shortened is looked for in the list. The status; what went wrong is told. */
enum ds_status ds_spelling_dataset(struct ds_session *session, const char *word, char **out);

/* The same for all words, or all DataSets that there are if there is none; `out` is cleared by the
 * caller in any case. */
enum ds_status ds_spelling_datasets(struct ds_session *session, struct ds_names *out);

/* The same for a key of that DataSet. */
enum ds_status ds_spelling_key(struct ds_session *session, const char *dataset, const char *word,
                               char **out);

/* The same for the words from the second one on; `out` is cleared by the caller in any case. */
enum ds_status ds_spelling_keys(struct ds_session *session, const char *dataset,
                                struct ds_names *out);

#endif
