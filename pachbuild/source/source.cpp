// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/source/source.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <string_view>

#include "base/digest.h"
#include "base/errors.h"
#include "base/relative_path.h"
#include "base/stop.h"
#include "base/text.h"
#include "contract/layout.h"
#include "contract/pfs_names.h"
#include "pachbuild/source/ignore.h"

namespace source {
namespace {

using base::ErrorKind;
namespace fs = base::fs;

constexpr char k_or_ignore[] = ", or list it in .pachignore";

base::Error bad_input(base::Error error) {
  error.kind = ErrorKind::bad_input;
  return error;
}

base::Error unreadable(const fs::path& path, int error_number) {
  return bad_input(base::system_error("read", path.string(), error_number));
}

Decision decision_of(const IgnoreRules& rules, const IgnoreRules::Verdict& verdict) {
  const auto origin = rules.origin_of(verdict);
  return {rules.leaves_out(verdict), origin.text, origin.file, origin.line, verdict.is_tracked};
}

class Lister {
 public:
  Lister(const fs::path& folder, std::uint64_t largest_file, IgnoreRules::Reading reading,
         Exclusion exclusion = {})
      : m_folder(folder),
        m_largest_file(largest_file),
        m_reading(std::move(reading)),
        m_exclusion(std::move(exclusion)) {}

