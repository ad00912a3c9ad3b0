// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/datum.h"

#include "base/digest.h"
#include "contract/layout.h"
#include "glob/glob.h"
#include "pachbuild/local/tree.h"

namespace local {
namespace {

// The files below a folder are neighbours: their place in Repo::files.
struct Range {
  std::size_t begin;
  std::size_t end;
};

// Every path of the repo, folders and the root ("") too, with its files.
std::map<std::string, Range> paths_of(const Repo& repo) {
  std::map<std::string, Range> paths;
  paths[""] = {0, repo.files.size()};
  for (std::size_t i = 0; i < repo.files.size(); ++i) {
    const std::string& path = repo.files[i].path;
    for (auto slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
      paths.try_emplace(path.substr(0, slash), Range{i, i}).first->second.end = i + 1;
    }
    paths[path] = {i, i + 1};
  }
  return paths;
}

std::string digest_of(const Repo& repo, const Range& range) {
  base::Sha256 digest;
  for (auto i = range.begin; i < range.end; ++i) {
    digest.update_field(repo.files[i].path);
    digest.update_field(repo.files[i].digest);
  }
  return digest.finish();
}

base::Result<std::vector<Datum>> list_matches(const spec::PfsInput& input, const Repo& repo) {
  BASE_TRY_ASSIGN(const auto pattern, glob::Glob::compile(input.glob, glob::Separator::slash));
  std::vector<Datum> datums;
  if (repo.files.empty()) return datums;
  for (const auto& [path, range] : paths_of(repo)) {
    if (glob::is_datum(pattern, "/" + path)) {
      datums.push_back({{{&input, &repo, path, digest_of(repo, range)}}});
    }
  }
  return datums;
}

// All combinations, the last input running fastest.
std::vector<Datum> combine(const std::vector<Datum>& left, const std::vector<Datum>& right) {
  std::vector<Datum> combined;
  combined.reserve(left.size() * right.size());
  for (const auto& first : left) {
    for (const auto& second : right) {
      Datum datum = first;
      datum.parts.insert(datum.parts.end(), second.parts.begin(), second.parts.end());
      combined.push_back(std::move(datum));
    }
  }
  return combined;
}

}  // namespace

base::Result<Repo> read_repo(const std::string& folder, FileDigests& digests) {
  Repo repo{folder, {}, {}};
  BASE_TRY(visit_files(folder, "", [&](const std::string& path, const struct stat& status) -> base::Status {
    BASE_TRY_ASSIGN(auto digest, digests.digest(join_path(folder, path), status));
    repo.files.push_back({path, std::move(digest)});
    return {};
  }));
  repo.digest = digest_of(repo, {0, repo.files.size()});
  return repo;
}

std::string DatumPart::label() const { return join_path(input->repo, path); }

std::string DatumPart::path_in_pfs() const {
  return join_path(std::string(contract::k_pfs) + "/" + input->name, path);
}

std::string Datum::label() const {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : " + ") + part.label();
  return text;
}

std::string Datum::key(const std::string& job) const {
  base::Sha256 digest;
  digest.update_field(job);
  for (const auto& part : parts) {
    digest.update_field(part.input->name);
    digest.update_field(part.path);
    digest.update_field(part.digest);
  }
  return digest.finish();
}

base::Result<std::vector<Datum>> list_datums(const spec::Input& input,
                                             const std::map<std::string, Repo>& repos) {
  if (input.pfs) return list_matches(*input.pfs, repos.at(input.pfs->repo));
  std::vector<Datum> datums{Datum{}};
  for (const auto& crossed : input.cross) {
    BASE_TRY_ASSIGN(const auto more, list_datums(crossed, repos));
    datums = combine(datums, more);
  }
  return datums;
}

}  // namespace local
