// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/text_template.h"

#include <algorithm>

#include "base/text.h"

namespace builder::declared {

base::Result<TextTemplate> TextTemplate::parse(std::string_view text) {
  const auto invalid = [](const std::string& what) {
    return base::fail(base::ErrorKind::bad_input, "", what, "write {{ and }} for literal braces");
  };
  TextTemplate result;
  std::string plain;
  const auto finish_plain = [&] {
    if (!plain.empty()) result.m_parts.push_back({std::exchange(plain, {}), std::nullopt});
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char character = text[at];
    if ((character == '{' || character == '}') && text.substr(at + 1, 1) == text.substr(at, 1)) {
      plain += character;
      ++at;
      continue;
    }
    if (character == '}') return invalid("unmatched '}'");
    if (character != '{') {
      plain += character;
      continue;
    }
    const auto end = text.find('}', at);
    if (end == std::string_view::npos) return invalid("unclosed '{'");
    const auto inner = text.substr(at + 1, end - at - 1);
    const auto colon = std::min(inner.find(':'), inner.size());
    finish_plain();
    result.m_parts.push_back({"", Name{std::string(inner.substr(0, colon)),
                                       std::string(inner.substr(std::min(colon + 1, inner.size())))}});
    at = end;
  }
  finish_plain();
  return result;
}

std::string TextTemplate::fill(const ValueOf& value_of) const {
  std::string text;
  for (const auto& part : m_parts) text += part.name ? value_of(*part.name).value_or("") : part.text;
  return text;
}

std::vector<Name> TextTemplate::names() const {
  std::vector<Name> names;
  for (const auto& part : m_parts) {
    if (part.name) names.push_back(*part.name);
  }
  return names;
}

bool TextTemplate::has(std::string_view name) const {
  return std::any_of(m_parts.begin(), m_parts.end(),
                     [&](const Part& part) { return part.name && part.name->name == name; });
}

bool TextTemplate::begins_with(std::string_view name) const {
  return !m_parts.empty() && m_parts.front().name && m_parts.front().name->name == name;
}

}  // namespace builder::declared
