// SPDX-License-Identifier: Apache-2.0
// What a build is to do, decided once: command line, then environment, then defaults.
#pragma once

#include <string>

#include "base/files.h"
#include "base/result.h"
#include "process/command.h"

namespace builder {

namespace fs = base::fs;

// The command line as given; empty where it is silent.
struct Options {
  std::string source;
  std::string out;
  std::string language;
  std::string shim;
  std::string builder;  // the folder of a declared builder
  bool shows_inputs = false;
  bool explains = false;
  bool shows_source_inputs = false;
};

struct Settings {
  fs::path source;       // absolute; links in it are kept, since programs see this very path
  fs::path out;          // absolute
  std::string language;  // empty: found by looking at the source
  fs::path builder;      // absolute; empty: none is named
  fs::path builders;     // the folder of the installed ones
  fs::path shim;
  fs::path cache;  // exists, and only this user and root can change it (base/trusted_folder.h)
  bool default_steps_only = false;  // a build.sh of the source called us
  process::Environment environment;
};

base::Result<Settings> settle(const Options& options, process::Environment environment);

using process::value_of;

}  // namespace builder
