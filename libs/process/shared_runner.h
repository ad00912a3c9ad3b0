// SPDX-License-Identifier: Apache-2.0
// A runner for several threads at the same time, and for who asks whether it has one.
#pragma once

#include <mutex>

#include "process/runner.h"

namespace process {

// As a SystemRunner; a signal ends what runs in all threads. What is run after it is one cleanup.
class SharedRunner : public Runner {
 public:
  explicit SharedRunner(Interruption* interruption) : m_interruption(interruption), m_cleanup(interruption) {}

  base::Result<Finished> run(const Command& command, const ErrorSink& sink) override;

 private:
  Interruption* m_interruption;
  std::mutex m_cleaning;
  SystemRunner m_cleanup;
};

}  // namespace process
