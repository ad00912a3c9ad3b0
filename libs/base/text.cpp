// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <limits>
#include <utility>

namespace base {

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> words(std::string_view text) {
  constexpr std::string_view k_space = " \t\n\v\f\r";
  std::vector<std::string> result;
  for (auto begin = text.find_first_not_of(k_space); begin != std::string_view::npos;) {
    const auto end = std::min(text.find_first_of(k_space, begin), text.size());
    result.emplace_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(k_space, end);
  }
  return result;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view k_white = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(k_white);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(k_white) - first + 1);
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return join(parts, separator, separator);
}

std::string join(const std::vector<std::string>& parts, std::string_view separator, std::string_view last) {
  std::string result;
  for (const auto& part : parts) {
    if (&part != &parts.front()) result += &part == &parts.back() ? last : separator;
    result += part;
  }
  return result;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; !from.empty() && (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// The ranges are those of table 3-7 of the Unicode standard (well-formed UTF-8 byte sequences).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (text.empty() || first < 0x20 || first == 0x7F) return 0;
  if (first < 0x80) return 1;
  // U+0080 to U+009F are control characters too.
  if (first == 0xC2) return follows(1, 0xA0) ? 2 : 0;
  if (first > 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if ((first & 0xF0U) == 0xE0) {
    const unsigned low = first == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned low = first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

std::string shell_quote(std::string_view text) {
  constexpr std::string_view k_safe =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%_+=:,./-";
  if (!text.empty() && text.find_first_not_of(k_safe) == std::string_view::npos) return std::string(text);
  std::string result = "'";
  for (const char character : text) {
    if (character == '\'') {
      result += "'\\''";
    } else {
      result += character;
    }
  }
  return result + "'";
}

std::string shortened(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  const auto is_inside = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; };
  // What is wrong stands at the end of an error, after what it is about.
  std::size_t end = text.size() - limit / 3;
  std::size_t begin = limit - limit / 3;
  // A character has no more than three bytes after its first; text that is not UTF-8 is cut anywhere.
  for (int i = 0; i < 3 && begin > 0 && is_inside(text[begin]); ++i) --begin;
  for (int i = 0; i < 3 && end < text.size() && is_inside(text[end]); ++i) ++end;
  return std::string(text.substr(0, begin)) + " … " + std::string(text.substr(end));
}

std::string quoted(std::string_view text) {
  constexpr std::size_t k_shown = 120;
  return "\"" + shortened(text, k_shown) + "\"";
}

std::string first_line(std::string_view text) { return std::string(trim(text.substr(0, text.find('\n')))); }

std::string last_line(std::string_view text) {
  const std::string_view lines = trim(text);
  return std::string(trim(lines.substr(lines.rfind('\n') + 1)));
}

std::string base64(std::string_view bytes) {
  // With the NUL that it writes.
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), data, static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string packed;
  for (const char character : text) {
    if (character != '\n' && character != '\r') packed += character;
  }
  constexpr std::size_t k_longest = std::size_t{1} << 30;
  if (packed.size() % 4 != 0 || packed.size() > k_longest) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < packed.size() && packed[packed.size() - 1 - padding] == '=') ++padding;
  // OpenSSL takes more than an alphabet and its padding.
  const auto is_digit = [](unsigned char c) { return std::isalnum(c) != 0 || c == '+' || c == '/'; };
  if (!std::all_of(packed.begin(), packed.end() - static_cast<std::ptrdiff_t>(padding), is_digit))
    return std::nullopt;
  std::string bytes(packed.size() / 4 * 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(packed.data()), static_cast<int>(packed.size()));
  if (length < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(length) - padding);
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  static constexpr char k_digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char signed_byte : bytes) {
    const auto byte = static_cast<unsigned char>(signed_byte);
    text += {k_digits[byte >> 4], k_digits[byte & 15]};
  }
  return text;
}

std::optional<std::uint64_t> parse_number(std::string_view digits) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, unsigned>, 6> k_units = {
      {{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}}};
  text = trim(text);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const auto unit = trim(text.substr(static_cast<std::size_t>(end - text.data())));
  for (const auto& [name, shift] : k_units) {
    if (unit == name && number <= std::numeric_limits<std::uint64_t>::max() >> shift) return number << shift;
  }
  return std::nullopt;
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array k_units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would print as 1024.0.
  while (value >= 1023.95 && unit + 1 < k_units.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f %s", value, k_units.at(unit));
  return buffer.data();
}

std::string format_duration(std::chrono::nanoseconds duration) {
  using namespace std::chrono;
  const auto milliseconds = duration_cast<std::chrono::milliseconds>(duration).count();
  if (milliseconds < 1000) return std::to_string(milliseconds) + " ms";
  if (milliseconds < 60'000) {
    std::array<char, 32> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.1f s", static_cast<double>(milliseconds) / 1000);
    return buffer.data();
  }
  const auto seconds = milliseconds / 1000;
  return std::to_string(seconds / 60) + " min " + std::to_string(seconds % 60) + " s";
}

std::string format_number(std::uint64_t number) {
  std::string text = std::to_string(number);
  constexpr std::size_t k_group = 3;
  for (std::size_t end = text.size(); end > k_group;) {
    end -= k_group;
    text.insert(end, ",");
  }
  return text;
}

std::string noun_for(std::uint64_t count, std::string_view singular) {
  return std::string(singular) + (count == 1 ? "" : "s");
}

std::string count_of(std::uint64_t count, std::string_view singular) {
  return std::to_string(count) + " " + noun_for(count, singular);
}

}  // namespace base
