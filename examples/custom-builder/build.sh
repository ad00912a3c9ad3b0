#!/bin/sh
# The build pipeline starts it as `sh ./build.sh`: what is in /pfs/source becomes a program in /pfs/out.
set -eu
# A mistake is found here, and not once a datum.
perl -c -I /pfs/source/lib /pfs/source/main.pl
cp /pfs/source/main.pl /pfs/out/
[ ! -d /pfs/source/lib ] || cp -R /pfs/source/lib /pfs/out/
cp run.sh /pfs/out/
