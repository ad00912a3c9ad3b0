// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/supervise.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string_view>

#include "base/errors.h"
#include "base/unique_fd.h"
#include "contract/exit_codes.h"
#include "worker-shim/descendants.h"
#include "worker-shim/signals.h"
#include "worker-shim/terminal.h"

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

// What of our signals the program must find as it was.
struct Signals {
  sigset_t mask;
  struct sigaction child_ended;
};

// From here on signals wait for us. Whoever started us may have ignored SIGCHLD, and then the kernel would
// keep no exit codes. Blocking SIGTTOU is also what lets us pass the terminal on from the background.
base::Result<Signals> take_signals() {
  Signals before{};
  const sigset_t all = every_signal();
  struct sigaction plain{};
  plain.sa_handler = SIG_DFL;
  if (::sigprocmask(SIG_SETMASK, &all, &before.mask) != 0 ||
      ::sigaction(SIGCHLD, &plain, &before.child_ended) != 0) {
    return base::fail(base::system_error("wait for", "signals", errno));
  }
  return before;
}

void give_back(const Signals& before) {
  ::sigaction(SIGCHLD, &before.child_ended, nullptr);
  ::sigprocmask(SIG_SETMASK, &before.mask, nullptr);
}

void close_one(int descriptor) { base::UniqueFd owned(descriptor); }

// Where the kernel has no close_range (before 5.9) or a container engine refuses it.
void close_one_by_one() {
  const base::UniqueFd list(::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!list) {
    // More are seldom open, and the limit of some engines is a thousand million.
    constexpr rlim_t k_most = 65'536;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const int end = static_cast<int>(std::min(limit.rlim_cur, k_most));
    for (int descriptor = STDERR_FILENO + 1; descriptor < end; ++descriptor) close_one(descriptor);
    return;
  }
  alignas(dirent64) std::array<char, 4096> buffer{};
  while (true) {
    const ssize_t size = ::getdents64(list.get(), buffer.data(), buffer.size());
    if (size <= 0) return;
    for (ssize_t at = 0; at < size;) {
      const auto* const entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      const int descriptor = static_cast<int>(std::strtol(entry->d_name, nullptr, 10));  // 0 for "." and ".."
      if (descriptor > STDERR_FILENO && descriptor != list.get()) close_one(descriptor);
      at += entry->d_reclen;
    }
  }
}

// A reader of the program's output sees its end when the program closes it, not when we end; the same for
// every descriptor that we were started with. Terminals are kept, to be passed on, and standard error, for
// words.
void close_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO}) {
    if (::isatty(stream) == 0) close_one(stream);
  }
  if (::close_range(STDERR_FILENO + 1, UINT_MAX, 0) != 0) close_one_by_one();
}

// One line, without the heap.
void say(std::string_view line) { static_cast<void>(!::write(STDERR_FILENO, line.data(), line.size())); }

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
  if (::setpgid(0, 0) != 0 && ::getpgrp() != ::getpid()) {
    say("worker-shim: the program gets no process group of its own, since the system refuses setpgid: "
        "signals reach it alone\n");
  }
  pass_terminal(supervisor.group, ::getpid());
  give_back(before);
}

// A folder that somebody works in cannot be unmounted: the supervisor goes to "/" before there is a program,
// and only the program's process comes back. We stay where it could not.
class LeftFolder {
 public:
  LeftFolder() : m_folder(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    if (::fchdir(m_folder.get()) != 0 || ::chdir("/") != 0) m_folder.reset();
  }
  void enter() const {
    if (m_folder) static_cast<void>(!::fchdir(m_folder.get()));
  }
  void close() { m_folder.reset(); }

 private:
  base::UniqueFd m_folder;
};

