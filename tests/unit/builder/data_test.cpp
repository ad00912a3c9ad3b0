// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/data.h"

#include <gtest/gtest.h>

namespace builder::data {
namespace {

class DataFile : public testing::Test {
 protected:
  base::fs::path file(const std::string& text) const {
    EXPECT_TRUE(base::write_file(m_folder.path() / "file", text));
    return m_folder.path() / "file";
  }

 private:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "data.").value();
};

TEST_F(DataFile, WithANumberThatIsTooLargeIsAnError) {
  const auto read = read_json(file(R"({"a": 1e999})"), "Pipfile.lock");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().where, "Pipfile.lock");
  EXPECT_EQ(read.error().what, "has a number that is too large");
  EXPECT_EQ(read.error().kind, base::ErrorKind::bad_input);
}

TEST_F(DataFile, WithAKeyThatIsNoneIsAnErrorInEveryBuild) {
  for (const std::string text : {"[\x01", "[[\x01]]\n", "[=]", "[a.\x02]"}) {
    const auto read = read_toml(file(text), "x");
    ASSERT_FALSE(read) << text;
    EXPECT_TRUE(read.error().what.starts_with("is not valid TOML: ")) << read.error().what;
  }
}

}  // namespace
}  // namespace builder::data
