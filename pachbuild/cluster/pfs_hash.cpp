// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/pfs_hash.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "base/unique_fd.h"

namespace cluster {
namespace {

using Hash = std::array<unsigned char, crypto_generichash_BYTES>;  // BLAKE2b-256

}  // namespace

base::Result<std::string> pfs_hash(const base::fs::path& file) {
  const base::UniqueFd input(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!input) return base::fail(base::system_error("read", file.string(), errno));
  constexpr std::size_t k_buffer = 1 << 16;
  std::vector<unsigned char> buffer(k_buffer);
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, crypto_generichash_BYTES);
  bool is_empty = true;
  for (;;) {
    const ssize_t count = ::read(input.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(base::system_error("read", file.string(), errno));
    if (count == 0) break;
    is_empty = false;
    crypto_generichash_update(&state, buffer.data(), static_cast<std::size_t>(count));
  }
  Hash chunk{};
  crypto_generichash_final(&state, chunk.data(), chunk.size());
  Hash whole{};
  crypto_generichash(whole.data(), whole.size(), chunk.data(), is_empty ? 0 : chunk.size(), nullptr, 0);
  return base::base64({reinterpret_cast<const char*>(whole.data()), whole.size()});
}

}  // namespace cluster
