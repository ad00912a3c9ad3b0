// SPDX-License-Identifier: Apache-2.0
#include "base/near.h"

#include <algorithm>
#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/path.hpp>

#include "base/text.h"

namespace base {
namespace {

namespace fs = boost::filesystem;

char lower(char character) {
  return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
}

// Characters to insert, delete, replace or swap with their neighbour until one name is the other.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<std::size_t>> costs(from.size() + 1, std::vector<std::size_t>(to.size() + 1));
  for (std::size_t j = 0; j <= to.size(); ++j) costs[0][j] = j;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    costs[i][0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const bool is_same = lower(from[i - 1]) == lower(to[j - 1]);
      costs[i][j] =
          std::min({costs[i - 1][j - 1] + (is_same ? 0 : 1), costs[i - 1][j] + 1, costs[i][j - 1] + 1});
      if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1])
        costs[i][j] = std::min(costs[i][j], costs[i - 2][j - 2] + 1);
    }
  }
  return costs.back().back();
}

std::string_view without_dashes(std::string_view name) {
  return name.substr(std::min(name.find_first_not_of('-'), name.size()));
}

std::vector<std::string> names_in(const fs::path& folder) {
  constexpr std::size_t k_most = 10'000;
  std::vector<std::string> names;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder.empty() ? fs::path(".") : folder, error);
       !error && entry != fs::directory_iterator() && names.size() < k_most; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::optional<std::string> near_name(std::string_view name, const std::vector<std::string>& names) {
  constexpr std::size_t k_longest = 100;
  name = without_dashes(name);
  if (name.empty() || name.size() > k_longest) return std::nullopt;
  std::optional<std::string> nearest;
  std::size_t best = name.size() / 3 + 1;
  for (const auto& candidate : names) {
    if (candidate.size() > k_longest) continue;
    const std::size_t distance = edit_distance(name, without_dashes(candidate));
    if (distance >= best) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& names,
                         const std::string& otherwise) {
  const auto nearest = near_name(name, names);
  return nearest ? "did you mean " + base::quoted(*nearest) + "?" : otherwise;
}

std::string did_you_mean_file(const std::string& path, const std::string& otherwise) {
  const fs::path wanted(path);
  // An ending says nothing: all files of a folder may have the same, and people mix "yml" and "yaml" up.
  std::vector<std::string> stems;
  std::vector<std::string> alike;
  auto names = names_in(wanted.parent_path());
  std::erase(names, wanted.filename().string());  // a link that leads nowhere
  for (const auto& name : names) stems.push_back(fs::path(name).stem().string());
  const auto stem = near_name(wanted.stem().string(), stems);
  if (!stem) return otherwise;
  for (const auto& name : names) {
    if (fs::path(name).stem() == *stem) alike.push_back(name);
  }
  const auto nearest = near_name(wanted.filename().string(), alike).value_or(alike.front());
  return "did you mean " + base::quoted((wanted.parent_path() / nearest).string()) + "?";
}

}  // namespace base
