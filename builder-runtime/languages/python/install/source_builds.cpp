// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/install/source_builds.h"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <condition_variable>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/text.h"
#include "process/descendants.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_interval{500};
// What is built faster than this is not worth a line.
constexpr std::chrono::seconds k_patience{3};
constexpr std::chrono::seconds k_again{60};

// Where the processes are that descend from this one.
std::set<std::string> folders_of_descendants() {
  std::multimap<pid_t, pid_t> children;
  for (const auto& process : process::visible_processes()) children.emplace(process.parent, process.number);
  boost::system::error_code error;
  std::set<std::string> folders;
  std::vector<pid_t> open = {::getpid()};
  for (std::size_t at = 0; at < open.size(); ++at) {
    const auto [from, to] = children.equal_range(open[at]);
    for (auto child = from; child != to; ++child) {
      open.push_back(child->second);
      const auto folder = fs::read_symlink(fs::path("/proc") / std::to_string(child->second) / "cwd", error);
      if (!error) folders.insert(folder.string());
    }
  }
  return folders;
}

}  // namespace

std::optional<SourceBuild> source_build_in(std::string_view folder) {
  const auto parts = base::split(folder, '/');
  const auto bucket = std::find_if(parts.begin(), parts.end(),
                                   [](const std::string& part) { return part.starts_with("sdists-v"); });
  if (bucket == parts.end()) return std::nullopt;
  const auto rest = static_cast<std::size_t>(parts.end() - bucket);
  // pypi/NAME/VERSION/… and index/DIGEST/NAME/VERSION/…
  if (rest > 3 && bucket[1] == "pypi") return SourceBuild{bucket[2], bucket[3]};
  if (rest > 4 && bucket[1] == "index") return SourceBuild{bucket[3], bucket[4]};
  return std::nullopt;
}

SourceBuilds::SourceBuilds(std::string why, std::function<void(const std::string& line)> tell)
    : m_why(std::move(why)),
      m_tell(std::move(tell)),
      m_thread([this](const std::stop_token& stop) { watch(stop); }) {}

void SourceBuilds::watch(const std::stop_token& stop) {
  struct Seen {
    Clock::time_point begun;
    Clock::time_point told;
    bool is_told = false;
  };
  std::map<std::string, Seen> seen;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!wake.wait_for(lock, stop, k_interval, [] { return false; }) && !stop.stop_requested()) {
    const auto now = Clock::now();
    for (const auto& folder : folders_of_descendants()) {
      const auto build = source_build_in(folder);
      if (!build) continue;
      const std::string package = build->name + " " + build->version;
      auto& entry = seen.try_emplace(package, Seen{now, now, false}).first->second;
      if (!entry.is_told && now - entry.begun >= k_patience) {
        m_tell(package + " is being built from source" + m_why);
        entry.is_told = true;
        entry.told = now;
      } else if (entry.is_told && now - entry.told >= k_again) {
        m_tell(package + " is still being built (" + base::format_duration(now - entry.begun) + ")");
        entry.told = now;
      }
    }
  }
}

}  // namespace builder::python
