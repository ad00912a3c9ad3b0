// SPDX-License-Identifier: Apache-2.0
// The wire format of Protocol Buffers: a field is a number and a type in one varint, then its value.
#include "pachbuild/local/batch/next_datum.h"

#include <cstdint>

#include "base/text.h"

namespace local {
namespace {

enum class WireType : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

constexpr std::uint64_t k_only_field = 1;  // of both messages
constexpr unsigned k_type_bits = 3;
constexpr unsigned k_varint_bits = 7;
constexpr unsigned k_more = 0x80;

std::optional<std::uint64_t> take_varint(std::string_view& rest) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !rest.empty(); shift += k_varint_bits) {
    const auto byte = static_cast<unsigned char>(rest.front());
    rest.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & (k_more - 1)) << shift;
    if ((byte & k_more) == 0) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> take_bytes(std::string_view& rest, std::uint64_t size) {
  if (size > rest.size()) return std::nullopt;
  const auto bytes = rest.substr(0, size);
  rest.remove_prefix(size);
  return bytes;
}

// The value of a field, as far as it is bytes; those of the other types are only passed.
std::optional<std::string_view> take_value(std::string_view& rest, WireType type) {
  switch (type) {
    case WireType::varint:
      return take_varint(rest) ? std::optional(std::string_view()) : std::nullopt;
    case WireType::fixed64:
      return take_bytes(rest, 8);
    case WireType::fixed32:
      return take_bytes(rest, 4);
    case WireType::bytes:
      if (const auto size = take_varint(rest)) return take_bytes(rest, *size);
      return std::nullopt;
  }
  return std::nullopt;
}

void add_varint(std::string& message, std::uint64_t value) {
  while (value >= k_more) {
    message += static_cast<char>(k_more | (value & (k_more - 1)));
    value >>= k_varint_bits;
  }
  message += static_cast<char>(value);
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const bool is_ascii = static_cast<unsigned char>(text.front()) < 0x80;
    const std::size_t length = is_ascii ? 1 : base::utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

std::optional<std::string> decode_next_datum_request(std::string_view message) {
  std::string error;
  while (!message.empty()) {
    const auto tag = take_varint(message);
    if (!tag || *tag >> k_type_bits == 0) return std::nullopt;
    const auto type = static_cast<WireType>(*tag & ((1U << k_type_bits) - 1));
    const auto value = take_value(message, type);
    if (!value) return std::nullopt;
    // The last one counts; a field of another type is one that we do not know.
    if (*tag >> k_type_bits == k_only_field && type == WireType::bytes) error = *value;
  }
  return error;
}

std::string encode_next_datum_response(const std::vector<std::pair<std::string, std::string>>& variables) {
  std::string message;
  for (const auto& [name, value] : variables) {
    const std::string variable = name + "=" + value;
    if (!is_utf8(variable)) continue;
    add_varint(message, k_only_field << k_type_bits | static_cast<unsigned>(WireType::bytes));
    add_varint(message, variable.size());
    message += variable;
  }
  return message;
}

}  // namespace local
