// SPDX-License-Identifier: Apache-2.0
// What a command line installs with pip, as lines of a requirements.txt.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace starter {

struct PipItem {
  enum class Kind {
    line,         // of a requirements.txt, as it is
    file,         // -r: a path in the image
    constraints,  // -c: a path in the image
    project,      // a folder or an archive: a path in the image
    editable,     // -e: the same
    links,        // --find-links: a folder in the image
  };
  Kind kind = Kind::line;
  std::string text;
};

struct PipInstall {
  std::vector<PipItem> items;
  std::vector<std::string> unconverted;  // options that a requirements.txt cannot say: "--no-deps"
};

// Nothing when the words are no `pip install`.
std::optional<PipInstall> read_pip_install(const std::vector<std::string>& words);

}  // namespace starter
