// SPDX-License-Identifier: Apache-2.0
// What a build prints: lines for people, and among them how far builder-runtime is (report/progress.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "pachbuild/local/session/events.h"

namespace local {

class BuildOutput {
 public:
  // Tells BuildSteps and BuildPrints.
  explicit BuildOutput(std::function<void(Event::What)> tell) : m_tell(std::move(tell)) {}

  void add(std::string_view printed);
  // What is left of the last line.
  void finish();

 private:
  void take_step(std::string_view line);

  std::function<void(Event::What)> m_tell;
  std::string m_line;  // that has no end yet
  std::string m_step;
  std::shared_ptr<Meter> m_meter;
};

}  // namespace local
