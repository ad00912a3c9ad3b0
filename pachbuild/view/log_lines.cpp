// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/view/log_lines.h"

#include <algorithm>
#include <utility>

namespace view {
namespace {

// Of a line without an end; a thousand programs that print such lines take 16 MiB.
constexpr std::size_t k_longest_line = std::size_t{16} << 10;

}  // namespace

std::string LogLines::add(const std::string& key, std::string_view printed) {
  auto& begun = m_begun[key];
  const auto end = printed.rfind('\n');
  if (end == std::string_view::npos) {
    begun += printed;
    if (begun.size() < k_longest_line) return "";
    return std::exchange(begun, {}) + '\n';
  }
  std::string lines = std::exchange(begun, {});
  lines += printed.substr(0, end + 1);
  begun = printed.substr(end + 1);
  return lines;
}

std::string LogLines::finish(const std::string& key) {
  const auto known = m_begun.find(key);
  if (known == m_begun.end()) return "";
  std::string rest = std::move(known->second);
  m_begun.erase(known);
  if (!rest.empty()) rest += '\n';
  return rest;
}

std::string led_by(std::string_view lead, std::string_view lines) {
  std::string result;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size() - 1) + 1;
    result += lead;
    result += lines.substr(0, end);
    lines.remove_prefix(end);
  }
  return result;
}

}  // namespace view
