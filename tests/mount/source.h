/* The store of a test as one of the kinds of SOURCE reaches it, for commands in shells. */
#ifndef SOURCE_H
#define SOURCE_H

/* From now on the shells of the test find it in $S, and in $O its options with `options` behind
 * them: over "local", "tools" or "rest", whose simulator is started unless it runs. */
void source_use(const char *kind, const char *options);

#endif
