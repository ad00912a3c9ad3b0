// SPDX-License-Identifier: Apache-2.0
#include "process/fork.h"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "base/errors.h"

namespace process {

base::Result<Ending> run_in_fork(const std::function<int()>& body) {
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return base::fail(base::system_error("start", "a process", errno));
  if (child == 0) {
    // In a new PID namespace the parent is outside and has the number 0.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent && ::getppid() != 0) ::_exit(1);
    ::_exit(body());
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return base::fail(base::system_error("wait for", "a process", errno));
  }
  return Ending::from_wait_status(status);
}

bool reap_orphans() {
  while (true) {
    const pid_t ended = ::waitpid(-1, nullptr, WNOHANG);
    if (ended == 0) return true;
    if (ended < 0 && errno != EINTR) return false;
  }
}

}  // namespace process
