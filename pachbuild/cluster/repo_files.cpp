// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/repo_files.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "base/errors.h"
#include "base/parallel.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "contract/pfs_names.h"
#include "pachbuild/cluster/protobuf_json.h"
#include "pachbuild/spec/input.h"

namespace cluster {
namespace {

using base::ErrorKind;
using nlohmann::json;

constexpr std::size_t k_id_length = 32;
// What a call costs beyond its bytes, and each file of a folder, as bytes that could have come in that time:
// measured with pachctl 2.12.
constexpr std::uint64_t k_call_cost = std::uint64_t{8} << 20U;
constexpr std::uint64_t k_file_cost = std::uint64_t{8} << 10U;
constexpr char k_patience_of_version[] = "5s";

std::string at(const CommitPlace& place) { return place.repo + "@" + place.commit; }

Pachctl in_project(const Pachctl& pachctl, const CommitPlace& place) {
  return place.project.empty() ? pachctl : pachctl.with_project(place.project);
}

// Whether every part of a path is a name.
bool is_plain(const std::string& path) {
  if (path.empty() || !contract::can_be_stored_in_pfs(path)) return false;
  const auto parts = base::split(path, '/');
  return std::none_of(parts.begin(), parts.end(),
                      [](const auto& part) { return part.empty() || part == "." || part == ".."; });
}

// As a folder's listing is sorted: what is in a folder stands together.
bool is_before(const RepoFile& first, const RepoFile& second) {
  const auto rank = [](char c) { return c == '/' ? -1 : static_cast<int>(static_cast<unsigned char>(c)); };
  return std::lexicographical_compare(first.path.begin(), first.path.end(), second.path.begin(),
                                      second.path.end(), [&](char a, char b) { return rank(a) < rank(b); });
}

class TransferPlanner {
 public:
  TransferPlanner(const std::vector<RepoFile>& files, const std::vector<bool>& wanted)
      : m_files(files), m_wanted(wanted) {}

  std::vector<Transfer> plan() {
    auto all = plan_folder({0, m_files.size()}, 0);
    return std::move(all.transfers);
  }

 private:
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  struct Choice {
    std::uint64_t cost = 0;
    std::vector<Transfer> transfers;
  };

  // Of the files of `range`, whose paths begin with the same `prefix` bytes: a folder's, with its "/".
  Choice plan_folder(const Range& range, std::size_t prefix) {
    Choice whole{k_call_cost, {{m_files[range.begin].path.substr(0, prefix), true}}};
    Choice parts;
    bool all_wanted = true;
    for (auto i = range.begin; i < range.end;) {
      const auto& path = m_files[i].path;
      const auto slash = path.find('/', prefix);
      auto next = i + 1;
      if (slash == std::string::npos) {
        if (m_wanted[i]) add(parts, {k_call_cost + m_files[i].bytes, {{path, false}}});
      } else {
        while (next < range.end && m_files[next].path.compare(0, slash + 1, path, 0, slash + 1) == 0) ++next;
        if (has_wanted({i, next})) add(parts, plan_folder({i, next}, slash + 1));
      }
      for (; i < next; ++i) {
        whole.cost += m_files[i].bytes + k_file_cost;
        all_wanted = all_wanted && m_wanted[i];
      }
    }
    if (parts.transfers.empty()) return parts;
    // Of the same files, one call is cheaper than several.
    const bool same_files = all_wanted && parts.transfers.size() > 1;
    return same_files || whole.cost < parts.cost ? whole : parts;
  }

  static void add(Choice& to, Choice more) {
    to.cost += more.cost;
    std::move(more.transfers.begin(), more.transfers.end(), std::back_inserter(to.transfers));
  }

  [[nodiscard]] bool has_wanted(const Range& range) const {
    const auto begin = m_wanted.begin();
    return std::find(begin + static_cast<std::ptrdiff_t>(range.begin),
                     begin + static_cast<std::ptrdiff_t>(range.end),
                     true) != begin + static_cast<std::ptrdiff_t>(range.end);
  }

