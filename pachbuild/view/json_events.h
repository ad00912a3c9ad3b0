// SPDX-License-Identifier: Apache-2.0
// A run for other programs: one event a line, as docs/events.schema.json has it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "pachbuild/local/session/events.h"
#include "pachbuild/view/log_lines.h"

namespace view {

class JsonEvents final : public local::Events {
 public:
  // `write` gets each line, with its newline. `has_all_lines`: whether everything that programs print is
  // told, or the newest of it.
  JsonEvents(std::function<void(std::string_view)> write, bool has_all_lines);

  void tell(const local::Event& event) override;
  // Tells how far phases are, once a second.
  void tick() override;
  // The last line.
  void finish(int exit_code);

 private:
  struct Measured {
    std::string pipeline;
    local::Phase phase{};
    std::string of;
    std::string step;
    std::shared_ptr<const local::Meter> meter;
    std::uint64_t told = 0;
  };
  void measure(const local::Event& event);
  void write_lines(const local::Event& event, const std::string& lines);

  std::function<void(std::string_view)> m_write;
  bool m_has_all_lines;
  LogLines m_lines;
  std::vector<Measured> m_measured;
  std::chrono::steady_clock::time_point m_told;
};

}  // namespace view
