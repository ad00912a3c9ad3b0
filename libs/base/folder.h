// SPDX-License-Identifier: Apache-2.0
// A folder held by its descriptor, for trees that others can change at the same time. No path below it is
// followed through a symbolic link or "..", so nothing outside it is ever reached.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace base {

class Folder {
 public:
  // `shown`: how errors name the folder.
  Folder(UniqueFd descriptor, std::string shown)
      : m_descriptor(std::move(descriptor)), m_shown(std::move(shown)) {}

  // The folder at `path`, which the user named: links in it are followed.
  static Result<Folder> open(const fs::path& path);
  // The same where the last part must not be a link.
  static Result<Folder> open_without_link(const fs::path& path, const std::string& shown);

  // A folder below this one: "a/b". A link, or anything else but a folder on the way, is an error.
  [[nodiscard]] Result<Folder> open_folder(const std::string& path) const;
  // The same for a folder directly in this one that was made without permissions: its owner gets them back.
  [[nodiscard]] Result<Folder> open_closed_folder(const std::string& name) const;
  // The same as open_folder(), with the folders that are missing; `made` is called with the path of each that
  // this call makes.
  Result<Folder> make_folders(const std::string& path, mode_t mode,
                              const std::function<void(const std::string&)>& made = {}) const;
  // A file directly in this folder; a link is an error.
  [[nodiscard]] Result<UniqueFd> open_file(const std::string& name, int flags, mode_t mode = 0) const;

  // The names of the entries, sorted byte by byte.
  [[nodiscard]] Result<std::vector<std::string>> names() const;
  // The status of `name` without following a link; nothing when it does not exist.
  [[nodiscard]] Result<std::optional<struct stat>> status(const std::string& name) const;
  // Removes an entry of any kind, a folder with everything in it.
  [[nodiscard]] Status remove(const std::string& name) const;

  [[nodiscard]] int descriptor() const { return m_descriptor.get(); }
  [[nodiscard]] const std::string& shown() const { return m_shown; }
  // How errors name an entry.
  [[nodiscard]] std::string shown(const std::string& name) const { return m_shown + "/" + name; }

 private:
  UniqueFd m_descriptor;
  std::string m_shown;
};

// The error of a system call on an entry of somebody else's tree. A link or a file in place of a folder is
// ErrorKind::step_failed, since the tree's owner put it there.
Error entry_error(std::string_view attempt, const std::string& shown, int error_number);

}  // namespace base
