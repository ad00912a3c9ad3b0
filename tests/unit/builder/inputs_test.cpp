// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/inputs.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "builder-runtime/languages/source_digest.h"

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

// Each of them is a part of the key by its kind, name and text.
TEST_F(InputsTest, EachKindIsAPartOfTheKey) {
  const fs::path other = m_folder.path() / "other";
  ASSERT_TRUE(base::write_file(other, "other"));
  const std::vector<std::function<void(Inputs&)>> rows = {
      [](Inputs&) {},
      [](Inputs& i) { i.add_value("a", "b"); },
      [](Inputs& i) { i.add_value("a", "c"); },
      [](Inputs& i) { i.add_value("b", "b"); },
      [](Inputs& i) { i.add_value("a", ""); },
      [](Inputs& i) { i.add_tool("a", {}, "b"); },
      [](Inputs& i) { i.add_file_as("a", {}, "b"); },
      [](Inputs& i) { i.add_folder("a", {}, "b", ""); },
      [](Inputs& i) { i.add_variable("a", "b"); },
      [&](Inputs& i) { EXPECT_TRUE(i.add_file("a", m_file)); },
      [&](Inputs& i) { EXPECT_TRUE(i.add_file("a", other)); },
      [&](Inputs& i) { EXPECT_TRUE(i.add_file("b", m_file)); },
      [&](Inputs& i) { EXPECT_TRUE(i.add_tree("a", m_folder.path())); },
      [](Inputs& i) {
        i.add_value("a", "b");
        i.add_value("a", "b");
      },
  };
  std::set<std::string> keys;
  for (const auto& row : rows) keys.insert(key(row));
  EXPECT_EQ(keys.size(), rows.size());
  EXPECT_EQ(key([&](Inputs& i) { EXPECT_TRUE(i.add_file("none", m_folder.path() / "none")); }), key(rows[0]));
  EXPECT_EQ(key([&](Inputs& i) { EXPECT_TRUE(i.add_tree("a", m_file)); }), key(rows[9])) << "a file alone";
  EXPECT_EQ(key([&](Inputs& i) { EXPECT_TRUE(i.add_tree("a", m_folder.path() / "none")); }), key(rows[0]));
}

TEST_F(InputsTest, ThoseOfAnotherAreAdded) {
  Inputs other;
  other.add_value("b", "2");
  ASSERT_TRUE(other.add_file("f", m_file));
  Inputs inputs;
  inputs.add_value("a", "1");
  inputs.add(other);
  EXPECT_EQ(inputs.key(), key([&](Inputs& i) {
              i.add_value("a", "1");
              i.add_value("b", "2");
              EXPECT_TRUE(i.add_file("f", m_file));
            }));
  write("changed");
  EXPECT_EQ(inputs.changed().value(), m_file.string());
}

TEST_F(InputsTest, AreShownInOrderALineEach) {
  Inputs inputs;
  inputs.add_value("b", "two\nlines\tand a tab\x7f");
  inputs.add_value("a", "2");
  inputs.add_value("a", "1");
  inputs.add_tool("tool", "/bin/tool", std::string(63, 'a'));
  inputs.add_folder("folder", "/f", std::string(64, 'a'), "");
  inputs.add_file_as("x", "/2", "t");
  inputs.add_file_as("x", "/1", "t");
  EXPECT_EQ(inputs.lines(),
            "file\tx\tt\t/1\nfile\tx\tt\t/2\nfolder\tfolder\taaaaaaaaaaaa\t/f\n"
            "tool\ttool\t" +
                std::string(63, 'a') +
                "\t/bin/tool\n"
                "value\ta\t1\t\nvalue\ta\t2\t\nvalue\tb\ttwo lines and a tab \t\n");
}

TEST_F(InputsTest, WithoutAPathWhatIsExceptedIsShown) {
  Inputs inputs;
  inputs.except("variable", "HOME", {}, "a place");
  EXPECT_EQ(inputs.lines(), "variable\tHOME\tnot in the key: a place\t\n");
}

