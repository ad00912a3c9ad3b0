// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/source_copy.h"

#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <set>
#include <utility>

#include "base/errors.h"
#include "base/inside.h"

namespace builder {
namespace {

namespace fs = base::fs;

class Copy {
 public:
  explicit Copy(fs::path source) : m_source(std::move(source)) {}

  base::Status folder(const fs::path& from, const fs::path& to) {
    struct stat status{};
    if (::stat(from.c_str(), &status) != 0)
      return base::fail(base::system_error("read", from.string(), errno));
    // A folder that holds itself by a link is copied once.
    if (!m_open.emplace(status.st_dev, status.st_ino).second) return {};
    BASE_TRY(base::make_folders(to, base::k_owner_writes));
    boost::system::error_code error;
    for (fs::directory_iterator entry(from, error), end; entry != end; entry.increment(error)) {
      const fs::path name = entry->path().filename();
      if (name != ".git" && name != ".hg" && name != ".svn") BASE_TRY(entry_of(entry->path(), to / name));
    }
    if (error) return base::fail(base::system_error("read", from.string(), error.value()));
    m_open.erase({status.st_dev, status.st_ino});
    return {};
  }

 private:
  base::Status entry_of(const fs::path& from, const fs::path& to) {
    struct stat status{};
    if (::lstat(from.c_str(), &status) != 0)
      return base::fail(base::system_error("read", from.string(), errno));
    if (S_ISLNK(status.st_mode)) {
      BASE_TRY_ASSIGN(const auto outside, base::target_outside(m_source, from));
      if (!outside.empty()) return {};
    }
    if (::stat(from.c_str(), &status) != 0) {
      if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return {};  // a link to nowhere
      return base::fail(base::system_error("read", from.string(), errno));
    }
    if (S_ISDIR(status.st_mode)) return folder(from, to);
    if (!S_ISREG(status.st_mode)) return {};
    return base::copy_regular_file(from, to, (status.st_mode & S_IXUSR) != 0 ? 0755 : 0644);
  }

  fs::path m_source;  // without links
  std::set<std::pair<dev_t, ino_t>> m_open;
};

}  // namespace

base::Status copy_source(const fs::path& from, const fs::path& to) {
  boost::system::error_code error;
  const auto source = fs::canonical(from, error);
  if (error) return base::fail(base::system_error("read", from.string(), error.value()));
  return Copy(source).folder(from, to);
}

}  // namespace builder
