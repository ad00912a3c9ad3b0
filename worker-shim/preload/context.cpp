// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/preload/context.h"

#include <sched.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "worker-shim/folders.h"

namespace shim::preload {
namespace {

// Of /proc/self/status (proc_pid_status(5)).
constexpr std::array<std::string_view, 16> k_lines = {
    "Umask",       "Uid",        "Gid",     "Groups",       "SigBlk",
    "SigIgn",      "CapInh",     "CapPrm",  "CapEff",       "CapBnd",
    "CapAmb",      "NoNewPrivs", "Seccomp", "Cpus_allowed", "Speculation_Store_Bypass",
    "Mems_allowed"};

constexpr std::array<const char*, 7> k_namespaces = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};

bool add_status(std::string& context) {
  const auto status = read_text("/proc/self/status");
  if (!status) return false;
  for (std::string_view rest = *status; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::string_view name = line.substr(0, line.find(':'));
    if (std::find(k_lines.begin(), k_lines.end(), name) != k_lines.end()) context.append(line) += '\n';
  }
  return true;
}

bool add_namespaces(std::string& context) {
  for (const char* const name : k_namespaces) {
    std::array<char, 64> target{};
    const ssize_t length =
        ::readlink((std::string("/proc/self/ns/") + name).c_str(), target.data(), target.size());
    if (length < 0) return false;
    context.append(target.data(), static_cast<std::size_t>(length)) += '\n';
  }
  return true;
}

void add_limits(std::string& context) {
  for (int resource = 0; resource < RLIMIT_NLIMITS; ++resource) {
    rlimit limit{};
    ::getrlimit(static_cast<__rlimit_resource>(resource), &limit);
    context += std::to_string(limit.rlim_cur) + "/" + std::to_string(limit.rlim_max) + " ";
  }
  context += std::to_string(::getpriority(PRIO_PROCESS, 0)) + "\n";
}

bool add_streams(std::string& context) {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    struct stat status{};
    if (::fstat(stream, &status) != 0) return false;
    if (S_ISCHR(status.st_mode) && ::isatty(stream) != 0) return false;
    context += std::to_string(status.st_mode & S_IFMT) + " ";
  }
  context += '\n';
  return true;
}

// Where a worker has a datum's folders differs from one to the next; what leads there does not.
std::optional<std::string> current_folder() {
  struct stat current{};
  struct stat named{};
  if (::stat(".", &current) != 0) return std::nullopt;
  const char* const name = std::getenv("PWD");
  if (name != nullptr && name[0] == '/' && ::stat(name, &named) == 0 && named.st_dev == current.st_dev &&
      named.st_ino == current.st_ino)
    return name;
  std::array<char, PATH_MAX> path{};
  if (::getcwd(path.data(), path.size()) == nullptr) return std::nullopt;
  return path.data();
}

// The root, and where the program starts, which some packages look at.
bool add_folders(Context& context) {
  struct stat root{};
  const auto folder = current_folder();
  if (!folder || ::stat("/", &root) != 0) return false;
  context.place += std::to_string(root.st_dev) + " " + std::to_string(root.st_ino) + "\n";
  context.rest += *folder + "\n";
  return true;
}

// Besides the standard streams.
bool has_more_descriptors() {
  const Folder list = open_folder("/proc/self/fd");
  if (!list) return true;
  while (const dirent* const entry = ::readdir(list.get())) {
    const auto descriptor = static_cast<int>(base::parse_number(entry->d_name).value_or(0));
    if (descriptor > STDERR_FILENO && (::fcntl(descriptor, F_GETFD) & FD_CLOEXEC) == 0) return true;
  }
  return false;
}

}  // namespace

std::optional<Context> current_context() {
  Context context;
  // A child whose end nobody is told of cannot be watched.
  struct sigaction child_ended{};
  if (::sigaction(SIGCHLD, nullptr, &child_ended) != 0 || child_ended.sa_handler == SIG_IGN)
    return std::nullopt;
  // A process group cannot be left by who leads its session.
  if (::getsid(0) == ::getpid()) return std::nullopt;
  context.place = std::to_string(::geteuid()) + "\n";
  if (has_more_descriptors() || !add_namespaces(context.place) || !add_status(context.rest) ||
      !add_streams(context.rest))
    return std::nullopt;
  if (!add_folders(context)) return std::nullopt;
  add_limits(context.rest);
  constexpr unsigned long k_only_ask = 0xffffffff;
  context.rest += std::to_string(::getsid(0)) + " " + std::to_string(::sched_getscheduler(0)) + " " +
                  std::to_string(::personality(k_only_ask)) + "\n";
  for (const char* const file : {"/proc/self/cgroup", "/proc/self/oom_score_adj"}) {
    const auto text = read_text(file);
    if (!text) return std::nullopt;
    context.rest += *text;
  }
  return context;
}

}  // namespace shim::preload
