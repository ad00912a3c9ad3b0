// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/input.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/errors.h"

namespace spec {
namespace {

using nlohmann::json;

std::string errors_of(Faults& faults) {
  if (faults.none()) return "";
  auto error = faults.take();
  EXPECT_TRUE(faults.none());
  std::string told;
  const auto more = std::move(error.more);
  const auto tell = [&](const base::Error& one) {
    EXPECT_EQ(one.kind, base::ErrorKind::bad_input);
    told += (told.empty() ? "" : "; ") + one.what + (one.hint.empty() ? "" : " | " + one.hint);
  };
  tell(error);
  for (const auto& one : more) tell(one);
  return told;
}

struct ReadInput {
  Input input;
  std::string told;
};

ReadInput read_as_input(const std::string& text, bool is_built = true) {
  const auto document = parse_documents(text, "f").value().front();
  const std::string pipeline = "p";
  Faults faults;
  auto input = read_input(*document.value, "/input", {pipeline, is_built, document.places}, faults);
  return {std::move(input), errors_of(faults)};
}

std::string told_of_input(const std::string& text, bool is_built = true) {
  return read_as_input(text, is_built).told;
}

std::string told_of_names(const std::string& text, bool is_built = true) {
  const auto document = parse_documents(text, "f").value().front();
  const std::string pipeline = "p";
  Faults faults;
  check_input_names(*document.value, "/input", {pipeline, is_built, document.places}, faults);
  return errors_of(faults);
}

TEST(InputOf, ARepoHasAllItsFields) {
  const auto whole =
      read_as_input(
          R"({"pfs": {"project": "j", "repo": "r", "name": "n", "branch": "b", "glob": "x", "join_on": "$1",
      "group_by": "$2", "outer_join": true, "lazy": true, "empty_files": true}})")
          .input.repo;
  EXPECT_EQ(whole.project, "j");
  EXPECT_EQ(whole.repo, "r");
  EXPECT_EQ(whole.name, "n");
  EXPECT_TRUE(whole.is_named);
  EXPECT_EQ(whole.branch, "b");
  EXPECT_EQ(whole.glob, "/x");
  EXPECT_EQ(whole.join_on, "$1");
  EXPECT_EQ(whole.group_by, "$2");
  EXPECT_TRUE(whole.outer_join && whole.lazy && whole.empty_files);
  EXPECT_FALSE(whole.cron);
  EXPECT_EQ(whole.pointer, "/input/pfs");
  const auto least = read_as_input(R"({"pfs": {"repo": "r", "glob": "/"}})").input.repo;
  EXPECT_EQ(least.project, "");
  EXPECT_EQ(least.name, "r");
  EXPECT_FALSE(least.is_named);
  EXPECT_EQ(least.branch, "master");
  EXPECT_FALSE(least.outer_join || least.lazy || least.empty_files);
}

TEST(InputOf, ACronHasAllItsFields) {
  const auto whole =
      read_as_input(
          R"({"cron": {"project": "j", "repo": "r", "name": "n", "spec": "@daily", "overwrite": true}})")
          .input.repo;
  EXPECT_EQ(whole.project, "j");
  EXPECT_EQ(whole.repo, "r");
  EXPECT_EQ(whole.name, "n");
  EXPECT_TRUE(whole.is_named);
  EXPECT_EQ(whole.branch, "master");
  EXPECT_EQ(whole.glob, "/*");
  ASSERT_TRUE(whole.cron);
  EXPECT_EQ(whole.cron->spec, "@daily");
  EXPECT_TRUE(whole.cron->overwrite);
  EXPECT_EQ(whole.pointer, "/input/cron");
  const auto least = read_as_input(R"({"cron": {"name": "n", "spec": "@daily"}})").input.repo;
  EXPECT_EQ(least.repo, "p_n");
  EXPECT_FALSE(least.cron->overwrite);
}

