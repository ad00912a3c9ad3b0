// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/base_environment.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <optional>
#include <string_view>

#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "contract/layout.h"
#include "worker-shim/folders.h"

namespace shim {
namespace {

// Whether a file is one that programs read only. In others (certificates, tables, databases) some do write,
// which must not reach the base.
bool is_code(std::string_view name) {
  constexpr std::array<std::string_view, 7> k_suffixes = {".py", ".pyc", ".pyi", ".so", ".a", ".h", ".hpp"};
  return base::contains(name, ".so.") || std::any_of(k_suffixes.begin(), k_suffixes.end(),
                                                     [&](auto suffix) { return name.ends_with(suffix); });
}

// The copies of one run. Each step gives the number of the system's error, 0 when it worked.
class EnvironmentCopy {
 public:
  explicit EnvironmentCopy(const MakeRoom& make_room) : m_room(make_room) {}

  // Everything in the folder `from` that `to` does not have. `path` is the name of both inside the
  // environments.
  std::optional<WriteFailure> fill(base::UniqueFd from, int to, const std::string& path) {
    const Folder folder(::fdopendir(from.get()));
    if (!folder) return WriteFailure{path, errno};
    const int descriptor = from.release();  // the folder's from now on
    while (true) {
      errno = 0;
      const dirent* const entry = ::readdir(folder.get());
      if (entry == nullptr) return errno == 0 ? std::nullopt : std::optional(WriteFailure{path, errno});
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      if (auto failure = add(descriptor, to, entry->d_name,
                             path.empty() ? std::string(name) : path + "/" + entry->d_name))
        return failure;
    }
  }

 private:
  std::optional<WriteFailure> add(int from, int to, const char* name, const std::string& path) {
    struct stat status{};
    if (::fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return WriteFailure{path, errno};
    if (S_ISDIR(status.st_mode)) return add_folder(from, to, name, path);
    const int error_number = with_room([&] {
      return S_ISLNK(status.st_mode) ? add_symbolic_link(from, to, name)
                                     : add_file(from, to, name, status.st_mode);
    });
    if (error_number == 0 || error_number == EEXIST) return std::nullopt;
    return WriteFailure{path, error_number};
  }

  std::optional<WriteFailure> add_folder(int from, int to, const char* name, const std::string& path) {
    const int error_number = with_room([&] { return ::mkdirat(to, name, 0755) == 0 ? 0 : errno; });
    if (error_number != 0 && error_number != EEXIST) return WriteFailure{path, error_number};
    // Where the other has a link or a file of this name, this fails.
    const base::UniqueFd target(::openat(to, name, k_folder_itself));
    if (!target) return WriteFailure{path, errno};
    base::UniqueFd source(::openat(from, name, k_folder_itself));
    if (!source) return WriteFailure{path, errno};
    return fill(std::move(source), target.get(), path);
  }

  // A second name, or a copy where the base is on another disk, another user's or has too many names.
  static int add_file(int from, int to, const char* name, mode_t mode) {
    if (!is_code(name)) return copy(from, to, name, mode);
    if (::linkat(from, name, to, name, 0) == 0) return 0;
    if (errno != EXDEV && errno != EPERM && errno != EMLINK) return errno;
    return copy(from, to, name, mode);
  }

  static int copy(int from, int to, const char* name, mode_t mode) {
    const base::UniqueFd source(::openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!source) return errno;
    base::UniqueFd target(::openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777U));
    if (!target) return errno;
    int error_number = copy_to_end(source.get(), target.get());
    if (error_number == 0) {
      const auto failure = close_file(std::move(target), name);
      error_number = failure ? failure->error_number : 0;
    }
    // Without it the file would be taken for one that was there, when this is tried again.
    if (error_number != 0) ::unlinkat(to, name, 0);
    return error_number;
  }

  static int add_symbolic_link(int from, int to, const char* name) {
    std::array<char, PATH_MAX> target{};
    if (::readlinkat(from, name, target.data(), target.size() - 1) < 0) return errno;
    return ::symlinkat(target.data(), to, name) == 0 ? 0 : errno;
  }

  // `step` again as long as the disk is full and room can be made on it.
  template <class Step>
  int with_room(Step step) {
    while (true) {
      const unsigned rounds = m_room.rounds();
      const int error_number = step();
      if (error_number == 0 || !m_room.make(error_number, rounds)) return error_number;
    }
  }

  RoomMaker m_room;
};

// What a bundle that contradicts its base meets, as opposed to a full or broken disk.
bool is_conflict(int error_number) { return error_number == ELOOP || error_number == ENOTDIR; }

}  // namespace

base::Result<std::string> base_of(const std::string& environment) {
  const std::string path = environment + "/" + contract::k_base_file;
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0 && errno == ENOENT) return std::string();
  const auto text = S_ISREG(status.st_mode) ? read_text(path) : std::nullopt;
  if (text && text->ends_with('\n') && base::is_digest(text->substr(0, text->size() - 1))) {
    return text->substr(0, text->size() - 1);
  }
  return base::fail(base::ErrorKind::bad_input, path, "is not the digest of a bundle");
}

base::Status lay_on_base(int environment, const std::string& base, const std::string& disk,
                         const MakeRoom& make_room) {
  base::UniqueFd source(::open(base.c_str(), k_folder_itself));
  if (!source) return base::fail(base::system_error("read", base, errno));
  const auto failure = EnvironmentCopy(make_room).fill(std::move(source), environment, "");
  if (!failure) return {};
  if (is_conflict(failure->error_number)) {
    return base::fail(base::ErrorKind::bad_input, base + "/" + failure->path,
                      "is a folder here, but not in the environment stacked on it");
  }
  return base::fail(base::system_error("write", disk + "/" + failure->path, failure->error_number));
}

}  // namespace shim
