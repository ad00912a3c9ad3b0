// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/plan/datum_list.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/stop.h"
#include "base/text.h"
#include "glob/glob.h"

namespace local {
namespace {

using Kind = spec::Input::Kind;
using Parts = DatumParts;

// The number of combinations; nothing when it does not fit.
std::optional<std::uint64_t> product_of(const std::vector<std::uint64_t>& factors) {
  // However large the others are.
  if (std::find(factors.begin(), factors.end(), 0) != factors.end()) return 0;
  std::uint64_t product = 1;
  for (const auto factor : factors) {
    if (__builtin_mul_overflow(product, factor, &product)) return std::nullopt;
  }
  return product;
}

// Calls `take` with one index of each of `sizes`, for every combination, the last one running fastest.
base::Status for_each_combination(
    const std::vector<std::uint64_t>& sizes, std::uint64_t count,
    const std::function<base::Status(const std::vector<std::uint64_t>& indices)>& take) {
  std::vector<std::uint64_t> indices(sizes.size());
  for (std::uint64_t number = 0; number < count; ++number) {
    std::uint64_t rest = number;
    for (std::size_t i = sizes.size(); i-- > 0;) {
      indices[i] = rest % sizes[i];
      rest /= sizes[i];
    }
    BASE_TRY(take(indices));
  }
  return {};
}

base::Error too_many(const std::optional<std::uint64_t>& count, const std::string& how) {
  const std::string number =
      count ? base::format_number(*count)
            : "more than " + base::format_number(std::numeric_limits<std::uint64_t>::max());
  return {
      base::ErrorKind::bad_input, "",
      number + " datums: " + how + "; the limit of pachbuild run is " + base::format_number(k_most_datums),
      "narrow a glob, or take a whole repo as one match (\"glob\": \"/\")"};
}

// Pachyderm orders the inputs of a combination by their names as they are written, before it names those
// without one after their repos. (SortInput, InputName and setInputDefaults)
std::string written_name(const spec::Input& input) {
  if (input.kind != Kind::repo) {
    std::vector<std::string> names;
    std::transform(input.parts.begin(), input.parts.end(), std::back_inserter(names), written_name);
    return *std::min_element(names.begin(), names.end());
  }
  return input.repo.is_named && !input.repo.cron ? input.repo.name : "";
}

std::vector<const spec::Input*> ordered_parts(const spec::Input& input) {
  std::multimap<std::string, const spec::Input*> by_name;  // keeps those of one name in their order
  for (const auto& part : input.parts) by_name.emplace(written_name(part), &part);
  std::vector<const spec::Input*> parts;
  for (const auto& [name, part] : by_name) parts.push_back(part);
  return parts;
}

}  // namespace

// Makes the datums of an input from those of its parts.
class DatumMaker {
 public:
  // The datums of one input.
  using Entry = DatumList::Entry;
  struct Made {
    std::string name;  // for errors
    Parts parts;
    std::vector<Entry> entries;  // as a person would order them, each id once
  };

  DatumMaker(const Commits& commits, std::deque<DatumPart>& matches)
      : m_commits(commits), m_matches(matches) {}

  base::Result<Made> make(const spec::Input& input) {
    BASE_TRY(base::check_stop());
    if (input.kind == Kind::repo) return matches_of(input.repo);
    std::vector<Made> parts;
    for (const auto* part : ordered_parts(input)) {
      BASE_TRY_ASSIGN(auto made, make(*part));
      parts.push_back(std::move(made));
    }
    switch (input.kind) {
      case Kind::cross:
        return cross(parts);
      case Kind::join:
        return join(parts);
      case Kind::group:
        return group(parts);
      default:
        return unite(parts);
    }
  }

  static DatumList list_of(Made made, std::deque<DatumPart> matches) {
    DatumList list;
    list.m_matches = std::move(matches);
    list.m_parts = std::move(made.parts);
    list.m_order.resize(made.entries.size());
    for (const auto place : by_id(made.entries)) {
      list.m_order[place] = static_cast<std::uint32_t>(list.m_entries.size());
      list.m_entries.push_back(made.entries[place]);
    }
    return list;
  }

 private:
  base::Result<Made> matches_of(const spec::RepoInput& input) {
    BASE_TRY_ASSIGN(auto matches, list_matches(input, *m_commits.at(repo_key(input))));
    Made made;
    made.name = input.name;
    for (auto& match : matches) {
      m_matches.push_back(std::move(match));
      BASE_TRY(add(made, {&m_matches.back()}));
    }
    return finish(std::move(made));
  }

