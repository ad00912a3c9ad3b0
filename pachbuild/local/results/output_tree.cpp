// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/output_tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>
#include <optional>

#include "base/relative_path.h"
#include "base/stop.h"
#include "base/text.h"
#include "contract/layout.h"
#include "contract/pfs_names.h"

namespace local {
namespace {

using base::ErrorKind;

// How many of the invalid names an error lists.
constexpr std::size_t k_names_shown = 5;

struct Listing {
  std::vector<OutputTree::File> files;
  std::vector<std::string> invalid;  // paths as errors show them
};

base::Status list_folder(const base::Folder& folder, const std::string& path, int depth, Listing& listing) {
  if (depth > k_deepest_output) {
    return base::fail(ErrorKind::step_failed, folder.shown(),
                      "more than " + std::to_string(k_deepest_output) + " folders are nested");
  }
  BASE_TRY(base::check_stop());
  BASE_TRY_ASSIGN(const auto names, folder.names());
  for (const auto& name : names) {
    if (!contract::can_be_stored_in_pfs(name)) listing.invalid.push_back(folder.shown(name));
    BASE_TRY_ASSIGN(const auto status, folder.status(name));
    if (!status) continue;  // a process that outlived the program has just removed it
    const std::string entry = base::join_path(path, name);
    if (S_ISDIR(status->st_mode)) {
      const bool closed = (status->st_mode & S_IRWXU) != S_IRWXU;
      BASE_TRY_ASSIGN(const auto child, closed ? folder.open_closed_folder(name) : folder.open_folder(name));
      BASE_TRY(list_folder(child, entry, depth + 1, listing));
    } else if (S_ISREG(status->st_mode)) {
      listing.files.push_back({entry, static_cast<std::uint64_t>(status->st_size)});
    } else {
      return base::fail(ErrorKind::step_failed, folder.shown(name), "is neither a file nor a folder",
                        "PFS stores files only");
    }
  }
  return {};
}

base::Status check_names(std::vector<std::string> invalid) {
  if (invalid.empty()) return {};
  return base::fail(ErrorKind::step_failed, "", contract::invalid_names(std::move(invalid), k_names_shown),
                    contract::k_pfs_names_hint);
}

}  // namespace

base::Result<OutputTree> OutputTree::open(const base::fs::path& folder) {
  auto root = base::Folder::open_without_link(folder, contract::k_out);
  if (!root) return base::fail(output_replaced());
  return OutputTree(std::move(*root));
}

base::Result<std::vector<OutputTree::File>> OutputTree::list() const {
  Listing listing;
  BASE_TRY(list_folder(m_root, "", 0, listing));
  BASE_TRY(check_names(std::move(listing.invalid)));
  return std::move(listing.files);
}

base::Status OutputTree::visit(const std::vector<File>& files, const Taker& take) const {
  // Neighbours share their folder.
  std::string open_path;
  std::optional<base::Folder> open_folder;
  for (const auto& file : files) {
    BASE_TRY(base::check_stop());
    const std::string parent = base::folder_of(file.path);
    if (!parent.empty() && parent != open_path) {
      BASE_TRY_ASSIGN(open_folder, m_root.open_folder(parent));
      open_path = parent;
    }
    BASE_TRY(take(parent.empty() ? m_root : *open_folder, base::name_of(file.path), file));
  }
  return {};
}

// A lease says whether somebody writes (fcntl(2), F_SETLEASE); where the file system has none, nobody knows.
bool is_ours_alone(int file) {
  struct stat status{};
  if (::fstat(file, &status) != 0 || status.st_nlink != 1) return false;
  // A process that opens it in this moment would be announced by SIGIO, which ends processes.
  if (::fcntl(file, F_SETSIG, SIGURG) != 0 || ::fcntl(file, F_SETLEASE, F_RDLCK) != 0) return false;
  return ::fcntl(file, F_SETLEASE, F_UNLCK) == 0;
}

base::Error output_replaced() {
  return {ErrorKind::step_failed, contract::k_out, "was removed or replaced by the program",
          "write into the existing folder"};
}

}  // namespace local
