// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/watch/watcher.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "base/errors.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "pachbuild/local/results/own_folder.h"
#include "pachbuild/source/source.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace local {
namespace {

namespace fs = base::fs;
using RootKind = WatchedRoot::Kind;
using source::IgnoreRules;

constexpr std::uint32_t k_mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY |
                                 IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
// The kernel's clock for file times ticks at least a hundred times a second (CONFIG_HZ).
constexpr std::chrono::milliseconds k_clock_tick{15};
// More than any tree has that a worker could be given.
constexpr std::ptrdiff_t k_deepest_link = 500;

bool is_fresh_now(const struct stat& status) {
  const auto age = std::chrono::system_clock::now().time_since_epoch() -
                   std::chrono::nanoseconds(nanoseconds(status.st_ctim));
  return age < k_clock_tick;
}

bool is_remote(const std::string& path) {
  struct statfs status{};
  if (::statfs(path.c_str(), &status) != 0) return false;
  constexpr unsigned k_cifs = 0xFF534D42;
  constexpr unsigned k_ceph = 0x00C36400;
  switch (static_cast<unsigned>(status.f_type)) {
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case SMB2_SUPER_MAGIC:
    case V9FS_MAGIC:
    case AFS_SUPER_MAGIC:
    case k_cifs:
    case k_ceph:
      return true;
    default:
      return false;
  }
}

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  boost::system::error_code error;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename().string());
  return names;
}

}  // namespace

Watcher::Watcher(std::vector<fs::path> excluded)
    : m_excluded(std::move(excluded)), m_inotify(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
  if (!m_inotify)
    poll_from_now_on({base::ErrorKind::unavailable, "fs.inotify.max_user_instances",
                      "its limit is reached, so files are checked once per second",
                      "raise it: sysctl fs.inotify.max_user_instances=1024"});
}

std::optional<base::Error> Watcher::take_fault() { return std::exchange(m_fault, std::nullopt); }

void Watcher::poll_from_now_on(base::Error fault) {
  if (!std::exchange(m_was_told, true)) m_fault = std::move(fault);
  m_inotify.reset();
  m_targets.clear();
  for (auto& [key, folder] : m_folders) {
    folder.watch = -1;
    for (auto& [name, file] : folder.files) file.watch = -1;
  }
  for (auto& root : m_roots) root.parent_watch = root.file.watch = -1;
}

void Watcher::watch(const std::vector<WatchedRoot>& roots) {
  const bool same = std::equal(m_roots.begin(), m_roots.end(), roots.begin(), roots.end(),
                               [](const Root& one, const WatchedRoot& other) { return one.what == other; });
  if (same) return;
  for (std::size_t i = 0; i < m_roots.size(); ++i) forget_root(i);
  m_roots.clear();
  m_marked.clear();
  m_marked_roots.clear();
  for (const auto& what : roots) {
    Root root;
    root.what = what;
    root.own_name = base::normal_path(what.path).filename().string();
    m_roots.push_back(std::move(root));
  }
  std::vector<Change> none;
  for (std::size_t i = 0; i < m_roots.size(); ++i) look_at_root(i, /*named=*/false, none);
}

Watcher::Stamp Watcher::stamp_of(const struct stat& status) {
  const bool is_folder = S_ISDIR(status.st_mode);
  return {status.st_dev, status.st_mode & S_IFMT,
          is_folder ? FileIdentity{.inode = status.st_ino} : FileIdentity::of(status)};
}

std::string Watcher::absolute(const Key& key) const {
  const auto& path = m_roots[key.root].what.path;
  return key.path.empty() ? path.string() : (path / key.path).string();
}

bool Watcher::is_excluded(const struct stat& status) const {
  return std::any_of(m_excluded.begin(), m_excluded.end(), [&](const auto& path) {
    struct stat excluded{};
    return ::stat(path.c_str(), &excluded) == 0 && excluded.st_dev == status.st_dev &&
           excluded.st_ino == status.st_ino;
  });
}

