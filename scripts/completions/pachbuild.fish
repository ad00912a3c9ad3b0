# SPDX-License-Identifier: Apache-2.0
# Completion of pachbuild in fish: pachbuild itself says what may come next (pachbuild/commands/complete.h). `cmake --install`
# puts this file where fish finds it.

function __pachbuild_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l word (commandline --current-token --cut-at-cursor)
    set -l lines ($words[1] complete-words $words[2..] "$word" 2>/dev/null)
    test (count $lines) -ge 1; or return
    string join -- \n $lines[2..]
    set -l paths (string split -- \t $lines[1])
    set -l path (string replace -- "$paths[2]" '' "$word")
    switch $paths[1]
        case files
            string replace -r -- '^' "$paths[2]" (__fish_complete_path "$path")
        case folders
            string replace -r -- '^' "$paths[2]" (__fish_complete_directories "$path" '')
    end
end

complete --command pachbuild --no-files --arguments '(__pachbuild_complete)'
