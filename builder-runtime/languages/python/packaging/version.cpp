// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/packaging/version.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>
#include <tuple>

#include "base/text.h"

namespace builder::python {
namespace {

using Number = Version::Number;
constexpr Number k_lowest = std::numeric_limits<Number>::min();
constexpr Number k_highest = std::numeric_limits<Number>::max();

bool is_digit(char character) { return character >= '0' && character <= '9'; }

// Reads a version from left to right, each part if it is there.
class VersionReader {
 public:
  explicit VersionReader(std::string_view text) : m_rest(text) {}

  [[nodiscard]] bool at_end() const { return m_rest.empty(); }
  [[nodiscard]] bool at_digit() const { return !m_rest.empty() && is_digit(m_rest.front()); }

  bool take(std::string_view word) {
    if (m_rest.substr(0, word.size()) != word) return false;
    m_rest.remove_prefix(word.size());
    return true;
  }

  std::optional<Number> take_number() {
    const auto length =
        static_cast<std::size_t>(std::find_if_not(m_rest.begin(), m_rest.end(), is_digit) - m_rest.begin());
    if (length == 0 || length > 18) return std::nullopt;
    const Number number = std::stoll(std::string(m_rest.substr(0, length)));
    m_rest.remove_prefix(length);
    return number;
  }

  // One of the words, with a separator before it and a number after it or not: ".post1", "-rc.2", "dev".
  std::optional<std::pair<std::string_view, Number>> take_part(const std::vector<std::string_view>& words) {
    const auto before = m_rest;
    take_separator();
    for (const auto word : words) {
      if (!take(word)) continue;
      const auto after = m_rest;
      take_separator();
      if (const auto number = take_number()) return std::pair(word, *number);
      m_rest = after;
      return std::pair(word, Number{0});
    }
    m_rest = before;
    return std::nullopt;
  }

  std::string_view rest() const { return m_rest; }

