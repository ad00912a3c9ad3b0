// SPDX-License-Identifier: Apache-2.0
// The steps that fill and trim the folder of a layer. Commands that nobody vouches for may have been at work
// in it: no link in it is followed, so that nothing outside is written or removed.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/folder.h"
#include "base/result.h"
#include "builder-runtime/languages/declared/description.h"
#include "builder-runtime/languages/declared/source_files.h"

namespace builder::declared {

struct TreeEntry {
  enum class Type { folder, file, link, other };
  std::string path;  // relative to the layer
  Type type = Type::other;
};

class LayerTree {
 public:
  static base::Result<LayerTree> open(const fs::path& folder);

  // All that is in it, sorted: a folder comes before what it has.
  [[nodiscard]] base::Result<std::vector<TreeEntry>> entries() const;

  base::Status make_folder(const std::string& path);
  // A new file with the content and mode of another one; one of the name is replaced.
  base::Status add_file(const fs::path& from, const std::string& path, bool is_executable);
  base::Status add_link(const std::string& target, const std::string& path);

  // A file, if it is there, and the folders above it that have nothing else.
  base::Status remove_path(const std::string& path);
  // What these mean goes, a folder with all that it has.
  base::Status remove(const FilePatterns& patterns);
  // All but what these mean goes.
  base::Status keep(const FilePatterns& patterns);
  base::Status make_executable(const FilePatterns& patterns);
  // The regular files that these mean.
  [[nodiscard]] base::Result<std::vector<std::string>> files(const FilePatterns& patterns) const;

  // All of it into another one, which is empty.
  base::Status copy_to(LayerTree& other) const;

  [[nodiscard]] const fs::path& path() const { return m_path; }

 private:
  LayerTree(fs::path path, base::Folder folder) : m_path(std::move(path)), m_folder(std::move(folder)) {}
  [[nodiscard]] base::Result<base::Folder> folder_at(const std::string& path) const;
  // The folder that a path is in, made where it is not there.
  [[nodiscard]] base::Result<base::Folder> folder_for(const std::string& path) const;

  fs::path m_path;
  base::Folder m_folder;
};

// Copies files of a folder to a layer, as [[layer]] copy and take say it. What is absent is passed over.
base::Status copy_files(const std::vector<CopyDescription>& copies, const SourceFiles& files,
                        LayerTree& tree);

// The files that one of them means, by the paths that they get in the layer.
std::vector<std::pair<SourceFile, std::string>> copied_files(const CopyDescription& copy,
                                                             const SourceFiles& files);

// The same from the working copy, with its links.
base::Status take_files(const std::vector<CopyDescription>& takes, const fs::path& work, LayerTree& tree);

}  // namespace builder::declared
