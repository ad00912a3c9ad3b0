// SPDX-License-Identifier: Apache-2.0
// What a program says about itself in a comment (PEP 723, "inline script metadata"): its dependencies, its
// Python and uv's settings.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"
#include "builder-runtime/source/data.h"

namespace builder::python {

struct InlineMetadata {
  // The same as a pyproject.toml: a script's fields are those of [project], and uv's settings stay as they
  // are.
  std::string project;
  data::Value value;  // of it
};

struct InlineBlock {
  std::string content;    // without the comment signs
  std::size_t begin = 0;  // the number of the line `# /// script`
};

// The block `# /// script` of the program `name`; nothing where there is none. Two blocks are an error, and
// so is one without an end: uv refuses it as well.
base::Result<std::optional<InlineBlock>> find_inline_block(std::string_view text, const std::string& name);

// Of a file of the source; nothing where it has no such block. `name` is what errors call it.
base::Result<std::optional<InlineMetadata>> read_inline_metadata(const base::fs::path& file,
                                                                 const std::string& name);

}  // namespace builder::python
