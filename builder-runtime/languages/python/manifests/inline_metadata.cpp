// SPDX-License-Identifier: Apache-2.0
// The format: packaging.python.org, "Inline script metadata".
#include "builder-runtime/languages/python/manifests/inline_metadata.h"

#include <vector>

#include "base/text.h"

namespace builder::python {
namespace {

using base::ErrorKind;

constexpr std::string_view k_begin = "# /// script";
constexpr std::string_view k_end = "# ///";

// A project needs a name and a version; nothing is made of them.
constexpr std::string_view k_project_header = "[project]\nname = \"script\"\nversion = \"0\"\n";

std::vector<std::string> lines_of(std::string_view text) {
  auto lines = base::split(text, '\n');
  for (auto& line : lines) {
    if (line.ends_with('\r')) line.pop_back();
  }
  return lines;
}

bool is_comment(const std::string& line) { return line == "#" || line.starts_with("# "); }

}  // namespace

base::Result<std::optional<std::string>> find_inline_block(std::string_view text, const std::string& where) {
  std::optional<std::string> block;
  const auto lines = lines_of(text);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    if (lines[at] != k_begin) continue;
    // The last end within the comment counts: "# ///" may be a line of the content.
    std::size_t end = 0;
    for (std::size_t next = at + 1; next < lines.size() && is_comment(lines[next]); ++next) {
      if (lines[next] == k_end) end = next;
    }
    if (end == 0) continue;
    if (block) {
      return base::fail(ErrorKind::bad_input, where + ":" + std::to_string(at + 1),
                        "has a second block \"# /// script\"", "keep one of them");
    }
    block.emplace();
    for (std::size_t line = at + 1; line < end; ++line) {
      *block += lines[line].size() > 1 ? lines[line].substr(2) : "";
      *block += '\n';
    }
    at = end;
  }
  return block;
}

base::Result<std::optional<InlineMetadata>> read_inline_metadata(const base::fs::path& file,
                                                                 const std::string& name) {
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(file));
  BASE_TRY_ASSIGN(const auto block, find_inline_block(text, name));
  std::optional<InlineMetadata> metadata;
  if (!block) return metadata;
  const std::string where = name + ": # /// script";
  // By itself first: an error then has the block's own lines.
  BASE_TRY_ASSIGN(const data::Value alone, data::parse_toml(*block, where));
  for (const auto& [key, value] : alone.members) {
    if (key == "dependencies" || key == "requires-python" || key == "tool") continue;
    return base::fail(ErrorKind::bad_input, where + ":" + std::to_string(value.line),
                      "\"" + key + "\" is not a field of inline metadata",
                      "its fields are dependencies, requires-python and tool");
  }
  metadata.emplace();
  metadata->project = std::string(k_project_header) + *block;
  BASE_TRY_ASSIGN(metadata->value, data::parse_toml(metadata->project, where));
  return metadata;
}

}  // namespace builder::python
