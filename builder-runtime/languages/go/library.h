// SPDX-License-Identifier: Apache-2.0
// The standard library as the image has compiled it, for builds whose cache is not the image's.
#pragma once

#include "base/files.h"
#include "base/result.h"

namespace builder::go {

// Fills the new folder `compiled` (a GOCACHE) with what the one of the image (`of_image`) has: a copy takes a
// second, compiling ten. Does nothing where there is one already, where the disk has little room, or where
// somebody else could have written the image's.
base::Status take_compiled_library(const base::fs::path& of_image, const base::fs::path& compiled);

// Go removes from its cache what was not used for five days, when it has not looked for a day. By its dates
// the library of an image is older than that: a cache that Go has never looked through counts as looked
// through now.
void put_off_trimming(const base::fs::path& compiled);

}  // namespace builder::go
