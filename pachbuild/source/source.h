// SPDX-License-Identifier: Apache-2.0
// A pipeline's source: the files below its build path that become /pfs/source. docs/pachignore.md says which.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace source {

inline constexpr char k_ignore_file[] = ".pachignore";

struct SourceFile {
  std::string path;     // below the build path, with '/' between the parts: "pkg/main.go"
  base::fs::path file;  // a regular file, any symbolic links resolved
};

// All sorted by path (byte by byte).
struct Source {
  std::vector<SourceFile> files;
  // The folders in which nothing is at all ("data/cache/"): PFS has none such, so programs will not see them.
  std::vector<std::string> empty_folders;
  // Has a file that was made for the build; none where none was.
  std::shared_ptr<const base::TemporaryFolder> made;
};

// Everything below `folder` but what its .pachignore names. Errors are of kind bad_input: a file that cannot
// be read, is no file (socket, pipe, device), is larger than `largest_file`, has a name that PFS refuses (all
// such names in one error), or is a symbolic link out of the folder or to a folder. All of them are told.
inline constexpr std::uint64_t k_largest_file = std::uint64_t{1} << 30;
base::Result<Source> read_source(const base::fs::path& folder, std::uint64_t largest_file = k_largest_file);

// What else is left out, by paths below the folder that is read.
struct Exclusion {
  std::function<bool(const std::string& path)> of_file;
  std::function<bool(const std::string& path)> of_folder;  // with everything in it
};
base::Result<Source> read_source(const base::fs::path& folder, const Exclusion& exclusion);

// Adds the file of revision/revision.h where the source is in a git repository and its build makes a version
// from that, unless .pachignore names it. Gives what is in the way of it, in words; "" when nothing is.
base::Result<std::string> add_revision(const base::fs::path& folder, Source& source);

// Its files alone.
base::Result<std::vector<SourceFile>> list_source(const base::fs::path& folder);

// Why a file is part of the source or not.
struct Decision {
  bool is_left_out = false;
  std::string rule;      // the line that decided; empty: none did
  std::size_t line = 0;  // its number in .pachignore; 0: it is built in
};

// What the rules of `folder` say about the file `path` below it.
base::Result<Decision> decide(const base::fs::path& folder, const std::string& path);

// Whether build.sh or run.sh is the source's own.
bool has_own_script(const std::vector<SourceFile>& files);
bool has_file(const std::vector<SourceFile>& files, const std::string& path);

// Copies the files below `destination`, an existing empty folder, as the worker has them: files 0644, folders
// 0700.
base::Status copy_source(const std::vector<SourceFile>& files, const base::fs::path& destination);

// Of each file's content, by path.
base::Result<std::map<std::string, std::string>> file_digests(const std::vector<SourceFile>& files);

// SHA-256 over the paths and these.
std::string source_digest(const std::map<std::string, std::string>& digests);

}  // namespace source
