// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/source/git_ignore.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "base/relative_path.h"
#include "base/text.h"
#include "pachbuild/source/source.h"
#include "revision/tracked_files.h"

namespace source {
namespace {

namespace fs = base::fs;

// Blanks at the end do not count, unless the last one is escaped.
std::string_view without_blanks_at_end(std::string_view line) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\\') {
      if (++i == line.size()) return line;
      end = i + 1;
    } else if (line[i] != ' ') {
      end = i + 1;
    }
  }
  return line.substr(0, end);
}

std::optional<GitIgnore::Line> parse_line(std::string_view text, std::size_t number) {
  if (text.empty() || text.starts_with('#')) return std::nullopt;
  if (text.ends_with('\r')) text.remove_suffix(1);
  text = without_blanks_at_end(text.substr(0, text.find('\0')));
  std::string_view pattern = text;
  const bool takes_back = pattern.starts_with('!');
  if (takes_back) pattern.remove_prefix(1);
  const bool folders_only = pattern.ends_with('/');
  if (folders_only) pattern.remove_suffix(1);
  const bool of_names = !base::contains(pattern, '/');
  if (pattern.starts_with('/')) pattern.remove_prefix(1);
  if (pattern.empty()) return std::nullopt;
  auto glob = glob::Glob::compile_git(pattern);
  if (!glob) return std::nullopt;
  return GitIgnore::Line{std::move(*glob), of_names, folders_only, takes_back, number, std::string(text)};
}

// Nothing where there is none that git would read: it follows no link here.
std::string read_lines(const fs::path& file) {
  struct stat status{};
  if (::lstat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  return base::read_input_file(file).value_or("");
}

GitIgnore::Match match_in(const GitIgnore::Files& files, const std::string& path, bool is_folder) {
  const std::string name = base::name_of(path);
  for (const auto* file = files.get(); file != nullptr; file = file->above.get()) {
    const auto below = path.substr(file->folder.size());
    for (auto line = file->lines.rbegin(); line != file->lines.rend(); ++line) {
      if (line->folders_only && !is_folder) continue;
      if (line->glob.matches(line->of_names ? name : below)) return {file, &*line};
    }
  }
  return {};
}

GitIgnore::Files with_file(const fs::path& folder, const std::string& below_top, const std::string& shown,
                           const GitIgnore::Files& above) {
  auto lines = GitIgnore::parse(read_lines(folder / k_git_ignore_file));
  if (lines.empty()) return above;
  return std::make_shared<const GitIgnore::File>(
      GitIgnore::File{above, below_top, shown + k_git_ignore_file, std::move(lines)});
}

}  // namespace

std::vector<GitIgnore::Line> GitIgnore::parse(std::string_view text) {
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
  std::vector<Line> lines;
  std::size_t number = 0;
  for (const std::string& each : base::split(text, '\n')) {
    if (auto line = parse_line(each, ++number)) lines.push_back(std::move(*line));
  }
  return lines;
}

GitIgnore GitIgnore::of(const fs::path& folder) {
  GitIgnore ignore;
  ignore.m_folder = folder;
  const auto top = revision::repository_top(folder);
  if (!top || *top == folder) return ignore;
  const std::string below_top = folder.lexically_relative(*top).string();
  ignore.m_prefix = below_top + "/";
  Files files;
  std::string up;
  for (auto left = std::count(below_top.begin(), below_top.end(), '/') + 1; left > 0; --left) up += "../";
  std::string above;  // the folder whose file is read
  for (const auto& name : base::split(below_top, '/')) {
    files = with_file(*top / above, above, up, files);
    above += name;
    const auto found = match_in(files, above, /*is_folder=*/true);
    if (found.line != nullptr && !found.line->takes_back) files = nullptr;
    above += '/';
    up.erase(0, 3);
  }
  ignore.m_above = std::move(files);
  return ignore;
}

GitIgnore::Files GitIgnore::entered(const std::string& folder, const Files& files) const {
  const std::string below = folder.empty() ? "" : folder + "/";
  return with_file(m_folder / folder, m_prefix + below, below, files);
}

GitIgnore::Match GitIgnore::match(const std::string& path, bool is_folder, const Files& files) const {
  return match_in(files, m_prefix + path, is_folder);
}

const std::vector<std::string>& GitIgnore::tracked() const {
  if (!m_tracked) m_tracked = revision::tracked_files(m_folder);
  return *m_tracked;
}

bool GitIgnore::tracks_file(const std::string& path) const {
  return std::binary_search(tracked().begin(), tracked().end(), m_prefix + path);
}

bool GitIgnore::tracks_in(const std::string& folder) const {
  const std::string prefix = m_prefix + folder + "/";
  const auto next = std::lower_bound(tracked().begin(), tracked().end(), prefix);
  return next != tracked().end() && next->starts_with(prefix);
}

}  // namespace source
