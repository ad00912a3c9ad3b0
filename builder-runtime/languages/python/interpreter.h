// SPDX-License-Identifier: Apache-2.0
// The Python that a build is for: the machine's own interpreter behind links, virtual environments and the
// shims of pyenv.
#pragma once

#include <string>

#include "base/result.h"
#include "builder-runtime/tools.h"

namespace builder::python {

struct Interpreter {
  std::string path;      // the base interpreter's real file
  std::string identity;  // "cpython-3.11.2-x86_64-linux-gnu": what compiled modules depend on
  std::string libc;      // "glibc 2.36", "musl"
};

base::Result<Interpreter> find_interpreter(const Tools& tools);

}  // namespace builder::python
