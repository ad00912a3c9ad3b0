// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/packages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>

namespace builder::declared {
namespace {

class DeclaredPackages : public testing::Test {
 protected:
  void file(const std::string& path, const std::string& content) {
    fs::create_directories((m_folder.path() / path).parent_path());
    ASSERT_TRUE(base::write_file(m_folder.path() / path, content));
  }
  std::vector<std::string> packages(const std::string& files, const std::string& match) {
    return packages({{FilePattern::compile(files).value()}, Pattern::compile(match).value(), {}, {}});
  }
  std::vector<std::string> packages(const PackagesDescription& description) {
    fs::create_directories(m_folder.path() / "tree");
    fs::create_directories(m_folder.path() / "source");
    return list_packages(description, LayerTree::open(m_folder.path() / "tree").value(),
                         SourceFiles::list(m_folder.path() / "source", {}).value())
        .value();
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "packages.").value();
};

TEST_F(DeclaredPackages, EachMatchIsOne) {
  file("tree/library/b/DESCRIPTION", "Package: b\nVersion: 2.0\n");
  file("tree/library/a/DESCRIPTION", "Package: a\nVersion: 1.0\nPackage: c\nVersion:\n");
  file("source/library/x/DESCRIPTION", "Package: x\nVersion: 1\n");
  const std::string match = R"(Package: (?P<name>\w+)\nVersion: ?(?P<version>\S*))";
  EXPECT_EQ(packages("library/*/DESCRIPTION", match), (std::vector<std::string>{"a 1.0", "b 2.0", "c"}));
  fs::remove_all(m_folder.path() / "tree");
  EXPECT_EQ(packages("library/*/DESCRIPTION", match), std::vector<std::string>{"x 1"});
  EXPECT_EQ(packages("none", match), std::vector<std::string>());
}

TEST_F(DeclaredPackages, NamesThatAreNoWordsAndEmptyMatchesArePassedOver) {
  file("tree/list", "a b\nc\n\xFF\n");
  EXPECT_EQ(packages("list", "^(?P<name>.*)$(?P<version>)"), (std::vector<std::string>{"c", "\xFF"}));
}

TEST_F(DeclaredPackages, AFileCanDescribeOne) {
  file("tree/a/package.json",
       R"({"version": "1.0", "name": "a", "dependencies": {"name": "other", "version": "9"}})");
  file("tree/b/package.json", R"({"name": "@scope/b"})");
  file("tree/c/package.json", R"({"name": ["c"], "version": "1"})");
  file("tree/d/package.json", "{");
  file("tree/e/package.json", "name = 'e'\nversion = '2'\n");
  const PackagesDescription description = {
      {FilePattern::compile("*/package.json").value()}, {}, Pointer{"name"}, Pointer{"version"}};
  EXPECT_EQ(packages(description), (std::vector<std::string>{"@scope/b", "a 1.0"}));
  file("tree/f/package.json", R"({"of": [{"name": "f", "version": "3"}]})");
  const PackagesDescription deeper = {{FilePattern::compile("f/*.json").value()},
                                      {},
                                      Pointer{"of", "0", "name"},
                                      Pointer{"of", "0", "version"}};
  EXPECT_EQ(packages(deeper), std::vector<std::string>{"f 3"});
}

TEST_F(DeclaredPackages, LibrariesAreThoseOfPrograms) {
  file("tree/bin/empty", "");
  file("tree/bin/script", "#!/bin/sh\n");
  file("tree/bin/true", base::read_file("/bin/true").value());
  const auto libraries = list_libraries(LayerTree::open(m_folder.path() / "tree").value()).value();
  EXPECT_NE(std::find(libraries.begin(), libraries.end(), "libc.so.6"), libraries.end());
  fs::rename(m_folder.path() / "tree/bin", m_folder.path() / "tree/other");
  EXPECT_EQ(list_libraries(LayerTree::open(m_folder.path() / "tree").value()).value(),
            std::vector<std::string>());
}

}  // namespace
}  // namespace builder::declared
