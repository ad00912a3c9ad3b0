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
  local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} index=1
  local verb=() # "update" "pipeline": all before the first option
  while [ "$index" -lt "$COMP_CWORD" ] && [[ ${COMP_WORDS[index]} != -* ]]; do
    verb+=("${COMP_WORDS[index]}")
    index=$((index + 1))
  done
  [ "${verb[0]-}" != help ] || verb=("${verb[@]:1}")
  COMPREPLY=()
  case ${verb[0]-}:$before in
    init:--context) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;; # elsewhere it is one of pachctl
    *) ;;
  esac
  [ ${#COMPREPLY[@]} = 0 ] || return 0
  case $before in
    -f | --file | --jsonnet | --report | --trace | --from) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    -o | --output)
      if [ "${verb[0]-}" = run ]; then
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
      else
        mapfile -t COMPREPLY < <(compgen -W "json yaml" -- "$word")
      fi
      ;;
    --language) mapfile -t COMPREPLY < <(compgen -W "python go" -- "$word") ;;
    =) mapfile -t COMPREPLY < <(compgen -d -- "$word") ;; # the PATH of --input REPO=PATH
    *)
      if [[ $word != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_pachbuild_words Subcommands "$program" "${verb[@]}")" -- "$word")
      fi
      if [ ${#COMPREPLY[@]} = 0 ] && [ ${#verb[@]} != 0 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_pachbuild_words Options "$program" "${verb[@]}")" -- "$word")
      fi
      if [ ${#COMPREPLY[@]} = 0 ] && [ "${verb[0]-}" = init ]; then
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
      elif [ ${#COMPREPLY[@]} = 0 ] && "$program" "${verb[@]}" --help 2>/dev/null | grep -q '^  SPEC '; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
      fi
      ;;
  esac
}

complete -o filenames -F _pachbuild pachbuild
