// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/left_out.h"

#include <algorithm>
#include <iterator>

#include "base/relative_path.h"
#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/source/source.h"

namespace commands {
namespace {

bool is_folder(const std::string& path) { return path.ends_with('/'); }

// Whether `path` is `part`, or ends with it behind a `separator`.
bool ends_with_parts(std::string_view path, std::string_view part, char separator) {
  if (part.empty() || !path.ends_with(part)) return false;
  return path.size() == part.size() || path[path.size() - part.size() - 1] == separator;
}

// The module that a file or folder is, from the top of the source: "pkg.names".
std::string module_of(const std::string& path) {
  constexpr std::string_view k_ending = ".py";
  std::string module = path;
  if (is_folder(path)) {
    module.pop_back();
  } else if (module.ends_with(k_ending)) {
    module.resize(module.size() - k_ending.size());
  } else {
    return {};
  }
  std::replace(module.begin(), module.end(), '/', '.');
  return module;
}

// What stands between `before` and the next `after`, at each place.
std::vector<std::string_view> texts_between(std::string_view log, std::string_view before,
                                            std::string_view after) {
  std::vector<std::string_view> found;
  for (auto at = log.find(before); at != std::string_view::npos; at = log.find(before, at)) {
    at += before.size();
    found.push_back(log.substr(at, log.find(after, at) - at));
  }
  return found;
}

// The top of the source need not be where modules are looked for: it may be "src".
bool is_among(const std::string& module, const std::vector<std::string_view>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return ends_with_parts(module, name, '.'); });
}

bool misses_module(std::string_view log, const std::string& path) {
  const std::string module = module_of(path);
  if (module.empty()) return false;
  const auto not_in = texts_between(log, "cannot import name '", "'");
  const std::string last = module.substr(module.rfind('.') + 1);
  return is_among(module, texts_between(log, "No module named '", "'")) ||
         std::find(not_in.begin(), not_in.end(), last) != not_in.end();
}

// "no required module provides package example.com/counter/gen"
bool misses_package(std::string_view log, const std::string& path) {
  const std::string folder = is_folder(path) ? path.substr(0, path.size() - 1) : base::folder_of(path);
  if (folder.empty() || (!is_folder(path) && !path.ends_with(".go"))) return false;
  for (const auto& line : base::split(log, '\n')) {
    const auto package = line.find("package ");
    if (package == std::string::npos) continue;
    for (std::string word : base::words(line.substr(package))) {
      while (!word.empty() && base::contains(";:,", word.back())) word.pop_back();
      if (base::contains(word, '/') && ends_with_parts(word, folder, '/')) return true;
    }
  }
  return false;
}

std::string left_out_of(const std::string& folder) {
  return "left out of the source (" + folder + ") by .gitignore";
}

}  // namespace

std::string left_out_line(const std::string& folder, const std::vector<std::string>& paths) {
  if (paths.empty()) return {};
  const auto folders = static_cast<std::size_t>(std::count_if(paths.begin(), paths.end(), is_folder));
  const auto files = paths.size() - folders;
  std::vector<std::string> counts;
  if (files > 0) counts.push_back(base::count_of(files, "file"));
  if (folders > 0) counts.push_back(base::count_of(folders, "folder"));
  return left_out_of(folder) + ": " + base::join(counts, ", ") + " (pachbuild ignored lists " +
         (paths.size() == 1 ? "it)" : "them)");
}

std::optional<std::string> missed_path(const std::vector<std::string>& paths, std::string_view log) {
  const auto is_missed = [&](const std::string& path) {
    return base::contains(log, std::string(contract::k_source) + "/" + path) || misses_module(log, path) ||
           misses_package(log, path);
  };
  const auto found = std::find_if(paths.begin(), paths.end(), is_missed);
  if (found == paths.end()) return std::nullopt;
  return *found;
}

std::vector<std::string> missed_imports(const std::vector<std::string>& paths, std::string_view log) {
  const auto names = texts_between(log, ": imports ", ", which is not ");
  std::vector<std::string> missed;
  std::copy_if(paths.begin(), paths.end(), std::back_inserter(missed), [&](const std::string& path) {
    const std::string module = module_of(path);
    return !module.empty() && is_among(module, names);
  });
  return missed;
}

std::string missed_line(const std::string& folder, const std::string& path) {
  const auto ignore_file = base::join_path(folder == "." ? "" : folder, source::k_ignore_file);
  return path + " is " + left_out_of(folder) + "; if the program needs it, add the line !" + path + " to " +
         ignore_file;
}

}  // namespace commands
