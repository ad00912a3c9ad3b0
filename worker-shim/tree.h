// SPDX-License-Identifier: Apache-2.0
// Makes files, folders and links below one empty folder and nowhere else. Paths come from entry_path().
//
// Why nothing can leave the folder: links are made last. While files are written there is no symbolic link in
// it that could lead one out, and the folder above a link is made before any link is.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/unique_fd.h"
#include "worker-shim/file_writers.h"

namespace shim {

class Tree {
 public:
  // `root` is an open folder that outlives the tree; when its disk is full, `make_room` may help.
  Tree(int root, const MakeRoom& make_room);

  // False after a failure: from then on nothing is made, and finish() tells the first one.
  [[nodiscard]] bool is_writing() const { return !m_failure && !m_writers.failed(); }

  // The folder, and those above it that are not there yet.
  void add_folder(const std::string& path);

  // A whole file at once, written in the background.
  void add_file(FileWriters::File file);

  // A large file in pieces, written at once.
  void begin_file(const std::string& path, mode_t mode);
  void append(std::string_view bytes);
  void end_file();

  // Keeps the link for make_links(). False when there are too many to keep.
  bool add_hard_link(std::string path, std::string target);
  bool add_symbolic_link(std::string path, std::string target);

  // Makes the links. Files must not follow.
  void make_links();

  // Waits until all is written; the first failure, if there was one.
  std::optional<WriteFailure> finish();

 private:
  struct Link {
    std::string path;
    std::string target;
  };

  // Whether one was made.
  bool add_parent(const std::string& path);
  bool keep(std::vector<Link>& links, Link link);
  void note(std::optional<WriteFailure> failure);

  const int m_root;
  RoomMaker m_room;
  FileWriters m_writers;
  std::optional<WriteFailure> m_failure;
  std::string m_last_parent;
  std::string m_open_path;
  base::UniqueFd m_open_file;
  std::vector<Link> m_hard_links;
  std::vector<Link> m_symbolic_links;
  std::size_t m_link_bytes = 0;
};

}  // namespace shim