// Asks for a signal when our parent dies; it may have died just before.
base::Status follow_parent(int signal) {
  if (signal == 0) return {};
  const pid_t parent = ::getppid();
  if (::prctl(PR_SET_PDEATHSIG, signal) != 0) {
    return base::fail(base::system_error("follow", "the parent process", errno));
  }
  if (::getppid() != parent) ::kill(::getpid(), signal);
  return {};
}

// Whether what the program leaves will be ours.
bool adopt_descendants() {
  if (::getpid() == k_init || ::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0) return true;
  // An emulator of another processor does not know it (qemu 7.2: EINVAL), as all who use one for long know.
  if (errno != EINVAL) {
    say("worker-shim: the system refuses PR_SET_CHILD_SUBREAPER: processes that the program leaves outside "
        "its process group will outlive it\n");
  }
  return false;
}

int exit_code_of(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : contract::k_signal_base + WTERMSIG(wait_status);
}

// Whether signals that wait can be taken, asked of none, which takes none; and the ends of children.
base::Status check_waiting() {
  sigset_t none;
  ::sigemptyset(&none);
  const timespec now{};
  if (::sigtimedwait(&none, nullptr, &now) < 0 && errno != EAGAIN && errno != EINTR) {
    return base::fail(base::system_error("wait for", "signals", errno));
  }
  if (::waitpid(-1, nullptr, WNOHANG) < 0 && errno != ECHILD) {
    return base::fail(base::system_error("wait for", "processes", errno));
  }
  return {};
}

class Supervisor {
 public:
  Supervisor(const Supervision& options, pid_t program, bool adopts)
      : m_options(options), m_program(program), m_adopts(adopts) {}

  int run();

 private:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;

  static int next_signal(const std::optional<Time>& end, siginfo_t& info);
  void handle(const siginfo_t& signal);
  void forward(int signal);
  void tell_of_refusal(int error_number);
  void reap();
  void end_group() const;
  bool lend_terminal();
  void follow_stop(int signal);
  void stop_on_terminal(int signal);
  void stop_in_background(int signal);
  void resume_program();
  void end_rest();
  bool wait_for_rest();
  void kill_late_program();

  const Supervision& m_options;
  const pid_t m_program;  // also the number of its group
  const bool m_adopts;    // what it leaves becomes our child
  Terminal m_terminal;
  std::optional<Time> m_deadline;
  std::optional<int> m_exit_code;
  bool m_is_late = false;         // the grace period is over
  bool m_stop_forwarded = false;  // the program is to stop because we were told to
  bool m_was_hung_up = false;
  bool m_told_of_refusal = false;
};

int Supervisor::run() {
  while (!m_exit_code) {
    siginfo_t signal{};
    if (next_signal(m_deadline, signal) > 0) {
      handle(signal);
    } else {
      kill_late_program();
    }
  }
  end_rest();
  pass_terminal(m_program, ::getpgrp());
  if (m_terminal.was_opened()) m_terminal.pass(m_program, ::getpgrp());
  return m_options.exit_code(static_cast<unsigned>(*m_exit_code));
}

// The next signal, or nothing (-1) at the end of a time.
int Supervisor::next_signal(const std::optional<Time>& end, siginfo_t& info) {
  const sigset_t all = every_signal();
  while (true) {
    int signal = 0;
    if (end) {
      const auto left = std::max<std::chrono::nanoseconds>(*end - Clock::now(), {});
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
      const timespec time{static_cast<time_t>(seconds.count()), static_cast<long>((left - seconds).count())};
      signal = ::sigtimedwait(&all, &info, &time);
    } else {
      signal = ::sigwaitinfo(&all, &info);
    }
    if (signal > 0 || errno == EAGAIN) return signal;
  }
}

