// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/descendants.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace shim {
namespace {

// Starts a process that starts the next one, and so on. Each writes its number and then waits for ever.
void start_chain(int length, int out) {
  if (length == 0 || ::fork() != 0) return;
  ::signal(SIGTERM, SIG_IGN);
  start_chain(length - 1, out);
  const pid_t own = ::getpid();
  static_cast<void>(!::write(out, &own, sizeof own));
  while (true) ::pause();
}

TEST(KillChildren, TakesTheirChildrenAndThose) {
  constexpr int k_length = 4;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t owner = ::fork();
  if (owner == 0) {
    ::close(ends[0]);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    start_chain(k_length, ends[1]);
    ::alarm(20);
    // The test says when all have begun.
    ::raise(SIGSTOP);
    ::_exit(kill_children(::getpid()) ? 0 : 1);
  }
  ::close(ends[1]);
  std::array<pid_t, k_length> processes{};
  for (auto& process : processes)
    ASSERT_EQ(::read(ends[0], &process, sizeof process), ssize_t{sizeof process});
  int status = 0;
  ASSERT_EQ(::waitpid(owner, &status, WUNTRACED), owner);
  ASSERT_TRUE(WIFSTOPPED(status));
  ::kill(owner, SIGCONT);
  ASSERT_EQ(::waitpid(owner, &status, 0), owner);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  // Who lives still has the pipe.
  pollfd entry{ends[0], POLLIN, 0};
  if (::poll(&entry, 1, 5000) != 1) {
    for (const pid_t process : processes) ::kill(process, SIGKILL);
    FAIL() << "some live";
  }
  EXPECT_NE(entry.revents & POLLHUP, 0);
  ::close(ends[0]);
}

}  // namespace
}  // namespace shim
