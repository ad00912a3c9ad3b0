// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/pool/cbor.h"

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/digest.h"

namespace local {
namespace {

constexpr char k_version[] = "version";
constexpr std::size_t k_deepest = 16;
// RFC 8949, section 3.1: the upper three bits of an item's first byte.
enum Type : unsigned { k_number = 0, k_negative = 1, k_text = 3, k_array = 4, k_map = 5, k_simple = 7 };

// Goes over the bytes without keeping anything but how many items are still to come, level by level.
class Scan {
 public:
  explicit Scan(std::string_view bytes) : m_bytes(bytes) {}

  bool run() {
    m_missing.push_back(1);
    while (!m_missing.empty()) {
      if (m_missing.back() == 0) {
        m_missing.pop_back();
        continue;
      }
      --m_missing.back();
      if (!take_item()) return false;
    }
    return m_bytes.empty();
  }

 private:
  bool take_item() {
    if (m_bytes.empty()) return false;
    const auto first = static_cast<unsigned char>(m_bytes.front());
    m_bytes.remove_prefix(1);
    const unsigned type = first >> 5U;
    const unsigned size = first & 0x1FU;
    // false, true, null
    if (type == k_simple) return size >= 20 && size <= 22;
    const auto number = take_number(size);
    if (!number) return false;
    switch (type) {
      case k_number:
        return true;
      case k_negative:
        return *number <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
      case k_text:
        if (*number > m_bytes.size()) return false;
        m_bytes.remove_prefix(*number);
        return true;
      case k_array:
        return open(*number, 1);
      case k_map:
        return open(*number, 2);
      default:
        return false;
    }
  }

  // In the first byte itself, or in one, two, four or eight behind it.
  std::optional<std::uint64_t> take_number(unsigned size) {
    constexpr unsigned k_first_with_bytes = 24;
    if (size < k_first_with_bytes) return size;
    if (size > k_first_with_bytes + 3) return std::nullopt;
    const std::size_t count = std::size_t{1} << (size - k_first_with_bytes);
    if (count > m_bytes.size()) return std::nullopt;
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < count; ++i) number = number << 8U | static_cast<unsigned char>(m_bytes[i]);
    m_bytes.remove_prefix(count);
    return number;
  }

  // Each item takes a byte at least.
  bool open(std::uint64_t count, std::uint64_t items_each) {
    if (m_missing.size() > k_deepest || count > m_bytes.size()) return false;
    m_missing.push_back(count * items_each);
    return true;
  }

  std::string_view m_bytes;
  std::vector<std::uint64_t> m_missing;
};

}  // namespace

std::string to_cbor(const nlohmann::json& value) {
  std::string bytes;
  nlohmann::json::to_cbor(value, bytes);
  return bytes;
}

std::optional<nlohmann::json> from_cbor(std::string_view bytes) {
  if (!Scan(bytes).run()) return std::nullopt;
  auto value = nlohmann::json::from_cbor(bytes, /*strict=*/true, /*allow_exceptions=*/false);
  // A key that is no text.
  if (value.is_discarded()) return std::nullopt;
  return value;
}

std::string to_sealed_cbor(const nlohmann::json& value) {
  const auto bytes = to_cbor(value);
  return base::sha256(bytes) + bytes;
}

std::optional<nlohmann::json> from_sealed_cbor(std::string_view bytes) {
  if (bytes.size() < base::k_digest_length) return std::nullopt;
  const auto content = bytes.substr(base::k_digest_length);
  if (base::sha256(content) != bytes.substr(0, base::k_digest_length)) return std::nullopt;
  return from_cbor(content);
}

base::Status save_sealed(const base::fs::path& file, int version, nlohmann::json map) {
  map[k_version] = version;
  return base::write_file(file, to_sealed_cbor(map), 0600);
}

std::optional<nlohmann::json> load_sealed(const base::fs::path& file, int version) {
  const auto content = base::read_input_file(file, k_largest_sealed_file);
  auto map = content ? from_sealed_cbor(*content) : std::nullopt;
  if (!map || !map->is_object() || !map->contains(k_version) || map->at(k_version) != version)
    return std::nullopt;
  return map;
}

}  // namespace local
