// SPDX-License-Identifier: Apache-2.0
// The person's terminal while a program that has a terminal of its own (pty(7)) is used on it: what is typed
// goes there byte for byte, Ctrl-C included, what is printed comes back, and so does the size of the window.
#pragma once

#include <sys/types.h>

#include <memory>

#include "base/result.h"
#include "base/unique_fd.h"

namespace process {

// A new terminal: `near` is the end of who shows what is printed on it, `far` the program's.
struct Pty {
  base::UniqueFd near;
  base::UniqueFd far;

  static base::Result<Pty> open();
};

class Terminal {
 public:
  // Whether standard input and standard output are a terminal.
  static bool is_there();

  // From now on no key means anything to this program or to the terminal itself. The settings come back with
  // the end of this object, and however this process ends, by kill -9 as well. One at a time.
  static base::Result<Terminal> take();
  Terminal(Terminal&&) noexcept;
  Terminal& operator=(Terminal&&) = delete;
  ~Terminal();

  // Gives our end of the program's terminal what this one had: settings and size.
  void equip(int pty) const;

  enum class End {
    program,  // `ended` is readable, and everything that was printed is shown
    signal,   // `interruption` is readable
    hang_up,  // nobody can type any more
  };
  // Moves bytes both ways until then.
  base::Result<End> serve(int pty, int ended, int interruption);

 private:
  struct State;
  explicit Terminal(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

}  // namespace process
