// SPDX-License-Identifier: Apache-2.0
// What git knows of a source and versions are made of (setuptools-scm, hatch-vcs, versioneer, …): the commit,
// the tags before it and how far they are. It is a small text that takes the place of .git where .git does
// not go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "process/command.h"
#include "process/runner.h"

namespace revision {

// The file of a source that has it. A person's own counts as it is.
inline constexpr char k_file[] = ".pachbuild-revision";

struct Tag {
  std::string name;
  std::uint64_t distance = 0;  // commits since the tag
  bool is_annotated = false;
};

struct Revision {
  std::string commit;         // its hash
  std::uint64_t time = 0;     // of the commit, in seconds since 1970
  std::string branch;         // empty: none
  std::string folder;         // of the source inside its repository; empty: it is the root
  std::uint64_t commits = 1;  // up to this one
  bool is_dirty = false;      // a file that git tracks was changed
  std::vector<Tag> tags;      // the nearest first
};

// Whether a file of a source, by its name and content, says that its build asks git for the version.
bool is_asked_for(std::string_view name, std::string_view content);

std::string to_text(const Revision& revision);

// `where` is what errors call the text, which anyone may have written.
base::Result<Revision> parse(std::string_view text, const std::string& where);

// "v1.2-3-g1234567", "1234567", with "-dirty" where it is: as `git describe --tags --always --dirty`.
std::string describe(const Revision& revision);

// Of the repository that a folder is in; none where it is in none, or has no commit. Nothing in a repository
// is trusted: its configuration is not read, and none of its hooks or filters is started.
base::Result<std::optional<Revision>> read(const base::fs::path& source, const std::string& git,
                                           process::Runner& runner);

// Whether there is a .git in the folder or above it.
bool is_in_repository(const base::fs::path& source);

}  // namespace revision
