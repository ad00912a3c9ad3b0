// SPDX-License-Identifier: Apache-2.0
// Which variables builds and datums have.
#include "pachbuild/local/session/environment.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <optional>

#include "pachbuild/local/pool/worker_host.h"

namespace local {
namespace {

using process::Environment;

// Sets a variable of this process, and takes it back.
class Variable {
 public:
  Variable(const char* name, const char* value) : m_name(name) {
    if (const char* before = std::getenv(name)) m_before = before;
    value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
  }
  ~Variable() { m_before ? ::setenv(m_name, m_before->c_str(), 1) : ::unsetenv(m_name); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* m_name;
  std::optional<std::string> m_before;
};

TEST(DatumEnvironment, HasWhatAContainerWouldGiveAndNothingElse) {
  const Variable path("PATH", "/x/bin");
  const Variable proxy("https_proxy", "http://proxy");
  const Variable other("PACHBUILD_TEST_OTHER", "1");
  const Variable zone("TZ", nullptr);
  const auto environment = this_machine()->environment("/cache");
  EXPECT_EQ(process::value_of(environment, "PATH"), "/x/bin");
  EXPECT_EQ(process::value_of(environment, "https_proxy"), "http://proxy");
  EXPECT_EQ(process::value_of(environment, "PACHBUILD_CACHE_DIR"), "/cache");
  EXPECT_FALSE(environment.contains("PACHBUILD_TEST_OTHER"));
  EXPECT_FALSE(environment.contains("TZ"));
}

TEST(BuildEnvironment, IsThePersonsOwnWithTheCache) {
  const Variable other("PACHBUILD_TEST_OTHER", "1");
  const auto environment = build_environment("/cache");
  EXPECT_EQ(process::value_of(environment, "PACHBUILD_TEST_OTHER"), "1");
  EXPECT_EQ(process::value_of(environment, "PACHBUILD_CACHE_DIR"), "/cache");
}

TEST(BuildEnvironment, NamesWhatTheSpecSets) {
  spec::PipelineSpec spec;
  spec.name = "map";
  Environment environment{{"A", "old"}};
  add_build_variables(environment, spec);
  EXPECT_EQ(environment, (Environment{{"A", "old"}, {"PPS_PIPELINE_NAME", "map_build"}}));
  spec.transform.build.env = {{"A", "new"}, {"B", ""}};
  add_build_variables(environment, spec);
  EXPECT_EQ(environment, (Environment{{"A", "new"},
                                      {"B", ""},
                                      {"PPS_PIPELINE_NAME", "map_build"},
                                      {"PACHBUILD_BUILD_VARIABLES", "A,B"}}));
}

TEST(DatumEnvironment, HasTheVariablesOfAWorker) {
  spec::PipelineSpec spec;
  spec.name = "map";
  spec.transform.build.language = "go";
  Environment environment;
  const std::string source(64, 'a');
  const std::string build(64, 'b');
  add_pipeline_variables(environment, spec, source, build);
  const std::string commit(32, 'b');
  const Environment expected = {{"PACH_IN_WORKER", "true"},
                                {"PPS_PIPELINE_NAME", "map"},
                                {"PPS_PROJECT_NAME", "default"},
                                {"source", "/pfs/source"},
                                {"source_COMMIT", std::string(32, 'a')},
                                {"build", "/pfs/build"},
                                {"build_COMMIT", commit}};
  EXPECT_EQ(environment, expected);
  spec.project = "p";
  spec.transform.working_dir = "/work";
  spec.transform.env = {{"C", "d"}};
  add_pipeline_variables(environment, spec, source, build);
  EXPECT_EQ(process::value_of(environment, "PPS_PROJECT_NAME"), "p");
  EXPECT_EQ(process::value_of(environment, "PACHBUILD_WORKING_DIR"), "/work");
  EXPECT_EQ(process::value_of(environment, "C"), "d");
}

TEST(DatumEnvironment, HasNoBuildWhereNothingIsBuilt) {
  spec::PipelineSpec spec;
  spec.name = "plain";
  Environment environment;
  add_pipeline_variables(environment, spec, "", "");
  EXPECT_FALSE(environment.contains("source"));
  EXPECT_FALSE(environment.contains("build_COMMIT"));
}

TEST(DatumVariables, AreThoseOfAWorkerInItsOrder) {
  spec::PipelineSpec spec;
  spec.name = "plain";
  const auto variables = datum_variables({.id = "0a", .parts = {}}, spec, std::string(64, 'b'), "");
  ASSERT_EQ(variables.size(), 4U);
  EXPECT_EQ(variables[0], std::pair(std::string("PACH_DATUM_ID"), std::string("0a")));
  EXPECT_EQ(variables[1], std::pair(std::string("PACH_JOB_ID"), std::string(32, 'b')));
  EXPECT_EQ(variables[2], std::pair(std::string("PACH_OUTPUT_COMMIT_ID"), std::string(32, 'b')));
  EXPECT_EQ(variables[3].first, "FILESET_ID");
  EXPECT_EQ(variables[3].second.size(), 32U);
  EXPECT_EQ(datum_variables({.id = "0a", .parts = {}}, spec, "", "")[1].second.size(), 32U);
}

TEST(DatumVariables, NameEachPartWithItsCommitAndItsValues) {
  spec::PipelineSpec spec;
  spec.name = "p";
  spec::RepoInput one;
  one.name = "one";
  spec::RepoInput two;
  two.name = "two";
  Commit ours;
  ours.digest = std::string(64, 'd');
  Commit remote;
  remote.digest = std::string(64, 'd');
  remote.id = "0123";
  const DatumPart first{&one, &ours, "a.txt", {0, 1}, "", "j", ""};
  const DatumPart second{&two, &remote, "", {0, 1}, "", "", "g"};
  const auto variables =
      datum_variables({.id = "0a", .parts = {&first, &second}}, spec, std::string(64, 'b'), "job");
  using Variables = std::vector<std::pair<std::string, std::string>>;
  const auto fileset = variables.back().second;
  EXPECT_EQ(variables, (Variables{{"one", "/pfs/one/a.txt"},
                                  {"one_COMMIT", std::string(32, 'd')},
                                  {"PACH_DATUM_one_JOIN_ON", "j"},
                                  {"two", "/pfs/two"},
                                  {"two_COMMIT", "0123"},
                                  {"PACH_DATUM_two_GROUP_BY", "g"},
                                  {"PACH_DATUM_ID", "0a"},
                                  {"PACH_JOB_ID", "job"},
                                  {"PACH_OUTPUT_COMMIT_ID", "job"},
                                  {"FILESET_ID", fileset}}));
  const auto fileset_of = [&](const std::string& id, const std::string& job) {
    return datum_variables({.id = id, .parts = {}}, spec, "", job).back().second;
  };
  EXPECT_EQ(fileset_of("0a", "job"), fileset);
  EXPECT_NE(fileset_of("0b", "job"), fileset);
  EXPECT_NE(fileset_of("0a", "other"), fileset);
}

TEST(SecretsOfATask, AreVariablesAndFolders) {
  spec::PipelineSpec spec;
  spec.transform.secrets = {
      {"db", "user", "", "USER"}, {"db", "", "/secrets", ""}, {"other", "x", "/both", "X"}};
  const Secrets secrets = {{"db", {{"user", "me"}, {"password", "p"}}}, {"other", {{"x", "y"}}}};
  Task task;
  add_secrets(task, spec, secrets);
  EXPECT_EQ(task.secret_variables, (Environment{{"USER", "me"}, {"X", "y"}}));
  EXPECT_EQ(task.secret_folders, (std::map<std::string, std::map<std::string, std::string>>{
                                     {"/secrets", secrets.at("db")}, {"/both", secrets.at("other")}}));
  EXPECT_TRUE(task.environment.empty());
}

TEST(BuildEnvironment, SaysThatACommandIsThePipelinesOwn) {
  const auto own = [](const std::vector<std::string>& command) {
    spec::PipelineSpec spec;
    spec.transform.cmd = command;
    Environment environment;
    add_build_variables(environment, spec);
    return process::value_of(environment, "PACHBUILD_OWN_COMMAND");
  };
  EXPECT_EQ(own({}), "");
  EXPECT_EQ(own({"worker-shim", "x"}), "");
  EXPECT_EQ(own({"python3", "x"}), "1");
}

TEST(CacheFolder, ThatOthersCanChangeIsRefused) {
  const auto temporary = base::TemporaryFolder::make(testing::TempDir(), "cachefolder.").value();
  const auto path = (temporary.path() / "cache").string();
  ASSERT_TRUE(base::make_folders(path));
  ASSERT_EQ(::chmod(path.c_str(), 0777), 0);
  const Variable chosen("PACHBUILD_CACHE_DIR", path.c_str());
  const auto folder = cache_folder();
  ASSERT_FALSE(folder);
  EXPECT_EQ(folder.error().kind, base::ErrorKind::cannot_write);
  EXPECT_EQ(folder.error().where, path);
  EXPECT_TRUE(folder.error().hint.ends_with("; name one in PACHBUILD_CACHE_DIR")) << folder.error().hint;
  ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  EXPECT_EQ(cache_folder().value(), path);
  const Variable below("PACHBUILD_CACHE_DIR", (path + "/a/b").c_str());
  ASSERT_TRUE(cache_folder());
  struct stat status{};
  ASSERT_EQ(::stat((path + "/a/b").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
}

TEST(CacheFolder, IsTheFirstThatIsSet) {
  const auto temporary = base::TemporaryFolder::make(testing::TempDir(), "cachefolder.").value();
  const auto path = [&](const char* name) { return (temporary.path() / name).string(); };
  const Variable home("HOME", path("home").c_str());
  const Variable none("PACHBUILD_CACHE_DIR", nullptr);
  const Variable no_xdg("XDG_CACHE_HOME", "");
  EXPECT_EQ(cache_folder().value(), path("home/.cache/pachbuild"));
  const Variable xdg("XDG_CACHE_HOME", path("xdg").c_str());
  EXPECT_EQ(cache_folder().value(), path("xdg/pachbuild"));
  const Variable chosen("PACHBUILD_CACHE_DIR", path("chosen").c_str());
  EXPECT_EQ(cache_folder().value(), path("chosen"));
  const Variable relative("PACHBUILD_CACHE_DIR", "relative");
  EXPECT_EQ(cache_folder().error().kind, base::ErrorKind::usage);
  const Variable nothing("PACHBUILD_CACHE_DIR", "");
  const Variable nowhere("HOME", "");
  const Variable no_other("XDG_CACHE_HOME", "");
  EXPECT_EQ(cache_folder().error().kind, base::ErrorKind::usage);
}

}  // namespace
}  // namespace local
