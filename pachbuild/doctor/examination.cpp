// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/doctor/examination.h"

#include <future>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "base/credentials.h"
#include "base/text.h"
#include "pachbuild/local/session/environment.h"

namespace doctor {
namespace {

using Time = std::chrono::steady_clock::time_point;

// The check on a thread of its own. (std::async waits for its thread in the end.)
std::future<Findings> start(const Check& check) {
  auto task = std::make_shared<std::packaged_task<Findings()>>(check.look);
  auto future = task->get_future();
  try {
    std::thread([task] { (*task)(); }).detach();
  } catch (const std::system_error&) {
    (*task)();
  }
  return future;
}

Findings result_of(std::future<Findings>& future, const Check& check, Time deadline,
                   std::chrono::seconds patience) {
  if (future.wait_until(deadline) != std::future_status::ready) {
    return {problem(check.name, "did not answer within " + std::to_string(patience.count()) + " s",
                    "check whether a disk or the network hangs")};
  }
  try {
    return future.get();
  } catch (const std::exception& exception) {
    return {
        problem(check.name, std::string("cannot be examined: ") + exception.what(), "report this as a bug")};
  }
}

void hide_passwords(Finding& finding) {
  finding.what = base::hide_credentials(finding.what);
  finding.fix = base::hide_credentials(finding.fix);
}

base::fs::path place_of_cache() { return local::cache_path().value_or("/"); }

}  // namespace

std::vector<Check> checks_of(const std::shared_ptr<const Machine>& machine, const Scope& scope) {
  const auto clusters = scope.cluster ? Clusters::wanted : Clusters::maybe;
  std::vector<Check> checks = {
      {"system", "kernel", check_kernel},
      {"system", "sandboxes", [machine] { return check_sandboxes(*machine); }},
      {"system", "processors", check_processors},
      {"system", "memory", check_memory},
      {"system", "disk", [] { return check_disk(place_of_cache()); }},
      {"programs", "programs", [machine] { return check_own_programs(*machine); }},
      {"tools", "tools", [machine, clusters] { return check_tools(*machine, clusters); }},
      {"cache", "folder", [machine] { return check_cache(*machine); }},
      {"cache", "size", [machine] { return check_cache_size(*machine); }},
      {"network", "proxies", [machine] { return check_proxies(*machine); }},
      {"network", "certificates", [machine] { return check_certificates(*machine); }},
  };
  if (scope.network) checks.push_back({"network", "indexes", [machine] { return check_indexes(*machine); }});
  checks.push_back({"containers", "images", [machine] { return check_images(*machine); }});
  if (scope.cluster) {
    checks.push_back({"cluster", "cluster",
                      [machine, context = scope.context] { return check_cluster(*machine, context); }});
  }
  return checks;
}

std::vector<Group> examine(const std::vector<Check>& checks, std::chrono::milliseconds patience) {
  std::vector<std::future<Findings>> started;
  started.reserve(checks.size());
  for (const auto& check : checks) started.push_back(start(check));
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::vector<Group> groups;
  for (std::size_t i = 0; i < checks.size(); ++i) {
    auto findings =
        result_of(started[i], checks[i], deadline, std::chrono::ceil<std::chrono::seconds>(patience));
    if (findings.empty()) continue;
    if (groups.empty() || groups.back().name != checks[i].group) groups.push_back({checks[i].group, {}});
    for (auto& finding : findings) {
      hide_passwords(finding);
      groups.back().findings.push_back(std::move(finding));
    }
  }
  return groups;
}

}  // namespace doctor
