// SPDX-License-Identifier: Apache-2.0
// Ctrl-C for work that waits for nothing. Whoever catches signals (process::Interruption) answers one
// question for the whole process: shall it stop? Every loop that copies, digests, lists or counts asks it at
// least once per file and per few megabytes, on whatever thread it runs, and ends with the error
// interrupted().
#pragma once

#include <functional>

#include "base/result.h"

namespace base {

// While it lives, `question` is what check_stop() asks. It is called from any thread. The newest one counts;
// it must go before the one that was there when it was made.
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

// Whether anything can stop this process but the signals themselves.
bool is_stop_watched();

// The error interrupted() when the process shall stop. Costs a system call while somebody watches, else
// nothing.
Status check_stop();

// What was being done is incomplete because the person has ended the program. Its exit code is that of the
// signal: whoever watches knows it.
Error interrupted();

}  // namespace base
