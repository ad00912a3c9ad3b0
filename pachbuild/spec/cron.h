// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

namespace spec {

struct CronFault {
  std::string what;
  std::string hint;
};

// Why Pachyderm 2.12 does not take the text for a schedule; nothing when it does. It takes what ParseStandard
// of github.com/robfig/cron 1.2.0 takes, and "@never".
std::optional<CronFault> fault_of_cron(const std::string& text);

}  // namespace spec
