# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of pachbuild in bash. Verbs and options are those that its own --help shows; `cmake --install` puts this
# file where bash-completion finds it.

# The first words of the help's lines below a heading: _pachbuild_words HEADING WORD…
_pachbuild_words() {
  local heading=$1
  shift
  "$@" --help 2>/dev/null | awk -v heading="$heading:" '
    $0 == heading { inside = 1; next }
    !/^  / { inside = 0 }
    inside && /^  [-a-z]/ { count = split($1, names, ","); for (i = 1; i <= count; i++) print names[i] }'
}

_pachbuild() {
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=""
  [ "$COMP_CWORD" -le 1 ] || verb=${COMP_WORDS[1]}
  COMPREPLY=()
  case $before in
    -f | --file) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    -o | --output) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;;
    =) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;; # the PATH of --input REPO=PATH
    *)
      if [ -z "$verb" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_pachbuild_words Subcommands "$program")" -- "$word")
      else
        mapfile -t COMPREPLY < <(compgen -W "$(_pachbuild_words Options "$program" "$verb")" -- "$word")
      fi
      ;;
  esac
}

complete -o filenames -F _pachbuild pachbuild
