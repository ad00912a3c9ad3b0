// SPDX-License-Identifier: Apache-2.0
// Changes a spec as it was written: what is not meant stays byte by byte, comments and layout included.
#pragma once

#include <string>

#include "base/result.h"
#include "pachbuild/spec/document.h"

namespace spec {

// `text` with `image` as the transform.image of `document`, one of the documents of `text`: in place of what
// is there, or as the first field of transform.
base::Result<std::string> with_image(const std::string& text, const Document& document,
                                     const std::string& image);

}  // namespace spec
