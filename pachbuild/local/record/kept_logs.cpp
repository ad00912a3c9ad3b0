// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/record/kept_logs.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <functional>

namespace local {
namespace {

namespace fs = base::fs;

constexpr char k_extension[] = ".log";

// Calls `take` with each log in the folder.
void visit_logs(const fs::path& folder, const std::function<void(const fs::path&)>& take) {
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == k_extension) take(entry->path());
  }
}

}  // namespace

std::vector<ResultStore::KeptFile> all_logs(const fs::path& cache) {
  std::vector<ResultStore::KeptFile> logs;
  boost::system::error_code error;
  for (fs::directory_iterator entry(cache / "run", error), end; !error && entry != end;
       entry.increment(error)) {
    visit_logs(entry->path() / "logs", [&](const fs::path& path) {
      struct stat status{};
      if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
      logs.push_back({path, static_cast<std::uint64_t>(status.st_blocks) * 512,
                      std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec)});
    });
  }
  return logs;
}

void keep_logs(const fs::path& folder, const std::set<std::string>& keys) {
  std::vector<fs::path> removed;
  visit_logs(folder, [&](const fs::path& path) {
    if (!keys.contains(path.stem().string())) removed.push_back(path);
  });
  for (const auto& path : removed) ::unlink(path.c_str());
}

}  // namespace local
