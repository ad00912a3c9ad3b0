// SPDX-License-Identifier: Apache-2.0
// libarchive makes the tar. It is compressed in pieces of fixed sizes, each a zstd frame: so the bytes are
// the same for any number of processors, all of them are used, and it needs no zstd that was built with
// threads (the static one of Debian is not). A reader sees one stream.
#include "archive/bundle.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zstd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <deque>
#include <future>
#include <optional>
#include <utility>
#include <vector>

#include "base/digest.h"
#include "base/errors.h"
#include "base/measure.h"
#include "base/parallel.h"
#include "base/stop.h"
#include "base/unique_fd.h"

namespace archives {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

// What zstd finds again lies within 2 MiB at this level, so larger pieces compress hardly better. The first
// ones are small, so that a bundle of a few megabytes is made on several processors too.
constexpr std::size_t piece_size(std::size_t number) {
  constexpr std::size_t k_mebibyte = std::size_t{1} << 20;
  if (number < 8) return k_mebibyte / 4;
  return number < 16 ? k_mebibyte : 8 * k_mebibyte;
}
constexpr std::size_t k_buffer_size = std::size_t{1024} * 1024;
constexpr mode_t k_plain_mode = 0644;
constexpr mode_t k_executable_mode = 0755;

mode_t mode_in_bundle(const struct stat& status) {
  const bool executable = S_ISDIR(status.st_mode) || (status.st_mode & mode_t{S_IXUSR}) != 0;
  return executable ? k_executable_mode : k_plain_mode;
}

base::Result<struct stat> status_of(const fs::path& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0)
    return base::fail(base::system_error("read", path.string(), errno));
  return status;
}

// One piece of the tar as a zstd frame of its own. It fails when zstd gets no memory.
base::Result<std::string> compress_piece(const std::string& piece, Compression compression) {
  std::string frame(ZSTD_compressBound(piece.size()), '\0');
  const int level = compression == Compression::fast ? 1 : ZSTD_CLEVEL_DEFAULT;
  const auto size = ZSTD_compress(frame.data(), frame.size(), piece.data(), piece.size(), level);
  if (ZSTD_isError(size) != 0) return base::fail(ErrorKind::io, "the bundle", ZSTD_getErrorName(size));
  frame.resize(size);
  return frame;
}

// Compresses what it is given into a file, a piece on each processor, and digests the file's bytes on their
// way. Memory is that of a few pieces, whatever the size.
class CompressedFile {
 public:
  static base::Result<CompressedFile> create(const fs::path& path, Compression compression) {
    base::UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, k_plain_mode));
    if (!file) return base::fail(base::system_error("create", path.string(), errno));
    return CompressedFile(path, std::move(file), compression);
  }

  base::Status write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto part = bytes.substr(0, piece_size(m_pieces) - m_piece.size());
      m_piece += part;
      bytes.remove_prefix(part.size());
      if (m_piece.size() == piece_size(m_pieces)) BASE_TRY(start_frame());
    }
    return {};
  }

  base::Status finish() {
    if (!m_piece.empty()) BASE_TRY(start_frame());
    while (!m_frames.empty()) BASE_TRY(store_oldest_frame());
    return {};
  }

  [[nodiscard]] std::uint64_t bytes() const { return m_bytes; }
  [[nodiscard]] std::string digest() { return m_digest.finish(); }

 private:
  CompressedFile(fs::path path, base::UniqueFd file, Compression compression)
      : m_path(std::move(path)), m_file(std::move(file)), m_compression(compression) {}

  base::Status start_frame() {
    if (m_frames.size() >= base::processors()) BASE_TRY(store_oldest_frame());
    m_frames.push_back(base::start_async([piece = std::exchange(m_piece, {}), compression = m_compression] {
      return compress_piece(piece, compression);
    }));
    ++m_pieces;
    return {};
  }

  base::Status store_oldest_frame() {
    auto frame = m_frames.front().get();
    m_frames.pop_front();
    if (!frame) return base::fail(std::move(frame).error());
    m_digest.update(*frame);
    m_bytes += frame->size();
    return base::write_all(m_file.get(), *frame, m_path);
  }

  fs::path m_path;
  base::UniqueFd m_file;
  Compression m_compression;
  std::string m_piece;
  std::size_t m_pieces = 0;                                     // before this one
  std::deque<std::future<base::Result<std::string>>> m_frames;  // in the order of the file
  base::Sha256 m_digest;
  std::uint64_t m_bytes = 0;
};

struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

// The tar around a CompressedFile. An error of the file is kept here while libarchive reports its own.
class Tar {
 public:
  explicit Tar(CompressedFile& file) : m_file(file), m_archive(archive_write_new()) {
    archive_write_set_format_pax_restricted(m_archive.get());
    archive_write_set_bytes_per_block(m_archive.get(), static_cast<int>(k_buffer_size));
    archive_write_set_bytes_in_last_block(m_archive.get(), 1);
  }

