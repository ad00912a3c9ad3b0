// SPDX-License-Identifier: Apache-2.0
// Versions and what is asked of them, as PEP 440 defines both.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace builder::python {

struct Version {
  using Number = std::int64_t;

  Number epoch = 0;
  std::vector<Number> release;
  std::optional<std::pair<char, Number>> pre;  // 'a', 'b' or 'r' (for rc)
  std::optional<Number> post;
  std::optional<Number> dev;
  std::string local;

  // Nothing where `text` is no version.
  static std::optional<Version> parse(std::string_view text);
  std::strong_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }
};

// ">=3.9,<4", "~=1.4", "==2.*"; the empty text allows every version. Pre-releases count as what they are.
class Specifiers {
 public:
  static std::optional<Specifiers> parse(std::string_view text);
  [[nodiscard]] bool allows(const Version& version) const;

 private:
  struct Clause {
    std::string comparison;
    Version version;
    bool wildcard = false;
    std::string text;  // as it is written
  };
  [[nodiscard]] static std::optional<Clause> parse_clause(std::string_view text);
  [[nodiscard]] static bool allows(const Clause& clause, const Version& version);
  std::vector<Clause> m_clauses;
};

// Poetry's own forms as well: "^1.2", "~1.2", "1.*", "1.2" (which is ==1.2), "*", and alternatives after
// "||". Gives them as PEP 440 has them, one text for each alternative; nothing where it makes no sense.
std::optional<std::vector<std::string>> from_poetry(std::string_view constraint);

}  // namespace builder::python
