// SPDX-License-Identifier: Apache-2.0
// The format is that of Go's package debug/buildinfo: on a 16-byte boundary a magic text, the size of a
// pointer, flags, and from byte 32 on two texts with their lengths, Go's version and what `go version -m`
// prints.
#include "builder-runtime/languages/go/build_info.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/text.h"

namespace builder::go {
namespace {

constexpr std::string_view k_magic = "\xff Go buildinf:";
constexpr std::size_t k_alignment = 16;
constexpr std::size_t k_flags = 15;  // the byte that has them
constexpr unsigned k_texts_follow = 2;
constexpr std::size_t k_header = 32;
// Texts that Go's linker puts around the second one, to find it by.
constexpr std::size_t k_frame = 16;

// Takes a text off the front: its length in groups of seven bits, the lowest first, then its bytes.
std::optional<std::string_view> take_text(std::string_view& bytes) {
  std::uint64_t length = 0;
  for (unsigned shift = 0; shift < 63; shift += 7) {
    if (bytes.empty()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    length |= std::uint64_t{byte & 0x7FU} << shift;
    if ((byte & 0x80U) != 0) continue;
    if (length > bytes.size()) return std::nullopt;
    const auto text = bytes.substr(0, length);
    bytes.remove_prefix(length);
    return text;
  }
  return std::nullopt;
}

// The second text, when a description of a program begins here.
std::optional<std::string_view> description_at(std::string_view bytes) {
  if (bytes.size() < k_header || (static_cast<unsigned char>(bytes[k_flags]) & k_texts_follow) == 0)
    return std::nullopt;
  bytes.remove_prefix(k_header);
  const auto version = take_text(bytes);
  if (!version || (!version->starts_with("go") && !version->starts_with("devel"))) return std::nullopt;
  auto text = take_text(bytes);
  // None at all when there is no module.
  if (text && text->size() > 2 * k_frame) *text = text->substr(k_frame, text->size() - 2 * k_frame);
  return text;
}

std::vector<std::string> modules_of(std::string_view description) {
  std::vector<std::string> modules;
  for (const auto& line : base::split(description, '\n')) {
    // "dep" (or "=>" for what replaces it), path, version, sum.
    const auto words = base::split(line, '\t');
    if (words.size() >= 3 && words[0] == "dep") modules.push_back(words[1] + " " + words[2]);
  }
  std::sort(modules.begin(), modules.end());
  return modules;
}

}  // namespace

std::optional<std::vector<std::string>> modules_in(std::string_view file) {
  for (std::size_t at = 0; at + k_header <= file.size(); at += k_alignment) {
    if (std::memcmp(file.data() + at, k_magic.data(), k_magic.size()) != 0) continue;
    if (const auto description = description_at(file.substr(at))) return modules_of(*description);
  }
  return std::nullopt;
}

}  // namespace builder::go
