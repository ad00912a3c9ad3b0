// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/conformance/failure_line.h"

#include "base/text.h"

namespace conformance {
namespace {

// "error: …", "error[E0425]: …", "Error: …", "main.c:3:5: error: …", "main.c:1:10: fatal error: …"
bool is_error(std::string_view line) {
  const std::string text = base::lower(line);
  return text.starts_with("error:") || text.starts_with("error[") || base::contains(text, ": error:") ||
         base::contains(text, ": fatal error:");
}

}  // namespace

std::string failure_line(std::string_view log) {
  for (const auto& line : base::split(log, '\n')) {
    const auto text = base::trim(line);
    if (is_error(text)) return std::string(text);
  }
  return base::last_line(log);
}

}  // namespace conformance
