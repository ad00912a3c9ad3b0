// SPDX-License-Identifier: Apache-2.0
// What decides a bundle. Whoever reads something says so here, and the key is made of what was said and of
// nothing else: what is read and not said makes a stale bundle (tests/suites/test_builder_inputs.py traces
// real builds for it).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace builder {

namespace fs = base::fs;

struct Input {
  std::string kind;  // "file", "folder", "variable", "tool", "value"
  std::string name;  // the same on every machine, wherever the thing is there
  std::string text;  // what of it is in the key: a value, a version, a digest
  fs::path path;     // of a file, a folder, a tool
  // Why it is not in the key although it is read; empty: it is in the key.
  std::string reason;
};

class Inputs {
 public:
  void add_value(std::string name, std::string text);
  // What a tool says it is.
  void add_tool(std::string name, fs::path path, std::string text);
  // By value, without the credentials in URLs.
  void add_variable(std::string name, const std::string& value);
  // By content, without the credentials in URLs. A file that is not there adds nothing, but is missed when it
  // appears during the build. Gives the content ("" where there is none).
  base::Result<std::string> add_file(std::string name, const fs::path& path);
  // A file of which only `text` counts.
  void add_file_as(std::string name, const fs::path& path, std::string text);
  // A file, or all of a folder, by content.
  base::Status add_tree(const std::string& name, const fs::path& path);
  // A folder that was read already: its digest and its state (languages/source_digest.h).
  void add_folder(std::string name, const fs::path& path, std::string digest, std::string state);
  // What is read and does not decide anything, or must not be in a key.
  void except(std::string kind, std::string name, const fs::path& path, std::string reason);
  void add(const Inputs& other);

  // The one place where keys are made. The order of adding does not matter.
  [[nodiscard]] std::string key() const;

  // The first file or folder that is not the one that was read, by its path; "" when all still are. What was
  // changed and changed back counts as changed: a build may have read what was there in between.
  [[nodiscard]] base::Result<std::string> changed() const;

  // A line for each, sorted, its fields separated by tabs: kind, name, text, path. Those that are not in the
  // key have "not in the key: <reason>" instead of a text.
  [[nodiscard]] std::string lines() const;

 private:
  struct Seen {
    fs::path path;
    std::string digest;  // of a folder, or of a file without credentials
    std::string state;
    bool is_folder = false;
  };
  std::vector<Input> m_inputs;
  std::vector<Seen> m_seen;
};

// Another file, or other content, or the same content written again, gives another text. Of a file that is
// not there: "none".
std::string state_of_file(const fs::path& path);

}  // namespace builder
