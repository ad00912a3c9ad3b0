// SPDX-License-Identifier: Apache-2.0
// What the .gitignore files in and above a source say, and what git tracks all the same. Private to this
// library. Only files of the project count: what git leaves out besides (.git/info/exclude,
// core.excludesFile) is one person's own.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "glob/glob.h"

namespace source {

class GitIgnore {
 public:
  struct Line {
    glob::Glob glob;
    bool of_names = false;      // without a '/' in it: for names on all levels
    bool folders_only = false;  // "build/"
    bool takes_back = false;    // "!keep.txt"
    std::size_t number = 0;
    std::string text;
  };
  // The lines of a file, and the files that count beside it: those of the folders above.
  struct File {
    std::shared_ptr<const File> above;
    std::string folder;  // below the top of the repository; empty, or with a '/' at its end
    std::string shown;   // the file, from the source's folder
    std::vector<Line> lines;
  };
  using Files = std::shared_ptr<const File>;

  // For the source in `folder`, which has no links on its way: the files above it count up to the top of the
  // repository that it is in, unless they leave out the folder itself, which somebody has named.
  static GitIgnore of(const base::fs::path& folder);

  // Those that count in the source's folder, but for its own.
  [[nodiscard]] const Files& above() const { return m_above; }
  // Those that count in a folder of the source ("" or "a/b"), whose parent has `files`.
  [[nodiscard]] Files entered(const std::string& folder, const Files& files) const;

  struct Match {
    const File* file = nullptr;
    const Line* line = nullptr;  // nullptr: no line names it
  };
  // The line that decides about a path below the source, as the last one of the nearest file that matches.
  // Of what is in a folder that is left out nothing may be asked.
  [[nodiscard]] Match match(const std::string& path, bool is_folder, const Files& files) const;

  // Whether git has the file in its index, or any file of the folder.
  [[nodiscard]] bool tracks_file(const std::string& path) const;
  [[nodiscard]] bool tracks_in(const std::string& folder) const;

  // The lines of a text, as git reads them.
  static std::vector<Line> parse(std::string_view text);

 private:
  [[nodiscard]] const std::vector<std::string>& tracked() const;

  base::fs::path m_folder;
  std::string m_prefix;  // of the source below the top; empty, or with a '/' at its end
  Files m_above;
  // Read when it is asked for; not before.
  mutable std::optional<std::vector<std::string>> m_tracked;
};

}  // namespace source
