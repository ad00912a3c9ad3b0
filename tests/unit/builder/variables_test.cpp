// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/variables.h"

#include <gtest/gtest.h>

#include <utility>

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

}  // namespace
}  // namespace builder
