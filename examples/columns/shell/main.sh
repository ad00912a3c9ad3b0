#!/bin/sh
# Counts the values of each column of the tables in $tables. PFS keeps no modes, but scripts can call each other by name.
set -eu
for table in /pfs/tables/*; do
  columns "$table" >"/pfs/out/${table##*/}"
done
