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

// Letters and white space of all kinds, where none of them may be: under the sanitizers.
TEST_F(DataFile, WithLettersThatAreNotAsciiIsReadOrAnError) {
  for (const std::string letter : {"\u00a0", "\u00e9", "\u015d", "\u0500", "\u1680", "\u1700", "\u2003",
                                   "\u2030", "\u2060", "\u3000", "\u4e00", "\ufeff", "\U0001f600"}) {
    EXPECT_FALSE(read_toml(file("name" + letter + "x"), "x")) << letter;
    EXPECT_FALSE(read_toml(file("a = 1" + letter + "x"), "x")) << letter;
    const auto read =
        read_toml(file("\"" + letter + "\" = \"\"\"" + letter + "\\\n" + letter + "\"\"\" # " + letter), "x");
    ASSERT_TRUE(read) << letter;
    EXPECT_TRUE(read->members.front().value.scalar.starts_with(letter)) << letter;
  }
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
