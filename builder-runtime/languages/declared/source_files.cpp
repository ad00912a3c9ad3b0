// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/source_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <set>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/inside.h"
#include "base/parallel.h"
#include "base/relative_path.h"
#include "base/stop.h"
#include "base/text.h"
#include "base/unique_fd.h"

namespace builder::declared {
namespace {

using data::Value;
using ValueKind = Value::Kind;

constexpr std::size_t k_files_of_a_thread = 100;
constexpr std::size_t k_longest_first_line = 4096;
constexpr std::array<std::string_view, 3> k_of_version_control = {".git", ".hg", ".svn"};

class Listing {
 public:
  Listing(fs::path source, const FilePatterns& ignored) : m_source(std::move(source)), m_ignored(ignored) {}

  base::Status folder(const std::string& name) {
    struct stat status{};
    const fs::path path = name.empty() ? m_source : m_source / name;
    if (::stat(path.c_str(), &status) != 0)
      return base::fail(base::system_error("read", path.string(), errno));
    // A folder that holds itself by a link is read once.
    if (!m_open.emplace(status.st_dev, status.st_ino).second) return {};
    boost::system::error_code error;
    for (fs::directory_iterator entry(path, error), end; entry != end; entry.increment(error)) {
      BASE_TRY(base::check_stop());
      BASE_TRY(entry_of(base::join_path(name, entry->path().filename().string())));
    }
    if (error) return base::fail(base::system_error("read", path.string(), error.value()));
    m_open.erase({status.st_dev, status.st_ino});
    return {};
  }

  std::vector<SourceFile> take() {
    std::sort(m_files.begin(), m_files.end(),
              [](const SourceFile& a, const SourceFile& b) { return a.name < b.name; });
    return std::move(m_files);
  }

 private:
  base::Status entry_of(const std::string& name) {
    if (is_ignored(name)) return {};
    const fs::path path = m_source / name;
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0)
      return base::fail(base::system_error("read", path.string(), errno));
    if (S_ISLNK(status.st_mode)) {
      if (m_root.empty()) m_root = base::resolved_path(m_source);
      BASE_TRY_ASSIGN(const auto outside, base::target_outside(m_root, path));
      if (!outside.empty() || ::stat(path.c_str(), &status) != 0) return {};  // or a link to nowhere
    }
    if (S_ISDIR(status.st_mode)) return folder(name);
    if (!S_ISREG(status.st_mode))
      return base::fail(base::ErrorKind::bad_input, path.string(), "is neither a file nor a folder");
    m_files.push_back({name, (status.st_mode & S_IXUSR) != 0});
    return {};
  }

  [[nodiscard]] bool is_ignored(const std::string& name) const {
    const std::string last = base::name_of(name);
    if (std::find(k_of_version_control.begin(), k_of_version_control.end(), last) !=
        k_of_version_control.end())
      return true;
    return std::any_of(m_ignored.begin(), m_ignored.end(), [&](const FilePattern& pattern) {
      return pattern.matches(base::contains(pattern.text(), '/') ? name : last, [] { return std::string(); });
    });
  }

