// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/errors.h"

namespace shim {
namespace {

// Two, measured with 2 and more cores: creating files scales no further within one file system.
constexpr unsigned k_writer_threads = 2;
// Larger files are written as they come instead of being collected for a writer.
constexpr std::uint64_t k_small_file = std::uint64_t{1} << 20;
// Links are kept until all files are there; more text than this is no environment.
constexpr std::size_t k_link_bytes = std::size_t{16} << 20;
// With the folder's own path in front it stays below PATH_MAX (4096).
constexpr std::size_t k_longest_path = 2000;
constexpr std::uint64_t k_block = 4096;

// Errors that a tar provokes, as opposed to a full or broken disk.
bool is_fault_of_tar(int error_number) {
  return error_number == EEXIST || error_number == ENOTDIR || error_number == EISDIR ||
         error_number == ELOOP || error_number == ENAMETOOLONG || error_number == ENOENT ||
         error_number == EINVAL || error_number == EILSEQ || error_number == EMLINK;
}

struct Link {
  std::string path;
  std::string target;
};

// One run over a tar. Faults of the tar throw nothing: they are the Status that each step returns.
class Extractor {
 public:
  Extractor(const ReadBytes& read, int root, const std::string& archive)
      : m_read(read),
        m_root(root),
        m_name(archive),
        m_archive(archive_read_new()),
        m_writers(root, k_writer_threads) {
    if (!m_archive) throw std::bad_alloc();
  }

  Extraction run() {
    Extraction result;
    result.content = read_entries();
    note(m_writers.finish());
    if (result.content && !m_write_failure) result.content = make_links();
    if (m_write_failure && result.content && is_fault_of_tar(m_write_failure->error_number)) {
      result.content =
          refuse(m_write_failure->path, base::system_error("create", {}, m_write_failure->error_number).what);
      m_write_failure.reset();
    }
    result.bytes = m_bytes;
    result.files = m_files;
    result.write_failure = std::move(m_write_failure);
    return result;
  }

 private:
  struct Free {
    void operator()(archive* reader) const { archive_read_free(reader); }
  };

  static la_ssize_t feed(archive* reader, void* self, const void** bytes) {
    return static_cast<Extractor*>(self)->feed(reader, bytes);
  }

  la_ssize_t feed(archive* reader, const void** bytes) {
    const auto piece = m_read();
    if (!piece) {
      m_read_error = piece.error();
      archive_set_error(reader, EIO, "%s", "the source failed");
      return -1;
    }
    *bytes = piece->data();
    return static_cast<la_ssize_t>(piece->size());
  }

  // What libarchive gave up with: the source's failure, or its own.
  base::Status reading_failed() {
    if (m_read_error) return base::fail(*m_read_error);
    const char* const reason = archive_error_string(m_archive.get());
    return base::fail(
        base::ErrorKind::bad_input, m_name,
        std::string("is not a readable tar: ") + (reason == nullptr ? "it ends early" : reason));
  }

  [[nodiscard]] base::Status refuse(const std::string& entry, const std::string& what) const {
    return base::fail(base::ErrorKind::bad_input, m_name, "entry '" + entry + "': " + what);
  }

  void note(std::optional<WriteFailure> failure) {
    if (failure && !m_write_failure) m_write_failure = std::move(failure);
  }

  [[nodiscard]] bool writing() const { return !m_write_failure && !m_writers.failed(); }

  base::Status read_entries() {
    archive_read_support_format_tar(m_archive.get());
    if (archive_read_open(m_archive.get(), this, nullptr, feed, nullptr) != ARCHIVE_OK) {
      return reading_failed();
    }
    while (true) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(m_archive.get(), &entry);
      if (status == ARCHIVE_EOF) return {};
      // A warning is about a name that is no text in the C locale. Its bytes are taken as they are.
      if (status != ARCHIVE_OK && status != ARCHIVE_WARN) return reading_failed();
      BASE_TRY(take(entry));
    }
  }

  base::Status take(archive_entry* entry) {
    const char* const name = archive_entry_pathname(entry);
    if (name == nullptr) return refuse("", "has no name");
    auto path = entry_path(name);
    if (!path) return refuse(name, path.error());
    const char* const hard_link = archive_entry_hardlink(entry);
    if (hard_link != nullptr) return keep_hard_link(std::move(*path), hard_link);
    switch (archive_entry_filetype(entry)) {
      case AE_IFDIR:
        count(0);
        make_folder(*path);
        return {};
      case AE_IFREG:
        return take_file(entry, std::move(*path));
      case AE_IFLNK:
        return keep_link(m_symbolic_links, std::move(*path), archive_entry_symlink(entry));
      default:
        return refuse(name, "is neither a file nor a folder nor a link");
    }
  }

