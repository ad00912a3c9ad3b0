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
constexpr char k_project_header[] = "[project]\nname = \"script\"\nversion = \"0\"\n";

std::vector<std::string> lines_of(std::string_view text) {
  auto lines = base::split(text, '\n');
  for (auto& line : lines) {
    if (line.ends_with('\r')) line.pop_back();
  }
  return lines;
}

bool is_comment(const std::string& line) { return line == "#" || line.starts_with("# "); }

// The block as it is in the program: whatever is found in it has the program's own line and column.
std::string in_place(const InlineBlock& block) {
  std::string text(block.begin, '\n');
  for (const auto& line : base::split(block.content, '\n')) text += (line.empty() ? "" : "  " + line) + "\n";
  return text;
}

}  // namespace

base::Result<std::optional<InlineBlock>> find_inline_block(std::string_view text, const std::string& name) {
  const auto where = [&](std::size_t at) { return name + ":" + std::to_string(at + 1); };
  std::optional<InlineBlock> block;
  std::optional<std::size_t> unclosed;
  const auto lines = lines_of(text);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    if (lines[at] != k_begin) continue;
    // The last end within the comment counts: "# ///" may be a line of the content.
    std::size_t end = 0;
    for (std::size_t next = at + 1; next < lines.size() && is_comment(lines[next]); ++next) {
      if (lines[next] == k_end) end = next;
    }
    if (end == 0) {
      unclosed = unclosed.value_or(at);
      continue;
    }
    if (block) {
      return base::fail(ErrorKind::bad_input, where(at), "has a second block \"# /// script\"",
                        "keep one of them");
    }
    block.emplace(InlineBlock{"", at + 1});
    for (std::size_t line = at + 1; line < end; ++line) {
      block->content += lines[line].size() > 1 ? lines[line].substr(2) : "";
      block->content += '\n';
    }
    at = end;
  }
  if (!block && unclosed) {
    return base::fail(
        ErrorKind::bad_input, where(*unclosed), "the block \"# /// script\" has no end",
        "end it with the line # ///; each line in between must be # alone or begin with # and a space");
  }
  return block;
}

base::Result<std::optional<InlineMetadata>> read_inline_metadata(const base::fs::path& file,
                                                                 const std::string& name) {
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(file));
  BASE_TRY_ASSIGN(const auto block, find_inline_block(text, name));
  std::optional<InlineMetadata> metadata;
  if (!block) return metadata;
  BASE_TRY_ASSIGN(const data::Value alone, data::parse_toml(in_place(*block), name));
  for (const auto& [key, value] : alone.members) {
    if (key == "dependencies" || key == "requires-python" || key == "tool") continue;
    return base::fail(ErrorKind::bad_input, name + ":" + std::to_string(value.key_line),
                      "\"" + key + "\" is not a field of inline metadata",
                      "its fields are dependencies, requires-python and tool");
  }
  metadata.emplace();
  metadata->project = k_project_header + block->content;
  BASE_TRY_ASSIGN(metadata->value, data::parse_toml(metadata->project, name));
  return metadata;
}

}  // namespace builder::python
