// SPDX-License-Identifier: Apache-2.0
// One bundle into one folder: reads it to its end, checks its digest, writes its files.
#pragma once

#include <string>

#include "base/result.h"
#include "worker-shim/file_writers.h"

namespace shim {

struct UnpackOrder {
  std::string bundle;  // a regular file or a named pipe
  std::string digest;  // that it must have
  int target = -1;     // an empty folder of ours
  std::string disk;    // the path of the folder above it, for errors about the disk
  MakeRoom make_room;  // what to do when that disk is full
};

// Modes are those of extract_tar(). After a failure the target is not empty, and worth nothing.
base::Status unpack(const UnpackOrder& order);

}  // namespace shim
