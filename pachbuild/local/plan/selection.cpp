// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/selection.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/inside.h"
#include "base/near.h"
#include "base/relative_path.h"
#include "base/stop.h"
#include "base/text.h"
#include "contract/layout.h"

namespace local {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

// Fewer digits of an id may be its number or the name of a file.
constexpr std::size_t k_fewest_digits = 6;
constexpr std::size_t k_most_digits = 64;
constexpr std::size_t k_shown = 4;
// So many names of files are compared with a mistyped one.
constexpr std::size_t k_most_compared = 200'000;

using Places = std::vector<std::size_t>;

bool is_beginning_of_id(std::string_view text) {
  return text.size() >= k_fewest_digits && text.size() <= k_most_digits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Whether `path` is `folder` or in it; everything is in "".
bool is_in(std::string_view path, std::string_view folder) {
  if (folder.empty()) return true;
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// Whether the commit has a file or folder of this path.
bool has(const Commit& commit, const std::string& path) {
  const auto found = std::lower_bound(
      commit.files.begin(), commit.files.end(), path,
      [](const Commit::File& file, const std::string& wanted) { return path_less(file.path, wanted); });
  return found != commit.files.end() && is_in(found->path, path);
}

// A file or folder that a name can mean.
struct Target {
  const Commit* commit = nullptr;
  std::string path;
  std::string shown;  // "scraper/a.html"
  bool operator==(const Target& other) const { return commit == other.commit && path == other.path; }

  [[nodiscard]] bool is_of(const Datum& datum) const {
    return std::any_of(datum.parts.begin(), datum.parts.end(), [&](const DatumPart* part) {
      return part->commit == commit && (is_in(path, part->path) || is_in(part->path, path));
    });
  }
};

// "a/b" of "/a//b/".
std::string cleaned(std::string_view path) {
  std::vector<std::string> parts;
  for (auto& part : base::split(path, '/')) {
    if (!part.empty() && part != ".") parts.push_back(std::move(part));
  }
  return base::join(parts, "/");
}

class Selector {
 public:
  Selector(const DatumList& datums, const spec::Input& input, const Commits& commits) : m_datums(datums) {
    for (const auto* repo : spec::repo_inputs(input)) {
      m_repos.emplace_back(repo, commits.at(repo_key(*repo)));
    }
  }

  base::Result<Places> select(const std::vector<std::string>& names) {
    std::vector<Places> chosen(names.size());
    std::vector<std::size_t> open;  // the names that only a look at all datums can answer
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (const auto place = by_number(names[i])) {
        chosen[i] = {*place};
      } else {
        open.push_back(i);
      }
    }
    if (!open.empty()) BASE_TRY(look_at_all(names, open, chosen));
    std::set<std::size_t> all;
    for (const auto& places : chosen) all.insert(places.begin(), places.end());
    return Places(all.begin(), all.end());
  }

 private:
  struct Wanted {
    const std::string& name;
    std::vector<Target> targets;
    Places by_id;
    Places by_label;
    std::vector<Places> by_target;
  };

  [[nodiscard]] std::optional<std::size_t> by_number(const std::string& name) const {
    const auto number = base::parse_number(name).value_or(0);
    if (number == 0 || number > m_datums.size()) return std::nullopt;
    return number - 1;
  }

  base::Status look_at_all(const std::vector<std::string>& names, const std::vector<std::size_t>& open,
                           std::vector<Places>& chosen) const {
    std::vector<Wanted> wanted;
    for (const auto i : open) {
      wanted.push_back({names[i], targets_of(names[i]), {}, {}, {}});
      wanted.back().by_target.resize(wanted.back().targets.size());
    }
    for (std::size_t place = 0; place < m_datums.size(); ++place) {
      if (place % 4096 == 0) BASE_TRY(base::check_stop());
      const Datum datum = m_datums.at(place);
      const std::string label = datum.label();
      for (auto& one : wanted) {
        if (is_beginning_of_id(one.name) && datum.id.starts_with(one.name)) one.by_id.push_back(place);
        if (label == one.name) one.by_label.push_back(place);
        for (std::size_t t = 0; t < one.targets.size(); ++t) {
          if (one.targets[t].is_of(datum)) one.by_target[t].push_back(place);
        }
      }
    }
    for (std::size_t i = 0; i < open.size(); ++i) {
      BASE_TRY_ASSIGN(chosen[open[i]], decide(wanted[i]));
    }
    return {};
  }

  [[nodiscard]] base::Result<Places> decide(const Wanted& wanted) const {
    if (wanted.by_id.size() == 1) return wanted.by_id;
    if (wanted.by_id.size() > 1) {
      std::vector<std::string> ids;
      for (std::size_t i = 0; i < std::min(k_shown, wanted.by_id.size()); ++i) {
        const auto datum = m_datums.at(wanted.by_id[i]);
        ids.push_back(datum.id.substr(0, wanted.name.size() + k_fewest_digits) + " (" + datum.label() + ")");
      }
      return base::fail(ambiguous(wanted.name, "it is the beginning of several ids:", wanted.by_id.size(),
                                  ids, "add digits, or name a file"));
    }
    // Files of two repos that always come together, as in a join, mean the same datums.
    std::vector<std::string> shown;
    Places found;
    bool differ = false;
    for (std::size_t t = 0; t < wanted.targets.size(); ++t) {
      const auto& places = wanted.by_target[t];
      if (places.empty()) continue;
      differ = differ || (!found.empty() && found != places);
      found = places;
      shown.push_back(wanted.targets[t].shown);
    }
    if (differ) {
      const auto count = shown.size();
      shown.resize(std::min(shown.size(), k_shown));
      return base::fail(
          ambiguous(wanted.name, "this may mean", count, shown, "name the repo as well: " + shown.front()));
    }
    if (!found.empty()) return found;
    if (wanted.by_label.size() == 1) return wanted.by_label;
    return base::fail(nothing(wanted));
  }

  static base::Error ambiguous(const std::string& name, const std::string& what, std::size_t count,
                               const std::vector<std::string>& some, const std::string& hint) {
    return {ErrorKind::usage, "--datum " + name,
            "is ambiguous: " + what + " " + base::join(some, ", ") + (count > some.size() ? ", …" : ""),
            hint};
  }

  [[nodiscard]] base::Error nothing(const Wanted& wanted) const {
    const auto& name = wanted.name;
    if (!wanted.targets.empty()) {
      return {ErrorKind::usage, "--datum " + name,
              "is not part of any datum: the glob of its input does not match it",
              "see pachbuild list datum"};
    }
    const std::string otherwise =
        m_datums.size() == 1
            ? "the pipeline has 1 datum; pachbuild list datum shows its id and files"
            : "pachbuild list datum shows all " + base::count_of(m_datums.size(), "datum") +
                  "; use a number (1 to " + std::to_string(m_datums.size()) + "), an id or a file";
    return {ErrorKind::usage, "--datum " + (name.empty() ? base::quoted(name) : name), "no such datum",
            near_files(name, otherwise)};
  }

  // By whole names first: who types the last part of a path has made no mistake but one.
  [[nodiscard]] std::string near_files(const std::string& name, const std::string& otherwise) const {
    std::vector<std::string> same;
    std::vector<std::string> names;
    std::map<std::string, std::string> shown;  // by what is compared
    const auto add = [&](const std::string& compared, const std::string& label) {
      if (names.size() < k_most_compared && shown.emplace(compared, label).second) names.push_back(compared);
    };
    for (const auto& [input, commit] : m_repos) {
      for (const auto& file : commit->files) {
        const std::string label = base::join_path(input->repo, file.path);
        if (file.path.ends_with("/" + name) && same.size() < k_shown) same.push_back(base::quoted(label));
        if (!base::contains(name, '/')) {
          add(base::name_of(file.path), label);
        } else {
          add(name.front() == '/' ? "/" + file.path : file.path, label);
          add(label, label);
        }
      }
    }
    if (!same.empty()) return "did you mean " + base::join(same, " or ") + "?";
    const auto nearest = base::near_name(name, names);
    return nearest ? "did you mean " + base::quoted(shown.at(*nearest)) + "?" : otherwise;
  }

  // Everything in the repos that the name can mean.
  [[nodiscard]] std::vector<Target> targets_of(const std::string& name) const {
    std::vector<Target> targets;
    for (const auto& [input, commit] : m_repos) {
      const auto add = [&, &repo = *input, &files = *commit](const std::string& path) {
        if (path.empty() || !has(files, path)) return;
        Target target{&files, path, base::join_path(repo.repo, path)};
        if (std::find(targets.begin(), targets.end(), target) == targets.end())
          targets.push_back(std::move(target));
      };
      add(cleaned(name));
      const std::string in_pfs = std::string(contract::k_pfs) + "/" + input->name + "/";
      for (const auto& prefix :
           {input->repo + "/", repo_key(*input) + "/", repo_key(*input) + "@/", in_pfs}) {
        if (name.starts_with(prefix)) add(cleaned(name.substr(prefix.size())));
      }
      if (!commit->is_ours && !commit->folder.empty()) {
        for (const auto& path : paths_in(name, commit->folder)) add(path);
      }
    }
    return targets;
  }

  // What the file `name` of this machine is called in the repo whose files are in `folder`: as it is written,
  // and without links.
  static std::vector<std::string> paths_in(const std::string& name, const std::string& folder) {
    boost::system::error_code error;
    const auto absolute = fs::absolute(name, error);
    if (error || !fs::exists(absolute, error)) return {};
    std::vector<std::string> paths;
    const auto add = [&](const fs::path& path, const fs::path& in) {
      const auto below = base::path_below(path.lexically_normal(), in.lexically_normal());
      if (below && *below != ".") paths.push_back(cleaned(below->string()));
    };
    add(absolute, fs::absolute(folder));
    const auto real_folder = fs::canonical(folder, error);
    if (error) return paths;
    const auto real = fs::canonical(absolute, error);
    if (!error) add(real, real_folder);
    // A link in the folder keeps its own name there.
    const auto parent = fs::canonical(absolute.parent_path(), error);
    if (!error) add(parent / absolute.filename(), real_folder);
    return paths;
  }

  const DatumList& m_datums;
  std::vector<std::pair<const spec::RepoInput*, const Commit*>> m_repos;
};

}  // namespace

base::Result<std::vector<std::size_t>> select_datums(const DatumList& datums, const spec::Input& input,
                                                     const Commits& commits,
                                                     const std::vector<std::string>& names) {
  return Selector(datums, input, commits).select(names);
}

}  // namespace local
