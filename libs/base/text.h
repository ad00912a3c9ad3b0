// SPDX-License-Identifier: Apache-2.0
// Small questions about text, and numbers as people read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace base {

// The parts of `text` between `separator`s; an empty text has one empty part.
std::vector<std::string> split(std::string_view text, char separator);

// The words between white space (that of ASCII): none of them is empty.
std::vector<std::string> words(std::string_view text);

// `text` without white space at its ends.
std::string_view trim(std::string_view text);

// `text` with the letters of ASCII in lower case.
std::string lower(std::string_view text);

// `parts` with `separator` between them.
std::string join(const std::vector<std::string>& parts, std::string_view separator);
// With `last` in front of the last of several: "a, b or c".
std::string join(const std::vector<std::string>& parts, std::string_view separator, std::string_view last);

constexpr bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}
constexpr bool contains(std::string_view text, char character) {
  return text.find(character) != std::string_view::npos;
}

// Puts `to` in place of every `from` in `text`; of none where `from` is empty.
void replace_all(std::string& text, std::string_view from, std::string_view to);

// The length in bytes of the printable UTF-8 character that `text` starts with; 0 if it starts with a
// control character, DEL, an overlong or broken sequence, or is empty.
std::size_t utf8_length(std::string_view text);

// `text` as one word of a POSIX shell: as it is where that is safe, else in single quotes.
std::string shell_quote(std::string_view text);

// `text`, or of a longer one than `limit` bytes its beginning, " … " and its end, whole characters each.
std::string shortened(std::string_view text, std::size_t limit);

// In double quotes, for an error: what stands in a file of the user's, a long one shortened.
std::string quoted(std::string_view text);

// The first line of `text`, without white space at its ends.
std::string first_line(std::string_view text);

// The last line of `text` that is not blank, without white space at its ends; empty when there is none.
std::string last_line(std::string_view text);

// `bytes`, 1 GiB at most, in base64 with padding (RFC 4648, section 4).
std::string base64(std::string_view bytes);

// The bytes of such a text, which may be broken into lines; nothing when it is not one.
std::optional<std::string> from_base64(std::string_view text);

// Lower-case hexadecimal digits, two of each byte.
std::string to_hex(std::string_view bytes);

// The number that decimal digits alone stand for.
std::optional<std::uint64_t> parse_number(std::string_view digits);

// The bytes that "20GiB" stands for; nothing when it is not a size. Units: B, KiB, MiB, GiB, TiB.
std::optional<std::uint64_t> parse_size(std::string_view text);

// "0 B", "512 B", "1.5 KiB", "38.2 MiB": one decimal above 1 KiB.
std::string format_bytes(std::uint64_t bytes);

// "12 ms", "1.4 s", "2 min 5 s".
std::string format_duration(std::chrono::nanoseconds duration);

// "2,176,782,336".
std::string format_number(std::uint64_t number);

// "datum" of one, else "datums".
std::string noun_for(std::uint64_t count, std::string_view singular);

// "1 datum", "2 datums".
std::string count_of(std::uint64_t count, std::string_view singular);

}  // namespace base
