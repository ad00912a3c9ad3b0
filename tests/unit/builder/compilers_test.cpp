// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/compilers.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace builder {
namespace {

using Names = std::vector<std::string>;

// Says its own path for a version.
class NamedTools : public process::Runner {
 public:
  base::Result<process::Finished> run(const process::Command& command,
                                      const process::ErrorSink& /*sink*/) override {
    return process::Finished{process::Ending::from_wait_status(0), command.arguments[0], ""};
  }
};

class Compilers : public testing::Test {
 protected:
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "compilers.").value();
  NamedTools m_runner;
  process::Environment m_environment{{"PATH", (m_folder.path() / "bin").string()}};

  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, text, 0755));
  }
  [[nodiscard]] Inputs inputs() {
    const Settings settings{.cache = m_folder.path() / "cache", .environment = m_environment};
    const Tools tools(settings, m_runner);
    Inputs inputs;
    EXPECT_TRUE(add_compilers({"CC", "CXX"}, {"gcc", "pkg-config"}, m_environment, tools, inputs));
    return inputs;
  }
  [[nodiscard]] Names names() {
    Names names;
    for (const auto& line : base::split(inputs().lines(), '\n')) {
      if (!line.empty()) names.push_back(base::split(line, '\t').at(1));
    }
    return names;
  }
};

TEST_F(Compilers, AreThoseOfNamesAndVariables) {
  EXPECT_EQ(names(), Names{});
  for (const char* name : {"gcc", "pkg-config", "ccache", "clang", "-O2"})
    write(std::string("bin/") + name, "x");
  EXPECT_EQ(names(), (Names{"gcc", "pkg-config"}));
  m_environment["CC"] = "ccache  clang -O2";
  m_environment["CXX"] = "clang";
  EXPECT_EQ(names(), (Names{"ccache", "clang", "gcc", "pkg-config"}));
}

TEST_F(Compilers, EachPackageConfigurationOfTheVariablesIsAPart) {
  for (const std::string variable : {"PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR"}) {
    write("one/a.pc", "1");
    write("two/b.pc", "1");
    write("two/c.txt", "1");
    m_environment[variable] =
        ":" + (m_folder.path() / "one").string() + ":/nowhere:" + (m_folder.path() / "two").string();
    EXPECT_EQ(names(), (Names{variable + " 2: a.pc", variable + " 4: b.pc"}));
    const auto before = inputs().key();
    write("two/c.txt", "2");
    EXPECT_EQ(inputs().key(), before);
    write("two/b.pc", "2");
    EXPECT_NE(inputs().key(), before);
    m_environment.erase(variable);
  }
}

}  // namespace
}  // namespace builder
