// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/program/preloading.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/files.h"
#include "base/text.h"

namespace builder::python {
namespace {

using Names = std::vector<std::string>;

class Preloading : public testing::Test {
 protected:
  base::TemporaryFolder m_source = base::TemporaryFolder::make(testing::TempDir(), "preloading.").value();

  // What is found of a program with this text that imports `outside`.
  Preloadable find(const std::string& text, std::vector<OutsideImport> outside = {import("pandas")}) {
    EXPECT_TRUE(base::write_file(m_source.path() / "main.py", text));
    return find_preloadable(m_source.path(), {{"main.py"}, std::move(outside)}, m_has_image_packages);
  }
  bool m_has_image_packages = true;
  static OutsideImport import(const std::string& name) {
    return {.file = "main.py", .line = 1, .name = name};
  }
};

TEST_F(Preloading, IsOfInstalledPackagesOnceEachInTheirOrder) {
  auto own = import("own");
  own.is_own = true;
  auto on_path = import("on_path");
  on_path.is_on_path = true;
  auto of_image = import("of_image");
  of_image.image = "/usr/lib/python3/dist-packages";
  auto instead = import("instead");
  instead.unless = {{"better"}};
  const auto found = find("", {import("pandas"), own, on_path, import("a.b"), of_image, import("pandas"),
                               instead, import("a.c")});
  EXPECT_EQ(found.modules, (Names{"pandas", "a.b", "a.c"}));
  EXPECT_EQ(found.obstacle, "");
  EXPECT_EQ(find("", {own}).modules, Names());
  // Without those of the image, the program finds what is installed.
  m_has_image_packages = false;
  EXPECT_EQ(find("", {of_image, own, on_path}).modules, Names{"of_image"});
}

TEST_F(Preloading, IsNotWhereTheSourceChangesWhatImportsDo) {
  struct Row {
    std::string line;
    std::string obstacle;  // after "main.py:2: "; empty: none
  };
  const std::string a_variable = "sets an environment variable";
  const std::string place = "changes where modules are found";
  const std::vector<Row> rows = {
      {"os.environ['A'] = '1'", a_variable},
      {"os.environ['A']='1'", a_variable},
      {"os.environ['A'] += '1'", a_variable},
      {"os.environ['A'] |= x", a_variable},
      {"del os.environ['A']", a_variable},
      {"os.environ['A'", a_variable},
      {"x = os.environ['A']", ""},
      {"if os.environ['A'] == '1':", ""},
      {"x = os.environ.get('A')", ""},
      {"# os.environ['A'] = '1'", ""},
      {"x = 1  # sys.path", ""},
      {"os.environ.setdefault('A', '1')", a_variable},
      {"os.environ.update(A='1')", "sets environment variables"},
      {"os.environ |= {}", "sets environment variables"},
      {"os.environ|={}", "sets environment variables"},
      {"os.environ.pop('A')", "removes an environment variable"},
      {"os.environ.clear()", "removes environment variables"},
      {"os.putenv('A', '1')", a_variable},
      {"os.unsetenv('A')", "removes an environment variable"},
      {"dotenv.load_dotenv()", "sets environment variables"},
      {"sys.path.insert(0, 'lib')", place},
      {"sys.meta_path.append(x)", place},
      {"sys.modules['a'] = b", "changes which modules there are"},
      {"sys.setdlopenflags(1)", "changes how libraries are loaded"},
      {"resource.setrlimit(1, (2, 2))", "sets a limit"},
      {"print('environ')", ""},
  };
  for (const auto& row : rows) {
    const auto found = find("import pandas\n" + row.line + "\n");
    EXPECT_EQ(found.obstacle, row.obstacle.empty() ? "" : "main.py:2: " + row.obstacle) << row.line;
    EXPECT_EQ(found.modules, row.obstacle.empty() ? Names{"pandas"} : Names()) << row.line;
  }
  // Without anything to import beforehand there is nothing to tell.
  EXPECT_EQ(find("os.environ['A'] = '1'\n", {}).obstacle, "");
}

TEST_F(Preloading, FitsInTheScript) {
  constexpr std::size_t k_most = 1'000;
  const std::string package(90, 'p');
  std::vector<OutsideImport> outside;
  for (int i = 0; i < 9; ++i) outside.push_back(import(package + std::to_string(i) + ".a234567890123456789"));
  // 9 * 111 + 8
  outside.back().name.resize(outside.back().name.size() - 7);
  EXPECT_EQ(base::join(find("", outside).modules, ",").size(), k_most);
  outside.back().name += "x";
  EXPECT_EQ(find("", outside).modules.front(), package + "0");
  EXPECT_EQ(find("", outside).modules.size(), 9U);
  for (int i = 0; i < 9; ++i) outside.push_back(import(package + std::to_string(i) + "y"));
  EXPECT_EQ(find("", outside).modules.size(), 10U);
}

TEST_F(Preloading, HasAnObstacleWhateverIsImported) {
  EXPECT_TRUE(base::write_file(m_source.path() / "main.py", "pass\n"));
  EXPECT_TRUE(base::write_file(m_source.path() / "more.py", "\nimport sys; sys.path.pop()\n"));
  EXPECT_EQ(preloading_obstacle(m_source.path(), {{"main.py"}, {}}), "");
  EXPECT_EQ(preloading_obstacle(m_source.path(), {{"main.py", "more.py"}, {}}),
            "more.py:2: changes where modules are found");
}

}  // namespace
}  // namespace builder::python
