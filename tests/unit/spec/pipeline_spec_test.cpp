// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/pipeline_spec.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "../nobody.h"
#include "base/errors.h"
#include "base/text.h"

namespace spec {
namespace {

using nlohmann::json;

// A folder with a source in it, and specs that are changes to one that is right.
class PipelineSpecTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(base::make_folders(m_folder.path() / "source")); }

  [[nodiscard]] std::string file(const std::string& name = "p.json") const {
    return (m_folder.path() / name).string();
  }

  static json right() {
    return json::parse(R"({"pipeline": {"name": "map"},
      "transform": {"build": {"language": "go", "path": "./source"}},
      "input": {"pfs": {"repo": "scraper", "glob": "/*"}}})");
  }
  // The right spec with the value at `pointer` replaced.
  static json with(const std::string& pointer, const json& value) {
    json spec = right();
    spec[json::json_pointer(pointer)] = value;
    return spec;
  }
  static json without(const std::string& pointer) {
    const json::json_pointer place(pointer);
    json spec = right();
    spec[place.parent_pointer()].erase(place.back());
    return spec;
  }

  [[nodiscard]] base::Result<PipelineSpec> read(const json& spec) const {
    return read_pipeline(spec.dump(), file());
  }

  // The error as a person sees it, without the folder and the place, which other tests look at.
  [[nodiscard]] std::string fault(const json& spec) const {
    const auto result = read(spec);
    if (result) return "none";
    EXPECT_EQ(result.error().kind, base::ErrorKind::bad_input);
    EXPECT_TRUE(result.error().where.starts_with(file() + ":1:")) << result.error().where;
    return shown({result.error().kind, "", result.error().what, result.error().hint});
  }
  [[nodiscard]] std::string load_fault(const std::string& path) const {
    const auto result = load_pipeline(path);
    if (result) return "none";
    EXPECT_EQ(result.error().kind, base::ErrorKind::bad_input);
    return shown(result.error());
  }
  [[nodiscard]] std::string shown(const base::Error& error) const {
    std::string text = base::format_error(error);
    const std::string folder = m_folder.path().string();
    for (auto at = text.find(folder); at != std::string::npos; at = text.find(folder)) {
      text.replace(at, folder.size(), "DIR");
    }
    return text;
  }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "spec.").value();
};

TEST_F(PipelineSpecTest, TheSeedsSpecIsRead) {
  ASSERT_TRUE(base::write_file(file(), R"({
  "pipeline": {
    "name": "map"
  },
  "description": "A pipeline that tokenizes scraped pages and appends counts of words.",
  "transform": {
    "build": {
      "language": "go",
      "path": "./source"
    }
  },
  "input": {
    "pfs": {
      "repo": "scraper",
      "glob": "/*"
    }
  }
}
)"));
  const PipelineSpec spec = load_pipeline(file()).value();
  EXPECT_EQ(spec.name, "map");
  EXPECT_EQ(spec.transform.build.language, "go");
  EXPECT_EQ(spec.transform.build.path, "./source");
  EXPECT_EQ(spec.transform.build.folder, m_folder.path() / "source");
  EXPECT_TRUE(spec.transform.cmd.empty());
  EXPECT_EQ(spec.datum_tries, std::nullopt);
  EXPECT_EQ(spec.input.kind, Input::Kind::repo);
  EXPECT_EQ(spec.input.repo.name, "scraper");
  EXPECT_EQ(spec.input.repo.branch, "master");
  EXPECT_EQ(spec.input.repo.glob, "/*");
  EXPECT_EQ(spec.places.where(spec.input.repo.pointer + "/glob"), file() + ":15:15");
}

