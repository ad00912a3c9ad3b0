// SPDX-License-Identifier: Apache-2.0
// OpenSSL's SHA-256 by its direct interface: the EVP one would link all of libcrypto's algorithms
// (3 MB) into the static worker-shim. Both use the same, hardware-accelerated code.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/digest.h"

#include <fcntl.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/errors.h"
#include "base/measure.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/unique_fd.h"

namespace base {

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : m_state(std::make_unique<State>()) { SHA256_Init(&m_state->context); }
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::string_view bytes) { SHA256_Update(&m_state->context, bytes.data(), bytes.size()); }

void Sha256::update_field(std::string_view bytes) {
  update(std::to_string(bytes.size()) + ":");
  update(bytes);
}

std::string Sha256::finish() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> bytes{};
  SHA256_Final(bytes.data(), &m_state->context);
  return to_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.finish();
}

Result<std::string> sha256_of_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(system_error("read", path, errno));
  return sha256_of_descriptor(file.get(), path);
}

Result<std::string> sha256_of_descriptor(int file, const std::string& shown) {
  Sha256 digest;
  // Not a vector, which would write zeros first: that takes longer than reading a small file.
  constexpr std::size_t k_buffer = std::size_t{64} << 10;
  const auto buffer = std::make_unique_for_overwrite<char[]>(k_buffer);
  while (true) {
    BASE_TRY(check_stop());
    const ssize_t count = ::read(file, buffer.get(), k_buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error("read", shown, errno));
    if (count == 0) return digest.finish();
    digest.update({buffer.get(), static_cast<std::size_t>(count)});
    advance(static_cast<std::uint64_t>(count));
  }
}

bool is_digest(std::string_view text) {
  return text.size() == k_digest_length && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace base
