/* Text that somebody else has chosen, on its way to a terminal. */
#ifndef DS_TEXT_H
#define DS_TEXT_H

/* Replaces, in place, each character that a terminal would obey or that would hide or reorder
 * others by '?': C0 and C1 controls and DEL, bytes that are not UTF-8, the controls of directions,
 * line and paragraph separators, and what has no width and no ink. The text gets shorter or stays
 * as long. */
void ds_text_clean(char *text);

#endif
