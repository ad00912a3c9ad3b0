// SPDX-License-Identifier: Apache-2.0
// SHA-256, the one digest of this project: 64 lower-case hexadecimal digits wherever it is written.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

inline constexpr std::size_t k_digest_length = 64;

// Takes bytes in any number of pieces and gives their digest.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  ~Sha256();

  void update(std::string_view bytes);

  // Adds the length and then the bytes, so that ("ab", "c") and ("a", "bc") differ. For keys.
  void update_field(std::string_view bytes);

  // The digest of all bytes so far, as hexadecimal digits. Nothing may be added afterwards.
  [[nodiscard]] std::string finish();

 private:
  struct State;
  std::unique_ptr<State> m_state;
};

// The digest of `bytes`.
std::string sha256(std::string_view bytes);

// The digest of a file's content, streamed.
Result<std::string> sha256_of_file(const std::string& path);

// The digest of what is left to read of an open file; `shown` names it in errors.
Result<std::string> sha256_of_descriptor(int file, const std::string& shown);

// Whether `text` has the form of a digest.
bool is_digest(std::string_view text);

}  // namespace base
