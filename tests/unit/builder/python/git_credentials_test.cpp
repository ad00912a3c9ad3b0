// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/git_credentials.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace builder::python {
namespace {

using process::Environment;

// What is left of a text, and the settings of git: "KEY=VALUE" a line, the helpers' users and passwords in
// brackets.
std::string taken(const std::string& text, const Environment& given = {}) {
  GitCredentials credentials(given);
  std::string told = credentials.take(text) + "\n";
  Environment git;
  credentials.add_to(git);
  const auto count = std::stoul(git.contains("GIT_CONFIG_COUNT") ? git["GIT_CONFIG_COUNT"] : "0");
  for (unsigned long i = 0; i < count; ++i) {
    auto value = git["GIT_CONFIG_VALUE_" + std::to_string(i)];
    const auto name = value.find("PACHBUILD_GIT_");
    if (name != std::string::npos) {
      const auto number = value.substr(name, value.find('_', name + 14) - name);
      EXPECT_NE(value.find("\"$" + number + "_PASSWORD\""), std::string::npos) << value;
      value = "[" + git[number + "_USER"] + " " + git[number + "_PASSWORD"] + "]";
    }
    told += git["GIT_CONFIG_KEY_" + std::to_string(i)] + "=" + value + "\n";
  }
  return told;
}

TEST(GitCredentials, AreThoseOfUrlsForGit) {
  for (const std::string text :
       {"x @ git+https://u:p@h/x", "git+http://u@h/x", "{ git = \"https://u:p@h/x\" }", "git='https://u@h/x'",
        "\"git\": \"https://u@h/x\"", "a\n-e git+https://u@h", "https://h git+https://u@h"}) {
    EXPECT_TRUE(GitCredentials::are_in(text)) << text;
  }
  for (const std::string text :
       {"x @ https://u:p@h/x", "git+https://h/x@v1", "git+https://h/x?a@b", "git+ssh://git@h/x",
        "git+https://@h/x", "legit = \"https://u@h/x\"", "url = 'https://u@h/x'", "git https://u@h",
        "git = https://u@h", "", "://", "\"https://u@h\"", "git+https://h\n@x"}) {
    EXPECT_FALSE(GitCredentials::are_in(text)) << text;
  }
}

TEST(GitCredentials, AreTakenOutAndGivenByAHelper) {
  EXPECT_EQ(taken("x @ git+https://me:p%40ss@h:8443/team/x.git@v1#subdirectory=y\nz"),
            "x @ git+https://h:8443/team/x.git@v1#subdirectory=y\nz\n"
            "credential.https://h:8443.helper=\ncredential.https://h:8443.helper=[me p@ss]\n");
  EXPECT_EQ(taken("git+http://me@h/x"), "git+http://h/x\ncredential.http://h.username=me\n");
  EXPECT_EQ(taken("git+https://me:@h/x"),
            "git+https://h/x\ncredential.https://h.helper=\ncredential.https://h.helper=[me ]\n");
  EXPECT_EQ(taken("nothing"), "nothing\n");
}

TEST(GitCredentials, AreDecodedAndHoldNoLines) {
  for (const auto& [written, password] : std::map<std::string, std::string>{{"%40", "@"},
                                                                            {"a%2Fb", "a/b"},
                                                                            {"%zz", "%zz"},
                                                                            {"%4", "%4"},
                                                                            {"%", "%"},
                                                                            {"a%0Ab", "ab"},
                                                                            {"%e2%82%ac", "€"},
                                                                            {"a:b", "a:b"}}) {
    EXPECT_NE(taken("git+https://me:" + written + "@h/x").find("[me " + password + "]"), std::string::npos)
        << written;
  }
}

TEST(GitCredentials, VariablesHaveTheirValues) {
  const Environment given = {{"USER_NAME", "me"}, {"TOKEN", "a:b@c"}};
  EXPECT_NE(taken("git+https://${USER_NAME}:x${TOKEN}y@h/x", given).find("[me xa:b@cy]"), std::string::npos);
  EXPECT_NE(taken("git+https://me:${NONE}@h/x", given).find("[me ${NONE}]"), std::string::npos);
  EXPECT_NE(taken("git+https://me:${TOKEN@h/x", given).find("[me ${TOKEN]"), std::string::npos);
}

TEST(GitCredentials, SeveralOfOneServerAreToldApartByTheirPaths) {
  EXPECT_EQ(taken("git+https://a:1@h/x.git git+https://b:2@h/y git+https://c:3@i/z"),
            "git+https://h/x.git git+https://h/y git+https://i/z\n"
            "credential.https://h.useHttpPath=true\n"
            "credential.https://h/x.git.helper=\ncredential.https://h/x.git.helper=[a 1]\n"
            "credential.https://h.useHttpPath=true\n"
            "credential.https://h/y.helper=\ncredential.https://h/y.helper=[b 2]\n"
            "credential.https://i.helper=\ncredential.https://i.helper=[c 3]\n");
  // The same ones are one.
  EXPECT_EQ(
      taken("git+https://a:1@h/x git+https://a:1@h/x"),
      "git+https://h/x git+https://h/x\ncredential.https://h.helper=\ncredential.https://h.helper=[a 1]\n");
  EXPECT_EQ(base::split(taken("git+https://a:1@h/x git+https://a:1@h/y"), '\n')[1],
            "credential.https://h.helper=");
}

TEST(GitCredentials, ComeAfterWhatGitIsConfiguredWith) {
  GitCredentials credentials({});
  credentials.take("git+https://me@h/x");
  Environment git{{"GIT_CONFIG_COUNT", "1"}, {"GIT_CONFIG_KEY_0", "a.b"}, {"GIT_CONFIG_VALUE_0", "c"}};
  credentials.add_to(git);
  EXPECT_EQ(git, (Environment{{"GIT_CONFIG_COUNT", "2"},
                              {"GIT_CONFIG_KEY_0", "a.b"},
                              {"GIT_CONFIG_VALUE_0", "c"},
                              {"GIT_CONFIG_KEY_1", "credential.https://h.username"},
                              {"GIT_CONFIG_VALUE_1", "me"}}));
}

}  // namespace
}  // namespace builder::python
