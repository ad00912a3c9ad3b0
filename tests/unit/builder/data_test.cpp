// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/data.h"

#include <gtest/gtest.h>

namespace builder::data {
namespace {

namespace fs = base::fs;
using Kind = Value::Kind;

class Data : public testing::Test {
 protected:
  [[nodiscard]] base::Result<Value> toml(const std::string& text) const {
    EXPECT_TRUE(base::write_file(m_folder.path() / "file", text));
    return read_toml(m_folder.path() / "file", "f.toml");
  }
  [[nodiscard]] base::Result<Value> json(const std::string& text) const {
    EXPECT_TRUE(base::write_file(m_folder.path() / "file", text));
    return read_json(m_folder.path() / "file", "f.json");
  }
  // "where: what" of the error; "" where there is none.
  static std::string fault(const base::Result<Value>& value) {
    return value ? "" : value.error().where + ": " + value.error().what;
  }
  // A value with all below it, as "kind(scalar)".
  static std::string shown(const Value& value) {
    std::string all = std::string(name_of(value.kind)) + "(" + value.scalar;
    for (const auto& item : value.items) all += shown(item);
    for (const auto& [key, member] : value.members) all += key + "=" + shown(member);
    return all + ")";
  }
  static std::string repeated(const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "data.").value();
};

TEST_F(Data, BothLanguagesGiveTheSameTree) {
  const std::string tree =
      "a table(array=a list(a string(x)a number(2))flag=true or false(true)none=a list()number=a "
      "number(-1)"
      "off=true or false(false)real=a number(1.5)table=a table(text=a string(t)))";
  EXPECT_EQ(shown(toml("array = ['x', 2]\nflag = true\nnone = []\nnumber = -1\noff = false\nreal = 1.5\n"
                       "[table]\ntext = 't'\n")
                      .value()),
            tree);
  EXPECT_EQ(shown(json(R"({"array": ["x", 2], "flag": true, "none": [], "number": -1, "off": false,)"
                       R"( "real": 1.5, "table": {"text": "t"}})")
                      .value()),
            tree);
}

TEST_F(Data, WhatIsElse) {
  EXPECT_EQ(shown(toml("day = 2020-01-02\n").value()), "a table(day=a number())");
  EXPECT_EQ(shown(json(R"({"none": null})").value()), "a table(none=nothing())");
  EXPECT_EQ(shown(json(R"({"b": 1, "a": 2})").value()), "a table(b=a number(1)a=a number(2))")
      << "in the order of the file";
}

TEST_F(Data, ValuesByTheirPaths) {
  const Value value = toml(
                          "lone = 'x'\nlist = ['a', 1, 'b']\n[a.b]\nc = 'deep'\nyes = true\nno = false\n"
                          "text = 'true'\n")
                          .value();
  EXPECT_EQ(value.text("a.b.c"), "deep");
  EXPECT_EQ(value.text("a.b"), "");
  EXPECT_EQ(value.text("a.b.none"), "");
  EXPECT_EQ(value.text("a.none.c"), "");
  EXPECT_FALSE(value.at("a.b.none").exists());
  EXPECT_TRUE(value.at("a.b").is(Kind::table));
  EXPECT_EQ(value.texts("lone"), std::vector<std::string>({"x"}));
  EXPECT_EQ(value.texts("list"), std::vector<std::string>({"a", "b"}));
  EXPECT_EQ(value.texts("a"), std::vector<std::string>());
  EXPECT_TRUE(value.at("a.b.yes").is_true());
  EXPECT_FALSE(value.at("a.b.no").is_true());
  EXPECT_FALSE(value.at("a.b.text").is_true());
  EXPECT_EQ(value.at("lone").line, 1);
  EXPECT_EQ(value.at("a.b.c").line, 4);
  EXPECT_EQ(json(R"({"a": 1})").value().at("a").line, 0);
}

TEST_F(Data, WhatCannotBeReadIsAnErrorWithItsPlace) {
  EXPECT_TRUE(fault(toml("a = 1\nb = \n")).starts_with("f.toml:2:")) << fault(toml("a = 1\nb = \n"));
  EXPECT_TRUE(fault(toml("a = 1\nb = \n")).find(": invalid TOML: ") != std::string::npos);
  for (const auto& [text, reason] : std::vector<std::pair<std::string, std::string>>{
           {"a = \n", "1:5: invalid TOML: expected a value, found the end of the line"},
           {"a = 1 b = 2\n", "1:7: invalid TOML: expected the end of the line, found 'b'"},
           {"a: 1\n", "1:2: invalid TOML: expected '=', found ':'"},
           {"{}\n", "1:1: invalid TOML: expected a key or a [table], found '{'"},
           {"a = x\n", "1:5: invalid TOML: a value cannot start like this; text needs quotes"},
           {"a = \"x\n", "1:7: invalid TOML: a string has no closing quote, or a control character"},
           {"a = 'x\n", "1:7: invalid TOML: a string has no closing quote, or a control character"},
           {"a = [1, 2\n", "1:11: invalid TOML: the file ends too early"},
           {"a = 1\na = 2\n", "2:5: invalid TOML: duplicate key \"a\""},
       }) {
    EXPECT_EQ(fault(toml(text)), "f.toml:" + reason) << text;
  }
  EXPECT_EQ(fault(json(R"({"a": })")), "f.json:1:7: is not valid JSON");
  const std::string conflict = "a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> other\n";
  EXPECT_EQ(fault(toml(conflict)), "f.toml:2: a merge conflict is not resolved");
  EXPECT_EQ(fault(json(conflict)), "f.json:2: a merge conflict is not resolved");
  EXPECT_EQ(toml("=").error().kind, base::ErrorKind::bad_input);
  EXPECT_EQ(json("").error().kind, base::ErrorKind::bad_input);
  EXPECT_FALSE(read_toml(m_folder.path() / "none", "none"));
  EXPECT_FALSE(read_json(m_folder.path() / "none", "none"));
}

TEST_F(Data, AKeyOfTooManyPartsIsRefusedAndOneLessIsNot) {
  const std::string parts = "a" + repeated(".a", 31);
  EXPECT_EQ(fault(toml(parts + " = 1\n")), "");
  EXPECT_EQ(fault(toml("x = 1\n" + parts + ".a = 1\n")), "f.toml:2: is nested too deeply");
  EXPECT_EQ(fault(toml("[" + parts + "]\n")), "");
  EXPECT_EQ(fault(toml("[" + parts + ".a]\n")), "f.toml:1: is nested too deeply");
  EXPECT_EQ(fault(toml("x = {y = 1, " + parts + ".a = 1}\n")), "f.toml:1: is nested too deeply");
}

TEST_F(Data, DotsOfManyKeysTextsAndCommentsAreNone) {
  const std::string dots = repeated(".", 40);
  for (const std::string& text :
       {"# " + dots + "\na = 1\n", "a = '" + dots + "'\n", "a = \"" + dots + "\"\n",
        "a = \"\\\"" + dots + "\"\n", "a = \"\\\\\"\nb = '" + dots + "'\n",
        "a = '''" + dots + "\n" + dots + "'''\n", "a = \"\"\"" + dots + "\n\"" + dots + "\"\"\"\n",
        "a = '\\'\nb = '" + dots + "'\n", "a = ''\nb = \"" + dots + "\"\n",
        "a = 1 # it's\nb = '" + dots + "'\n"}) {
    EXPECT_EQ(fault(toml(text)), "") << text;
  }
  std::string many;
  for (int i = 0; i < 40; ++i) many += "a.b" + std::to_string(i) + " = 1\n";
  EXPECT_EQ(fault(toml(many)), "");
  EXPECT_EQ(fault(toml("a = [" + repeated("1.5, ", 40) + "]\n")), "");
  EXPECT_EQ(fault(toml("a = {" + std::string("b.c = 1.5") + "}\n" + repeated("# .\n", 40))), "");
  // The line is right behind texts of several lines, and an unfinished one ends with its line.
  const std::string deep = "a" + repeated(".a", 32) + " = 1\n";
  EXPECT_EQ(fault(toml("a = '''\n\n'''\n" + deep)), "f.toml:4: is nested too deeply");
  EXPECT_EQ(fault(toml("a = '\n" + deep)), "f.toml:2: is nested too deeply");
  EXPECT_EQ(fault(toml("# '''\n" + deep)), "f.toml:2: is nested too deeply");
}

TEST_F(Data, JsonIsRefusedFromALevelOn) {
  EXPECT_EQ(fault(json(repeated("[", 100) + repeated("]", 100))), "");
  EXPECT_EQ(fault(json(repeated("[", 102) + repeated("]", 102))), "f.json: is nested too deeply");
  EXPECT_EQ(fault(json(repeated("[", 100) + "1" + repeated("]", 100))), "");
}

TEST_F(Data, ANumberThatIsTooLargeIsAnError) {
  EXPECT_EQ(fault(json(R"({"a": 1e999})")), "f.json: has a number that is too large");
}

// Letters and white space of all kinds, where none of them may be: under the sanitizers.
TEST_F(Data, LettersThatAreNotAsciiAreReadOrAnError) {
  for (const std::string letter : {"\u00a0", "\u00e9", "\u015d", "\u0500", "\u1680", "\u1700", "\u2003",
                                   "\u2030", "\u2060", "\u3000", "\u4e00", "\ufeff", "\U0001f600"}) {
    EXPECT_FALSE(toml("name" + letter + "x")) << letter;
    EXPECT_FALSE(toml("a = 1" + letter + "x")) << letter;
    const auto read = toml("\"" + letter + "\" = \"\"\"" + letter + "\\\n" + letter + "\"\"\" # " + letter);
    ASSERT_TRUE(read) << letter;
    EXPECT_TRUE(read->members.front().value.scalar.starts_with(letter)) << letter;
  }
}

TEST_F(Data, AKeyThatIsNoneIsAnErrorInEveryBuild) {
  for (const std::string text : {"[\x01", "[[\x01]]\n", "[=]", "[a.\x02]"}) {
    EXPECT_NE(fault(toml(text)).find(": invalid TOML: "), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace builder::data
