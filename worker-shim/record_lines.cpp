// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/record_lines.h"

#include <cstdlib>
#include <string_view>

#include "base/text.h"

namespace shim {
namespace {

constexpr std::string_view k_schema = "1";

// The lines between `  "KEY": {` or `[` and the closing one of the same depth.
std::vector<std::string> block(const std::vector<std::string>& lines, std::string_view key) {
  const std::string opening = "  \"" + std::string(key) + "\": ";
  std::vector<std::string> found;
  bool inside = false;
  for (const auto& line : lines) {
    if (inside && (line.starts_with("  }") || line.starts_with("  ]"))) break;
    if (inside) found.push_back(line);
    inside = inside || line == opening + "{" || line == opening + "[";
  }
  return found;
}

// A string or a number as written, without the comma behind it and the quotes around it. Of escapes there are
// only those of quotes and backslashes in what is read here.
std::string plain(std::string_view value) {
  if (value.ends_with(',')) value.remove_suffix(1);
  if (value.size() < 2 || value.front() != '"' || value.back() != '"') return std::string(value);
  std::string text;
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '\\' && i + 2 < value.size()) ++i;
    text += value[i];
  }
  return text;
}

std::string value_of(const std::vector<std::string>& lines, const std::string& key) {
  for (const auto& line : lines) {
    const std::string_view trimmed = base::trim(line);
    const std::string opening = "\"" + key + "\": ";
    if (trimmed.starts_with(opening)) return plain(trimmed.substr(opening.size()));
  }
  return "";
}

// The lines of the outermost object itself.
std::vector<std::string> outermost(const std::vector<std::string>& lines) {
  std::vector<std::string> found;
  for (const auto& line : lines) {
    if (line.starts_with("  \"")) found.push_back(line);
  }
  return found;
}

// The sum of all numbers of that key.
std::uint64_t sum_of(const std::vector<std::string>& lines, const std::string& key) {
  std::uint64_t sum = 0;
  for (const auto& line : lines) sum += std::strtoull(value_of({line}, key).c_str(), nullptr, 10);
  return sum;
}

}  // namespace

std::optional<RecordLines> read_record_lines(const std::string& text) {
  const auto lines = base::split(text, '\n');
  const auto top = outermost(lines);
  const auto platform = block(lines, "platform");
  const auto bundles = block(lines, "bundles");
  if (value_of(top, "schema") != k_schema || platform.empty()) return std::nullopt;
  RecordLines record;
  record.builder = value_of(top, "builder");
  record.version = value_of(top, "version");
  record.os = value_of(platform, "os");
  record.architecture = value_of(platform, "architecture");
  record.libc = value_of(platform, "libc");
  record.interpreter = value_of(platform, "interpreter");
  for (const auto& line : block(lines, "command")) record.command.push_back(plain(base::trim(line)));
  record.has_bundle = !bundles.empty();
  record.bytes = sum_of(bundles, "bytes");
  record.unpacked_bytes = sum_of(bundles, "unpacked_bytes");
  record.files = sum_of(bundles, "files");
  return record;
}

}  // namespace shim
