// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <utility>

#include "base/errors.h"
#include "worker-shim/tree.h"

namespace shim {
namespace {

// Larger files are written as they come instead of being collected first.
constexpr std::uint64_t k_small_file = std::uint64_t{1024} * 1024;
// With the cache folder in front it stays below PATH_MAX (4096).
constexpr std::size_t k_longest_path = 2000;
// What a file takes on most disks is a multiple of this.
constexpr std::uint64_t k_block = 4096;

// Errors that a tar provokes in an empty folder, as opposed to a full or broken disk.
bool is_fault_of_tar(int error_number) {
  constexpr int k_faults[] = {EEXIST, ENOENT, ENOTDIR, EISDIR, ENAMETOOLONG, EINVAL, EILSEQ, EMLINK};
  return std::find(std::begin(k_faults), std::end(k_faults), error_number) != std::end(k_faults);
}

// One run over a tar. Each step fails with what is wrong with the tar; failures of the disk are the tree's.
class Extractor {
 public:
  Extractor(const ReadBytes& read, int root, const std::string& name, const MakeRoom& make_room)
      : m_read(read), m_name(name), m_reader(archive_read_new()), m_tree(root, make_room) {
    if (!m_reader) throw std::bad_alloc();
  }

  Extraction run();

 private:
  struct Free {
    void operator()(archive* reader) const { archive_read_free(reader); }
  };

  static la_ssize_t feed(archive* reader, void* self, const void** bytes);
  base::Status read_entries();
  base::Status read_entry(archive_entry* entry);
  base::Status read_file(archive_entry* entry, std::string path);
  template <class Consume>
  base::Status read_content(const std::string& path, std::uint64_t size, Consume consume);
  base::Status read_hard_link(const std::string& path, const char* target);
  base::Status read_symbolic_link(const std::string& path, const char* target);
  void count(std::uint64_t size);
  base::Status refuse(const std::string& entry, const std::string& what) const;
  base::Status refuse(const WriteFailure& failure) const;
  base::Status reading_failed() const;

  const ReadBytes& m_read;
  const std::string& m_name;
  const std::unique_ptr<archive, Free> m_reader;
  Tree m_tree;
  std::optional<base::Error> m_read_error;
  Extraction m_result;
};

Extraction Extractor::run() {
  m_result.content = read_entries();
  if (m_result.content) m_tree.make_links();
  m_result.write_failure = m_tree.finish();
  if (m_result.write_failure && is_fault_of_tar(m_result.write_failure->error_number)) {
    if (m_result.content) m_result.content = refuse(*m_result.write_failure);
    m_result.write_failure.reset();
  }
  return std::move(m_result);
}

// libarchive's way of asking for the next bytes.
la_ssize_t Extractor::feed(archive* reader, void* self, const void** bytes) {
  auto& extractor = *static_cast<Extractor*>(self);
  const auto piece = extractor.m_read();
  if (!piece) {
    extractor.m_read_error = piece.error();
    archive_set_error(reader, EIO, "%s", "reading failed");
    return -1;
  }
  *bytes = piece->data();
  return static_cast<la_ssize_t>(piece->size());
}

base::Status Extractor::reading_failed() const {
  if (m_read_error) return base::fail(*m_read_error);
  const char* const reason = archive_error_string(m_reader.get());
  return base::fail(base::ErrorKind::bad_input, m_name,
                    std::string("is not a readable tar: ") + (reason == nullptr ? "it ends early" : reason));
}

base::Status Extractor::refuse(const std::string& entry, const std::string& what) const {
  return base::fail(base::ErrorKind::bad_input, m_name, "entry '" + entry + "' " + what);
}

base::Status Extractor::refuse(const WriteFailure& failure) const {
  if (failure.error_number == EEXIST) return refuse(failure.path, "appears twice");
  return refuse(failure.path, base::system_error("be created", {}, failure.error_number).what);
}

void Extractor::count(std::uint64_t size) {
  ++m_result.files;
  m_result.bytes += (size + k_block - 1) / k_block * k_block;
}

base::Status Extractor::read_entries() {
  archive_read_support_format_tar(m_reader.get());
  if (archive_read_open(m_reader.get(), this, nullptr, feed, nullptr) != ARCHIVE_OK) return reading_failed();
  while (true) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(m_reader.get(), &entry);
    if (status == ARCHIVE_EOF) return {};
    // A warning is about a name that is no text in the C locale; its bytes are taken as they are.
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return reading_failed();
    BASE_TRY(read_entry(entry));
  }
}

base::Status Extractor::read_entry(archive_entry* entry) {
  const char* const name = archive_entry_pathname(entry);
  auto path = entry_path(name == nullptr ? "" : name);
  if (!path) return refuse(name == nullptr ? "" : name, path.error());
  if (const char* const target = archive_entry_hardlink(entry)) {
    return read_hard_link(*path, target);
  }
  switch (archive_entry_filetype(entry)) {
    case AE_IFDIR:
      count(k_block);
      m_tree.add_folder(*path);
      return {};
    case AE_IFREG:
      return read_file(entry, std::move(*path));
    case AE_IFLNK:
      return read_symbolic_link(*path, archive_entry_symlink(entry));
    default:
      return refuse(name, "is neither a file nor a folder nor a link");
  }
}

base::Status Extractor::read_file(archive_entry* entry, std::string path) {
  if (path.empty()) return refuse(path, "is a file without a name");
  const auto size = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(entry), 0));
  count(size);
  if (!m_tree.is_writing()) return {};
  const mode_t mode = (archive_entry_perm(entry) & S_IXUSR) != 0 ? 0755 : 0644;
  if (size <= k_small_file) {
    FileWriters::File file{std::move(path), mode, {}};
    file.content.reserve(size);
    BASE_TRY(read_content(file.path, size, [&](std::string_view bytes) { file.content += bytes; }));
    m_tree.add_file(std::move(file));
    return {};
  }
  m_tree.begin_file(path, mode);
  BASE_TRY(read_content(path, size, [&](std::string_view bytes) { m_tree.append(bytes); }));
  m_tree.end_file();
  return {};
}

