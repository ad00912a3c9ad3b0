// SPDX-License-Identifier: Apache-2.0
// The text of run.sh, the only file that a datum reads once its container has the environment.
#pragma once

#include <string>

#include "builder-runtime/languages/language.h"

namespace builder {

struct RunScript {
  std::string builder;
  std::string version;
  std::string bundle_digest;  // empty: no bundle
  std::string shim_digest;
  Start start;
};

// A POSIX sh script that needs no other program where the image has the shim.
std::string run_script_text(const RunScript& script);

}  // namespace builder
