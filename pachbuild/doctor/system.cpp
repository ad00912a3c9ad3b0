// SPDX-License-Identifier: Apache-2.0
#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <thread>
#include <utility>

#include "base/control_group.h"
#include "base/errors.h"
#include "base/parallel.h"
#include "base/text.h"
#include "pachbuild/doctor/checks.h"
#include "pachbuild/local/worker/sandbox_check.h"

namespace doctor {
namespace {

namespace fs = base::fs;

constexpr std::uint64_t k_mebibyte = std::uint64_t{1} << 20;
constexpr std::uint64_t k_gibibyte = std::uint64_t{1} << 30;

// pidfd_open(2), by which children are waited for.
constexpr std::uint64_t k_oldest_major = 5;
constexpr std::uint64_t k_oldest_minor = 3;
// Installing large packages takes as much.
constexpr std::uint64_t k_little_memory = k_gibibyte;
constexpr std::uint64_t k_little_disk = k_gibibyte;
constexpr std::uint64_t k_no_disk = 100 * k_mebibyte;
// An environment with numpy and pandas has about as many.
constexpr std::uint64_t k_few_files = 10'000;

// A setting of the kernel that forbids user namespaces, and what allows them.
struct Switch {
  const char* file;
  const char* forbidding;
  const char* fix;
};
constexpr std::array k_switches = {
    Switch{"proc/sys/kernel/unprivileged_userns_clone", "0",
           "sudo sysctl kernel.unprivileged_userns_clone=1"},
    Switch{"proc/sys/user/max_user_namespaces", "0", "sudo sysctl user.max_user_namespaces=10000"},
    Switch{"proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
           "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"},
};

std::string content_of(const fs::path& file) {
  return std::string(base::trim(base::read_file(file).value_or("")));
}

bool is_container(const fs::path& root) {
  boost::system::error_code error;
  return fs::exists(root / ".dockerenv", error) || fs::exists(root / "run/.containerenv", error);
}

// The one command for what this machine forbids; else what the check says.
std::string fix_of_sandbox(const fs::path& root, const std::string& hint) {
  for (const auto& one : k_switches) {
    if (content_of(root / one.file) == one.forbidding) return one.fix;
  }
  if (is_container(root))
    return "start the container with --security-opt seccomp=unconfined, or use --runtime";
  return hint.empty() ? "see docs/running-locally.md, \"Namespaces\"" : hint;
}

// The number that a text begins with.
std::uint64_t leading_number(std::string_view text) {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  return base::parse_number(text.substr(0, end)).value_or(0);
}

}  // namespace

fs::path existing_part(fs::path folder) {
  boost::system::error_code error;
  while (!folder.empty() && folder != "/" && !fs::exists(folder, error)) folder = folder.parent_path();
  return folder;
}

Findings judge_kernel(const std::string& release, const std::string& processor) {
  const auto parts = base::split(release, '.');
  const auto major = leading_number(parts.front());
  const auto minor = parts.size() > 1 ? leading_number(parts[1]) : 0;
  const std::string what = "Linux " + release + ", " + processor;
  if (std::pair(major, minor) >= std::pair(k_oldest_major, k_oldest_minor)) return {ok("kernel", what)};
  return {problem("kernel", what + " is too old", "use Linux 5.3 or newer")};
}

Findings check_kernel() {
  utsname name{};
  ::uname(&name);
  return judge_kernel(name.release, name.machine);
}

Findings check_sandboxes(const Machine& machine) {
  const auto finished = ask(machine, {machine.program.string(), local::k_sandbox_check_command});
  if (!finished)
    return {problem("sandboxes", "cannot be made: " + finished.error().what, "run the check again")};
  if (finished->ending.succeeded()) return {ok("sandboxes", "available")};
  const auto lines = base::split(finished->output, '\n');
  const std::string what = lines.front().empty() ? finished->ending.describe() : lines.front();
  return {problem("sandboxes", "cannot be made: " + what,
                  fix_of_sandbox(machine.root, lines.size() > 1 ? lines[1] : ""))};
}

Findings check_processors() {
  const auto all = std::max(1U, std::thread::hardware_concurrency());
  const auto granted = base::processors();
  if (granted >= all) return {ok("processors", std::to_string(all))};
  return {ok("processors", std::to_string(granted) + " of " + std::to_string(all) + ", by a control group")};
}

Findings judge_memory(std::uint64_t machine, std::uint64_t granted) {
  std::string what = base::format_bytes(std::min(machine, granted));
  if (granted < machine) what += " of " + base::format_bytes(machine) + ", by a control group";
  if (std::min(machine, granted) >= k_little_memory) return {ok("memory", what)};
  return {warning("memory", what + "; installing large packages needs more",
                  granted < machine ? "raise the memory limit of the container or service" : "add memory")};
}

Findings check_memory() {
  const auto machine = base::memory_of_machine();
  return judge_memory(machine, base::memory_limit(base::ControlGroup::find("memory")).value_or(machine));
}

Findings judge_disk(const std::string& folder, std::uint64_t free_bytes, std::uint64_t files,
                    std::uint64_t free_files) {
  constexpr char k_fix[] = "pachbuild cache clean --all";
  const std::string what = base::format_bytes(free_bytes) + " free at " + folder;
  if (free_bytes < k_no_disk) return {problem("disk", "only " + what, k_fix)};
  if (free_bytes < k_little_disk) return {warning("disk", "only " + what, k_fix)};
  // Disks that make room for files as they come say 0 of 0.
  if (files > 0 && free_files < k_few_files)
    return {warning("disk", what + ", but room for only " + base::count_of(free_files, "file"), k_fix)};
  return {ok("disk", what)};
}

Findings check_disk(const fs::path& folder) {
  const auto existing = existing_part(folder);
  struct statvfs disk{};
  if (::statvfs(existing.c_str(), &disk) != 0) {
    return {problem("disk", base::system_error("read", existing.string(), errno).what,
                    "set PACHBUILD_CACHE_DIR to another folder")};
  }
  return judge_disk(existing.string(), std::uint64_t{disk.f_bavail} * disk.f_frsize, disk.f_files,
                    disk.f_favail);
}

}  // namespace doctor
