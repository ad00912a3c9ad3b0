// SPDX-License-Identifier: Apache-2.0
// Single keys from the terminal, without waiting for a newline. The terminal is as it was when this goes.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

namespace commands {

class Keyboard {
 public:
  Keyboard();
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;
  ~Keyboard();

  // Takes the terminal where standard input is one and this program is in its foreground; called now and
  // then, since a shell moves programs to and fro.
  void refresh();
  // Gives it back as it was, until the next refresh().
  void release();
  // Readable when a key was pressed; -1: there are none.
  [[nodiscard]] int descriptor() const;
  // The keys that were pressed; ends the use of a terminal that is gone.
  std::string take();

 private:
  bool m_is_terminal;
  bool m_is_ours = false;
  std::optional<termios> m_former;
};

}  // namespace commands
