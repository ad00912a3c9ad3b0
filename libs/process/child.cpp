// SPDX-License-Identifier: Apache-2.0
// Boost.Process starts the child and carries the error of a failing exec to us. Waiting is ours: its timed
// waits race with other children (1.74), a pidfd does not.
#include "process/child.h"

// The child borrows this process's memory until it has executed its program: a copy costs more than all the
// rest. Boost asks standards that no longer have vfork(2); Linux has it. The thread sanitizer copies the
// memory all the same, and would lose the error of an exec.
#ifndef __SANITIZE_THREAD__
#define BOOST_POSIX_HAS_VFORK 1
#endif

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/process/args.hpp>
#include <boost/process/child.hpp>
#include <boost/process/error.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/posix.hpp>
#include <boost/process/start_dir.hpp>
#include <cerrno>
#include <csignal>
#include <thread>

#include "base/errors.h"
#include "base/text.h"

namespace process {
namespace {

namespace bp = boost::process;

#ifdef BOOST_POSIX_HAS_VFORK
constexpr const auto& k_start = bp::posix::use_vfork;
#else
constexpr bp::extend::handler k_start{};
#endif

// No one is left to see it.
constexpr int k_orphan_exit_code = 1;

// Whoever started this program may have left descriptors of its own open in it. Only marked, not closed: by
// one of them Boost tells of an exec that fails.
void close_others_on_exec() {
  constexpr int k_first = STDERR_FILENO + 1;
  if (::syscall(SYS_close_range, k_first, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  // Linux before 5.11.
  rlimit limit{};
  constexpr rlim_t k_most = 1 << 20;
  const rlim_t end = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? std::min(limit.rlim_cur, k_most) : k_most;
  for (int descriptor = k_first; descriptor < static_cast<int>(end); ++descriptor) {
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  }
}

// What the child does between fork and exec: system calls only.
class Preparation : public bp::extend::handler {
 public:
  Preparation(const Command& command, char** environment, int null)
      : m_command(command), m_environment(environment), m_null(null) {}

  template <class Executor>
  void on_setup(Executor& executor) const {
    executor.env = m_environment;
  }

  template <class Executor>
  void on_exec_setup(Executor& /*executor*/) const {
    if (!m_command.owns_terminal) ::setpgid(0, 0);
    ::dup2(m_command.standard_input >= 0 ? m_command.standard_input : m_null, STDIN_FILENO);
    // Standard error first: it may be asked to go where standard output goes now.
    if (m_command.standard_error >= 0) ::dup2(m_command.standard_error, STDERR_FILENO);
    if (m_command.standard_output >= 0) ::dup2(m_command.standard_output, STDOUT_FILENO);
    // A descriptor that already has the number which it is to get keeps its mark through dup2().
    for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::fcntl(descriptor, F_SETFD, 0);
    close_others_on_exec();
    for (const int descriptor : m_command.inherited) ::fcntl(descriptor, F_SETFD, 0);
    if (m_command.owns_terminal) {
      ::setsid();  // makes it lead a group as well
      ::ioctl(STDIN_FILENO, TIOCSCTTY, 0);
    }
    if (m_command.orphan_signal != 0) {
      ::prctl(PR_SET_PDEATHSIG, m_command.orphan_signal);
      // Already an orphan: the signal would never come.
      if (::getppid() != m_parent) ::_exit(k_orphan_exit_code);
    }
    for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
  }

 private:
  const Command& m_command;
  char** m_environment;
  int m_null;
  pid_t m_parent = ::getpid();
};

// As exec takes it: "NAME=value" and a null at the end. Boost 1.74's own environment reads beyond its entries
// when it looks for a name that is longer than one of them.
class EnvironmentBlock {
 public:
  explicit EnvironmentBlock(const Environment& environment) {
    for (const auto& [name, value] : environment) m_entries.push_back(base::join({name, value}, "="));
    for (auto& entry : m_entries) m_pointers.push_back(entry.data());
    m_pointers.push_back(nullptr);
  }
  char** data() { return m_pointers.data(); }

 private:
  std::vector<std::string> m_entries;
  std::vector<char*> m_pointers;
};

base::ErrorKind kind_of_exec_failure(int error_number) {
  const bool absent = error_number == ENOENT || error_number == EACCES || error_number == ENOEXEC;
  return absent ? base::ErrorKind::unavailable : base::ErrorKind::io;
}

}  // namespace

base::Result<Child> Child::start(const Command& command) {
  const std::string& program = command.arguments.at(0);
  const base::UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!null) return base::fail(base::system_error("read", "/dev/null", errno));

  EnvironmentBlock environment(command.environment);
  std::error_code error;
  const std::string folder = command.folder.empty() ? "." : command.folder.string();
  bp::child child(bp::exe = program,
                  bp::args = std::vector<std::string>(command.arguments.begin() + 1, command.arguments.end()),
                  bp::start_dir = folder, Preparation(command, environment.data(), null.get()), k_start,
                  error);
  if (error) {
    auto failure = base::system_error("start", program, error.value());
    failure.kind = kind_of_exec_failure(error.value());
    return base::fail(std::move(failure));
  }
  const pid_t pid = child.id();
  child.detach();
  base::UniqueFd descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!descriptor) {
    const int error_number = errno;
    ::kill(-pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return base::fail(base::system_error("watch", program, error_number));
  }
  return Child(pid, std::move(descriptor));
}

Child::~Child() {
  if (!m_descriptor) return;
  signal_group(SIGKILL);
  static_cast<void>(wait());
}

base::Result<Ending> Child::wait() {
  int status = 0;
  while (::waitpid(m_pid, &status, 0) < 0) {
    if (errno != EINTR) {
      return base::fail(base::system_error("wait for", "process " + std::to_string(m_pid), errno));
    }
  }
  m_descriptor.reset();
  return Ending::from_wait_status(status);
}

base::Result<std::optional<Ending>> Child::wait_for(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd poll_entry{m_descriptor.get(), POLLIN, 0};
    const int ready = ::poll(&poll_entry, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) break;
    if (ready == 0) return std::nullopt;
    if (errno != EINTR) return base::fail(base::system_error("watch", "a process", errno));
  }
  BASE_TRY_ASSIGN(const Ending ending, wait());
  return ending;
}

void Child::signal_group(int signal) const {
  if (m_descriptor) ::kill(-m_pid, signal);
}

void Child::suspend_group(std::chrono::milliseconds patience) const {
  if (!m_descriptor) return;
  signal_group(SIGTSTP);
  constexpr std::chrono::milliseconds k_between{5};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < deadline) {
    siginfo_t info{};
    const bool was_asked =
        ::waitid(P_PID, static_cast<id_t>(m_pid), &info, WSTOPPED | WEXITED | WNOHANG | WNOWAIT) == 0;
    if (!was_asked || info.si_pid == m_pid) return;
    std::this_thread::sleep_for(k_between);
  }
}

}  // namespace process