  void count(std::uint64_t size) {
    ++m_files;
    m_bytes += (size + k_block - 1) / k_block * k_block;
  }

  // The folder and those above it that the tar did not name.
  void make_folder(const std::string& path) {
    if (path.empty() || !writing()) return;
    if (::mkdirat(m_root, path.c_str(), 0755) == 0 || errno == EEXIST) return;
    if (errno == ENOENT && make_parent(path) && ::mkdirat(m_root, path.c_str(), 0755) == 0) return;
    note(WriteFailure{path, errno});
  }

  // True when there was one to make. Entries come sorted, so mostly it was made just before.
  bool make_parent(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return false;
    std::string parent = path.substr(0, slash);
    if (parent != m_last_parent) make_folder(parent);
    m_last_parent = std::move(parent);
    return true;
  }

  base::Status take_file(archive_entry* entry, std::string path) {
    if (path.empty()) return refuse(path, "is a file in place of the folder itself");
    const auto size = static_cast<std::uint64_t>(std::max<la_int64_t>(archive_entry_size(entry), 0));
    count(size);
    if (!writing()) return {};
    make_parent(path);
    const mode_t mode = (archive_entry_perm(entry) & S_IXUSR) != 0 ? 0755 : 0644;
    return size > k_small_file ? write_large(std::move(path), mode, size)
                               : collect_small(std::move(path), mode, size);
  }

  base::Status collect_small(std::string path, mode_t mode, std::uint64_t size) {
    FileWriters::File file{std::move(path), mode, {}};
    file.content.reserve(size);
    BASE_TRY(read_content(file.path, size, [&](std::string_view bytes) { file.content += bytes; }));
    m_writers.add(std::move(file));
    return {};
  }

  base::Status write_large(std::string path, mode_t mode, std::uint64_t size) {
    base::UniqueFd file;
    note(create_file(m_root, path, mode, file));
    BASE_TRY(read_content(path, size, [&](std::string_view bytes) {
      if (writing()) note(append(file.get(), path, bytes));
    }));
    if (writing()) note(close_file(std::move(file), path));
    return {};
  }

  template <class Consume>
  base::Status read_content(const std::string& path, std::uint64_t size, Consume consume) {
    std::uint64_t position = 0;
    while (true) {
      const void* bytes = nullptr;
      std::size_t count = 0;
      la_int64_t offset = 0;
      const int status = archive_read_data_block(m_archive.get(), &bytes, &count, &offset);
      if (status == ARCHIVE_EOF) break;
      if (status != ARCHIVE_OK) return reading_failed();
      if (static_cast<std::uint64_t>(offset) != position) break;
      consume(std::string_view(static_cast<const char*>(bytes), count));
      position += count;
    }
    if (position != size) return refuse(path, "is a sparse file, which bundles do not have");
    return {};
  }

  base::Status keep_hard_link(std::string path, const char* target) {
    auto target_path = entry_path(target);
    if (!target_path) return refuse(path, std::string("is a hard link whose target ") + target_path.error());
    return keep_link(m_hard_links, std::move(path), target_path->c_str());
  }

  // The folder of a link is made at once, so that no link can take the place of a folder above another.
  base::Status keep_link(std::vector<Link>& links, std::string path, const char* target) {
    if (path.empty() || target == nullptr) return refuse(path, "is a link without a name or target");
    count(0);
    make_parent(path);
    links.push_back({std::move(path), target});
    m_link_bytes += sizeof(Link) + links.back().path.size() + links.back().target.size();
    if (m_link_bytes > k_link_bytes) return refuse(links.back().path, "is one link too many");
    return {};
  }

  // Hard links first: linkat() would find a symbolic link on the way to its target.
  base::Status make_links() {
    for (const auto& link : m_hard_links) {
      if (::linkat(m_root, link.target.c_str(), m_root, link.path.c_str(), 0) != 0) {
        note(WriteFailure{link.path, errno});
        return {};
      }
    }
    for (const auto& link : m_symbolic_links) {
      if (::symlinkat(link.target.c_str(), m_root, link.path.c_str()) != 0) {
        note(WriteFailure{link.path, errno});
        return {};
      }
    }
    return {};
  }

  const ReadBytes& m_read;
  const int m_root;
  const std::string& m_name;
  std::unique_ptr<archive, Free> m_archive;
  std::optional<base::Error> m_read_error;
  FileWriters m_writers;
  std::optional<WriteFailure> m_write_failure;
  std::string m_last_parent;
  std::vector<Link> m_hard_links;
  std::vector<Link> m_symbolic_links;
  std::size_t m_link_bytes = 0;
  std::uint64_t m_bytes = 0;
  std::uint64_t m_files = 0;
};

}  // namespace

Extraction extract_tar(const ReadBytes& read, int root, const std::string& archive) {
  return Extractor(read, root, archive).run();
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
