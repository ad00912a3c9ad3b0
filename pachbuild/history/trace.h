// SPDX-License-Identifier: Apache-2.0
// A run in Chrome's trace-event format, for Perfetto and chrome://tracing.
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
#pragma once

#include <string>

#include "pachbuild/history/run.h"

namespace history {

// A process for each pipeline, with a thread for its phases and one for each lane of datums; counters of
// datums that have ended.
std::string trace_of(const Run& run);

}  // namespace history
