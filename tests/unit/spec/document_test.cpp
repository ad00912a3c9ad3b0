// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/document.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace spec {
namespace {

using nlohmann::json;

Document read(const std::string& text) {
  auto documents = parse_documents(text, "f").value();
  EXPECT_EQ(documents.size(), 1U);
  return documents.front();
}

// What a person sees of the error.
std::string fault(const std::string& text) {
  const auto documents = parse_documents(text, "f");
  if (documents) return "none";
  EXPECT_EQ(documents.error().kind, base::ErrorKind::bad_input);
  return base::format_error(documents.error());
}

json yaml(const std::string& text) { return *read(text).value; }

TEST(Document, JsonKnowsWhereEachValueIs) {
  const std::string text = "{\n  \"a\" : [1 ,-2.5e3, true,null,\"é\" , {}],\n  \"b/~\": {\"c\": 7}\n}\n";
  const Document document = read(text);
  EXPECT_EQ(*document.value, json::parse(text));
  EXPECT_EQ(document.places.where(""), "f:1:1");
  EXPECT_EQ(document.places.where("/a"), "f:2:9");
  EXPECT_EQ(document.places.where("/a/0"), "f:2:10");
  EXPECT_EQ(document.places.where("/a/1"), "f:2:13");
  EXPECT_EQ(document.places.where("/a/2"), "f:2:21");
  EXPECT_EQ(document.places.where("/a/3"), "f:2:26");
  EXPECT_EQ(document.places.where("/a/4"), "f:2:31");
  EXPECT_EQ(document.places.where("/a/5"), "f:2:37") << "a column is a character";
  EXPECT_EQ(document.places.where("/b~1~0/c"), "f:3:16");
  EXPECT_EQ(document.places.where("/b~1~0/none/deeper"), "f:3:10") << "the nearest value around it";
}

TEST(Document, YamlKnowsWhereEachValueIs) {
  const Document document = read("# a spec\na:\n  - é: x\n    c: [1, two]\n  - |\n    text\nb:\n");
  EXPECT_EQ(*document.value, json::parse(R"({"a": [{"é": "x", "c": [1, "two"]}, "text\n"], "b": null})"));
  EXPECT_EQ(document.places.where("/a/0"), "f:3:5");
  EXPECT_EQ(document.places.where("/a/0/é"), "f:3:8");
  EXPECT_EQ(document.places.where("/a/0/c/1"), "f:4:12");
  EXPECT_EQ(document.places.where("/a/1"), "f:5:5");
}

TEST(Document, ANumberThatIsTooLargeIsAnErrorWithItsPlace) {
  for (const std::string number : {"3E1972", "-1e400", "1.5e309"}) {
    EXPECT_EQ(fault("a: 1\nb: [x, " + number + "]\n"),
              "error: f:2:8: number too large: \"" + number +
                  "\"\nhint: put it in quotes if it is meant as text\n");
    EXPECT_EQ(fault("{\n  \"a\": " + number + "\n}\n"), "error: f:2:8: invalid JSON: number too large\n");
  }
  EXPECT_EQ(yaml("[1e308, 123456789012345678901234567890, 1e-400]").at(0), 1e308);
  EXPECT_EQ(yaml("\"3E1972\""), json("3E1972"));
}

TEST(Document, YamlScalarsAreWhatPachydermTakesThemFor) {
  EXPECT_EQ(yaml("[true, True, FALSE, null, ~, NULL, ]"),
            json::parse("[true, true, false, null, null, null]"));
  EXPECT_EQ(yaml("[on, yes, y, Off, tRue]"), json::parse(R"(["on", "yes", "y", "Off", "tRue"])"));
  EXPECT_EQ(yaml("[0, -7, 1e3, .5, -1.25]"), json::parse("[0, -7, 1e3, 0.5, -1.25]"));
  EXPECT_EQ(yaml("['1', \"true\", '', \"null\"]"), json::parse(R"(["1", "true", "", "null"])"));
  EXPECT_EQ(yaml("[1.2.3, 3d, 1h30m, -e5, +, 1-2]"),
            json::parse(R"(["1.2.3", "3d", "1h30m", "-e5", "+", "1-2"])"));
  EXPECT_EQ(yaml("!!str 12"), json("12"));
  EXPECT_EQ(yaml(">\n a\n b\n"), json("a b\n"));
}

TEST(Document, YamlNumbersThatJsonDoesNotHaveAreRefused) {
  for (const char* number : {"0x1f", "0o17", "017", "0b11", "1_000", "+1", "1.", ".inf", "-.Inf", ".nan"}) {
    EXPECT_EQ(fault(std::string("a: ") + number), "error: f:1:4: \"" + std::string(number) +
                                                      "\" is a number that JSON cannot represent\nhint: "
                                                      "put it in quotes if it is meant as text\n");
  }
  for (const char* date : {"2020-01-02", "2020-01-02T03:04:05Z"}) {
    EXPECT_EQ(fault(std::string("a: ") + date), "error: f:1:4: \"" + std::string(date) +
                                                    "\" is a date, which JSON cannot represent\nhint: "
                                                    "put it in quotes if it is meant as text\n");
  }
}

TEST(Document, AnErrorInALongTextOfJsonIsShort) {
  const std::string error = fault("{\"a\": \"" + std::string(100'000, 'a') + "\\u12\"}");
  EXPECT_NE(error.find("invalid "), std::string::npos) << error;
  EXPECT_LT(error.size(), 400U);
}

TEST(Document, YamlNumbersThatAreTooLargeAreRefused) {
  EXPECT_EQ(fault("a: 3E1972"),
            "error: f:1:4: number too large: \"3E1972\"\nhint: put it in quotes if it is meant as text\n");
}

TEST(Document, YamlBeyondJsonIsRefused) {
  EXPECT_EQ(fault("a: &x 1\nb: *x"),
            "error: f:2:4: aliases are not allowed in a pipeline spec\nhint: write the value out\n");
  EXPECT_EQ(fault("a: !!int 'x'"),
            "error: f:1:4: the tag \"tag:yaml.org,2002:int\" is not allowed in a pipeline spec\n");
  EXPECT_EQ(fault("a: !x 1"), "error: f:1:4: the tag \"!x\" is not allowed in a pipeline spec\n");
  EXPECT_EQ(fault("a: !!int '1'\nb: !x [1]"), "none") << "as for Pachyderm";
  EXPECT_EQ(fault("a: 1\n<<: {b: 2}"),
            "error: f:2:1: merging with \"<<\" is not allowed in a pipeline spec\n");
  EXPECT_EQ(fault("a:\n  1: b"),
            "error: f:2:3: a key must be a string, not 1\nhint: put it in quotes if it is meant as text\n");
  EXPECT_EQ(fault("? [a]\n: b"), "error: f:1:3: a key must be a string, not a list or an object\n");
}

TEST(Document, FaultsHaveLineAndColumn) {
  EXPECT_EQ(fault("{\"a\" 12}"), "error: f:1:6: invalid JSON: unexpected number; expected ':'\n");
  EXPECT_EQ(fault("{\"a\":\r\n[1}"), "error: f:2:3: invalid JSON: unexpected '}'; expected ',' or ']'\n");
  EXPECT_EQ(fault("{\"a\": 1"), "error: f:1:8: invalid JSON: unexpected end of file; expected ',' or '}'\n");
  const std::string escape = "invalid JSON: invalid escape in a string; write \\\\ for a backslash\n";
  EXPECT_EQ(fault("{\"a\": \"C:\\data\"}"), "error: f:1:11: " + escape);
  EXPECT_EQ(fault("{\"a\": \"\\ud800\"}"), "error: f:1:7: invalid JSON: invalid \\u escape in a string\n");
  EXPECT_EQ(fault("a: 1\nb: c: d\n"),
            "error: f:2:5: invalid YAML: \":\" cannot be here\nhint: quote a value that has \": \"; the "
            "keys of an object "
            "start in the same column\n");
  EXPECT_EQ(fault("a: [1,\n"), "error: f:2:1: invalid YAML: expected , or ]\n");
  EXPECT_EQ(fault("{a: 1},\n"), "error: f:1:7: invalid YAML: nothing can start here\n");
  EXPECT_EQ(fault("{a: 1}]"), "error: f:1:7: invalid YAML: nothing is open that this closes\n");
  EXPECT_EQ(fault("a: \"x"), "error: f:1:6: invalid YAML: the quote is not closed\n");
  EXPECT_EQ(fault("a: \"x\n"), "error: f:1:4: invalid YAML: the quote is not closed\n");
  EXPECT_EQ(fault("a: 'x\'\'\n"), "error: f:1:4: invalid YAML: the quote is not closed\n");
  EXPECT_EQ(fault("a: 'x\'\''"), "none");
  EXPECT_EQ(fault("a: \"x\\\"\""), "none");
}

TEST(Document, FaultsOfYamlAreAboutTheText) {
  const std::string quotes = "\nhint: put it in quotes\n";
  const std::string keys =
      "\nhint: the keys of an object start in the same column, deeper than the key above them\n";
  const std::string colons =
      "\nhint: quote a value that has \": \"; the keys of an object start in the same column\n";
  const std::string items = "\nhint: the items of a list start with \"- \" in the same column\n";
  const std::string backslash = "\nhint: write \\\\ for a backslash, or use single quotes\n";
  const std::string pipe = "\nhint: after | or > comes a line break\n";
  const std::string directive = "\nhint: remove the line: a pipeline spec needs no %YAML and no %TAG\n";
  for (const auto& [text, said] : std::vector<std::pair<std::string, std::string>>{
           {"glob: *", "1:8: invalid YAML: a value cannot start with *" + quotes},
           {"glob: */x", "1:7: invalid YAML: a value cannot start with *" + quotes},
           {"glob: *.csv", "1:7: invalid YAML: a value cannot start with *" + quotes},
           {"glob: &", "1:8: invalid YAML: a value cannot start with &" + quotes},
           {"a: 1\n b: 2", "2:3: invalid YAML: \":\" cannot be here" + colons},
           {"a:\n  b: 1\n c: 2", "3:2: invalid YAML: expected a key" + keys},
           {"a:\n  - b: 1\n   c: 2", "3:4: invalid YAML: expected an item of the list" + items},
           {"a: - 1", "1:4: invalid YAML: a list cannot start here" + items},
           {"a: @x",
            "1:4: invalid YAML: a value cannot start like this\nhint: put it in quotes if it is meant "
            "as text\n"},
           {"a: %x",
            "1:4: invalid YAML: a value cannot start like this\nhint: put it in quotes if it is meant "
            "as text\n"},
           {"a: !<x", "1:7: invalid YAML: a value cannot start with !" + quotes},
           {"!a !b c", "1:4: invalid YAML: a value cannot start with !" + quotes},
           {"&a &b c", "1:4: invalid YAML: a value cannot start with &" + quotes},
           {"a: \"C:\\data\"", "1:9: invalid YAML: invalid escape in a string" + backslash},
           {"a: \"\\x1\"", "1:9: invalid YAML: invalid escape in a string" + backslash},
           {"a: \"\\ud800\"", "1:11: invalid YAML: invalid escape in a string" + backslash},
           {"a: |x\n b", "1:5: invalid YAML: a text cannot start in this line" + pipe},
           {"a: |0\n b", "1:6: invalid YAML: a text cannot start in this line" + pipe},
           {"%YAML 3.0\n---\na: 1", "1:1: invalid YAML: invalid directive" + directive},
           {"%TAG\n---\na: 1", "1:1: invalid YAML: invalid directive" + directive},
       }) {
    EXPECT_EQ(fault(text), "error: f:" + said) << text;
  }
}

TEST(Document, ATabInTheIndentationOfYamlIsNamed) {
  const std::string tab = ": invalid YAML: a line is indented with a tab\nhint: use spaces\n";
  for (const auto& [text, where] : std::vector<std::pair<std::string, std::string>>{
           {"a:\n\tb: 1\n", "2:1"},
           {"a:\n  b: 1\n  \tc: 2\n", "3:3"},
           {"a:\n  b: 1\n\tc: 2\n", "3:1"},
           {"a:\n\t- 1\n", "2:1"},
           {"a:\n-\tb: 1\n", "2:2"},
       }) {
    EXPECT_EQ(fault(text), "error: f:" + where + tab) << text;
  }
  EXPECT_EQ(fault("{\n\t\"a\": 1\n\t\"b\": 2\n}"), "error: f:3:5: invalid YAML: expected , or }\n");
}

TEST(Document, AMergeConflictIsNamed) {
  const std::string conflict = "<<<<<<< HEAD\n\"b\": 1\n=======\n\"b\": 2\n>>>>>>> other\n";
  for (const std::string& text : {"{\n" + conflict + "}\n", "a: 1\n" + conflict})
    EXPECT_TRUE(fault(text).starts_with("error: f:2: a merge conflict is not resolved\nhint: "))
        << fault(text);
  EXPECT_TRUE(fault("<<<<<<< HEAD\n{\"b\": 1}\n=======\n{\"b\": 2}\n>>>>>>> other\n")
                  .starts_with("error: f:1: a merge conflict is not resolved\nhint: "));
  EXPECT_EQ(fault("- |\n  <<<<<<< HEAD\n  >>>>>>> other\n"), "none");
}

TEST(Document, FaultsOfJsonAreAboutTheText) {
  for (const auto& [text, said] : std::vector<std::pair<std::string, std::string>>{
           {"{\"a\":: 1}", "1:6: invalid JSON: unexpected ':'; expected a value"},
           {"{,}", "1:2: invalid JSON: unexpected ','; expected a key in quotes"},
           {"[a]: b", "1:2: invalid JSON: expected a value"},
           {"[1]]", "1:4: invalid JSON: unexpected ']'; expected a value"},
           {"{\"a\": 1.}", "1:9: invalid JSON: invalid number"},
           {"{\"a\": \"b", "1:9: invalid JSON: the quote is not closed"},
       }) {
    EXPECT_EQ(fault(text), "error: f:" + said + "\n") << text;
  }
}

TEST(Document, AValueOfACommandLineIsNamedByItsOrigin) {
  Places source("f");
  source.add_origin("/a", "--a");
  source.add_origin("/c/0/x~1y", "--c");
  const auto document = parse_documents(R"({"a": {"b": 1}, "c": [{"x/y": 1}]})", source).value().front();
  EXPECT_EQ(document.places.where("/a"), "--a");
  EXPECT_EQ(document.places.where("/a/b/z"), "--a");
  EXPECT_EQ(document.places.where(child_pointer("/c/0", "x/y")), "--c");
  EXPECT_EQ(document.places.where("/c/0"), "f:1:23");
  EXPECT_EQ(document.places.where("/ab"), "f:1:1");
  EXPECT_EQ(document.places.at("/a"), (base::Position{1, 7})) << "faults keep their order";
}

TEST(Document, OfAKeyThatComesTwiceTheLastCounts) {
  for (const std::string text : {"{\"a\": {\"x\": 1},\n \"b\": {\"a\": 2},\n \"a\": {\"y\": 3}}",
                                 "\"a\": {x: 1}\n\"b\": {a: 2}\n\"a\": {y: 3}"}) {
    const Document document = read(text);
    EXPECT_EQ(*document.value, json::parse(R"({"a": {"y": 3}, "b": {"a": 2}})"));
    ASSERT_EQ(document.warnings.size(), 1U);
    EXPECT_TRUE(document.warnings[0].starts_with("f:3:")) << document.warnings[0];
    EXPECT_TRUE(
        document.warnings[0].ends_with(": duplicate key \"a\": this value is used; the first is on line 1"))
        << document.warnings[0];
    EXPECT_TRUE(document.places.where("/a").starts_with("f:3:"));
    EXPECT_EQ(document.places.where("/a/x"), document.places.where("/a")) << "what does not count is nowhere";
  }
}

TEST(Document, TagsAreWhatPachydermTakesThemFor) {
  EXPECT_EQ(yaml("[!!int \"3\", !!float 1.5, !!bool \"true\", !!null \"\", !!str 3]"),
            json::parse(R"([3, 1.5, true, null, "3"])"));
  EXPECT_EQ(yaml("a: !x {b: !!seq [1]}"), json::parse(R"({"a": {"b": [1]}})"));
}

TEST(Document, JsonIsReadAsPachydermReadsIt) {
  const json value = json::parse(R"({"a": [1, 2], "b": null})");
  for (const char* text :
       {"{\"a\": [1, 2,], \"b\": null,}", "# why\n{\"a\": [1, 2], # two\n \"b\": null}",
        "{\n\t\"a\": [1, 2],\n\t\"b\": null,\n}\n", "{'a': [1, 2], b: ~}", "{\"a\":[1,2],\"b\":}",
        "---\n{\"a\": [1, 2], \"b\": null}\n", "{\"a\": [1, 2], \"b\": null}\n...\n"}) {
    EXPECT_EQ(*read(text).value, value) << text;
  }
  const auto documents = parse_documents("{\"a\": 1}\n---\n{\"a\": 2}\n", "f").value();
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(documents[1].places.where("/a"), "f:3:7");
  EXPECT_EQ(*read("{\"a\": \"\\ud83d\\ude00\"}").value, json::parse("{\"a\": \"😀\"}"));
}

TEST(Document, TheFaultIsThatOfTheReaderThatCameFurther) {
  EXPECT_EQ(fault("# why\n{\"a\": 1,\n \"b\" 2}"), "error: f:3:6: invalid YAML: expected , or }\n");
  EXPECT_EQ(fault("{\"a\": 1, }\n}"), "error: f:2:1: invalid YAML: nothing is open that this closes\n");
  EXPECT_EQ(fault("a: {\"b\": 1}\nc: d: e"),
            "error: f:2:5: invalid YAML: \":\" cannot be here\nhint: quote a value that has \": \"; the "
            "keys of an object "
            "start in the same column\n");
}

TEST(Document, APlaceCanBecomeTheRoot) {
  const Document document = read("[{\"a\": 1},\n {\"a\": {\"b\": 2}}]");
  const Places second = document.places.below("/1");
  EXPECT_EQ(second.where(""), "f:2:2");
  EXPECT_EQ(second.where("/a/b"), "f:2:14");
  const Places made("t.jsonnet", "t.jsonnet (its result)");
  EXPECT_EQ(parse_documents("{\"a\" 1}", made).error().where, "t.jsonnet (its result):1:6");
  EXPECT_FALSE(made.is_written());
  EXPECT_TRUE(second.is_written());
}

TEST(Document, WhatIsNotTextIsRefused) {
  EXPECT_EQ(fault("{\"a\":\n \"\xff\"}"), "error: f:2:3: invalid UTF-8: byte 0xff\n");
  EXPECT_EQ(fault(std::string("a\0b", 3)), "error: f:1:2: control character U+0000 is not allowed\n");
  EXPECT_EQ(fault("\xff\xfe"
                  "a"),
            "error: f:1:1: invalid UTF-8: byte 0xff\n");
}

TEST(Document, AByteOrderMarkAndCarriageReturnsAreFine) {
  EXPECT_EQ(*read("\xEF\xBB\xBF{\"a\": 1}\r\n").value, json::parse(R"({"a": 1})"));
  EXPECT_EQ(yaml("\xEF\xBB\xBF"
                 "a: 1\r\nb:\r\n  - x\r\n"),
            json::parse(R"({"a": 1, "b": ["x"]})"));
}

TEST(Document, NothingIsAnError) {
  EXPECT_EQ(base::format_error(parse_documents("", "-").error()), "error: standard input: is empty\n");
  EXPECT_EQ(Places("-").where(base::Position{2, 3}), "standard input:2:3");
  for (const char* text : {"", " \r\n\t", "\xEF\xBB\xBF"}) EXPECT_EQ(fault(text), "error: f: is empty\n");
  for (const char* text : {"", "\n", "# only a comment\n"}) EXPECT_EQ(fault(text), "error: f: is empty\n");
}

TEST(Document, SeveralAreGivenOneByOne) {
  const auto jsons = parse_documents("{\"a\": 1}\n12 [3]", "f").value();
  ASSERT_EQ(jsons.size(), 3U);
  EXPECT_EQ(*jsons[1].value, json(12));
  EXPECT_EQ(jsons[1].places.where(""), "f:2:1");
  EXPECT_EQ(jsons[2].places.where("/0"), "f:2:5");
  const auto yamls = parse_documents("a: 1\n---\nb: 2\n", "f").value();
  ASSERT_EQ(yamls.size(), 2U);
  EXPECT_EQ(yamls[1].places.where("/b"), "f:3:4");
}

TEST(Document, DepthIsLimited) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(fault(nested(100)), "none");
  EXPECT_EQ(fault(nested(101)), "error: f:1:101: is nested more than 100 levels deep\n");
  EXPECT_EQ(fault(std::string(1000000, '[')), "error: f:1:101: is nested more than 100 levels deep\n");
  EXPECT_EQ(fault(nested(101)), "error: f:1:101: is nested more than 100 levels deep\n");
  EXPECT_NE(fault(std::string(100000, '{')), "none");
  std::string indented;
  for (std::size_t i = 0; i < 300; ++i) indented += std::string(i, ' ') + "a:\n";
  EXPECT_EQ(fault(indented), "error: f:101:101: is nested more than 100 levels deep\n");
}

TEST(ToYaml, IsReadAsTheSame) {
  const json value = {
      {"null", nullptr},
      {"booleans", {true, false}},
      {"numbers", {0, -1, 1.5, 1e20, 1e-7, -0.0, std::uint64_t{18446744073709551615U}}},
      {"texts", {"null", "~", "", "true", "1", "1e3", "2020-01-01", " a ", "a: b", "# a", "a\nb"}},
      {"signs",
       {"\x01\t\r\n\\\"\x7f", "\u0085\u2028\ufeff", "\uffff\ufdd0\U0001fffe", "\u00e9\u20ac\U0001f600"}},
      {std::string(3000, 'k'),
       {{"nested", {{1, {2, {3}}}, {{"a", 1}, {"b", {{"c", json::array({json::object()})}}}}}}}},
      {"2U", {{"~", nullptr}, {"null", nullptr}, {"on", 1}, {"TRUE", 1}, {"False", 1}, {"Null", 1}}},
      {"empty", {json::array(), json::object()}}};
  const auto again = parse_documents(to_yaml(value), "p.yaml");
  ASSERT_TRUE(again) << again.error().where << ": " << again.error().what;
  ASSERT_EQ(again->size(), 1U);
  EXPECT_EQ(*again->front().value, value);
}

// Keys as people write them are plain; texts and what YAML could take for something else are in quotes.
TEST(ToYaml, IsInOneForm) {
  const json value = {{"name", "x"},      {"yes", 1},        {"on", 1},         {"null", 1},
                      {"true", 1},        {"false", 1},      {"snake_case", 1}, {"Abcd", 1},
                      {"a1bc", 1},        {"with space", 1}, {"", 1},           {"list", {1, "2"}},
                      {"empty", nullptr}, {"True", 1},       {"FALSE", 1},      {"NULL", 1}};
  EXPECT_EQ(to_yaml(value),
            "\"\": 1\nAbcd: 1\n\"FALSE\": 1\n\"NULL\": 1\n\"True\": 1\n\"a1bc\": 1\nempty: ~\n\"false\": "
            "1\nlist:\n  - 1\n  - \"2\"\nname: \"x\"\n"
            "\"null\": 1\n\"on\": 1\nsnake_case: 1\n\"true\": 1\n\"with space\": 1\n\"yes\": 1\n");
  EXPECT_EQ(to_yaml({{"steps", {{{"from", "x"}, {"to", {1, 2}}}, {"y", json::array({"z"})}}}}),
            "steps:\n  - from: \"x\"\n    \"to\":\n      - 1\n      - 2\n  - - \"y\"\n    - - \"z\"\n");
  EXPECT_EQ(to_yaml("\u00e9\u0085\uffff\U0001ffff\t"), "\"\u00e9\\x85\\uffff\\U0001ffff\\t\"\n");
  EXPECT_EQ(to_yaml(json::array()), "[]\n");
}

TEST(Document, EveryWhiteCharacterIsText) {
  EXPECT_EQ(*read("{\n\r\t\"a\": \"\x7f\"}").value, json::parse("{\"a\": \"\x7f\"}"));
  for (const auto& [byte, what] : std::vector<std::pair<std::string, std::string>>{
           {"\x01", "control character U+0001 is not allowed"},
           {"\x0b", "control character U+000B is not allowed"},
           {"\x1f", "control character U+001F is not allowed"},
           {"\xc2\x80", "control character U+0080 is not allowed"},
           {"\xc2\x9f", "control character U+009F is not allowed"},
           {"\xc2", "invalid UTF-8: byte 0xc2"},
           {"\x80", "invalid UTF-8: byte 0x80"},
           {"\xc3", "invalid UTF-8: byte 0xc3"}})
    EXPECT_EQ(fault("{\n\"é\": \"" + byte + "\"}"), "error: f:2:7: " + what + "\n");
}

TEST(Document, PlacesAreFoundAroundWhatHasNone) {
  Places places("f");
  places.add("/a", {2, 3});
  places.add("/a/b", {4, 5});
  places.add("/a/b/c", {6, 7});
  places.add("/ab", {8, 9});
  places.add("/a/b", {1, 1});  // the first counts
  EXPECT_EQ(places.where(""), "f:1:1");
  EXPECT_EQ(places.where("/a/b/x/y"), "f:4:5");
  EXPECT_EQ(places.where("/x/y"), "f:1:1");
  const Places below = places.below("/a");
  EXPECT_EQ(below.where(""), "f:2:3");
  EXPECT_EQ(below.where("/b"), "f:4:5");
  EXPECT_EQ(below.where("/b/c"), "f:6:7");
  EXPECT_EQ(below.where("b"), "f:1:1") << "of /ab it has nothing";
  EXPECT_EQ(places.without_positions().where("/a"), "f:1:1");
  places.forget("/a/b");
  EXPECT_EQ(places.where("/a/b/c"), "f:2:3");
  EXPECT_EQ(places.where("/ab"), "f:8:9");
  places.forget("/a");
  EXPECT_EQ(places.where("/a"), "f:1:1");
  EXPECT_EQ(places.where("/ab"), "f:8:9");
  EXPECT_EQ(child_pointer("/a", "b"), "/a/b");
  EXPECT_EQ(child_pointer("", "~/~1"), "/~0~1~01");
}

TEST(Document, NumbersInJsonHaveTheirPlaces) {
  const Document document = read("[1,22 , -3\n,4.5]");
  for (const auto& [pointer, where] : std::vector<std::pair<std::string, std::string>>{
           {"/0", "f:1:2"}, {"/1", "f:1:4"}, {"/2", "f:1:9"}, {"/3", "f:2:2"}})
    EXPECT_EQ(document.places.where(pointer), where);
  const auto several = parse_documents("1 \"a\"\n{\"b\": 2}3", "f").value();
  ASSERT_EQ(several.size(), 4U);
  EXPECT_EQ(several[1].places.where(""), "f:1:3");
  EXPECT_EQ(several[2].places.where("/b"), "f:2:7");
  EXPECT_EQ(several[3].places.where(""), "f:2:9");
  EXPECT_EQ(fault("{\"a\": 01}"), "error: f:1:7: invalid JSON: unexpected number; expected ',' or '}'\n");
  EXPECT_EQ(fault("{\"a\": [1] \"text\"}"),
            "error: f:1:11: invalid JSON: unexpected string; expected ',' or '}'\n");
}

TEST(Document, FaultsOfUnusualTexts) {
  EXPECT_EQ(fault("a: !!int 0x1f"),
            "error: f:1:4: the tag \"tag:yaml.org,2002:int\" is not allowed in a pipeline spec\n");
  EXPECT_EQ(fault("a: !!float x"),
            "error: f:1:4: the tag \"tag:yaml.org,2002:float\" is not allowed in a pipeline spec\n");
  EXPECT_EQ(fault("[1"), "error: f:1:3: invalid JSON: unexpected end of file; expected ',' or ']'\n");
}

TEST(ToYaml, AKeyOfAThousandCharactersStandsBeforeItsColon) {
  for (const std::size_t size : {1000U, 1001U}) {
    const std::string key(size, 'k');
    EXPECT_EQ(to_yaml({{key, 1}}), size == 1000 ? key + ": 1\n" : "? " + key + "\n: 1\n");
  }
}

}  // namespace
}  // namespace spec
