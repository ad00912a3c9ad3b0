// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cluster/side_by_side.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <set>
#include <string>

#include "base/parallel.h"
#include "base/stop.h"
#include "process/secret_folder.h"

namespace cluster {
namespace {

// More would only wait for the same processors.
constexpr std::size_t k_most_at_once = 4;

}  // namespace

base::Status SideBySide::run() {
  const bool is_shared =
      std::all_of(m_all.begin(), m_all.end(), [](const auto& entry) { return entry.pachctl.is_shared(); });
  const std::size_t threads = is_shared ? std::min(m_all.size(), k_most_at_once) : 1;
  // pachctl completes a configuration that lacks something, and does not replace the file at once: another
  // one that reads it at that moment finds it empty, and may write an empty one. So each has its own.
  std::optional<process::SecretFolder> copies;
  std::set<std::string> used;
  for (std::size_t i = 0; i < m_all.size() && threads > 1; ++i) {
    Pachctl& pachctl = m_all[i].pachctl;
    if (used.insert(pachctl.configuration().string()).second) continue;
    if (!copies) {
      BASE_TRY_ASSIGN(auto folder, process::SecretFolder::make(pachctl.scratch()));
      copies.emplace(std::move(folder));
    }
    const auto copy = copies->path() / ("config-" + std::to_string(i) + ".json");
    BASE_TRY_ASSIGN(pachctl, pachctl.with_copied_configuration(copy));
  }
  std::vector<base::Status> results(m_all.size());
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> has_failed = false;
  const auto take_turns = [&] {
    for (std::size_t turn = next++; turn < m_all.size(); turn = next++) {
      // The first of several threads begin together.
      if (has_failed && (threads == 1 || turn >= threads)) return;
      results[turn] = base::check_stop();
      if (results[turn]) results[turn] = m_all[turn].calls(m_all[turn].pachctl);
      if (!results[turn]) has_failed = true;
    }
  };
  std::vector<std::future<void>> others;
  for (std::size_t i = 1; i < threads; ++i) others.push_back(base::start_async(take_turns));
  take_turns();
  for (auto& other : others) other.get();
  for (auto& result : results) {
    if (!result) return std::move(result);
  }
  return {};
}

}  // namespace cluster
