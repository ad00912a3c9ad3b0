// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/build_output.h"

#include <utility>

#include "report/progress.h"

namespace local {
namespace {

// A longer line goes on as it comes.
constexpr std::size_t k_longest_line = std::size_t{64} << 10;

}  // namespace

void BuildOutput::add(std::string_view printed) {
  m_line += printed;
  std::string text;
  std::size_t begin = 0;
  for (auto end = m_line.find('\n'); end != std::string::npos; end = m_line.find('\n', begin)) {
    const auto line = std::string_view(m_line).substr(begin, end + 1 - begin);
    begin = end + 1;
    if (report::is_progress(line)) {
      take_step(line);
    } else {
      text += line;
    }
  }
  m_line.erase(0, begin);
  if (m_line.size() > k_longest_line) text += std::exchange(m_line, {});
  if (text.empty()) return;
  m_meter.reset();
  m_tell(BuildPrints{std::move(text)});
}

void BuildOutput::finish() {
  if (!m_line.empty()) m_tell(BuildPrints{std::exchange(m_line, {})});
}

void BuildOutput::take_step(std::string_view line) {
  const auto progress = report::parse_progress(line);
  if (!progress) return;
  if (!m_meter || progress->step != m_step) {
    m_step = progress->step;
    m_meter = std::make_shared<Meter>();
    m_meter->counts_files = progress->counts_files;
    m_meter->all = progress->all;
    m_meter->done = progress->done;
    m_tell(BuildSteps{m_step, m_meter});
  }
  m_meter->all = progress->all;
  m_meter->done = progress->done;
}

}  // namespace local
