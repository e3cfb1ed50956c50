/* What of a list can be a name. */
#ifndef DS_LISTED_H
#define DS_LISTED_H

#include "dataset.h"

#include <stdbool.h>

/* Takes out of `names` what can be no DataSet's name, or no key's if `keys`: no UTF-8, too long, a
 * DataSet's that is empty; these are counted as left out. What is told twice stays once. The order
 * stays. 0 or -ENOMEM, then nothing has changed. */
int ds_listed_check(struct ds_names *names, bool keys);

#endif
