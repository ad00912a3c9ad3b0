// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/datum.h"

#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <optional>

#include "base/digest.h"
#include "base/relative_path.h"
#include "base/stop.h"
#include "base/text.h"
#include "contract/layout.h"
#include "contract/pfs_names.h"
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
    for (const auto& folder : base::folders_above(path)) {
      paths.try_emplace(folder, Range{i, i}).first->second.end = i + 1;
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

base::Result<std::vector<DatumPart>> list_matches(const spec::PfsInput& input, const Repo& repo) {
  BASE_TRY_ASSIGN(const auto pattern, glob::Glob::compile(input.glob, glob::Separator::slash));
  std::vector<DatumPart> matches;
  if (repo.files.empty()) return matches;
  for (const auto& [path, range] : paths_of(repo)) {
    BASE_TRY(base::check_stop());
    if (glob::is_datum(pattern, "/" + path)) {
      matches.push_back({&input, &repo, path, digest_of(repo, range), range.begin, range.end});
    }
  }
  return matches;
}

using Factors = std::vector<std::vector<DatumPart>>;

// The number of combinations; nothing when it does not fit.
std::optional<std::uint64_t> product_of(const Factors& factors) {
  // However large the others are.
  if (std::any_of(factors.begin(), factors.end(), [](const auto& parts) { return parts.empty(); })) return 0;
  std::uint64_t product = 1;
  for (const auto& parts : factors) {
    if (__builtin_mul_overflow(product, parts.size(), &product)) return std::nullopt;
  }
  return product;
}

base::Error too_many(const Factors& factors, const std::optional<std::uint64_t>& count) {
  std::vector<std::string> sizes;
  for (const auto& parts : factors) {
    sizes.push_back(parts.front().input->name + " (" + base::format_number(parts.size()) + ")");
  }
  const std::string number =
      count ? base::format_number(*count)
            : "more than " + base::format_number(std::numeric_limits<std::uint64_t>::max());
  return {base::ErrorKind::bad_input, "",
          number + " datums: " + base::join(sizes, " × ") + "; the limit of pachbuild run is " +
              base::format_number(k_most_datums),
          "narrow a glob, or take a whole repo as one match (\"glob\": \"/\")"};
}

}  // namespace

base::Result<Repo> read_repo(const std::string& folder, FileDigests& digests) {
  Repo repo{folder, {}, {}};
  BASE_TRY(visit_files(folder, "", [&](const std::string& path, const struct stat& status) -> base::Status {
    BASE_TRY_ASSIGN(auto digest, digests.digest(base::join_path(folder, path), status));
    repo.files.push_back({path, std::move(digest), FileIdentity::of(status)});
    return {};
  }));
  std::vector<std::string> wrong;
  for (const auto& file : repo.files) {
    if (!contract::can_be_stored_in_pfs(file.path)) wrong.push_back(file.path);
  }
  if (!wrong.empty()) return base::fail(contract::names_fault(folder, std::move(wrong), "rename these"));
  repo.digest = digest_of(repo, {0, repo.files.size()});
  return repo;
}

std::string DatumPart::label() const { return base::join_path(input->repo, path); }

std::string DatumPart::listing() const {
  base::Sha256 paths;
  for (auto i = begin; i < end; ++i) paths.update_field(repo->files[i].path);
  return paths.finish();
}

std::string DatumPart::path_in_pfs() const {
  return base::join_path(std::string(contract::k_pfs) + "/" + input->name, path);
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
    // Pipes and empty files are another thing to see than files.
    digest.update_field(part.input->lazy ? "lazy" : part.input->empty_files ? "empty" : "files");
  }
  return digest.finish();
}

base::Result<std::size_t> count_matches(const spec::PfsInput& input, const Repo& repo) {
  BASE_TRY_ASSIGN(const auto matches, list_matches(input, repo));
  return matches.size();
}

std::string changed_input(const Datum& datum) {
  for (const auto& part : datum.parts) {
    for (auto i = part.begin; i < part.end; ++i) {
      const auto& file = part.repo->files[i];
      struct stat status{};
      const bool same = ::stat(base::join_path(part.repo->folder, file.path).c_str(), &status) == 0 &&
                        FileIdentity::of(status) == file.identity;
      if (!same) return base::join_path(part.input->repo, file.path);
    }
  }
  return "";
}

base::Result<DatumList> DatumList::make(const spec::Input& input, const std::map<std::string, Repo>& repos) {
  DatumList list;
  for (const auto* part : spec::pfs_inputs(input)) {
    BASE_TRY_ASSIGN(auto matches, list_matches(*part, repos.at(part->repo)));
    list.m_factors.push_back(std::move(matches));
  }
  const auto count = product_of(list.m_factors);
  if (!count || *count > k_most_datums) return base::fail(too_many(list.m_factors, count));
  list.m_size = static_cast<std::size_t>(*count);
  return list;
}

Datum DatumList::at(std::size_t index) const {
  Datum datum;
  datum.parts.resize(m_factors.size());
  for (std::size_t i = m_factors.size(); i-- > 0;) {
    datum.parts[i] = m_factors[i][index % m_factors[i].size()];
    index /= m_factors[i].size();
  }
  return datum;
}

}  // namespace local
