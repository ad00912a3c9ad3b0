// SPDX-License-Identifier: Apache-2.0
// What goes on in a run, drawn at the bottom of a terminal and redrawn in place. What is printed meanwhile
// appears above it and scrolls as ever.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pachbuild/local/session/events.h"
#include "pachbuild/view/run_state.h"
#include "report/terminal.h"

namespace view {

// The terminal as the view needs it; tests put something else in its place.
struct Screen {
  std::function<void(std::string_view)> write;
  std::function<report::TerminalSize()> size;
  std::function<Time()> now;
  bool colours = true;
  bool wraps_anew = true;
};

class LiveView final : public local::Events {
 public:
  explicit LiveView(Screen screen);
  // Takes it away.
  ~LiveView() override;

  void tell(const local::Event& event) override;
  void tick() override;

  // Whole lines above the view; on any thread.
  void print(std::string_view text);
  // Takes the view away until the next tick; on any thread.
  void clear();

 private:
  [[nodiscard]] std::string erasing() const;
  [[nodiscard]] std::string drawing() const;
  [[nodiscard]] std::size_t rows_drawn() const;
  void clear_now();
  bool has_settled();

  std::mutex m_mutex;
  Screen m_screen;
  RunState m_state;
  const Time m_start;
  std::vector<std::string> m_lines;  // that are drawn
  report::TerminalSize m_drawn_size;
  report::TerminalSize m_size;
  int m_unsettled = 0;  // ticks until a new size is taken for good
};

// The view of this process's terminal, through which everything is printed while it exists. None where
// nothing can be drawn: no terminal, or one without control sequences, a log in JSON, a CI system.
std::unique_ptr<local::Events> make_terminal_view();

}  // namespace view
