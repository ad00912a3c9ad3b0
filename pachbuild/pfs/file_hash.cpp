// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/pfs/file_hash.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <vector>

#include "base/errors.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "pachbuild/pfs/chunk_hashes.h"
#include "pachbuild/pfs/hash.h"

namespace pfs {
namespace {

// DefaultMaxChunkSize, and DefaultAverageBits of them.
constexpr std::uint64_t k_largest_chunk = 20'000'000;
constexpr std::uint64_t k_split_mask = (std::uint64_t{1} << 23U) - 1;

// Finds the ends of chunks as ComputeChunks() does: where a hash of the last 64 bytes ends with 23 zeros. The
// window, as large as the hash has bits, begins with bytes of 0.
class Splitter {
 public:
  Splitter() { reset(); }

  // Takes the next byte of the chunk; whether the chunk ends with it.
  bool ends_with(unsigned char byte) {
    ++m_size;
    if (m_size >= k_largest_chunk) return reset();
    auto& oldest = m_window[m_oldest++ % m_window.size()];
    m_sum = std::rotl(m_sum, 1) ^ k_byte_hashes[oldest] ^ k_byte_hashes[byte];
    oldest = byte;
    return (m_sum & k_split_mask) == 0 && m_size >= k_split_size && reset();
  }

 private:
  bool reset() {
    m_window.fill(0);
    m_oldest = 0;
    m_size = 0;
    m_sum = 0;
    for (std::size_t i = 0; i < m_window.size(); ++i) m_sum = std::rotl(m_sum, 1) ^ k_byte_hashes[0];
    return true;
  }

  std::array<unsigned char, 64> m_window{};
  std::size_t m_oldest = 0;
  std::uint64_t m_size = 0;
  std::uint64_t m_sum = 0;
};

// The hash of a content that comes in pieces.
class ContentHasher {
 public:
  void update(std::string_view bytes) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (!m_splitter.ends_with(static_cast<unsigned char>(bytes[i]))) continue;
      m_chunk.update(bytes.substr(begin, i + 1 - begin));
      m_chunks.update(bytes_of(m_chunk.finish()));
      m_chunk = Hasher();
      begin = i + 1;
    }
    m_chunk.update(bytes.substr(begin));
    m_is_empty = m_is_empty && bytes.empty();
  }

  // The last chunk of a file that ends where it is split is empty.
  [[nodiscard]] Hash finish() {
    if (!m_is_empty) m_chunks.update(bytes_of(m_chunk.finish()));
    return m_chunks.finish();
  }

 private:
  Splitter m_splitter;
  Hasher m_chunk;
  Hasher m_chunks;
  bool m_is_empty = true;
};

}  // namespace

base::Result<std::string> file_hash(const base::fs::path& file) {
  const base::UniqueFd input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!input) return base::fail(base::system_error("read", file.string(), errno));
  constexpr std::size_t k_buffer = 1 << 16;
  std::vector<char> buffer(k_buffer);
  ContentHasher content;
  for (;;) {
    BASE_TRY(base::check_stop());
    const ssize_t count = ::read(input.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(base::system_error("read", file.string(), errno));
    if (count == 0) break;
    content.update({buffer.data(), static_cast<std::size_t>(count)});
  }
  return base::base64(bytes_of(content.finish()));
}

}  // namespace pfs
