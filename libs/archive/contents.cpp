// SPDX-License-Identifier: Apache-2.0
// zstd gives libarchive the tar in pieces: so it does not matter with which filters libarchive was built.
#include "archive/contents.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "base/digest.h"
#include "base/errors.h"
#include "base/stop.h"
#include "base/unique_fd.h"

namespace archives {
namespace {

namespace fs = base::fs;

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
struct FreeStream {
  void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

// The tar in a bundle, piece by piece. libarchive asks for the next one.
class UnpackedBundle {
 public:
  explicit UnpackedBundle(base::UniqueFd file)
      : m_file(std::move(file)),
        m_stream(ZSTD_createDStream()),
        m_packed(ZSTD_DStreamInSize()),
        m_unpacked(ZSTD_DStreamOutSize()) {}

  // -1: the file cannot be read, or is not zstd's.
  la_ssize_t next(const void** piece) {
    *piece = m_unpacked.data();
    ZSTD_outBuffer out{m_unpacked.data(), m_unpacked.size(), 0};
    while (out.pos == 0) {
      if (m_in.pos == m_in.size) {
        const ssize_t size = ::read(m_file.get(), m_packed.data(), m_packed.size());
        if (size <= 0) return size;
        m_in = {m_packed.data(), static_cast<std::size_t>(size), 0};
      }
      if (ZSTD_isError(ZSTD_decompressStream(m_stream.get(), &out, &m_in)) != 0) return -1;
    }
    return static_cast<la_ssize_t>(out.pos);
  }

  static la_ssize_t read(archive*, void* self, const void** piece) {
    return static_cast<UnpackedBundle*>(self)->next(piece);
  }

 private:
  base::UniqueFd m_file;
  std::unique_ptr<ZSTD_DStream, FreeStream> m_stream;
  std::vector<char> m_packed;
  std::vector<char> m_unpacked;
  ZSTD_inBuffer m_in{nullptr, 0, 0};
};

}  // namespace

base::Result<std::map<std::string, std::string>> bundle_digests(const fs::path& bundle) {
  base::UniqueFd file(::open(bundle.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return base::fail(base::system_error("read", bundle.string(), errno));
  UnpackedBundle unpacked(std::move(file));
  const std::unique_ptr<archive, FreeReader> reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  archive_read_open(reader.get(), &unpacked, nullptr, UnpackedBundle::read, nullptr);
  std::map<std::string, std::string> digests;
  archive_entry* entry = nullptr;
  int result = ARCHIVE_OK;
  while ((result = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK) {
    base::Sha256 digest;
    const char* target = archive_entry_symlink(entry);
    digest.update_field(std::to_string(archive_entry_mode(entry)));
    digest.update_field(target == nullptr ? "" : target);
    const void* piece = nullptr;
    std::size_t size = 0;
    la_int64_t at = 0;
    while ((result = archive_read_data_block(reader.get(), &piece, &size, &at)) == ARCHIVE_OK) {
      BASE_TRY(base::check_stop());
      digest.update({static_cast<const char*>(piece), size});
    }
    if (result != ARCHIVE_EOF) break;
    digests[archive_entry_pathname(entry)] = digest.finish();
  }
  if (result == ARCHIVE_EOF) return digests;
  return base::fail(base::ErrorKind::bad_input, bundle.string(), "is not a bundle");
}

}  // namespace archives
