// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/pfs/file_hash.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "pachbuild/pfs/hash.h"

namespace pfs {

base::Result<std::string> file_hash(const base::fs::path& file) {
  const base::UniqueFd input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!input) return base::fail(base::system_error("read", file.string(), errno));
  constexpr std::size_t k_buffer = 1 << 16;
  std::vector<char> buffer(k_buffer);
  Hasher content;
  bool is_empty = true;
  for (;;) {
    const ssize_t count = ::read(input.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(base::system_error("read", file.string(), errno));
    if (count == 0) break;
    is_empty = false;
    content.update({buffer.data(), static_cast<std::size_t>(count)});
  }
  Hasher chunks;
  if (!is_empty) chunks.update(bytes_of(content.finish()));
  return base::base64(bytes_of(chunks.finish()));
}

}  // namespace pfs