template <class Consume>
base::Status Extractor::read_content(const std::string& path, std::uint64_t size, Consume consume) {
  std::uint64_t position = 0;
  while (true) {
    const void* bytes = nullptr;
    std::size_t count = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(m_reader.get(), &bytes, &count, &offset);
    if (status == ARCHIVE_EOF) break;
    if (status != ARCHIVE_OK) return reading_failed();
    if (static_cast<std::uint64_t>(offset) != position) break;
    consume(std::string_view(static_cast<const char*>(bytes), count));
    position += count;
  }
  if (position != size) return refuse(path, "is a sparse file, which bundles do not have");
  return {};
}

base::Status Extractor::read_hard_link(const std::string& path, const char* target) {
  if (path.empty()) return refuse(path, "is a link without a name");
  count(0);
  auto target_path = entry_path(target);
  if (!target_path) return refuse(path, std::string("is a hard link whose target ") + target_path.error());
  if (m_tree.add_hard_link(path, std::move(*target_path))) return {};
  return refuse(path, "is one link too many");
}

// Its target may be anything: it is text until the program follows it.
base::Status Extractor::read_symbolic_link(const std::string& path, const char* target) {
  if (path.empty() || target == nullptr) return refuse(path, "is a link without a name or target");
  count(0);
  if (m_tree.add_symbolic_link(path, target)) return {};
  return refuse(path, "is one link too many");
}

}  // namespace

Extraction extract_tar(const ReadBytes& read, int root, const std::string& archive,
                       const MakeRoom& make_room) {
  return Extractor(read, root, archive, make_room).run();
}

tl::expected<std::string, const char*> entry_path(std::string_view name) {
  const auto refuse = [](const char* why) { return tl::unexpected<const char*>(why); };
  if (name.empty()) return refuse("has an empty name");
  if (name.front() == '/') return refuse("has an absolute path");
  if (name.size() > k_longest_path) return refuse("has a path that is too long");
  std::string path;
  path.reserve(name.size());
  while (!name.empty()) {
    const auto end = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, end);
    if (part == "..") return refuse("leaves the folder with '..'");
    if (!part.empty() && part != ".") {
      if (!path.empty()) path += '/';
      path += part;
    }
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  return path;
}

}  // namespace shim
