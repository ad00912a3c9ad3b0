#compdef pachbuild
# SPDX-License-Identifier: Apache-2.0
# Completion of pachbuild in zsh: pachbuild itself says what may come next (pachbuild/commands/complete.h). `cmake --install`
# puts this file where zsh finds it.

_pachbuild() {
  local -a lines named described
  local line text
  lines=("${(@f)$(${words[1]} complete-words "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "${(@)lines[2,-1]}"; do
    text=${line%%$'\t'*}
    if [[ $text == *= ]]; then
      named+=("$text")
    else
      described+=("${text//:/\\:}:${line#*$'\t'}")
    fi
  done
  (( ! ${#named} )) || compadd -Q -S '' -- "${named[@]}"
  (( ! ${#described} )) || _describe pachbuild described
  local paths=${lines[1]%%$'\t'*} before=${lines[1]#*$'\t'}
  [[ $paths == none ]] || compset -P "${(b)before}"
  case $paths in
    files) _files ;;
    folders) _files -/ ;;
  esac
}

_pachbuild "$@"
