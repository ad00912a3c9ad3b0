// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/marker.h"

#include <gtest/gtest.h>

#include <string>

#include "builder-runtime/languages/python/requirement.h"

namespace builder::python {
namespace {

const MarkerEnvironment k_machine = {.values = {{"python_version", "3.11"},
                                                {"python_full_version", "3.11.2"},
                                                {"sys_platform", "linux"},
                                                {"platform_machine", "x86_64"},
                                                {"implementation_name", "cpython"},
                                                {"platform_release", "6.1.0-x"}},
                                     .extras = {"socks"}};

TEST(Markers, Hold) {
  for (const std::string marker :
       {"", "python_version >= '3.8'", "python_version<\"3.12\" and sys_platform=='linux'",
        "'3.10' < python_version",
        "python_version == '2.7' or (python_version >= '3' and platform_machine != 'arm64')",
        "extra == 'socks'", "extra == \"Socks\" and python_version > '3'", "sys_platform in 'linux darwin'",
        "sys_platform not in 'win32'", "python_full_version == '3.11.*'", "platform_release >= '6'",
        "python_version ~= '3.9'", "extra != 'other'", "'other' not in extras", "'socks' in extras"}) {
    EXPECT_EQ(holds(marker, k_machine), true) << marker;
  }
}

TEST(Markers, DoNotHold) {
  for (const std::string marker :
       {"python_version < '3.10'", "sys_platform == 'win32'", "python_version >= '3.10' and extra == 'other'",
        "python_version < '3' or python_version > '4'", "implementation_name == 'pypy'",
        "python_version < '3.9'", "'socks' not in extras", "extra not in 'socks'", "extra != 'socks'"}) {
    EXPECT_EQ(holds(marker, k_machine), false) << marker;
  }
}

TEST(Markers, ThatMakeNoSenseAreNotGuessed) {
  for (const std::string marker :
       {"python_version", "python_version >=", "and", "python_version >= '3' or", "(python_version >= '3'",
        "no_such == 'x'", "python_version >= '3", "python_version >= '3' sys_platform == 'linux'",
        "python_version & '3'", "os_name ! 'x'"}) {
    EXPECT_EQ(holds(marker, k_machine), std::nullopt) << marker;
  }
  EXPECT_EQ(holds(std::string(100'000, '('), k_machine), std::nullopt);
}

TEST(Requirements, AreRead) {
  const auto requirement = Requirement::parse("Foo.Bar[one, Two_2] (>=1, <2) ; python_version > '3'");
  ASSERT_TRUE(requirement);
  EXPECT_EQ(requirement->text(), "foo-bar[one,two-2]>=1, <2 ; python_version > '3'");
  EXPECT_EQ(Requirement::parse("six")->text(), "six");
  EXPECT_EQ(Requirement::parse("six@https://host/a;b.whl ; extra == 'x'")->text(),
            "six @ https://host/a;b.whl ; extra == 'x'");
  EXPECT_EQ(Requirement::parse("six @ file:///x")->url, "file:///x");
  for (const std::string text : {"", "==1", "six[one", "six one", "./six"})
    EXPECT_FALSE(Requirement::parse(text)) << text;
}

}  // namespace
}  // namespace builder::python
