# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of pachbuild in bash: pachbuild itself says what may come next (pachbuild/commands/complete.h). `cmake --install`
# puts this file where bash-completion finds it.

_pachbuild() {
  # Bash cuts words at '=' and ':' (COMP_WORDBREAKS), pachbuild does not.
  local words=() index word
  for ((index = 1; index <= COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if ((${#words[@]})) && { [[ $word == [=:]* ]] || [[ ${words[-1]} == *[=:] && ${COMP_WORDS[index - 1]} == *[=:] ]]; }; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  word=${words[-1]}

  local lines line
  mapfile -t lines < <("${COMP_WORDS[0]}" complete-words "${words[@]}" 2>/dev/null)
  COMPREPLY=()
  ((${#lines[@]})) || return 0
  local paths=${lines[0]%%$'\t'*} before=${lines[0]#*$'\t'}
  # The part before the last cut is not replaced.
  local cut=${word%"${word##*[=:]}"}
  for line in "${lines[@]:1}"; do
    line=${line%%$'\t'*}
    COMPREPLY+=("${line#"$cut"}")
  done
  local path=${word#"$before"}
  case $paths in
    files) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$path") ;;
    folders) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "$path") ;;
  esac
  if [ "$paths" != none ]; then
    compopt -o filenames 2>/dev/null || true
  elif [[ ${COMPREPLY[0]-} == *= ]]; then
    compopt -o nospace 2>/dev/null || true
  fi
  return 0
}

complete -F _pachbuild pachbuild
