// SPDX-License-Identifier: Apache-2.0
// The files of a source as a declared builder sees them: listed once, and each read once for its digest.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/declared/file_pattern.h"
#include "builder-runtime/languages/declared/reference.h"
#include "builder-runtime/source/data.h"

namespace builder::declared {

namespace fs = base::fs;

struct SourceFile {
  std::string name;  // relative to the source
  bool is_executable = false;
};

// How much of a file is looked at by patterns.
inline constexpr std::size_t k_looked_at = std::size_t{1} << 20;

class SourceFiles {
 public:
  // Regular files, sorted by name, also those behind links that stay inside. Not those that `ignored` means,
  // nor version control's own.
  static base::Result<SourceFiles> list(const fs::path& source, const FilePatterns& ignored);

  // Some of them, with what is known of these.
  [[nodiscard]] SourceFiles with(std::vector<SourceFile> files) const;

  [[nodiscard]] const fs::path& folder() const { return m_source; }
  [[nodiscard]] const std::vector<SourceFile>& all() const { return m_files; }
  [[nodiscard]] fs::path path_of(const std::string& name) const { return m_source / name; }
  [[nodiscard]] bool has(const std::string& name) const;

  // Those that one of the patterns means, in their order.
  [[nodiscard]] std::vector<SourceFile> matching(const FilePatterns& patterns) const;
  [[nodiscard]] std::vector<SourceFile> matching(const FilePattern& pattern) const;

  // The beginning of a file, k_looked_at bytes at most.
  [[nodiscard]] base::Result<std::string> beginning_of(const std::string& name) const;
  // Its first line; empty where it cannot be read.
  [[nodiscard]] std::string first_line_of(const std::string& name) const;

  // The value that a reference leads to; absent where there is none. A file that cannot be parsed is an
  // error.
  [[nodiscard]] base::Result<data::Value> value_of(const Reference& reference) const;
  // Whether what a reference means is there, and, of a value, says something.
  [[nodiscard]] base::Result<bool> has(const Reference& reference) const;
  [[nodiscard]] base::Result<bool> has_any(const References& references) const;

  // The digests of the contents of these files, by name.
  [[nodiscard]] base::Result<std::map<std::string, std::string>> digests_of(
      const std::vector<SourceFile>& files) const;

 private:
  explicit SourceFiles(fs::path source) : m_source(std::move(source)) {}

  // What was read before; shared by copies.
  struct Known {
    std::map<std::string, std::string> digests;
    std::map<std::string, data::Value> manifests;
    std::map<std::string, std::string> first_lines;
  };

  fs::path m_source;
  std::vector<SourceFile> m_files;
  std::shared_ptr<Known> m_known = std::make_shared<Known>();
};

// The first line of a file, without white space at its ends; empty where it cannot be read.
std::string first_line_of_file(const fs::path& path);

// One text for the names, modes and contents of files.
std::string digest_of_files(const std::vector<SourceFile>& files,
                            const std::map<std::string, std::string>& digests);

// A text that is the same for the same value, whatever the file's form.
std::string canonical_text(const data::Value& value);

}  // namespace builder::declared
