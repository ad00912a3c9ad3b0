// SPDX-License-Identifier: Apache-2.0
// One line on a terminal that says how far the datums are; nothing anywhere else.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace commands {

class Progress {
 public:
  // Shown only when standard error is a terminal and the log is not JSON.
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // So many more are to be done.
  void add(std::size_t datums);
  void started(const std::string& label);
  void done();
  // Draws the line again if it has changed; call it often.
  void draw();
  // Takes the line away, so that something else can be printed.
  void clear();

 private:
  bool m_shown;
  bool m_drawn = false;
  bool m_changed = true;
  std::size_t m_total = 0;
  std::size_t m_done = 0;
  std::string m_label;                            // of the datum that started last
  std::chrono::steady_clock::time_point m_start;  // of the first
};

}  // namespace commands
