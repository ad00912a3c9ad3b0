// SPDX-License-Identifier: Apache-2.0
// BLAKE2b-256: the hash by which Pachyderm knows contents, keys and datums (src/internal/pachhash of 2.12).
// What we name by digest ourselves has SHA-256 (base/digest.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace pfs {

using Hash = std::array<unsigned char, 32>;

class Hasher {
 public:
  Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  ~Hasher();

  void update(std::string_view bytes);

  // The bytes, and then their number as Pachyderm writes it: 64 bits, the highest byte first.
  void update_counted(std::string_view bytes);

  // The hash of all bytes so far. Nothing may be added afterwards.
  [[nodiscard]] Hash finish();

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

// The bytes of a hash, as the text that base64 or hexadecimal digits are made of.
std::string_view bytes_of(const Hash& hash);

}  // namespace pfs
