// SPDX-License-Identifier: Apache-2.0
// What a checked spec has of each kind of field, and what is told of the others: for pipelines with and
// without a build, and each target.
#include "pachbuild/spec/schema.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"

namespace spec {
namespace {

using nlohmann::json;

enum class With { build, no_build };

// The checked fields, then all that is told.
std::string checked(const std::string& text, Target target = Target::machine) {
  auto result = check_fields(parse_documents(text, "f").value().front(), target);
  std::string told = result.document.value->dump();
  if (!result.cluster_fields.empty()) told += "; cluster: " + base::join(result.cluster_fields, ",");
  for (const auto& note : result.notes) told += "; note: " + note;
  if (result.faults.none()) return told;
  auto error = result.faults.take();
  const auto more = std::move(error.more);
  const auto tell = [&](const base::Error& one) {
    EXPECT_EQ(one.kind, base::ErrorKind::bad_input);
    told += "; " + one.where + ": " + one.what + (one.hint.empty() ? "" : " | " + one.hint);
  };
  tell(error);
  for (const auto& one : more) tell(one);
  return told;
}

// A field of a pipeline without a build, or of one with it: what it becomes ("-": nothing), or what is told.
std::string field(const std::string& name, const std::string& value, With with = With::no_build,
                  Target target = Target::any) {
  const std::string build = with == With::build ? R"(, "transform": {"build": {}})" : "";
  const auto told = checked("{\"" + name + "\": " + value + build + "}", target);
  if (const auto fault = told.find("; f:1:"); fault != std::string::npos)
    return told.substr(told.find(": ", fault + 3) + 2);
  auto fields = json::parse(told.substr(0, told.find("; ")));
  if (with == With::build) fields.erase("transform");
  return fields.empty() ? "-" : fields.begin().value().dump();
}

TEST(CheckedFields, OfNumbers) {
  const std::string whole = "datum_tries must be a whole number, not ";
  for (const auto& [value, expected] : std::vector<std::pair<std::string, std::string>>{
           {"3", "3"},
           {"-3", "-3"},
           {"3.0", "3"},
           {"\"3\"", "3"},
           {"\"-3\"", "-3"},
           {"\"3e1\"", "30"},
           {"-9007199254740992.0", "-9007199254740992"},
           {"9007199254740992.0", "9007199254740992"},
           {"9223372036854775807", "9223372036854775807"},
           {"-9223372036854775808", "-9223372036854775808"},
           {"9223372036854775808", whole + "9223372036854775808"},
           {"-9007199254740994.0", whole + "-9.007199254740994e+15"},
           {"3.5", whole + "3.5"},
           {"\"\"", whole + "\"\""},
           {"\" 3\"", whole + "\" 3\""},
           {"\"3 \"", whole + "\"3 \""},
           {"\"true\"", whole + "\"true\""},
           {"\"null\"", whole + "\"null\""},
           {"true", whole + "true"},
           {"[]", whole + "a list"},
           {"{}", whole + "an object"},
           {"null", "-"},
       })
    EXPECT_EQ(field("datum_tries", value), expected) << value;
  const std::string small = "service.internal_port must be a whole number of at most 2147483647, not ";
  for (const auto& [value, expected] : std::vector<std::pair<std::string, std::string>>{
           {"2147483647", R"({"internal_port":2147483647})"},
           {"-2147483648", R"({"internal_port":-2147483648})"},
           {"\"80\"", R"({"internal_port":80})"},
           {"2147483648", small + "2147483648"},
           {"-2147483649", small + "-2147483649"},
           {"1.5", small + "1.5"},
       })
    EXPECT_EQ(field("service", "{\"internal_port\": " + value + "}"), expected) << value;
  const std::string count = "parallelism_spec.constant must be a non-negative whole number, not ";
  for (const auto& [value, expected] : std::vector<std::pair<std::string, std::string>>{
           {"0", R"({"constant":0})"},
           {"1", R"({"constant":1})"},
           {"4294967296", R"({"constant":4294967296})"},
           {"-1", count + "-1"},
           {"\"x\"", count + "\"x\""},
       })
    EXPECT_EQ(field("parallelism_spec", "{\"constant\": " + value + "}"), expected) << value;
  const std::string number = "resource_limits.cpu must be a number, not ";
  for (const auto& [value, expected] : std::vector<std::pair<std::string, std::string>>{
           {"0.5", R"({"cpu":0.5})"},
           {"\"0.5\"", R"({"cpu":0.5})"},
           {"2", R"({"cpu":2})"},
           {"false", number + "false"},
           {"\"x\"", number + "\"x\""},
           {"[1]", number + "a list"},
       })
    EXPECT_EQ(field("resource_limits", "{\"cpu\": " + value + "}"), expected) << value;
}

TEST(CheckedFields, OfTheOtherKinds) {
  const std::string no_list = " must be a list of strings, not a string | write ";
  for (const auto& [name, value, expected] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"description", "\"\"", "\"\""},
           {"description", "\"a\"", "\"a\""},
           {"description", "\"a\\u0000b\"", "description has a NUL character"},
           {"description", "1", "description must be a string, not 1 | put it in quotes"},
           {"description", "true", "description must be a string, not true | put it in quotes"},
           {"description", "[1]", "description must be a string, not a list"},
           {"description", "{}", "description must be a string, not an object"},
           {"autoscaling", "true", "true"},
           {"autoscaling", "false", "false"},
           {"autoscaling", "\"true\"", "autoscaling must be true or false, not \"true\""},
           {"autoscaling", "1", "autoscaling must be true or false, not 1"},
           {"transform", R"({"cmd": []})", R"({"cmd":[]})"},
           {"transform", R"({"cmd": ["a", ""]})", R"({"cmd":["a",""]})"},
           {"transform", R"({"cmd": "a"})", "transform.cmd" + no_list + R"(["a"])"},
           {"transform", R"({"cmd": "python3  main.py x"})",
            "transform.cmd" + no_list + R"(["python3", "main.py", "x"])"},
           {"transform", R"({"cmd": "a \"b\" > c"})",
            "transform.cmd" + no_list + R"(["sh", "-c", "a \"b\" > c"])"},
           {"transform", R"({"err_cmd": "a b"})", "transform.err_cmd" + no_list + R"(["a", "b"])"},
           {"transform", R"({"stdin": "a b"})", "transform.stdin" + no_list + R"(["a b"])"},
           {"transform", R"({"cmd": " "})", "transform.cmd" + no_list + R"(a list: ["first", "second"])"},
           {"transform", "{\"cmd\": \"" + std::string(201, 'x') + "\"}",
            "transform.cmd" + no_list + R"(a list: ["first", "second"])"},
           {"transform", R"({"cmd": 1})", "transform.cmd must be a list of strings, not 1"},
           {"transform", R"({"cmd": {}})", "transform.cmd must be a list of strings, not an object"},
           {"transform", R"({"accept_return_code": ["3", 4]})", R"({"accept_return_code":[3,4]})"},
           {"transform", R"({"accept_return_code": 3})",
            "transform.accept_return_code must be a list of whole numbers, not 3"},
           {"transform", R"({"env": {"A": "1"}})", R"({"env":{"A":"1"}})"},
           {"transform", R"({"env": "A"})", "transform.env must be an object of strings, not a string"},
           {"transform", R"({"secrets": [{"name": "s"}]})", R"({"secrets":[{"name":"s"}]})"},
           {"transform", R"({"secrets": {}})", "transform.secrets must be a list of objects, not an object"},
           {"transform", R"({"secrets": ["x"]})", "transform.secrets[0] must be an object, not a string"},
           {"transform", "\"x\"", "transform must be an object, not a string"},
           {"spec_commit", R"([1, {"a": null}])", R"([1,{"a":null}])"},
           {"tolerations", R"([{"operator": "EMPTY"}])", R"([{"operator":"EMPTY"}])"},
           {"tolerations", R"([{"operator": "EQUAL"}])", R"([{"operator":"EQUAL"}])"},
           {"tolerations", R"([{"operator": 2}])", R"([{"operator":2}])"},
           {"tolerations", R"([{"operator": 2.5}])",
            "tolerations[0].operator must be EMPTY, EXISTS or EQUAL"},
           {"tolerations", R"([{"operator": "EMPTY EXISTS"}])",
            "tolerations[0].operator must be EMPTY, EXISTS or EQUAL"},
           {"input", R"({"cron": {"spec": ""}})", R"({"cron":{"spec":""}})"},
           {"input", R"({"cron": {"spec": "@daily"}})", R"({"cron":{"spec":"@daily"}})"},
           {"input", R"({"cron": {"spec": 1}})",
            "input.cron.spec must be a string, not 1 | put it in quotes"},
           {"input", R"({"cron": {"spec": "@every x"}})",
            "input.cron.spec \"@every x\": invalid duration \"x\" | write \"@every 90s\" or \"@every 24h\""},
           {"input", R"({"cross": [{"pfs": {"repo": "a"}}]})", R"({"cross":[{"pfs":{"repo":"a"}}]})"},
       })
    EXPECT_EQ(field(name, value), expected) << name << value;
}

