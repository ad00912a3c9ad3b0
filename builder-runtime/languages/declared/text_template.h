// SPDX-License-Identifier: Apache-2.0
// Texts of builder.toml with names in braces: "{tree}/bin", "{setting:mode}".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace builder::declared {

// What a name in braces is: "interpreter" and "sh,bash" of "{interpreter:sh,bash}".
struct Name {
  std::string name;
  std::string argument;
  bool operator==(const Name&) const = default;
};

// The text for a name; none: the name has no text here, which fill() takes for an empty one.
using ValueOf = std::function<std::optional<std::string>(const Name& name)>;

class TextTemplate {
 public:
  // Fails with bad_input; `what` names the fault.
  static base::Result<TextTemplate> parse(std::string_view text);

  [[nodiscard]] std::string fill(const ValueOf& value_of) const;
  [[nodiscard]] std::vector<Name> names() const;
  [[nodiscard]] bool has(std::string_view name) const;
  // Whether the text begins with this name: "{tree}/bin" with "tree".
  [[nodiscard]] bool begins_with(std::string_view name) const;

 private:
  struct Part {
    std::string text;  // of a part that is not a name
    std::optional<Name> name;
  };
  std::vector<Part> m_parts;
};

using Templates = std::vector<TextTemplate>;

}  // namespace builder::declared
