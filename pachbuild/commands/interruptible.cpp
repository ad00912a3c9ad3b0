// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/interruptible.h"

#include "contract/exit_codes.h"
#include "report/report.h"

namespace commands {

base::Result<int> until_interrupted(const std::function<base::Result<int>(process::Interruption&)>& work,
                                    const std::string& said) {
  BASE_TRY_ASSIGN(auto interruption, process::Interruption::watch());
  auto code = work(interruption);
  const auto signal = interruption.signal();
  if (code || !signal) return code;
  report::warn(said);
  return contract::k_signal_base + *signal;
}

}  // namespace commands
