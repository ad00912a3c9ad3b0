// SPDX-License-Identifier: Apache-2.0
#include "base/merge_conflict.h"

#include <algorithm>

namespace base {
namespace {

constexpr std::string_view k_start = "<<<<<<<";
constexpr std::string_view k_end = ">>>>>>>";

// Where a line starts with the marker alone, or with the marker and a name behind a space.
std::size_t find_marker(std::string_view text, std::string_view marker, std::size_t from) {
  for (auto at = text.find(marker, from); at != std::string_view::npos; at = text.find(marker, at + 1)) {
    const auto rest = text.substr(at + marker.size());
    const bool ends = rest.empty() || rest.front() == ' ' || rest.front() == '\r' || rest.front() == '\n';
    if (ends && (at == 0 || text[at - 1] == '\n')) return at;
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<Error> merge_conflict(std::string_view text, const std::string& name) {
  const auto start = find_marker(text, k_start, 0);
  if (start == std::string_view::npos || find_marker(text, k_end, start) == std::string_view::npos)
    return std::nullopt;
  const auto above = text.substr(0, start);
  const auto line = std::count(above.begin(), above.end(), '\n') + 1;
  return Error{
      .kind = ErrorKind::bad_input,
      .where = name + ":" + std::to_string(line),
      .what = "a merge conflict is not resolved",
      .hint = "keep one side of it, and remove the lines that start with <<<<<<<, ======= and >>>>>>>"};
}

}  // namespace base
