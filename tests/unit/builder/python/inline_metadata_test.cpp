// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/inline_metadata.h"

#include <gtest/gtest.h>

#include "base/errors.h"

namespace builder::python {
namespace {

class InlineMetadataTest : public testing::Test {
 protected:
  // The project that the program stands for without its first lines, or the error.
  [[nodiscard]] std::string read(const std::string& text) const {
    const auto file = m_folder.path() / "main.py";
    EXPECT_TRUE(base::write_file(file, text));
    const auto metadata = read_inline_metadata(file, "main.py");
    if (!metadata) return base::format_error(metadata.error());
    if (!*metadata) return "none";
    const auto& project = (*metadata)->project;
    return project.substr(project.find("version = \"0\"\n") + 14);
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "inline.").value();
};

TEST_F(InlineMetadataTest, IsTheContentOfTheBlock) {
  EXPECT_EQ(read("import os\n# /// script\n# dependencies = ['a']\n#\n#  x\n# ///\n").substr(0, 9),
            "error: ma");
  EXPECT_EQ(read("import os\r\n# /// script\r\n# dependencies = ['a']\r\n#\r\n# ///\r\n"),
            "dependencies = ['a']\n\n");
  EXPECT_EQ(read("import os\n# /// other\n# ///\n"), "none");
  EXPECT_EQ(read("# /// script\n# ///\n# ///\n").substr(0, 14), "error: main.py");
}

TEST_F(InlineMetadataTest, FaultsHaveThePlaceInTheProgram) {
  EXPECT_EQ(read("import os\n\n# /// script\n# dependencies = [\n#   'a',\n# x = 1\n# ///\n").substr(0, 30),
            "error: main.py:6:3: invalid TO");
  EXPECT_EQ(
      read("\n# /// script\n# dependencies = []\n# depends = []\n# ///\n"),
      "error: main.py:4: \"depends\" is not a field of inline metadata\nhint: its fields are dependencies, "
      "requires-python and tool\n");
  EXPECT_EQ(read("# /// script\n# ///\n\n# /// script\n# ///\n"),
            "error: main.py:4: has a second block \"# /// script\"\nhint: keep one of them\n");
}

TEST_F(InlineMetadataTest, ABlockHasAnEnd) {
  const std::string fault =
      ": the block \"# /// script\" has no end\nhint: end it with the line # ///; each line in between must "
      "be # "
      "alone or begin with # and a space\n";
  EXPECT_EQ(read("# /// script\n# dependencies = []\n"), "error: main.py:1" + fault);
  EXPECT_EQ(read("\n# /// script\n# dependencies = []\n\n# ///\n"), "error: main.py:2" + fault);
  EXPECT_EQ(read("# /// script\n\n# /// script\n\n"), "error: main.py:1" + fault);
  EXPECT_EQ(read("# /// script\n\n# /// script\n# ///\n"), "") << "one is whole";
}

}  // namespace
}  // namespace builder::python
