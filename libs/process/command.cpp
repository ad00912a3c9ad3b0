// SPDX-License-Identifier: Apache-2.0
#include "process/command.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cstring>

#include "base/text.h"

namespace process {
namespace {

bool is_executable_file(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

Environment current_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    // A name may start with '=' in theory, hence the search from 1; the first of two values counts.
    const auto equals = text.find('=', 1);
    if (equals != std::string::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

std::string value_of(const Environment& environment, const std::string& name) {
  const auto entry = environment.find(name);
  return entry == environment.end() ? std::string() : entry->second;
}

std::optional<std::string> find_program(const std::string& name, const std::string& search_path) {
  if (base::contains(name, '/')) {
    const auto path = base::fs::absolute(name).string();
    return is_executable_file(path) ? std::optional(path) : std::nullopt;
  }
  for (const auto& folder : base::split(search_path, ':')) {
    if (folder.empty() || folder.front() != '/') continue;
    const std::string path = folder + "/" + name;
    if (is_executable_file(path)) return path;
  }
  return std::nullopt;
}

Ending Ending::from_wait_status(int status) {
  if (WIFSIGNALED(status)) return {0, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

std::optional<int> Ending::code() const { return m_signal == 0 ? std::optional(m_code) : std::nullopt; }
std::optional<int> Ending::signal() const { return m_signal != 0 ? std::optional(m_signal) : std::nullopt; }

std::string Ending::describe() const {
  if (m_signal == 0) return "exit code " + std::to_string(m_code);
  const char* name = ::sigdescr_np(m_signal);
  return "signal " + std::to_string(m_signal) + (name == nullptr ? "" : " (" + std::string(name) + ")");
}

std::string Ending::predicate() const {
  return m_signal == 0 ? "exited with code " + std::to_string(m_code) : "was killed by " + describe();
}

}  // namespace process
