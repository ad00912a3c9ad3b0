#!/bin/sh
: >/pfs/out/arguments
[ $# = 0 ] || printf '%s\0' "$@" >/pfs/out/arguments
