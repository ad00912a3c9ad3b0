// SPDX-License-Identifier: Apache-2.0
#include "process/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/errors.h"
#include "base/files.h"

namespace process {
namespace {

constexpr char k_terminal[] = "the terminal";
// More than this is not read ahead for a program that does not read itself.
constexpr std::size_t k_read_ahead = std::size_t{64} << 10;
// How soon a terminal that no process has open is looked at again, and how long something that was printed
// at the end is waited for.
constexpr int k_look_again_ms = 50;
constexpr int k_last_words_ms = 100;

// Readable when the size of the window may have changed, or this process was stopped and goes on.
std::atomic<int> changes = -1;

void note_change(int /*signal*/) {
  const int number = errno;
  static_cast<void>(::eventfd_write(changes, 1));
  errno = number;
}

// Waits for the end of the process that has the other end of standard input, and gives the terminal `tty` its
// settings back. Calls of the system only: the copy has but this thread of several.
[[noreturn]] void guard_settings(int end_of_owner, int tty, const termios& settings) {
  // A process of another session may change the settings, whoever has the terminal.
  ::setsid();
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGTTOU}) ::signal(signal, SIG_IGN);
  ::dup2(tty, STDOUT_FILENO);
  ::dup2(end_of_owner, STDIN_FILENO);
  ::close_range(STDOUT_FILENO + 1, ~0U, 0);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, sizeof byte) < 0 && errno == EINTR) {
  }
  ::tcsetattr(STDOUT_FILENO, TCSANOW, &settings);
  ::_exit(0);
}

termios raw(termios settings) {
  ::cfmakeraw(&settings);
  return settings;
}

}  // namespace

base::Result<Pty> Pty::open() {
  constexpr char k_name[] = "a terminal for the command";
  Pty pty;
  pty.near.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.near || ::grantpt(pty.near.get()) != 0 || ::unlockpt(pty.near.get()) != 0)
    return base::fail(base::system_error("make", k_name, errno));
  // Not by its name, which may be another one in this view of the machine.
  pty.far.reset(::ioctl(pty.near.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!pty.far) return base::fail(base::system_error("make", k_name, errno));
  return pty;
}

struct Terminal::State {
  termios settings{};
  base::UniqueFd changes;
  base::UniqueFd alive;  // the guard's other end
  pid_t guard = 0;
  struct sigaction window{};
  struct sigaction resumed{};
};

bool Terminal::is_there() { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1; }

base::Result<Terminal> Terminal::take() {
  auto state = std::make_unique<State>();
  const auto failure = [](const char* doing) {
    return base::fail(base::system_error(doing, k_terminal, errno));
  };
  if (::tcgetattr(STDIN_FILENO, &state->settings) != 0) return failure("read the settings of");
  state->changes.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!state->changes) return failure("watch");
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failure("watch");
  const base::UniqueFd read(ends[0]);
  state->alive.reset(ends[1]);
  state->guard = ::fork();
  if (state->guard < 0) return failure("watch");
  if (state->guard == 0) guard_settings(read.get(), STDIN_FILENO, state->settings);

  changes = state->changes.get();
  struct sigaction action{};
  action.sa_handler = note_change;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGWINCH, &action, &state->window);
  ::sigaction(SIGCONT, &action, &state->resumed);
  Terminal terminal(std::move(state));
  const auto settings = raw(terminal.m_state->settings);
  if (::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings) != 0) return failure("set up");
  return terminal;
}

Terminal::Terminal(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Terminal::Terminal(Terminal&&) noexcept = default;

Terminal::~Terminal() {
  if (!m_state) return;
  ::sigaction(SIGWINCH, &m_state->window, nullptr);
  ::sigaction(SIGCONT, &m_state->resumed, nullptr);
  changes = -1;
  m_state->alive.reset();
  while (::waitpid(m_state->guard, nullptr, 0) < 0 && errno == EINTR) {
  }
  // Should the guard have been killed.
  ::tcsetattr(STDIN_FILENO, TCSANOW, &m_state->settings);
}

void Terminal::equip(int pty) const {
  ::tcsetattr(pty, TCSANOW, &m_state->settings);
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) ::ioctl(pty, TIOCSWINSZ, &size);
}

