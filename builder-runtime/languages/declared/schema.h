// SPDX-License-Identifier: Apache-2.0
// What the keys of builder.toml are, for editors and for people: docs/builder.schema.json, and the reference
// in docs/builder-toml.md.
#pragma once

#include <string>

namespace builder::declared {

// A JSON Schema, with a last newline.
std::string schema_text();

// Markdown: a heading and a list for each table.
std::string reference_text();

}  // namespace builder::declared
