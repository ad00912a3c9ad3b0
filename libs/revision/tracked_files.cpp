// SPDX-License-Identifier: Apache-2.0
// The index is read rather than git asked: that takes no process, and no git on this machine.
#include "revision/tracked_files.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "revision/repository.h"

namespace revision {
namespace {

namespace fs = base::fs;

constexpr std::size_t k_sha1 = 20;
constexpr std::size_t k_sha256 = 32;

// Takes numbers and texts from the front; fails once and for all when there is too little.
class Reader {
 public:
  explicit Reader(std::string_view text) : m_rest(text), m_size(text.size()) {}

  std::string_view take(std::size_t size) {
    if (size > m_rest.size()) {
      m_failed = true;
      m_rest = {};
      return {};
    }
    const auto taken = m_rest.substr(0, size);
    m_rest.remove_prefix(size);
    return taken;
  }

  std::uint32_t number(std::size_t size) {
    std::uint32_t value = 0;
    for (const char byte : take(size)) value = (value << 8U) | static_cast<unsigned char>(byte);
    return value;
  }

  // Up to a NUL, which is taken as well.
  std::string_view text() {
    const auto end = m_rest.find('\0');
    const auto found = take(std::min(end, m_rest.size()));
    take(1);
    return found;
  }

  // As the offsets of packs are written: the high bit says that more follows, each step counts from one.
  std::size_t offset() {
    std::size_t value = 0;
    for (bool is_first = true; !m_failed; is_first = false) {
      const std::uint32_t byte = number(1);
      value = ((is_first ? 0 : value + 1) << 7U) | (byte & 0x7fU);
      if ((byte & 0x80U) == 0 || value > m_size) break;
    }
    return value;
  }

  [[nodiscard]] std::size_t taken() const { return m_size - m_rest.size(); }
  [[nodiscard]] std::string_view rest() const { return m_rest; }
  [[nodiscard]] bool failed() const { return m_failed; }

 private:
  std::string_view m_rest;
  std::size_t m_size;
  bool m_failed = false;
};

// The extension "link" names the index that has the other entries.
std::string base_of(Reader& reader, std::size_t hash_size) {
  constexpr std::size_t k_extension_header = 8;
  while (reader.rest().size() >= hash_size + k_extension_header) {
    const std::string_view name = reader.take(4);
    const std::string_view content = reader.take(reader.number(4));
    if (name != "link" || content.size() < hash_size) continue;
    return "sharedindex." + base::to_hex(content.substr(0, hash_size));
  }
  return {};
}

// That of the repository's own settings; SHA-1 where they say nothing else.
std::size_t hash_size_of(const Repository& repository) {
  const auto text = base::lower(base::read_input_file(repository.common / "config").value_or(""));
  for (const auto& line : base::split(text, '\n')) {
    const auto sign = line.find('=');
    if (sign == std::string::npos || base::trim(line.substr(0, sign)) != "objectformat") continue;
    return base::trim(line.substr(sign + 1)) == "sha256" ? k_sha256 : k_sha1;
  }
  return k_sha1;
}

std::optional<Index> read_index(const fs::path& file, std::size_t hash_size) {
  const auto text = base::read_input_file(file, k_largest_index);
  if (!text) return std::nullopt;
  return parse_index(*text, hash_size);
}

}  // namespace

std::optional<Index> parse_index(std::string_view text, std::size_t hash_size) {
  // Times, numbers and sizes of the file, before its hash.
  constexpr std::size_t k_status = 40;
  constexpr std::uint32_t k_extended = 0x4000;
  constexpr std::uint32_t k_first_version = 2;
  constexpr std::uint32_t k_last_version = 4;
  Reader reader(text);
  if (reader.take(4) != "DIRC") return std::nullopt;
  const std::uint32_t version = reader.number(4);
  if (version < k_first_version || version > k_last_version) return std::nullopt;
  const std::uint32_t count = reader.number(4);
  Index index;
  std::string path;
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i) {
    const std::size_t start = reader.taken();
    reader.take(k_status + hash_size);
    const std::uint32_t flags = reader.number(2);
    if ((flags & k_extended) != 0) reader.take(2);
    if (version == k_last_version) {
      const std::size_t removed = reader.offset();
      if (removed > path.size()) return std::nullopt;
      path.resize(path.size() - removed);
      path += reader.text();
    } else {
      path = reader.text();
      // Up to the next eight bytes.
      constexpr std::size_t k_unit = 8;
      const std::size_t length = reader.taken() - start;
      reader.take((k_unit - length % k_unit) % k_unit);
    }
    // What paths share is written once: no text is an attack by being short.
    constexpr std::size_t k_most_shared = 16;
    bytes += path.size();
    if (bytes > k_most_shared * text.size()) return std::nullopt;
    // What another index has is named there.
    if (!path.empty()) index.paths.push_back(path);
  }
  index.base = base_of(reader, hash_size);
  if (reader.failed()) return std::nullopt;
  return index;
}

std::optional<fs::path> repository_top(const fs::path& source) {
  const auto repository = find_repository(source);
  if (!repository) return std::nullopt;
  return repository->top;
}

std::vector<std::string> tracked_files(const fs::path& source) {
  const auto repository = find_repository(source);
  if (!repository) return {};
  const std::size_t hash_size = hash_size_of(*repository);
  auto index = read_index(repository->own / "index", hash_size);
  if (!index) return {};
  if (!index->base.empty()) {
    auto base = read_index(repository->own / index->base, hash_size);
    if (base) std::move(base->paths.begin(), base->paths.end(), std::back_inserter(index->paths));
  }
  std::sort(index->paths.begin(), index->paths.end());
  index->paths.erase(std::unique(index->paths.begin(), index->paths.end()), index->paths.end());
  return std::move(index->paths);
}

}  // namespace revision