  // Every datum of the first part with each of the others.
  static base::Result<Made> cross(const std::vector<Made>& parts) {
    std::vector<std::uint64_t> sizes;
    std::vector<std::string> shown;
    for (const auto& part : parts) {
      sizes.push_back(part.entries.size());
      shown.push_back(part.name + " (" + base::format_number(part.entries.size()) + ")");
    }
    const auto count = product_of(sizes);
    if (!count || *count > k_most_datums) return base::fail(too_many(count, base::join(shown, " × ")));
    Made made;
    made.name = "cross";
    BASE_TRY(for_each_combination(sizes, *count, [&](const auto& indices) {
      Parts all;
      for (std::size_t i = 0; i < parts.size(); ++i) append(all, parts[i], parts[i].entries[indices[i]]);
      return add(made, all);
    }));
    return finish(std::move(made));
  }

  static base::Result<Made> unite(const std::vector<Made>& parts) {
    Made made;
    made.name = "union";
    for (const auto& part : parts) {
      for (const auto& entry : part.entries) {
        Parts all;
        append(all, part, entry);
        BASE_TRY(add(made, all));
      }
    }
    return finish(std::move(made));
  }

  // The files that share a value, one list for each of the parts that has some. The parts' files count, not
  // their datums: a join of crosses takes these apart. In each list they are in the order of their datums'
  // ids.
  static std::vector<std::vector<Parts>> shared(const std::vector<Made>& parts,
                                                std::string DatumPart::* value) {
    std::vector<std::vector<Parts>> all;
    std::unordered_map<std::string, std::size_t> places;
    for (const auto& part : parts) {
      std::vector<std::size_t> met(all.size());  // whether this part has a list there already
      for (const auto index : by_id(part.entries)) {
        for (auto i = part.entries[index].begin; i < part.entries[index].end; ++i) {
          const auto* file = part.parts[i];
          const auto place = places.emplace(file->*value, all.size()).first->second;
          if (place == all.size()) all.emplace_back();
          met.resize(all.size());
          if (!std::exchange(met[place], 1U)) all[place].emplace_back();
          all[place].back().push_back(file);
        }
      }
    }
    return all;
  }

  static base::Result<Made> join(const std::vector<Made>& parts) {
    Made made;
    made.name = "join";
    for (auto& lists : shared(parts, &DatumPart::join_on)) {
      // When a part has no such file, the files of outer joins still make a datum.
      const bool complete = lists.size() == parts.size();
      if (!complete) {
        for (auto& files : lists) keep_outer(files);
      }
      BASE_TRY(add_combinations(made, lists));
    }
    return finish(std::move(made));
  }

  // nullptr stands for a file that is left out.
  static void keep_outer(Parts& files) {
    const auto is_inner = [](const auto* file) { return !file->input->outer_join; };
    const auto inner = std::remove_if(files.begin(), files.end(), is_inner);
    if (inner == files.end()) return;
    files.erase(inner, files.end());
    files.push_back(nullptr);
  }

  static base::Status add_combinations(Made& made, const std::vector<Parts>& lists) {
    std::vector<std::uint64_t> sizes;
    for (const auto& files : lists) sizes.push_back(files.size());
    const auto count = product_of(sizes);
    if (!count || *count + made.entries.size() > k_most_datums) {
      return base::fail(too_many(count, "files that share a join_on"));
    }
    return for_each_combination(sizes, *count, [&](const auto& indices) {
      Parts all;
      for (std::size_t i = 0; i < lists.size(); ++i) {
        if (const auto* file = lists[i][indices[i]]) all.push_back(file);
      }
      return all.empty() ? base::Status() : add(made, all);
    });
  }

  static base::Result<Made> group(const std::vector<Made>& parts) {
    Made made;
    made.name = "group";
    for (const auto& lists : shared(parts, &DatumPart::group_by)) {
      Parts all;
      for (const auto& files : lists) all.insert(all.end(), files.begin(), files.end());
      BASE_TRY(add(made, all));
    }
    return finish(std::move(made));
  }

  static void append(Parts& parts, const Made& made, const Entry& entry) {
    parts.insert(parts.end(), made.parts.begin() + entry.begin, made.parts.begin() + entry.end);
  }