TEST(CheckedFields, OfTimes) {
  const auto start = [](const std::string& time) {
    return field("input", "{\"cron\": {\"start\": " + time + "}}");
  };
  for (const char* right : {"\"2024-12-31T23:59:59Z\"", "\"2024-12-31T23:59:59.1Z\"",
                            "\"2024-12-31T23:59:59.123456789+01:00\"", "\"2024-12-31T23:59:59-11:30\""})
    EXPECT_EQ(start(right), "{\"cron\":{\"start\":" + std::string(right) + "}}");
  for (const char* wrong :
       {"\"2024-12-31\"", "\"2024-12-31T23:59:59\"", "\"2024-12-31T23:59:59.1234567890Z\"",
        "\"2024-12-31 23:59:59Z\"", "\"\"", "\"x2024-12-31T23:59:59Z\"", "\"2024-12-31T23:59:59Zx\""})
    EXPECT_EQ(start(wrong),
              "input.cron.start must be a time like \"2024-12-31T23:59:59Z\", not " + std::string(wrong));
  EXPECT_EQ(start("7"), "input.cron.start must be a time like \"2024-12-31T23:59:59Z\", not 7");
}

TEST(CheckedFields, OfDurations) {
  const std::string name = "datum_timeout";
  EXPECT_EQ(field(name, "\"90s\""), "\"90s\"");
  EXPECT_EQ(field(name, "\".5s\""), "\".5s\"");
  EXPECT_EQ(field(name, "\"1h\""), name + " \"1h\" is not in seconds | write \"3600s\"");
  EXPECT_EQ(field(name, "\"x\""), name + ": invalid duration \"x\" | write \"90s\"");
  EXPECT_EQ(field(name, "\"\""), name + ": invalid duration \"\" | write \"90s\"");
  EXPECT_EQ(field(name, "90"), name + " must be a duration, not 90 | write \"90s\"");
  EXPECT_EQ(field(name, "-90"), name + " must be a duration, not -90 | write \"90s\"");
  EXPECT_EQ(field(name, "\"5 min\""), name + ": invalid duration \"5 min\" | write \"300s\"");
  EXPECT_EQ(field(name, "300", With::build), name + " must be a duration, not 300 | write \"300s\"");
  EXPECT_EQ(field(name, "true", With::build),
            name + " must be a duration, not true | write \"90s\" or \"1h30m\"");
  EXPECT_EQ(field(name, "\"1h 30m\"", With::build), name + ": invalid duration \"1h 30m\" | write \"1h30m\"");
  EXPECT_EQ(field(name, "\"90s\"", With::build), "\"90s\"");
  EXPECT_EQ(field(name, "\".5s\"", With::build), "\"0.5s\"");
  EXPECT_EQ(field(name, "\"1h\"", With::build), "\"3600s\"");
  EXPECT_EQ(field(name, "\"x\"", With::build), name + R"(: invalid duration "x" | write "90s" or "1h30m")");
  EXPECT_EQ(field(name, "\"\"", With::build), "-");
}

