/* What mounts say, compared with what their store holds, when all who have written are gone. */
#ifndef AGREEMENT_H
#define AGREEMENT_H

#include <stdbool.h>

/* Takes away the temporary files that the mount holds back, and directories of locks. False if some
 * stay, of DataSets that are gone. */
bool agreement_settle(const char *point);

/* Waits until the mount shows just the DataSets, keys and values of the store, which both sides may
 * read; fails the test, and says where they differ, if that never comes. How many keys. */
unsigned long agreement_wait(const char *point);

/* Fails the test unless the store's file is whole. */
void agreement_assert_sound(void);

#endif
