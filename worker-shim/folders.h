// SPDX-License-Identifier: Apache-2.0
// Reading, copying and removing files and folders. (base/files.h would bring Boost's file system library, and
// with it the locales of the C++ library: 0.8 MB, and 0.1 ms of each start.)
#pragma once

#include <dirent.h>
#include <fcntl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace shim {

// Of a folder that is no environment yet, or no more. Without a lock (flock) on it it is a leftover.
inline constexpr char k_unfinished_prefix[] = ".tmp-";

// How a folder is opened that must be one, and no link to one.
inline constexpr int k_folder_itself = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using Folder = std::unique_ptr<DIR, CloseFolder>;

inline Folder open_folder(const std::string& path) { return Folder(::opendir(path.c_str())); }

// Whether this process may do `mode` (W_OK, X_OK, …) to a file: 0, or the number of the system's error.
int check_access(const std::string& path, int mode);

// Everything inside a folder, as far as it can be removed. Links are not followed.
void empty_folder(const std::string& path);

void remove_folder(const std::string& path);

// The whole content of a file, if it can be read.
std::optional<std::string> read_text(const std::string& path);

// The same from a descriptor, which stays open.
std::optional<std::string> read_to_end(int descriptor);

// Writes all of it. Gives the number of the system's error, 0 when it worked.
int write_all(int descriptor, std::string_view bytes);

// All that is left to be read, from one file to another. Gives the number of the system's error, 0 when it
// worked.
int copy_to_end(int from, int to);

}  // namespace shim
