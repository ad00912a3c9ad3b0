// SPDX-License-Identifier: Apache-2.0
// A program in the place of pachctl that has an answer to the beginning of each call and notes its calls.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/files.h"

namespace commands {

// Makes `folder`/pachctl, which writes its calls to `folder`/log. An answer that begins with '!' is what a
// call that fails says; the first answer that fits counts, and without one the call succeeds.
inline base::Status make_pachctl(const base::fs::path& folder,
                                 const std::vector<std::pair<std::string, std::string>>& answers) {
  const auto path = [&](const std::string& name) { return "'" + (folder / name).string() + "'"; };
  std::string script = "#!/bin/sh\necho \"$*\" >> " + path("log") + "\ncase \"$*\" in\n";
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& [call, text] = answers[i];
    const bool fails = text.starts_with('!');
    const std::string file = "answer." + std::to_string(i);
    BASE_TRY(base::write_file(folder / file, text.substr(fails ? 1 : 0)));
    script += "'" + call + "'*) cat " + path(file) + (fails ? " >&2; exit 1" : "") + " ;;\n";
  }
  BASE_TRY(base::write_file(folder / "log", ""));
  return base::write_file(folder / "pachctl", script + "esac\n", 0755);
}

}  // namespace commands
