// SPDX-License-Identifier: Apache-2.0
#include "process/shared_runner.h"

namespace process {

base::Result<Finished> SharedRunner::run(const Command& command, const ErrorSink& sink) {
  if (m_interruption == nullptr || !m_interruption->was_noticed())
    return SystemRunner(m_interruption).run(command, sink);
  const std::lock_guard lock(m_cleaning);
  return m_cleanup.run(command, sink);
}

}  // namespace process