// Whether a folder in `folder` is one that `folder` is in.
bool Watcher::is_circle(const Key& folder, const Stamp& inner) const {
  const auto is_same = [&](const std::string& path) {
    const auto known = m_folders.find({folder.root, path});
    return known != m_folders.end() && known->second.stamp == inner;
  };
  const auto above = base::folders_above(folder.path);
  return is_same("") || is_same(folder.path) || std::any_of(above.begin(), above.end(), is_same) ||
         std::count(folder.path.begin(), folder.path.end(), '/') > k_deepest_link;
}

int Watcher::add_watch(const std::string& path, const Target& target) {
  if (!m_inotify) return -1;
  const int watch = ::inotify_add_watch(m_inotify.get(), path.c_str(), k_mask);
  if (watch >= 0) {
    m_targets[watch].insert(target);
  } else if (errno == ENOSPC || errno == ENOMEM) {
    poll_from_now_on({base::ErrorKind::unavailable, "fs.inotify.max_user_watches",
                      "its limit is reached, so files are checked once per second",
                      "raise it: sysctl fs.inotify.max_user_watches=1048576"});
  }
  return watch;
}

void Watcher::drop_watch(int watch, const Target& target) {
  const auto known = m_targets.find(watch);
  if (known == m_targets.end()) return;
  known->second.erase(target);
  if (!known->second.empty()) return;
  m_targets.erase(known);
  ::inotify_rm_watch(m_inotify.get(), watch);
}

void Watcher::mark_all() {
  for (std::size_t i = 0; i < m_roots.size(); ++i) m_marked_roots[i] = true;
  for (const auto& [key, folder] : m_folders) m_marked[key].all = true;
}

bool Watcher::take_events() {
  if (!m_inotify) return false;
  constexpr std::size_t k_buffer = 1 << 16;
  alignas(inotify_event) std::array<char, k_buffer> buffer{};
  bool any = false;
  while (true) {
    const ssize_t count = ::read(m_inotify.get(), buffer.data(), buffer.size());
    if (count <= 0) return any;
    for (ssize_t at = 0; at < count;) {
      inotify_event event{};
      std::memcpy(&event, &buffer[static_cast<std::size_t>(at)], sizeof event);
      const char* const name = event.len > 0 ? &buffer[static_cast<std::size_t>(at) + sizeof event] : "";
      at += static_cast<ssize_t>(sizeof event + event.len);
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        mark_all();
        any = true;
      }
      const auto watch = m_targets.find(event.wd);
      if (watch == m_targets.end()) continue;
      for (const auto& target : watch->second) any = mark(target, event.mask, name) || any;
      if ((event.mask & IN_IGNORED) != 0) m_targets.erase(watch);
    }
  }
}

