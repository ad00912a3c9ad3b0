// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/local_targets.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace builder::python
