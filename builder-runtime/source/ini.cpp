// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/ini.h"

#include <algorithm>

#include "base/text.h"

namespace builder::data {

Ini parse_ini(std::string_view text) {
  Ini ini;
  std::vector<IniOption>* section = nullptr;
  bool is_open = false;  // an indented line belongs to the last option
  int number = 0;
  for (const auto& line : base::split(text, '\n')) {
    ++number;
    const auto content = base::trim(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    if ((line.front() == ' ' || line.front() == '\t') && is_open) {
      section->back().value.append("\n").append(content);
    } else if (content.front() == '[' && content.back() == ']') {
      section = &ini[std::string(content.substr(1, content.size() - 2))];
      is_open = false;
    } else if (const auto sign = content.find_first_of("=:");
               section != nullptr && sign != std::string_view::npos) {
      section->push_back({std::string(base::trim(content.substr(0, sign))),
                          std::string(base::trim(content.substr(sign + 1))), number});
      is_open = true;
    }
  }
  return ini;
}

const IniOption* find_option(const Ini& ini, std::string_view section, std::string_view name) {
  const auto options = ini.find(section);
  if (options == ini.end()) return nullptr;
  const auto found = std::find_if(options->second.rbegin(), options->second.rend(),
                                  [&](const IniOption& option) { return option.name == name; });
  return found == options->second.rend() ? nullptr : &*found;
}

}  // namespace builder::data