  static base::Status add(Made& made, const Parts& parts) {
    constexpr std::size_t k_between_checks = 4096;
    if (made.entries.size() % k_between_checks == 0) BASE_TRY(base::check_stop());
    const std::size_t end = made.parts.size() + parts.size();
    if (made.entries.size() >= k_most_datums || end > std::numeric_limits<std::uint32_t>::max()) {
      return base::fail(too_many(made.entries.size() + 1, made.name));
    }
    made.entries.push_back(
        {datum_id(parts), static_cast<std::uint32_t>(made.parts.size()), static_cast<std::uint32_t>(end)});
    made.parts.insert(made.parts.end(), parts.begin(), parts.end());
    return {};
  }

  // As a file set of PFS has them: of several with one id the first.
  static Made finish(Made made) {
    std::vector<std::uint32_t> order = by_id(made.entries);
    std::vector<bool> is_double(made.entries.size());
    for (std::size_t i = 1; i < order.size(); ++i) {
      is_double[order[i]] = made.entries[order[i - 1]].id == made.entries[order[i]].id;
    }
    std::size_t kept = 0;
    for (std::size_t i = 0; i < made.entries.size(); ++i) {
      if (!is_double[i]) made.entries[kept++] = made.entries[i];
    }
    made.entries.resize(kept);
    return made;
  }

  // The places of the entries in the order of ids; equal ones stay in theirs.
  static std::vector<std::uint32_t> by_id(const std::vector<Entry>& entries) {
    std::vector<std::uint32_t> order(entries.size());
    std::iota(order.begin(), order.end(), 0U);
    std::sort(order.begin(), order.end(),
              [&](auto a, auto b) { return std::tie(entries[a].id, a) < std::tie(entries[b].id, b); });
    return order;
  }

  const Commits& m_commits;
  std::deque<DatumPart>& m_matches;
};

base::Result<std::vector<DatumPart>> list_matches(const spec::RepoInput& input, const Commit& commit) {
  BASE_TRY_ASSIGN(const auto pattern, glob::Glob::compile(input.glob, glob::Separator::slash));
  std::vector<DatumPart> matches;
  if (commit.files.empty()) return matches;
  for (const auto& [path, range] : commit.paths()) {
    BASE_TRY(base::check_stop());
    const std::string full = "/" + path;
    if (!glob::is_datum(pattern, full)) continue;
    matches.push_back({&input, &commit, path, range, commit.digest_of(range),
                       glob::datum_key(pattern, full, input.join_on),
                       glob::datum_key(pattern, full, input.group_by)});
  }
  return matches;
}

std::string did_you_mean_glob(const spec::RepoInput& input, const Commit& commit) {
  constexpr int k_levels = 3;
  constexpr std::string_view k_level = "/*";
  std::vector<std::string> candidates;
  std::string deeper = input.glob;
  for (int level = 0; level < k_levels; ++level) candidates.push_back(deeper.insert(0, k_level));
  for (const auto& first : {std::string(k_level), "/" + input.repo}) {
    if (input.glob.starts_with(first + "/")) candidates.push_back(input.glob.substr(first.size()));
  }
  const auto paths = commit.paths();
  std::string found;
  for (const auto& candidate : candidates) {
    const auto pattern = glob::Glob::compile(candidate, glob::Separator::slash);
    const auto is_match = [&](const auto& entry) { return glob::is_datum(*pattern, "/" + entry.first); };
    if (!pattern || std::none_of(paths.begin(), paths.end(), is_match)) continue;
    if (!found.empty()) return "";
    found = candidate;
  }
  return found.empty() ? "" : "did you mean " + base::quoted(found) + "?";
}

base::Result<DatumList> DatumList::make(const spec::Input& input, const Commits& commits) {
  std::deque<DatumPart> matches;
  BASE_TRY_ASSIGN(auto made, DatumMaker(commits, matches).make(input));
  return DatumMaker::list_of(std::move(made), std::move(matches));
}

Datum DatumList::at(std::size_t index) const {
  const auto& entry = m_entries.at(index);
  Datum datum;
  datum.id = base::to_hex(pfs::bytes_of(entry.id));
  datum.number = index + 1;
  datum.parts.assign(m_parts.begin() + entry.begin, m_parts.begin() + entry.end);
  return datum;
}

}  // namespace local
