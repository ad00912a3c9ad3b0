#!/bin/sh
# The probe of `pachbuild builder test`; docs/authoring-builders.md says what it does.
kind=$1
shift
case $kind in
  arguments) . "${0%/*}/lib/write.sh" ;;
  exit) exit "$1" ;;
  signal) kill -s "$1" $$ ;;
esac
