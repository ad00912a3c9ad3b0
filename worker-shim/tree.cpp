// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace shim {
namespace {

constexpr unsigned k_writer_threads = 2;
// Links are kept until all files are there; more text than this is no environment.
constexpr std::size_t k_link_bytes = std::size_t{16} * 1024 * 1024;

}  // namespace

Tree::Tree(int root, const MakeRoom& make_room)
    : m_root(root), m_room(make_room), m_writers(root, k_writer_threads, m_room) {}

void Tree::note(std::optional<WriteFailure> failure) {
  if (failure && !m_failure) m_failure = std::move(failure);
}

void Tree::add_folder(const std::string& path) {
  if (path.empty() || !is_writing()) return;
  while (true) {
    const unsigned rounds = m_room.rounds();
    if (::mkdirat(m_root, path.c_str(), 0755) == 0 || errno == EEXIST) return;
    const int error_number = errno;
    if (error_number == ENOENT && add_parent(path)) continue;
    if (!m_room.make(error_number, rounds)) return note(WriteFailure{path, error_number});
  }
}

// Entries come sorted, so mostly it was made just before.
bool Tree::add_parent(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return false;
  std::string parent = path.substr(0, slash);
  if (parent == m_last_parent) return false;
  add_folder(parent);
  m_last_parent = std::move(parent);
  return is_writing();
}

void Tree::add_file(FileWriters::File file) {
  if (!is_writing()) return;
  add_parent(file.path);
  m_writers.add(std::move(file));
}

void Tree::begin_file(const std::string& path, mode_t mode) {
  if (!is_writing()) return;
  add_parent(path);
  m_open_path = path;
  note(create_file(m_root, path, mode, m_room, m_open_file));
}

void Tree::append(std::string_view bytes) {
  if (is_writing()) note(shim::append(m_open_file.get(), m_open_path, bytes, m_room));
}

void Tree::end_file() {
  if (is_writing()) note(close_file(std::move(m_open_file), m_open_path));
}

bool Tree::add_hard_link(std::string path, std::string target) {
  return keep(m_hard_links, {std::move(path), std::move(target)});
}

bool Tree::add_symbolic_link(std::string path, std::string target) {
  return keep(m_symbolic_links, {std::move(path), std::move(target)});
}

bool Tree::keep(std::vector<Link>& links, Link link) {
  add_parent(link.path);
  m_link_bytes += sizeof(Link) + link.path.size() + link.target.size();
  links.push_back(std::move(link));
  return m_link_bytes <= k_link_bytes;
}

// Hard links first: linkat() would find a symbolic link on the way to its target.
void Tree::make_links() {
  note(m_writers.finish());
  if (!is_writing()) return;
  for (const auto& [path, target] : m_hard_links) {
    if (::linkat(m_root, target.c_str(), m_root, path.c_str(), 0) != 0)
      return note(WriteFailure{path, errno});
  }
  for (const auto& [path, target] : m_symbolic_links) {
    if (::symlinkat(target.c_str(), m_root, path.c_str()) != 0) return note(WriteFailure{path, errno});
  }
}

std::optional<WriteFailure> Tree::finish() {
  note(m_writers.finish());
  return m_failure;
}

}  // namespace shim
