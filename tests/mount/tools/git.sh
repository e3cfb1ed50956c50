#!/bin/bash
# Tool: git
# Works: refused
# Notes: a DataSet has no folders, so there is no repository in one; a work tree in one works (`--git-dir`)
. "${0%/*}/lib.bash"
needs git
keys k
put k $'one\n'

fails 'Operation not permitted' git init m/app
sent

export GIT_DIR=$PWD/repository GIT_WORK_TREE=$PWD/m/app
export GIT_AUTHOR_NAME=tester GIT_AUTHOR_EMAIL=t@example.com
export GIT_COMMITTER_NAME=tester GIT_COMMITTER_EMAIL=t@example.com
works git init -q
works git -C m/app add k
works git -C m/app commit -q -m first
put k $'two\n'
modified() {
    [ "$(git -C m/app status --porcelain)" = ' M k' ]
}
soon modified || problem 'git status does not see what somebody else wrote'
works git -C m/app checkout -q -- k
holds k $'one\n'
changed k

put k ""
full
fails 'unable to write file' git -C m/app checkout -q -- k
roomy
