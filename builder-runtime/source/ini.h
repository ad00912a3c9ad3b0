// SPDX-License-Identifier: Apache-2.0
// Files of the form that Python's configparser reads: pip.conf, setup.cfg.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace builder::data {

struct IniOption {
  std::string name;
  std::string value;  // its lines; the first, behind the sign, may be empty
  int line = 0;
};

// Sections by name. What is not of this form is passed over.
using Ini = std::map<std::string, std::vector<IniOption>, std::less<>>;

Ini parse_ini(std::string_view text);

// The last option of this name; nullptr: there is none.
const IniOption* find_option(const Ini& ini, std::string_view section, std::string_view name);

}  // namespace builder::data
