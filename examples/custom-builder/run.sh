# The running pipeline starts it as `sh /pfs/build/run.sh ARGUMENTS…`, once per datum. exec, so that signals reach the
# program itself.
exec perl -I /pfs/build/lib /pfs/build/main.pl "$@"
