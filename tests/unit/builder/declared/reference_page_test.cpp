// SPDX-License-Identifier: Apache-2.0
// docs/builder.schema.json and the reference in docs/builder-toml.md say what the reader takes.
// PACHBUILD_RECORD=1 writes both.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/files.h"
#include "builder-runtime/languages/declared/schema.h"

namespace builder::declared {
namespace {

const base::fs::path k_docs = base::fs::path(PACHBUILD_GOLDEN).parent_path().parent_path() / "docs";
constexpr char k_heading[] = "### `builder.toml`";

bool is_recording() { return std::getenv("PACHBUILD_RECORD") != nullptr; }

TEST(DeclaredReference, TheSchemaIsThatOfTheReader) {
  const auto file = k_docs / "builder.schema.json";
  if (is_recording()) {
    ASSERT_TRUE(base::write_file(file, schema_text()));
  }
  EXPECT_EQ(base::read_file(file).value(), schema_text());
}

TEST(DeclaredReference, ThePageIsThatOfTheReader) {
  const auto file = k_docs / "builder-toml.md";
  const auto page = base::read_file(file).value();
  const auto begin = page.find(k_heading);
  ASSERT_NE(begin, std::string::npos);
  if (is_recording()) {
    ASSERT_TRUE(base::write_file(file, page.substr(0, begin) + reference_text()));
  }
  EXPECT_EQ(base::read_file(file).value().substr(begin), reference_text());
}

}  // namespace
}  // namespace builder::declared
