// SPDX-License-Identifier: Apache-2.0
// The bytecode of an environment's modules, kept between builds: compiling is most of what installing a large
// set of packages costs, and from one set to the next hardly any package changes.
#pragma once

#include <cstddef>
#include <string>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/languages/python/packaging/interpreter.h"
#include "builder-runtime/tools.h"

namespace builder::python {

// Of installed packages that have modules.
struct BytecodeSummary {
  std::size_t packages = 0;
  std::size_t reused = 0;
};

// Makes the bytecode of every module below the folder `packages` (site-packages), which carries paths
// relative to it and neither times nor places. What a package brought along itself is replaced. The result is
// the same bytes whether it is compiled now or was before.
//
// Kept is a file for each installed package, <cache>/python/bytecode/KEY. The key is made of the names and
// the content of the modules that the package's RECORD lists, of the interpreter and of the way of compiling.
// Modules that no RECORD lists are compiled every time.
base::Result<BytecodeSummary> make_bytecode(const Interpreter& interpreter, const Tools& tools,
                                            const base::fs::path& packages);

// "compiled bytecode of 3 packages", "bytecode of 41 of 42 packages reused".
std::string describe(const BytecodeSummary& summary);

}  // namespace builder::python
