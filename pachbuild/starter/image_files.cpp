// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/image_files.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/relative_path.h"
#include "base/text.h"
#include "contract/layout.h"

namespace starter {
namespace {

using base::ErrorKind;

constexpr std::size_t k_most_files = 100'000;

// "/" and "/app" of "/app/x.py", the deepest last.
std::vector<std::string> folders_around(const std::string& path) {
  std::vector<std::string> folders = {"/"};
  for (const auto& folder : base::folders_above(path.substr(1))) folders.push_back("/" + folder);
  return folders;
}

std::string common_folder(const std::vector<std::string>& files) {
  std::string common = folders_around(files.front()).back();
  for (const auto& file : files) {
    while (!is_in_folder(file, common)) common = folders_around(common).back();
  }
  return common;
}

// What pachbuild itself looks for in a source.
bool is_taken(const std::string& path) {
  return path == contract::k_build_script || path == contract::k_run_script;
}

bool is_path_character(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || base::contains("._-/+@%~", character);
}

// Whether the slash at `start` begins a path, and does not go on with one, a variable or an address.
bool is_beginning_of_path(const std::string& text, std::size_t start) {
  return start == 0 || !(is_path_character(text[start - 1]) || base::contains("$}:", text[start - 1]));
}

}  // namespace

std::string image_path(const std::string& folder, const std::string& path) {
  return "/" + base::clean_path(path.starts_with('/') ? path : folder + "/" + path);
}

bool is_in_folder(const std::string& path, const std::string& folder) {
  return folder == "/" || base::is_at_or_below(path, folder);
}

std::string path_in_folder(const std::string& path, const std::string& folder) {
  if (path == folder) return "";
  return path.substr(folder == "/" ? 1 : folder.size() + 1);
}

std::string with_path_replaced(const std::string& text, const std::string& path,
                               const std::string& replacement) {
  std::string result;
  std::size_t at = 0;
  for (auto start = text.find(path); start != std::string::npos;
       start = text.find(path, start + path.size())) {
    const std::size_t end = start + path.size();
    const bool is_whole =
        is_beginning_of_path(text, start) && (end == text.size() || !is_path_character(text[end]));
    if (!is_whole) continue;
    result += text.substr(at, start - at) + replacement;
    at = end;
  }
  return result + text.substr(at);
}

base::Status ImageFiles::add(const BuildContext::Entry& entry, const std::string& name,
                             const std::string& target, bool into_folder, const std::string& where) {
  for (const auto& [path, file] : entry.files) {
    const std::string behind = entry.is_folder ? path : (into_folder ? name : "");
    m_files[behind.empty() ? target : image_path(target, behind)] = file;
  }
  if (m_files.size() <= k_most_files) return {};
  return base::fail(ErrorKind::bad_input, where,
                    "copies more than " + base::format_number(k_most_files) + " files",
                    "name folders that the program does not need in .dockerignore");
}

BuildContext::Entry ImageFiles::entry(const std::string& path) const {
  BuildContext::Entry found;
  if (const auto file = m_files.find(path); file != m_files.end()) {
    found.files.push_back({"", file->second});
    return found;
  }
  found.is_folder = true;
  const std::string start = path == "/" ? path : path + "/";
  for (auto file = m_files.lower_bound(start); file != m_files.end() && file->first.starts_with(start);
       ++file)
    found.files.push_back({file->first.substr(start.size()), file->second});
  return found;
}

bool ImageFiles::has_folder(const std::string& path) const {
  if (path == "/" || m_folders.contains(path)) return true;
  const auto next = m_files.lower_bound(path + "/");
  return next != m_files.end() && next->first.starts_with(path + "/");
}

SourceLayout::SourceLayout(const ImageFiles& image, const std::string& working_folder,
                           const std::set<std::string>& listed)
    : m_files(image.files()) {
  std::vector<std::string> program;
  for (const auto& [path, file] : m_files) {
    if (!listed.contains(path)) program.push_back(path);
  }
  if (program.empty()) {
    for (const auto& [path, file] : m_files) program.push_back(path);
  }
  if (program.empty()) return;
  const bool is_all_in = working_folder != "/" &&
                         std::all_of(program.begin(), program.end(),
                                     [&](const auto& path) { return is_in_folder(path, working_folder); });
  m_root = is_all_in ? working_folder : common_folder(program);
  // One folder higher they have other names, and stay where they are to each other.
  const auto has_taken = [&](const std::string& root) {
    return std::any_of(m_files.begin(), m_files.end(), [&](const auto& each) {
      return is_in_folder(each.first, root) && is_taken(path_in_folder(each.first, root));
    });
  };
  while (m_root != "/" && has_taken(m_root)) m_root = folders_around(m_root).back();
  std::set<std::string> names;
  for (const auto& [path, file] : m_files) {
    if (!is_in_folder(path, m_root)) continue;
    std::string name = path_in_folder(path, m_root);
    if (is_taken(name)) {
      name = "image-" + name;
      m_renamed[path] = name;
    }
    names.insert(name);
    m_source_paths[path] = name;
    for (const auto& folder : folders_around(path)) {
      if (is_in_folder(folder, m_root) && folder != "/")
        m_source_paths[folder] = path_in_folder(folder, m_root);
    }
  }
  // Lists of requirements come along from wherever they were.
  for (const auto& [path, file] : m_files) {
    if (m_source_paths.contains(path)) continue;
    std::string name = base::name_of(path);
    while (!names.insert(name).second) name = "image-" + name;
    m_source_paths[path] = name;
  }
}

std::optional<std::string> SourceLayout::source_path(const std::string& path) const {
  const auto found = m_source_paths.find(path);
  if (found != m_source_paths.end()) return found->second;
  return std::nullopt;
}

std::map<std::string, base::fs::path> SourceLayout::files() const {
  std::map<std::string, base::fs::path> files;
  for (const auto& [path, file] : m_files) files[m_source_paths.at(path)] = file;
  return files;
}

std::optional<SourceLayout::Found> SourceLayout::find_path(const std::string& text, std::size_t from) const {
  for (std::size_t start = text.find('/', from); start != std::string::npos;) {
    std::size_t end = start;
    while (end < text.size() && is_path_character(text[end])) ++end;
    const bool is_whole = is_beginning_of_path(text, start);
    // PATH-like lists have colons, and so do addresses.
    const bool is_in_list = start > 0 && text[start - 1] == ':' && text.compare(start, 2, "//") != 0;
    if (is_whole || is_in_list) {
      std::size_t length = end - start;
      while (length > 1 && base::contains("/.", text[start + length - 1])) --length;
      const auto found = source_path(text.substr(start, length));
      if (found) return Found{start, length, *found};
    }
    start = text.find('/', end);
  }
  return std::nullopt;
}

std::string SourceLayout::with_source_paths(const std::string& text) const {
  std::string result;
  std::size_t at = 0;
  while (const auto found = find_path(text, at)) {
    result += text.substr(at, found->start - at) + contract::k_source;
    if (!found->source_path.empty()) result += "/" + found->source_path;
    at = found->start + found->length;
  }
  return result + text.substr(at);
}

std::string SourceLayout::first_path_in(const std::string& text) const {
  const auto found = find_path(text, 0);
  return found ? text.substr(found->start, found->length) : "";
}

}  // namespace starter
