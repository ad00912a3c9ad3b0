// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/source_repo.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <string_view>

#include "base/digest.h"
#include "base/errors.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "base/time_text.h"
#include "base/workspace.h"
#include "pachbuild/cluster/pipelines.h"
#include "pachbuild/cluster/protobuf_json.h"
#include "pachbuild/pfs/file_hash.h"

namespace cluster {
namespace {

using base::ErrorKind;
using nlohmann::json;
namespace fs = base::fs;

// Branches of older releases: this, the time in seconds since 1970, and a name that no other has at that
// time.
constexpr char k_upload_prefix[] = "pachbuild-upload-";
constexpr std::chrono::hours k_longest_upload{24};
constexpr char k_version_prefix[] = "pachbuild-version-";
// Each removed path is a call; with more of them it is quicker to send everything.
constexpr std::size_t k_most_removals = 50;
// What a commit's description has under this name: the SHA-256 of each file whose hash cannot be told from
// here.
constexpr char k_digests_field[] = "pachbuild-digests";
// And who made it: a name and a version.
constexpr char k_maker_field[] = "by";
constexpr std::string_view k_maker = "pachbuild ";

// The end of a version's name.
std::string inputs_suffix(const std::string& inputs) {
  constexpr std::size_t k_digits = 32;
  return inputs.empty() ? "" : "-" + inputs.substr(0, k_digits);
}

std::string at(const std::string& repo, const std::string& commit) { return repo + "@" + commit; }

bool is_own_commit(const json& description) {
  const auto maker = description.find(k_maker_field);
  return maker != description.end() && maker->is_string() &&
         maker->get_ref<const std::string&>().starts_with(k_maker);
}

std::map<std::string, std::string> digests_in(const json& description) {
  const auto field = description.find(k_digests_field);
  if (field == description.end() || !field->is_object()) return {};
  std::map<std::string, std::string> digests;
  for (const auto& [path, digest] : field->items()) {
    if (digest.is_string()) digests[path] = digest;
  }
  return digests;
}

json description_in(const json& commit_info) {
  return json::parse(commit_info.value("description", ""), nullptr, /*allow_exceptions=*/false);
}

std::string description_of(const std::map<std::string, std::string>& digests) {
  json description = {{k_maker_field, std::string(k_maker) + PACHBUILD_VERSION}};
  if (!digests.empty()) description[k_digests_field] = digests;
  // An argument has at most 128 KiB; without digests the files are only sent more often.
  constexpr std::size_t k_longest = 100'000;
  if (auto text = description.dump(); text.size() < k_longest) return text;
  description.erase(k_digests_field);
  return description.dump();
}

// Whether a stored file has the content of `file`, which has as many bytes.
base::Result<bool> is_same(const StoredFile& stored, const source::SourceFile& file) {
  if (!stored.sha256.empty()) {
    BASE_TRY_ASSIGN(const std::string digest, base::sha256_of_file(file.file.string()));
    return digest == stored.sha256;
  }
  BASE_TRY_ASSIGN(const std::string hash, pfs::file_hash(file.file));
  return hash == stored.hash;
}

bool is_leftover(const std::string& branch) {
  if (!branch.starts_with(k_upload_prefix)) return false;
  const auto made = std::strtoll(branch.c_str() + std::string_view(k_upload_prefix).size(), nullptr, 10);
  return base::seconds_now() - made > std::chrono::seconds(k_longest_upload).count();
}

// The topmost folders of `gone` in which nothing of `files` is: "a/" for "a/x" and "a/b/y". Both are sorted.
std::vector<std::string> removals(const std::vector<std::string>& gone,
                                  const std::set<std::string>& kept_folders) {
  std::vector<std::string> paths;
  for (const auto& path : gone) {
    if (!paths.empty() && paths.back().back() == '/' && path.starts_with(paths.back())) continue;
    const auto folders = base::folders_above(path);
    const auto empty = std::find_if(folders.begin(), folders.end(),
                                    [&](const auto& folder) { return !kept_folders.contains(folder); });
    paths.push_back(empty == folders.end() ? path : *empty + "/");
  }
  return paths;
}

// For the description: the digests of what the commit will have. The person's files are not read again for
// it: whoever saves one now has not sent that. What was sent is in `copies`, and of what was kept the commit
// before says it.
base::Result<std::map<std::string, std::string>> digests_of(const StoredSource& stored,
                                                            const std::vector<source::SourceFile>& files,
                                                            const fs::path& copies) {
  std::map<std::string, std::string> digests;
  for (const auto& file : files) {
    const fs::path copy = copies / file.path;
    boost::system::error_code error;
    if (const auto bytes = fs::file_size(copy, error); !error) {
      if (bytes < pfs::k_split_size) continue;
      BASE_TRY_ASSIGN(digests[file.path], base::sha256_of_file(copy.string()));
      continue;
    }
    const auto kept = stored.files.find(file.path);
    if (kept != stored.files.end() && !kept->second.sha256.empty()) digests[file.path] = kept->second.sha256;
  }
  return digests;
}

}  // namespace

base::Result<SourceBranches> read_branches(const Pachctl& pachctl, const std::string& repo) {
  BASE_TRY_ASSIGN(auto branches, list_branches(pachctl, repo));
  BASE_TRY(read_head(pachctl, repo, branches));
  return branches;
}

base::Result<SourceBranches> list_branches(const Pachctl& pachctl, const std::string& repo) {
  SourceBranches branches;
  BASE_TRY(pachctl.list({"list", "branch", repo}, [&](const json& item) {
    const std::string name = item.at("branch").value("name", "");
    const std::string head = item.value("head", json::object()).value("id", "");
    if (name == k_source_branch) branches.head = head;
    if (name == k_deleting_branch) branches.is_deleting = true;
    if (name.starts_with(k_version_prefix)) {
      branches.versions.push_back(name);
      branches.heads[name] = head;
    }
    if (name.starts_with(k_upload_prefix)) branches.uploads.push_back(name);
    if (is_leftover(name)) branches.leftovers.push_back(name);
  }));
  return branches;
}

base::Status read_head(const Pachctl& pachctl, const std::string& repo, SourceBranches& branches) {
  if (branches.head.empty()) return {};
  return pachctl.list({"inspect", "commit", at(repo, branches.head)}, [&](const json& info) {
    branches.is_finished = info.contains("finishing");
    const json description = description_in(info);
    branches.is_own = is_own_commit(description);
    branches.digests = digests_in(description);
  });
}

std::string new_version(const std::string& inputs) {
  std::random_device random;
  std::ostringstream name;
  name << k_version_prefix << std::hex << std::setfill('0');
  for (int i = 0; i < 4; ++i) name << std::setw(8) << random();
  return name.str() + inputs_suffix(inputs);
}

bool has_inputs(const SourceBranches& branches, const std::string& inputs) {
  return branches.versions.size() == 1 && branches.versions.front().ends_with(inputs_suffix(inputs));
}

base::Result<std::vector<std::string>> foreign_commits(const Pachctl& pachctl, const std::string& repo) {
  std::vector<std::string> foreign;
  BASE_TRY(pachctl.list({"list", "commit", repo}, [&](const json& commit) {
    if (!is_own_commit(description_in(commit))) foreign.push_back(commit.at("commit").value("id", ""));
  }));
  return foreign;
}

base::Result<StoredSource> read_files(const Pachctl& pachctl, const std::string& repo,
                                      const SourceBranches& branches) {
  BASE_TRY(check_finished(repo, branches));
  BASE_TRY_ASSIGN(auto stored, list_files(pachctl, repo, branches.head));
  add_digests(stored, branches);
  return stored;
}

base::Status check_finished(const std::string& repo, const SourceBranches& branches) {
  // An open commit on the branch is somebody's `pachctl start commit`: its files are not there yet.
  if (branches.head.empty() || branches.is_finished) return {};
  return base::fail(ErrorKind::unavailable, at(repo, k_source_branch), "has a commit that is not finished",
                    "it is still being written to: run `pachctl finish commit " + at(repo, k_source_branch) +
                        "` when that is done");
}

base::Result<StoredSource> list_files(const Pachctl& pachctl, const std::string& repo,
                                      const std::string& commit) {
  StoredSource stored;
  stored.commit = commit;
  if (commit.empty()) return stored;
  BASE_TRY(pachctl.list({"glob", "file", at(repo, commit) + ":/**"}, [&](const json& item) {
    if (item.value("file_type", "") != "FILE") return;
    // "/a/b"
    std::string path = item.at("file").value("path", "");
    if (path.starts_with('/')) path.erase(0, 1);
    stored.files.emplace(path, StoredFile{number_in(item, "size_bytes"), item.value("hash", ""), ""});
  }));
  return stored;
}

void add_digests(StoredSource& stored, const SourceBranches& branches) {
  for (const auto& [path, digest] : branches.digests) {
    if (const auto file = stored.files.find(path); file != stored.files.end()) file->second.sha256 = digest;
  }
}

base::Result<Changes> compare(const StoredSource& stored, const std::vector<source::SourceFile>& files) {
  Changes changes;
  std::set<std::string> folders;
  std::set<std::string> paths;
  for (const auto& file : files) {
    paths.insert(file.path);
    for (auto& folder : base::folders_above(file.path)) folders.insert(std::move(folder));
    boost::system::error_code error;
    const std::uint64_t bytes = fs::file_size(file.file, error);
    if (error) return base::fail(base::system_error("read", file.file.string(), error.value()));
    const auto other = stored.files.find(file.path);
    if (other != stored.files.end() && other->second.bytes == bytes) {
      BASE_TRY_ASSIGN(const bool same, is_same(other->second, file));
      if (same) {
        ++changes.kept;
        continue;
      }
    }
    changes.sent.push_back(file);
    changes.sent_bytes += bytes;
  }
  std::vector<std::string> gone;
  for (const auto& [path, file] : stored.files) {
    if (!paths.contains(path)) gone.push_back(path);
  }
  changes.removed = removals(gone, folders);
  return changes;
}

base::Result<Upload> Upload::prepare(const Pachctl& pachctl, const std::string& repo,
                                     const StoredSource& stored, const Changes& changes,
                                     const std::vector<source::SourceFile>& files) {
  const bool anew = changes.removed.size() > k_most_removals;
  BASE_TRY_ASSIGN(auto workspace, base::Workspace::make(pachctl.scratch(), "source-"));
  Upload upload(std::move(workspace), repo);
  const fs::path folder = upload.m_workspace.path() / "source";
  BASE_TRY(base::make_folders(folder));
  BASE_TRY(source::copy_source(anew ? files : changes.sent, folder));
  BASE_TRY_ASSIGN(const auto digests, digests_of(stored, files, folder));
  upload.m_description = description_of(digests);
  if (!anew) {
    upload.m_parent = stored.commit;
    upload.m_removed = changes.removed;
  }
  if (anew || !changes.sent.empty()) upload.m_files = folder;
  return upload;
}

// Not `start commit --parent`: pachctl 2.12 puts the project before the repo's name twice there.
base::Status Upload::make_branch(const Pachctl& pachctl, const std::string& branch) const {
  return pachctl.run({"create", "branch", at(m_repo, branch), "--head", m_parent});
}

base::Status Upload::start(const Pachctl& pachctl, const std::string& branch) {
  BASE_TRY_ASSIGN(const std::string id,
                  pachctl.call({"start", "commit", at(m_repo, branch), "--description", m_description}));
  m_commit = base::trim(id);
  return {};
}

// Into the commit by its id: by its branch, what comes after somebody has deleted that would make it again.
void Upload::send(SideBySide& calls, const Pachctl& pachctl) const {
  if (!m_files.empty()) {
    calls.add(pachctl, [this](const Pachctl& own) {
      return own.run({"put", "file", at(m_repo, m_commit) + ":/", "--recursive", "--progress=false", "--file",
                      m_files.string()});
    });
  }
  for (const auto& path : m_removed) {
    calls.add(pachctl, [this, &path](const Pachctl& own) {
      std::vector<std::string> words = {"delete", "file", at(m_repo, m_commit) + ":/" + path};
      if (path.back() == '/') words.emplace_back("--recursive");
      return own.run(std::move(words));
    });
  }
}

base::Status delete_branches(const Pachctl& pachctl, const std::string& repo,
                             const std::vector<std::string>& branches, BranchDeletion deletion) {
  for (const auto& branch : branches) {
    std::vector<std::string> words = {"delete", "branch", at(repo, branch)};
    if (deletion == BranchDeletion::force) words.emplace_back("--force");
    BASE_TRY(pachctl.call(std::move(words)));
  }
  return {};
}

}  // namespace cluster
