// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/pip_configuration.h"

#include <gtest/gtest.h>

namespace builder::python {
namespace {

class PipConfiguration : public testing::Test {
 protected:
  void write(const std::string& name, const std::string& content) {
    const auto path = m_folder.path() / name;
    ASSERT_TRUE(base::make_folders(path.parent_path()));
    ASSERT_TRUE(base::write_file(path, content));
  }
  [[nodiscard]] UvConfiguration configure(process::Environment environment = {}) const {
    environment.emplace("HOME", (m_folder.path() / "home").string());
    return configure_uv(std::move(environment), m_folder.path() / "python" / "bin" / "python3.11");
  }
  static std::string value(const UvConfiguration& uv, const std::string& name) {
    const auto entry = uv.environment.find(name);
    return entry == uv.environment.end() ? "none" : entry->second;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "pip.").value();
};

TEST_F(PipConfiguration, OfTheInterpreterCountsMoreThanTheUsersAndLessThanVariables) {
  write("home/.config/pip/pip.conf", "[global]\nindex-url = https://user/simple\ntimeout = 7\n");
  EXPECT_EQ(value(configure(), "UV_DEFAULT_INDEX"), "https://user/simple");
  write("python/pip.conf", "[global]\nIndex_URL: https://site/simple\n");
  EXPECT_EQ(value(configure(), "UV_DEFAULT_INDEX"), "https://site/simple");
  EXPECT_EQ(value(configure(), "UV_HTTP_TIMEOUT"), "7");
  write("named.conf", "[install]\nindex-url = https://named/simple\n");
  const auto named = (m_folder.path() / "named.conf").string();
  EXPECT_EQ(value(configure({{"PIP_CONFIG_FILE", named}}), "UV_DEFAULT_INDEX"), "https://named/simple");
  EXPECT_EQ(value(configure({{"PIP_CONFIG_FILE", named}, {"PIP_INDEX_URL", "https://variable/simple"}}),
                  "UV_DEFAULT_INDEX"),
            "https://variable/simple");
  EXPECT_EQ(value(configure({{"PIP_CONFIG_FILE", "/dev/null"}}), "UV_DEFAULT_INDEX"), "none");
}

TEST_F(PipConfiguration, TheSectionOfInstallCountsMoreWhereverItStands) {
  for (const std::string text :
       {"[global]\nindex-url = https://all\n[install]\nindex-url = https://install\n",
        "[install]\nindex-url = https://install\n[global]\nindex-url = https://all\n"}) {
    write("python/pip.conf", text);
    EXPECT_EQ(value(configure(), "UV_DEFAULT_INDEX"), "https://install") << text;
  }
}

TEST_F(PipConfiguration, WhatIsIndentedContinuesTheOptionBeforeItInTheSameSection) {
  const std::vector<std::array<std::string, 2>> files = {
      {"[global]\nindex-url =\n  https://a\n", "https://a"},
      {"[global]\nindex-url = https://a\n\t/simple\n", "https://a /simple"},
      {"[global]\nindex-url = https://a\n# text\n  ; text\n\n  /simple\n", "https://a /simple"},
      {"[global]\nindex-url = https://a\n[install]\n  https://b\n", "https://a"},
      {"[global]\nindex-url = https://a\n[install]\n  timeout = 3\n", "https://a"},
      {"  index-url = https://a\n[global]\n", "none"},
      {"[global]\nindex-url\n", "none"},
      {"[other]\nindex-url = https://a\n", "none"},
      {"[global\nindex-url = https://a\n", "none"},
      {"[global]\nindex-url : https://a=b\n", "https://a=b"},
  };
  for (const auto& [text, expected] : files) {
    write("python/pip.conf", text);
    EXPECT_EQ(value(configure(), "UV_DEFAULT_INDEX"), expected) << text;
  }
}

TEST_F(PipConfiguration, WhatIsSetForUvCountsMore) {
  write("python/pip.conf",
        "[global]\nindex-url = https://site/simple\nextra-index-url =\n  https://a\n  https://b\n");
  const auto uv = configure({{"UV_INDEX_URL", "https://uv/simple"}});
  EXPECT_EQ(value(uv, "UV_DEFAULT_INDEX"), "none");
  EXPECT_EQ(value(uv, "UV_EXTRA_INDEX_URL"), "https://a https://b");
}

TEST_F(PipConfiguration, TheKeyringIsAskedWhereUvCanAskItToo) {
  for (const auto& [pip, uv] :
       {std::pair{"subprocess", "subprocess"}, {"import", "none"}, {"disabled", "none"}}) {
    EXPECT_EQ(value(configure({{"PIP_KEYRING_PROVIDER", pip}}), "UV_KEYRING_PROVIDER"), uv);
  }
}

TEST_F(PipConfiguration, BinariesByPackage) {
  write("python/pip.conf", "[install]\nno-binary = a, b\nonly-binary = :all:\nno-index = yes\n");
  EXPECT_EQ(configure().arguments, (std::vector<std::string>{"--no-index", "--only-binary", ":all:",
                                                             "--no-binary", "a", "--no-binary", "b"}));
}

TEST_F(PipConfiguration, ANulEndsAWordAndNotTheArgument) {
  write("python/pip.conf", std::string("[install]\nno-binary = a\0b\n", 26));
  EXPECT_EQ(configure().arguments, (std::vector<std::string>{"--no-binary", "a", "--no-binary", "b"}));
}

}  // namespace
}  // namespace builder::python
