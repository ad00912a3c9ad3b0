// SPDX-License-Identifier: Apache-2.0
#include "base/rename.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace base {

int rename_without_replacing(int from_folder, const std::string& from, int to_folder, const std::string& to) {
  const long result =
      ::syscall(SYS_renameat2, from_folder, from.c_str(), to_folder, to.c_str(), RENAME_NOREPLACE);
  if (result == 0 || (errno != EINVAL && errno != ENOSYS)) return static_cast<int>(result);
  struct stat status{};  // a file system without this kind of renaming
  if (::fstatat(to_folder, to.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return -1;
  }
  return ::renameat(from_folder, from.c_str(), to_folder, to.c_str());
}

}  // namespace base
