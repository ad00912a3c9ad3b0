// SPDX-License-Identifier: Apache-2.0
// Every part of a pipeline's spec that can be wrong by itself, for each reader of specs.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <nlohmann/json.hpp>

#include "../nobody.h"
#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace spec {
namespace {

using nlohmann::json;

enum class By { run, run_finished, validate, submit };

// The spec "p" with these values at these pointers; null: without it. Of a build by default, whose folder is
// the current one.
json spec_with(const std::map<std::string, json>& changes, bool has_build = true) {
  json spec = {{"pipeline", {{"name", "p"}}},
               {"transform", {{"cmd", {"true"}}}},
               {"input", {{"pfs", {{"repo", "r"}, {"glob", "/"}}}}}};
  if (has_build) spec["transform"]["build"] = {{"language", "go"}};
  for (const auto& [pointer, value] : changes) {
    const json::json_pointer place(pointer);
    if (value.is_null()) {
      spec[place.parent_pointer()].erase(place.back());
    } else {
      spec[place] = value;
    }
  }
  return spec;
}

std::string all_of(const base::Error& first) {
  std::string told;
  const auto tell = [&](const base::Error& error) {
    EXPECT_EQ(error.kind, base::ErrorKind::bad_input);
    told += (told.empty() ? "" : "; ") + error.what + (error.hint.empty() ? "" : " | " + error.hint);
  };
  tell(first);
  for (const auto& error : first.more) tell(error);
  return told;
}

// What is told of a spec; notes with "note: " before.
std::string told(const json& spec, By by = By::run) {
  const auto text = spec.dump();
  if (by == By::run || by == By::run_finished) {
    const auto read = by == By::run ? read_pipeline(text, "p.json") : read_finished_pipeline(text, "p.json");
    return read ? "" : all_of(read.error());
  }
  const auto read = read_for_cluster(text, "p.json", by == By::validate ? Target::any : Target::cluster);
  if (!read) return all_of(read.error());
  std::string notes;
  for (const auto& note : read->front().notes) notes += "note: " + note;
  return notes;
}

TEST(PipelineFaults, OfSecrets) {
  const std::string secret = "transform.secrets[0]";
  const auto of = [](const json& secrets) { return told(spec_with({{"/transform/secrets", secrets}})); };
  for (const auto& [value, expected] : std::vector<std::pair<std::string, std::string>>{
           {R"({"name": "s"})", ""},
           {R"({"name": "s", "key": "k", "env_var": "V"})", ""},
           {R"({"name": "s", "key": "k"})", ""},
           {R"({"name": "s", "mount_path": "/m"})", ""},
           {R"({"name": "s", "mount_path": "/pfsx"})", ""},
           {R"({"name": "s", "mount_path": "//m"})", ""},
           {R"({})", secret + " has no \"name\""},
           {R"({"name": ""})", secret + " has no \"name\""},
           {R"({"name": "s", "env_var": "V"})",
            secret + " has \"env_var\" but no \"key\" | add the key of the variable's value"},
           {R"({"name": "s", "key": "k", "env_var": "A=B"})",
            secret + ".env_var: invalid variable name \"A=B\""},
           {R"({"name": "s", "mount_path": "m"})",
            secret + ".mount_path \"m\" must be an absolute path other than /"},
           {R"({"name": "s", "mount_path": "/"})",
            secret + ".mount_path \"/\" must be an absolute path other than /"},
           {R"({"name": "s", "mount_path": "//"})",
            secret + ".mount_path \"//\" must be an absolute path other than /"},
           {R"({"name": "s", "mount_path": "/pfs"})",
            secret + ".mount_path \"/pfs\" is in /pfs, where the datums are | choose a folder elsewhere"},
           {R"({"name": "s", "mount_path": "/pfs/x"})",
            secret + ".mount_path \"/pfs/x\" is in /pfs, where the datums are | choose a folder elsewhere"},
           {R"({"name": 1, "env_var": "A=B"})", secret + ".name must be a string, not 1 | put it in quotes"},
           {R"({"name": "s", "mount_path": "/m/pfs/x"})", ""},
       })
    EXPECT_EQ(of(json::array({json::parse(value)})), expected) << value;
  EXPECT_EQ(of(json::parse(R"([{"name": "a", "mount_path": "/m"}, {"name": "b", "mount_path": "/n"},
                               {"name": "c", "mount_path": "/m"}])")),
            "transform.secrets[2].mount_path \"/m\" is already the folder of another secret");
  EXPECT_EQ(of(json::parse(R"([{"name": 1}, {"nam": "b"}, {"key": "c"}])")),
            "transform.secrets[0].name must be a string, not 1 | put it in quotes; transform.secrets[1] has "
            "no field "
            "\"nam\" | did you mean \"name\"?; transform.secrets[2] has no \"name\"");
}

TEST(PipelineFaults, OfVariables) {
  const std::string equals = ": invalid variable name \"A=B\"";
  EXPECT_EQ(told(spec_with({{"/transform/env", {{"A=B", "1"}}}})), "transform.env" + equals);
  EXPECT_EQ(told(spec_with({{"/transform/build/env", {{"A=B", "1"}}}})), "transform.build.env" + equals);
  EXPECT_EQ(told(spec_with({{"/transform/env", {{"", "1"}}}})), "transform.env: invalid variable name \"\"");
  EXPECT_EQ(told(spec_with({{"/transform/env", {{std::string("A\0", 2), "1"}}}})),
            "transform.env: invalid variable name \"" + std::string("A\0", 2) + "\"");
  EXPECT_EQ(told(spec_with({{"/transform/env", {{"a.b-c d", "1"}}}})), "");
}

TEST(PipelineFaults, OfNames) {
  const std::string form = " | a name has letters, digits, '_' and '-', and starts with a letter or digit";
  EXPECT_EQ(told(spec_with({{"/pipeline/name", "-a"}})), "pipeline.name: invalid name \"-a\"" + form);
  EXPECT_EQ(told(spec_with({{"/pipeline/name", "_a"}})), "pipeline.name: invalid name \"_a\"" + form);
  EXPECT_EQ(told(spec_with({{"/pipeline/name", "a-_"}})), "");
  EXPECT_EQ(told(spec_with({{"/pipeline/name", "-a"}}, false), By::run_finished), "");
  EXPECT_EQ(told(spec_with({{"/pipeline/name", "a b"}}, false), By::run_finished),
            "pipeline.name: invalid name \"a b\"" + form);
  // A fault that is there already.
  EXPECT_EQ(told(spec_with({{"/pipeline/name", 1}})),
            "pipeline.name must be a string, not 1 | put it in quotes");
  EXPECT_EQ(told(spec_with({{"/pipeline", 1}})), "pipeline must be an object, not 1");
  // Without a build its name does not have to leave room for it.
  const std::string longest(44, 'n');
  const json project = {{"name", longest}, {"project", {{"name", "fourteen-chars"}}}};
  EXPECT_EQ(told(spec_with({{"/pipeline", project}}, false), By::run_finished), "");
  EXPECT_NE(told(spec_with({{"/pipeline", project}})), "");
}

TEST(PipelineFaults, OfWhatIsBuilt) {
  const std::string hint =
      R"( | add "build": {"language": "python"}, or another language, or {"image": "…"})";
  const std::string neither =
      "transform.build has neither \"language\" nor \"image\" | set \"language\" for an "
      "official builder, or \"image\" for another one";
  const json empty = json::object();
  EXPECT_EQ(told(spec_with({{"/transform", nullptr}})), "missing \"transform\"" + hint);
  EXPECT_EQ(told(spec_with({{"/transform", nullptr}}), By::run_finished), "missing \"transform\"");
  EXPECT_EQ(told(spec_with({}, false)), "transform has no \"build\"" + hint);
  EXPECT_EQ(told(spec_with({}, false), By::run_finished), "");
  EXPECT_EQ(told(spec_with({{"/transform/build", empty}})), neither);
  EXPECT_EQ(told(spec_with({{"/transform/build", 1}})), "transform.build must be an object, not 1");
  EXPECT_EQ(told(spec_with({{"/transform/build", {{"language", 1}}}})),
            "transform.build.language must be a string, not 1 | put it in quotes");
  EXPECT_EQ(told(spec_with({{"/transform/build", {{"image", 1}}}})),
            "transform.build.image must be a string, not 1 | put it in quotes");
  EXPECT_EQ(told(spec_with({{"/transform/build", {{"image", "x"}}}})), "");
  EXPECT_EQ(
      told(spec_with({{"/transform/build", {{"image", "x"}, {"language", "go"}}}})),
      "transform.build has both \"language\" and \"image\" | keep \"language\" for an official builder, or "
      "\"image\" for another one");
  for (const char* language : {"go", "python"})
    EXPECT_EQ(told(spec_with({{"/transform/build/language", language}})), "");
  EXPECT_EQ(told(spec_with({{"/transform/build/path", 1}})),
            "transform.build.path must be a string, not 1 | put it in quotes");
}

TEST(PipelineFaults, OfDatumBatching) {
  const auto batching = [](By by, bool has_build = true) {
    return told(spec_with({{"/transform/datum_batching", true}}, has_build), by);
  };
  const std::string what =
      "transform.datum_batching does not work with transform.build on a cluster: its workers start the "
      "program "
      "before /pfs/build exists";
  EXPECT_EQ(batching(By::submit), what + " | put the program into transform.image");
  EXPECT_EQ(batching(By::run), "");
  const auto note = batching(By::validate);
  EXPECT_TRUE(note.starts_with("note: p.json:1:") && note.ends_with(": " + what)) << note;
  for (const By by : {By::submit, By::validate, By::run_finished}) EXPECT_EQ(batching(by, false), "");
  EXPECT_EQ(told(spec_with({{"/transform/datum_batching", false}}), By::submit), "");
}

TEST(PipelineFaults, OfInputs) {
  const std::string none = R"(missing "input" | add "input": {"pfs": {"repo": "…", "glob": "/*"}})";
  const json empty = json::object();
  const auto without_input = [&](const std::map<std::string, json>& more, By by, bool has_build) {
    auto changes = more;
    changes["/input"] = nullptr;
    return told(spec_with(changes, has_build), by);
  };
  const std::string spout =
      "spout is not supported with transform.build: make it a pipeline of its own, which runs in an image";
  const json spouting = {{"service", empty}};
  for (const By by : {By::run, By::validate, By::submit}) EXPECT_EQ(without_input({}, by, true), none);
  EXPECT_EQ(without_input({{"/spout", spouting}}, By::run, true), spout);
  EXPECT_EQ(without_input({{"/spout", spouting}}, By::validate, true), spout);
  EXPECT_EQ(without_input({{"/spout", spouting}}, By::validate, false), "");
  EXPECT_EQ(without_input({{"/spout", spouting}}, By::run_finished, false), none);
  EXPECT_EQ(without_input({}, By::validate, false), none);
  const std::string no_glob = "input.pfs has no \"glob\" | \"/*\" makes a datum of each file and folder; ";
  EXPECT_EQ(told(spec_with({{"/input/pfs", {{"repo", 1}}}})),
            no_glob + "input.pfs.repo must be a string, not 1 | put it in quotes");
  // A field at fault hides neither what else is wrong nor stands for what it was meant for.
  EXPECT_EQ(told(spec_with({{"/input/pfs", {{"rep", "a"}, {"glob", "/(*"}}}})),
            "input.pfs.glob \"/(*\": character 2: unclosed '('; input.pfs has no field \"rep\" | did you "
            "mean \"repo\"?");
  EXPECT_EQ(told(spec_with({{"/input/pfs", {{"repo", "out"}, {"nam", "x"}, {"glob", "/"}}}})),
            "input.pfs has no field \"nam\" | did you mean \"name\"?");
  const json parts = json::array({{{"pfs", {{"repo", "a"}, {"glob", "/(*"}}}},
                                  {{"pfs", {{"repo", "b"}, {"glob", "/"}, {"lzy", true}}}},
                                  {{"crss", json::array()}}});
  EXPECT_EQ(told(spec_with({{"/input", {{"cross", parts}}}})),
            "input.cross[0].pfs.glob \"/(*\": character 2: unclosed '('; input.cross[1].pfs has no field "
            "\"lzy\" | did you "
            "mean \"lazy\"?; input.cross[2] has no field \"crss\" | did you mean \"cross\"?");
  EXPECT_EQ(told(spec_with({{"/input", {{"cron", {{"name", "t"}, {"spec", "x"}, {"repo", "a b"}}}}}}))
                .substr(0, 20),
            "input.cron.repo: inv");
  // What a later Pachyderm knows of inputs is not for us to tell.
  EXPECT_EQ(told(spec_with({{"/input/pfs", {{"new", 1}}}}), By::submit), "");
  EXPECT_EQ(told(spec_with({{"/input/pfs", {{"repo", "source"}}}}), By::submit),
            "input.pfs.repo \"source\" is reserved: pachbuild puts the source in /pfs/source | give the "
            "input another "
            "\"name\"");
  EXPECT_EQ(told(spec_with({{"/input/pfs/name", "source"}}, false), By::run_finished), "");
  EXPECT_EQ(
      told(spec_with({{"/input/pfs/name", "out"}}, false), By::run_finished),
      "input.pfs.name \"out\" is reserved: /pfs/out is the output of the pipeline | give the input another "
      "\"name\"");
}

TEST(PipelineFaults, OfBranches) {
  const auto of = [](const json& first, const json& second) {
    json parts = json::array({{{"pfs", {{"repo", "r"}, {"name", "a"}, {"glob", "/"}}}},
                              {{"pfs", {{"repo", "r"}, {"name", "b"}, {"glob", "/"}}}},
                              {{"pfs", {{"repo", "other"}, {"name", "c"}, {"branch", "x"}, {"glob", "/"}}}}});
    parts[0]["pfs"].update(first);
    parts[1]["pfs"].update(second);
    return told(spec_with({{"/input", {{"cross", parts}}}}));
  };
  const json none = json::object();
  const json dev = {{"branch", "dev"}};
  EXPECT_EQ(of(none, none), "");
  EXPECT_EQ(of(dev, dev), "");
  EXPECT_EQ(of(none, {{"branch", "master"}}), "");
  EXPECT_EQ(of({{"branch", "dev"}, {"project", "q"}}, none), "");
  EXPECT_EQ(of(none, dev),
            "input.cross[1].pfs reads branch \"dev\" of repo r, and another input its branch \"master\" | "
            "Pachyderm allows only one branch of a repo in a pipeline");
}

TEST(PipelineFaults, OfSettings) {
  EXPECT_EQ(told(spec_with({{"/datum_tries", -1}})), "datum_tries must not be negative");
  for (const char* value : {"", "until_success", "every_job"})
    EXPECT_EQ(told(spec_with({{"/reprocess_spec", value}})), "") << value;
  EXPECT_EQ(told(spec_with({{"/reprocess_spec", "x"}})),
            "reprocess_spec must be \"until_success\" or \"every_job\"");
  const auto spec = read_pipeline(spec_with({{"/datum_timeout", "1s"}}).dump(), "p.json").value();
  EXPECT_EQ(spec.datum_timeout, std::chrono::seconds(1));
  EXPECT_FALSE(spec.job_timeout);
  const auto other = read_pipeline(spec_with({{"/job_timeout", "2s"}}).dump(), "p.json").value();
  EXPECT_EQ(other.job_timeout, std::chrono::seconds(2));
  EXPECT_FALSE(other.datum_timeout);
  EXPECT_EQ(other.parallelism, 0U);
  EXPECT_FALSE(other.transform.datum_batching);
  EXPECT_EQ(other.datum_set_spec.number + other.datum_set_spec.size_bytes + other.datum_set_spec.per_worker,
            0);
}

TEST(PipelineFaults, OfABuildsFolder) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "faults.").value();
  const auto file = (folder.path() / "p.json").string();
  ASSERT_TRUE(base::make_folders(folder.path() / "closed/inner"));
  ASSERT_TRUE(base::make_folders(folder.path() / "open"));
  base::fs::create_symlink("open", folder.path() / "link");
  base::fs::create_symlink("nowhere", folder.path() / "broken");
  const auto folder_for = [&](const std::string& path, const std::string& of = "") {
    const auto read =
        read_pipeline(spec_with({{"/transform/build/path", path}}).dump(), of.empty() ? file : of);
    if (read) return read->transform.build.folder.string();
    std::string what = all_of(read.error());
    base::replace_all(what, folder.path().string(), "DIR");
    return what;
  };
  EXPECT_EQ(folder_for("link"), (folder.path() / "link").string());
  EXPECT_EQ(folder_for("open/"), (folder.path() / "open").string());
  EXPECT_EQ(folder_for("./"), folder.path().string());
  EXPECT_EQ(folder_for(""), folder.path().string());
  EXPECT_EQ(folder_for(".", "p.json"), ".");
  EXPECT_EQ(folder_for(folder.path().string(), "elsewhere/p.json"), folder.path().string());
  ASSERT_TRUE(base::write_file(folder.path() / "a-file", ""));
  EXPECT_EQ(folder_for("a-file/x"),
            "transform.build.path \"DIR/a-file/x\" does not exist | it is relative to the "
            "spec file's folder");
  EXPECT_EQ(folder_for("broken"), "transform.build.path \"DIR/broken\" is a broken symbolic link to nowhere");
  ASSERT_EQ(::chmod((folder.path() / "closed").c_str(), 0), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  {
    const Nobody nobody;
    EXPECT_EQ(folder_for("closed/inner"),
              "transform.build.path \"DIR/closed/inner\" cannot read: permission denied");
  }
  ASSERT_EQ(::chmod((folder.path() / "closed").c_str(), 0700), 0);
}

TEST(PipelineReaders, ForAClusterTakeWhatHasNoBuildAsItIs) {
  const auto of = [](const std::string& text, Target target = Target::cluster) {
    return read_for_cluster(text, "p.json", target);
  };
  const auto plain = of(R"({"pipeline": {"name": "p"}, "nonsense": 1})").value().front();
  EXPECT_EQ(plain.name, "p");
  EXPECT_FALSE(plain.spec);
  EXPECT_EQ(plain.document.value->dump(), R"({"nonsense":1,"pipeline":{"name":"p"}})");
  for (const char* text : {R"({"pipeline": {"name": 1}})", R"({"pipeline": 1})", R"({"pipeline": {}})", "{}"})
    EXPECT_EQ(of(text).value().front().name, "") << text;
  const auto built = of(spec_with({}).dump()).value().front();
  EXPECT_EQ(built.name, "p");
  ASSERT_TRUE(built.spec);
  EXPECT_EQ(built.spec->name, "p");
  EXPECT_EQ(built.document.value->dump(), spec_with({}).dump());
  // Every error of all pipelines, in their order.
  const auto wrong = of("[" + spec_with({{"/datum_tries", -1}}).dump() + ", {}, " +
                        spec_with({{"/reprocess_spec", "x"}}).dump() + "]");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(all_of(wrong.error()),
            "datum_tries must not be negative; reprocess_spec must be \"until_success\" or \"every_job\"");
}

TEST(PipelineReaders, WhatIsNotALocalFileHasNothingToBuild) {
  const std::string hint = "the spec must be a local file | save it next to the source that it builds";
  const auto text = spec_with({}).dump();
  EXPECT_EQ(all_of(read_for_cluster(text, "-", Target::cluster).error()), hint);
  EXPECT_TRUE(read_for_cluster(spec_with({}, false).dump(), "-", Target::cluster));
  for (const char* path : {"-", "https://x/p.json"}) {
    EXPECT_EQ(all_of(load_pipeline(path).error()), hint);
    EXPECT_EQ(all_of(load_pipelines({{"none.json", path}, {}, {}}).error()), hint);
    EXPECT_EQ(load_pipelines({{"none.json", path}, {}, {}}).error().where,
              path == std::string("-") ? "standard input" : path);
  }
  EXPECT_EQ(all_of(load_for_cluster({{"none.json", "https://x"}, {}, {}}, Target::any).error()), hint);
}

TEST(PipelineReaders, WarnOfKeysThatComeTwice) {
  const std::string twice =
      R"({"description": "a", "description": "b", "pipeline": {"name": "p"}, "transform": {"build": {"language": "go"}},
          "input": {"pfs": {"repo": "r", "glob": "/"}}})";
  EXPECT_EQ(read_pipeline(twice, "p.json")->warnings.size(), 1U);
  EXPECT_EQ(read_pipeline(twice, "p.json")->description, "b");
  EXPECT_EQ(read_for_cluster(twice, "p.json", Target::any)->front().spec->warnings.size(), 1U);
}

TEST(ImagesOf, APipelineAreTheBuildersUnlessItNamesOne) {
  Transform transform;
  transform.build.language = "go";
  EXPECT_EQ(images_of(transform, "r/").builder, "r/pachbuild-go:" PACHBUILD_VERSION);
  EXPECT_EQ(images_of(transform, "r/").pipeline, "r/pachbuild-go:" PACHBUILD_VERSION);
  transform.image = "mine";
  EXPECT_EQ(images_of(transform, "r/").builder, "r/pachbuild-go:" PACHBUILD_VERSION);
  EXPECT_EQ(images_of(transform, "r/").pipeline, "mine");
  transform.build.language.clear();
  transform.build.image = "builder";
  EXPECT_EQ(images_of(transform, "r/").builder, "builder");
  EXPECT_EQ(images_of(transform, "r/").pipeline, "mine");
  transform.image.clear();
  EXPECT_EQ(images_of(transform, "r/").pipeline, "builder");
}

TEST(PipelineReaders, OfAFinishedPipelineTakeTheFirst) {
  const auto text = spec_with({}, false).dump() + spec_with({{"/pipeline/name", "q"}}, false).dump();
  EXPECT_EQ(read_finished_pipeline(text, "p.json")->name, "p");
}

}  // namespace
}  // namespace spec
