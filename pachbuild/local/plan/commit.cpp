// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/commit.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/digest.h"
#include "base/errors.h"
#include "base/relative_path.h"
#include "contract/pfs_names.h"
#include "pachbuild/local/plan/tree.h"

namespace local {

std::string Commit::digest_of(const Range& range) const {
  base::Sha256 sum;
  for (auto i = range.begin; i < range.end; ++i) {
    sum.update_field(files[i].path);
    sum.update_field(files[i].digest);
  }
  return sum.finish();
}

std::string Commit::listing_of(const Range& range) const {
  base::Sha256 sum;
  for (auto i = range.begin; i < range.end; ++i) sum.update_field(files[i].path);
  return sum.finish();
}

std::uint64_t Commit::bytes_of(const Range& range) const {
  std::uint64_t bytes = 0;
  for (auto i = range.begin; i < range.end; ++i) bytes += files[i].size;
  return bytes;
}

std::map<std::string, Commit::Range> Commit::paths() const {
  std::map<std::string, Range> all_paths;
  all_paths[""] = all();
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (const auto& above : base::folders_above(files[i].path)) {
      all_paths.try_emplace(above, Range{i, i}).first->second.end = i + 1;
    }
    all_paths[files[i].path] = {i, i + 1};
  }
  return all_paths;
}

std::string Commit::changed_file(const Range& range) const {
  if (is_ours) return "";
  for (auto i = range.begin; i < range.end; ++i) {
    struct stat status{};
    const bool same = ::stat(base::join_path(folder, files[i].path).c_str(), &status) == 0 &&
                      FileIdentity::of(status) == files[i].identity;
    if (!same) return files[i].path;
  }
  return "";
}

base::Result<Commit> commit_of_folder(const base::fs::path& folder, FileDigests* digests,
                                      const std::function<void(std::uint64_t)>& listed) {
  Commit commit;
  commit.folder = folder.string();
  BASE_TRY(
      visit_files(commit.folder, "", [&](const std::string& path, const struct stat& status) -> base::Status {
        const auto identity = FileIdentity::of(status);
        commit.files.push_back({path, "", identity.size, identity});
        return {};
      }));
  if (listed) listed(commit.bytes_of(commit.all()));
  for (auto& file : commit.files) {
    if (digests == nullptr) break;
    // As it is now: what it was when it was listed may not be what is read.
    const auto path = base::join_path(commit.folder, file.path);
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return base::fail(base::system_error("read", path, errno));
    file.identity = FileIdentity::of(status);
    file.size = file.identity.size;
    BASE_TRY_ASSIGN(file.digest, digests->digest(path, status));
  }
  std::vector<std::string> wrong;
  for (const auto& file : commit.files) {
    if (!contract::can_be_stored_in_pfs(file.path)) wrong.push_back(file.path);
  }
  if (!wrong.empty())
    return base::fail(contract::names_fault(commit.folder, std::move(wrong), "rename them"));
  commit.digest = commit.digest_of(commit.all());
  return commit;
}

Commit commit_of_files(std::vector<Commit::File> files) {
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return path_less(a.path, b.path); });
  Commit commit;
  commit.files = std::move(files);
  commit.digest = commit.digest_of(commit.all());
  return commit;
}

Commit::File tick_file(const std::string& time) { return {time, base::sha256(""), 0, {}}; }

bool path_less(std::string_view first, std::string_view second) {
  return std::lexicographical_compare(
      first.begin(), first.end(), second.begin(), second.end(), [](char a, char b) {
        const auto rank = [](char c) {
          return c == '/' ? -1 : static_cast<int>(static_cast<unsigned char>(c));
        };
        return rank(a) < rank(b);
      });
}

}  // namespace local
