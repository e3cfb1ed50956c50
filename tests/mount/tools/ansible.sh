#!/bin/bash
# Tool: Ansible: copy, template, lineinfile, blockinfile, file, stat, slurp
# Works: yes
# Notes: "changed" is one set, "ok" none; files stay 0600 whatever `mode:` says
# Heavy: yes
. "${0%/*}/lib.bash"
needs ansible-playbook
keys k new line touched
put k old
put line $'one\n'

export LC_ALL=C.UTF-8 ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_PIPELINING=true
export ANSIBLE_HOME=$PWD/ansible ANSIBLE_LOCAL_TEMP=$PWD/ansible/local ANSIBLE_REMOTE_TEMP=$PWD/ansible/remote
export ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3 ANSIBLE_NOCOLOR=true
printf 'value of {{ name }}\n' >template.j2
printf 'from a file\n' >plain
cat >play.yml <<END
- hosts: localhost
  connection: local
  gather_facts: false
  vars: {name: k, app: $PWD/m/app}
  tasks:
    - {name: copy, copy: {src: plain, dest: "{{ app }}/new"}}
    - {name: copy over, copy: {content: "fresh\n", dest: "{{ app }}/k", owner: root, group: root, mode: "0600"}}
    - {name: lineinfile, lineinfile: {path: "{{ app }}/line", line: two}}
END
cat >second.yml <<END
- hosts: localhost
  connection: local
  gather_facts: false
  vars: {name: k, app: $PWD/m/app}
  tasks:
    - {name: template, template: {src: template.j2, dest: "{{ app }}/k"}}
    - {name: template again, template: {src: template.j2, dest: "{{ app }}/k"}}
    - {name: blockinfile, blockinfile: {path: "{{ app }}/line", block: three}}
    - {name: slurp, slurp: {src: "{{ app }}/k"}, register: slurped}
    - {name: what slurp says, assert: {that: slurped.content | b64decode == "value of k\n"}}
    - {name: stat, stat: {path: "{{ app }}/new"}, register: looked}
    - {name: what stat says, assert: {that: looked.stat.size == 12 and not looked.stat.executable}}
    - {name: mode, file: {path: "{{ app }}/k", mode: "0644"}}
    - {name: absent, file: {path: "{{ app }}/new", state: absent}}
    - {name: absent again, file: {path: "{{ app }}/new", state: absent}}
END

# recap FILE: runs the playbook; "ok=N changed=N failed=N" as its last line says.
recap() {
    succeeds ansible-playbook -i localhost, "$1"
    out=$(grep -oE '(ok|changed|failed)=[0-9]+' stdout | tr '\n' ' ')
}

begin
recap play.yml
says 'ok=3 changed=3 failed=0 '
holds new $'from a file\n'
holds k $'fresh\n'
holds line $'one\ntwo\n'
sent 'set new' 'set k' 'set line'
recap play.yml
says 'ok=3 changed=0 failed=0 '
sent

recap second.yml
says 'ok=10 changed=3 failed=0 '
holds k $'value of k\n'
holds line $'one\ntwo\n# BEGIN ANSIBLE MANAGED BLOCK\nthree\n# END ANSIBLE MANAGED BLOCK\n'
lacks new
sent 'set k' 'set line' 'remove new'

put k short
full
fails 'No space left on device' ansible-playbook -i localhost, play.yml
roomy
holds k short
lacks new
