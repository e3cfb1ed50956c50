/* A DataSet's attributes as JSON. */
#include "attributes.h"

#include "cleanup.h"

json_t *ds_attributes_object(const char *name, const struct ds_attributes *attributes)
{
    struct ds_buf text DS_CLEANUP(ds_buf_free) = {0};

    if (ds_attributes_to_json(name, attributes, &text) != 0)
        return NULL;
    return json_loadb(text.data, text.len, 0, NULL);
}
