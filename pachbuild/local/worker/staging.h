// SPDX-License-Identifier: Apache-2.0
// Lays out /pfs for one datum as a worker of a cluster does: a new folder /pfs/.scratch/<id> with the
// inputs, an empty out and the file .env, and links to them from /pfs. An input's own folder has mode 0700,
// those below 0755 (0700 where its files are lazy or empty), files 0644.
//
// A cluster downloads every input again for every datum. Here the folder of the datum before is renamed, and
// what in it is as it was made stays: an input with the same content, a file that only gets new content, the
// named pipes. Making and removing files is what a disk does slowest.
#pragma once

#include <sys/types.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/folder.h"
#include "pachbuild/local/pool/task.h"
#include "pachbuild/local/worker/lazy_files.h"

namespace local {

// What of a folder a program can change and its entries do not show.
struct FolderState {
  mode_t mode = 0;
  uid_t owner = 0;
  gid_t group = 0;
  dev_t device = 0;
  ssize_t attributes = 0;  // the size of their names
  int flags = 0;           // of chattr(1)
  bool operator==(const FolderState&) const = default;
};

class Staging {
 public:
  // `pfs`: the folder that programs see as /pfs. `beside`: the folder below its .scratch that is another
  // one's while a batch runs.
  explicit Staging(base::fs::path pfs, std::string beside = {})
      : m_pfs(std::move(pfs)), m_beside(std::move(beside)) {}

  // What may still be at work in /pfs when a datum's command has ended.
  enum class Left { nothing, processes };

  // A person tries things in what is made from now on.
  void be_lenient() { m_lazy.serve_again(); }

  // Makes everything ready for `task`; what the one before left behind is removed. Where processes are left,
  // nothing that they could have open is used again. Inputs that are resident are another one's.
  base::Status prepare(const Task& task, Left left = Left::nothing);

  // What /pfs/.env has; after prepare().
  base::Status write_environment(const std::string& lines);

  // After the program has ended: stops the lazy inputs, see LazyFiles::finish().
  base::Status finish() { return m_lazy.finish(m_scratch); }

  // What the program of `task` has made in /pfs that is none of these, or, where it has left no output, in
  // its source: "output", "source/results". Empty: there is nothing.
  [[nodiscard]] base::Result<std::string> find_stranger(const Task& task) const;

  // The folder that has the datum's inputs and its output.
  [[nodiscard]] const base::fs::path& scratch() const { return m_scratch; }
  // The folder behind /pfs/out.
  [[nodiscard]] base::fs::path output() const { return m_scratch / "out"; }
  // The same, if it is still the one that prepare() made: a program can put another one, or a link, in its
  // place.
  [[nodiscard]] base::Result<base::Folder> open_output() const;

 private:
  struct Staged {
    std::string version;
    std::string fingerprint;
    std::string file;  // the path of the only file, where it is one that can get new content
  };
  // What appears below one name: mostly one file or folder, several in a datum of a group.
  using Parts = std::vector<const TaskInput*>;
  using Inputs = std::map<std::string, Parts>;
  base::Status begin_anew(const Task& task);
  base::Result<bool> take_over(const Task& task, const Inputs& inputs);
  [[nodiscard]] base::Result<std::vector<std::string>> strangers(
      const std::function<bool(const std::string& name)>& is_input) const;
  base::Status remove_strangers(const Inputs& inputs) const;
  [[nodiscard]] std::string find_stranger_of(const TaskInput& source) const;
  base::Status stage(const std::string& name, const Parts& parts);
  base::Result<bool> refill(Staged& staged, const std::string& name, const Parts& parts) const;
  base::Status copy_input(const TaskInput& input, const base::fs::path& folder);
  base::Status copy_file(const TaskInput& input, const std::string& source, const base::fs::path& folder,
                         const std::string& path);
  base::Status link(const std::string& name) const;
  base::Status clear_output();
  [[nodiscard]] base::Result<bool> is_as_made(const base::Folder& folder) const;
  [[nodiscard]] base::Status secure_scratch() const;

  base::fs::path m_pfs;
  std::string m_beside;
  base::fs::path m_scratch;                // empty: nothing is there that could be used again
  std::map<std::string, Staged> m_staged;  // by input name
  std::string m_environment;               // the state of the file .env when it was written
  FolderState m_new_folder;                // of m_scratch when it was made
  LazyFiles m_lazy;
  std::optional<base::Folder> m_output;  // the folder that clear_output() made
};

// Changes when anything below `folder` is written, added, removed or renamed.
base::Result<std::string> fingerprint(const base::fs::path& folder);

}  // namespace local
