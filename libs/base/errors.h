// SPDX-License-Identifier: Apache-2.0
// Turns the operating system's error numbers into errors for a person.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace base {

// The error for a system call on `path` that failed with `error_number` while we tried to `attempt`
// ("read", "create", …). A full disk names the disk, by where a person finds it, with its free bytes and is
// ErrorKind::cannot_write.
Error system_error(std::string_view attempt, const std::string& path, int error_number);

// The same for what could not be read in a folder that a person has filled: a symbolic link that leads
// nowhere names its target.
Error read_error(const std::string& path, int error_number);

// "is a broken symbolic link to ../gone"; nothing unless it is a link without a target.
std::optional<std::string> broken_link(const std::string& path);

// Whether it means that the disk is full, or this user's quota.
bool is_full(int error_number);

// The longest text in a message: names and values from files have any length.
inline constexpr std::size_t k_longest_message = 8192;

// The error with each of its texts shortened to k_longest_message.
Error readable(Error error);

// "error: WHERE: WHAT\n" and, if there is one, "hint: HINT\n". Control characters are shown escaped, so
// that a file name cannot forge lines.
std::string format_error(const Error& error);

// "WHERE: WHAT", or only "WHAT" if the error has no place.
std::string without_hint(const Error& error);

// The same in one line, for a warning: "WHERE: WHAT; HINT".
std::string in_one_line(const Error& error);

// `text` in printable characters: all else as \xNN, and what turns the direction of text as \u202e.
std::string printable(std::string_view text);

// Errors of several places as one: the first, with the others in `more`; of very many the first hundred.
class Errors {
 public:
  void add(Error error);
  [[nodiscard]] bool none() const { return !m_any; }
  // There is at least one.
  [[nodiscard]] Error take();

 private:
  Error m_first;
  bool m_any = false;
  std::size_t m_untold = 0;
};

}  // namespace base
