// SPDX-License-Identifier: Apache-2.0
// Which files below some folders have changed: inotify says when to look, and what their status was before
// says whether anything is new. Where the system has no watches left, everything is looked at once a second.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "pachbuild/local/plan/file_digests.h"
#include "pachbuild/source/ignore.h"

namespace local {

// A folder or file that is watched; it may be missing for now.
struct WatchedRoot {
  enum class Kind {
    source,  // what its .pachignore, the defaults and .gitignore leave out does not count
    data,    // everything in it counts, but what pachbuild keeps in output folders
    specs,   // *.json, *.yaml and *.yml
    file,
  };
  base::fs::path path;
  Kind kind = Kind::data;
  std::string name;  // how changes in it are told: "data"; of a file its own name
  bool operator==(const WatchedRoot&) const = default;
};

class Watcher {
 public:
  // Nothing in the folders `excluded` counts.
  explicit Watcher(std::vector<base::fs::path> excluded);

  // From now on these are watched. What is new among them has not changed yet.
  void watch(const std::vector<WatchedRoot>& roots);

  // Readable when something may have changed; -1 while everything is looked at once a second.
  [[nodiscard]] int descriptor() const { return m_inotify.get(); }
  // Takes what the descriptor has; whether any of it is about what is watched.
  bool take_events();

  // Once a second: marks what no watch tells of.
  void tick();

  struct Change {
    std::size_t root = 0;  // in the roots of watch()
    std::string path;      // below it; empty: the root itself
    auto operator<=>(const Change&) const = default;
  };
  // What of the marked has changed since it was looked at before, in the order of roots and paths. Files that
  // came and went in between, and folders that went and came, are told only where there is nothing else, and
  // only `with_passing`: somebody who reads the folders at the same time may have seen it.
  std::vector<Change> look(bool with_passing = false);

  // Why watches do not work here, once.
  std::optional<base::Error> take_fault();

  // How many watches the system keeps for this.
  [[nodiscard]] std::size_t watches() const { return m_targets.size(); }

 private:
  // A folder, by its path below its root.
  struct Key {
    std::size_t root = 0;
    std::string path;
    auto operator<=>(const Key&) const = default;
  };
  struct Stamp {
    std::uint64_t device = 0;
    std::uint32_t type = 0;  // 0: there is nothing
    FileIdentity identity;   // of a folder only the inode
    bool operator==(const Stamp&) const = default;
  };
  static Stamp stamp_of(const struct stat& status);
  struct File {
    Stamp stamp;
    // It was written so shortly before that the next write could leave the same stamp.
    bool is_fresh = false;
    int watch = -1;  // of what a link leads to
  };
  struct Folder {
    Stamp stamp;
    int watch = -1;
    source::IgnoreRules::Verdict verdict;
    std::map<std::string, File> files;
    std::set<std::string> folders;
    std::set<std::string> links;  // of the names above
  };
  struct Root {
    WatchedRoot what;
    std::optional<source::IgnoreRules> rules;  // of a source
    File ignore_file;
    File file;  // of Kind::file
    std::string own_name;
    int parent_watch = -1;   // of the folder that it is in
    bool is_remote = false;  // others can change it without the kernel here noticing
  };
  // Who is told of the events of a watch.
  struct Target {
    Key key;
    bool is_root = false;  // the root itself is to be looked at, when the event is about `name`
    std::string name;      // what is to be looked at in the folder; empty: what the event names
    auto operator<=>(const Target&) const = default;
  };
  struct Mark {
    bool all = false;
    bool links = false;           // in it
    std::set<std::string> names;  // that events were about
  };

  [[nodiscard]] std::string absolute(const Key& key) const;
  [[nodiscard]] bool is_excluded(const struct stat& status) const;
  // Whether an entry of `folder` counts; of a folder gets the verdict of the rules.
  [[nodiscard]] bool counts(const Key& entry, bool is_folder, source::IgnoreRules::Verdict& verdict) const;
  [[nodiscard]] bool is_circle(const Key& folder, const Stamp& inner) const;

  int add_watch(const std::string& path, const Target& target);
  void drop_watch(int watch, const Target& target);
  void poll_from_now_on(base::Error fault);
  void mark_all();
  bool mark(const Target& target, std::uint32_t mask, const std::string& name);

  void watch_parent(std::size_t root);
  void look_at_root(std::size_t root, bool named, std::vector<Change>& changes);
  void look_at_file(std::size_t root, bool named, std::vector<Change>& changes);
  void look_at_folder(const Key& key, const Stamp& stamp, bool deep, std::vector<Change>& changes);
  void look_at_entry(const Key& key, const std::string& name, bool deep, bool named,
                     std::vector<Change>& changes);
  bool reread_rules(std::size_t root, bool named);
  void read_rules(std::size_t root);
  // After a .gitignore has changed.
  void look_by_new_rules(std::size_t root);
  // Tells nothing of what has changed.
  void look_at_all(std::size_t root);
  void apply_rules(const Key& key, std::vector<Change>& changes);
  void take_file(const Key& key, const std::string& name, const File& file, bool named,
                 std::vector<Change>& changes);
  void forget_file(const Key& key, const std::string& name, std::vector<Change>& changes);
  void forget_folder(const Key& key, std::vector<Change>& changes);
  void forget_root(std::size_t root);

  std::vector<base::fs::path> m_excluded;
  base::UniqueFd m_inotify;
  std::optional<base::Error> m_fault;
  bool m_was_told = false;
  std::vector<Root> m_roots;
  std::map<Key, Folder> m_folders;
  std::map<int, std::set<Target>> m_targets;  // by watch
  std::map<Key, Mark> m_marked;
  std::map<std::size_t, bool> m_marked_roots;  // whether an event named it
  std::vector<Change> m_passing;
};

// "main.py", "main.py and data/a.txt", "3 files in data".
std::string describe(const std::vector<Watcher::Change>& changes, const std::vector<WatchedRoot>& roots);

}  // namespace local
