// SPDX-License-Identifier: Apache-2.0
// The folder from which a Dockerfile copies, without what its .dockerignore names.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "glob/glob.h"

namespace starter {

// The lines of a .dockerignore.
class DockerIgnore {
 public:
  // Of `dockerfile`.dockerignore, else of `folder`/.dockerignore, if there is one.
  static base::Result<DockerIgnore> read(const base::fs::path& folder, const base::fs::path& dockerfile);
  static base::Result<DockerIgnore> parse(std::string_view text, const std::string& where);

  // `path` is below the context. What is in a folder that is left out is so, too, unless a later line takes
  // it back.
  [[nodiscard]] bool leaves_out(const std::string& path) const;
  // Whether nothing in the folder can be taken back.
  [[nodiscard]] bool leaves_out_all(const std::string& folder) const;

 private:
  struct Rule {
    std::vector<glob::Glob> globs;  // any of them
    bool takes_back = false;
  };
  std::vector<Rule> m_rules;
  bool m_takes_back = false;  // one of them does
};

struct ContextFile {
  std::string path;     // below what was asked for; empty when that is a file
  base::fs::path file;  // a regular file, links resolved
};

class BuildContext {
 public:
  static base::Result<BuildContext> open(const base::fs::path& folder, const base::fs::path& dockerfile);

  // The entries that a source of COPY stands for: itself, or all that its wildcards match, sorted.
  // `where` is for errors.
  [[nodiscard]] base::Result<std::vector<std::string>> matches(const std::string& pattern,
                                                               const std::string& where) const;

  struct Entry {
    bool is_folder = false;
    std::vector<ContextFile> files;
  };
  // A file, or all files of a folder; "" is the context itself. Errors are those of source::read_source(),
  // and of what is missing or leads out of the context.
  [[nodiscard]] base::Result<Entry> read(const std::string& path, const std::string& where) const;

  [[nodiscard]] const base::fs::path& folder() const { return m_folder; }

 private:
  BuildContext(base::fs::path folder, base::fs::path real_folder, DockerIgnore ignore)
      : m_folder(std::move(folder)), m_real_folder(std::move(real_folder)), m_ignore(std::move(ignore)) {}

  base::fs::path m_folder;
  base::fs::path m_real_folder;
  DockerIgnore m_ignore;
};

}  // namespace starter