// Where each kind of field is taken, refused, or only noted.
TEST(CheckedFields, AreUsedByWhatCanUseThem) {
  struct Use {
    std::string text;
    std::string machine_build, machine_plain, any_build, any_plain, cluster_build;
  };
  const std::string taken;
  const std::string only = "egress works only on a cluster";
  const std::string spout =
      "spout is not supported with transform.build: make it a pipeline of its own, which runs in an image";
  const std::string tf_job = "tf_job is not supported";
  const std::string removed = "standby was removed in Pachyderm 2.0";
  for (const auto& use : std::vector<Use>{
           {R"("description": "x")", taken, taken, taken, taken, taken},
           {R"("salt": "x")", "cluster", "cluster", "cluster", "cluster", "cluster"},
           {R"("egress": {"URL": "x"})", only, only, "note " + only + "; `pachbuild run` refuses it", taken,
            taken},
           {R"("spout": {"service": {}})", spout, taken, spout, taken, spout},
           {R"("tf_job": {"a": 1})", tf_job, tf_job, tf_job, tf_job, tf_job},
           {R"("standby": true)", removed, removed, removed, removed, removed},
           {R"("standby": null)", removed, removed, removed, removed, removed},
           // What is not set, as protobuf sees it, has no effect.
           {R"("salt": "")", taken, taken, taken, taken, taken},
           {R"("salt": null)", taken, taken, taken, taken, taken},
           {R"("autoscaling": false)", taken, taken, taken, taken, taken},
           {R"("tolerations": [])", taken, taken, taken, taken, taken},
           {R"("s3_out": false)", taken, taken, taken, taken, taken},
           {R"("tf_job": 0)", taken, taken, taken, taken, taken},
           {R"("spec_commit": 0)", taken, taken, taken, taken, taken},
           {R"("spec_commit": 1)", "cluster", "cluster", "cluster", "cluster", "cluster"},
           {R"("spec_commit": {})", "cluster", "cluster", "cluster", "cluster", "cluster"},
       }) {
    const auto told = [&](With with, Target target) -> std::string {
      const std::string build = with == With::build ? R"(, "transform": {"build": {}})" : "";
      const auto all = checked("{" + use.text + build + "}", target);
      if (const auto at = all.find("; note: f:1:"); at != std::string::npos)
        return "note " + all.substr(all.find(": ", at + 8) + 2);
      if (const auto at = all.find("; f:1:"); at != std::string::npos) {
        auto what = all.substr(all.find(": ", at + 2) + 2);
        return what.substr(0, what.find(" | "));
      }
      return all.find("; cluster: ") == std::string::npos ? "" : "cluster";
    };
    EXPECT_EQ(told(With::build, Target::machine), use.machine_build) << use.text;
    EXPECT_EQ(told(With::no_build, Target::machine), use.machine_plain) << use.text;
    EXPECT_EQ(told(With::build, Target::any), use.any_build) << use.text;
    EXPECT_EQ(told(With::no_build, Target::any), use.any_plain) << use.text;
    EXPECT_EQ(told(With::build, Target::cluster), use.cluster_build) << use.text;
  }
}

