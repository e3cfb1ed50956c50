/* A store on a small disk. */
#include "small_disk.h"

#include "contract.h"
#include "target.h"

#include <sched.h>
#include <sys/mount.h>

char *small_disk_mount(const char *options)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        skip();
    char *directory = contract_make_directory();
    assert_int_equal(mount("small", directory, "tmpfs", 0, options), 0);
    return directory;
}

void small_disk_end(char *directory)
{
    assert_int_equal(umount2(directory, MNT_DETACH), 0);
    contract_remove_directory(directory);
}

struct ds_client *small_disk_open(const char *directory, struct ds_call *call)
{
    struct ds_client *client = NULL;
    struct ds_attributes none = {0};
    ds_call_init(call, 60000);
    assert_int_equal(contract_open_local(directory, DS_SIDE_HOST, call, &client), 0);
    assert_non_null(client);
    assert_int_equal(ds_client_create(client, call, "d", &none), 0);
    return client;
}
