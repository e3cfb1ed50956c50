#!/bin/bash
# Tool: sqlite3
# Works: refused
# Notes: a database is not text, and an empty key is left; `.dump` and `.read` work
. "${0%/*}/lib.bash"
keys db db-journal dump
fails '' sqlite3 m/app/db 'CREATE TABLE t (a); INSERT INTO t VALUES (1)'
soon missing db-journal
has db '' || missing db || problem 'a part of a database was stored'
rm -f m/app/db m/app/db-journal

begin
sqlite3 plain.db "CREATE TABLE t (a); INSERT INTO t VALUES ('x')"
works bash -c 'sqlite3 plain.db .dump > m/app/dump'
works sqlite3 back.db '.read m/app/dump' 'SELECT a FROM t'
says x
changed dump