// `name` is empty when the event is about what is watched itself. Whether there is something to look at.
bool Watcher::mark(const Target& target, std::uint32_t mask, const std::string& name) {
  const auto& key = target.key;
  if (target.is_root) {
    if (!name.empty() && name != target.name) return false;
    m_marked_roots[key.root] = true;
  } else if (!target.name.empty()) {
    m_marked[key].names.insert(target.name);
  } else if (!name.empty()) {
    m_marked[key].names.insert(name);
  } else {
    // A folder that was deleted: another one can have its inode, and has no watch.
    const auto folder = m_folders.find(key);
    if ((mask & (IN_DELETE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0 && folder != m_folders.end())
      folder->second.stamp = {};
    m_marked[key].all = true;  // it may be readable now, or not any more
    if (key.path.empty()) {
      m_marked_roots[key.root] = true;
    } else {
      m_marked[{key.root, base::folder_of(key.path)}].names.insert(base::name_of(key.path));
    }
  }
  return true;
}

void Watcher::tick() {
  for (std::size_t i = 0; i < m_roots.size(); ++i) m_marked_roots.emplace(i, false);
  for (const auto& [key, folder] : m_folders) {
    if (!m_inotify || m_roots[key.root].is_remote) {
      m_marked[key].all = true;
    } else if (!folder.links.empty()) {
      m_marked[key].links = true;
    }
  }
}

std::vector<Watcher::Change> Watcher::look(bool with_passing) {
  std::vector<Change> changes;
  m_passing.clear();
  for (const auto& [root, named] : std::exchange(m_marked_roots, {})) look_at_root(root, named, changes);
  for (const auto& [key, mark] : std::exchange(m_marked, {})) {
    const auto folder = m_folders.find(key);
    if (folder == m_folders.end()) continue;
    if (mark.links) {
      for (const auto& name : std::set<std::string>(folder->second.links))
        look_at_entry(key, name, /*deep=*/false, /*named=*/false, changes);
    }
    // An entry that an event named first: it has changed even if it looks the same.
    for (const auto& name : mark.names) look_at_entry(key, name, /*deep=*/false, /*named=*/true, changes);
    // Other rules may have left it out meanwhile.
    const auto still = m_folders.find(key);
    if (mark.all && still != m_folders.end() && still->second.stamp.type != 0)
      look_at_folder(key, Stamp(still->second.stamp), /*deep=*/false, changes);
  }
  // Editors make such files on their way to another one, which says more.
  if (changes.empty() && with_passing) changes = std::move(m_passing);
  std::sort(changes.begin(), changes.end());
  changes.erase(std::unique(changes.begin(), changes.end()), changes.end());
  return changes;
}

void Watcher::watch_parent(std::size_t number) {
  auto& root = m_roots[number];
  const Target target{{number, ""}, true, root.own_name};
  boost::system::error_code error;
  const auto parent = fs::canonical(base::normal_path(root.what.path).parent_path(), error);
  const int watch = error ? -1 : add_watch(parent.string(), target);
  if (watch != root.parent_watch) drop_watch(root.parent_watch, target);
  root.parent_watch = m_inotify ? watch : -1;
}

void Watcher::look_at_root(std::size_t number, bool named, std::vector<Change>& changes) {
  // Before its status is taken: whatever comes afterwards is told.
  watch_parent(number);
  auto& root = m_roots[number];
  if (root.what.kind == RootKind::file) return look_at_file(number, named, changes);
  const Key top{number, ""};
  struct stat status{};
  const bool is_folder = ::stat(absolute(top).c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  const Stamp stamp = is_folder ? stamp_of(status) : Stamp{};
  const auto known = m_folders.find(top);
  if (known == m_folders.end() && !is_folder) return;
  if (known != m_folders.end() && is_folder && known->second.stamp == stamp) {
    if (named) m_passing.push_back({number, ""});
    return;
  }
  std::vector<Change> within;
  forget_folder(top, within);
  changes.push_back({number, ""});
  if (!is_folder) return;
  root.is_remote = is_remote(absolute(top));
  root.rules.reset();
  look_at_folder(top, stamp, /*deep=*/true, within);
}

void Watcher::look_at_file(std::size_t number, bool named, std::vector<Change>& changes) {
  auto& root = m_roots[number];
  const Key top{number, ""};
  const Target target{top, true, ""};
  File file;
  file.watch = add_watch(absolute(top), target);
  struct stat status{};
  if (::stat(absolute(top).c_str(), &status) == 0) {
    file.stamp = stamp_of(status);
    file.is_fresh = is_fresh_now(status);
  }
  if (file.watch != root.file.watch) drop_watch(root.file.watch, target);
  const bool may_have_changed = named && root.file.is_fresh;
  if (file.stamp != root.file.stamp || may_have_changed) changes.push_back({number, ""});
  if (!m_inotify) file.watch = -1;
  root.file = file;
}

void Watcher::look_at_folder(const Key& key, const Stamp& stamp, bool deep, std::vector<Change>& changes) {
  {
    auto& folder = m_folders[key];
    folder.stamp = stamp;
    // Before its names are read: whatever comes afterwards is told.
    const Target target{key, false, ""};
    const int watch = add_watch(absolute(key), target);
    if (watch != folder.watch) drop_watch(folder.watch, target);
    folder.watch = m_inotify ? watch : -1;
  }
  const bool has_rules = key.path.empty() && m_roots[key.root].what.kind == RootKind::source;
  const bool is_reread = has_rules && reread_rules(key.root, /*named=*/false);
  if (has_rules) m_folders[key].verdict = m_roots[key.root].rules->judge_top();
  if (is_reread && !deep) return apply_rules(key, changes);
  auto names = names_in(absolute(key));
  const auto& folder = m_folders[key];
  for (const auto& [name, file] : folder.files) names.push_back(name);
  names.insert(names.end(), folder.folders.begin(), folder.folders.end());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const auto& name : names) look_at_entry(key, name, deep, /*named=*/false, changes);
}

bool Watcher::counts(const Key& entry, bool is_folder, IgnoreRules::Verdict& verdict) const {
  const std::string name = base::name_of(entry.path);
  const auto& root = m_roots[entry.root];
  switch (root.what.kind) {
    case RootKind::source:
      if (!is_folder) return !root.rules->leaves_out(root.rules->judge_file(entry.path, verdict));
      verdict = root.rules->judge_folder(entry.path, verdict);
      return !root.rules->leaves_out_all(entry.path, verdict);
    case RootKind::specs:
      return is_folder ? name[0] != '.' : spec::is_spec_file(name);
    case RootKind::data:
      return !is_folder || name != k_own_folder || !is_own_folder(absolute(entry));
    case RootKind::file:
      break;
  }
  return false;
}

// `deep`: folders that were looked at before as well. `named`: an event was about it.
void Watcher::look_at_entry(const Key& key, const std::string& name, bool deep, bool named,
                            std::vector<Change>& changes) {
  const auto kind = m_roots[key.root].what.kind;
  if (named && kind == RootKind::source && key.path.empty() && name == source::k_ignore_file &&
      reread_rules(key.root, named))
    return apply_rules(key, changes);
  const auto folder = m_folders.find(key);
  if (folder == m_folders.end()) return;
  const Key inner{key.root, base::join_path(key.path, name)};
  const std::string path = absolute(inner);
  struct stat link{};
  const bool is_there = ::lstat(path.c_str(), &link) == 0;
  const bool is_link = is_there && S_ISLNK(link.st_mode);
  File file;
  // What a link leads to is watched as well, before its status is taken.
  if (is_link) file.watch = add_watch(path, {key, false, name});
  struct stat status = link;
  if (is_link && ::stat(path.c_str(), &status) != 0) status = link;
  bool is_folder = is_there && S_ISDIR(status.st_mode) && (!is_link || kind == RootKind::data);
  file.stamp = is_there ? stamp_of(status) : Stamp{};
  file.is_fresh = is_there && is_fresh_now(status);

  auto verdict = folder->second.verdict;
  bool is_in = is_there && counts(inner, is_folder, verdict);
  if (is_in && is_folder) {
    const bool is_known = folder->second.folders.contains(name);
    is_in = is_known || !is_excluded(status);
  }
  if (is_in && is_folder && is_link && is_circle(key, file.stamp)) {
    // No round can go on with it, so that it comes and goes as a file does.
    drop_watch(std::exchange(file.watch, -1), {key, false, name});
    is_folder = false;
    file.stamp = stamp_of(link);
    file.is_fresh = is_fresh_now(link);
  }
  const bool is_same_folder =
      is_in && is_folder && m_folders.contains(inner) && m_folders[inner].stamp == file.stamp;
  const bool was_known = folder->second.folders.contains(name) || folder->second.files.contains(name);
  if (!is_same_folder) {
    forget_folder(inner, changes);
  } else if (named) {
    m_passing.push_back({key.root, inner.path});
  }
  if (!is_in || is_folder) {
    forget_file(key, name, changes);
    drop_watch(file.watch, {key, false, name});
  }
  folder->second.links.erase(name);
  // Its lines decide what else counts. A deep look has read them already.
  const bool has_lines = kind == RootKind::source && name == source::k_git_ignore_file && !deep;
  if (!is_in) {
    if (named && !is_there && !was_known && counts(inner, false, verdict))
      m_passing.push_back({key.root, inner.path});
    if (has_lines && was_known) look_by_new_rules(key.root);
    return;
  }
  if (is_link) folder->second.links.insert(name);
  if (!is_folder) {
    const auto before = changes.size();
    take_file(key, name, file, named, changes);
    if (has_lines && changes.size() > before) look_by_new_rules(key.root);
    return;
  }
  folder->second.folders.insert(name);
  m_folders[inner].verdict = std::move(verdict);
  if (!is_same_folder || deep) look_at_folder(inner, file.stamp, /*deep=*/true, changes);
}

void Watcher::take_file(const Key& key, const std::string& name, const File& file, bool named,
                        std::vector<Change>& changes) {
  const auto [known, is_new] = m_folders.at(key).files.try_emplace(name);
  auto& former = known->second;
  if (former.watch != file.watch) drop_watch(former.watch, {key, false, name});
  if (is_new || former.stamp != file.stamp || (named && former.is_fresh))
    changes.push_back({key.root, base::join_path(key.path, name)});
  former = file;
  if (m_inotify) return;
  former.watch = -1;
  // Nothing would tell of another write that leaves the same stamp.
  if (file.is_fresh) m_marked[key].names.insert(name);
}

void Watcher::forget_file(const Key& key, const std::string& name, std::vector<Change>& changes) {
  const auto folder = m_folders.find(key);
  if (folder == m_folders.end()) return;
  const auto file = folder->second.files.find(name);
  if (file == folder->second.files.end()) return;
  drop_watch(file->second.watch, {key, false, name});
  folder->second.files.erase(file);
  folder->second.links.erase(name);
  changes.push_back({key.root, base::join_path(key.path, name)});
}

void Watcher::forget_folder(const Key& key, std::vector<Change>& changes) {
  const auto folder = m_folders.find(key);
  if (folder == m_folders.end()) return;
  const auto folders = folder->second.folders;
  for (const auto& name : folders) forget_folder({key.root, base::join_path(key.path, name)}, changes);
  while (!folder->second.files.empty()) {
    const std::string name = folder->second.files.begin()->first;
    forget_file(key, name, changes);
  }
  drop_watch(folder->second.watch, {key, false, ""});
  m_folders.erase(folder);
  if (key.path.empty()) return;
  const auto above = m_folders.find({key.root, base::folder_of(key.path)});
  if (above == m_folders.end()) return;
  above->second.folders.erase(base::name_of(key.path));
  above->second.links.erase(base::name_of(key.path));
}

void Watcher::forget_root(std::size_t number) {
  std::vector<Change> none;
  const Key top{number, ""};
  auto& root = m_roots[number];
  forget_folder(top, none);
  drop_watch(root.file.watch, {top, true, ""});
  drop_watch(root.parent_watch, {top, true, root.own_name});
}

// Whether other rules than before are in force. `named`: an event was about their file.
bool Watcher::reread_rules(std::size_t number, bool named) {
  auto& root = m_roots[number];
  const auto path = root.what.path / source::k_ignore_file;
  File file;
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    file.stamp = stamp_of(status);
    file.is_fresh = is_fresh_now(status);
  }
  const auto former = std::exchange(root.ignore_file, file);
  if (root.rules && former.stamp == file.stamp && !(named && former.is_fresh)) return false;
  read_rules(number);
  return true;
}

void Watcher::read_rules(std::size_t number) {
  auto& root = m_roots[number];
  // A fault in them is told by the round.
  auto rules = IgnoreRules::read(root.what.path, {});
  root.rules = rules ? std::move(*rules) : IgnoreRules::without_lines(root.what.path, {});
}

// What comes and goes by other rules is told as a change of their file.
void Watcher::apply_rules(const Key& key, std::vector<Change>& changes) {
  changes.push_back({key.root, source::k_ignore_file});
  look_at_all(key.root);
}

void Watcher::look_by_new_rules(std::size_t root) {
  read_rules(root);
  look_at_all(root);
}

void Watcher::look_at_all(std::size_t root) {
  const Key top{root, ""};
  std::vector<Change> none;
  look_at_folder(top, Stamp(m_folders.at(top).stamp), /*deep=*/true, none);
}

std::string describe(const std::vector<Watcher::Change>& changes, const std::vector<WatchedRoot>& roots) {
  const auto told = [&](const Watcher::Change& change) {
    const auto& root = roots.at(change.root);
    if (change.path.empty()) return root.name;
    return root.kind == RootKind::data ? base::join_path(root.name, change.path) : change.path;
  };
  constexpr std::size_t k_named = 2;
  std::vector<std::string> names;
  for (const auto& change : changes) {
    const auto name = told(change);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  if (names.size() <= k_named) return base::join(names, " and ");
  const bool is_one_root = changes.front().root == changes.back().root;
  return base::count_of(names.size(), "file") +
         (is_one_root ? " in " + roots.at(changes.front().root).name : "");
}

}  // namespace local
