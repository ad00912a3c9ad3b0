// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/silence.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cctype>

#include "base/inside.h"
#include "base/stop.h"
#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/spec/input.h"

namespace local {
namespace {

namespace fs = base::fs;

constexpr std::string_view k_folder = "/pfs/";
constexpr std::uint64_t k_largest_file = std::uint64_t{1} << 20;
constexpr std::uint64_t k_most_bytes = std::uint64_t{32} << 20;

bool is_of_name(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_' || character == '-';
}

// The name that follows /pfs/; empty: none that is written out.
std::string_view name_at(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_of_name(text[length])) ++length;
  // "/pfs/$name", "/pfs/%s", "/pfs/in*"
  const bool goes_on = length < text.size() && base::contains("$%{*?<", text[length]);
  return goes_on ? std::string_view() : text.substr(0, length);
}

// Whether what stands before an input's path takes it as it is, a link: `find /pfs/in`,
// filepath.Walk("/pfs/in".
bool keeps_link(std::string_view before, std::string_view after) {
  if (after.starts_with('/')) return false;
  while (!before.empty() && (before.back() == '"' || before.back() == '\'' || before.back() == '`'))
    before.remove_suffix(1);
  for (const std::string_view call : {"filepath.Walk(", "filepath.WalkDir("}) {
    if (before.ends_with(call)) return true;
  }
  if (!before.ends_with(' ')) return false;
  const auto word = base::trim(before);
  return word == "find" || (word.ends_with("find") && !is_of_name(word[word.size() - 5]));
}

std::string joined_paths(const std::vector<std::string>& inputs) {
  std::vector<std::string> paths;
  for (const auto& input : inputs) paths.push_back(std::string(k_folder) + input);
  return base::join(paths, ", ");
}

}  // namespace

std::optional<std::string> explain_silence(std::string_view text, const std::string& shown,
                                           const std::vector<std::string>& inputs) {
  std::size_t line = 1;
  std::size_t counted = 0;
  for (auto at = text.find(k_folder); at != std::string_view::npos; at = text.find(k_folder, at + 1)) {
    line += static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                                                text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted = at;
    const auto name = name_at(text.substr(at + k_folder.size()));
    if (name.empty() || (at > 0 && is_of_name(text[at - 1]))) continue;
    const std::string path = std::string(k_folder) + std::string(name);
    const std::string place = shown + (shown.ends_with(':') ? "" : ":" + std::to_string(line));
    const bool is_input = std::find(inputs.begin(), inputs.end(), name) != inputs.end();
    if (!is_input && path != contract::k_out && path != contract::k_source && path != contract::k_build)
      return place + " names " + path + ", which does not exist; the inputs are " + joined_paths(inputs);
    const auto before = text.substr(0, at);
    const auto begin = before.rfind('\n') + 1;
    if (is_input && keeps_link(before.substr(begin), text.substr(at + path.size())))
      return place + " does not follow the link " + path + "; write " + path + "/";
  }
  return std::nullopt;
}

std::optional<std::string> explain_silence(const spec::PipelineSpec& spec, const fs::path& source) {
  std::vector<std::string> inputs;
  for (const auto* input : spec::repo_inputs(spec.input)) inputs.push_back(input->name);
  const auto& transform = spec.transform;
  const std::string words = base::join(transform.cmd, "\n") + "\n" + base::join(transform.stdin_lines, "\n");
  if (auto found = explain_silence(words, spec.places.where("/transform") + ":", inputs)) return found;
  std::uint64_t read = 0;
  boost::system::error_code error;
  std::vector<fs::path> files;
  if (source.empty()) return std::nullopt;
  const auto current = fs::current_path(error);
  const auto folder = fs::absolute(transform.build.folder).lexically_normal();
  for (fs::recursive_directory_iterator entry(source, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->symlink_status().type() == fs::regular_file) files.push_back(entry->path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const auto size = fs::file_size(file, error);
    if (error || size > k_largest_file || !base::check_stop()) continue;
    read += size;
    if (read > k_most_bytes) return std::nullopt;
    const auto text = base::read_file(file);
    // Documents name what they like.
    const auto kind = file.extension();
    if (!text || base::contains(*text, '\0') || kind == ".md" || kind == ".rst" || kind == ".txt") continue;
    const auto own = folder / file.lexically_relative(source);
    const auto shown = base::path_below(own, current).value_or(own);
    if (auto found = explain_silence(*text, shown.string(), inputs)) return found;
  }
  return std::nullopt;
}

}  // namespace local
