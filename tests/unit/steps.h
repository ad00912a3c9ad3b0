// SPDX-License-Identifier: Apache-2.0
// The steps by which this program changes folders, one by one: each can be watched, made to fail, or be the
// moment at which something else happens. Steps are the calls of the C library that rename, link, remove and
// lock, and that read and write.
#pragma once

#include <cerrno>
#include <functional>
#include <string>
#include <string_view>

namespace steps {

// While it lives, `decide` is asked before each step of the program with the call ("rename") and the path
// that it is about, "" where it has none. 0: the step is done. Else the step is not done, and fails with that
// error. Steps of `decide` itself are done. `Calls::all` are also those that open, look at, list and make
// files and folders, change their modes and times, read links, make pipes and wait.
enum class Calls { steps, all };
class Watch {
 public:
  using Decide = std::function<int(std::string_view call, std::string_view path)>;
  explicit Watch(Decide decide, Calls calls = Calls::steps);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
};

// While it lives, pauses (std::this_thread::sleep_for) end at once.
class NoPauses {
 public:
  NoPauses();
  ~NoPauses();
  NoPauses(const NoPauses&) = delete;
  NoPauses& operator=(const NoPauses&) = delete;
  [[nodiscard]] static int count();  // of those that were left out
};

// Does `work` again and again, and each time nothing is changed any more from one step later on: what is left
// then is what a process leaves that was killed there. `look` is called after each. Ends after the first time
// that all steps were done, and gives how many there are.
template <class Work, class Look>
int cut_off_at_each(const Work& work, const Look& look) {
  for (int last = 0;; ++last) {
    int count = 0;
    {
      const Watch watch([&](std::string_view call, std::string_view /*path*/) {
        if (call == "read" || call == "write" || call == "flock") return 0;
        return ++count > last ? EIO : 0;
      });
      work();
    }
    look(last);
    if (count <= last) return count;
  }
}

// Does `work` again and again, and each time one call fails, the next one, as on a broken disk. `work` says
// whether it succeeded, `look` is called with that after each, the number of the call and its name. Ends
// after the first time that no call failed, and gives how many there are.
template <class Work, class Look>
int fail_each(const Work& work, const Look& look) {
  for (int failing = 0;; ++failing) {
    int count = 0;
    std::string failed;
    bool succeeded = false;
    {
      const Watch watch(
          [&](std::string_view call, std::string_view path) {
            if (count++ != failing) return 0;
            failed = std::string(call) + " " + std::string(path);
            return EIO;
          },
          Calls::all);
      succeeded = work();
    }
    look(succeeded, std::to_string(failing) + ": " + failed);
    if (count <= failing) return count;
  }
}

// Does `work` again and again, and each time a signal interrupts another one of the calls that wait or that
// read and write, before it has done anything. Gives how many there are.
template <class Work, class Look>
int interrupt_each(const Work& work, const Look& look) {
  constexpr std::string_view k_calls = " read write copy poll wait flock ";
  for (int interrupted = 0;; ++interrupted) {
    int count = 0;
    {
      const Watch watch(
          [&](std::string_view call, std::string_view /*path*/) {
            if (k_calls.find(" " + std::string(call) + " ") == std::string_view::npos) return 0;
            return count++ == interrupted ? EINTR : 0;
          },
          Calls::all);
      work();
    }
    look(interrupted);
    if (count <= interrupted) return count;
  }
}

}  // namespace steps