  base::Result<Source> list() {
    BASE_TRY(look());
    check_names();
    if (!m_faults.none()) return base::fail(m_faults.take());
    if (m_files.empty())
      return base::fail(ErrorKind::bad_input, m_folder.string(), "has no source files", hint());
    std::sort(m_files.begin(), m_files.end(),
              [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
    std::sort(m_empty_folders.begin(), m_empty_folders.end());
    return Source{std::move(m_files), std::move(m_empty_folders), std::move(m_left_out), nullptr};
  }

  base::Result<std::vector<LeftOut>> list_left_out() {
    BASE_TRY(look());
    return std::move(m_left_out);
  }

 private:
  base::Status look() {
    boost::system::error_code error;
    m_real_folder = fs::canonical(m_folder, error);
    if (error) return base::fail(unreadable(m_folder, error.value()));
    if (m_real_folder == m_real_folder.root_path()) {
      return base::fail(ErrorKind::bad_input, m_folder.string(), "is the root folder of this machine",
                        "name the source folder");
    }
    BASE_TRY_ASSIGN(m_rules, IgnoreRules::read(m_folder, m_reading));
    BASE_TRY(walk("", m_rules.judge_top()));
    std::sort(m_left_out.begin(), m_left_out.end(),
              [](const LeftOut& a, const LeftOut& b) { return a.path < b.path; });
    return {};
  }

  // `below` is empty or ends with a '/'.
  base::Status walk(const std::string& below, const IgnoreRules::Verdict& verdict) {
    const fs::path folder = m_folder / below;
    boost::system::error_code error;
    fs::directory_iterator entry(folder, error);
    if (!error && entry == fs::directory_iterator() && !below.empty()) m_empty_folders.push_back(below);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
      BASE_TRY(base::check_stop());
      auto visited = visit(*entry, below + entry->path().filename().string(), verdict);
      if (!visited) m_faults.add(std::move(visited).error());
      // A stop is no fault of the source.
      BASE_TRY(base::check_stop());
    }
    if (error) return base::fail(unreadable(folder, error.value()));
    return {};
  }

  base::Status visit(const fs::directory_entry& entry, const std::string& path,
                     const IgnoreRules::Verdict& parent) {
    boost::system::error_code error;
    const fs::file_type type = entry.symlink_status(error).type();
    if (type == fs::directory_file) {
      if (m_exclusion.of_folder && m_exclusion.of_folder(path)) return {};
      const IgnoreRules::Verdict verdict = m_rules.judge_folder(path, parent);
      if (!m_rules.leaves_out_all(path, verdict)) return walk(path + "/", verdict);
      m_left_out.push_back({path + "/", decision_of(m_rules, verdict)});
      return {};
    }
    const IgnoreRules::Verdict verdict = m_rules.judge_file(path, parent);
    if (m_rules.leaves_out(verdict)) {
      m_left_out.push_back({path, decision_of(m_rules, verdict)});
      return {};
    }
    if (m_exclusion.of_file && m_exclusion.of_file(path)) return {};
    fs::path file = entry.path();
    if (type == fs::symlink_file) {
      BASE_TRY_ASSIGN(file, resolve_link(entry.path()));
    } else if (type != fs::regular_file) {
      return fail(entry.path(), "is neither a file nor a folder", "remove it");
    }
    if (::euidaccess(file.c_str(), R_OK) != 0) return base::fail(unreadable(entry.path(), errno));
    if (const auto bytes = fs::file_size(file, error); !error && bytes > m_largest_file) {
      return base::fail(
          ErrorKind::bad_input, entry.path().string(),
          "is " + base::format_bytes(bytes) + "; the limit is " + base::format_bytes(m_largest_file),
          "list it in .pachignore, or raise --max-file-size");
    }
    m_files.push_back({path, std::move(file)});
    return {};
  }

  [[nodiscard]] std::string hint() const {
    const bool is_by_git = std::any_of(m_left_out.begin(), m_left_out.end(),
                                       [](const LeftOut& each) { return each.why.is_by_git(); });
    if (is_by_git) {
      return "a .gitignore leaves files out: pachbuild ignored lists them, and .pachignore takes them back "
             "(!NAME)";
    }
    return m_left_out.empty() ? "" : "pachbuild ignored lists what is left out";
  }

  // PFS has no links: what one leads to is copied, which must be part of the source.
  base::Result<fs::path> resolve_link(const fs::path& link) {
    boost::system::error_code error;
    const fs::path target = fs::canonical(link, error);
    if (error) {
      return fail(link, base::broken_link(link.string()).value_or("is a broken symbolic link"), "remove it");
    }
    const auto [rest, ignored] =
        std::mismatch(m_real_folder.begin(), m_real_folder.end(), target.begin(), target.end());
    if (rest != m_real_folder.end()) {
      return fail(link, "is a symbolic link to " + target.string() + ", outside the source",
                  "replace it with a copy");
    }
    const fs::file_type type = fs::status(target, error).type();
    if (type == fs::directory_file) {
      return fail(link, "is a symbolic link to a folder", "replace it with a copy");
    }
    if (type != fs::regular_file)
      return fail(link, "is a symbolic link to something that is not a file", "remove it");
    return target;
  }

  static tl::unexpected<base::Error> fail(const fs::path& path, const std::string& what,
                                          const std::string& hint) {
    return base::fail(ErrorKind::bad_input, path.string(), what, hint + k_or_ignore);
  }

  void check_names() {
    std::vector<std::string> wrong;
    for (const SourceFile& file : m_files) {
      if (!contract::can_be_stored_in_pfs(file.path)) wrong.push_back(file.path);
    }
    if (wrong.empty()) return;
    m_faults.add(contract::names_fault(m_folder.string(), std::move(wrong),
                                       "rename them, or list them in .pachignore"));
  }

  fs::path m_folder;
  std::uint64_t m_largest_file;
  IgnoreRules::Reading m_reading;
  Exclusion m_exclusion;
  base::Errors m_faults;
  fs::path m_real_folder;
  IgnoreRules m_rules;
  std::vector<SourceFile> m_files;
  std::vector<std::string> m_empty_folders;
  std::vector<LeftOut> m_left_out;
};

}  // namespace

bool Decision::is_by_git() const { return is_left_out && !file.empty() && file != k_ignore_file; }

base::Result<Source> read_source(const fs::path& folder, std::uint64_t largest_file,
                                 const std::vector<fs::path>& data) {
  return Lister(folder, largest_file, {.data = data}).list();
}

base::Result<Source> read_source(const spec::Build& build) {
  return read_source(build.folder, build.largest_file.value_or(k_largest_file), build.data);
}

base::Result<std::vector<LeftOut>> list_left_out(const fs::path& folder, const std::vector<fs::path>& data) {
  return Lister(folder, k_largest_file, {.data = data}).list_left_out();
}

std::vector<std::string> left_out_by_git(const Source& source) {
  std::vector<std::string> paths;
  for (const auto& [path, why] : source.left_out) {
    if (why.is_by_git()) paths.push_back(path);
  }
  return paths;
}

base::Result<Source> read_source(const fs::path& folder, const Exclusion& exclusion) {
  return Lister(folder, k_largest_file, {.git = IgnoreRules::Git::is_not_asked}, exclusion).list();
}

base::Result<std::vector<SourceFile>> list_source(const fs::path& folder) {
  BASE_TRY_ASSIGN(auto source, read_source(folder));
  return std::move(source.files);
}

base::Result<Decision> decide(const fs::path& folder, const std::string& path,
                              const std::vector<fs::path>& data) {
  BASE_TRY_ASSIGN(const IgnoreRules rules, IgnoreRules::read(folder, {.data = data}));
  IgnoreRules::Verdict verdict = rules.judge_top();
  for (const auto& above : base::folders_above(path)) verdict = rules.judge_folder(above, verdict);
  return decision_of(rules, rules.judge_file(path, verdict));
}

bool has_file(const std::vector<SourceFile>& files, const std::string& path) {
  return std::any_of(files.begin(), files.end(), [&](const auto& file) { return file.path == path; });
}

bool has_own_script(const std::vector<SourceFile>& files) {
  return has_file(files, contract::k_build_script) || has_file(files, contract::k_run_script);
}

base::Status copy_source(const std::vector<SourceFile>& files, const fs::path& destination) {
  constexpr mode_t k_folder_mode = 0700;
  constexpr mode_t k_file_mode = 0644;
  fs::path last_folder;
  for (const SourceFile& file : files) {
    const fs::path target = destination / file.path;
    if (target.parent_path() != last_folder) {
      last_folder = target.parent_path();
      BASE_TRY(base::make_folders(last_folder, k_folder_mode));
    }
    BASE_TRY(base::copy_regular_file(file.file, target, k_file_mode));
  }
  return {};
}

base::Result<std::map<std::string, std::string>> file_digests(const std::vector<SourceFile>& files) {
  std::map<std::string, std::string> digests;
  for (const SourceFile& file : files) {
    BASE_TRY_ASSIGN(digests[file.path], base::sha256_of_file(file.file.string()));
  }
  return digests;
}

std::string source_digest(const std::map<std::string, std::string>& digests) {
  base::Sha256 digest;
  for (const auto& [path, content] : digests) {
    digest.update_field(path);
    digest.update_field(content);
  }
  return digest.finish();
}

}  // namespace source
