// SPDX-License-Identifier: Apache-2.0
// The folder of --output: an export of results, beside whatever else its owner keeps there.
//
// Everything of ours in it, apart from the files of the outputs, is in one hidden folder, .pachbuild:
//   output.json  the pipeline, and the files and folders that the last export left
//   missing      after an export without the output of all datums: those that have none
//   lock         held by the pachbuild that works here
//   new/         files that are about to be moved into place
//   ….next      what becomes the file of the name before it after the moves
//   spare/       folders that give their room to those of the new files
//   next.json    the list of those moves. Once it exists, the export happens: a pachbuild that finds it
//                completes it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/folder.h"
#include "base/result.h"
#include "pachbuild/local/results/result_store.h"

namespace local {

// The output of a datum; `label` names it for people.
struct DatumOutput {
  std::string label;
  std::vector<ResultFile> files;
};

// A datum without output, because it failed.
struct MissingDatum {
  std::string label;
  std::string reason;
};

// How files come from the store into the folder. A copy shares its blocks with the store where the file
// system can. A hard link takes no room and no time, but an edit of the file would be an edit of the store:
// it is read-only.
enum class ExportBy { copy, hard_link };

class OutputFolder {
 public:
  // Makes the folder if it is missing, locks it, and completes an export that was cut off. An error when it
  // holds the output of another pipeline.
  static base::Result<OutputFolder> open(const base::fs::path& path, const std::string& pipeline);
  // Whether `path` is such a folder: it has an export, or a run was cut off before its first.
  static bool is_at(const base::fs::path& path);
  // The pipeline whose output `path` has; none: it has no export.
  static std::optional<std::string> pipeline_at(const base::fs::path& path);

  OutputFolder(OutputFolder&&) = default;
  OutputFolder& operator=(OutputFolder&&) = delete;
  // A folder that this has made and that got nothing goes again.
  ~OutputFolder();

  // That no path of `outputs` is taken by a file that is not ours.
  [[nodiscard]] base::Status check(const std::vector<DatumOutput>& outputs) const;

  // Makes the folder have the files of `outputs`, which have no conflict, and no longer those of earlier
  // exports that are not among them. Until all new files are on the folder's disk nothing changes, and what
  // is the same already is not written.
  base::Status publish(const std::vector<DatumOutput>& outputs, const std::vector<MissingDatum>& missing,
                       const ResultStore& store, ExportBy by);

  // Adds the files of `outputs`. They replace what is in their way of earlier exports; what else is there of
  // those stays, until publish(), but for the files of `withdrawn`. Without `missing`, what was missing
  // before is still.
  base::Status add(const std::vector<DatumOutput>& outputs, const std::vector<DatumOutput>& withdrawn,
                   const std::optional<std::vector<MissingDatum>>& missing, const ResultStore& store,
                   ExportBy by);

  // The same as JSON has them.
  struct File {
    std::string path;
    std::string digest;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    std::uint64_t inode = 0;
  };
  struct State {
    std::string pipeline;
    std::vector<File> files;
    std::set<std::string> folders;  // that exports have made
  };
  struct Move {
    std::string from;  // a name in new/
    std::string to;
    bool replaces = false;  // a file that an earlier export left
  };
  struct Plan {
    std::vector<std::string> removed_files;
    std::vector<std::string> removed_folders;  // deepest first; those that are empty then
    std::vector<Move> moves;
    std::string missing;  // the text of the file
    State state;          // afterwards
  };

 private:
  OutputFolder(base::fs::path path, base::Folder root, base::Folder own, base::FileLock lock, bool made)
      : m_path(std::move(path)),
        m_root(std::move(root)),
        m_own(std::move(own)),
        m_lock(std::move(lock)),
        m_made(made) {}

  base::Status begin(const std::string& pipeline);
  [[nodiscard]] base::Status check_path(const std::string& path, const std::string& label,
                                        const std::set<std::string>& wanted) const;
  [[nodiscard]] base::Status check_writable(const Plan& plan) const;
  [[nodiscard]] bool is_owned(const std::string& path) const { return m_owned.contains(path); }
  [[nodiscard]] base::Result<bool> has_only_ours(const base::Folder& folder, const std::string& path,
                                                 const std::set<std::string>& wanted) const;
  [[nodiscard]] bool is_unchanged(const File& file) const;
  // `kept`: of earlier exports, as they are.
  base::Result<Plan> prepare(const std::vector<ResultFile>& files, const std::vector<File>& kept,
                             const ResultStore& store, ExportBy by);
  base::Status publish_plan(const Plan& plan);
  base::Status stage(const ResultFile& file, const std::string& name, const ResultStore& store, ExportBy by,
                     File& staged) const;
  base::Status carry_out(const Plan& plan);
  base::Status move(const Move& move) const;
  [[nodiscard]] base::Status save_ahead(const Plan& plan) const;
  [[nodiscard]] base::Status save_at_end(const std::string& name, const std::string& content) const;
  base::Status save(const std::string& name, const std::string& content) const;
  void set_state(State state);

  base::fs::path m_path;
  base::Folder m_root;
  base::Folder m_own;
  base::FileLock m_lock;
  bool m_made = false;
  State m_state;
  std::set<std::string> m_owned;  // the paths of m_state.files
};

}  // namespace local