TEST(CheckedFields, ThatNobodyKnowsAreALaterPachydermsForAClusterOnly) {
  const std::string text = R"({"new": 1, "$schema": "x", "transform": {"build": {"new": 2}, "newer": null}})";
  EXPECT_EQ(checked(text, Target::cluster),
            R"({"new":1,"transform":{"build":{},"newer":null}}; f:1:59: transform.build has no field "new")");
  EXPECT_EQ(checked(text, Target::machine),
            R"({"transform":{"build":{}}}; f:1:9: a pipeline spec has no field "new")"
            R"(; f:1:59: transform.build has no field "new"; f:1:72: transform has no field "newer")");
  EXPECT_EQ(checked("[1]", Target::cluster), R"({}; f:1:1:  must be an object, not a list)");
}

TEST(CheckedFields, HaveOneNameAndTheirPlaces) {
  auto result = check_fields(
      parse_documents("{\"outputBranch\": \"b\",\n \"transform\": {\"acceptReturnCode\": [1,\n 2], \"env\": "
                      "{\"aB\":\n \"x\"}}}",
                      "f")
          .value()
          .front(),
      Target::machine);
  EXPECT_EQ(result.document.value->dump(),
            R"({"output_branch":"b","transform":{"accept_return_code":[1,2],"env":{"aB":"x"}}})");
  const auto& places = result.document.places;
  EXPECT_EQ(places.where(""), "f:1:1");
  EXPECT_EQ(places.where("/output_branch"), "f:1:18");
  EXPECT_EQ(places.where("/transform/accept_return_code"), "f:2:36");
  EXPECT_EQ(places.where("/transform/accept_return_code/1"), "f:3:2");
  EXPECT_EQ(places.where("/transform/env/aB"), "f:4:2");
  EXPECT_EQ(checked(R"({"s3Out": true, "s3_out": true, "datumTries": 1, "datum_tries": null})", Target::any),
            R"({"datum_tries":1,"s3_out":true}; f:1:27: s3_out appears twice)"
            R"(; f:1:65: datum_tries appears twice)");
  EXPECT_EQ(checked(R"({"OutputBranch": "b", "outputbranch": "b", "output_Branch": "b"})"),
            R"({}; f:1:18: a pipeline spec has no field "OutputBranch" | did you mean "output_branch"?)"
            R"(; f:1:39: a pipeline spec has no field "outputbranch" | did you mean "output_branch"?)"
            R"(; f:1:61: a pipeline spec has no field "output_Branch" | did you mean "output_branch"?)");
  // What was removed is not meant.
  EXPECT_EQ(checked(R"({"bach": 1})"), R"({}; f:1:10: a pipeline spec has no field "bach")");
  // A list keeps nothing of a wrong item; an object of strings the rest.
  EXPECT_EQ(
      checked(R"({"transform": {"cmd": ["a", 1, "b"], "env": {"A": 1, "B": "x"}}})"),
      R"({"transform":{"env":{"B":"x"}}}; f:1:29: transform.cmd[1] must be a string, not 1 | put it in )"
      R"(quotes; f:1:51: transform.env.A must be a string, not 1 | put it in quotes)");
}

