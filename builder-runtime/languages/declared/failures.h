// SPDX-License-Identifier: Apache-2.0
// What a failed command says, in the words of builder.toml: a place, a fault, what to do.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "builder-runtime/languages/declared/facts.h"
#include "process/runner.h"

namespace builder::declared {

struct Words {
  const std::optional<TextTemplate>& say;  // none: the group "what"
  const std::optional<TextTemplate>& hint;
  base::ErrorKind kind;
};

// The error of a pattern that matched: its groups are the place and fill the words.
// Without a place the manifest is named; without one, `where`.
base::Error error_of_groups(std::map<std::string, std::string> groups, const Words& words, const Facts& facts,
                            const std::string& manifest, const std::string& where);

// Whether a line begins as those of own_words() do.
bool is_own_line(std::string_view line);

// What a program says when it speaks as this one does: its last lines are "error: WHAT" and, if it has one,
// "hint: FIX", and its exit code is one of ours. Nothing: it does not.
std::optional<base::Error> own_words(const process::Finished& finished);

struct LayerCommand {
  std::string where;  // the layer, as the place of an error
  std::string tool;
  std::string manifest;  // "": the layer has none
  // Folders that files in its output may be in, and what they are called instead ("" for the source).
  std::vector<std::pair<std::string, std::string>> places;
};

// The error of a command of a layer.
base::Error error_of_command(const process::Finished& finished, const LayerCommand& command,
                             const Facts& facts);

}  // namespace builder::declared
