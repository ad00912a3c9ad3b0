// SPDX-License-Identifier: Apache-2.0
// Lays out /pfs for one datum as a worker of a cluster does: a new folder /pfs/.scratch/<id> with the
// inputs, an empty out and the file .env, and links to them from /pfs. An input's own folder has mode 0700,
// those below 0755 (0700 where its files are lazy or empty), files 0644.
//
// A cluster downloads every input again for every datum. Here an input with the same content as for the
// datum before, untouched by the program, moves over to the new folder instead.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/folder.h"
#include "pachbuild/local/pool/task.h"
#include "pachbuild/local/worker/lazy_files.h"

namespace local {

class Staging {
 public:
  // `pfs`: the folder that programs see as /pfs.
  explicit Staging(base::fs::path pfs) : m_pfs(std::move(pfs)) {}

  // Makes everything ready for `task`; what the one before left behind is removed.
  base::Status prepare(const Task& task);

  // What /pfs/.env has; after prepare().
  base::Status write_environment(const std::string& lines) const;

  // After the program has ended: stops the lazy inputs, see LazyFiles::finish().
  base::Status finish() { return m_lazy.finish(); }

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
    base::fs::path folder;
    std::string fingerprint;
  };
  // What appears below one name: mostly one file or folder, several in a datum of a group.
  using Parts = std::vector<const TaskInput*>;
  base::Status remove_strangers(const std::map<std::string, Parts>& inputs);
  base::Status stage(const std::string& name, const Parts& parts);
  base::Status copy_input(const TaskInput& input, const base::fs::path& folder);
  base::Status copy_file(const TaskInput& input, const std::string& source, const base::fs::path& target);
  base::Status link(const std::string& name) const;
  base::Status clear_output();
  [[nodiscard]] base::Status secure_scratch() const;

  base::fs::path m_pfs;
  base::fs::path m_scratch;
  std::map<std::string, Staged> m_staged;  // by input name
  LazyFiles m_lazy;
  std::optional<base::Folder> m_output;  // the folder that clear_output() made
};

// Changes when anything below `folder` is written, added, removed or renamed.
base::Result<std::string> fingerprint(const base::fs::path& folder);

}  // namespace local
