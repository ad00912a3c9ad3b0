// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/imports.h"

#include <gtest/gtest.h>

#include <boost/filesystem/operations.hpp>

namespace builder::python {
namespace {

namespace fs = base::fs;

class MissingImports : public testing::Test {
 protected:
  void SetUp() override {
    m_folder.emplace(std::move(*base::TemporaryFolder::make(fs::temp_directory_path(), "imports-")));
  }

  [[nodiscard]] const fs::path& folder() const { return m_folder->path(); }

  void write(const std::string& name) {
    ASSERT_TRUE(base::make_folders((folder() / name).parent_path()));
    ASSERT_TRUE(base::write_file(folder() / name, ""));
  }

  // The names of what is missing where the source imports `names` and sees `modules`.
  [[nodiscard]] std::vector<std::string> missing(const std::vector<std::string>& names,
                                                 const std::vector<std::string>& modules) const {
    Imports imports;
    for (const auto& name : names) imports.outside.push_back({.file = "main.py", .line = 1, .name = name});
    return names_of(missing_imports(imports, {modules, false, "requirements.txt"}, folder()));
  }

  static std::vector<std::string> names_of(const std::vector<OutsideImport>& imports) {
    std::vector<std::string> names;
    for (const auto& import : imports) names.push_back(import.name);
    return names;
  }

 private:
  std::optional<base::TemporaryFolder> m_folder;
};

using Names = std::vector<std::string>;

TEST_F(MissingImports, APackageHasAllBelowIt) {
  EXPECT_EQ(missing({"numpy", "numpy.linalg", "numpyx", "num"}, {"numpy"}), (Names{"numpyx", "num"}));
}

TEST_F(MissingImports, ANamespaceHasWhatIsInstalledOfIt) {
  const Names modules = {"google.cloud.storage", "acme.one"};
  EXPECT_EQ(missing({"google", "google.cloud", "google.cloud.storage.blob", "acme.one"}, modules), Names());
  EXPECT_EQ(missing({"google.cloud.bigquery", "google.cloud.pubsub", "acme.two", "acme.two.more"}, modules),
            (Names{"google.cloud.bigquery", "google.cloud.pubsub", "acme.two", "acme.two.more"}));
}

TEST_F(MissingImports, EachPackageIsToldOnce) {
  EXPECT_EQ(missing({"yaml", "yaml.reader", "yaml"}, {}), Names{"yaml"});
}

TEST_F(MissingImports, AModuleAnywhereInTheSourceIsThere) {
  write("vendor/deep/tool.py");
  write("vendor/plain/readme.txt");
  EXPECT_EQ(missing({"tool", "deep", "plain", "vendor"}, {}), (Names{"plain", "vendor"}));
}

TEST_F(MissingImports, SetuptoolsBringsDistutils) {
  EXPECT_EQ(missing({"distutils.core"}, {"_distutils_hack", "setuptools"}), Names());
  EXPECT_EQ(missing({"distutils.core"}, {"six"}), Names{"distutils.core"});
}

TEST_F(MissingImports, OneOfAnExceptCountsWhenItsTryHasFailed) {
  Imports imports;
  imports.outside = {{.file = "main.py", .line = 4, .name = "slow", .unless = {{"fast", "helper"}}}};
  const auto with = [&](const Names& modules) {
    return names_of(missing_imports(imports, {modules, false, "requirements.txt"}, folder()));
  };
  EXPECT_EQ(with({}), Names{"slow"});
  EXPECT_EQ(with({"fast"}), Names{"slow"});
  EXPECT_EQ(with({"fast", "helper"}), Names());
  EXPECT_EQ(with({"slow"}), Names());
}

TEST_F(MissingImports, TheImageCountsWhereItIsVisible) {
  Imports imports;
  imports.outside = {{.file = "main.py", .line = 1, .name = "torch", .image = folder()},
                     {.file = "main.py", .line = 2, .name = "beside", .is_on_path = true}};
  EXPECT_EQ(names_of(missing_imports(imports, {{}, true, "requirements.txt"}, folder())), Names());
  EXPECT_EQ(names_of(missing_imports(imports, {{}, false, "requirements.txt"}, folder())), Names{"torch"});
}

TEST_F(MissingImports, ImportableNamesGoDownIntoNamespaces) {
  for (const auto* name :
       {"six.py", "fast.cpython-311-x86_64-linux-gnu.so", "numpy/__init__.py", "numpy/core/a.py",
        "acme/one/__init__.py", "acme/two.py", "data/table.csv", "six-1.dist-info/METADATA",
        "compiled/__init__.cpython-311.so", "compiled/more.py", "__pycache__/six.pyc", "old.egg/aged.py"}) {
    write(name);
  }
  ASSERT_TRUE(base::write_file(folder() / "easy-install.pth", "# eggs\nimport os\n./old.egg\n./gone\n"));
  EXPECT_EQ(importable_names(folder()),
            (Names{"acme.one", "acme.two", "aged", "compiled", "fast", "numpy", "six"}));
}

TEST(DistributionOf, KnowsNamesThatDiffer) {
  EXPECT_EQ(distribution_of("sklearn"), "scikit-learn");
  EXPECT_EQ(distribution_of("google.cloud.storage"), "google-cloud-storage");
  EXPECT_EQ(distribution_of("google.cloud.run_v2"), "google-cloud-run-v2");
  EXPECT_EQ(distribution_of("some_tool"), "some-tool");
  EXPECT_EQ(distribution_of("requests"), "requests");
}

}  // namespace
}  // namespace builder::python
