// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/inputs.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <functional>

namespace builder {
namespace {

class InputsTest : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "inputs.").value();
  fs::path m_file = m_folder.path() / "file";

  void SetUp() override { ASSERT_TRUE(base::write_file(m_file, "text")); }
  void write(const std::string& text) const { ASSERT_TRUE(base::write_file(m_file, text)); }

  static std::string key(const std::function<void(Inputs&)>& add) {
    Inputs inputs;
    add(inputs);
    return inputs.key();
  }
};

TEST_F(InputsTest, TheOrderDoesNotMatter) {
  EXPECT_EQ(key([](Inputs& i) {
              i.add_value("a", "1");
              i.add_value("b", "2");
            }),
            key([](Inputs& i) {
              i.add_value("b", "2");
              i.add_value("a", "1");
            }));
}

TEST_F(InputsTest, KindNameAndTextMatter) {
  const auto one = key([](Inputs& i) { i.add_value("a", "bc"); });
  EXPECT_NE(key([](Inputs& i) { i.add_value("ab", "c"); }), one);
  EXPECT_NE(key([](Inputs& i) { i.add_tool("a", {}, "bc"); }), one);
  EXPECT_NE(key([](Inputs&) {}), one);
}

TEST_F(InputsTest, NeitherPlacesNorCredentialsMatter) {
  EXPECT_EQ(key([](Inputs& i) { i.add_tool("a", "/here", "1"); }),
            key([](Inputs& i) { i.add_tool("a", "/there", "1"); }));
  EXPECT_EQ(key([](Inputs& i) { i.add_variable("a", "https://x:one@host/"); }),
            key([](Inputs& i) { i.add_variable("a", "https://x:two@host/"); }));
  const auto of_file = [&] { return key([&](Inputs& i) { EXPECT_TRUE(i.add_file("f", m_file)); }); };
  write("url = https://x:one@host/");
  const auto before = of_file();
  write("url = https://x:two@host/");
  EXPECT_EQ(of_file(), before);
  write("url = https://x:two@other/");
  EXPECT_NE(of_file(), before);
}

TEST_F(InputsTest, OnlyWhatIsNotThereIsMissing) {
  Inputs inputs;
  EXPECT_EQ(inputs.add_file("a", m_folder.path() / "none").value(), "");
  EXPECT_EQ(inputs.add_file("b", m_file / "below a file").value(), "");
  const fs::path loop = m_folder.path() / "loop";
  fs::create_symlink(loop, loop);
  const auto read = inputs.add_file("c", loop);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().where, loop.string());
  EXPECT_FALSE(inputs.add_file("d", m_folder.path() / std::string(300, 'x')));
}

TEST_F(InputsTest, WhatIsExceptedIsShownAndDoesNotMatter) {
  Inputs inputs;
  const auto before = inputs.key();
  inputs.except("file", "f", m_file, "for a reason");
  inputs.except("file", "absent", m_folder.path() / "absent", "for a reason");
  EXPECT_EQ(inputs.key(), before);
  EXPECT_EQ(inputs.lines(), "file\tf\tnot in the key: for a reason\t" + m_file.string() + "\n");
}

TEST_F(InputsTest, AFileThatChangesOrAppearsIsTold) {
  Inputs inputs;
  const fs::path later = m_folder.path() / "later";
  EXPECT_EQ(inputs.add_file("f", m_file).value(), "text");
  EXPECT_EQ(inputs.add_file("later", later).value(), "");
  EXPECT_EQ(inputs.changed().value(), "");
  ASSERT_TRUE(base::write_file(later, ""));
  EXPECT_EQ(inputs.changed().value(), later.string());
  fs::remove(later);
  EXPECT_EQ(inputs.changed().value(), "");
  write("other");
  write("text");
  EXPECT_EQ(inputs.changed().value(), m_file.string());
}

TEST_F(InputsTest, AFolderThatChangesIsTold) {
  Inputs inputs;
  ASSERT_TRUE(inputs.add_tree("all", m_folder.path()));
  EXPECT_EQ(inputs.changed().value(), "");
  write("other");
  write("text");
  EXPECT_EQ(inputs.changed().value(), m_folder.path().string());
}

}  // namespace
}  // namespace builder