  base::Status open() {
    return check(archive_write_open(m_archive.get(), this, nullptr, &Tar::take, nullptr));
  }
  // A warning is about a name that is no ASCII: no locale is set, so its bytes are written as they are.
  base::Status header(archive_entry* entry) {
    const int code = archive_write_header(m_archive.get(), entry);
    return check(code == ARCHIVE_WARN ? ARCHIVE_OK : code);
  }
  base::Status data(std::string_view bytes) {
    const auto count = archive_write_data(m_archive.get(), bytes.data(), bytes.size());
    return check(count == static_cast<la_ssize_t>(bytes.size()) ? ARCHIVE_OK : ARCHIVE_FATAL);
  }
  base::Status close() { return check(archive_write_close(m_archive.get())); }

 private:
  static la_ssize_t take(::archive* archive, void* self, const void* bytes, std::size_t size) {
    auto& tar = *static_cast<Tar*>(self);
    if (auto status = tar.m_file.write({static_cast<const char*>(bytes), size}); !status) {
      tar.m_failure = std::move(status).error();
      archive_set_error(archive, EIO, "the output failed");
      return -1;
    }
    return static_cast<la_ssize_t>(size);
  }

  base::Status check(int code) {
    if (m_failure) return base::fail(*m_failure);
    if (code >= ARCHIVE_OK) return {};
    const char* text = archive_error_string(m_archive.get());
    return base::fail(ErrorKind::io, "the bundle", text == nullptr ? "cannot be written" : text);
  }

  struct FreeArchive {
    void operator()(::archive* archive) const { archive_write_free(archive); }
  };

  CompressedFile& m_file;
  std::optional<base::Error> m_failure;
  std::unique_ptr<::archive, FreeArchive> m_archive;
};

// The names of everything below `tree`, relative to it and sorted by their bytes, folders before their
// content.
base::Result<std::vector<std::string>> list_tree(const fs::path& tree) {
  std::vector<std::string> names;
  boost::system::error_code error;
  const auto prefix = tree.string().size() + 1;
  for (fs::recursive_directory_iterator entry(tree, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().string().substr(prefix));
  }
  if (error) return base::fail(base::system_error("read", tree.string(), error.value()));
  std::sort(names.begin(), names.end());
  return names;
}

base::Status add_content(Tar& tar, const fs::path& path, std::uint64_t size) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return base::fail(base::system_error("read", path.string(), errno));
  std::vector<char> buffer(std::min<std::uint64_t>(size, k_buffer_size));
  while (size > 0) {
    const ssize_t count = ::read(file.get(), buffer.data(), std::min<std::uint64_t>(size, buffer.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(base::system_error("read", path.string(), errno));
    if (count == 0) return base::fail(ErrorKind::io, path.string(), "became shorter while it was read");
    BASE_TRY(tar.data({buffer.data(), static_cast<std::size_t>(count)}));
    size -= static_cast<std::uint64_t>(count);
    base::advance(static_cast<std::uint64_t>(count));
  }
  return {};
}

base::Status add_entry(Tar& tar, const fs::path& path, const std::string& name, BundleSummary& summary) {
  BASE_TRY(base::check_stop());
  BASE_TRY_ASSIGN(const struct stat status, status_of(path));
  const Entry entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_mode(entry.get(), (status.st_mode & S_IFMT) | mode_in_bundle(status));
  archive_entry_set_mtime(entry.get(), 0, 0);
  archive_entry_set_size(entry.get(), 0);
  if (S_ISLNK(status.st_mode)) {
    boost::system::error_code error;
    const auto target = fs::read_symlink(path, error);
    if (error) return base::fail(base::system_error("read", path.string(), error.value()));
    archive_entry_set_symlink(entry.get(), target.c_str());
  } else if (S_ISREG(status.st_mode)) {
    archive_entry_set_size(entry.get(), status.st_size);
  } else if (!S_ISDIR(status.st_mode)) {
    return base::fail(ErrorKind::bad_input, path.string(), "is neither a file, a folder nor a link");
  }
  BASE_TRY(tar.header(entry.get()));
  if (S_ISDIR(status.st_mode)) return {};
  ++summary.files;
  if (!S_ISREG(status.st_mode)) return {};
  const auto size = static_cast<std::uint64_t>(status.st_size);
  summary.unpacked_bytes += size;
  return add_content(tar, path, size);
}

}  // namespace

base::Status normalise_modes(const fs::path& tree) {
  BASE_TRY_ASSIGN(const auto names, list_tree(tree));
  for (const auto& name : names) {
    const fs::path path = tree / name;
    BASE_TRY_ASSIGN(const struct stat status, status_of(path));
    if (S_ISLNK(status.st_mode) || (status.st_mode & 07777U) == mode_in_bundle(status)) continue;
    if (::chmod(path.c_str(), mode_in_bundle(status)) != 0) {
      return base::fail(base::system_error("write", path.string(), errno));
    }
  }
  return {};
}

base::Result<BundleSummary> write_bundle(const fs::path& tree, const fs::path& bundle,
                                         Compression compression) {
  BASE_TRY_ASSIGN(const auto names, list_tree(tree));
  BASE_TRY_ASSIGN(auto file, CompressedFile::create(bundle, compression));
  BundleSummary summary;
  {
    Tar tar(file);
    BASE_TRY(tar.open());
    for (const auto& name : names) BASE_TRY(add_entry(tar, tree / name, name, summary));
    BASE_TRY(tar.close());
  }
  BASE_TRY(file.finish());
  summary.bytes = file.bytes();
  summary.digest = file.digest();
  return summary;
}

}  // namespace archives
