// SPDX-License-Identifier: Apache-2.0
// One requirement as PEP 508 writes it: `requests[socks]>=2.8; python_version < "3.11"`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace builder::python {

struct Requirement {
  std::string name;                 // normalised
  std::vector<std::string> extras;  // normalised
  std::string specifiers;           // ">=2.8,<3"; empty: every version
  std::string url;                  // of `name @ URL`, else empty
  std::string marker;

  // Nothing where `text` is none.
  static std::optional<Requirement> parse(std::string_view text);
  // As PEP 508 writes it.
  [[nodiscard]] std::string text() const;
};

// "Foo.Bar_baz" and "foo-bar-baz" are one project: PEP 503.
std::string normalised_name(std::string_view name);

}  // namespace builder::python
