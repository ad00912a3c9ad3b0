// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/image_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/starter/build_context.h"

namespace starter {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
namespace fs = base::fs;

TEST(ImagePath, IsWholeAndStaysInTheImage) {
  EXPECT_EQ(image_path("/", "a"), "/a");
  EXPECT_EQ(image_path("/app", "./a//b/"), "/app/a/b");
  EXPECT_EQ(image_path("/app", "/x/../y"), "/y");
  EXPECT_EQ(image_path("/app", "../../.."), "/");
  EXPECT_EQ(image_path("/app", "."), "/app");
}

TEST(ImagePath, IsReplacedAsAWhole) {
  const auto text = [](const std::string& given) { return with_path_replaced(given, "/bin/map", "sh x"); };
  EXPECT_EQ(text("/bin/map"), "sh x");
  EXPECT_EQ(text("a;/bin/map -v|/bin/map>\"/bin/map\""), "a;sh x -v|sh x>\"sh x\"");
  for (const std::string same : {"", "/bin/mapper", "/usr/bin/map", "/bin/map/x", "$X/bin/map", "/bin"})
    EXPECT_EQ(text(same), same);
}

// An image with empty files at these paths.
ImageFiles image_of(const std::vector<std::string>& paths) {
  ImageFiles image;
  for (const auto& path : paths)
    EXPECT_TRUE(image.add({.files = {{"", "/context" + path}}}, "unused", path, false, "D:1"));
  return image;
}

std::vector<std::string> source_of(const SourceLayout& layout) {
  std::vector<std::string> all;
  for (const auto& [path, file] : layout.files())
    all.push_back(path + "=" + file.string().substr(std::string("/context").size()));
  return all;
}

TEST(ImageFilesTest, AFileGoesIntoAFolderOrGetsItsName) {
  ImageFiles image;
  const BuildContext::Entry file{.files = {{"", "/c/x.py"}}};
  const BuildContext::Entry folder{.is_folder = true,
                                   .files = {{"a.py", "/c/f/a.py"}, {"b/c.py", "/c/f/b/c.py"}}};
  ASSERT_TRUE(image.add(file, "x.py", "/app", true, "D:1"));
  ASSERT_TRUE(image.add(file, "x.py", "/other", false, "D:1"));
  ASSERT_TRUE(image.add(folder, "f", "/", true, "D:1"));
  std::vector<std::string> paths;
  for (const auto& [path, from] : image.files()) paths.push_back(path + "=" + from.string());
  EXPECT_THAT(paths,
              ElementsAre("/a.py=/c/f/a.py", "/app/x.py=/c/x.py", "/b/c.py=/c/f/b/c.py", "/other=/c/x.py"));
  EXPECT_TRUE(image.has_folder("/"));
  EXPECT_TRUE(image.has_folder("/app"));
  EXPECT_TRUE(image.has_folder("/b"));
  EXPECT_FALSE(image.has_folder("/other"));
  EXPECT_FALSE(image.has_folder("/ap"));
  EXPECT_FALSE(image.has_folder("/z"));
  image.add_folder("/z");
  EXPECT_TRUE(image.has_folder("/z"));
}

TEST(ImageFilesTest, AnEntryHasAFileOrThoseOfAFolder) {
  const ImageFiles image = image_of({"/app", "/app-b", "/lib/x.py", "/lib/y/z.py", "/libs"});
  const auto told = [&](const std::string& path) {
    const auto entry = image.entry(path);
    std::string text = entry.is_folder ? "folder" : "file";
    for (const auto& file : entry.files) text += " " + file.path + "=" + file.file.string();
    return text;
  };
  EXPECT_EQ(told("/app"), "file =/context/app");
  EXPECT_EQ(told("/lib"), "folder x.py=/context/lib/x.py y/z.py=/context/lib/y/z.py");
  EXPECT_EQ(told("/lib/y"), "folder z.py=/context/lib/y/z.py");
  EXPECT_EQ(image.entry("/").files.size(), 5U);
  EXPECT_THAT(image.entry("/none").files, IsEmpty());
}

TEST(ImageFilesTest, ThereIsALimit) {
  ImageFiles image;
  BuildContext::Entry folder{.is_folder = true};
  for (int i = 0; i < 100'000; ++i) folder.files.push_back({std::to_string(i), "/x"});
  ASSERT_TRUE(image.add(folder, "f", "/a", true, "D:7"));
  const auto status = image.add({.files = {{"", "/x"}}}, "x", "/b", false, "D:8");
  ASSERT_FALSE(status);
  EXPECT_EQ(base::format_error(status.error()),
            "error: D:8: copies more than 100,000 files\n"
            "hint: name folders that the program does not need in .dockerignore\n");
}

TEST(Layout, TheWorkingFolderIsTheRootWhereAllIsInIt) {
  const SourceLayout layout(image_of({"/app/main.py", "/app/lib/x.py"}), "/app", {});
  EXPECT_THAT(source_of(layout), ElementsAre("lib/x.py=/app/lib/x.py", "main.py=/app/main.py"));
  EXPECT_EQ(layout.source_path("/app"), "");
  EXPECT_EQ(layout.source_path("/app/lib"), "lib");
  EXPECT_EQ(layout.source_path("/app/lib/x.py"), "lib/x.py");
  EXPECT_EQ(layout.source_path("/app/lib/y.py"), std::nullopt);
  EXPECT_EQ(layout.source_path("/"), std::nullopt);
}

TEST(Layout, ElseTheDeepestFolderAroundAllIs) {
  EXPECT_THAT(source_of({image_of({"/edges.py"}), "/", {}}), ElementsAre("edges.py=/edges.py"));
  EXPECT_THAT(source_of({image_of({"/opt/a/x.py", "/opt/b/y.py"}), "/opt/a", {}}),
              ElementsAre("a/x.py=/opt/a/x.py", "b/y.py=/opt/b/y.py"));
  EXPECT_THAT(source_of({image_of({"/app/x.py", "/apple/y.py"}), "/app", {}}),
              ElementsAre("app/x.py=/app/x.py", "apple/y.py=/apple/y.py"));
  EXPECT_THAT(source_of({image_of({"/app/x.py", "/app/y/z.py"}), "/", {}}),
              ElementsAre("x.py=/app/x.py", "y/z.py=/app/y/z.py"));
  EXPECT_THAT(source_of({image_of({"/app/src/x.py"}), "/app", {}}), ElementsAre("src/x.py=/app/src/x.py"));
  EXPECT_THAT(source_of({ImageFiles(), "/app", {}}), IsEmpty());
}

TEST(Layout, ListsOfRequirementsComeAlongFromElsewhere) {
  const SourceLayout layout(
      image_of({"/app/main.py", "/app/requirements.txt", "/tmp/requirements.txt", "/x/base.txt"}), "/app",
      {"/tmp/requirements.txt", "/x/base.txt"});
  EXPECT_THAT(source_of(layout),
              ElementsAre("base.txt=/x/base.txt", "image-requirements.txt=/tmp/requirements.txt",
                          "main.py=/app/main.py", "requirements.txt=/app/requirements.txt"));
  // Nothing but lists.
  EXPECT_THAT(source_of({image_of({"/tmp/r.txt"}), "/", {"/tmp/r.txt"}}), ElementsAre("r.txt=/tmp/r.txt"));
}

TEST(Layout, ScriptsOfTheBuildsNamesAreMovedAside) {
  const SourceLayout deeper(image_of({"/app/run.sh", "/app/main.py"}), "/app", {});
  EXPECT_THAT(source_of(deeper), ElementsAre("app/main.py=/app/main.py", "app/run.sh=/app/run.sh"));
  EXPECT_THAT(deeper.renamed(), IsEmpty());
  EXPECT_EQ(deeper.source_path("/app"), "app");
  const SourceLayout top(image_of({"/build.sh", "/main.py"}), "/", {});
  EXPECT_THAT(source_of(top), ElementsAre("image-build.sh=/build.sh", "main.py=/main.py"));
  EXPECT_THAT(top.renamed(), ElementsAre(testing::Pair("/build.sh", "image-build.sh")));
  EXPECT_EQ(top.with_source_paths("sh /build.sh"), "sh /pfs/source/image-build.sh");
  EXPECT_THAT(source_of({image_of({"/app/x/run.sh", "/app/y"}), "/app", {}}),
              ElementsAre("x/run.sh=/app/x/run.sh", "y=/app/y"));
}

TEST(Layout, PathsInTextsAreThoseOfTheSource) {
  const SourceLayout layout(image_of({"/app/main.py", "/app/lib/x.py", "/app/a-b_1.2+c@d%e~f"}), "/app", {});
  const auto text = [&](const std::string& given) { return layout.with_source_paths(given); };
  EXPECT_EQ(text("/app/main.py"), "/pfs/source/main.py");
  EXPECT_EQ(text("cd /app/ && python /app/main.py>x; --c=/app/lib/. '/app/lib/x.py'"),
            "cd /pfs/source/ && python /pfs/source/main.py>x; --c=/pfs/source/lib/. '/pfs/source/lib/x.py'");
  EXPECT_EQ(text("/app:/usr/lib:/app/lib"), "/pfs/source:/usr/lib:/pfs/source/lib");
  EXPECT_EQ(text("/app/a-b_1.2+c@d%e~f."), "/pfs/source/a-b_1.2+c@d%e~f.");
  for (const std::string same :
       {"", "/", "/application", "/app/other.py", "x/app/main.py", "$X/app", "${X}/app", "http://app/main.py",
        "http://host/app/main.py", "../app", "app/main.py", "/usr/bin/python3"})
    EXPECT_EQ(text(same), same);
  EXPECT_EQ(layout.first_path_in("open('/etc/x', '/app/lib', '/app')"), "/app/lib");
  EXPECT_EQ(layout.first_path_in("open('/etc/x')"), "");
}

class ContextTest : public testing::Test {
 protected:
  [[nodiscard]] fs::path path(const std::string& name) const { return m_folder.path() / name; }
  void write(const std::string& name, const std::string& text = "") const {
    ASSERT_TRUE(base::make_folders(path(name).parent_path()));
    ASSERT_TRUE(base::write_file(path(name), text));
  }
  [[nodiscard]] BuildContext context() const {
    return BuildContext::open(m_folder.path(), path("Dockerfile")).value();
  }
  [[nodiscard]] std::string shown(std::string text) const {
    base::replace_all(text, m_folder.path().string(), "DIR");
    return text;
  }
  [[nodiscard]] std::vector<std::string> matches(const std::string& pattern) const {
    const auto found = context().matches(pattern, "D:3");
    return found ? *found : std::vector<std::string>{shown(base::format_error(found.error()))};
  }
  [[nodiscard]] std::vector<std::string> files(const std::string& name) const {
    const auto entry = context().read(name, "D:3");
    if (!entry) return {shown(base::format_error(entry.error()))};
    std::vector<std::string> all;
    for (const auto& file : entry->files) all.push_back(file.path);
    return all;
  }

  base::TemporaryFolder m_folder =
      base::TemporaryFolder::make(fs::canonical(fs::temp_directory_path()), "context-test-").value();
};

TEST_F(ContextTest, WildcardsMatchOnOneLevel) {
  for (const char* name : {"a.py", "b.py", "c.txt", "lib/a.py", "lib/x/b.py", "[x].py", "{a}.py"})
    write(name);
  EXPECT_THAT(matches("*.py"), ElementsAre("[x].py", "a.py", "b.py", "{a}.py"));
  EXPECT_THAT(matches("?.*"), ElementsAre("a.py", "b.py", "c.txt"));
  EXPECT_THAT(matches("[ac].*"), ElementsAre("a.py", "c.txt"));
  EXPECT_THAT(matches("li?/*.py"), ElementsAre("lib/a.py"));
  EXPECT_THAT(matches("*/*/*"), ElementsAre("lib/x/b.py"));
  EXPECT_THAT(matches("{*"), ElementsAre("{a}.py"));
  EXPECT_THAT(matches("."), ElementsAre(""));
  EXPECT_THAT(matches("/"), ElementsAre(""));
  EXPECT_THAT(matches("/lib/./x/../"), ElementsAre("lib"));
  EXPECT_THAT(matches("nowhere"), ElementsAre("nowhere"));
  EXPECT_THAT(matches("*.R"), ElementsAre("error: D:3: \"*.R\" does not exist in the build context\n"
                                          "hint: pass the build context with --context DIR\n"));
  EXPECT_THAT(matches("[*"), ElementsAre("error: D:3: \"[*\": character 1: unclosed '['\n"));
  for (const char* outside : {"..", "../x", "a/../../b", "/../x"})
    EXPECT_THAT(matches(outside), ElementsAre("error: D:3: " + base::quoted(outside) +
                                              " is outside the build context\n"
                                              "hint: pass the build context with --context DIR\n"));
}

TEST_F(ContextTest, WildcardsDoNotGoThroughLinks) {
  write("real/x.py");
  ASSERT_EQ(::symlink("real", path("link").c_str()), 0);
  EXPECT_THAT(matches("*/x.py"), ElementsAre("link/x.py", "real/x.py"));
  EXPECT_THAT(matches("*/*.py"), ElementsAre("real/x.py"));
}

TEST_F(ContextTest, AFolderHasItsFiles) {
  for (const char* name : {"lib/a.py", "lib/x/b.py", "lib/.git/config", "lib/__pycache__/a.pyc", "c.py"})
    write(name);
  EXPECT_THAT(files("lib"), ElementsAre("a.py", "x/b.py"));
  EXPECT_THAT(files("c.py"), ElementsAre(""));
  EXPECT_THAT(files(""), ElementsAre("c.py", "lib/a.py", "lib/x/b.py"));
  EXPECT_TRUE(context().read("lib", "")->is_folder);
  EXPECT_FALSE(context().read("c.py", "")->is_folder);
  EXPECT_EQ(context().read("lib", "")->files[1].file, path("lib/x/b.py"));
}

TEST_F(ContextTest, WhatCannotBeCopiedIsAnError) {
  write("summary.py");
  EXPECT_THAT(files("sumary.py"),
              ElementsAre("error: D:3: \"sumary.py\" does not exist in the build context\n"
                          "hint: did you mean \"DIR/summary.py\"?\n"));
  ASSERT_EQ(::symlink("/etc/passwd", path("out").c_str()), 0);
  EXPECT_THAT(files("out"),
              ElementsAre("error: D:3: \"out\" is a symbolic link to /etc/passwd, outside the build context\n"
                          "hint: replace it with a copy\n"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  EXPECT_THAT(files("pipe"), ElementsAre("error: D:3: \"pipe\" is neither a file nor a folder\n"));
  for (const auto& [size, is_allowed] :
       {std::pair(off_t{1} << 30, true), std::pair((off_t{1} << 30) + 1, false)}) {
    write("big");
    ASSERT_EQ(::truncate(path("big").c_str(), size), 0);
    EXPECT_THAT(files("big"),
                ElementsAre(is_allowed ? ""
                                       : "error: D:3: \"big\" is 1.0 GiB; the limit is 1.0 GiB\n"
                                         "hint: put it into a repo as data\n"));
  }
  ASSERT_EQ(::symlink("summary.py", path("inside").c_str()), 0);
  EXPECT_THAT(files("inside"), ElementsAre(""));
  EXPECT_EQ(context().read("inside", "")->files[0].file, path("summary.py"));
}

TEST_F(ContextTest, ItMustBeAFolder) {
  write("file");
  EXPECT_EQ(shown(base::format_error(BuildContext::open(path("file"), "D").error())),
            "error: DIR/file: is not a folder\n");
  EXPECT_EQ(shown(base::format_error(BuildContext::open(path("none"), "D").error())),
            "error: DIR/none: cannot read: no such file or folder\n");
}

TEST_F(ContextTest, DockerignoreLeavesOut) {
  for (const char* name : {"a.py", "a.log", "lib/b.log", "lib/c.py", "venv/x", "lib/venv/y"}) write(name);
  ASSERT_EQ(::symlink("/usr/bin/env", path("venv/python").c_str()), 0);
  write(".dockerignore", "# all\n\n/venv/\n*.log\n.dockerignore\n");
  EXPECT_THAT(files(""), ElementsAre("a.py", "lib/b.log", "lib/c.py", "lib/venv/y"));
  EXPECT_THAT(files("lib"), ElementsAre("b.log", "c.py", "venv/y"));
  EXPECT_THAT(matches("*.*"), ElementsAre("a.py"));
  EXPECT_THAT(files("a.log"), ElementsAre("error: D:3: \"a.log\" is left out by .dockerignore\n"));
  write("Dockerfile.dockerignore", "lib\n*ignore\nvenv\n");
  EXPECT_THAT(files(""), ElementsAre("a.log", "a.py"));
  write("Dockerfile.dockerignore", "[\n");
  EXPECT_EQ(shown(base::format_error(BuildContext::open(m_folder.path(), path("Dockerfile")).error())),
            "error: DIR/Dockerfile.dockerignore:1: \"[\": character 1: unclosed '['\n");
}

TEST(DockerIgnoreTest, TheLastLineThatMatchesDecides) {
  const auto ignore =
      DockerIgnore::parse("**/*.md\r\n!README.md\nlib/**/tmp\n! lib/a/tmp/keep\n..\n.\n{x}\n", "I").value();
  for (const char* out : {"a.md", "lib/README.md", "lib/tmp", "lib/a/tmp", "lib/a/b/tmp/x", "{x}"})
    EXPECT_TRUE(ignore.leaves_out(out)) << out;
  for (const char* in : {"README.md", "a.mdx", "tmp", "lib/a/tmp/keep", "x"})
    EXPECT_FALSE(ignore.leaves_out(in)) << in;
  // Something in it may be taken back.
  EXPECT_FALSE(ignore.leaves_out_all("lib/a/tmp"));
  EXPECT_TRUE(DockerIgnore::parse("lib", "I")->leaves_out_all("lib"));
  EXPECT_FALSE(DockerIgnore::parse("lib", "I")->leaves_out_all("libs"));
}

}  // namespace
}  // namespace starter
