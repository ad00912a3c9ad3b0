// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/silence.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>
#include <string>

#include "base/files.h"
#include "base/text.h"

namespace local {
namespace {

std::string cause_of(std::string_view text) {
  return explain_silence(text, "main.py", {"data", "models"}).value_or("");
}

TEST(Silence, AFolderThatIsNoInput) {
  EXPECT_EQ(cause_of("import os\nos.listdir('/pfs/images')\n"),
            "main.py:2 names /pfs/images, which does not exist; the inputs are /pfs/data, /pfs/models");
}

TEST(Silence, ALinkThatIsNotFollowed) {
  EXPECT_EQ(cause_of("find /pfs/data -type f"),
            "main.py:1 does not follow the link /pfs/data; write /pfs/data/");
  EXPECT_NE(cause_of("filepath.Walk(\"/pfs/models\", func"), "");
  EXPECT_NE(cause_of("for f in $(find \"/pfs/data\"); do"), "");
}

TEST(Silence, NothingExplainsIt) {
  for (const auto* text :
       {"/pfs/data /pfs/out/x /pfs/source/a /pfs/build/run.sh", "/pfs/$name /pfs/%s /pfs/{x} /pfs/in*",
        "find /pfs/data/ -type f", "find -L /pfs/data", "grep x /pfs/data", "/pfs/", "/my/pfs"}) {
    EXPECT_EQ(cause_of(text), "") << text;
  }
}

TEST(Silence, EachPlaceIsLookedAtInItsOrder) {
  const std::string none = ", which does not exist; the inputs are /pfs/data, /pfs/models";
  const std::pair<std::string, std::string> k_texts[] = {
      {"/pfs/data/x\n\n/pfs/other\n/pfs/more", "main.py:3 names /pfs/other" + none},
      {"/pfs/a-b_C1/x", "main.py:1 names /pfs/a-b_C1" + none},
      {"\"/pfs/other\"", "main.py:1 names /pfs/other" + none},
      {"/pfs/other$", ""},
      {"/pfs/other{", ""},
      {"/pfs/other?", ""},
      {"/pfs/other<", ""},
      {"/pfs/other%", ""},
      {"/pfs/other*", ""},
      {"/pfs/other+", "main.py:1 names /pfs/other" + none},
      {"x/pfs/other", ""},
      {"-/pfs/other", ""},
      {" /pfs/other", "main.py:1 names /pfs/other" + none},
      {"./pfs/other", "main.py:1 names /pfs/other" + none},
      {"find /pfs/out", ""},
      {"find  '/pfs/data'", "main.py:1 does not follow the link /pfs/data; write /pfs/data/"},
      {"find `/pfs/data`", "main.py:1 does not follow the link /pfs/data; write /pfs/data/"},
      {"find\"/pfs/data\"", ""},
      {"xfind /pfs/data", ""},
      {"$(find /pfs/data)", "main.py:1 does not follow the link /pfs/data; write /pfs/data/"},
      {"find .\n/pfs/data", ""},
      {"findings /pfs/data", ""},
      {"filepath.WalkDir(\"/pfs/data\", f)",
       "main.py:1 does not follow the link /pfs/data; write /pfs/data/"},
      {"filepath.Walk(\"/pfs/data/\", f)", ""},
      {"filepath.Walks(\"/pfs/data\", f)", ""}};
  for (const auto& [text, cause] : k_texts) EXPECT_EQ(cause_of(text), cause) << text;
  EXPECT_EQ(explain_silence("\n/pfs/x", "p.json:4:3:", {"in"}),
            "p.json:4:3: names /pfs/x, which does not exist; the inputs are /pfs/in")
      << "a place that has its line already";
}

class SilenceOfASource : public testing::Test {
 protected:
  SilenceOfASource() {
    m_spec.input.repo.name = m_spec.input.repo.repo = "in";
    m_spec.places = spec::Places("p.json");
    m_spec.transform.build.folder = m_folder.path() / "shown";
  }
  void put(const std::string& name, const std::string& content) const {
    const auto file = m_folder.path() / "copy" / name;
    ASSERT_TRUE(base::make_folders(file.parent_path()));
    ASSERT_TRUE(base::write_file(file, content));
  }
  [[nodiscard]] std::string cause() const {
    auto found = explain_silence(m_spec, m_folder.path() / "copy").value_or("");
    // Its path is shown from the current folder when it is below it.
    const auto name = m_folder.path().filename().string();
    if (const auto place = found.find(name); place != std::string::npos)
      found = "TMP" + found.substr(place + name.size());
    return found.substr(0, found.find(','));
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "silence.").value();
  spec::PipelineSpec m_spec;
};

TEST_F(SilenceOfASource, TheCommandComesBeforeTheFilesInTheirOrder) {
  put("b.py", "/pfs/b");
  put("a/z.py", "/pfs/z");
  EXPECT_EQ(cause(), "TMP/shown/a/z.py:1 names /pfs/z");
  m_spec.transform.stdin_lines = {"cat /pfs/lines"};
  EXPECT_EQ(cause(), "p.json:1:1: names /pfs/lines");
  m_spec.transform.cmd = {"cat", "/pfs/cmd"};
  EXPECT_EQ(cause(), "p.json:1:1: names /pfs/cmd");
  m_spec.transform.cmd = {"cat", "/pfs/in"};
  m_spec.transform.stdin_lines = {};
  EXPECT_EQ(cause(), "TMP/shown/a/z.py:1 names /pfs/z");
  EXPECT_EQ(explain_silence(m_spec, ""), std::nullopt) << "nothing was built";
}

TEST_F(SilenceOfASource, FilesThatSayNothingAreLeftOut) {
  for (const std::string name : {"a.md", "a.rst", "a.txt"}) put(name, "/pfs/x");
  put("binary", std::string("/pfs/x\0", 7));
  put("large.py", std::string(1 << 20, ' ') + "/pfs/x");
  base::fs::create_symlink("b.py", m_folder.path() / "copy/a-link.py");
  EXPECT_EQ(cause(), "");
  put("just.py", "/pfs/x" + std::string((1 << 20) - 6, ' '));
  EXPECT_EQ(cause(), "TMP/shown/just.py:1 names /pfs/x");
  put("b.py", "/pfs/y");
  EXPECT_EQ(cause(), "TMP/shown/b.py:1 names /pfs/y");
}

TEST_F(SilenceOfASource, SoMuchIsRead) {
  for (int i = 10; i < 42; ++i) put("f" + std::to_string(i), std::string(1 << 20, ' '));
  put("g.py", "/pfs/x");
  EXPECT_EQ(cause(), "") << "32 MiB came before it";
  put("f41", "");
  EXPECT_EQ(cause(), "TMP/shown/g.py:1 names /pfs/x");
}

}  // namespace
}  // namespace local