  fs::path m_source;
  fs::path m_root;  // the source without links; once it is needed
  const FilePatterns& m_ignored;
  std::set<std::pair<dev_t, ino_t>> m_open;
  std::vector<SourceFile> m_files;
};

// `most` bytes at most, of a regular file.
base::Result<std::string> read_beginning(const fs::path& path, std::size_t most) {
  const base::UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file) return base::fail(base::system_error("read", path.string(), errno));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return base::fail(base::system_error("read", path.string(), errno));
  std::string text(std::min(most, static_cast<std::size_t>(status.st_size)), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto count = ::read(file.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(base::system_error("read", path.string(), errno));
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  return text;
}

bool says_something(const Value& value) {
  switch (value.kind) {
    case ValueKind::absent:
      return false;
    case ValueKind::text:
      return !value.scalar.empty();
    case ValueKind::number:
      return true;
    case ValueKind::boolean:
      return value.is_true();
    case ValueKind::array:
      return !value.items.empty();
    case ValueKind::table:
      return !value.members.empty();
  }
  return false;
}

}  // namespace

base::Result<SourceFiles> SourceFiles::list(const fs::path& source, const FilePatterns& ignored) {
  SourceFiles files(source);
  Listing listing(source, ignored);
  BASE_TRY(listing.folder(""));
  files.m_files = listing.take();
  return files;
}

SourceFiles SourceFiles::with(std::vector<SourceFile> files) const {
  SourceFiles some = *this;
  some.m_files = std::move(files);
  return some;
}

bool SourceFiles::has(const std::string& name) const {
  return std::binary_search(m_files.begin(), m_files.end(), SourceFile{name},
                            [](const SourceFile& a, const SourceFile& b) { return a.name < b.name; });
}

std::vector<SourceFile> SourceFiles::matching(const FilePatterns& patterns) const {
  std::vector<SourceFile> found;
  std::copy_if(m_files.begin(), m_files.end(), std::back_inserter(found), [&](const SourceFile& file) {
    return any_matches(patterns, file.name, [&] { return first_line_of(file.name); });
  });
  return found;
}

std::vector<SourceFile> SourceFiles::matching(const FilePattern& pattern) const {
  if (!pattern.is_plain()) return matching(FilePatterns{pattern});
  const auto name = base::clean_path(pattern.text());
  const auto found =
      std::lower_bound(m_files.begin(), m_files.end(), name,
                       [](const SourceFile& file, const std::string& text) { return file.name < text; });
  if (found == m_files.end() || found->name != name) return {};
  return {*found};
}

base::Result<std::string> SourceFiles::beginning_of(const std::string& name) const {
  return read_beginning(path_of(name), k_looked_at);
}

std::string SourceFiles::first_line_of(const std::string& name) const {
  const auto known = m_known->first_lines.find(name);
  if (known != m_known->first_lines.end()) return known->second;
  return m_known->first_lines.emplace(name, first_line_of_file(path_of(name))).first->second;
}

base::Result<Value> SourceFiles::value_of(const Reference& reference) const {
  const auto name = base::clean_path(reference.files.text());
  if (!has(name)) return Value();
  auto known = m_known->manifests.find(name);
  if (known == m_known->manifests.end()) {
    BASE_TRY_ASSIGN(auto file, data::read_either(path_of(name), name));
    known = m_known->manifests.emplace(name, std::move(file)).first;
  }
  return value_at(known->second, reference.pointer);
}

base::Result<bool> SourceFiles::has(const Reference& reference) const {
  if (!reference.is_value) return !matching(reference.files).empty();
  BASE_TRY_ASSIGN(const auto value, value_of(reference));
  return says_something(value);
}

base::Result<bool> SourceFiles::has_any(const References& references) const {
  for (const auto& reference : references) {
    BASE_TRY_ASSIGN(const bool is_there, has(reference));
    if (is_there) return true;
  }
  return false;
}

base::Result<std::map<std::string, std::string>> SourceFiles::digests_of(
    const std::vector<SourceFile>& files) const {
  std::vector<std::string> unknown;
  for (const auto& file : files) {
    if (!m_known->digests.contains(file.name)) unknown.push_back(file.name);
  }
  std::vector<std::string> digests(unknown.size());
  BASE_TRY(base::in_parallel(
      unknown.size(),
      [&](std::size_t i) -> base::Status {
        BASE_TRY_ASSIGN(digests[i], base::sha256_of_file(path_of(unknown[i]).string()));
        return {};
      },
      k_files_of_a_thread));
  for (std::size_t i = 0; i < unknown.size(); ++i) m_known->digests[unknown[i]] = digests[i];
  std::map<std::string, std::string> all;
  for (const auto& file : files) all[file.name] = m_known->digests[file.name];
  return all;
}

std::string first_line_of_file(const fs::path& path) {
  // A carriage return belongs to the line's end here, whatever the kernel thinks of it.
  return base::first_line(read_beginning(path, k_longest_first_line).value_or(""));
}

std::string digest_of_files(const std::vector<SourceFile>& files,
                            const std::map<std::string, std::string>& digests) {
  base::Sha256 whole;
  for (const auto& file : files) {
    for (const std::string_view field :
         {std::string_view(file.name), std::string_view(file.is_executable ? "x" : "-"),
          std::string_view(digests.at(file.name))})
      whole.update_field(field);
  }
  return whole.finish();
}

std::string canonical_text(const Value& value) {
  std::vector<std::string> parts;
  switch (value.kind) {
    case ValueKind::array:
      for (const auto& item : value.items) parts.push_back(canonical_text(item));
      return "[" + base::join(parts, ",") + "]";
    case ValueKind::table:
      for (const auto& [key, member] : value.members)
        parts.push_back(base::to_hex(key) + ":" + canonical_text(member));
      std::sort(parts.begin(), parts.end());
      return "{" + base::join(parts, ",") + "}";
    case ValueKind::text:
      return "t" + base::to_hex(value.scalar);
    default:
      return value.scalar;
  }
}

}  // namespace builder::declared