void Supervisor::handle(const siginfo_t& signal) {
  switch (signal.si_signo) {
    case SIGCHLD:
      return reap();
    case SIGCONT:
      // The shell above us put us into the foreground ("fg").
      m_stop_forwarded = false;
      m_terminal.pass(::getpgrp(), m_program);
      break;
    case SIGTERM:
      // A second one changes nothing about when the program is killed.
      if (!m_deadline) m_deadline = Clock::now() + m_options.grace;
      break;
    case SIGTSTP:
      m_stop_forwarded = true;
      break;
    case SIGTTIN:
    case SIGTTOU:
      if (signal.si_code == SI_KERNEL && lend_terminal()) return;
      break;
    default:
      break;
  }
  forward(signal.si_signo);
}

// To the group, or to the program alone where it has left its group.
void Supervisor::forward(int signal) {
  if (m_options.receiver == Receiver::group && ::kill(-m_program, signal) == 0) return;
  if (::kill(m_program, signal) != 0) tell_of_refusal(errno);
}

void Supervisor::tell_of_refusal(int error_number) {
  if (error_number != EPERM || m_told_of_refusal) return;
  m_told_of_refusal = true;
  say("worker-shim: the program cannot be sent signals: permission denied\n");
}

// All that ended, the program and orphans alike.
void Supervisor::reap() {
  siginfo_t ended{};
  const bool can_look =
      ::waitid(P_PID, static_cast<id_t>(m_program), &ended, WEXITED | WNOHANG | WNOWAIT) == 0;
  // Until it is reaped, its number cannot be another's.
  if (can_look && ended.si_pid == m_program) end_group();
  while (true) {
    int status = 0;
    const pid_t process = ::waitpid(-1, &status, WNOHANG | WUNTRACED);
    if (process <= 0) return;
    if (process != m_program) continue;
    if (WIFSTOPPED(status)) {
      follow_stop(WSTOPSIG(status));
      continue;
    }
    m_exit_code = exit_code_of(status);
    if (!can_look) end_group();
  }
}

// What the program has left in its group. What will not be ours to find is killed at once.
void Supervisor::end_group() const {
  if (!m_adopts || m_is_late) {
    ::kill(-m_program, SIGKILL);
  } else if (!m_deadline || m_options.receiver == Receiver::process) {
    ::kill(-m_program, SIGTERM);
    ::kill(-m_program, SIGCONT);
  }  // else the group has got SIGTERM already
}

// Another process of our group, beside us in a pipeline, wanted the terminal that the program has, and was
// stopped for it. Without us all would be one group, so it gets it; when the program needs it, it comes back
// (follow_stop).
bool Supervisor::lend_terminal() {
  const pid_t own_group = ::getpgrp();
  const pid_t foreground = m_terminal.foreground();
  if (foreground != m_program && foreground != own_group) return false;
  m_terminal.give_to(own_group);
  ::kill(0, SIGCONT);
  const sigset_t resumed = only(SIGCONT);
  const timespec now{};
  ::sigtimedwait(&resumed, nullptr, &now);
  return true;
}

// The program was stopped. Where that is about the terminal we stop with it, so that the shell above us sees
// the job stop. What a program is stopped with otherwise is between it and whoever does it, and SIGCONT is
// forwarded as any signal.
void Supervisor::follow_stop(int signal) {
  const pid_t own_group = ::getpgrp();
  const pid_t foreground = m_terminal.foreground();
  const bool wants_terminal = signal == SIGTTIN || signal == SIGTTOU;
  if (foreground < 0) return;
  if (wants_terminal && foreground == own_group) return resume_program();  // "fg" tells a running job nothing
  if (foreground == m_program || foreground == own_group) return stop_on_terminal(signal);
  stop_in_background(signal);
}

// Gives the program the terminal if it is for us to give.
void Supervisor::resume_program() {
  m_terminal.pass(::getpgrp(), m_program);
  ::kill(-m_program, SIGCONT);
}

