// SPDX-License-Identifier: Apache-2.0
// A person at a terminal, and a program that has one of its own on it.
#include "process/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "process/child.h"

namespace process {
namespace {

constexpr cc_t k_own_interrupt_key = 5;

// Whether it came about within a time that is far too long.
bool comes_about(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

// Has a terminal of 33 rows and 77 columns on which a copy of this process does `body`.
class Person {
 public:
  explicit Person(const std::function<int()>& body) {
    auto own = settings();
    own.c_cc[VINTR] = k_own_interrupt_key;
    ::tcsetattr(m_pty.far.get(), TCSANOW, &own);
    set_size(33, 77);
    m_program = ::fork();
    if (m_program != 0) return;
    ::alarm(20);
    ::setsid();
    ::dup2(m_pty.far.get(), STDIN_FILENO);
    ::dup2(m_pty.far.get(), STDOUT_FILENO);
    ::ioctl(STDIN_FILENO, TIOCSCTTY, 0);
    m_pty.near.reset();
    ::_exit(body());
  }
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;
  ~Person() {
    if (m_program > 0) static_cast<void>(end());
  }

  void type(std::string_view text) {
    while (!text.empty()) {
      read(0);
      const auto count = ::write(m_pty.near.get(), text.data(), std::min<std::size_t>(text.size(), 1000));
      if (count < 0) return;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  bool sees(const std::string& text) {
    return comes_about([&] {
      read(0);
      return m_seen.find(text) != std::string::npos;
    });
  }
  void set_size(unsigned short rows, unsigned short columns) const {
    const winsize size{rows, columns, 0, 0};
    ::ioctl(m_pty.near.get(), TIOCSWINSZ, &size);
  }
  [[nodiscard]] termios settings() const {
    termios now{};
    EXPECT_EQ(::tcgetattr(m_pty.far.get(), &now), 0);
    return now;
  }
  void set(const termios& now) const { ::tcsetattr(m_pty.far.get(), TCSANOW, &now); }
  [[nodiscard]] bool has_raw_terminal() const { return (settings().c_lflag & (ICANON | ISIG | ECHO)) == 0; }
  // A script may have printed something before its terminal is set up.
  bool sees_and_is_set_up(const std::string& text) {
    return sees(text) && comes_about([&] { return has_raw_terminal(); });
  }
  void signal(int number) const { ::kill(m_program, number); }
  void hang_up() { m_pty.near.reset(); }
  // The exit code; 256 and the number of the signal that ended it.
  int end() {
    int status = 0;
    EXPECT_TRUE(comes_about([&] {
      read(0);
      return ::waitpid(m_program, &status, WNOHANG) == m_program;
    }));
    m_program = 0;
    while (read(0)) {
    }
    return WIFSIGNALED(status) ? 256 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  [[nodiscard]] const std::string& seen() const { return m_seen; }

 private:
  bool read(int wait) {
    pollfd entry{m_pty.near.get(), POLLIN, 0};
    std::array<char, 16384> buffer{};
    if (!m_pty.near || ::poll(&entry, 1, wait) <= 0) return false;
    const auto count = ::read(entry.fd, buffer.data(), buffer.size());
    if (count > 0) m_seen.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0;
  }

  Pty m_pty = Pty::open().value();
  pid_t m_program = 0;
  std::string m_seen;
};

constexpr int k_was_interrupted = 101;
constexpr int k_was_hung_up = 102;

// Runs `script` on a terminal of its own: its exit code, or what ended it before.
int serve_script(const std::string& script, int interruption = -1) {
  auto terminal = Terminal::take();
  auto pty = Pty::open();
  if (!terminal || !pty) return 103;
  terminal->equip(pty->far.get());
  Command command{.arguments = {"/bin/sh", "-c", script}, .environment = {{"PATH", "/usr/bin:/bin"}}};
  command.standard_input = command.standard_output = command.standard_error = pty->far.get();
  command.owns_terminal = true;
  auto child = Child::start(command);
  if (!child) return 104;
  pty->far.reset();
  const auto end = terminal->serve(pty->near.get(), child->descriptor(), interruption);
  if (!end) return 105;
  if (*end == Terminal::End::signal) return k_was_interrupted;
  if (*end == Terminal::End::hang_up) return k_was_hung_up;
  const auto ending = child->wait();
  return ending ? ending->exit_code() : 106;
}

bool is_same(const termios& first, const termios& second) {
  return first.c_iflag == second.c_iflag && first.c_oflag == second.c_oflag &&
         first.c_lflag == second.c_lflag && first.c_cc[VINTR] == second.c_cc[VINTR];
}

TEST(Terminal, PassesOnWhatIsTypedAndPrinted) {
  Person person([] { return serve_script("echo ready; read line; echo \"got $line\"; exit 3"); });
  const auto before = person.settings();
  ASSERT_TRUE(person.sees_and_is_set_up("ready\r\n"));
  person.type("abc\n");
  EXPECT_EQ(person.end(), 3);
  EXPECT_EQ(person.seen(), "ready\r\nabc\r\ngot abc\r\n") << "the program's terminal echoes";
  EXPECT_TRUE(is_same(person.settings(), before));
}

TEST(Terminal, GivesTheProgramsTheSameSettingsAndSize) {
  Person person([] { return serve_script("stty size; stty -a | grep -o 'intr = ^E'"); });
  EXPECT_EQ(person.end(), 0);
  EXPECT_EQ(person.seen(), "33 77\r\nintr = ^E\r\n");
}

TEST(Terminal, KeysMeanSomethingToTheProgramOnly) {
  Person person([] { return serve_script("trap 'echo caught; exit 4' INT; echo ready; read x; read x"); });
  ASSERT_TRUE(person.sees("ready"));
  person.type(std::string(1, static_cast<char>(k_own_interrupt_key)));
  EXPECT_EQ(person.end(), 4);
  EXPECT_NE(person.seen().find("caught"), std::string::npos);
}

TEST(Terminal, TheSizeFollowsTheWindow) {
  Person person([] { return serve_script("trap 'stty size; exit 5' WINCH; echo ready; read x; read x"); });
  ASSERT_TRUE(person.sees("ready"));
  person.set_size(12, 34);
  EXPECT_EQ(person.end(), 5);
  EXPECT_TRUE(person.seen().ends_with("12 34\r\n")) << person.seen();
}

TEST(Terminal, ShowsAllThatIsPrintedBeforeTheEnd) {
  Person person([] { return serve_script("head -c 300000 /dev/zero | tr '\\0' x"); });
  EXPECT_EQ(person.end(), 0);
  EXPECT_EQ(person.seen().size(), 300'000U);
}

TEST(Terminal, TakesMoreThanTheProgramReadsAtOnce) {
  Person person([] { return serve_script("stty raw -echo; printf ready; head -c 300000 | cksum"); });
  ASSERT_TRUE(person.sees("ready"));
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i) + "\n";
  text.resize(300'000);
  person.type(text);
  EXPECT_EQ(person.end(), 0);
  // What cksum(1) says of the same bytes that come by no terminal.
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "typed.").value();
  ASSERT_TRUE(base::write_file(folder.path() / "typed", text));
  const auto sum =
      base::UniqueFd(::open((folder.path() / "sum").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  Command command{.arguments = {"/bin/sh", "-c", "cksum < " + (folder.path() / "typed").string()},
                  .environment = {{"PATH", "/usr/bin:/bin"}}};
  command.standard_output = sum.get();
  ASSERT_EQ(Child::start(command).value().wait().value().code(), 0);
  const auto said = base::read_file(folder.path() / "sum").value();
  EXPECT_EQ(person.seen().substr(5, said.size() - 1) + "\n", said);
}

TEST(Terminal, EndsWithAnInterruption) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  Person person([&] { return serve_script("echo ready; read x", ends[0]); });
  const auto before = person.settings();
  ASSERT_TRUE(person.sees("ready"));
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  EXPECT_EQ(person.end(), k_was_interrupted);
  EXPECT_TRUE(is_same(person.settings(), before));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(Terminal, EndsWhenNobodyCanTypeAnyMore) {
  Person person([] {
    ::signal(SIGHUP, SIG_IGN);
    return serve_script("trap '' HUP; echo ready; read x");
  });
  ASSERT_TRUE(person.sees("ready"));
  person.hang_up();
  EXPECT_EQ(person.end(), k_was_hung_up);
}

TEST(Terminal, GetsItsSettingsBackFromAKilledProgramToo) {
  Person person([] { return serve_script("echo ready; read x"); });
  const auto before = person.settings();
  ASSERT_TRUE(person.sees_and_is_set_up("ready"));
  person.signal(SIGKILL);
  EXPECT_EQ(person.end(), 256 + SIGKILL);
  EXPECT_TRUE(comes_about([&] { return is_same(person.settings(), before); }));
}

// As after Ctrl-Z in the shell that started it, which sets the terminal up for itself.
TEST(Terminal, IsSetUpAgainWhenItGoesOn) {
  Person person([] { return serve_script("echo ready; read line; exit 7"); });
  const auto before = person.settings();
  ASSERT_TRUE(person.sees_and_is_set_up("ready"));
  person.set(before);
  ASSERT_FALSE(person.has_raw_terminal());
  person.signal(SIGCONT);
  EXPECT_TRUE(comes_about([&] { return person.has_raw_terminal(); }));
  person.type("\n");
  EXPECT_EQ(person.end(), 7);
  EXPECT_TRUE(is_same(person.settings(), before));
}

TEST(Terminal, LeavesSignalsAsTheyWere) {
  Person person([] {
    ::signal(SIGWINCH, SIG_IGN);
    serve_script("exit 0");
    struct sigaction window{};
    struct sigaction resumed{};
    ::sigaction(SIGWINCH, nullptr, &window);
    ::sigaction(SIGCONT, nullptr, &resumed);
    return window.sa_handler == SIG_IGN && resumed.sa_handler == SIG_DFL ? 0 : 1;
  });
  EXPECT_EQ(person.end(), 0);
}

TEST(Terminal, IsThereWhenBothStreamsAreOne) {
  for (const int other : {-1, STDIN_FILENO, STDOUT_FILENO}) {
    Person person([&] {
      std::array<int, 2> ends{};
      if (::pipe(ends.data()) != 0) return 2;
      if (other >= 0) ::dup2(other == STDIN_FILENO ? ends[0] : ends[1], other);
      return Terminal::is_there() == (other < 0) ? 0 : 1;
    });
    EXPECT_EQ(person.end(), 0) << other;
  }
  Person person([] {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return 2;
    ::dup2(ends[0], STDIN_FILENO);
    const auto taken = Terminal::take();
    if (taken) return 3;
    return taken.error().where == "the terminal" &&
                   taken.error().what == "cannot read the settings of: " + std::string(std::strerror(ENOTTY))
               ? 0
               : 4;
  });
  EXPECT_EQ(person.end(), 0);
}

}  // namespace
}  // namespace process
