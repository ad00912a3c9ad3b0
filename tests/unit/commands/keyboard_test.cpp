// SPDX-License-Identifier: Apache-2.0
// The keys of `pachbuild dev`, on a terminal of the test's own.
#include "pachbuild/commands/keyboard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>
#include <functional>

#include "process/fork.h"
#include "process/terminal.h"

namespace commands {
namespace {

termios terminal_settings() {
  termios now{};
  ::tcgetattr(STDIN_FILENO, &now);
  return now;
}

bool is_as(const termios& first, const termios& second) {
  return first.c_lflag == second.c_lflag && first.c_cc[VQUIT] == second.c_cc[VQUIT] &&
         first.c_cc[VMIN] == second.c_cc[VMIN] && first.c_cc[VTIME] == second.c_cc[VTIME];
}

// The exit code of `body` in a session with a terminal, whose other end it gets.
int code_of_session(const std::function<int(process::Pty& pty)>& body) {
  return process::run_in_fork([&] {
           ::alarm(20);
           ::setsid();
           ::signal(SIGTTOU, SIG_IGN);
           ::signal(SIGHUP, SIG_IGN);
           auto pty = process::Pty::open().value();
           ::dup2(pty.far.get(), STDIN_FILENO);
           ::ioctl(STDIN_FILENO, TIOCSCTTY, 0);
           auto own = terminal_settings();
           own.c_cc[VMIN] = 3;
           own.c_cc[VTIME] = 7;
           ::tcsetattr(STDIN_FILENO, TCSANOW, &own);
           return body(pty);
         })
      .value()
      .exit_code();
}

TEST(Keyboard, GivesKeysOneByOneAndTheTerminalBack) {
  EXPECT_EQ(code_of_session([](process::Pty& pty) {
              const auto before = terminal_settings();
              {
                Keyboard keyboard;
                if (keyboard.descriptor() != STDIN_FILENO) return 1;
                const auto taken = terminal_settings();
                if ((taken.c_lflag & (ICANON | ECHO)) != 0 || (taken.c_lflag & ISIG) == 0) return 2;
                if (taken.c_cc[VMIN] != 1 || taken.c_cc[VTIME] != 0) return 3;
                if (taken.c_cc[VQUIT] != _POSIX_VDISABLE || taken.c_cc[VINTR] != before.c_cc[VINTR]) return 4;
                if (::write(pty.near.get(), "rq", 2) != 2) return 5;
                if (keyboard.take() != "rq") return 6;
                keyboard.release();
                if (!is_as(terminal_settings(), before)) return 7;
                keyboard.refresh();
                keyboard.refresh();
                if (!is_as(terminal_settings(), taken)) return 8;
              }
              return is_as(terminal_settings(), before) ? 0 : 9;
            }),
            0);
}

// Half of what is to be taken, as another program may leave it.
TEST(Keyboard, TakesATerminalThatIsOnlyPartlyTaken) {
  for (const tcflag_t flag : {static_cast<tcflag_t>(ICANON), static_cast<tcflag_t>(ECHO)}) {
    EXPECT_EQ(code_of_session([&](process::Pty&) {
                auto own = terminal_settings();
                own.c_lflag &= ~flag;
                ::tcsetattr(STDIN_FILENO, TCSANOW, &own);
                const Keyboard keyboard;
                return (terminal_settings().c_lflag & (ICANON | ECHO)) == 0 ? 0 : 1;
              }),
              0);
  }
}

TEST(Keyboard, InTheBackgroundChangesNothing) {
  EXPECT_EQ(code_of_session([](process::Pty&) {
              const auto before = terminal_settings();
              const pid_t other = ::fork();
              if (other == 0) {
                ::pause();
                ::_exit(0);
              }
              ::setpgid(other, other);
              const auto end = [&](int code) {
                ::kill(other, SIGKILL);
                ::waitpid(other, nullptr, 0);
                return code;
              };
              Keyboard keyboard;
              const auto taken = terminal_settings();
              ::tcsetpgrp(STDIN_FILENO, other);
              keyboard.refresh();
              if (keyboard.descriptor() != -1) return end(1);
              ::tcsetattr(STDIN_FILENO, TCSANOW, &taken);
              keyboard.release();
              if (!is_as(terminal_settings(), taken)) return end(2);
              ::tcsetattr(STDIN_FILENO, TCSANOW, &before);
              keyboard.refresh();
              if (!is_as(terminal_settings(), before)) return end(3);
              ::tcsetpgrp(STDIN_FILENO, ::getpgrp());
              keyboard.refresh();
              if (keyboard.descriptor() != STDIN_FILENO || !is_as(terminal_settings(), taken)) return end(4);
              return end(0);
            }),
            0);
}

TEST(Keyboard, OfATerminalThatIsGoneHasNoKeys) {
  EXPECT_EQ(code_of_session([](process::Pty& pty) {
              Keyboard keyboard;
              if (keyboard.descriptor() != STDIN_FILENO) return 1;
              ::fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
              if (!keyboard.take().empty() || keyboard.descriptor() != STDIN_FILENO) return 2;  // no key yet
              pty.near.reset();
              if (!keyboard.take().empty() || keyboard.descriptor() != -1) return 3;
              keyboard.refresh();
              return keyboard.descriptor() == -1 ? 0 : 4;
            }),
            0);
  EXPECT_EQ(code_of_session([](process::Pty&) {
              const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
              ::dup2(nothing, STDIN_FILENO);
              return Keyboard().descriptor() == -1 ? 0 : 1;
            }),
            0);
}

}  // namespace
}  // namespace commands