// In the foreground, as by Ctrl-Z: the whole job, as the terminal would have stopped it without us.
void Supervisor::stop_on_terminal(int signal) {
  const bool was_asked_elsewhere = signal == SIGSTOP;
  m_stop_forwarded = false;
  m_terminal.pass(m_program, ::getpgrp());
  if (stop(was_asked_elsewhere ? SIGTSTP : signal, 0)) return resume_program();
  // Nobody is there who could continue us. The key stops nothing then; who sent a SIGSTOP sends a SIGCONT,
  // too.
  if (!was_asked_elsewhere) return resume_program();
  m_terminal.pass(::getpgrp(), m_program);
}

// In the background: for wanting the terminal the whole job stops, as the kernel stops a group. For SIGTSTP
// only if it came by us: then whoever sent it continues us.
void Supervisor::stop_in_background(int signal) {
  if (signal == SIGTSTP && m_stop_forwarded) {
    m_stop_forwarded = false;
    if (stop(SIGTSTP, ::getpid())) resume_program();
  }
  if (signal != SIGTTIN && signal != SIGTTOU) return;
  if (stop(signal, 0)) return resume_program();
  // Nobody can give us the terminal any more. The kernel's words for that to a group that is stopped:
  if (m_was_hung_up) {
    return say("worker-shim: the program waits for a terminal that is not available\n");
  }
  m_was_hung_up = true;
  ::kill(-m_program, SIGHUP);
  ::kill(-m_program, SIGCONT);
}

// What the program left running ends with it, as in a container: first it is asked to, then killed. Nobody
// waits for what may not be killed.
void Supervisor::end_rest() {
  if (reap_children() == Children::none || wait_for_rest()) return;
  if (!kill_children(m_program) && ::getpid() != k_init) {
    say("worker-shim: the program left processes that may not be killed\n");
  }
}

// Whether all ended by themselves in the time that they have: what is left of the grace period, where there
// is one.
bool Supervisor::wait_for_rest() {
  constexpr std::chrono::nanoseconds k_patience = std::chrono::seconds(1);
  if (m_is_late) return false;
  const Time end =
      m_deadline.value_or(Clock::now() + std::min<std::chrono::nanoseconds>(m_options.grace, k_patience));
  EndRequest request(m_program);
  siginfo_t signal{};
  do {
    const bool listed = request.ask();
    if (reap_children() == Children::none) return true;
    if (!listed) return false;
    if (next_signal(end, signal) < 0) {
      say("worker-shim: processes left by the program did not end in time after SIGTERM: killing them\n");
      return false;
    }
    // Whoever is told to end again does not wait.
  } while (signal.si_signo != SIGTERM && signal.si_signo != SIGINT && signal.si_signo != SIGQUIT);
  return false;
}

void Supervisor::kill_late_program() {
  say("worker-shim: the program did not end within the grace period after SIGTERM: killing it\n");
  m_is_late = true;
  m_deadline.reset();
  ::kill(-m_program, SIGKILL);
  if (::kill(m_program, SIGKILL) != 0) tell_of_refusal(errno);
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
  BASE_TRY_ASSIGN(const Signals before, take_signals());
  BASE_TRY(check_waiting());
  const Identity supervisor{::getpid(), ::getpgrp()};
  // Volatile, since the child of vfork works on this very stack.
  const volatile bool adopts = adopt_descendants();
  BASE_TRY(follow_parent(options.parent_death_signal));
  LeftFolder folder;
  // NOLINTNEXTLINE(bugprone-unsafe-functions): posix_spawn passes no terminal on and sets no death signal.
  pid_t program = start == Start::at_once ? ::vfork() : ::fork();
  // A container engine may refuse vfork alone.
  if (program < 0 && start == Start::at_once) program = ::fork();
  if (program < 0) return base::fail(base::system_error("start", "a process", errno));
  if (program == 0) {
    folder.enter();
    begin_program(options, before, supervisor);
    ::_exit(become());
  }
  // The program does the same; whoever comes first, a signal finds the group.
  ::setpgid(program, program);
  close_streams();
  folder.close();
  return Supervisor(options, program, adopts).run();
}

}  // namespace shim
