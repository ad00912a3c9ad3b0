// SPDX-License-Identifier: Apache-2.0
// What programs print at the same time, in whole lines.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace view {

class LogLines {
 public:
  // The whole lines that `printed` completes for the program `key`, each with a newline. A line that has no
  // end for a long time is given in parts.
  std::string add(const std::string& key, std::string_view printed);
  // What is left of the last line, with a newline; nothing of the program comes after it.
  std::string finish(const std::string& key);

 private:
  std::map<std::string, std::string> m_begun;
};

// Each line of `lines` with `lead` in front.
std::string led_by(std::string_view lead, std::string_view lines);

}  // namespace view