TEST(InputOf, SeveralIsATreeOfThem) {
  for (const auto& [name, kind] : std::map<std::string, Input::Kind>{{"cross", Input::Kind::cross},
                                                                     {"join", Input::Kind::join},
                                                                     {"group", Input::Kind::group},
                                                                     {"union", Input::Kind::union_of}}) {
    const auto input = read_as_input("{\"" + name + R"(": [{"pfs": {"repo": "a", "glob": "/"}},
      {"cross": [{"pfs": {"repo": "b", "glob": "/"}}]}, {"cron": {"name": "c", "spec": "@daily"}}]})");
    EXPECT_EQ(input.told, "");
    EXPECT_EQ(input.input.kind, kind);
    ASSERT_EQ(input.input.parts.size(), 3U);
    EXPECT_EQ(input.input.parts[0].kind, Input::Kind::repo);
    EXPECT_EQ(input.input.parts[1].kind, Input::Kind::cross);
    std::string leaves;
    for (const auto* leaf : repo_inputs(input.input)) leaves += leaf->pointer + " ";
    EXPECT_EQ(leaves,
              "/input/" + name + "/0/pfs /input/" + name + "/1/cross/0/pfs /input/" + name + "/2/cron ");
  }
}

constexpr char k_empty[] = R"(input is empty | for example {"pfs": {"repo": "…", "glob": "/*"}})";

std::string both(const std::string& first, const std::string& second) {
  return "input has both \"" + first + "\" and \"" + second + R"(" | keep one, or put both into a "cross")";
}

TEST(InputOf, FaultsAreTold) {
  const std::string repo = " | a name has letters, digits, '_' and '-'";
  const std::string name = " | a name has letters, digits, '_', '-' and '.', and does not start with '.'";
  for (const auto& [text, expected] : std::vector<std::pair<std::string, std::string>>{
           {"{}", k_empty},
           {R"({"cross": [], "union": []})",
            R"(input.cross is empty | for example {"pfs": {"repo": "…", "glob": "/*"}})"},
           {R"({"union": [{"join": []}]})",
            R"(input.union[0].join is empty | for example {"pfs": {"repo": "…", "glob": "/*"}})"},
           {R"({"pfs": {}, "cron": {}})", both("pfs", "cron")},
           {R"({"cron": {}, "cross": [{}]})", both("cron", "cross")},
           {R"({"cross": [{}], "join": [{}], "group": [{}]})", both("cross", "join")},
           {R"({"group": [{}], "union": [{}]})", both("group", "union")},
           {R"({"pfs": {"repo": "a", "glob": "/"}, "union": []})", ""},
           {R"({"cross": [{}]})",
            R"(input.cross[0] is empty | for example {"pfs": {"repo": "…", "glob": "/*"}})"},
           {R"({"pfs": {"glob": "/"}})", "input.pfs has no \"repo\""},
           {R"({"pfs": {"glob": "/", "repo": "a.b"}})", "input.pfs.repo: invalid repo name \"a.b\"" + repo},
           {R"({"pfs": {"glob": "/", "repo": "a/"}})", "input.pfs.repo: invalid repo name \"a/\"" + repo},
           {R"({"pfs": {"repo": "a"}})",
            R"(input.pfs has no "glob" | "/*" makes a datum of each file and folder)"},
           {R"({"pfs": {"repo": "a", "glob": "a[", "name": "."}})",
            "input.pfs.name: invalid input name \".\"" + name +
                "; input.pfs.glob \"/a[\": character 3: unclosed '['"},
           {R"({"pfs": {"repo": "a", "glob": "/", "name": "a b"}})",
            "input.pfs.name: invalid input name \"a b\"" + name},
           {R"({"pfs": {"repo": "a", "glob": "/", "name": "a.b-c_D9"}})", ""},
           {R"({"cron": {"spec": "@daily"}})", "input.cron has no \"name\""},
           {R"({"cron": {"name": "n"}})",
            R"(input.cron has no "spec" | for example "spec": "@every 60s", or "0 3 * * *")"},
           {R"({"cron": {"name": "n/", "spec": "@daily"}})",
            "input.cron.name: invalid input name \"n/\"" + name},
           {R"({"cron": {"name": "n", "spec": "@daily", "repo": "a b"}})",
            "input.cron.repo: invalid repo name \"a b\"" + repo},
       })
    EXPECT_EQ(told_of_input(text), expected) << text;
  EXPECT_EQ(
      told_of_input(R"({"pfs": {"repo": "a", "glob": "/", "join_on": "$01"}})"),
      "input.pfs.join_on invalid group number 01 | write it without leading zeros, with nine digits at most");
  EXPECT_EQ(told_of_input(R"({"pfs": {"repo": "a", "glob": "/", "group_by": "$01"}})"),
            "input.pfs.group_by invalid group number 01 | write it without leading zeros, with nine digits "
            "at most");
}

TEST(InputOf, NamesThatAreTaken) {
  const auto input = [](const std::string& name) {
    return "{\"pfs\": {\"repo\": \"r\", \"glob\": \"/\", \"name\": \"" + name + "\"}}";
  };
  const auto taken = [](const std::string& name) {
    return "input.pfs.name \"" + name + "\" is reserved: " +
           (name == "out" ? "/pfs/out is the output of the pipeline"
                          : "pachbuild puts the " + name + " in /pfs/" + name) +
           " | give the input another \"name\"";
  };
  for (const std::string name : {"source", "build", "out"}) {
    EXPECT_EQ(told_of_input(input(name)), taken(name));
    EXPECT_EQ(told_of_names(input(name)), taken(name));
    EXPECT_EQ(told_of_input(input(name), false), name == "out" ? taken(name) : "");
    EXPECT_EQ(told_of_names(input(name), false), name == "out" ? taken(name) : "");
  }
  for (const std::string name : {"sources", "outs", "a"}) EXPECT_EQ(told_of_input(input(name)), "");
  const auto tree = [&](const std::string& kind, const std::string& first, const std::string& second) {
    return "{\"" + kind + "\": [" + input(first) + ", " + input(second) + "]}";
  };
  for (const std::string kind : {"cross", "join", "group"})
    EXPECT_EQ(told_of_input(tree(kind, "a", "a")),
              "input." + kind +
                  "[1].pfs.name \"a\" is already the name of another input | give one "
                  "of them another \"name\"");
  EXPECT_EQ(told_of_input(tree("union", "a", "a")), "") << "a datum has files of one of them";
  // A union in a cross has all its names.
  const auto in_cross = [&](const std::string& first, const std::string& last) {
    return told_of_input("{\"cross\": [" + input(first) + ", " + tree("union", "b", "c") + ", " +
                         input(last) + "]}");
  };
  const std::string twice = "\" is already the name of another input | give one of them another \"name\"";
  EXPECT_EQ(in_cross("a", "d"), "");
  EXPECT_EQ(in_cross("a", "b"), "input.cross[2].pfs.name \"b" + twice);
  EXPECT_EQ(in_cross("a", "c"), "input.cross[2].pfs.name \"c" + twice);
  EXPECT_EQ(in_cross("c", "d"), "input.cross[1].union[1].pfs.name \"c" + twice);
}

TEST(InputOf, AClusterOnlyLeavesTakenNamesAlone) {
  EXPECT_EQ(told_of_names("{}"), k_empty);
  EXPECT_EQ(told_of_names(R"({"new": 1})"), "");
  const std::string hint = " | give the input another \"name\"";
  EXPECT_EQ(
      told_of_names(R"({"cross": [{"pfs": {"repo": "out"}}, {"union": [{"cron": {"name": "build"}}]},
                                        {"join": [{"pfs": {"repo": "source", "name": "x"}}]},
                                        {"group": [{"cron": {"repo": "source"}}]}], "pfs": {"repo": "build"}})"),
      "input.pfs.repo \"build\" is reserved: pachbuild puts the build in /pfs/build" + hint +
          "; input.cross[0].pfs.repo \"out\" is reserved: /pfs/out is the output of the pipeline | give the "
          "input another \"name\"" +
          "; input.cross[1].union[0].cron.name \"build\" is reserved: pachbuild puts the build in "
          "/pfs/build" +
          hint +
          "; input.cross[3].group[0].cron.repo \"source\" is reserved: pachbuild puts the source in "
          "/pfs/source" +
          hint);
}

TEST(Names, OfReposAndPipelines) {
  for (const char* name : {"a", "Z", "0", "9", "_", "-", "a_B-9", "zA"}) EXPECT_TRUE(is_name(name)) << name;
  for (const char* name : {"", ".", "a.b", "a b", "é", "a/", "/a", "@", "[", "`", "{", ":"})
    EXPECT_FALSE(is_name(name)) << name;
}

TEST(FaultsOfASpec, AreInTheOrderOfTheText) {
  Faults faults;
  const auto add = [&](std::size_t line, std::size_t column, const std::string& what) {
    faults.add("/" + what, {line, column}, {base::ErrorKind::bad_input, "", what, ""});
  };
  add(2, 1, "c");
  add(1, 9, "b");
  add(1, 2, "a");
  add(1, 9, "b2");
  EXPECT_EQ(errors_of(faults), "a; b; b2; c");
  EXPECT_TRUE(faults.none());
  EXPECT_FALSE(faults.touch("/a"));
}

}  // namespace
}  // namespace spec
