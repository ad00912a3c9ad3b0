// SPDX-License-Identifier: Apache-2.0
// Ctrl-C for work that does not wait. The owner of the signals (process::Interruption) tells the whole
// process whether to stop. Every loop that copies, digests, lists or counts asks at least once per file and
// per few megabytes, on any thread, and ends with the error interrupted().
#pragma once

#include <functional>

#include "base/result.h"

namespace base {

// While it exists, check_stop() asks `question`, from any thread. The newest one counts; destroy them in
// reverse order.
class StopQuestion {
 public:
  explicit StopQuestion(std::function<bool()> question);
  StopQuestion(const StopQuestion&) = delete;
  StopQuestion& operator=(const StopQuestion&) = delete;
  ~StopQuestion();

 private:
  const std::function<bool()> m_question;
  const std::function<bool()>* m_previous;
};

// Whether a StopQuestion exists.
bool is_stop_watched();

// The error interrupted() when the process has to stop. Costs a system call while a StopQuestion exists, else
// nothing.
Status check_stop();

// The work is incomplete because the user ended the program. The exit code is the signal's, which the owner
// of the signals knows.
Error interrupted();

}  // namespace base
