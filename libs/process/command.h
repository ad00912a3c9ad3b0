// SPDX-License-Identifier: Apache-2.0
// What to start: always a vector of arguments, never a shell's line.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace process {

// Names and values; a map, so that a name is there once.
using Environment = std::map<std::string, std::string>;

// The environment of this process.
Environment current_environment();

// The value of a variable; empty when it is not there.
std::string value_of(const Environment& environment, const std::string& name);

// The absolute path of the executable file `name` in `search_path` (folders between ':', as in PATH; empty
// and relative ones are skipped, since what they mean depends on the current folder). A name with a '/' is
// only made absolute.
std::optional<std::string> find_program(const std::string& name, const std::string& search_path);

struct Command {
  std::vector<std::string> arguments;  // the first is the program's absolute path
  Environment environment;             // the whole of it: nothing is inherited
  base::fs::path folder;               // empty: that of this process
  int standard_input = -1;             // a descriptor; -1: /dev/null
  int standard_output = -1;            // a descriptor; -1: that of this process
  int standard_error = -1;             // a descriptor; -1: that of this process
  std::vector<int> inherited;          // descriptors that stay open under their own numbers
  // Whether standard input is a terminal that becomes the child's own: it then leads a session as well.
  bool owns_terminal = false;
  // The signal that the child gets should the thread that starts it end first; 0: none.
  int orphan_signal = 0;
  // Whether its end is the end of all that it has started: SystemRunner then kills what is left of its
  // process group, and waits for no one who still holds its output open.
  bool ends_its_group = false;
  // After it SystemRunner kills the program, which is an error of kind unavailable; 0: none.
  std::chrono::milliseconds time_limit{0};
};

// How a process ended. The one place where a wait status is taken apart.
class Ending {
 public:
  static Ending from_wait_status(int status);

  [[nodiscard]] bool succeeded() const { return m_signal == 0 && m_code == 0; }
  [[nodiscard]] std::optional<int> code() const;    // when it exited
  [[nodiscard]] std::optional<int> signal() const;  // when a signal ended it
  // As a shell tells it: the code, or 128 plus the signal.
  [[nodiscard]] int exit_code() const { return m_signal == 0 ? m_code : 128 + m_signal; }
  // "exit code 3", "signal 9 (Killed)".
  [[nodiscard]] std::string describe() const;
  // "exited with code 3", "was killed by signal 9 (Killed)": what follows the name of a program.
  [[nodiscard]] std::string predicate() const;

 private:
  Ending(int code, int signal) : m_code(code), m_signal(signal) {}
  int m_code;
  int m_signal;
};

}  // namespace process
