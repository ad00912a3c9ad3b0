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
#include "pachbuild/spec/pipeline_spec.h"

namespace source {

inline constexpr char k_ignore_file[] = ".pachignore";
inline constexpr char k_git_ignore_file[] = ".gitignore";

struct SourceFile {
  std::string path;     // below the build path, with '/' between the parts: "pkg/main.go"
  base::fs::path file;  // a regular file, any symbolic links resolved
};

// Why a file is part of the source or not.
struct Decision {
  bool is_left_out = false;
  std::string rule;         // the line that decided, or what the folder is; empty: none did
  std::string file;         // that has the line, from the source's folder; empty: it is built in
  std::size_t line = 0;     // its number there
  bool is_tracked = false;  // the line is a .gitignore's, and git has the file all the same

  // Whether it is git that leaves it out.
  [[nodiscard]] bool is_by_git() const;
};

// What stays behind.
struct LeftOut {
  std::string path;  // ends with a '/': a folder with all that is in it
  Decision why;
};

// All sorted by path (byte by byte).
struct Source {
  std::vector<SourceFile> files;
  // The folders in which nothing is at all ("data/cache/"): PFS has none such, so programs will not see them.
  std::vector<std::string> empty_folders;
  // What the rules leave out, but for what is in folders that none of it can come along of.
  std::vector<LeftOut> left_out;
  // Has a file that was made for the build; none where none was.
  std::shared_ptr<const base::TemporaryFolder> made;
};

// Everything below `folder` but what its .pachignore, the defaults and .gitignore files leave out, and the
// folders `data`, which have the pipeline's data. Errors are of kind bad_input: a file that cannot be read,
// is no file (socket, pipe, device), is larger than `largest_file`, has a name that PFS refuses (all such
// names in one error), or is a symbolic link out of the folder or to a folder. All of them are told.
inline constexpr std::uint64_t k_largest_file = std::uint64_t{1} << 30;
base::Result<Source> read_source(const base::fs::path& folder, std::uint64_t largest_file = k_largest_file,
                                 const std::vector<base::fs::path>& data = {});
// That of a pipeline.
base::Result<Source> read_source(const spec::Build& build);

// What of a folder stays behind, whatever is wrong with its other files.
base::Result<std::vector<LeftOut>> list_left_out(const base::fs::path& folder,
                                                 const std::vector<base::fs::path>& data);

// The paths of what .gitignore files leave out.
std::vector<std::string> left_out_by_git(const Source& source);

// What else is left out, by paths below the folder that is read; .gitignore files do not count then.
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

// What the rules of `folder` say about the file `path` below it.
base::Result<Decision> decide(const base::fs::path& folder, const std::string& path,
                              const std::vector<base::fs::path>& data = {});

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
