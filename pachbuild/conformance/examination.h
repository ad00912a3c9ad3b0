// SPDX-License-Identifier: Apache-2.0
// Examines a builder: has it build a program that is known (the probe), and the probe run, as workers of a
// cluster would.
//
// The probe is written for the builder's language and does what its first argument says:
//   arguments A…   writes the further arguments to /pfs/out/arguments, a NUL after each
//   exit N         ends with exit code N
//   signal N       ends itself by signal N
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "pachbuild/conformance/row.h"
#include "pachbuild/local/pool/container.h"
#include "process/interruption.h"

namespace conformance {

struct Subject {
  std::optional<local::Container>
      container;           // of the builder's image; without one it is a folder of this machine
  base::fs::path folder;   // with builder.toml or build.sh
  base::fs::path probe;    // the source of the probe; empty: the one that the image has beside its build.sh
  std::uint32_t seed = 1;  // of the arguments
  std::map<std::string, std::string> variables;  // of the builds, as transform.build.env
  std::vector<local::SharedFolder> mounts;       // of the containers
  // The probe does next to nothing, but waits for ever where it opens a named pipe a second time.
  std::chrono::milliseconds patience{20'000};
  // Gets the name of each build that has ended, and the file with what it has printed.
  std::function<void(const std::string& name, const base::fs::path& log)> built;
};

// All rows, whatever the builder does; an error when this machine cannot examine it. `scratch` is empty;
// afterwards it has, of each build, the source, what it has made and printed: ROOM/NAME/out and log.
base::Result<std::vector<Row>> examine(const Subject& subject, const base::fs::path& scratch,
                                       process::Interruption& interruption);

}  // namespace conformance