TEST_F(InputsTest, OfATreeAFileThatChangesIsTold) {
  for (const bool is_there : {true, false}) {
    fs::remove(m_file);
    if (is_there) write("text");
    Inputs inputs;
    ASSERT_TRUE(inputs.add_tree("t", m_file));
    EXPECT_EQ(inputs.changed().value(), "");
    write("other");
    EXPECT_EQ(inputs.changed().value(), m_file.string());
  }
}

// Both what it holds and what the file system says of it.
TEST_F(InputsTest, AFolderChangesByContentOrState) {
  const auto folder = m_folder.path().string();
  const auto digest = digest_of_folder(folder).value();
  const auto changed = [&](const std::string& content, const std::string& state) {
    Inputs inputs;
    inputs.add_folder("f", folder, content, state);
    return inputs.changed().value();
  };
  EXPECT_EQ(changed(digest.content, digest.state), "");
  EXPECT_EQ(changed("other", digest.state), folder);
  EXPECT_EQ(changed(digest.content, "other"), folder);
}

TEST_F(InputsTest, TheStateOfAFileIsAnotherOneAfterEachChange) {
  std::set<std::string> states = {state_of_file(m_file)};
  EXPECT_EQ(state_of_file(m_file), *states.begin());
  ASSERT_EQ(::chmod(m_file.c_str(), 0600), 0);
  states.insert(state_of_file(m_file));
  const timespec times[] = {{1, 0}, {1, 5}};
  ASSERT_EQ(::utimensat(AT_FDCWD, m_file.c_str(), times, 0), 0);
  states.insert(state_of_file(m_file));
  const timespec later[] = {{1, 0}, {2, 5}};
  ASSERT_EQ(::utimensat(AT_FDCWD, m_file.c_str(), later, 0), 0);
  states.insert(state_of_file(m_file));
  ASSERT_EQ(::truncate(m_file.c_str(), 100), 0);
  states.insert(state_of_file(m_file));
  ASSERT_TRUE(base::write_file(m_folder.path() / "new", ""));
  states.insert(state_of_file(m_folder.path() / "new"));
  EXPECT_EQ(states.size(), 6U);
  EXPECT_EQ(state_of_file(m_folder.path() / "none"), "none");
  EXPECT_EQ(state_of_file(m_file / "below"), "none");
  fs::create_symlink("circle", m_folder.path() / "circle");
  EXPECT_EQ(state_of_file(m_folder.path() / "circle"), "error " + std::to_string(ELOOP));
}

TEST_F(InputsTest, FilesCountByOneDigestAndChangeByWhatIsSeenOfThem) {
  const auto with = [&](const std::string& digest, const std::string& now) {
    Inputs inputs;
    inputs.add_files("**", m_folder.path(), digest, "seen",
                     [now]() -> base::Result<std::string> { return now; });
    return inputs;
  };
  EXPECT_EQ(with("d", "seen").changed().value(), "");
  EXPECT_EQ(with("d", "other").changed().value(), m_folder.path().string());
  EXPECT_NE(with("d", "seen").key(), with("e", "seen").key());
  EXPECT_EQ(with("d", "seen").key(), with("d", "other").key());
  EXPECT_EQ(with("d", "seen").lines(), "files\t**\td\t" + m_folder.path().string() + "\n");
}

TEST_F(InputsTest, AWatchedFileIsInNoKey) {
  Inputs inputs;
  inputs.watch_file(m_file);
  inputs.watch_file(m_folder.path() / "none");
  EXPECT_EQ(inputs.key(), Inputs().key());
  EXPECT_EQ(inputs.changed().value(), "");
  ASSERT_TRUE(base::write_file(m_folder.path() / "none", ""));
  EXPECT_EQ(inputs.changed().value(), (m_folder.path() / "none").string());
}

}  // namespace
}  // namespace builder
