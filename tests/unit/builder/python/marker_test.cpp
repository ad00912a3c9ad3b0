// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/packaging/marker.h"

#include <gtest/gtest.h>

#include <string>

#include "base/text.h"
#include "builder-runtime/languages/python/packaging/requirement.h"

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

// What is no version is compared as text, and what is one as a version.
TEST(Markers, CompareTextsWhereOneSideIsNoVersion) {
  const MarkerEnvironment machine = {
      .values = {{"platform_release", "6.1-x"}, {"python_version", "3.9"}, {"os_name", ""}}, .extras = {}};
  const struct {
    std::string comparison;
    bool less, equal, greater;  // than the other side
  } rows[] = {{"==", false, true, false}, {"===", false, true, false}, {"!=", true, false, true},
              {"<", true, false, false},  {"<=", true, true, false},   {">", false, false, true},
              {">=", false, true, true}};
  for (const auto& row : rows) {
    for (const auto& [value, expected] : std::vector<std::pair<std::string, bool>>{
             {"6.2-x", row.less}, {"6.1-x", row.equal}, {"6.0-x", row.greater}}) {
      EXPECT_EQ(holds("platform_release " + row.comparison + " '" + value + "'", machine), expected)
          << row.comparison << value;
    }
  }
  EXPECT_EQ(holds("platform_release ~= '6.1-x'", machine), std::nullopt);
  EXPECT_EQ(holds("python_version < '3.10'", machine), true) << "as versions";
  EXPECT_EQ(holds("platform_release < '6.10'", machine), true) << "as texts: '-' is before '0'";
  EXPECT_EQ(holds("os_name == ''", machine), true);
}

TEST(Markers, AreAsDeepAsPeopleWriteThem) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '(') + "os_name == 'x'" + std::string(depth, ')');
  };
  const MarkerEnvironment machine = {.values = {{"os_name", "x"}}, .extras = {}};
  EXPECT_EQ(holds(nested(63), machine), true);
  EXPECT_EQ(holds(nested(64), machine), std::nullopt);
  EXPECT_EQ(holds("os_name == 'x' and os_name == 'y' or os_name == 'x'", machine), true);
  EXPECT_EQ(holds("os_name == 'x' or os_name == 'x' and os_name == 'y'", machine), true);
  EXPECT_EQ(holds("os_name == 'x' and (os_name == 'y' or os_name == 'x')", machine), true);
  EXPECT_EQ(holds("'x' == 'x'\t and os_name in 'xyz'", machine), true);
  EXPECT_EQ(holds("os_name not 'x'", machine), std::nullopt);
  EXPECT_EQ(holds("os_name == 'x' )", machine), std::nullopt);
}

TEST(Requirements, NamesAreOneForAllTheirForms) {
  for (const auto& [name, normal] : std::map<std::string, std::string>{{"a", "a"},
                                                                       {"A.B_c-D", "a-b-c-d"},
                                                                       {"a--b__c..d", "a-b-c-d"},
                                                                       {"a-_.b", "a-b"},
                                                                       {"-a-", "-a-"},
                                                                       {"__a", "-a"},
                                                                       {"Zope2", "zope2"},
                                                                       {"", ""}}) {
    EXPECT_EQ(normalised_name(name), normal) << name;
  }
}

TEST(Requirements, PartsAreTakenApart) {
  const struct {
    std::string text, name, extras, specifiers, url, marker;
  } rows[] = {
      {" A ", "a", "", "", "", ""},
      {"a[]", "a", "", "", "", ""},
      {"a [ x , Y_z ]>1", "a", "x,y-z", ">1", "", ""},
      {"a>1;os_name=='x'", "a", "", ">1", "", "os_name=='x'"},
      {"a ; m", "a", "", "", "", "m"},
      {"a(>=1)", "a", "", ">=1", "", ""},
      {"a ( ~=1.0 ) ; m", "a", "", "~=1.0", "", "m"},
      {"a()", "a", "", "", "", ""},
      {"a @ https://h/x;y ; m", "a", "", "", "https://h/x;y", "m"},
      {"a[x]@https://h/x", "a", "x", "", "https://h/x", ""},
      {"a!=1", "a", "", "!=1", "", ""},
  };
  for (const auto& row : rows) {
    const auto requirement = Requirement::parse(row.text);
    ASSERT_TRUE(requirement) << row.text;
    EXPECT_EQ(requirement->name, row.name) << row.text;
    EXPECT_EQ(base::join(requirement->extras, ","), row.extras) << row.text;
    EXPECT_EQ(requirement->specifiers, row.specifiers) << row.text;
    EXPECT_EQ(requirement->url, row.url) << row.text;
    EXPECT_EQ(requirement->marker, row.marker) << row.text;
  }
  for (const std::string text : {"a b", "a(", "a)", "a(1)", "a[x", "@ https://h", "[x]", ";m", "--pre", "_a"})
    EXPECT_FALSE(Requirement::parse(text)) << text;
}

}  // namespace
}  // namespace builder::python