 private:
  void take_separator() {
    if (!m_rest.empty() && base::contains(".-_", m_rest.front())) m_rest.remove_prefix(1);
  }
  std::string_view m_rest;
};

std::vector<Number> without_trailing_zeros(std::vector<Number> release) {
  while (release.size() > 1 && release.back() == 0) release.pop_back();
  return release;
}

// Parts that are absent count as less or more than all others: PEP 440, "Summary of permitted suffixes and
// relative ordering".
auto sort_key(const Version& version) {
  std::pair<Number, Number> pre{k_highest, 0};
  if (version.pre) {
    pre = {version.pre->first, version.pre->second};
  } else if (!version.post && version.dev) {
    pre = {k_lowest, 0};
  }
  return std::tuple(version.epoch, without_trailing_zeros(version.release), pre,
                    version.post.value_or(k_lowest), version.dev.value_or(k_highest));
}

std::strong_ordering compare_local_part(const std::string& one, const std::string& other) {
  const bool number = std::all_of(one.begin(), one.end(), is_digit);
  const bool other_number = std::all_of(other.begin(), other.end(), is_digit);
  if (number != other_number) return number ? std::strong_ordering::greater : std::strong_ordering::less;
  if (number && one.size() != other.size()) return one.size() <=> other.size();
  return one <=> other;
}

std::strong_ordering compare_local(const std::string& one, const std::string& other) {
  if (one.empty() || other.empty()) return one.size() <=> other.size();
  const auto parts = base::split(one, '.');
  const auto others = base::split(other, '.');
  for (std::size_t index = 0; index < std::min(parts.size(), others.size()); ++index) {
    if (const auto order = compare_local_part(parts[index], others[index]); order != 0) return order;
  }
  return parts.size() <=> others.size();
}

Version public_part(Version version) {
  version.local.clear();
  return version;
}

// Whether the release of `version` begins with that of `prefix`: "==1.2.*".
bool begins_with(const Version& version, const Version& prefix) {
  if (version.epoch != prefix.epoch) return false;
  auto release = version.release;
  release.resize(std::max(release.size(), prefix.release.size()));
  return std::equal(prefix.release.begin(), prefix.release.end(), release.begin());
}

bool is_compatible(const Version& version, const Version& least) {
  Version prefix = public_part(least);
  if (prefix.release.size() > 1) prefix.release.pop_back();
  return public_part(version) >= public_part(least) && begins_with(version, prefix);
}

std::string dotted(const std::vector<Number>& release) {
  std::vector<std::string> numbers;
  numbers.reserve(release.size());
  for (const auto number : release) numbers.push_back(std::to_string(number));
  return base::join(numbers, ".");
}

// The first release that is too new when the number at `index` must stay.
std::string next_release(const Version& version, std::size_t index) {
  auto release = version.release;
  release.resize(index + 1);
  ++release[index];
  return (version.epoch == 0 ? "" : std::to_string(version.epoch) + "!") + dotted(release);
}

std::optional<std::string> clause_from_poetry(std::string_view text) {
  if (text == "*" || text.empty()) return "";
  const char first = text.front();
  if (first == '<' || first == '>' || first == '!' || text.substr(0, 2) == "==" ||
      text.substr(0, 2) == "~=") {
    return std::string(text);
  }
  if (first == '^' || first == '~' || first == '=') {
    const auto number = base::trim(text.substr(1));
    const auto version = Version::parse(number);
    if (!version) return std::nullopt;
    if (first == '=') return "==" + std::string(number);
    const auto& release = version->release;
    const auto significant = static_cast<std::size_t>(
        std::find_if(release.begin(), release.end(), [](Number part) { return part != 0; }) -
        release.begin());
    const std::size_t fixed = first == '^' ? std::min(significant, release.size() - 1)
                                           : std::min<std::size_t>(1, release.size() - 1);
    return ">=" + std::string(number) + ",<" + next_release(*version, fixed);
  }
  return "==" + std::string(text);
}

}  // namespace

std::optional<Version> Version::parse(std::string_view text) {
  const std::string lowered = base::lower(base::trim(text));
  VersionReader reader(lowered);
  reader.take("v");
  Version version;
  auto number = reader.take_number();
  if (number && reader.take("!")) {
    version.epoch = *number;
    number = reader.take_number();
  }
  if (!number) return std::nullopt;
  version.release.push_back(*number);
  while (reader.rest().size() > 1 && reader.rest().front() == '.' && is_digit(reader.rest()[1])) {
    reader.take(".");
    number = reader.take_number();
    if (!number) return std::nullopt;
    version.release.push_back(*number);
  }
  if (const auto pre = reader.take_part({"alpha", "beta", "preview", "pre", "rc", "a", "b", "c"})) {
    const char letter = pre->first.front();
    version.pre = {letter == 'a' || letter == 'b' ? letter : 'r', pre->second};
  }
  if (const auto post = reader.take_part({"post", "rev", "r"})) {
    version.post = post->second;
  } else if (reader.rest().size() > 1 && reader.rest().front() == '-' && is_digit(reader.rest()[1])) {
    reader.take("-");
    version.post = reader.take_number();
  }
  if (const auto dev = reader.take_part({"dev"})) version.dev = dev->second;
  if (reader.take("+")) {
    version.local = reader.rest();
    std::replace_if(
        version.local.begin(), version.local.end(), [](char c) { return c == '-' || c == '_'; }, '.');
    const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.'; };
    if (version.local.empty() || !std::all_of(version.local.begin(), version.local.end(), fits))
      return std::nullopt;
  } else if (!reader.at_end()) {
    return std::nullopt;
  }
  return version;
}

std::strong_ordering Version::operator<=>(const Version& other) const {
  if (const auto order = sort_key(*this) <=> sort_key(other); order != 0) return order;
  return compare_local(local, other.local);
}

std::optional<Specifiers::Clause> Specifiers::parse_clause(std::string_view text) {
  for (const std::string_view comparison : {"===", "~=", "==", "!=", "<=", ">=", "<", ">"}) {
    if (text.substr(0, comparison.size()) != comparison) continue;
    Clause clause;
    clause.comparison = comparison;
    clause.text = base::trim(text.substr(comparison.size()));
    std::string_view number = clause.text;
    clause.wildcard = number.size() > 2 && number.substr(number.size() - 2) == ".*";
    if (clause.wildcard) number.remove_suffix(2);
    const auto version = Version::parse(number);
    if (!version && comparison != "===") return std::nullopt;
    clause.version = version.value_or(Version{});
    return clause;
  }
  return std::nullopt;
}

std::optional<Specifiers> Specifiers::parse(std::string_view text) {
  Specifiers specifiers;
  for (const auto& part : base::split(text, ',')) {
    if (base::trim(part).empty()) continue;
    auto clause = parse_clause(base::trim(part));
    if (!clause) return std::nullopt;
    specifiers.m_clauses.push_back(std::move(*clause));
  }
  return specifiers;
}

bool Specifiers::allows(const Clause& clause, const Version& version) {
  const Version candidate = clause.version.local.empty() ? public_part(version) : version;
  const auto& comparison = clause.comparison;
  const bool equal = clause.wildcard ? begins_with(candidate, clause.version) : candidate == clause.version;
  if (comparison == "==" || comparison == "===") return equal;
  if (comparison == "!=") return !equal;
  if (comparison == "~=") return is_compatible(version, clause.version);
  if (comparison == "<=") return candidate <= clause.version;
  if (comparison == ">=") return candidate >= clause.version;
  // "<1.0" does not mean 1.0rc1, ">1.0" neither 1.0.post1 nor 1.0+local.
  const bool same_release =
      without_trailing_zeros(version.release) == without_trailing_zeros(clause.version.release);
  if (comparison == "<") {
    return candidate < clause.version &&
           !(same_release && !clause.version.pre && !clause.version.dev && version.pre);
  }
  return candidate > clause.version && !(same_release && !clause.version.post && version.post);
}

bool Specifiers::allows(const Version& version) const {
  return std::all_of(m_clauses.begin(), m_clauses.end(),
                     [&](const Clause& clause) { return allows(clause, version); });
}

std::optional<std::vector<std::string>> from_poetry(std::string_view constraint) {
  std::vector<std::string> alternatives;
  std::string text(constraint);
  for (std::size_t at = 0; (at = text.find("||", at)) != std::string::npos;) text.replace(at, 2, "|");
  for (const auto& alternative : base::split(text, '|')) {
    std::vector<std::string> clauses;
    for (const auto& part : base::split(alternative, ',')) {
      // ">=3.8 <4" is written too.
      std::string joined;
      for (const auto& word : base::split(base::trim(part), ' ')) {
        if (word.empty()) continue;
        const bool begins = is_digit(word.front()) && !joined.empty();
        if (!joined.empty() && !begins) {
          clauses.push_back(joined);
          joined.clear();
        }
        joined += word;
      }
      clauses.push_back(joined);
    }
    std::vector<std::string> converted;
    for (const auto& clause : clauses) {
      const auto text_of_clause = clause_from_poetry(clause);
      if (!text_of_clause || !Specifiers::parse(*text_of_clause)) return std::nullopt;
      if (!text_of_clause->empty()) converted.push_back(*text_of_clause);
    }
    alternatives.push_back(base::join(converted, ","));
  }
  return alternatives;
}

}  // namespace builder::python
