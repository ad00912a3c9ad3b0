// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/record/reasons.h"

#include <algorithm>

#include "base/relative_path.h"
#include "base/text.h"

namespace local {
namespace {

constexpr std::size_t k_differences_shown = 3;

using Values = std::map<std::string, std::string>;
using Entry = std::pair<const std::string, std::string>;

// Calls `tell` with each entry that only one of the two has, or both with different values.
template <class Range, class Tell>
void compare(const Range& before, const Range& now, Tell&& tell) {
  auto old = before.begin();
  auto fresh = now.begin();
  while (old != before.end() || fresh != now.end()) {
    if (fresh == now.end() || (old != before.end() && old->first < fresh->first)) {
      tell(&*old++, static_cast<const Entry*>(nullptr));
    } else if (old == before.end() || fresh->first < old->first) {
      tell(static_cast<const Entry*>(nullptr), &*fresh++);
    } else {
      if (old->second != fresh->second) tell(&*old, &*fresh);
      ++old;
      ++fresh;
    }
  }
}

std::string name_of(const Entry* before, const Entry* now) { return (now == nullptr ? before : now)->first; }

std::string what_happened(const Entry* before, const Entry* now) {
  if (name_of(before, now) == k_arguments_fact) {
    return std::string("arguments ") + (before == nullptr ? "were added"
                                        : now == nullptr  ? "were removed"
                                                          : "changed");
  }
  return name_of(before, now) + (before == nullptr ? " is new"
                                 : now == nullptr  ? " was removed"
                                                   : " changed");
}

// The files of a datum's part in a listing: the file itself, or what is below the folder.
Values below(const RunRecord::Files& files, const std::string& path) {
  if (path.empty()) return files;
  Values found;
  if (const auto file = files.find(path); file != files.end()) found.insert(*file);
  const std::string folder = path + "/";
  for (auto file = files.lower_bound(folder);
       file != files.end() && file->first.compare(0, folder.size(), folder) == 0; ++file)
    found.insert(*file);
  return found;
}

}  // namespace

std::vector<std::string> differences(const Facts& before, const Facts& now) {
  std::vector<std::string> found;
  compare(before.hidden, now.hidden,
          [&](const Entry* old, const Entry* fresh) { found.push_back(what_happened(old, fresh)); });
  compare(before.shown, now.shown, [&](const Entry* old, const Entry* fresh) {
    found.push_back(old != nullptr && fresh != nullptr
                        ? old->first + ": " + old->second + " is now " + fresh->second
                        : what_happened(old, fresh));
  });
  return found;
}

std::string in_a_line(const std::vector<std::string>& differences) {
  const auto shown = std::min(differences.size(), k_differences_shown);
  const auto end = differences.begin() + static_cast<std::ptrdiff_t>(shown);
  auto line = base::join({differences.begin(), end}, ", ");
  if (differences.size() > shown)
    line += " and " + base::count_of(differences.size() - shown, "more difference");
  return line;
}

Reasons::Reasons(const std::optional<RunRecord>& last, const RunRecord& now, bool force)
    : m_last(last), m_force(force) {
  if (!m_last) return;
  m_settings = differences(m_last->build, now.build);
  const auto others = differences(m_last->settings, now.settings);
  m_settings.insert(m_settings.end(), others.begin(), others.end());
  for (const auto& datum : m_last->datums) m_datums.emplace(datum.id, &datum);
}

const std::vector<std::string>& Reasons::files_of(const DatumPart& part) {
  const auto [known, is_new] = m_files.try_emplace(&part);
  auto& found = known->second;
  if (!is_new) return found;
  const auto repo = repo_key(*part.input);
  Values before;
  if (const auto files = m_last->repos.find(repo); files != m_last->repos.end())
    before = below(files->second, part.path);
  Values now;
  for (auto i = part.files.begin; i < part.files.end; ++i) {
    const auto& file = part.commit->files[i];
    now.emplace(file.path, file.digest.substr(0, k_short_digest));
  }
  compare(before, now, [&](const Entry* old, const Entry* fresh) {
    found.push_back(base::join_path(repo, what_happened(old, fresh)));
  });
  return found;
}

std::string Reasons::of(const Datum& datum, const std::string& key) {
  if (!m_last) return m_force ? "--force was given" : "first run";
  const auto known = m_datums.find(datum.id);
  if (known == m_datums.end()) return "new";
  const auto& last = *known->second;
  if (last.key == key) {
    switch (last.state) {
      case LastState::failed:
        return "failed last time";
      case LastState::not_run:
        return "did not run last time";
      default:
        return m_force ? "--force was given" : "result no longer in the cache";
    }
  }
  auto all = m_settings;
  for (const auto* part : datum.parts) {
    const auto& files = files_of(*part);
    all.insert(all.end(), files.begin(), files.end());
  }
  return all.empty() ? "an input of its result changed" : in_a_line(all);
}

}  // namespace local
