// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/make_room.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/text.h"
#include "base/unique_fd.h"
#include "contract/environment.h"
#include "worker-shim/folders.h"

namespace shim {
namespace {

// Uses are noted to the hour (seal.h).
constexpr time_t k_recently = time_t{2} * 3600;

struct Old {
  time_t last_use;
  std::string path;
};

// The least recently used first.
std::vector<Old> list_old(const std::string& environments, time_t now) {
  std::vector<Old> found;
  const Folder folder = open_folder(environments);
  while (const dirent* const entry = folder ? ::readdir(folder.get()) : nullptr) {
    if (!base::is_digest(entry->d_name)) continue;
    std::string path = environments + "/" + entry->d_name;
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0 || status.st_ctim.tv_sec > now - k_recently) continue;
    found.push_back({status.st_ctim.tv_sec, std::move(path)});
  }
  std::sort(found.begin(), found.end(), [](const Old& a, const Old& b) { return a.last_use < b.last_use; });
  return found;
}

bool mentions(const std::string& file, std::string_view text) {
  const auto content = read_text(file);
  return content && base::contains(*content, text);
}

bool is_in_use(const std::string& environment) {
  const Folder processes = open_folder("/proc");
  bool seen_any = false;
  const std::string variable = std::string(contract::k_environment_variable) + "=" + environment;
  while (const dirent* const entry = processes ? ::readdir(processes.get()) : nullptr) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    seen_any = true;
    const std::string process = std::string("/proc/") + entry->d_name;
    // With its end: the terminating zero, or the slash of a file inside.
    if (mentions(process + "/environ", variable + '\0')) return true;
    if (mentions(process + "/maps", environment + '/')) return true;
  }
  return !seen_any;
}

}  // namespace

bool remove_oldest_environment(const std::string& environments, time_t now) {
  for (const auto& [last_use, path] : list_old(environments, now)) {
    if (is_in_use(path)) continue;
    // Its lock goes with the folder: whoever wants to unpack under the new name waits until we are done. What
    // is left of it when we are killed is a leftover.
    const base::UniqueFd folder(::open(path.c_str(), k_folder_itself));
    if (!folder || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) continue;
    const std::string unused = environments + "/" + k_unfinished_prefix + path.substr(path.rfind('/') + 1);
    if (::rename(path.c_str(), unused.c_str()) != 0) continue;
    std::fprintf(stderr, "worker-shim: removing environment %.12s, unused for %ld hours, to make room\n",
                 path.c_str() + path.rfind('/') + 1, static_cast<long>((now - last_use) / 3600));
    remove_folder(unused);
    return true;
  }
  return false;
}

}  // namespace shim
