// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/pattern.h"

#include <re2/re2.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.h"

namespace builder::declared {
namespace {

// What a compiled pattern and the states that it makes while it matches may take.
constexpr std::int64_t k_most_memory = std::int64_t{8} << 20;

}  // namespace

base::Result<Pattern> Pattern::compile(const std::string& text) { return compile(text, Extent::part); }

base::Result<Pattern> Pattern::compile_whole(const std::string& text) { return compile(text, Extent::whole); }

base::Result<Pattern> Pattern::compile(const std::string& text, Extent extent) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(k_most_memory);
  // Files have bytes; a pattern's own characters match as the bytes that they are written with.
  options.set_encoding(RE2::Options::EncodingLatin1);
  const std::string flags = extent == Extent::part ? "(?m)" : "(?s)";
  auto program = std::make_shared<const re2::RE2>(flags + text, options);
  if (!program->ok()) {
    std::string what = program->error();
    base::replace_all(what, flags + text, text);
    return base::fail(base::ErrorKind::bad_input, "", "invalid pattern: " + what);
  }
  return Pattern(std::move(program), extent);
}

std::optional<Pattern::Match> Pattern::find(std::string_view text, std::size_t from) const {
  if (from > text.size()) return std::nullopt;
  const re2::StringPiece whole(text.data(), text.size());
  std::vector<re2::StringPiece> parts(static_cast<std::size_t>(m_program->NumberOfCapturingGroups()) + 1);
  if (!m_program->Match(whole, from, text.size(), RE2::UNANCHORED, parts.data(),
                        static_cast<int>(parts.size())))
    return std::nullopt;
  Match match;
  match.begin = static_cast<std::size_t>(parts[0].data() - text.data());
  match.end = match.begin + parts[0].size();
  match.first = parts[parts.size() > 1 ? 1 : 0].as_string();
  for (const auto& [name, number] : m_program->NamedCapturingGroups()) {
    const auto& part = parts.at(static_cast<std::size_t>(number));
    if (part.data() != nullptr) match.groups.emplace(name, part.as_string());
  }
  return match;
}

bool Pattern::matches(std::string_view text) const {
  const re2::StringPiece whole(text.data(), text.size());
  return m_program->Match(whole, 0, text.size(),
                          m_extent == Extent::whole ? RE2::ANCHOR_BOTH : RE2::UNANCHORED, nullptr, 0);
}

bool Pattern::has_group(const std::string& name) const {
  return m_program->NamedCapturingGroups().contains(name);
}

std::vector<std::string> Pattern::groups() const {
  std::vector<std::string> names;
  for (const auto& [name, number] : m_program->NamedCapturingGroups()) names.push_back(name);
  return names;
}

std::string quoted_for_pattern(std::string_view text) {
  return RE2::QuoteMeta(re2::StringPiece(text.data(), text.size()));
}

std::size_t line_of(std::string_view text, std::size_t at) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(at, text.size()));
  return static_cast<std::size_t>(std::count(text.begin(), end, '\n')) + 1;
}

}  // namespace builder::declared
