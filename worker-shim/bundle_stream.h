// SPDX-License-Identifier: Apache-2.0
// The content of a bundle as one pass over its file, which may be a named pipe: opened once, never seeked,
// read to its end even after a failure (a half-read pipe fails the datum), with the digest taken on the way.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"
#include "base/unique_fd.h"

struct ZSTD_DCtx_s;

namespace shim {

class BundleStream {
 public:
  // Of an open file; `path` is for errors.
  BundleStream(base::UniqueFd file, std::string path);
  ~BundleStream();
  BundleStream(const BundleStream&) = delete;
  BundleStream& operator=(const BundleStream&) = delete;

  // The next decompressed bytes, valid until the next call; none at the end.
  base::Result<std::string_view> read();

  // Reads what is left of the file and gives the digest of all of it.
  base::Result<std::string> finish();

 private:
  base::Result<bool> refill();
  [[nodiscard]] tl::unexpected<base::Error> damaged(std::string what) const;

  base::UniqueFd m_file;
  std::string m_path;
  base::Sha256 m_digest;
  ZSTD_DCtx_s* m_decompressor;
  std::unique_ptr<char[]> m_input;
  std::string_view m_compressed;  // the part of m_input that was not decompressed yet
  std::unique_ptr<char[]> m_output;
  bool m_inside_frame = true;  // an empty file lacks its frame
  bool m_output_pending = false;
};

}  // namespace shim
