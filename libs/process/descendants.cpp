// SPDX-License-Identifier: Apache-2.0
#include "process/descendants.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/files.h"
#include "base/text.h"

namespace process {
namespace {

namespace fs = base::fs;

constexpr std::chrono::seconds k_limit{2};
constexpr std::chrono::milliseconds k_pause{2};

// 0, which no process that can be seen has, where it is no number.
pid_t number_of(std::string_view text) {
  pid_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// From proc_pid_stat(5): fields follow the name, which may have spaces and brackets. Nothing where the
// process is gone.
std::optional<VisibleProcess> read_process(const fs::path& folder) {
  const auto text = base::read_file(folder / "stat");
  if (!text) return std::nullopt;
  const auto begin = text->find('(');
  const auto end = text->rfind(')');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return std::nullopt;
  const auto fields = base::split(std::string_view(*text).substr(end + 1), ' ');
  constexpr std::size_t k_parent = 2;
  constexpr std::size_t k_group = 3;
  if (fields.size() <= k_group) return std::nullopt;
  return VisibleProcess{number_of(*text), number_of(fields[k_parent]), number_of(fields[k_group]),
                        text->substr(begin + 1, end - begin - 1)};
}

std::set<pid_t> children() {
  std::set<pid_t> found;
  for (const auto& process : visible_processes()) {
    if (process.parent == ::getpid()) found.insert(process.number);
  }
  return found;
}

}  // namespace

std::vector<VisibleProcess> visible_processes() {
  std::vector<VisibleProcess> found;
  boost::system::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    if (number_of(entry->path().filename().string()) == 0) continue;
    if (auto process = read_process(entry->path())) found.push_back(std::move(*process));
  }
  return found;
}

// To list all processes takes longer than to ask whether there is a child at all, which there seldom is.
Descendants::Descendants() {
  siginfo_t info{};
  if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0) m_former = children();
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void Descendants::end() const {
  const auto deadline = std::chrono::steady_clock::now() + k_limit;
  while (std::chrono::steady_clock::now() < deadline) {
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    // The usual case: there is none, and nothing has to be listed.
    if (ended < 0 && errno == ECHILD) return;
    bool any = false;
    for (const pid_t child : children()) {
      if (m_former.contains(child)) continue;
      ::kill(child, SIGKILL);
      any = true;
    }
    if (!any) return;
    std::this_thread::sleep_for(k_pause);
  }
}

}  // namespace process
