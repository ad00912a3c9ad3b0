// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/starter/builder.h"

namespace starter {
namespace {

class BuilderProject : public testing::Test {
 protected:
  void SetUp() override {
    write("builder.toml", k_description);
    write("Dockerfile",
          "# ARG X_IMAGE=comment\nARG PLAIN=1\nARG R_IMAGE=rocker/r-ver:4.4\nARG PACHBUILD_IMAGE=p\n");
  }
  void write(const std::string& path, const std::string& text, mode_t mode = 0644) const {
    const auto file = m_folder.path() / path;
    ASSERT_TRUE(base::make_folders(file.parent_path()));
    ASSERT_TRUE(base::write_file(file, text, mode));
  }
  [[nodiscard]] static std::string paths_of(const Project& project) {
    std::vector<std::string> paths;
    for (const auto& [path, file] : project) paths.push_back(path + (file.is_executable ? "*" : ""));
    return base::join(paths, " ");
  }
  static constexpr char k_description[] =
      "#:schema ../builder.schema.json\nschema = 1\nlanguage = \"r\"\nlanguages = 2\n\n[start]\ncommand = "
      "[\"x\"]\n";
  const base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "model.").value();
};

TEST_F(BuilderProject, WithoutAModelIsASmallOne) {
  const auto project = builder_project("my-lua", {}).value();
  EXPECT_EQ(paths_of(project), "Dockerfile build.sh builder.toml ci.sh probe/main.sh");
  EXPECT_NE(project.at("builder.toml").content.find("\nlanguage = \"my-lua\"\n"), std::string::npos);
  const auto& dockerfile = project.at("Dockerfile").content;
  for (const std::string line :
       {"ARG BASE_IMAGE=debian:12.12-slim\n", "ARG PACHBUILD_IMAGE=pachbuild:" PACHBUILD_VERSION "\n",
        "LABEL io.pachbuild.builder=declared\n", "#   docker build -t my-lua-builder:1 .\n"})
    EXPECT_NE(dockerfile.find(line), std::string::npos) << line;
  EXPECT_NE(project.at("ci.sh").content.find("build -t my-lua-builder:1 ."), std::string::npos);
  EXPECT_EQ(project.at("build.sh").content.substr(project.at("build.sh").content.rfind("exec")),
            "exec builder-runtime --builder /app\n");
  for (const auto& [path, file] : project)
    EXPECT_EQ(file.content.find('@' + std::string("NAME")), std::string::npos) << path;
}

TEST_F(BuilderProject, OfAModelHasItsFilesUnderAnotherName) {
  write("install.sh", "", 0755);
  write("lib/install.R", "");
  write("probe/main.R", "");
  for (const char* path : {"README.md", "build.sh", "run.sh"}) write(path, "official\n");
  write("lib/README.md", "");
  const auto project = builder_project("my-r", m_folder.path()).value();
  EXPECT_EQ(paths_of(project),
            "Dockerfile build.sh builder.toml ci.sh install.sh* lib/README.md lib/install.R probe/main.R");
  EXPECT_EQ(project.at("builder.toml").content,
            "schema = 1\nlanguage = \"my-r\"\nlanguages = 2\n\n[start]\ncommand = [\"x\"]\n");
  EXPECT_EQ(project.at("lib/install.R").copy_of, m_folder.path() / "lib/install.R");
  EXPECT_NE(project.at("Dockerfile").content.find("ARG BASE_IMAGE=rocker/r-ver:4.4\n"), std::string::npos);
  EXPECT_NE(project.at("build.sh").content, "official\n");
}

TEST_F(BuilderProject, OfAModelWithoutADockerfileHasDebiansBase) {
  write("Dockerfile", "FROM x\n");
  const auto project = builder_project("my-r", m_folder.path()).value();
  EXPECT_NE(project.at("Dockerfile").content.find("ARG BASE_IMAGE=debian:12.12-slim\n"), std::string::npos);
}

TEST_F(BuilderProject, NeedsADescriptionWithALanguage) {
  write("builder.toml", "schema = 1\n");
  const auto nameless = builder_project("my-r", m_folder.path());
  ASSERT_FALSE(nameless);
  EXPECT_EQ(nameless.error().kind, base::ErrorKind::bad_input);
  EXPECT_EQ(nameless.error().what, "has no line \"language = …\"");
  ASSERT_TRUE(base::remove_tree(m_folder.path() / "builder.toml"));
  EXPECT_FALSE(builder_project("my-r", m_folder.path()));
  EXPECT_FALSE(builder_project("my-r", m_folder.path() / "nowhere"));
}

}  // namespace
}  // namespace starter
