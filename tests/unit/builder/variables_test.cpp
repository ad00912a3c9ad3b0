// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/variables.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "builder-runtime/inputs.h"

namespace builder {
namespace {

const process::Environment k_pod = {
    {"DB_SERVICE_HOST", "10.0.0.1"},
    {"DB_SERVICE_PORT", "5432"},
    {"DB_SERVICE_PORT_SQL", "5432"},
    {"DB_PORT", "tcp://10.0.0.1:5432"},
    {"DB_PORT_5432_TCP", "tcp://10.0.0.1:5432"},
    {"DB_PORT_5432_TCP_ADDR", "10.0.0.1"},
    {"KUBERNETES_PORT_443_TCP_PROTO", "tcp"},
    {"images", "/pfs/images/a.txt"},
    {"images_COMMIT", "00"},
    {"PACH_JOB_ID", "00"},
    {"PPS_POD_NAME", "a"},
    {"HOSTNAME", "a"},
};

TEST(RoleOfVariable, WhatIsOfAJobOrPodIsNotPassedOn) {
  for (const auto& [name, value] : k_pod) EXPECT_EQ(role_of_variable(name, k_pod), VariableRole::job) << name;
}

// What changes with each shell, terminal or job of these.
TEST(RoleOfVariable, WhatAShellATerminalOrAJobSetsDecidesNothing) {
  for (const std::string name : {"STARSHIP_SESSION_KEY",
                                 "STARSHIP_SHELL",
                                 "DIRENV_DIFF",
                                 "DIRENV_DIR",
                                 "ATUIN_SESSION",
                                 "NVM_BIN",
                                 "FNM_MULTISHELL_PATH",
                                 "PYENV_DIR",
                                 "_PYENV_INSTALL_PREFIX",
                                 "__MISE_DIFF",
                                 "VIRTUAL_ENV",
                                 "VIRTUAL_ENV_PROMPT",
                                 "CONDA_PREFIX",
                                 "CONDA_SHLVL",
                                 "ZSH",
                                 "P9K_TTY",
                                 "ITERM_SESSION_ID",
                                 "KITTY_PID",
                                 "ALACRITTY_SOCKET",
                                 "WT_SESSION",
                                 "WSL_INTEROP",
                                 "VSCODE_GIT_IPC_HANDLE",
                                 "TERMINAL_EMULATOR",
                                 "INTELLIJ_ENVIRONMENT_READER",
                                 "SECURITYSESSIONID",
                                 "__CFBundleIdentifier",
                                 "GIO_LAUNCHED_DESKTOP_FILE_PID",
                                 "SESSION_MANAGER",
                                 "MEMORY_PRESSURE_WATCH",
                                 "TRAVIS_JOB_ID",
                                 "BITBUCKET_BUILD_NUMBER",
                                 "CODEBUILD_BUILD_ID",
                                 "SLURM_JOB_ID",
                                 "TRACEPARENT"}) {
    const auto role = role_of_variable(name, {});
    EXPECT_TRUE(role == VariableRole::job || role == VariableRole::credential) << name;
  }
  EXPECT_EQ(role_of_variable("AWS_ROLE_SESSION_NAME", {}), VariableRole::transport);
}

TEST(RoleOfVariable, ACommonNameIsOfAServiceOnlyWhereThatRuns) {
  for (const auto& [sign, name] : {std::pair{"JENKINS_URL", "GIT_COMMIT"},
                                   {"JENKINS_URL", "WORKSPACE"},
                                   {"TF_BUILD", "BUILD_SOURCEVERSION"},
                                   {"TF_BUILD", "SYSTEM_JOBID"},
                                   {"GITHUB_ACTIONS", "ACTIONS_CACHE_URL"}}) {
    EXPECT_EQ(role_of_variable(name, {}), VariableRole::input) << name;
    EXPECT_EQ(role_of_variable(name, {{sign, "1"}}), VariableRole::job) << name;
  }
  EXPECT_EQ(role_of_variable("BUILD_TYPE", {{"TF_BUILD", "1"}, {"JENKINS_URL", "1"}}), VariableRole::input);
}

TEST(RoleOfVariable, WhatABuildMayReadIsAnInput) {
  const process::Environment environment = {{"CFLAGS", "-O2"},
                                            {"SMTP_PORT", "25"},
                                            {"GIT_COMMIT", "00"},
                                            {"GIT", "/usr/bin/git"},
                                            {"MONKEY", "1"},
                                            {"GOFLAGS", ""},
                                            {"SETUPTOOLS_SCM_PRETEND_VERSION", "1"},
                                            {"UV_OVERRIDE", "x"}};
  for (const auto& [name, value] : environment)
    EXPECT_EQ(role_of_variable(name, environment), VariableRole::input) << name;
}

TEST(RoleOfVariable, CredentialsAreKnownByTheirNames) {
  for (const std::string name : {"UV_INDEX_OURS_PASSWORD", "UV_INDEX_OURS_USERNAME", "GITHUB_TOKEN",
                                 "CI_JOB_TOKEN", "AWS_SECRET_ACCESS_KEY", "NETRC", "GOAUTH", "pypi_token"})
    EXPECT_EQ(role_of_variable(name, {}), VariableRole::credential) << name;
}

TEST(RoleOfVariable, WhatTheSpecSetsIsPassedOnWhateverItIsCalled) {
  process::Environment environment = k_pod;
  environment["PACHBUILD_BUILD_VARIABLES"] = "HOSTNAME,DB_PORT,TZ,DB_PASSWORD";
  environment["TZ"] = "Asia/Tokyo";
  environment["DB_PASSWORD"] = "secret";
  const auto passed = environment_of_tools(environment);
  EXPECT_EQ(passed, (process::Environment{{"HOSTNAME", "a"},
                                          {"DB_PORT", "tcp://10.0.0.1:5432"},
                                          {"TZ", "Asia/Tokyo"},
                                          {"DB_PASSWORD", "secret"},
                                          {"LC_ALL", "C.UTF-8"},
                                          {"PYTHONHASHSEED", "0"}}));
  EXPECT_EQ(role_of_variable("DB_PORT", environment), VariableRole::input);
  EXPECT_EQ(role_of_variable("DB_PASSWORD", environment), VariableRole::credential);
}

TEST(RoleOfVariable, ASecretOfTheSpecIsACredentialWhateverItIsCalled) {
  const process::Environment environment = {
      {"PACHBUILD_BUILD_SECRETS", "OURS"}, {"OURS", "1"}, {"OTHER", "1"}};
  EXPECT_EQ(role_of_variable("OURS", environment), VariableRole::credential);
  EXPECT_EQ(role_of_variable("OTHER", environment), VariableRole::input);
  EXPECT_EQ(environment_of_tools(environment).at("OURS"), "1");
}

TEST(EnvironmentOfTools, IsTheSameInEveryLocale) {
  EXPECT_EQ(
      environment_of_tools(
          {{"LANG", "de_DE.UTF-8"}, {"LC_TIME", "fr_FR"}, {"PYTHONOPTIMIZE", "2"}, {"TZ", "Asia/Tokyo"}}),
      environment_of_tools({}));
}

// A name of each list, with each form of a pattern, and names that are only like one.
TEST(RoleOfVariable, IsOfItsList) {
  using Role = VariableRole;
  const std::vector<std::pair<std::string, Role>> rows = {
      {"HOME", Role::place},
      {"PATH", Role::place},
      {"RUSTUP_HOME", Role::place},
      {"HOME2", Role::input},
      {"MY_HOME", Role::input},
      {"PATHS", Role::input},
      {"HTTP_PROXY", Role::transport},
      {"GIT_SSH", Role::transport},
      {"GIT_SSH_COMMAND", Role::transport},
      {"GIT_SS", Role::input},
      {"XGIT_SSH", Role::input},
      {"GOPROXY", Role::transport},
      {"LANG", Role::locale},
      {"LC_ALL", Role::locale},
      {"LC_", Role::locale},
      {"LC", Role::input},
      {"TZ", Role::locale},
      {"PYTHONHASHSEED", Role::locale},
      {"PACH_JOB_ID", Role::job},
      {"HOSTNAME", Role::job},
      {"A_SERVICE_HOST", Role::job},
      {"_SERVICE_HOST", Role::job},
      {"A_SERVICE_HOST2", Role::input},
      {"CI_X", Role::job},
      {"CI", Role::input},
      {"SHLVL", Role::job},
      {"_", Role::job},
      {"X_SOCK", Role::job},
      {"X_SOCKS", Role::input},
      {"CFLAGS", Role::input},
      {"A", Role::input},
      {"home", Role::input},
      {"TSAN_OPTIONS", Role::job},
      {"SSH_AUTH_SOCK", Role::transport},
  };
  for (const auto& [name, role] : rows) EXPECT_EQ(role_of_variable(name, {}), role) << name;
}

TEST(RoleOfVariable, AWordOfACredentialStandsByItself) {
  for (const std::string word : {"PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PW", "TOKEN", "TOKENS",
                                 "SECRET", "SECRETS", "CREDENTIAL", "CREDENTIALS", "AUTH", "GOAUTH", "APIKEY",
                                 "KEY", "KEYRING", "NETRC", "PAT", "COOKIE"}) {
    for (const std::string& name : {word, "MY_" + word, word + "_OF_IT", "A_" + word + "_B"})
      EXPECT_EQ(role_of_variable(name, {}), VariableRole::credential) << name;
    for (const std::string& name : {"X" + word, "A" + word + "B"})
      EXPECT_EQ(role_of_variable(name, {}),
                name == "GO" + word ? VariableRole::credential : VariableRole::input)
          << name;
  }
  EXPECT_EQ(role_of_variable("My_Token", {}), VariableRole::credential);
}

TEST(RoleOfVariable, AServiceIsKnownByItsHost) {
  const process::Environment environment = {{"DB_SERVICE_HOST", "10.0.0.1"},
                                            {"A_PORT_B_SERVICE_HOST", "10.0.0.2"}};
  for (const std::string name : {"DB_PORT", "DB_PORT_5432_TCP", "DB_SERVICE_PORT", "DB_SERVICE_PORT_HTTP",
                                 "A_PORT_B_PORT", "A_PORT_B_PORT_1_TCP"})
    EXPECT_EQ(role_of_variable(name, environment), VariableRole::job) << name;
  for (const std::string name :
       {"DB_PORTS", "DB_PORTX_5432", "OTHER_PORT", "PORT", "_PORT", "DB_PORTER", "XDB_PORT", "A_PORT"})
    EXPECT_EQ(role_of_variable(name, environment), VariableRole::input) << name;
}

TEST(RoleOfVariable, AnInputHasAFolderOfPfsAndACommit) {
  const auto role = [](const std::string& name, const process::Environment& environment) {
    return role_of_variable(name, environment);
  };
  const process::Environment whole = {{"images", "/pfs/images/a"}, {"images_COMMIT", "00"}};
  EXPECT_EQ(role("images", whole), VariableRole::job);
  EXPECT_EQ(role("images_COMMIT", whole), VariableRole::job);
  EXPECT_EQ(role("images", {{"images", "/pfs/images/a"}}), VariableRole::input) << "no commit";
  EXPECT_EQ(role("images", {{"images", "/pfsimages/a"}, {"images_COMMIT", "00"}}), VariableRole::input);
  EXPECT_EQ(role("images_COMMIT", {{"images_COMMIT", "00"}}), VariableRole::input) << "no folder";
}

TEST(RoleOfVariable, WhatTheSpecSetsStaysAPlaceOrTransport) {
  const process::Environment environment = {
      {"PACHBUILD_BUILD_VARIABLES", "HOME,HTTP_PROXY,LANG,SHLVL,CI_X,TOKEN"},
      {"PACHBUILD_BUILD_SECRETS", "SEC,HOMES"}};
  using Role = VariableRole;
  for (const auto& [name, expected] :
       std::vector<std::pair<std::string, Role>>{{"HOME", Role::place},
                                                 {"HTTP_PROXY", Role::transport},
                                                 {"LANG", Role::input},
                                                 {"SHLVL", Role::input},
                                                 {"CI_X", Role::input},
                                                 {"TOKEN", Role::credential},
                                                 {"SEC", Role::credential},
                                                 {"HOMES", Role::credential},
                                                 {"SE", Role::input},
                                                 {"CI_Y", Role::job}})
    EXPECT_EQ(role_of_variable(name, environment), expected) << name;
}

TEST(AddVariables, ShowsWhatEachIs) {
  Inputs inputs;
  add_variables(
      {{"CFLAGS", "-O2"}, {"HOME", "/h"}, {"A_TOKEN", "t"}, {"GOPROXY", "p"}, {"LC_ALL", "C"}, {"CI_X", "1"}},
      {}, inputs);
  Inputs expected;
  expected.add_variable("CFLAGS", "-O2");
  expected.add_variable("LC_ALL", "C");
  expected.add_variable("CI_X", "1");
  EXPECT_EQ(inputs.key(), expected.key());
  expected.except("variable", "HOME", {}, "a location on this machine");
  expected.except("variable", "A_TOKEN", {}, "a credential");
  expected.except("variable", "GOPROXY", {}, "access and storage, not content");
  EXPECT_EQ(inputs.lines(), expected.lines());
}

}  // namespace
}  // namespace builder