namespace {

// The bytes on their way between the person and a program.
class Traffic {
 public:
  explicit Traffic(int pty) : m_pty(pty) { ::fcntl(pty, F_SETFL, O_NONBLOCK); }

  [[nodiscard]] short wanted_of_person() const { return m_typed.size() < k_read_ahead ? POLLIN : 0; }
  [[nodiscard]] short wanted_of_program() const {
    return static_cast<short>(POLLIN | (m_typed.empty() ? 0 : POLLOUT));
  }

  // False when nobody can type any more.
  bool take_typed() {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count > 0) m_typed.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN));
  }

  void give_typed() {
    const ssize_t count = ::write(m_pty, m_typed.data(), m_typed.size());
    if (count > 0) m_typed.erase(0, static_cast<std::size_t>(count));
    if (count < 0 && errno == EIO) m_typed.clear();
  }

  enum class Printed { some, nothing, closed };
  base::Result<Printed> show_printed() {
    const ssize_t count = ::read(m_pty, m_printed.data(), m_printed.size());
    if (count > 0) {
      BASE_TRY(
          base::write_all(STDOUT_FILENO, {m_printed.data(), static_cast<std::size_t>(count)}, k_terminal));
      return Printed::some;
    }
    return count < 0 && (errno == EAGAIN || errno == EINTR) ? Printed::nothing : Printed::closed;
  }

  // What was printed before the end, unless somebody goes on printing for ever.
  base::Status show_rest() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
    while (std::chrono::steady_clock::now() < end) {
      pollfd entry{m_pty, POLLIN, 0};
      if (::poll(&entry, 1, k_last_words_ms) == 0) return {};
      BASE_TRY_ASSIGN(const auto printed, show_printed());
      if (printed == Printed::closed) return {};
    }
    return {};
  }

 private:
  int m_pty;
  std::string m_typed;
  std::array<char, std::size_t{64} << 10> m_printed{};
};

}  // namespace

base::Result<Terminal::End> Terminal::serve(int pty, int ended, int interruption) {
  const auto traffic = std::make_unique<Traffic>(pty);
  bool is_closed = false;  // no process has the program's terminal open; one may open it again
  while (true) {
    std::array<pollfd, 5> entries{pollfd{STDIN_FILENO, traffic->wanted_of_person(), 0},
                                  pollfd{is_closed ? -1 : pty, traffic->wanted_of_program(), 0},
                                  pollfd{ended, POLLIN, 0}, pollfd{interruption, POLLIN, 0},
                                  pollfd{m_state->changes.get(), POLLIN, 0}};
    const int ready = ::poll(entries.data(), entries.size(), is_closed ? k_look_again_ms : -1);
    if (ready < 0 && errno != EINTR) return base::fail(base::system_error("watch", k_terminal, errno));
    is_closed = false;
    if (ready <= 0) continue;
    eventfd_t count = 0;
    if (entries[4].revents != 0 && ::eventfd_read(m_state->changes.get(), &count) == 0) {
      // A shell that this process was stopped by has set up the terminal for itself.
      const auto settings = raw(m_state->settings);
      ::tcsetattr(STDIN_FILENO, TCSADRAIN, &settings);
      winsize size{};
      if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) ::ioctl(pty, TIOCSWINSZ, &size);
    }
    if ((entries[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
      BASE_TRY_ASSIGN(const auto printed, traffic->show_printed());
      is_closed = printed == Traffic::Printed::closed;
    }
    if ((entries[1].revents & POLLOUT) != 0) traffic->give_typed();
    if (entries[2].revents != 0) {
      BASE_TRY(traffic->show_rest());
      return End::program;
    }
    if (entries[3].revents != 0) return End::signal;
    if (entries[0].revents != 0 && !traffic->take_typed()) return End::hang_up;
  }
}

}  // namespace process