  const std::vector<RepoFile>& m_files;
  const std::vector<bool>& m_wanted;
};

// That the cluster does not answer at all is another thing than that it refuses.
base::Error as_unavailable(const Pachctl& pachctl, base::Error error, const CommitPlace& place,
                           std::chrono::milliseconds limit) {
  const bool may_be_silence = error.kind == ErrorKind::bad_input || error.kind == ErrorKind::unavailable;
  if (!may_be_silence) return error;
  if (error.kind == ErrorKind::bad_input &&
      pachctl.limited_to(limit).call_anywhere({"version", "--timeout", k_patience_of_version})) {
    error.where = text_of(place);
    error.hint = "pachctl list branch " + place.repo + " lists them";
    return error;
  }
  return {ErrorKind::unavailable, "", "the cluster does not answer: " + error.what,
          "check the output of `pachctl version` and `pachctl config get active-context`"};
}

}  // namespace

base::Result<CommitPlace> parse_commit_place(const std::string& text, const std::string& where) {
  CommitPlace place;
  const auto sign = text.find('@');
  place.repo = text.substr(0, sign);
  place.commit = sign == std::string::npos ? spec::k_default_branch : text.substr(sign + 1);
  if (const auto slash = place.repo.find('/'); slash != std::string::npos) {
    place.project = place.repo.substr(0, slash);
    place.repo.erase(0, slash + 1);
    if (!spec::is_name(place.project)) place.repo.clear();
  }
  const bool is_commit = !place.commit.empty() && place.commit.front() != '-' &&
                         std::all_of(place.commit.begin(), place.commit.end(),
                                     [](char c) { return c > ' ' && c <= '~' && c != '@' && c != ':'; });
  if (spec::is_name(place.repo) && place.repo.front() != '-' && is_commit) return place;
  return base::fail(ErrorKind::usage, where,
                    base::quoted(text) + " does not have the form [PROJECT/]REPO[@BRANCH-OR-COMMIT]",
                    "for example images@master");
}

std::string text_of(const CommitPlace& place) {
  return (place.project.empty() ? "" : place.project + "/") + at(place);
}

bool is_commit_id(const std::string& commit) {
  return commit.size() == k_id_length && commit.find_first_not_of("0123456789abcdef") == std::string::npos;
}

base::Result<std::string> find_commit(const Pachctl& pachctl, const CommitPlace& place,
                                      std::chrono::milliseconds limit) {
  const auto local = in_project(pachctl, place).limited_to(limit);
  std::string id;
  bool is_closed = false;
  bool is_finished = false;
  std::string failure;
  const auto inspect = [&] {
    return local.list({"inspect", "commit", at(place)}, [&](const json& info) {
      id = info.at("commit").at("id").get<std::string>();
      is_closed = info.contains("finishing");
      is_finished = info.contains("finished");
      failure = info.value("error", "");
    });
  };
  auto listed = inspect();
  // Nobody writes to it any more; Pachyderm takes a moment to check and compact it.
  if (listed && is_closed && !is_finished) {
    BASE_TRY(local.limited_to(std::chrono::milliseconds(0)).call({"wait", "commit", place.repo + "@" + id}));
    listed = inspect();
  }
  if (!listed) return base::fail(as_unavailable(pachctl, listed.error(), place, limit));
  const std::string where = text_of(place);
  if (!is_commit_id(id)) return base::fail(ErrorKind::io, where, "has no commit id");
  if (!failure.empty())
    return base::fail(ErrorKind::bad_input, where,
                      "belongs to a job that failed: " + base::printable(failure),
                      "name an earlier commit, for example " + where + "^");
  if (is_finished) return id;
  return base::fail(
      ErrorKind::network, where, "is not finished yet",
      "it is being written to, or its job is still running; name an earlier commit, for example " + where +
          "^");
}

base::Result<std::vector<RepoFile>> list_commit(const Pachctl& pachctl, const CommitPlace& place) {
  std::vector<RepoFile> files;
  std::string wrong;
  BASE_TRY(in_project(pachctl, place).list({"glob", "file", at(place) + ":/**"}, [&](const json& item) {
    if (item.value("file_type", "") != "FILE") return;
    // "/a/b"
    std::string path = item.at("file").at("path").get<std::string>();
    if (path.starts_with('/')) path.erase(0, 1);
    if (!is_plain(path)) wrong = path;
    files.push_back({std::move(path), number_in(item, "size_bytes"), item.at("hash").get<std::string>()});
  }));
  if (!wrong.empty()) {
    return base::fail(ErrorKind::bad_input, text_of(place),
                      "has a file " + base::quoted(wrong) + ", which cannot be stored in a folder here");
  }
  std::sort(files.begin(), files.end(), is_before);
  return files;
}

std::vector<Transfer> plan_transfers(const std::vector<RepoFile>& files, const std::vector<bool>& wanted) {
  if (files.empty()) return {};
  return TransferPlanner(files, wanted).plan();
}

base::Status get_files(const Pachctl& pachctl, const CommitPlace& place,
                       const std::vector<Transfer>& transfers, const base::fs::path& folder) {
  const auto local = in_project(pachctl, place);
  return base::in_parallel(transfers.size(), [&](std::size_t i) -> base::Status {
    const auto& [path, is_folder] = transfers[i];
    const auto target = folder / path;
    BASE_TRY(base::make_folders(is_folder ? target : target.parent_path(), 0700));
    std::vector<std::string> words = {"get",      "file",          at(place) + ":/" + path,
                                      "--output", target.string(), "--progress=false"};
    if (is_folder) words.emplace_back("--recursive");
    return local.run(std::move(words));
  });
}

}  // namespace cluster
