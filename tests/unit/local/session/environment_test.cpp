// SPDX-License-Identifier: Apache-2.0
// Which variables builds and datums have.
#include "pachbuild/local/session/environment.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "pachbuild/local/pool/place.h"

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
  const auto variables = datum_variables({.id = "0a", .parts = {}}, spec, std::string(64, 'b'));
  ASSERT_EQ(variables.size(), 4U);
  EXPECT_EQ(variables[0], std::pair(std::string("PACH_DATUM_ID"), std::string("0a")));
  EXPECT_EQ(variables[1], std::pair(std::string("PACH_JOB_ID"), std::string(32, 'b')));
  EXPECT_EQ(variables[2], std::pair(std::string("PACH_OUTPUT_COMMIT_ID"), std::string(32, 'b')));
  EXPECT_EQ(variables[3].first, "FILESET_ID");
  EXPECT_EQ(variables[3].second.size(), 32U);
  EXPECT_EQ(datum_variables({.id = "0a", .parts = {}}, spec, "")[1].second.size(), 32U);
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
