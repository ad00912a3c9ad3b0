// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/local_targets.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace builder::python {
namespace {

class LocalTargetsTest : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "targets.").value();
  fs::path m_source = m_folder.path() / "source";
  fs::path m_outside = m_folder.path() / "outside";
  process::Environment m_environment;

  void SetUp() override {
    for (const auto& folder : {m_source, m_outside}) {
      ASSERT_TRUE(base::make_folders(folder / "packages"));
      ASSERT_TRUE(base::write_file(folder / "packages" / "a b.whl", ""));
      ASSERT_TRUE(base::write_file(folder / "README.md", ""));
    }
  }

  // The names of what is outside, or "inside", or "".
  std::string of_text(const std::string& text) {
    LocalTargets targets(m_source, m_environment);
    EXPECT_TRUE(targets.add_text(text, m_source)) << text;
    return said(targets);
  }
  std::string of_line(const std::string& line) {
    LocalTargets targets(m_source, m_environment);
    EXPECT_TRUE(targets.add_line(line, m_source)) << line;
    return said(targets);
  }
  std::string said(const LocalTargets& targets) const {
    if (targets.is_inside()) return "inside";
    return targets.outside().lines().find(m_outside.string()) != std::string::npos ? "outside" : "";
  }
};

TEST_F(LocalTargetsTest, FindsValuesOfTomlAndJson) {
  for (const std::string text :
       {R"(path = "packages/a b.whl")", R"({"file": "packages/a b.whl", "hashes": []})",
        R"(find-links = ["https://x/", 'packages'])", R"(registry="./packages")",
        R"(url = "file:packages/a%20b.whl")", R"({"name": "x", "path": "packages"})"}) {
    EXPECT_EQ(of_text(text), "inside") << text;
  }
  const auto outside = m_outside.string();
  for (const auto& text :
       {"path = \"../outside/packages\"", "x @ file://OUT/packages/a%20b.whl\n",
        "dependencies = [\"x @ file://localhostOUT/packages ; a\"]", "{\"path\":\"OUT/packages\"}"}) {
    std::string whole = text;
    if (const auto at = whole.find("OUT"); at != std::string::npos) whole.replace(at, 3, outside);
    EXPECT_EQ(of_text(whole), "outside") << whole;
  }
}

TEST_F(LocalTargetsTest, PassesOverWhatInstallsNothing) {
  for (const std::string text :
       {R"(readme = {file = "README.md"})", R"(url = "https://example.com/packages")",
        R"(pathological = "packages")", R"(path = "missing")", R"(url = "git+ssh://git@example.com/x")",
        R"(path = "..")", R"(path = "/")", R"(path = )"}) {
    EXPECT_EQ(of_text(text), "") << text;
  }
}

TEST_F(LocalTargetsTest, ReadsLinesOfRequirements) {
  m_environment["HERE"] = m_outside.string();
  for (const std::string line :
       {"-e ../outside/packages", "--find-links=../outside/packages", "-f ${HERE}/packages",
        "--find-links '${HERE}/packages'",
        "x[y] @ file://${HERE}/packages/a%20b.whl#sha256=0 ; python_version > '3'", "../outside/packages"}) {
    EXPECT_EQ(of_line(line), "outside") << line;
  }
  for (const std::string line : {"six", "--no-binary packages", "packages==1 ; a == '../outside/packages'"}) {
    EXPECT_NE(of_line(line), "outside") << line;
  }
}

TEST_F(LocalTargetsTest, EachKindOfPackageInstallsSomething) {
  for (const std::string file : {"x.whl", "x.tar.gz", "x.tar.bz2", "x.tar.xz", "x.zip", "index.html"}) {
    ASSERT_TRUE(base::make_folders(m_source / file / "folder"));
    ASSERT_TRUE(base::write_file(m_source / file / "folder" / file, ""));
    EXPECT_EQ(of_text("path = '" + file + "/folder/" + file + "'"), "inside") << file;
    EXPECT_EQ(of_text("path = '" + file + "/folder'"), "inside") << file << " in a folder";
  }
  for (const std::string file : {"pyproject.toml", "setup.py", "setup.cfg"}) {
    ASSERT_TRUE(base::make_folders(m_source / ("of-" + file)));
    ASSERT_TRUE(base::write_file(m_source / ("of-" + file) / file, ""));
    EXPECT_EQ(of_text("path = 'of-" + file + "'"), "inside") << file;
    EXPECT_EQ(of_text("path = 'of-" + file + "/" + file + "'"), "") << "a file that is no package";
  }
  for (const std::string file : {"x.tar", "x.txt", "x.whl.part"}) {
    ASSERT_TRUE(base::make_folders(m_source / ("with-" + file)));
    ASSERT_TRUE(base::write_file(m_source / ("with-" + file) / file, ""));
    EXPECT_EQ(of_text("path = 'with-" + file + "'"), "") << file;
  }
}

