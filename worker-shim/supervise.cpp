// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/supervise.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <optional>
#include <string_view>

#include "base/errors.h"
#include "base/unique_fd.h"
#include "contract/exit_codes.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SHIM_FINDS_LEAKS
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SHIM_FINDS_LEAKS
#endif
#ifdef SHIM_FINDS_LEAKS
#include <sanitizer/lsan_interface.h>
#endif

namespace shim {
namespace {

constexpr pid_t k_init = 1;

// What the program's process has allocated in the memory that it shares with us has no owner once the program
// is executed. The leak sanitizer must not ask for one.
#ifdef SHIM_FINDS_LEAKS
using UnownedMemory = __lsan::ScopedDisabler;
#else
struct UnownedMemory {};
#endif

sigset_t every_signal() {
  sigset_t set;
  ::sigfillset(&set);
  return set;
}

sigset_t only(int signal) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, signal);
  return set;
}

// What of our signals the program must find as it was.
struct Signals {
  sigset_t mask;
  struct sigaction child_ended;
};

// From here on signals wait for us. Whoever started us may have ignored SIGCHLD, and then the kernel would
// keep no exit codes. Blocking SIGTTOU is also what lets us pass the terminal on from the background.
Signals take_signals() {
  Signals before{};
  const sigset_t all = every_signal();
  ::sigprocmask(SIG_SETMASK, &all, &before.mask);
  struct sigaction plain{};
  plain.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &plain, &before.child_ended);
  return before;
}

void give_back(const Signals& before) {
  ::sigaction(SIGCHLD, &before.child_ended, nullptr);
  ::sigprocmask(SIG_SETMASK, &before.mask, nullptr);
}

// The standard stream that is the terminal on which `group` is in the foreground; -1 when there is none.
int terminal_of(pid_t group) {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::tcgetpgrp(stream) == group) return stream;
  }
  return -1;
}

// The group `to` gets the terminal, if `from` has it.
void pass_terminal(pid_t from, pid_t to) {
  if (const int terminal = terminal_of(from); terminal >= 0) ::tcsetpgrp(terminal, to);
}

// A reader of the program's output sees its end when the program closes it, not when we end; the same for
// every descriptor that we were started with. Terminals are kept, to be passed on, and standard error, for
// words.
void close_streams() {
  for (const unsigned stream : {0U, 1U}) {
    if (::isatty(static_cast<int>(stream)) == 0) ::close_range(stream, stream, 0);
  }
  ::close_range(STDERR_FILENO + 1, UINT_MAX, 0);
}

struct Identity {
  pid_t process;
  pid_t group;
};

// In the new process: a group of its own, which has the terminal if the supervisor's had it.
void begin_program(const Supervision& options, const Signals& before, const Identity& supervisor) {
  if (options.parent_death_signal != 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != supervisor.process) ::raise(SIGKILL);
  }
  ::setpgid(0, 0);
  pass_terminal(supervisor.group, ::getpid());
  give_back(before);
}

// Asks for a signal when our parent dies; it may have died just before.
void follow_parent(int signal) {
  if (signal == 0) return;
  const pid_t parent = ::getppid();
  ::prctl(PR_SET_PDEATHSIG, signal);
  if (::getppid() != parent) ::kill(::getpid(), signal);
}

int exit_code_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : contract::k_signal_base + WTERMSIG(wait_status);
}

// Kills a process if it is a child of ours; numbers in a /proc of another PID namespace mean others.
bool kill_child(pid_t process) {
  siginfo_t info{};
  const bool is_ours = ::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
  return is_ours && ::kill(process, SIGKILL) == 0;
}

// Kills each child of ours, and tells whether there were any. Reads their numbers as they come, whatever
// their count.
bool kill_children() {
  const base::UniqueFd list(::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> buffer{};
  pid_t process = 0;
  bool any = false;
  while (true) {
    const ssize_t count = ::read(list.get(), buffer.data(), buffer.size());
    if (count <= 0) return any;
    for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(count))) {
      if (c >= '0' && c <= '9') {
        process = process * 10 + (c - '0');
      } else {
        any = kill_child(process) || any;
        process = 0;
      }
    }
  }
}

class Supervisor {
 public:
  Supervisor(const Supervision& options, pid_t program) : m_options(options), m_program(program) {}

  int run();

 private:
  using Clock = std::chrono::steady_clock;

  int next_signal() const;
  void handle(int signal);
  void forward(int signal) const;
  void reap();
  void follow_stop(int signal) const;
  void end_rest() const;
  void kill_late_program();

  const Supervision& m_options;
  const pid_t m_program;  // also the number of its group
  std::optional<Clock::time_point> m_deadline;
  std::optional<int> m_exit_code;
};

int Supervisor::run() {
  while (!m_exit_code) {
    const int signal = next_signal();
    if (signal > 0) {
      handle(signal);
    } else {
      kill_late_program();
    }
  }
  end_rest();
  pass_terminal(m_program, ::getpgrp());
  return m_options.exit_code(static_cast<unsigned>(*m_exit_code));
}

