// SPDX-License-Identifier: Apache-2.0
// What a command line installs with pip, as lines of a requirements.txt.
#pragma once

#include <optional>
#include <string>
#include <string_view>
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
  std::string written;  // where `text` is a path: "-r requirements.txt", as in the command
};

// What stands before the path of an item in a requirements.txt: "-r ".
std::string option_of(PipItem::Kind kind);

struct PipInstall {
  std::vector<PipItem> items;
  std::vector<std::string> unconverted;  // options that a requirements.txt cannot say: "--no-deps"
  std::vector<std::string> folders;      // that the packages come into, not those of Python: of --target
};

// Also of `pip wheel`, which makes what is to be installed. Nothing when the words are neither.
std::optional<PipInstall> read_pip_install(const std::vector<std::string>& words);

// Whether an option says where packages come to: --target.
bool is_target_option(std::string_view name);

// Whether a variable says from where pip or uv takes packages: PIP_INDEX_URL.
bool is_index_variable(std::string_view name);

// "PIP_INDEX_URL=URL" of `pip config set global.index-url URL`; empty for other words, and for settings that
// do not say from where pip takes packages.
std::string read_pip_config(const std::vector<std::string>& words);

}  // namespace starter
