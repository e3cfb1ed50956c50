/* Editors and tools as people run them: the right keys at the end, one set of each, and no
 * temporary name ever in the store. */
#include "harness.h"

#include "peer.h"
#include "shell.h"
#include "stats.h"

#include <stdio.h>

#define LATER "scratch_delay=3600"

/* A tool, run in the DataSet with its "k" holding "alpha" and "beta"; what remains then. */
struct row {
    const char *program; /* is skipped if it is missing */
    const char *command; /* makes "alpha" to "ALPHA" */
    unsigned sets, removes;
    const char *keys; /* as `ls -A` shows them */
};

#define OLD "alpha\nbeta\n"
#define NEW "ALPHA\nbeta\n"

#define VIM(settings)                                                                              \
    "vim -u NONE -N -es --cmd 'set backupskip= " settings "' -c '%s/alpha/ALPHA/' -c wq k"

static const struct row rows[] = {
    {"sed", "sed -i s/alpha/ALPHA/ k", 1, 0, "k\n"},
    /* Not a temporary name: the backup is a key at once, and so are both steps of its rename. */
    {"sed", "sed -i.bak s/alpha/ALPHA/ k", 2, 1, "k\nk.bak\n"},
    {"sed", "sed -i'*~' s/alpha/ALPHA/ k", 1, 0, "k\nk~\n"},
    {"perl", "perl -pi -e s/alpha/ALPHA/ k", 1, 0, "k\n"},
    {"vim", VIM("noswapfile nobackup nowritebackup"), 1, 0, "k\n"},
    {"vim", VIM("noswapfile nobackup writebackup backupcopy=no"), 1, 0, "k\n"},
    {"vim", VIM("noswapfile nobackup writebackup backupcopy=auto"), 1, 0, "k\n"},
    {"vim", VIM("swapfile nobackup nowritebackup"), 1, 0, "k\n"},
    {"vim", VIM("swapfile nobackup writebackup backupcopy=no"), 1, 0, "k\n"},
    {"vim", VIM("swapfile backup backupcopy=no"), 1, 0, "k\nk~\n"},
    {"sed", "sed s/alpha/ALPHA/ k > ../../new; mv k k~; cat ../../new > k", 1, 0, "k\nk~\n"},
    {"rsync", "sed s/alpha/ALPHA/ k > ../../k; rsync -a --ignore-times ../../k k", 1, 0, "k\n"},
    {"rsync", "sed s/alpha/ALPHA/ k > ../../k; rsync -ab --ignore-times ../../k k", 1, 0,
     "k\nk~\n"},
    {"python3",
     "python3 - <<E\n"
     "import os, tempfile\n"
     "with tempfile.NamedTemporaryFile('w', dir='.', delete=False) as f:\n"
     "    f.write(open('k').read().replace('alpha', 'ALPHA'))\n"
     "os.chmod(f.name, 0o644)\n"
     "os.rename(f.name, 'k')\n"
     "E",
     1, 0, "k\n"},
    /* Ansible: closed empty, opened again with O_TRUNC. */
    {"python3",
     "python3 - <<E\n"
     "import os, tempfile\n"
     "fd, name = tempfile.mkstemp(prefix='.ansible_tmp', suffix='k', dir='.')\n"
     "os.close(fd)\n"
     "with open(name, 'wb') as f:\n"
     "    f.write(open('k', 'rb').read().replace(b'alpha', b'ALPHA'))\n"
     "os.utime(name, (1e9, 1e9))\n"
     "os.chmod(name, 0o600)\n"
     "os.rename(name, 'k')\n"
     "assert os.stat('k').st_mtime == 1e9\n"
     "E",
     1, 0, "k\n"},
    /* Puppet: a directory is made first, and everything synchronised. */
    {"python3",
     "python3 - <<E\n"
     "import os\n"
     "name = 'k20261124-15718-lc9nrb'\n"
     "os.mkdir(name + '.lock')\n"
     "fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)\n"
     "os.rmdir(name + '.lock')\n"
     "os.fchown(fd, 0, 0)\n"
     "os.write(fd, open('k', 'rb').read().replace(b'alpha', b'ALPHA'))\n"
     "os.fsync(fd)\n"
     "os.fchmod(fd, 0o644)\n"
     "os.close(fd)\n"
     "os.rename(name, 'k')\n"
     "E",
     1, 0, "k\n"},
    /* Chef, and GLib's O_WRONLY. */
    {"python3",
     "python3 - <<E\n"
     "import os\n"
     "def replace(name, flags, mode):\n"
     "    fd = os.open(name, os.O_CREAT | os.O_EXCL | flags, mode)\n"
     "    os.write(fd, open('k', 'rb').read().replace(b'alpha', b'ALPHA'))\n"
     "    os.close(fd)\n"
     "    os.rename(name, 'k')\n"
     "replace('.chef-k20261124-1-abc', os.O_RDWR, 0o600)\n"
     "replace('.goutputstream-Ab12Cd', os.O_WRONLY, 0o666)\n"
     "E",
     2, 0, "k\n"},
    /* Emacs: an automatic copy, which looks like what `>` makes; the old value renamed. */
    {"sed",
     "set -C && sed s/alpha/ALPHA/ k > '#k#' && set +C && mv k k~ && cat '#k#' > k &&"
     " rm '#k#'",
     2, 1, "k\nk~\n"},
};

static void test_tools(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(LATER);
    harness_start("other", NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (shell_run("dash", "command -v %s", rows[i].program)->status != 0)
            continue;
        peer_set("app", "k", OLD);
        harness_outlive_attributes(); /* vim is wary of a file that changes while it is read */
        assert_content("m/app/k", OLD);
        uint64_t sets = stats_requests("m", "set") + stats_requests("m", "append");
        uint64_t removes = stats_requests("m", "remove");
        const struct shell_result *ran =
            shell_run("dash", "rm -f new k; cd m/app && %s", rows[i].command);
        if (ran->status != 0 || !peer_has("app", "k", NEW))
            fail_msg("%s: status %d, %s", rows[i].command, ran->status, ran->err);
        assert_content("m/app/k", NEW);
        sets = stats_requests("m", "set") + stats_requests("m", "append") - sets;
        removes = stats_requests("m", "remove") - removes;
        if (sets != rows[i].sets || removes != rows[i].removes)
            fail_msg("%s: %d sets and %d removes", rows[i].command, (int)sets, (int)removes);
        assert_sh_ok("dash", rows[i].keys, "ls -A m/app");
        assert_sh_ok("dash", "", "ls -A other/app | grep -vx 'k\\|k.bak' || :");
        assert_sh_ok("dash", "", "rm -f m/app/k.bak m/app/k~");
        assert_int_equal(peer_keys("app"), 1);
        assert_sh_ok("dash", "", "cat m/.datasetfs/scratch");
    }
    harness_stop(daemon);
}

/* A backup that its editor leaves is published in the end, and nothing else is. */
static void test_backups_left(void **state)
{
    (void)state;
    struct harness_daemon *daemon = harness_start_app(LATER);
    peer_set("app", "k", OLD);
    assert_sh_ok("dash", "", "cd m/app && %s", VIM("swapfile backup backupcopy=no"));
    assert_int_equal(peer_keys("app"), 1);
    harness_stop(daemon);
    assert_store("app", "k", NEW);
    assert_store("app", "k~", OLD);
    assert_int_equal(peer_keys("app"), 2);
}

static const struct CMUnitTest tests[] = {
    HARNESS_TEST(test_tools),
    HARNESS_TEST(test_backups_left),
};

HARNESS_MAIN(tests)
