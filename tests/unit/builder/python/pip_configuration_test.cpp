// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/pip_configuration.h"

#include <gtest/gtest.h>

#include "tests/unit/steps.h"

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
    return configure_asked(std::move(environment), {});
  }
  // As on a machine without files of its own.
  [[nodiscard]] UvConfiguration configure_asked(process::Environment environment,
                                                const PipOptions& asked) const {
    const steps::Watch watch([](std::string_view /*call*/,
                                std::string_view path) { return path.starts_with("/etc/") ? ENOENT : 0; },
                             steps::Calls::all);
    return configure_uv(std::move(environment), m_folder.path() / "python" / "bin" / "python3.11", asked);
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

TEST_F(PipConfiguration, EachOptionIsAVariableOfUv) {
  const struct {
    std::string option, variable;
    std::vector<std::string> instead;
  } rows[] = {{"index-url", "UV_DEFAULT_INDEX", {"UV_INDEX_URL"}},
              {"extra-index-url", "UV_EXTRA_INDEX_URL", {"UV_INDEX"}},
              {"constraint", "UV_CONSTRAINT", {}},
              {"cert", "SSL_CERT_FILE", {"SSL_CERT_DIR"}},
              {"client-cert", "SSL_CLIENT_CERT", {}},
              {"trusted-host", "UV_INSECURE_HOST", {}},
              {"timeout", "UV_HTTP_TIMEOUT", {"UV_REQUEST_TIMEOUT", "HTTP_TIMEOUT"}},
              {"proxy", "ALL_PROXY", {"all_proxy"}},
              {"index-strategy", "UV_INDEX_STRATEGY", {}}};
  for (const auto& row : rows) {
    const std::string usual = row.variable == "UV_INDEX_STRATEGY" ? "unsafe-best-match" : "none";
    write("python/pip.conf", "[global]\n" + row.option + " =  a\n  b \n");
    EXPECT_EQ(value(configure(), row.variable), "a b") << row.option;
    EXPECT_EQ(value(configure({{row.variable, "own"}}), row.variable), "own") << row.option;
    for (const auto& other : row.instead) {
      EXPECT_EQ(value(configure({{other, "own"}}), row.variable), usual) << other;
      EXPECT_EQ(value(configure({{other, ""}}), row.variable), "a b") << other;
    }
    write("python/pip.conf", "[global]\n" + row.option + " =\n");
    EXPECT_EQ(value(configure(), row.variable), usual) << row.option;
  }
}

TEST_F(PipConfiguration, IsThatOfEachFileByItsName) {
  const std::vector<std::pair<std::string, std::string>> files = {
      {"~/.pip/pip.conf", "home/.pip/pip.conf"},
      {"~/.config/pip/pip.conf", "home/.config/pip/pip.conf"},
      {"pip.conf of the interpreter", "python/pip.conf"},
      {"PIP_CONFIG_FILE", "named.conf"}};
  const process::Environment named = {{"PIP_CONFIG_FILE", (m_folder.path() / "named.conf").string()}};
  std::string last = "none";
  for (const auto& [name, file] : files) {
    EXPECT_EQ(configure(named).inputs.lines().find("\t" + name + "\t"), std::string::npos) << name;
    write(file, "[global]\nclient-cert = " + file + "\nextra-index-url = https://me:pw@h/" + file + "\n");
    const auto uv = configure(named);
    EXPECT_NE(uv.inputs.lines().find("file\t" + name + "\t"), std::string::npos) << name;
    EXPECT_EQ(value(uv, "SSL_CLIENT_CERT"), file) << "the later one counts more";
    EXPECT_EQ(uv.index_places.back().first, "https://me:pw@h/" + file);
    EXPECT_EQ(uv.index_places.back().second, (m_folder.path() / file).string());
    // What it says is an input, but for a password.
    const auto key = uv.inputs.key();
    write(file, "[global]\nclient-cert = " + file + "\nextra-index-url = https://me:other@h/" + file +
                    "\n# more\n");
    EXPECT_EQ(configure(named).inputs.key(), key);
    write(file, "[global]\nclient-cert = " + file + "\nextra-index-url = https://me:pw@i/" + file + "\n");
    EXPECT_NE(configure(named).inputs.key(), key);
    write(file,
          "[global]\nclient-cert = " + file + "\nextra-index-url = https://me:pw@h/" + file + "\ncert = x\n");
    EXPECT_NE(configure(named).inputs.key(), key);
  }
  write("config/pip/pip.conf", "[global]\nclient-cert = moved\n");
  const auto moved = configure({{"XDG_CONFIG_HOME", (m_folder.path() / "config").string()}});
  EXPECT_NE(moved.inputs.lines().find((m_folder.path() / "config/pip/pip.conf").string()), std::string::npos);
  EXPECT_EQ(moved.inputs.lines().find((m_folder.path() / "home/.config").string()), std::string::npos);
  EXPECT_EQ(configure({{"PIP_CONFIG_FILE", "/dev/null"}}).inputs.lines(), "");
}

TEST_F(PipConfiguration, SwitchesAreOnByEachOfTheirWords) {
  for (const std::string word : {"1", "true", "yes", "on", "y", "t", "True", "YES", "On"}) {
    EXPECT_EQ(value(configure({{"PIP_PRE", word}}), "UV_PRERELEASE"), "allow") << word;
    EXPECT_EQ(configure({{"PIP_NO_INDEX", word}}).arguments, std::vector<std::string>{"--no-index"}) << word;
  }
  for (const std::string word : {"0", "false", "no", "off", "n", "f", "", "2"}) {
    EXPECT_EQ(value(configure({{"PIP_PRE", word}}), "UV_PRERELEASE"), "none") << word;
    EXPECT_TRUE(configure({{"PIP_NO_INDEX", word}}).arguments.empty()) << word;
  }
  write("python/pip.conf", "[global]\nno-index = yes\n");
  EXPECT_FALSE(configure({{"PIP_NO_INDEX", ""}}).arguments.empty()) << "an empty variable says nothing";
  EXPECT_EQ(value(configure({{"PIP_PRE", "1"}, {"UV_PRERELEASE", "own"}}), "UV_PRERELEASE"), "own");
}

TEST_F(PipConfiguration, LinksAreThoseThatAreThere) {
  write("wheels/x", "");
  const auto wheels = (m_folder.path() / "wheels").string();
  EXPECT_EQ(value(configure({{"PIP_FIND_LINKS", wheels + "  /nowhere/at-all https://h/l"}}), "UV_FIND_LINKS"),
            wheels + ",https://h/l");
  EXPECT_EQ(value(configure({{"PIP_FIND_LINKS", "/nowhere/at-all"}}), "UV_FIND_LINKS"), "none");
  EXPECT_EQ(value(configure({{"PIP_FIND_LINKS", wheels}, {"UV_FIND_LINKS", "own"}}), "UV_FIND_LINKS"), "own");
}

TEST_F(PipConfiguration, RequirementsCountMoreAndAreAddedToLists) {
  write("python/pip.conf",
        "[global]\nindex-url = https://site\nextra-index-url = https://more\ntrusted-host = h\nno-binary = "
        "n\nonly-binary = o\n");
  const auto with = [&](const PipOptions& asked, process::Environment environment = {}) {
    environment.emplace("HOME", (m_folder.path() / "home").string());
    environment.emplace("PIP_FIND_LINKS", "https://links");
    return configure_asked(std::move(environment), asked);
  };
  const auto plain = with({});
  EXPECT_EQ(value(plain, "UV_DEFAULT_INDEX"), "https://site");
  EXPECT_EQ(value(plain, "UV_EXTRA_INDEX_URL"), "https://more");
  auto uv = with({.index_url = "https://own"});
  EXPECT_EQ(value(uv, "UV_DEFAULT_INDEX"), "https://own");
  EXPECT_EQ(value(uv, "UV_EXTRA_INDEX_URL"), "none");
  uv = with({.extra_index_urls = {"https://a", "https://b"},
             .find_links = {"l", "m"},
             .trusted_hosts = {"i", "j"}});
  EXPECT_EQ(value(uv, "UV_DEFAULT_INDEX"), "https://site");
  EXPECT_EQ(value(uv, "UV_EXTRA_INDEX_URL"), "https://more https://a https://b");
  EXPECT_EQ(value(uv, "UV_FIND_LINKS"), "https://links,l,m");
  EXPECT_EQ(value(uv, "UV_INSECURE_HOST"), "h i j");
  using Words = std::vector<std::string>;
  EXPECT_EQ(with({.no_binary = {"x"}, .only_binary = {"y"}}).arguments,
            (Words{"--only-binary", "o", "--only-binary", "y", "--no-binary", "n", "--no-binary", "x"}));
  PipOptions asked;
  asked.no_index = true;
  asked.config_settings = {"a:b=c"};
  asked.all_releases = {":all:", "p", ":none:"};
  asked.only_final = {"q", ":all:"};
  uv = with(asked);
  EXPECT_EQ(uv.arguments,
            (Words{"--prerelease-package", "p=allow", "--prerelease-package", "q=disallow", "--no-index",
                   "--config-settings-package", "a:b=c", "--only-binary", "o", "--no-binary", "n"}));
  EXPECT_EQ(value(uv, "UV_PRERELEASE"), "allow");
  asked.all_releases.clear();
  EXPECT_EQ(value(with(asked), "UV_PRERELEASE"), "disallow");
  // What `uv sync` would read.
  uv = with({}, {{"UV_NO_BINARY_PACKAGE", "a  b"}, {"UV_NO_BUILD_PACKAGE", "c"}});
  EXPECT_EQ(Words(uv.arguments.begin(), uv.arguments.begin() + 6),
            (Words{"--no-binary", "a", "--no-binary", "b", "--only-binary", "c"}));
  uv = with({}, {{"UV_NO_BINARY", "1"}, {"UV_NO_BUILD", "0"}});
  EXPECT_EQ(Words(uv.arguments.begin(), uv.arguments.begin() + 2), (Words{"--no-binary", ":all:"}));
  EXPECT_EQ(uv.arguments.size(), 6U);
}

}  // namespace
}  // namespace builder::python
