// SPDX-License-Identifier: Apache-2.0
// The files that the instructions COPY and ADD have put into an image, and where they are in a source.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "pachbuild/starter/build_context.h"

namespace starter {

// "/app/lib" of "lib/." in "/app", whatever ".." does.
std::string image_path(const std::string& folder, const std::string& path);

// Whether a path of the image is `folder` or in it.
bool is_in_folder(const std::string& path, const std::string& folder);

// `path` below `folder`, which it is in; "" for the folder itself.
std::string path_in_folder(const std::string& path, const std::string& folder);

// `text` with something else wherever it has `path`, not as a part of a longer one.
std::string with_path_replaced(const std::string& text, const std::string& path,
                               const std::string& replacement);

class ImageFiles {
 public:
  // Puts `entry`, which has the name `name`, to `target`. `into_folder`: the target is a folder, into which a
  // file comes under its name.
  base::Status add(const BuildContext::Entry& entry, const std::string& name, const std::string& target,
                   bool into_folder, const std::string& where);

  // What the image has at `path`: a file, or those in a folder; without files, nothing.
  [[nodiscard]] BuildContext::Entry entry(const std::string& path) const;

  void add_folder(const std::string& path) { m_folders.insert(path); }
  // Of a folder that files are in, or that WORKDIR has made.
  [[nodiscard]] bool has_folder(const std::string& path) const;
  // By their path in the image.
  [[nodiscard]] const std::map<std::string, base::fs::path>& files() const { return m_files; }

 private:
  std::map<std::string, base::fs::path> m_files;
  std::set<std::string> m_folders;
};

// Which part of the image becomes the source. A program's files stay as they are to each other.
class SourceLayout {
 public:
  // `working_folder` is that of the image, `listed` the files that pip alone has read.
  SourceLayout(const ImageFiles& image, const std::string& working_folder,
               const std::set<std::string>& listed);

  // The path in the source of a file, or of a folder with files; "" for the root's own. Nothing for what the
  // image has of its own.
  [[nodiscard]] std::optional<std::string> source_path(const std::string& image_path) const;
  [[nodiscard]] bool has_file(const std::string& image_path) const { return m_files.contains(image_path); }
  // By the path in the source.
  [[nodiscard]] std::map<std::string, base::fs::path> files() const;
  // Files with names that pachbuild would take for something else in the source, and the names they have now.
  [[nodiscard]] const std::map<std::string, std::string>& renamed() const { return m_renamed; }

  // `text` with /pfs/source/… in place of paths in the image.
  [[nodiscard]] std::string with_source_paths(const std::string& text) const;
  // The first path in the image that `text` has; empty: none.
  [[nodiscard]] std::string first_path_in(const std::string& text) const;

 private:
  struct Found {
    std::size_t start;
    std::size_t length;
    std::string source_path;
  };
  [[nodiscard]] std::optional<Found> find_path(const std::string& text, std::size_t from) const;

  std::string m_root;
  std::map<std::string, base::fs::path> m_files;      // by path in the image
  std::map<std::string, std::string> m_source_paths;  // of files and folders, by path in the image
  std::map<std::string, std::string> m_renamed;
};

}  // namespace starter
