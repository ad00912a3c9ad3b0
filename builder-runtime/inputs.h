// SPDX-License-Identifier: Apache-2.0
// The inputs of a build. Code that reads something declares it here, and the key is made of these
// declarations alone: an input that is read but not declared leads to a stale bundle
// (tests/suites/test_builder_inputs.py traces real builds to find such inputs).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace builder {

namespace fs = base::fs;

struct Input {
  std::string kind;  // "file", "files", "folder", "variable", "tool", "value"
  std::string name;  // the same on every machine, whatever the path there
  std::string text;  // its part of the key: a value, a version, a digest
  fs::path path;     // of a file, a folder or a tool
  // Why the key leaves it out although it is read; empty: it is in the key.
  std::string reason;
};

// An input as people see it: its fields have one line each.
struct ShownInput {
  std::string kind;
  std::string name;
  std::string text;  // a digest has its first digits only; outside the key: "not in the key: <reason>"
  std::string path;
  bool in_key = true;
  bool operator==(const ShownInput&) const = default;
};

class Inputs {
 public:
  void add_value(std::string name, std::string text);
  // `text` is the tool's own answer to --version.
  void add_tool(std::string name, fs::path path, std::string text);
  // By value, without the credentials in URLs.
  void add_variable(std::string name, const std::string& value);
  // By content, without the credentials in URLs. A missing file adds nothing, but counts as changed when it
  // appears during the build. Returns the content ("" for a missing file).
  base::Result<std::string> add_file(std::string name, const fs::path& path);
  // A file of which only `text` counts.
  void add_file_as(std::string name, const fs::path& path, std::string text);
  // A file, or all of a folder, by content.
  base::Status add_tree(const std::string& name, const fs::path& path);
  // A folder that was read already: its digest and its state (languages/source_digest.h).
  void add_folder(std::string name, const fs::path& path, std::string digest, std::string state);
  // Files that were read already, by one digest. `seen` is another text after each change of them, which
  // `seen_now` finds out again.
  using SeenNow = std::function<base::Result<std::string>()>;
  void add_files(std::string name, const fs::path& folder, std::string digest, std::string seen,
                 SeenNow seen_now);
  // A file of which other inputs are a part: it is in no key, but counts as changed when it does.
  void watch_file(const fs::path& path);
  // An input that is read but does not affect the bundle, or must not be in a key.
  void except(std::string kind, std::string name, const fs::path& path, std::string reason);
  void add(const Inputs& other);

  // All keys are made here. The order of adding does not matter.
  [[nodiscard]] std::string key() const;

  // The path of the first file or folder that changed since it was read; "" when none did. A change that was
  // undone counts as well: the build may have read the content in between.
  [[nodiscard]] base::Result<std::string> changed() const;

  // All, sorted.
  [[nodiscard]] std::vector<ShownInput> shown() const;
  // The same, one line per input, with fields separated by tabs: kind, name, text, path.
  [[nodiscard]] std::string lines() const;

 private:
  struct Seen {
    fs::path path;
    std::string digest;  // of a folder, or of a file without credentials
    std::string state;
    bool is_folder = false;
    SeenNow seen_now;  // of files
  };
  std::vector<Input> m_inputs;
  std::vector<Seen> m_seen;
};

// A text that changes when the file is replaced or written to, even with the same content. "none" for a
// missing file, and for one that this user may not look at.
std::string state_of_file(const fs::path& path);

}  // namespace builder