// The next signal, or nothing (-1) at the end of the grace period.
int Supervisor::next_signal() const {
  const sigset_t all = every_signal();
  while (true) {
    int signal = 0;
    if (m_deadline) {
      const auto left = std::max<std::chrono::nanoseconds>(*m_deadline - Clock::now(), {});
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
      const timespec time{static_cast<time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
      signal = ::sigtimedwait(&all, nullptr, &time);
    } else {
      signal = ::sigwaitinfo(&all, nullptr);
    }
    if (signal > 0 || errno == EAGAIN) return signal;
  }
}

void Supervisor::handle(int signal) {
  if (signal == SIGCHLD) return reap();
  // The shell above us put us into the foreground ("fg").
  if (signal == SIGCONT) pass_terminal(::getpgrp(), m_program);
  if (signal == SIGTERM && !m_deadline) m_deadline = Clock::now() + m_options.grace;
  forward(signal);
}

// To the group, or to the program alone where it has left its group.
void Supervisor::forward(int signal) const {
  if (m_options.receiver == Receiver::group && ::kill(-m_program, signal) == 0) return;
  ::kill(m_program, signal);
}

// All that ended, the program and orphans alike.
void Supervisor::reap() {
  siginfo_t ended{};
  if (::waitid(P_PID, static_cast<id_t>(m_program), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
      ended.si_pid == m_program) {
    // Before it is reaped its number cannot be another's. As PID 1 the kernel ends all the others.
    ::kill(-m_program, SIGKILL);
  }
  while (true) {
    int status = 0;
    const pid_t process = ::waitpid(-1, &status, WNOHANG | WUNTRACED);
    if (process <= 0) return;
    if (process != m_program) continue;
    if (WIFSTOPPED(status)) {
      follow_stop(WSTOPSIG(status));
    } else {
      m_exit_code = exit_code_of(status);
    }
  }
}

// The program was stopped on its terminal, as by Ctrl-Z: we stop with it, so that the shell above us takes
// over. What a program is stopped with otherwise is between it and whoever does it, and SIGCONT is forwarded
// as any signal.
void Supervisor::follow_stop(int signal) const {
  if (signal != SIGTSTP && signal != SIGTTIN && signal != SIGTTOU) return;
  if (terminal_of(m_program) < 0) return;
  pass_terminal(m_program, ::getpgrp());
  // The whole job, as the terminal would have stopped it without us. The kernel stops no group that has
  // nobody above it to continue it, nor PID 1: then this does nothing.
  ::kill(0, SIGTSTP);
  const sigset_t stop = only(SIGTSTP);
  ::sigprocmask(SIG_UNBLOCK, &stop, nullptr);
  ::sigprocmask(SIG_BLOCK, &stop, nullptr);
  // The signal that continued us, if one was needed, has done its work.
  const sigset_t resumed = only(SIGCONT);
  const timespec now{};
  ::sigtimedwait(&resumed, nullptr, &now);
  pass_terminal(::getpgrp(), m_program);
  ::kill(-m_program, SIGCONT);
}

// What the program left running ends with it, as in a container: orphans are children of ours, and killing
// one makes its children ours. Nobody waits for what may not be killed (a program of another user).
void Supervisor::end_rest() const {
  if (::getpid() == k_init) return;
  while (kill_children() && ::waitpid(-1, nullptr, 0) > 0) {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
}

void Supervisor::kill_late_program() {
  static constexpr std::string_view k_words =
      "worker-shim: the program did not end within the grace period after SIGTERM: killing it\n";
  static_cast<void>(!::write(STDERR_FILENO, k_words.data(), k_words.size()));
  m_deadline.reset();
  ::kill(-m_program, SIGKILL);
  ::kill(m_program, SIGKILL);
}

}  // namespace

void Supervision::remap(unsigned from, unsigned to) {
  remapped[from / 64] |= std::uint64_t{1} << (from % 64);
  exit_codes[from] = static_cast<unsigned char>(to);
}

int Supervision::exit_code(unsigned code) const {
  const bool is_remapped = (remapped[code / 64] >> (code % 64) & 1U) != 0;
  return is_remapped ? exit_codes[code] : static_cast<int>(code);
}

base::Result<int> supervise(const Supervision& options, Start start, const std::function<int()>& become) {
  [[maybe_unused]] const UnownedMemory unowned;
  const Signals before = take_signals();
  const Identity supervisor{::getpid(), ::getpgrp()};
  if (supervisor.process != k_init) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  follow_parent(options.parent_death_signal);
  // NOLINTNEXTLINE(bugprone-unsafe-functions): posix_spawn passes no terminal on and sets no death signal.
  const pid_t program = start == Start::at_once ? ::vfork() : ::fork();
  if (program < 0) return base::fail(base::system_error("start", "a process", errno));
  if (program == 0) {
    begin_program(options, before, supervisor);
    ::_exit(become());
  }
  // The program does the same; whoever comes first, a signal finds the group.
  ::setpgid(program, program);
  close_streams();
  return Supervisor(options, program).run();
}

}  // namespace shim
