# The probe of `pachbuild builder test`; docs/authoring-builders.md says what it does.
kind=$1
shift
case $kind in
  arguments)
    : > /pfs/out/arguments
    [ $# = 0 ] || printf '%s\0' "$@" > /pfs/out/arguments
    ;;
  exit) exit "$1" ;;
  signal) kill -s "$1" $$ ;;
esac
