// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/view/live_view.h"

#include <algorithm>

#include "base/text.h"
#include "process/suspension.h"
#include "report/columns.h"
#include "report/report.h"
#include "report/terminal_text.h"

namespace view {
namespace {

// Terminals that know the first show what comes before the second at once (mode 2026); the others ignore
// both.
constexpr char k_begin[] = "\x1b[?2026h";
constexpr char k_end[] = "\x1b[?2026l";
// Whatever the terminal thinks of a character's width, a line must not wrap.
constexpr char k_no_wrap[] = "\x1b[?7l";
constexpr char k_wrap[] = "\x1b[?7h";
constexpr char k_erase_line_end[] = "\x1b[K";
constexpr char k_erase_below[] = "\x1b[J";

// A run that takes no time draws nothing.
constexpr std::chrono::milliseconds k_before_first{300};
constexpr int k_ticks_to_settle = 2;
constexpr std::size_t k_least_lines = 4;

std::size_t columns_of_line(const std::string& line) {
  return report::columns_of(report::for_terminal(line, report::Colours::drop));
}

class TerminalView final : public local::Events {
 public:
  TerminalView() : m_redirection([this](std::string_view text) { m_view.print(text); }) {}

  void tell(const local::Event& event) override { m_view.tell(event); }
  void tick() override {
    if (process::Suspension::is_asked()) {
      m_view.clear();
      process::Suspension::stop();
    }
    m_view.tick();
  }

 private:
  LiveView m_view{{.write = report::write_error,
                   .size = report::terminal_size,
                   .now = std::chrono::steady_clock::now,
                   .colours = report::has_colours(),
                   .wraps_anew = report::wraps_anew()}};
  report::Redirection m_redirection;
  process::Suspension m_suspension;
};

}  // namespace

LiveView::LiveView(Screen screen)
    : m_screen(std::move(screen)), m_start(m_screen.now()), m_size(m_screen.size()) {}

LiveView::~LiveView() { clear(); }

void LiveView::tell(const local::Event& event) {
  const std::lock_guard lock(m_mutex);
  m_state.take(event);
}

void LiveView::tick() {
  const std::lock_guard lock(m_mutex);
  if (!has_settled() || m_screen.now() - m_start < k_before_first) return;
  const Style style{
      .columns = std::max<std::size_t>(m_size.columns, 2) - 1,
      .lines = std::max<std::size_t>(std::min(std::max(k_least_lines, m_size.rows / 2), m_size.rows - 1), 1),
      .colours = m_screen.colours};
  auto lines = lines_of(m_state, m_screen.now(), style);
  if (lines == m_lines && m_drawn_size == m_size) return;
  if (lines.empty()) return clear_now();
  const auto rows = rows_drawn();
  m_lines = std::move(lines);
  std::string text = k_begin;
  if (rows > 0) text += '\r';
  if (rows > 1) text += "\x1b[" + std::to_string(rows - 1) + "A";
  m_drawn_size = m_size;
  m_screen.write(text + drawing() + k_end);
}

// A window that is being dragged has another size at each tick.
bool LiveView::has_settled() {
  const auto size = m_screen.size();
  if (size != m_size) {
    m_size = size;
    m_unsettled = m_lines.empty() ? 0 : k_ticks_to_settle;
  } else if (m_unsettled > 0) {
    --m_unsettled;
  }
  return m_unsettled == 0;
}

void LiveView::print(std::string_view text) {
  if (text.empty()) return;
  const std::lock_guard lock(m_mutex);
  if (m_lines.empty()) return m_screen.write(text);
  std::string all = k_begin + erasing() + std::string(text);
  if (all.back() != '\n') all += '\n';
  if (m_size != m_drawn_size) {
    // Its lines are of another width.
    m_lines.clear();
    return m_screen.write(all + k_end);
  }
  m_screen.write(all + drawing() + k_end);
}

void LiveView::clear() {
  const std::lock_guard lock(m_mutex);
  clear_now();
}

void LiveView::clear_now() {
  if (m_lines.empty()) return;
  m_screen.write(erasing());
  m_lines.clear();
}

// The cursor is at the end of the last line. Lines that a narrowed window has wrapped take more rows than
// they were.
std::size_t LiveView::rows_drawn() const {
  const auto columns = std::max<std::size_t>(m_size.columns, 1);
  if (!m_screen.wraps_anew || columns >= m_drawn_size.columns) return m_lines.size();
  std::size_t rows = 0;
  for (const auto& line : m_lines)
    rows += std::max<std::size_t>((columns_of_line(line) + columns - 1) / columns, 1);
  return rows;
}

std::string LiveView::erasing() const {
  const auto rows = rows_drawn();
  return "\r" + (rows > 1 ? "\x1b[" + std::to_string(rows - 1) + "A" : std::string()) + k_erase_below;
}

// Over what is there, so that nothing is ever seen empty.
std::string LiveView::drawing() const {
  std::string text = k_no_wrap;
  for (std::size_t i = 0; i < m_lines.size(); ++i)
    text += (i == 0 ? "" : "\r\n") + m_lines[i] + k_erase_line_end;
  return text + k_erase_below + k_wrap;
}

std::unique_ptr<local::Events> make_terminal_view() {
  const char* const ci = report::own_variable("CI");
  if (!report::is_terminal() || report::is_json() || !report::has_control_sequences() ||
      (ci != nullptr && *ci != '\0'))
    return nullptr;
  return std::make_unique<TerminalView>();
}

}  // namespace view
