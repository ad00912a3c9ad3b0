// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/pfs/hash.h"

#include <sodium.h>

namespace pfs {

struct Hasher::State {
  crypto_generichash_state hash;
};

Hasher::Hasher() : m_state(std::make_unique<State>()) {
  crypto_generichash_init(&m_state->hash, nullptr, 0, Hash().size());
}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::string_view bytes) {
  crypto_generichash_update(&m_state->hash, reinterpret_cast<const unsigned char*>(bytes.data()),
                            bytes.size());
}

void Hasher::update_counted(std::string_view bytes) {
  update(bytes);
  std::array<char, sizeof(std::uint64_t)> number{};
  std::uint64_t rest = bytes.size();
  for (auto byte = number.rbegin(); byte != number.rend(); ++byte, rest >>= 8U) {
    *byte = static_cast<char>(rest & 0xffU);
  }
  update({number.data(), number.size()});
}

Hash Hasher::finish() {
  Hash hash{};
  crypto_generichash_final(&m_state->hash, hash.data(), hash.size());
  return hash;
}

std::string_view bytes_of(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace pfs
