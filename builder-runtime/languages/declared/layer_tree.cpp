// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/layer_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <set>

#include "base/errors.h"
#include "base/inside.h"
#include "base/relative_path.h"
#include "base/stop.h"
#include "base/text.h"

namespace builder::declared {
namespace {

constexpr mode_t k_folder_mode = 0755;
constexpr int k_deepest = 200;

TreeEntry::Type type_of(mode_t mode) {
  if (S_ISDIR(mode)) return TreeEntry::Type::folder;
  if (S_ISREG(mode)) return TreeEntry::Type::file;
  return S_ISLNK(mode) ? TreeEntry::Type::link : TreeEntry::Type::other;
}

base::Status list_below(const base::Folder& folder, const std::string& prefix, int depth,
                        std::vector<TreeEntry>& entries) {
  if (depth > k_deepest)
    return base::fail(base::ErrorKind::step_failed, folder.shown(), "is nested too deeply");
  BASE_TRY_ASSIGN(const auto names, folder.names());
  for (const auto& name : names) {
    BASE_TRY(base::check_stop());
    BASE_TRY_ASSIGN(const auto status, folder.status(name));
    if (!status) continue;
    const auto path = base::join_path(prefix, name);
    entries.push_back({path, type_of(status->st_mode)});
    if (entries.back().type != TreeEntry::Type::folder) continue;
    BASE_TRY_ASSIGN(const auto below, folder.open_folder(name));
    BASE_TRY(list_below(below, path, depth + 1, entries));
  }
  return {};
}

bool is_meant(const FilePatterns& patterns, const TreeEntry& entry, const fs::path& tree) {
  return any_matches(patterns, entry.path, [&] {
    return entry.type == TreeEntry::Type::file ? first_line_of_file(tree / entry.path) : std::string();
  });
}

enum class Links { all, inside };

// A file or a link. Of links that lead out of the folder only those of a layer are meant so.
base::Status copy_entry(const fs::path& folder, const TreeEntry& entry, const std::string& path,
                        LayerTree& to, Links links) {
  const fs::path from = folder / entry.path;
  if (entry.type == TreeEntry::Type::file) {
    struct stat status{};
    const bool is_executable = ::lstat(from.c_str(), &status) == 0 && (status.st_mode & S_IXUSR) != 0;
    return to.add_file(from, path, is_executable);
  }
  boost::system::error_code error;
  const auto target = fs::read_symlink(from, error);
  if (error) return base::fail(base::system_error("read", from.string(), error.value()));
  const bool is_inside =
      !target.is_absolute() && base::stays_inside(fs::path(entry.path).parent_path() / target);
  if (links == Links::inside && !is_inside) return {};
  return to.add_link(target.string(), path);
}

}  // namespace

base::Result<LayerTree> LayerTree::open(const fs::path& folder) {
  BASE_TRY_ASSIGN(auto opened, base::Folder::open(folder));
  return LayerTree(folder, std::move(opened));
}

base::Result<std::vector<TreeEntry>> LayerTree::entries() const {
  std::vector<TreeEntry> entries;
  BASE_TRY(list_below(m_folder, "", 0, entries));
  return entries;
}

base::Status LayerTree::make_folder(const std::string& path) {
  const auto clean = base::clean_path(path);
  if (clean.empty()) return {};
  BASE_TRY(m_folder.make_folders(clean, k_folder_mode));
  return {};
}

base::Result<base::Folder> LayerTree::folder_at(const std::string& path) const {
  return path.empty() ? base::Folder::open(m_path) : m_folder.open_folder(path);
}

base::Result<base::Folder> LayerTree::folder_for(const std::string& path) const {
  const auto above = base::folder_of(path);
  if (above.empty()) return base::Folder::open(m_path);
  return m_folder.make_folders(above, k_folder_mode);
}

base::Status LayerTree::add_file(const fs::path& from, const std::string& path, bool is_executable) {
  BASE_TRY_ASSIGN(const auto folder, folder_for(path));
  const auto name = base::name_of(path);
  BASE_TRY(folder.remove(name));
  // The folder is ours and open, and nothing of this name is in it: nobody's link is followed.
  const auto to = fs::path("/proc/self/fd") / std::to_string(folder.descriptor()) / name;
  auto copied = base::copy_regular_file(from, to, is_executable ? 0755 : 0644);
  if (!copied && copied.error().where == to.string()) copied.error().where = (m_path / path).string();
  return copied;
}

base::Status LayerTree::add_link(const std::string& target, const std::string& path) {
  BASE_TRY_ASSIGN(const auto folder, folder_for(path));
  const auto name = base::name_of(path);
  BASE_TRY(folder.remove(name));
  if (::symlinkat(target.c_str(), folder.descriptor(), name.c_str()) != 0)
    return base::fail(base::system_error("create", (m_path / path).string(), errno));
  return {};
}

base::Status LayerTree::remove_path(const std::string& path) {
  auto above = base::folder_of(path);
  const auto folder = folder_at(above);
  // A command may have put something else in a folder's place.
  if (!folder) return {};
  BASE_TRY(folder->remove(base::name_of(path)));
  for (; !above.empty(); above = base::folder_of(above)) {
    BASE_TRY_ASSIGN(const auto inner, folder_at(above));
    BASE_TRY_ASSIGN(const auto names, inner.names());
    if (!names.empty()) break;
    BASE_TRY_ASSIGN(const auto outer, folder_at(base::folder_of(above)));
    BASE_TRY(outer.remove(base::name_of(above)));
  }
  return {};
}

base::Status LayerTree::remove(const FilePatterns& patterns) {
  if (patterns.empty()) return {};
  BASE_TRY_ASSIGN(const auto all, entries());
  std::string removed;
  for (const auto& entry : all) {
    if (!removed.empty() && base::is_at_or_below(entry.path, removed)) continue;
    if (!is_meant(patterns, entry, m_path)) continue;
    BASE_TRY_ASSIGN(const auto folder, folder_for(entry.path));
    BASE_TRY(folder.remove(base::name_of(entry.path)));
    removed = entry.path;
  }
  return {};
}

base::Status LayerTree::keep(const FilePatterns& patterns) {
  if (patterns.empty()) return {};
  BASE_TRY_ASSIGN(auto all, entries());
  std::set<std::string> staying;
  std::string kept;
  for (const auto& entry : all) {
    const bool is_below = !kept.empty() && base::is_at_or_below(entry.path, kept);
    if (!is_below && !is_meant(patterns, entry, m_path)) continue;
    if (!is_below) kept = entry.path;
    staying.insert(entry.path);
    for (auto& folder : base::folders_above(entry.path)) staying.insert(std::move(folder));
  }
  // From behind, so that a folder comes after what it has.
  std::reverse(all.begin(), all.end());
  for (const auto& entry : all) {
    if (staying.contains(entry.path)) continue;
    BASE_TRY_ASSIGN(const auto folder, folder_for(entry.path));
    BASE_TRY(folder.remove(base::name_of(entry.path)));
  }
  return {};
}

base::Status LayerTree::make_executable(const FilePatterns& patterns) {
  BASE_TRY_ASSIGN(const auto paths, files(patterns));
  for (const auto& path : paths) {
    BASE_TRY_ASSIGN(const auto folder, folder_for(path));
    BASE_TRY_ASSIGN(const auto file, folder.open_file(base::name_of(path), O_RDONLY | O_NONBLOCK));
    if (::fchmod(file.get(), 0755) != 0)
      return base::fail(base::system_error("change", (m_path / path).string(), errno));
  }
  return {};
}

base::Result<std::vector<std::string>> LayerTree::files(const FilePatterns& patterns) const {
  std::vector<std::string> paths;
  if (patterns.empty()) return paths;
  BASE_TRY_ASSIGN(const auto all, entries());
  for (const auto& entry : all) {
    if (entry.type == TreeEntry::Type::file && is_meant(patterns, entry, m_path)) paths.push_back(entry.path);
  }
  return paths;
}

base::Status LayerTree::copy_to(LayerTree& other) const {
  BASE_TRY_ASSIGN(const auto all, entries());
  for (const auto& entry : all) {
    BASE_TRY(base::check_stop());
    if (entry.type == TreeEntry::Type::folder) {
      BASE_TRY(other.make_folder(entry.path));
    } else if (entry.type == TreeEntry::Type::other) {
      return base::fail(base::ErrorKind::step_failed, entry.path, "is neither a file, a folder nor a link");
    } else {
      BASE_TRY(copy_entry(m_path, entry, entry.path, other, Links::all));
    }
  }
  return {};
}

std::vector<std::pair<SourceFile, std::string>> copied_files(const CopyDescription& copy,
                                                             const SourceFiles& files) {
  std::vector<std::pair<SourceFile, std::string>> copied;
  const auto to = base::clean_path(copy.to);
  const auto add = [&](const SourceFile& file, const std::string& below) {
    copied.emplace_back(file, base::join_path(to, below));
  };
  if (!copy.from.is_plain()) {
    for (const auto& file : files.matching(copy.from)) add(file, file.name);
    return copied;
  }
  const auto from = base::clean_path(copy.from.text());
  for (const auto& file : files.all()) {
    if (file.name == from) add(file, base::name_of(file.name));
    if (from.empty()) add(file, file.name);
    if (!from.empty() && file.name.starts_with(from + "/")) add(file, file.name.substr(from.size() + 1));
  }
  return copied;
}

base::Status copy_files(const std::vector<CopyDescription>& copies, const SourceFiles& files,
                        LayerTree& tree) {
  for (const auto& copy : copies) {
    for (const auto& [file, path] : copied_files(copy, files)) {
      BASE_TRY(base::check_stop());
      BASE_TRY(tree.add_file(files.path_of(file.name), path, file.is_executable));
    }
  }
  return {};
}

base::Status take_files(const std::vector<CopyDescription>& takes, const fs::path& work, LayerTree& tree) {
  BASE_TRY_ASSIGN(const auto from, LayerTree::open(work));
  BASE_TRY_ASSIGN(const auto entries, from.entries());
  for (const auto& take : takes) {
    const auto plain = base::clean_path(take.from.text());
    for (const auto& entry : entries) {
      std::string below = entry.path;
      if (take.from.is_plain()) {
        if (!base::is_at_or_below(entry.path, plain)) continue;
        below = entry.path == plain ? base::name_of(plain)
                                    : entry.path.substr(plain.empty() ? 0 : plain.size() + 1);
      } else if (!take.from.matches(entry.path, [] { return std::string(); })) {
        continue;
      }
      const auto path = base::join_path(base::clean_path(take.to), below);
      const bool is_copied = entry.type == TreeEntry::Type::file || entry.type == TreeEntry::Type::link;
      if (is_copied) BASE_TRY(copy_entry(work, entry, path, tree, Links::inside));
    }
  }
  return {};
}

}  // namespace builder::declared
