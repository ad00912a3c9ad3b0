# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the scripts: how they speak, run a step quietly, fail, and become root.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export ROOT

# The comment block at the top of the calling script, which is its help.
show_help() {
  sed -n '3,/^$/s/^# \{0,1\}//p' "$0"
}

# fail WHERE WHAT [HINT]: the form of all errors of this project.
fail() {
  printf 'error: %s: %s\n' "$1" "$2" >&2
  [ $# -lt 3 ] || printf 'hint: %s\n' "$3" >&2
  exit 1
}

# The version of the programs, which CMakeLists.txt has.
project_version() {
  sed -n 's/^project(pachbuild VERSION \([0-9.]*\).*/\1/p' "$ROOT/CMakeLists.txt"
}

microseconds() {
  # Some locales write it with a comma.
  printf '%s' "${EPOCHREALTIME/[.,]/}"
}

# seconds_since MICROSECONDS: "12.3".
seconds_since() {
  local tenths=$((($(microseconds) - $1) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# Shows the last line of a growing log, until it is killed or the script is gone.
show_last_line() {
  local last
  while sleep 0.2 && kill -0 $$ 2>/dev/null; do
    last=$(tail -n 1 "$2" | tr -d '\r' | cut -c "1-$((${COLUMNS:-80} - ${#1} - 4))")
    printf '\r\033[K%s: %s' "$1" "$last"
  done
}

# step NAME COMMAND…: one line with the time it took. What the command prints goes to a log below build/logs, whose last
# line a terminal shows meanwhile; when the command fails it is printed whole, and the script ends.
# Not for conditions (`if step …`): the shell would ignore errors inside the command.
step() {
  local name=$1 watcher="" status start
  shift
  mkdir -p "$ROOT/build/logs"
  STEP_LOG=$ROOT/build/logs/${name//[^A-Za-z0-9]/-}.log
  : >"$STEP_LOG"
  start=$(microseconds)
  if [ -t 1 ]; then
    show_last_line "$name" "$STEP_LOG" &
    watcher=$!
  fi
  set +e
  (set -e; "$@") >>"$STEP_LOG" 2>&1 </dev/null
  status=$?
  set -e
  if [ -n "$watcher" ]; then
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
    printf '\r\033[K'
  fi
  if [ "$status" != 0 ]; then
    cat "$STEP_LOG" >&2
    printf '%s: failed after %s s\n' "$name" "$(seconds_since "$start")" >&2
    exit "$status"
  fi
  printf '%s: %s s\n' "$name" "$(seconds_since "$start")"
}

# start_behind COMMAND…: at the same time as what follows; wait_behind waits for it. It goes when the script goes.
start_behind() {
  BEHIND_LOG=$(mktemp)
  set -m # a process group of its own, so that all of it can be ended
  "$@" >"$BEHIND_LOG" 2>&1 </dev/null &
  BEHIND=$!
  set +m
  trap 'kill -TERM -- "-$BEHIND" 2>/dev/null || true; rm -f "$BEHIND_LOG"' EXIT
}

wait_behind() {
  local status=0
  wait "$BEHIND" || status=$?
  trap - EXIT
  cat "$BEHIND_LOG"
  rm -f "$BEHIND_LOG"
  [ "$status" = 0 ] || exit "$status"
}

# Debian's name of this machine's processor is Go's, and so the registries'.
machine() {
  case $(uname -m) in
    x86_64) printf amd64 ;;
    aarch64) printf arm64 ;;
    *) uname -m ;;
  esac
}

# release_preset ARCH: the preset that makes what users of that processor run.
release_preset() {
  if [ "$1" = "$(machine)" ]; then
    printf release
  else
    printf 'release-%s' "$1"
  fi
}

# build PRESET [TARGET…]
build() {
  local preset=$1
  shift
  cmake --preset "$preset"
  cmake --build --preset "$preset" ${1+--target "$@"}
}

# sources EXPRESSION…: the checkout's own files that `find` matches, with a NUL after each; works without git.
sources() {
  find . '(' -path ./build -o -path ./.git -o -path ./.cache -o -name __pycache__ ')' -prune -o -type f '(' "$@" ')' -print0
}

# Inside a step: what was printed so far turned out not to matter.
forget_output() {
  : >"$STEP_LOG"
}

# as_root COMMAND…: at once for root, else through sudo, which may ask for a password.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# become_root WHAT-FOR: makes sure that as_root will work without a question, which would be hidden inside a step.
become_root() {
  [ "$(id -u)" != 0 ] || return 0
  local hint="run this once as root: $ROOT/scripts/setup packages"
  command -v sudo >/dev/null || fail "$1" "needs root, and there is no sudo here" "$hint"
  sudo true || fail "$1" "needs root, and sudo refused" "$hint"
}

require_debian() {
  command -v dpkg-query apt-get >/dev/null ||
    fail "apt-get" "is not here: this is neither Debian nor Ubuntu" \
      "install what scripts/setup lists by other means; then scripts/setup tools works everywhere"
}

apt_update() {
  as_root apt-get update -o APT::Update::Error-Mode=any ||
    fail "apt-get update" "the package mirrors cannot be reached" "check the network and /etc/apt/sources.list*"
}
