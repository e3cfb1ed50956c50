/* The table as Markdown, and the one in SECURITY.md. */
#ifndef FAULTS_DOCUMENT_H
#define FAULTS_DOCUMENT_H

#include "cell.h"
#include "fault.h"

/* Cells by fault and operation. */
struct document {
    enum way way;
    struct cell *cells; /* fault_count rows of operation_count */
};

struct cell *document_cell(const struct document *document, size_t fault, size_t operation);

/* A section: its title, the table, and how many changes were lost or stood there twice; for the
 * caller to free. */
char *document_print(const struct document *document, unsigned long lost, unsigned long twice);

/* True if the document has as many rows as we have: none of a fault that is gone. */
bool document_has_rows(const char *section, enum way way);

/* The section of this way in SECURITY.md, for the caller to free; NULL if there is none. Run from
 * the root of the source tree. */
char *document_read(enum way way);

/* The text of a cell in a section (NULL: none), for the caller to free; NULL if there is none. */
char *document_find(const char *section, const struct fault *fault, enum way way,
                    const struct operation *operation);

#endif
