// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/text_list.h"

#include <algorithm>

#include "base/text.h"

namespace builder::python {

std::optional<std::vector<std::string>> texts_of_list(std::string_view text) {
  if (text.empty() || (text.front() != '[' && text.front() != '(')) return std::nullopt;
  const char end_of_list = text.front() == '[' ? ']' : ')';
  std::vector<std::string> texts;
  bool is_continued = false;
  for (std::size_t at = 1; at < text.size();) {
    const char character = text[at];
    if (character == end_of_list) return texts;
    if (character == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (character == '"' || character == '\'') {
      const auto end = text.find(character, at + 1);
      if (end == std::string_view::npos) return std::nullopt;
      const auto inner = text.substr(at + 1, end - at - 1);
      if (base::contains(inner, '\\')) return std::nullopt;
      if (!is_continued) texts.emplace_back();
      texts.back() += inner;
      is_continued = true;
      at = end + 1;
    } else if (base::contains(" \t\r\n,", character)) {
      is_continued = is_continued && character != ',';
      ++at;
    } else {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace builder::python
