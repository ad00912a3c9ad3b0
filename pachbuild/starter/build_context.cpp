// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/build_context.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>
#include <cerrno>

#include "base/errors.h"
#include "base/inside.h"
#include "base/near.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "contract/pfs_names.h"
#include "pachbuild/source/source.h"

namespace starter {
namespace {

using base::ErrorKind;
namespace fs = base::fs;

constexpr std::string_view k_wildcards = "*?[";
constexpr std::uint64_t k_largest_ignore_file = std::uint64_t{1} << 20;

// The pattern of Go's filepath.Match as a glob, in which more characters mean something.
std::string as_glob(std::string_view pattern) {
  std::string glob;
  for (const char character : pattern) {
    if (base::contains("{}()@+!|", character)) glob += '\\';
    glob += character;
  }
  return glob;
}

// "./a//b/" is "a/b". Nothing when it leads out of the context.
std::optional<std::string> clean(const std::string& path) {
  const auto begin = std::min(path.find_first_not_of('/'), path.size());
  if (!base::stays_inside(path.substr(begin))) return std::nullopt;
  return base::clean_path(path);
}

tl::unexpected<base::Error> outside(const std::string& where, const std::string& path) {
  return base::fail(ErrorKind::bad_input, where, base::quoted(path) + " is outside the build context",
                    "pass the build context with --context DIR");
}

tl::unexpected<base::Error> missing(const std::string& where, const std::string& path, const fs::path& file) {
  return base::fail(ErrorKind::bad_input, where, base::quoted(path) + " does not exist in the build context",
                    base::did_you_mean_file(file.string(), "pass the build context with --context DIR"));
}

}  // namespace

base::Result<DockerIgnore> DockerIgnore::read(const fs::path& folder, const fs::path& dockerfile) {
  for (const fs::path& file : {fs::path(dockerfile.string() + ".dockerignore"), folder / ".dockerignore"}) {
    struct stat status{};
    if (::lstat(file.c_str(), &status) != 0) {
      if (errno == ENOENT) continue;
      return base::fail(ErrorKind::bad_input, file.string(),
                        base::system_error("read", file.string(), errno).what);
    }
    auto text = base::read_input_file(file, k_largest_ignore_file);
    if (!text) {
      text.error().kind = ErrorKind::bad_input;
      return tl::unexpected<base::Error>(std::move(text).error());
    }
    return parse(*text, file.string());
  }
  return DockerIgnore();
}

base::Result<DockerIgnore> DockerIgnore::parse(std::string_view text, const std::string& where) {
  DockerIgnore ignore;
  std::size_t number = 0;
  for (const auto& line : base::split(text, '\n')) {
    ++number;
    std::string_view pattern = base::trim(line);
    if (pattern.empty() || pattern.starts_with('#')) continue;
    Rule rule;
    rule.takes_back = pattern.starts_with('!');
    if (rule.takes_back) pattern = base::trim(pattern.substr(1));
    const auto path = clean(std::string(pattern));
    if (!path || path->empty()) continue;
    // "**/" stands for no folder as well.
    std::string without_folders = *path;
    base::replace_all(without_folders, "**/", "");
    for (const auto& each : {*path, without_folders}) {
      auto glob = glob::Glob::compile(as_glob(each), glob::Separator::slash);
      if (!glob) {
        return base::fail(ErrorKind::bad_input, where + ":" + std::to_string(number),
                          base::quoted(line) + ": " + glob.error().what);
      }
      rule.globs.push_back(std::move(*glob));
    }
    ignore.m_takes_back = ignore.m_takes_back || rule.takes_back;
    ignore.m_rules.push_back(std::move(rule));
  }
  return ignore;
}

bool DockerIgnore::leaves_out(const std::string& path) const {
  auto paths = base::folders_above(path);
  paths.push_back(path);
  bool is_left_out = false;
  for (const auto& rule : m_rules) {
    const bool is_match = std::any_of(rule.globs.begin(), rule.globs.end(), [&](const glob::Glob& glob) {
      return std::any_of(paths.begin(), paths.end(), [&](const auto& each) { return glob.matches(each); });
    });
    if (is_match) is_left_out = !rule.takes_back;
  }
  return is_left_out;
}

bool DockerIgnore::leaves_out_all(const std::string& folder) const {
  return !m_takes_back && leaves_out(folder);
}

base::Result<BuildContext> BuildContext::open(const fs::path& folder, const fs::path& dockerfile) {
  boost::system::error_code error;
  auto real_folder = fs::canonical(folder, error);
  if (error) {
    return base::fail(ErrorKind::bad_input, folder.string(),
                      base::system_error("read", folder.string(), error.value()).what);
  }
  if (!fs::is_directory(real_folder, error))
    return base::fail(ErrorKind::bad_input, folder.string(), "is not a folder");
  BASE_TRY_ASSIGN(auto ignore, DockerIgnore::read(folder, dockerfile));
  return BuildContext(folder, std::move(real_folder), std::move(ignore));
}

base::Result<std::vector<std::string>> BuildContext::matches(const std::string& pattern,
                                                             const std::string& where) const {
  const auto path = clean(pattern);
  if (!path) return outside(where, pattern);
  std::vector<std::string> found = {""};
  for (const auto& part : path->empty() ? std::vector<std::string>() : base::split(*path, '/')) {
    std::vector<std::string> next;
    if (part.find_first_of(k_wildcards) == std::string::npos) {
      for (const auto& folder : found) next.push_back(base::join_path(folder, part));
    } else {
      auto glob = glob::Glob::compile(as_glob(part), glob::Separator::slash);
      if (!glob)
        return base::fail(ErrorKind::bad_input, where, base::quoted(pattern) + ": " + glob.error().what);
      for (const auto& folder : found) {
        // A link could lead anywhere.
        boost::system::error_code error;
        if (!folder.empty() && fs::symlink_status(m_folder / folder, error).type() != fs::directory_file)
          continue;
        for (fs::directory_iterator entry(m_folder / folder, error);
             !error && entry != fs::directory_iterator(); entry.increment(error)) {
          const std::string name = entry->path().filename().string();
          const std::string below = base::join_path(folder, name);
          if (glob->matches(name) && !m_ignore.leaves_out(below)) next.push_back(below);
        }
      }
    }
    found = std::move(next);
  }
  std::sort(found.begin(), found.end());
  if (found.empty()) return missing(where, pattern, m_folder / *path);
  return found;
}

base::Result<BuildContext::Entry> BuildContext::read(const std::string& path,
                                                     const std::string& where) const {
  const fs::path file = path.empty() ? m_folder : m_folder / path;
  boost::system::error_code error;
  const auto real = fs::canonical(file, error);
  if (error) return missing(where, path, file);
  if (!base::path_below(real, m_real_folder)) {
    return base::fail(
        ErrorKind::bad_input, where,
        base::quoted(path) + " is a symbolic link to " + real.string() + ", outside the build context",
        "replace it with a copy");
  }
  if (!path.empty() && m_ignore.leaves_out(path) && !fs::is_directory(real, error)) {
    return base::fail(ErrorKind::bad_input, where, base::quoted(path) + " is left out by .dockerignore");
  }
  Entry entry;
  if (!fs::is_directory(real, error)) {
    if (!fs::is_regular_file(real, error))
      return base::fail(ErrorKind::bad_input, where, base::quoted(path) + " is neither a file nor a folder");
    if (::euidaccess(real.c_str(), R_OK) != 0)
      return base::fail(ErrorKind::bad_input, where,
                        base::quoted(path) + ": " + base::system_error("read", path, errno).what);
    if (const auto bytes = fs::file_size(real, error); !error && bytes > source::k_largest_file) {
      return base::fail(ErrorKind::bad_input, where,
                        base::quoted(path) + " is " + base::format_bytes(bytes) + "; the limit is " +
                            base::format_bytes(source::k_largest_file),
                        "put it into a repo as data");
    }
    entry.files.push_back({"", real});
    return entry;
  }
  entry.is_folder = true;
  const auto below = [&](const std::string& name) { return base::join_path(path, name); };
  const source::Exclusion exclusion = {
      .of_file = [&](const std::string& name) { return m_ignore.leaves_out(below(name)); },
      .of_folder = [&](const std::string& name) { return m_ignore.leaves_out_all(below(name)); }};
  BASE_TRY_ASSIGN(auto source, source::read_source(file, exclusion));
  for (auto& each : source.files) entry.files.push_back({std::move(each.path), std::move(each.file)});
  return entry;
}

}  // namespace starter