// What a fault touches is not told to be missing.
TEST(CheckedFields, FaultsAreOfTheFieldThatWasMeant) {
  const auto touched = [](const std::string& text, const std::string& pointer) {
    return check_fields(parse_documents(text, "f").value().front(), Target::machine).faults.touch(pointer);
  };
  EXPECT_TRUE(touched(R"({"pipelin": 1})", "/pipeline"));
  EXPECT_TRUE(touched(R"({"pipelin": 1})", "/pipeline/name"));
  EXPECT_FALSE(touched(R"({"pipelin": 1})", "/input"));
  EXPECT_TRUE(touched(R"({"transform": {"build": {"langage": 1}}})", "/transform/build/language"));
  EXPECT_TRUE(touched(R"({"transform": {"build": {"langage": 1}}})", "/transform"));
  EXPECT_FALSE(touched(R"({"transform": {"build": {"langage": 1}}})", "/transform/build/image"));
  EXPECT_FALSE(touched(R"({"transform": {"user": 1}})", "/transform/use"));
  EXPECT_FALSE(touched(R"({"transform": {"use": 1}})", "/transform/userx"));
  EXPECT_TRUE(touched(R"({"nothing-like-it": 1})", "/nothing-like-it"));
}

TEST(HasBuild, OfATransformOnly) {
  for (const char* text : {R"({"transform": {"build": null}})", R"({"transform": {"build": {}, "a": 1}})"})
    EXPECT_TRUE(has_build(json::parse(text))) << text;
  for (const char* text :
       {"1", "[]", "{}", R"({"build": {}})", R"({"transform": 1})", R"({"transform": null})",
        R"({"transform": ["build"]})", R"({"transform": {}})", R"(["transform"])"})
    EXPECT_FALSE(has_build(json::parse(text))) << text;
}

TEST(FieldNames, AreThoseOfThePointer) {
  EXPECT_EQ(field_name(""), "");
  EXPECT_EQ(field_name("/a"), "a");
  EXPECT_EQ(field_name("/a/0/b/12"), "a[0].b[12]");
  EXPECT_EQ(field_name("/0/a1/1a"), "[0].a1.1a");
}

}  // namespace
}  // namespace spec