TEST_F(LocalTargetsTest, EachKeyMayHaveAPath) {
  for (const std::string key : {"path", "file", "directory", "editable", "virtual", "registry", "url",
                                "find-links", "index-url", "extra-index-url", "default-index", "index"}) {
    EXPECT_EQ(of_text(key + " = 'packages'"), "inside") << key;
    EXPECT_EQ(of_text("{\"" + key + "\": \"packages\"}"), "inside") << key;
    EXPECT_EQ(of_text(key + "s = 'packages'"), "") << key;
    EXPECT_EQ(of_text("x-" + key + " = 'packages'"), "") << key;
    EXPECT_EQ(of_text("x_" + key + " = 'packages'"), "") << key;
    EXPECT_EQ(of_text("x1" + key + " = 'packages'"), "") << key;
    EXPECT_EQ(of_text(key), "") << key;
  }
  for (const std::string text :
       {"path=[ 'none',\n 'packages' ]", "path = [\"none\" , \"packages\"]", "path\t:\t'packages'",
        "a.path = 'packages'", "path = 'x'\npath = 'packages'", "path: \"none\" \"packages\""}) {
    EXPECT_EQ(of_text(text), "inside") << text;
  }
  for (const std::string text :
       {"path 'packages'", "path = packages", "path = 'packages", "path = 'none', \"name\": \"packages\"",
        "path = 'none', 'name' : 'packages'", "path = "}) {
    EXPECT_EQ(of_text(text), "") << text;
  }
}

TEST_F(LocalTargetsTest, AUrlOfAFileEndsWhereTextsEnd) {
  const auto url = "file://" + (m_source / "packages/a%20b.whl").string();
  for (const std::string end : {"", " ", "\t", "\n", "\"", "'", ";", ",", ")", "]", "}", "#sha256=0"})
    EXPECT_EQ(of_text("x(" + url + end + "x"), end.empty() ? "" : "inside") << end;
  EXPECT_EQ(of_text(url), "inside");
  EXPECT_EQ(of_text("a file:none b " + url), "inside");
}

TEST_F(LocalTargetsTest, EachOptionOfALineMayHaveOne) {
  for (const std::string option :
       {"--find-links", "--extra-index-url", "--index-url", "--editable", "-f", "-i", "-e"}) {
    for (const std::string between : {" ", "=", " = ", "\t"})
      EXPECT_EQ(of_line(option + between + "../outside/packages"), "outside") << option << between;
  }
  for (const std::string line :
       {"-r ../outside/packages", "--pre", "-e -x", "-e \"\"", "a ../outside/packages"})
    EXPECT_EQ(of_line(line), "") << line;
  for (const std::string line :
       {"'../outside/packages'", "\"../outside/packages\"", "../outside/packages;x", "../outside/packages\tx",
        "../outside/packages[extra]", "../outside/packages#egg=x"})
    EXPECT_EQ(of_line(line), "outside") << line;
}

TEST_F(LocalTargetsTest, TargetsOutsideAreInputsByTheirNames) {
  const auto lines = [&](const std::string& target) {
    LocalTargets targets(m_source, {{"PLACE", m_outside.string()}});
    EXPECT_TRUE(targets.add(target, m_source));
    std::string told;
    for (const auto& line : base::split(targets.outside().lines(), '\n')) {
      const auto fields = base::split(line, '\t');
      if (fields.size() == 4) told += fields[0] + " " + fields[1] + "|";
    }
    return told;
  };
  EXPECT_EQ(lines("../outside/packages"), "file ../outside/packages/a b.whl|");
  EXPECT_EQ(lines("../outside/packages/a b.whl"), "file ../outside/packages/a b.whl|");
  EXPECT_EQ(lines(" ${PLACE}/packages/a b.whl "), "file ${PLACE}/packages/a b.whl|");
  ASSERT_TRUE(base::write_file(m_outside / "setup.py", ""));
  EXPECT_EQ(lines("../outside"), "folder ../outside|");
  EXPECT_EQ(lines("${PROJECT_ROOT}/../outside"), "folder ${PROJECT_ROOT}/../outside|");
  for (const std::string none :
       {"", " ", "https://h/../outside", "none", "file:", "../outside/pack\nages", "#x"})
    EXPECT_EQ(lines(none), "") << none;
  EXPECT_EQ(lines(std::string("../outside\0x", 12)), "");
  LocalTargets own(m_source, {{"PROJECT_ROOT", "/elsewhere"}});
  EXPECT_TRUE(own.add("${PROJECT_ROOT}/packages", m_source));
  EXPECT_FALSE(own.is_inside()) << "the user's own counts";
}

TEST(PathsOfTargets, AreDecoded) {
  for (const auto& [target, path] : std::map<std::string, std::string>{{"file:///a/b%20c#x", "/a/b c"},
                                                                       {"file:./a", "./a"},
                                                                       {"file://localhost/a", "/a"},
                                                                       {"file:/a[b]", "/a[b]"},
                                                                       {"./a[b]", "./a"},
                                                                       {"./a[b", "./a[b"},
                                                                       {"./a[1]/b[c]", "./a[1]/b"},
                                                                       {"./a%20b", "./a%20b"},
                                                                       {"a#b", "a"},
                                                                       {"", ""}})
    EXPECT_EQ(path_of_target(target), path) << target;
  for (const auto& [text, decoded] : std::map<std::string, std::string>{{"%41", "A"},
                                                                        {"%4", "%4"},
                                                                        {"%", "%"},
                                                                        {"%4g", "%4g"},
                                                                        {"%g4", "%g4"},
                                                                        {"a%42c%44", "aBcD"},
                                                                        {"%%41", "%A"},
                                                                        {"%c3%a9", "\xc3\xa9"}})
    EXPECT_EQ(percent_decoded(text), decoded) << text;
}

}  // namespace
}  // namespace builder::python
