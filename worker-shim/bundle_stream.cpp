// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/bundle_stream.h"

#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <new>
#include <utility>

#include "base/errors.h"

namespace shim {
namespace {

// As large as a pipe can be made by anyone (fcntl(2), pipe-max-size); measured best of 64 KiB to 1 MiB.
constexpr std::size_t k_input_size = std::size_t{256} * 1024;
// ZSTD_DStreamOutSize(): a whole block, so that zstd never has to keep one back.
constexpr std::size_t k_output_size = std::size_t{128} * 1024;

}  // namespace

BundleStream::BundleStream(base::UniqueFd file, std::string path)
    : m_file(std::move(file)),
      m_path(std::move(path)),
      m_decompressor(ZSTD_createDCtx()),
      m_input(new char[k_input_size]),
      m_output(new char[k_output_size]) {
  if (m_decompressor == nullptr) throw std::bad_alloc();
}

BundleStream::~BundleStream() { ZSTD_freeDCtx(m_decompressor); }

tl::unexpected<base::Error> BundleStream::damaged(std::string what) const {
  return base::fail(base::ErrorKind::bad_input, m_path, "is damaged: " + std::move(what));
}

// The next compressed bytes of the file; false at its end.
base::Result<bool> BundleStream::refill() {
  while (true) {
    const ssize_t count = ::read(m_file.get(), m_input.get(), k_input_size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(base::system_error("read", m_path, errno));
    m_compressed = {m_input.get(), static_cast<std::size_t>(count)};
    m_digest.update(m_compressed);
    return count > 0;
  }
}

base::Result<std::string_view> BundleStream::read() {
  while (true) {
    if (m_compressed.empty() && !m_output_pending) {
      BASE_TRY_ASSIGN(const bool more, refill());
      if (!more && m_inside_frame) return damaged("it ends early");
      if (!more) return std::string_view();
    }
    ZSTD_inBuffer input{m_compressed.data(), m_compressed.size(), 0};
    ZSTD_outBuffer output{m_output.get(), k_output_size, 0};
    const std::size_t result = ZSTD_decompressStream(m_decompressor, &output, &input);
    if (ZSTD_isError(result) != 0) return damaged(ZSTD_getErrorName(result));
    m_compressed.remove_prefix(input.pos);
    m_inside_frame = result != 0;
    m_output_pending = m_inside_frame && output.pos == output.size;
    if (output.pos > 0) return std::string_view(m_output.get(), output.pos);
  }
}

base::Result<std::string> BundleStream::finish() {
  while (true) {
    BASE_TRY_ASSIGN(const bool more, refill());
    if (!more) return m_digest.finish();
  }
}

}  // namespace shim
