// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/locks/locked_packages.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "builder-runtime/languages/python/packaging/version.h"

namespace builder::python {
namespace {

using base::ErrorKind;

bool any_allows(const std::vector<std::string>& alternatives, const std::string& version) {
  // A folder's package may have no version until it is built.
  if (alternatives.empty() || version.empty()) return true;
  const auto parsed = Version::parse(version);
  return std::any_of(alternatives.begin(), alternatives.end(), [&](const std::string& text) {
    const auto specifiers = Specifiers::parse(text);
    return text.empty() || (parsed && specifiers && specifiers->allows(*parsed));
  });
}

class Selection {
 public:
  Selection(const Lock& lock, const MarkerEnvironment& environment)
      : m_lock(lock), m_environment(environment) {
    for (const auto& package : lock.packages) m_by_name.emplace(package.name, &package);
  }

  // Takes all that is wanted, and what these packages need in their turn: a list of what is still to be
  // looked at, since a lock may have chains of any length.
  base::Status take_all(const std::vector<Wanted>& wanted) {
    for (const auto& one : wanted) m_waiting.push_back({&one, m_environment.extras, ""});
    while (!m_waiting.empty()) {
      const Request request = std::move(m_waiting.front());
      m_waiting.pop_front();
      BASE_TRY(want(*request.wanted, request.extras_of_asker, request.asker));
    }
    return {};
  }

  std::vector<std::string> lines() const { return {m_lines.begin(), m_lines.end()}; }

 private:
  struct Request {
    const Wanted* wanted = nullptr;
    std::set<std::string> extras_of_asker;
    std::string asker;
  };

  base::Status want(const Wanted& wanted, const std::set<std::string>& extras_of_asker,
                    const std::string& asker) {
    if (!wanted.for_extra.empty() && !extras_of_asker.contains(wanted.for_extra)) return {};
    if (!any_allows({wanted.python}, python_version())) return {};
    BASE_TRY_ASSIGN(const bool holds_here, evaluate(wanted.marker, extras_of_asker));
    if (!holds_here) return {};
    bool found = false;
    std::string other_version;
    const auto [first, last] = m_by_name.equal_range(wanted.name);
    for (auto entry = first; entry != last; ++entry) {
      const LockedPackage& package = *entry->second;
      BASE_TRY_ASSIGN(const bool is_for_here, counts_here(package, wanted));
      if (!is_for_here) continue;
      if (!any_allows(wanted.alternatives, package.version)) {
        other_version = package.version;
        continue;
      }
      found = true;
      take(package, wanted.extras);
    }
    if (found) return {};
    return base::fail(ErrorKind::bad_input, m_lock.file, mismatch(wanted, asker, other_version),
                      "regenerate the lock file (" + m_lock.remake + ") and commit it");
  }

  std::string python_version() const {
    const auto entry = m_environment.values.find("python_full_version");
    return entry == m_environment.values.end() ? "" : entry->second;
  }

  base::Result<bool> evaluate(const std::string& marker, const std::set<std::string>& extras) const {
    MarkerEnvironment environment = m_environment;
    environment.extras = extras;
    if (const auto result = holds(marker, environment)) return *result;
    return base::fail(ErrorKind::bad_input, m_lock.file, "the marker \"" + marker + "\" makes no sense",
                      "regenerate the lock file: " + m_lock.remake);
  }

  base::Result<bool> counts_here(const LockedPackage& package, const Wanted& wanted) const {
    if (!any_allows(package.pythons, python_version())) return false;
    const auto is_asked_for = [&](const std::string& extra) {
      return std::find(wanted.extras.begin(), wanted.extras.end(), extra) != wanted.extras.end();
    };
    if (!std::all_of(package.extras.begin(), package.extras.end(), is_asked_for)) return false;
    return evaluate(package.marker, {});
  }

  void take(const LockedPackage& package, const std::vector<std::string>& extras) {
    m_lines.insert(with_hashes(package.requirement, package.hashes));
    const std::set<std::string> asked(extras.begin(), extras.end());
    if (!m_taken.emplace(&package, asked).second) return;
    for (const auto& need : package.needs) m_waiting.push_back({&need, asked, package.name});
  }

  std::string mismatch(const Wanted& wanted, const std::string& asker, const std::string& version) const {
    std::string text = "does not match " + m_lock.manifest + ": ";
    const std::string by = asker.empty() ? m_lock.manifest : asker;
    const std::string required_by = asker.empty() ? "" : " by " + asker;
    if (version.empty()) return text + wanted.name + " is required" + required_by + " but not locked";
    return text + wanted.name + " " + version + " is locked, but " + by + " requires " + wanted.name +
           base::join(wanted.alternatives, " or ");
  }

  const Lock& m_lock;
  const MarkerEnvironment& m_environment;
  std::multimap<std::string, const LockedPackage*> m_by_name;
  std::set<std::pair<const LockedPackage*, std::set<std::string>>> m_taken;
  std::set<std::string> m_lines;
  std::deque<Request> m_waiting;
};

}  // namespace

base::Result<std::vector<std::string>> select_packages(const Lock& lock, const std::vector<Wanted>& wanted,
                                                       const MarkerEnvironment& environment) {
  Selection selection(lock, environment);
  BASE_TRY(selection.take_all(wanted));
  return selection.lines();
}

std::string with_hashes(const std::string& requirement, const std::vector<std::string>& hashes) {
  std::string line = requirement;
  for (const auto& hash : hashes) line += " \\\n    --hash=" + hash;
  return line;
}

}  // namespace builder::python
