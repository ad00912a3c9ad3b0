// SPDX-License-Identifier: Apache-2.0
// A runner for several threads at the same time.
#pragma once

#include <mutex>

#include "process/runner.h"

namespace process {

// As a SystemRunner; a signal ends what runs in all threads. What is run after it is one cleanup.
class SharedRunner : public Runner {
 public:
  explicit SharedRunner(Interruption* interruption) : m_interruption(interruption), m_cleanup(interruption) {}

  base::Result<Finished> run(const Command& command, const ErrorSink& sink) override;
  [[nodiscard]] bool is_shared() const override { return true; }

 private:
  Interruption* m_interruption;
  std::mutex m_cleaning;
  SystemRunner m_cleanup;
};

}  // namespace process
