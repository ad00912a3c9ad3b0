// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/files.h"
#include "pachbuild/source/source.h"
#include "process/command.h"
#include "process/runner.h"
#include "revision/revision.h"

namespace source {
namespace {

namespace fs = base::fs;

bool asks_git(const std::vector<SourceFile>& files) {
  return std::any_of(files.begin(), files.end(), [](const SourceFile& file) {
    const std::string name = file.file.filename().string();
    if (name != "pyproject.toml" && name != "setup.py" && name != "setup.cfg") return false;
    const auto text = base::read_input_file(file.file);
    return text && revision::is_asked_for(name, *text);
  });
}

}  // namespace

base::Result<std::string> add_revision(const fs::path& folder, Source& source) {
  const std::string name = revision::k_file;
  if (has_file(source.files, name) || !asks_git(source.files)) return std::string();
  BASE_TRY_ASSIGN(const auto decision, decide(folder, name));
  if (decision.is_left_out || !revision::is_in_repository(folder)) return std::string();
  const auto git = process::find_program("git", process::value_of(process::current_environment(), "PATH"));
  if (!git) {
    return "the build makes a version from git, and git is not on PATH: install git, or add " + name +
           " to .pachignore";
  }
  process::SystemRunner runner;
  BASE_TRY_ASSIGN(const auto found, revision::read(folder, *git, runner));
  if (!found) return std::string();
  BASE_TRY_ASSIGN(auto made, base::TemporaryFolder::make(fs::temp_directory_path(), "pachbuild-revision-"));
  const fs::path file = made.path() / name;
  BASE_TRY(base::write_file(file, revision::to_text(*found)));
  source.made = std::make_shared<const base::TemporaryFolder>(std::move(made));
  const auto place =
      std::lower_bound(source.files.begin(), source.files.end(), name,
                       [](const SourceFile& one, const std::string& path) { return one.path < path; });
  source.files.insert(place, {name, file});
  return std::string();
}

}  // namespace source
