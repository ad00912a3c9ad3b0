// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <string_view>

#include "base/errors.h"
#include "base/text.h"
#include "report/report.h"

namespace commands {
namespace {

// Where a terminal does not tell its width.
constexpr std::size_t k_usual_width = 80;

void draw_text(std::string_view text) { static_cast<void>(::write(STDERR_FILENO, text.data(), text.size())); }

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return k_usual_width;
  return size.ws_col;
}

}  // namespace

Progress::Progress() : m_shown(::isatty(STDERR_FILENO) == 1 && !report::is_json()) {}

Progress::~Progress() { clear(); }

void Progress::add(std::size_t datums) {
  if (m_total == 0) m_start = std::chrono::steady_clock::now();
  m_total += datums;
}

void Progress::started(const std::string& label) {
  m_label = label;
  m_changed = true;
}

void Progress::done() {
  ++m_done;
  m_changed = true;
}

void Progress::draw() {
  if (!m_shown || !m_changed || m_done == m_total) return;
  std::string line = "datums: " + std::to_string(m_done) + " of " + std::to_string(m_total);
  if (m_done > 0) {
    const auto elapsed = std::chrono::steady_clock::now() - m_start;
    line += ", " + base::format_duration(elapsed / m_done * (m_total - m_done)) + " to go";
  }
  line += ", now " + base::printable(m_label);
  // A line that wraps could not be taken away. Bytes instead of columns: at worst it is cut early.
  if (const auto width = terminal_width(); line.size() >= width) line.resize(width - 1);
  draw_text("\r\x1b[K" + line);
  m_drawn = true;
  m_changed = false;
}

void Progress::clear() {
  if (!m_drawn) return;
  draw_text("\r\x1b[K");
  m_drawn = false;
  m_changed = true;
}

}  // namespace commands