TEST_F(PipelineSpecTest, EveryFieldIsRead) {
  const std::string text = R"(
pipeline: {name: p-1, project: {name: team}}
description: d
transform:
  build: {image: "builder:1"}
  image: run:1
  cmd: [sh, run.sh]
  stdin: [a, ""]
  err_cmd: ["true"]
  err_stdin: [b]
  env: {KEY: "1"}
  secrets: [{name: s, key: k, env_var: E, mount_path: /m}]
  accept_return_code: [3, "4"]
  user: nobody
  workingDir: /work
  dockerfile: D
  datum_batching: true
  image_pull_secrets: [x]
input:
  cross:
    - pfs: {repo: a, glob: "*", lazy: true, project: other, group_by: $1}
    - cross:
        - pfs: {repo: b, name: b2, branch: dev, glob: /, empty_files: true, join_on: $1}
        - pfs: {repo: a, name: a.2, glob: "/**/", s3: false}
parallelism_spec: {constant: 4}
datum_timeout: 90s
jobTimeout: 1h
datum_tries: 1
datum_set_spec: {number: 2, size_bytes: 3, per_worker: 4}
output_branch: main
reprocess_spec: every_job
resource_requests: {cpu: 0.5, memory: 1G, gpu: {type: t, number: 1}}
egress: null
s3_out: false
$schema: x
)";
  ASSERT_TRUE(base::write_file(file("p.yaml"), text));
  const PipelineSpec spec = load_pipeline(file("p.yaml")).value();
  EXPECT_EQ(spec.name, "p-1");
  EXPECT_EQ(spec.project, "team");
  EXPECT_EQ(spec.description, "d");
  EXPECT_EQ(spec.output_branch, "main");
  EXPECT_EQ(spec.parallelism, 4U);
  EXPECT_EQ(spec.datum_timeout, std::chrono::seconds(90));
  EXPECT_EQ(spec.job_timeout, std::chrono::hours(1));
  EXPECT_EQ(spec.datum_tries, 1);
  EXPECT_EQ(spec.datum_set_spec.number, 2);
  EXPECT_EQ(spec.datum_set_spec.size_bytes, 3);
  EXPECT_EQ(spec.datum_set_spec.per_worker, 4);
  EXPECT_EQ(spec.reprocess_spec, "every_job");
  const std::string place = file("p.yaml") + ":";
  EXPECT_EQ(spec.cluster_fields, (std::vector<std::string>{place + "32:20: resource_requests",
                                                           place + "18:23: transform.image_pull_secrets",
                                                           place + "14:9: transform.user"}));

  const Transform& transform = spec.transform;
  EXPECT_EQ(transform.build.image, "builder:1");
  EXPECT_EQ(transform.build.path, ".");
  EXPECT_EQ(transform.build.folder, m_folder.path());
  EXPECT_EQ(transform.image, "run:1");
  EXPECT_EQ(transform.cmd, (std::vector<std::string>{"sh", "run.sh"}));
  EXPECT_EQ(transform.stdin_lines, (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(transform.err_cmd, std::vector<std::string>{"true"});
  EXPECT_EQ(transform.err_stdin, std::vector<std::string>{"b"});
  EXPECT_EQ(transform.env, (std::map<std::string, std::string>{{"KEY", "1"}}));
  ASSERT_EQ(transform.secrets.size(), 1U);
  EXPECT_EQ(transform.secrets[0].env_var, "E");
  EXPECT_EQ(transform.secrets[0].mount_path, "/m");
  EXPECT_EQ(transform.accept_return_code, (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(transform.user, "nobody");
  EXPECT_EQ(transform.working_dir, "/work");
  EXPECT_EQ(transform.dockerfile, "D");
  EXPECT_TRUE(transform.datum_batching);

  const auto inputs = repo_inputs(spec.input);
  ASSERT_EQ(inputs.size(), 3U);
  EXPECT_EQ(inputs[0]->name, "a");
  EXPECT_EQ(inputs[0]->glob, "/*");
  EXPECT_EQ(inputs[0]->project, "other");
  EXPECT_EQ(inputs[0]->group_by, "$1");
  EXPECT_TRUE(inputs[0]->lazy);
  EXPECT_EQ(inputs[1]->name, "b2");
  EXPECT_EQ(inputs[1]->branch, "dev");
  EXPECT_EQ(inputs[1]->join_on, "$1");
  EXPECT_TRUE(inputs[1]->empty_files);
  EXPECT_EQ(inputs[2]->name, "a.2");
  EXPECT_EQ(inputs[2]->glob, "/**");
  EXPECT_EQ(spec.places.where(inputs[2]->pointer + "/name"), file("p.yaml") + ":24:32");
  EXPECT_EQ(spec.places.where("/job_timeout"), file("p.yaml") + ":27:13") << "under its own name";
}

TEST_F(PipelineSpecTest, AFileThatIsNoSpecIsRefused) {
  EXPECT_EQ(load_fault(file("none.json")), "error: DIR/none.json: cannot read: no such file or folder\n");
  EXPECT_EQ(load_fault(""), "error: cannot read: no such file or folder\n");
  EXPECT_EQ(load_fault(m_folder.path().string()), "error: DIR: is a folder, not a pipeline spec\n");
  for (const auto& [path, shown] :
       {std::pair("https://example.com/p.json", "https://example.com/p.json"), {"-", "standard input"}}) {
    EXPECT_EQ(load_fault(path),
              "error: " + std::string(shown) +
                  ": the spec must be a local file\nhint: save it next to the source that it builds\n");
  }
  ASSERT_EQ(::mkfifo(file("fifo").c_str(), 0600), 0);
  EXPECT_EQ(load_fault(file("fifo")), "error: DIR/fifo: is not a regular file\n");
  ASSERT_TRUE(base::write_file(file("large"), std::string((1 << 20) + 1, ' ')));
  EXPECT_EQ(load_fault(file("large")), "error: DIR/large: is 1.0 MiB; the limit is 1.0 MiB\n");
  ASSERT_TRUE(base::write_file(file("empty.json"), "\n"));
  EXPECT_EQ(load_fault(file("empty.json")), "error: DIR/empty.json: is empty\n");
  ASSERT_TRUE(base::write_file(file("broken.json"), "{\n  \"a\" 1}"));
  EXPECT_EQ(load_fault(file("broken.json")),
            "error: DIR/broken.json:2:7: invalid JSON: unexpected number; expected ':'\n");
  EXPECT_EQ(load_fault(file("borken.json")),
            "error: DIR/borken.json: cannot read: no such file or folder\n"
            "hint: did you mean \"DIR/broken.json\"?\n");
}

TEST_F(PipelineSpecTest, AFileWithoutPermissionIsRefused) {
  ASSERT_TRUE(base::write_file(file(), right().dump(), 0));
  ASSERT_EQ(::chmod(m_folder.path().c_str(), 0755), 0);
  const Nobody nobody;
  EXPECT_EQ(load_fault(file()), "error: DIR/p.json: cannot read: permission denied\n");
}

TEST_F(PipelineSpecTest, OneDocumentWithAnObjectIsASpec) {
  const auto text_fault = [&](const std::string& text) { return shown(read_pipeline(text, file()).error()); };
  EXPECT_EQ(text_fault("{}\n{}"),
            "error: DIR/p.json:2:1: a second pipeline starts here\n"
            "hint: put each pipeline into its own file: one pipeline runs at a time\n");
  EXPECT_EQ(text_fault("[{}, {}]"),
            "error: DIR/p.json:1:6: a second pipeline starts here\n"
            "hint: put each pipeline into its own file: one pipeline runs at a time\n");
  EXPECT_EQ(text_fault("[]"), "error: DIR/p.json: has no pipeline\n");
  EXPECT_EQ(text_fault(" \"a\""), "error: DIR/p.json:1:2: not a pipeline spec: expected an object\n");
}

TEST_F(PipelineSpecTest, ErrorsHaveThePlaceOfTheirField) {
  const auto result = read_pipeline(
      "pipeline: {name: p}\ntransform:\n  build:\n    language: cobol\ninput: {}\n", "d/p.yaml");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().where, "d/p.yaml:4:5") << "the folder d does not exist";
  ASSERT_GE(result.error().more.size(), 1U);
  EXPECT_EQ(result.error().more[0].where, "d/p.yaml:4:15");
}

TEST_F(PipelineSpecTest, UnknownFieldsAreRefused) {
  EXPECT_EQ(fault(with("/transfrom", 1)),
            "error: a pipeline spec has no field \"transfrom\"\nhint: did you mean \"transform\"?\n");
  EXPECT_EQ(fault(with("/transform/build/langauge", "go")),
            "error: transform.build has no field \"langauge\"\nhint: did you mean \"language\"?\n");
  EXPECT_EQ(fault(with("/input/pfs/emptyFile", true)),
            "error: input.pfs has no field \"emptyFile\"\nhint: did you mean \"empty_files\"?\n");
  EXPECT_EQ(fault(with("/something", 1)), "error: a pipeline spec has no field \"something\"\n");
  EXPECT_EQ(fault(with("/" + std::string(5000, 'x'), 1)),
            "error: a pipeline spec has no field " + base::quoted(std::string(5000, 'x')) + "\n");
  EXPECT_EQ(fault(with("/resource_limits", {{"cpus", 1}})),
            "error: resource_limits has no field \"cpus\"\nhint: did you mean \"cpu\"?\n");
  json both = with("/datum_tries", 1);
  both["datumTries"] = 2;
  EXPECT_EQ(fault(both), "error: datum_tries appears twice\n");
}

TEST_F(PipelineSpecTest, FieldsThatPachydermRemovedAreRefused) {
  EXPECT_EQ(fault(with("/standby", false)),
            "error: standby was removed in Pachyderm 2.0\nhint: use \"autoscaling\"\n");
  EXPECT_EQ(fault(with("/parallelism_spec", {{"coefficient", 1}})),
            "error: parallelism_spec.coefficient was removed in Pachyderm 2.0\nhint: use \"constant\"\n");
  EXPECT_EQ(fault(with("/input/git", json::object())),
            "error: input.git was removed in Pachyderm 2.0\nhint: commit the files to a repo\n");
}

TEST_F(PipelineSpecTest, WhatOnlyAClusterDoesIsRefused) {
  const json some = json::array({json::object()});
  EXPECT_EQ(fault(with("/spout", json::object())),
            "error: spout is not supported with transform.build: make it a pipeline of its own, which runs "
            "in an image\n");
  EXPECT_EQ(fault(with("/service", {{"type", "NodePort"}})), "error: service works only on a cluster\n");
  EXPECT_EQ(fault(with("/egress", {{"URL", "s3://b"}})), "error: egress works only on a cluster\n");
  EXPECT_EQ(fault(with("/s3_out", true)), "error: s3_out works only on a cluster\n");
  EXPECT_EQ(fault(with("/tf_job", json::object())), "error: tf_job is not supported\n");
  EXPECT_EQ(fault(with("/input/pfs/s3", true)), "error: input.pfs.s3 works only on a cluster\n");
  EXPECT_EQ(fault(with("/input/pfs/commit", "c")),
            "error: input.pfs.commit is not supported: an input reads a branch\n");
}

TEST_F(PipelineSpecTest, WrongTypesAreRefused) {
  EXPECT_EQ(fault(with("/pipeline", "map")), "error: pipeline must be an object, not a string\n");
  EXPECT_EQ(fault(with("/transform/user", 1000)),
            "error: transform.user must be a string, not 1000\nhint: put it in quotes\n");
  EXPECT_EQ(fault(with("/transform/cmd", "sh run.sh")),
            "error: transform.cmd must be a list of strings, not a string\n"
            "hint: write [\"sh\", \"run.sh\"]\n");
  EXPECT_EQ(fault(with("/transform/cmd", {"sh", true})),
            "error: transform.cmd[1] must be a string, not true\nhint: put it in quotes\n");
  EXPECT_EQ(fault(with("/transform/env", {{"A", 1}})),
            "error: transform.env.A must be a string, not 1\nhint: put it in quotes\n");
  EXPECT_EQ(fault(with("/transform/env", json::array())),
            "error: transform.env must be an object of strings, not a list\n");
  EXPECT_EQ(fault(with("/transform/accept_return_code", {1.5})),
            "error: transform.accept_return_code[0] must be a whole number, not 1.5\n");
  EXPECT_EQ(fault(with("/transform/secrets", {1})), "error: transform.secrets[0] must be an object, not 1\n");
  EXPECT_EQ(fault(with("/input/pfs/lazy", "true")),
            "error: input.pfs.lazy must be true or false, not \"true\"\n");
  EXPECT_EQ(fault(with("/input/cross", json::object({{"a", 1}}))),
            "error: input.cross must be a list of objects, not an object\n");
  EXPECT_EQ(fault(with("/parallelism_spec", {{"constant", -1}})),
            "error: parallelism_spec.constant must be a non-negative whole number, not -1\n");
  EXPECT_EQ(fault(with("/datum_tries", 18446744073709551615U)),
            "error: datum_tries must be a whole number, not 18446744073709551615\n");
  EXPECT_EQ(fault(with("/datum_tries", 1e300)), "error: datum_tries must be a whole number, not 1e+300\n");
  for (const char* text : {"x", "1 ", "", "1.", "NaN"}) {
    EXPECT_EQ(fault(with("/resource_limits", {{"cpu", text}})),
              "error: resource_limits.cpu must be a number, not " + base::quoted(text) + "\n");
  }
  EXPECT_EQ(fault(with("/tolerations", json::array({{{"operator", "Exists"}}}))),
            "error: tolerations[0].operator must be EMPTY, EXISTS or EQUAL\n");
  EXPECT_EQ(fault(with("/transform/user", std::string("a\0b", 3))),
            "error: transform.user has a NUL character\n");
}

TEST_F(PipelineSpecTest, ThePipelinesNameIsChecked) {
  const std::string missing = "error: missing pipeline name\nhint: add \"pipeline\": {\"name\": \"…\"}\n";
  EXPECT_EQ(fault(without("/pipeline")), missing);
  EXPECT_EQ(fault(with("/pipeline", json::object())), missing);
  EXPECT_EQ(fault(with("/pipeline/name", "")), missing);
  for (const char* name : {"a b", "_a", "-a", "é", "a/b", "a.b"}) {
    EXPECT_EQ(fault(with("/pipeline/name", name)),
              "error: pipeline.name: invalid name \"" + std::string(name) +
                  "\"\n"
                  "hint: a name has letters, digits, '_' and '-', and starts with a letter or digit\n");
  }
}

TEST_F(PipelineSpecTest, WhatToBuildIsChecked) {
  const std::string hint =
      "hint: add \"build\": {\"language\": \"python\"}, or another language, or {\"image\": \"…\"}\n";
  EXPECT_EQ(fault(without("/transform")), "error: missing \"transform\"\n" + hint);
  EXPECT_EQ(fault(without("/transform/build")), "error: transform has no \"build\"\n" + hint);
  EXPECT_EQ(fault(without("/transform/build/language")),
            "error: transform.build has neither \"language\" nor \"image\"\n"
            "hint: set \"language\" for an official builder, or \"image\" for another one\n");
  EXPECT_EQ(fault(with("/transform/build/image", "b:1")),
            "error: transform.build has both \"language\" and \"image\"\n"
            "hint: keep \"language\" for an official builder, or \"image\" for another one\n");
  const std::string list = "official builders: " + base::join(official_languages(), ", ") +
                           "; for another builder, name its image in transform.build.image\n";
  EXPECT_EQ(fault(with("/transform/build/language", "cobol-77")),
            "error: transform.build.language \"cobol-77\" has no official builder\nhint: " + list);
  EXPECT_EQ(fault(with("/transform/build/language", "Pyhton")),
            "error: transform.build.language \"Pyhton\" has no official builder\n"
            "hint: did you mean \"python\"? " +
                list);
}

TEST_F(PipelineSpecTest, LanguagesAreThoseOfBuilderRuntimeAndOfInstalledBuilders) {
  const auto languages = official_languages();
  for (const char* name : {"go", "python"})
    EXPECT_EQ(std::count(languages.begin(), languages.end(), name), 1);
  EXPECT_TRUE(std::is_sorted(languages.begin(), languages.end()));
  for (const auto& name : languages) EXPECT_EQ(fault(with("/transform/build/language", name)), "none");
}

TEST_F(PipelineSpecTest, ImageThatIsAPathIsAFolderBelowTheSpecs) {
  const auto with_image = [](const std::string& image) {
    json spec = without("/transform/build/language");
    spec["transform"]["build"]["image"] = image;
    return spec;
  };
  const std::string prefix = "error: transform.build.image \"DIR/b";
  EXPECT_EQ(read(with_image("b:1"))->transform.build.builder, "");
  EXPECT_EQ(fault(with_image("./b")),
            prefix + "\" does not exist\nhint: it is relative to the spec file's folder\n");
  ASSERT_TRUE(base::make_folders(file("b")));
  EXPECT_EQ(fault(with_image("./b")), prefix +
                                          "\" has neither builder.toml nor build.sh\n"
                                          "hint: a builder is a folder with one of them, or an image\n");
  ASSERT_TRUE(base::write_file(file("b/build.sh"), ""));
  for (const std::string& image : std::vector<std::string>{"./b", "./source/../b/", file("b")})
    EXPECT_EQ(read(with_image(image))->transform.build.builder, file("b")) << image;
  ASSERT_TRUE(base::remove_tree(file("b/build.sh")));
  ASSERT_TRUE(base::write_file(file("b/builder.toml"), ""));
  EXPECT_EQ(read(with_image("./b"))->transform.build.builder, file("b"));
  EXPECT_EQ(fault(with_image("./b/builder.toml")), prefix + "/builder.toml\" is not a folder\n");
}

TEST(BuilderPath, BeginsAsNoNameOfAnImageDoes) {
  for (const char* path : {"/b", "./b", "../b", ".", ".."}) EXPECT_TRUE(is_builder_path(path)) << path;
  for (const char* name : {"b", "b:1", "a/b", ".b", "..b", "registry.example.com/b:1"})
    EXPECT_FALSE(is_builder_path(name)) << name;
}

TEST_F(PipelineSpecTest, AGroupThatTheGlobLacksIsAWarning) {
  json spec = without("/input");
  spec["input"]["join"] = {{{"pfs", {{"repo", "a"}, {"glob", "/(*).csv"}, {"join_on", "$1-${2}"}}}},
                           {{"pfs", {{"repo", "b"}, {"glob", "/*.csv"}, {"join_on", "$0-$1"}}}},
                           {{"pfs", {{"repo", "c"}, {"glob", "/(*)-(*)"}, {"join_on", "$2$1"}}}}};
  const std::vector<std::string> expected = {
      "input.join[0].pfs.join_on: $2 is always empty: the glob \"/(*).csv\" has 1 group; put the part of the "
      "path that $2 stands for into ( )",
      "input.join[1].pfs.join_on: $1 is always empty: the glob \"/*.csv\" has no groups; put the part of the "
      "path that $1 stands for into ( )"};
  const auto read = read_pipeline(spec.dump(), file());
  ASSERT_TRUE(read);
  const auto any = read_for_cluster(spec.dump(), file(), Target::any);
  ASSERT_TRUE(any);
  spec["transform"].erase("build");
  spec["transform"]["cmd"] = {"x"};
  spec["transform"]["image"] = "i";
  const auto without_build = read_for_cluster(spec.dump(), file(), Target::any);
  ASSERT_TRUE(without_build);
  for (const auto& told : {read->warnings, any->front().notes, without_build->front().notes}) {
    ASSERT_EQ(told.size(), expected.size());
    for (std::size_t i = 0; i < told.size(); ++i)
      EXPECT_TRUE(told[i].ends_with(": " + expected[i])) << told[i];
  }
}

TEST_F(PipelineSpecTest, FolderAsABuilderIsOfThisMachineOnly) {
  ASSERT_TRUE(base::make_folders(file("b")));
  ASSERT_TRUE(base::write_file(file("b/build.sh"), ""));
  json spec = without("/transform/build/language");
  spec["transform"]["build"]["image"] = "./b";
  const std::string what =
      "transform.build.image \"./b\" is a folder on this machine, which a cluster cannot read";
  const auto cluster = read_for_cluster(spec.dump(), file(), Target::cluster);
  ASSERT_FALSE(cluster);
  EXPECT_EQ(cluster.error().kind, base::ErrorKind::bad_input);
  EXPECT_EQ(cluster.error().what, what);
  EXPECT_EQ(cluster.error().hint, "build an image of it, push the image and name it here");
  const auto any = read_for_cluster(spec.dump(), file(), Target::any);
  ASSERT_TRUE(any);
  ASSERT_EQ(any->front().notes.size(), 1U);
  EXPECT_TRUE(any->front().notes.front().ends_with(": " + what)) << any->front().notes.front();
}

TEST_F(PipelineSpecTest, EveryFaultIsToldInTheOrderOfTheText) {
  ASSERT_TRUE(base::write_file(file("p.yaml"), R"(pipline:
  name: a
standby: true
transform:
  build: {language: go, langauge: go, path: nowhere}
  env: {A: 1, B: 2}
  user: 5
input:
  pfs: {repo: data, glob: [1]}
datum_tries: x
datumTimeout: soon
reprocess_spec: never
)"));
  const auto result = load_pipeline(file("p.yaml"));
  ASSERT_FALSE(result);
  std::string all = shown({result.error().kind, result.error().where, result.error().what, ""});
  for (const auto& other : result.error().more) all += shown({other.kind, other.where, other.what, ""});
  EXPECT_EQ(all,
            "error: DIR/p.yaml:2:3: a pipeline spec has no field \"pipline\"\n"
            "error: DIR/p.yaml:3:10: standby was removed in Pachyderm 2.0\n"
            "error: DIR/p.yaml:5:35: transform.build has no field \"langauge\"\n"
            "error: DIR/p.yaml:5:45: transform.build.path \"DIR/nowhere\" does not exist\n"
            "error: DIR/p.yaml:6:12: transform.env.A must be a string, not 1\n"
            "error: DIR/p.yaml:6:18: transform.env.B must be a string, not 2\n"
            "error: DIR/p.yaml:7:9: transform.user must be a string, not 5\n"
            "error: DIR/p.yaml:9:27: input.pfs.glob must be a string, not a list\n"
            "error: DIR/p.yaml:10:14: datum_tries must be a whole number, not \"x\"\n"
            "error: DIR/p.yaml:11:15: datum_timeout: invalid duration \"soon\"\n"
            "error: DIR/p.yaml:12:17: reprocess_spec must be \"until_success\" or \"every_job\"\n");
}

TEST_F(PipelineSpecTest, EverythingThatIsMissingIsTold) {
  const auto result = read(json::object());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().what, "missing pipeline name");
  ASSERT_EQ(result.error().more.size(), 2U);
  EXPECT_EQ(result.error().more[0].what, "missing \"transform\"");
  EXPECT_EQ(result.error().more[1].what, "missing \"input\"");
}

TEST_F(PipelineSpecTest, DurationsArePutIntoSecondsForPachyderm) {
  json spec = with("/datum_timeout", "1h30m");
  spec["job_timeout"] = "1.5s";
  const PipelineSpec read_spec = read(spec).value();
  EXPECT_EQ(read_spec.datum_timeout, std::chrono::minutes(90));
  EXPECT_EQ(read_spec.fields->at("datum_timeout"), "5400s");
  EXPECT_EQ(read_spec.fields->at("job_timeout"), "1.5s");
}

// What each of the two readers says of a pipeline without a build: this program and Pachyderm's own (the same
// specs went through SpecReader of 2.12).
TEST_F(PipelineSpecTest, APipelineWithoutBuildIsCheckedAsPachydermDoes) {
  const auto any_fault = [&](const std::string& more) {
    const std::string text =
        R"({"pipeline": {"name": "p"}, "transform": {"cmd": ["true"]}, "input": {"pfs": {"repo": "r", "glob": "/*"}})" +
        more + "}";
    const auto result = read_for_cluster(text, file(), Target::any);
    const auto passed = read_for_cluster(text, file(), Target::cluster);
    EXPECT_TRUE(passed) << "it goes through untouched, whatever it has: " << text;
    return result ? "" : result.error().what;
  };
  for (const char* right : {
           R"(, "resource_requests": {"cpu": "0.5"})",
           R"(, "datum_tries": "3")",
           R"(, "datum_tries": "1e2")",
           R"(, "datum_tries": "3.0")",
           R"(, "datum_tries": 3.0)",
           R"(, "datum_timeout": ".5s")",
           R"(, "datum_timeout": "+1s")",
           R"(, "tolerations": [{"operator": "EXISTS", "effect": 1}])",
           R"(, "tolerations": [{"operator": 99, "toleration_seconds": "5"}])",
           R"(, "egress": {"URL": "s3://b"})",
           R"(, "service": {"internal_port": 80, "externalPort": "30000", "type": "NodePort"})",
           R"(, "egress": )",
           R"(, "$schema": "x")",
           R"(, "metadata": null)",
           R"(, "spout": {})",
           R"(, "s3_out": true)",
       }) {
    EXPECT_EQ(any_fault(right), "") << right;
  }
  for (const char* wrong : {
           R"(, "resource_requests": {"cpu": "0.5x"})",
           R"(, "datum_tries": 3.5)",
           R"(, "autoscaling": "true")",
           R"(, "description": 3)",
           R"(, "datum_timeout": "1h")",
           R"(, "datum_timeout": "01s")",
           R"(, "datum_timeout": "")",
           R"(, "datum_timeout": 90)",
           R"(, "tolerations": [{"operator": "Exists"}])",
           R"(, "nonsense": 1)",
           R"(, "standby": null)",
           R"(, "tolerations": [null])",
           R"(, "egress": {"url": "s3://b"})",
           R"(, "service": {"annotations": {}})",
           R"(, "spout": {"overwrite": true})",
           R"(, "service": {"internal_port": 3000000000})",
           R"(, "parallelism_spec": {"constant": -1})",
           R"(, "parallelism_spec": {"coefficient": 1})",
           R"(, "datum_tries": 1, "datumTries": 2)",
       }) {
    EXPECT_NE(any_fault(wrong), "") << wrong;
  }
}

TEST_F(PipelineSpecTest, WhatOnlyAClusterDoesIsANoteOfValidation) {
  json spec = with("/egress", {{"URL", "s3://b"}});
  spec["s3_out"] = true;
  const auto pipelines = read_for_cluster(spec.dump(), file(), Target::any);
  ASSERT_TRUE(pipelines) << pipelines.error().what;
  ASSERT_EQ(pipelines->at(0).notes.size(), 2U);
  EXPECT_TRUE(
      pipelines->at(0).notes[0].ends_with(": egress works only on a cluster; `pachbuild run` refuses it"));
}

TEST_F(PipelineSpecTest, AFolderHasThePipelinesOfAllItsFiles) {
  const auto write = [&](const std::string& name, const std::string& text) {
    ASSERT_TRUE(base::make_folders((m_folder.path() / name).parent_path()));
    ASSERT_TRUE(base::write_file(m_folder.path() / name, text));
  };
  const auto named = [](const std::string& name) {
    return R"({"pipeline": {"name": ")" + name +
           R"("}, "transform": {"image": "i:1", "cmd": ["true"]}, "input": {"pfs": {"repo": "r", "glob": "/"}},})";
  };
  write("dag/b.json", named("b1") + "\n---\n" + named("b2"));
  write("dag/a.yaml", "[" + named("a1") + "," + named("a2") + "]");
  write("dag/deep/er/c.yml", "# c\n" + named("c"));
  write("dag/deep/settings.json", R"({"name": "not a pipeline", "transforms": [1]})");
  write("dag/deep/data.json", R"([1, "pipeline"])");
  write("dag/deep/large.json", std::string((1 << 20) + 1, '{'));
  write("dag/deep/chart.yaml", "{{ .Values.x }}\n");
  write("dag/.hidden/d.json", named("d"));
  const std::string folder = (m_folder.path() / "dag").string();
  const auto pipelines = load_pipelines({{folder}, {}, {}});
  ASSERT_TRUE(pipelines) << shown(pipelines.error());
  std::string names;
  for (const auto& pipeline : *pipelines) names += pipeline.name + " ";
  EXPECT_EQ(names, "a1 a2 b1 b2 c ");
  EXPECT_EQ(pipelines->at(1).places.where(""),
            folder + "/a.yaml:1:" + std::to_string(named("a1").size() + 3));
  EXPECT_EQ(pipelines->at(3).places.where("/pipeline/name"), folder + "/b.json:3:23");
  EXPECT_FALSE(is_built(pipelines->at(0).transform));

  write(
      "dag/z.json",
      R"({"pipeline": {"name": "z"}, "transform": {"cmd": "x"}, "input": {"pfs": {"repo": "r", "glob": "/"}}})");
  write("dag/deep/y.yaml", "pipeline: {name: 'y}\n");
  const auto wrong = load_pipelines({{folder, file("none.json")}, {}, {}});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(shown({wrong.error().kind, wrong.error().where, "", ""}), "error: DIR/dag/deep/y.yaml:1:18: \n");
  ASSERT_EQ(wrong.error().more.size(), 2U) << "of all files";
  EXPECT_EQ(shown(wrong.error().more[0]), "error: DIR/none.json: cannot read: no such file or folder\n");
  EXPECT_EQ(wrong.error().more[1].what, "transform.cmd must be a list of strings, not a string");
}

TEST_F(PipelineSpecTest, AFolderWithoutPipelinesIsAnError) {
  ASSERT_TRUE(base::make_folders(m_folder.path() / "none"));
  const auto folder_fault = [&] { return shown(load_pipelines({{file("none")}, {}, {}}).error()); };
  EXPECT_EQ(folder_fault(), "error: DIR/none: has no *.json, *.yaml or *.yml file\n");
  ASSERT_TRUE(base::write_file(m_folder.path() / "none/package.json", "{}"));
  EXPECT_EQ(folder_fault(), "error: DIR/none: has no pipeline in its *.json, *.yaml and *.yml files\n");
}

TEST_F(PipelineSpecTest, TheBuildPathIsAFolderBelowTheSpecs) {
  EXPECT_EQ(fault(with("/transform/build/path", "./program")),
            "error: transform.build.path \"DIR/program\" does not exist\nhint: it is relative to the spec "
            "file's folder\n");
  EXPECT_EQ(fault(with("/transform/build/path", "./sorce")),
            "error: transform.build.path \"DIR/sorce\" does not exist\nhint: did you mean \"DIR/source\"?\n");
  EXPECT_EQ(fault(with("/transform/build/path", "p.json/x")),
            "error: transform.build.path \"DIR/p.json/x\" does not exist\n"
            "hint: it is relative to the spec file's folder\n");
  ASSERT_TRUE(base::write_file(file(), "{}"));
  EXPECT_EQ(fault(with("/transform/build/path", "p.json")),
            "error: transform.build.path \"DIR/p.json\" is not a folder\n");
  EXPECT_EQ(read(with("/transform/build/path", (m_folder.path() / "source").string()))
                .value()
                .transform.build.folder,
            m_folder.path() / "source");
  EXPECT_EQ(read(with("/transform/build/path", "source/..")).value().transform.build.folder, m_folder.path());
}

TEST_F(PipelineSpecTest, InputsAreChecked) {
  EXPECT_EQ(
      fault(without("/input")),
      "error: missing \"input\"\nhint: add \"input\": {\"pfs\": {\"repo\": \"…\", \"glob\": \"/*\"}}\n");
  EXPECT_EQ(fault(with("/input", json::object())),
            "error: input is empty\nhint: for example {\"pfs\": {\"repo\": \"…\", \"glob\": \"/*\"}}\n");
  EXPECT_EQ(
      fault(with("/input", {{"cross", json::array()}})),
      "error: input.cross is empty\nhint: for example {\"pfs\": {\"repo\": \"…\", \"glob\": \"/*\"}}\n");
  EXPECT_EQ(fault(with("/input/cross", json::array({json::object()}))),
            "error: input has both \"pfs\" and \"cross\"\nhint: keep one, or put both into a \"cross\"\n");
  EXPECT_EQ(fault(without("/input/pfs/repo")), "error: input.pfs has no \"repo\"\n");
  EXPECT_EQ(
      fault(with("/input/pfs/repo", "a b")),
      "error: input.pfs.repo: invalid repo name \"a b\"\nhint: a name has letters, digits, '_' and '-'\n");
  for (const char* name : {"..", "a/b", ".env", "a\nb"}) {
    EXPECT_NE(fault(with("/input/pfs/name", name)).find("invalid input name"), std::string::npos) << name;
  }
  EXPECT_EQ(fault(with("/input/pfs/name", "../x")),
            "error: input.pfs.name: invalid input name \"../x\"\n"
            "hint: a name has letters, digits, '_', '-' and '.', and does not start with '.'\n");
}

TEST_F(PipelineSpecTest, InputsDoNotTakeEachOthersNames) {
  for (const std::string name : {"source", "build", "out"}) {
    const std::string text = " \"" + name + "\" is reserved: " +
                             (name == "out" ? "/pfs/out is the output of the pipeline"
                                            : "pachbuild puts the " + name + " in /pfs/" + name) +
                             "\nhint: give the input another \"name\"\n";
    EXPECT_EQ(fault(with("/input/pfs/name", name)), "error: input.pfs.name" + text);
    EXPECT_EQ(fault(with("/input/pfs/repo", name)), "error: input.pfs.repo" + text);
  }
  const json input = right()["input"];
  EXPECT_EQ(fault(with("/input", {{"cross", {input, input}}})),
            "error: input.cross[1].pfs.repo \"scraper\" is already the name of another input\n"
            "hint: give one of them another \"name\"\n");
}

TEST_F(PipelineSpecTest, ARepoIsReadByOneBranch) {
  const json one = {{"pfs", {{"repo", "r"}, {"name", "a"}, {"glob", "/"}}}};
  json other = {{"pfs", {{"repo", "r"}, {"name", "b"}, {"glob", "/*"}}}};
  EXPECT_TRUE(read(with("/input", {{"union", {one, other}}})));
  other["pfs"]["branch"] = "dev";
  EXPECT_EQ(
      fault(with("/input", {{"union", {one, other}}})),
      "error: input.union[1].pfs reads branch \"dev\" of repo r, and another input its branch \"master\"\n"
      "hint: Pachyderm allows only one branch of a repo in a pipeline\n");
}

TEST_F(PipelineSpecTest, GlobsAreChecked) {
  EXPECT_EQ(fault(without("/input/pfs/glob")),
            "error: input.pfs has no \"glob\"\nhint: \"/*\" makes a datum of each file and folder\n");
  EXPECT_EQ(fault(with("/input/pfs/glob", "[a")),
            "error: input.pfs.glob \"/[a\": character 2: unclosed '['\n");
}

TEST_F(PipelineSpecTest, SettingsAreChecked) {
  EXPECT_EQ(fault(with("/datum_tries", -1)), "error: datum_tries must not be negative\n");
  EXPECT_EQ(read(with("/datum_tries", 0)).value().datum_tries, std::nullopt)
      << "0 is protobuf's way to say nothing";
  EXPECT_EQ(read(with("/datum_tries", 2.0)).value().datum_tries, 2);
  EXPECT_EQ(fault(with("/reprocess_spec", "always")),
            "error: reprocess_spec must be \"until_success\" or \"every_job\"\n");
  EXPECT_EQ(fault(with("/datum_timeout", "5 minutes")),
            "error: datum_timeout: invalid duration \"5 minutes\"\nhint: write \"5m\"\n");
  EXPECT_EQ(fault(with("/transform/env", {{"A=B", "1"}})),
            "error: transform.env: invalid variable name \"A=B\"\n");
}

TEST_F(PipelineSpecTest, AFolderHasThePipelinesOfItsSpecFilesByName) {
  const base::fs::path folder = m_folder.path() / "specs";
  ASSERT_TRUE(base::make_folders(folder));
  const auto names = [&] {
    const auto pipelines = load_for_cluster({{folder.string()}, {}, {}}, Target::cluster);
    if (!pipelines) return shown(pipelines.error());
    std::string text;
    for (const auto& pipeline : *pipelines) text += pipeline.name + " ";
    return text;
  };
  EXPECT_EQ(names(), "error: DIR/specs: has no *.json, *.yaml or *.yml file\n");
  for (const std::string name : {"d.yml", "b.json", "a.txt", "c.yaml", "e.JSON", "yaml"}) {
    ASSERT_TRUE(base::write_file(folder / name, R"({"pipeline": {"name": ")" + name + R"("}})"));
  }
  EXPECT_EQ(names(), "b.json c.yaml d.yml ");
  ASSERT_TRUE(base::write_file(folder / "b.json", R"({"pipeline": {"name": "b")"));
  EXPECT_TRUE(names().starts_with("error: DIR/specs/b.json:1:")) << names();
}

}  // namespace
}  // namespace spec
