// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "about/version.h"
#include "base/text.h"
#include "fake_runner.h"
#include "pachbuild/doctor/checks.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace doctor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class DoctorPrograms : public testing::Test {
 protected:
  std::string install(const std::string& path) const {
    const auto file = m_folder.path() / path;
    EXPECT_TRUE(base::make_folders(file.parent_path()));
    EXPECT_TRUE(base::write_file(file, "", 0755));
    return file.string();
  }
  Machine machine() {
    return {.environment = m_environment, .runner = &m_runner, .program = m_folder.path() / "own/pachbuild"};
  }
  std::string folder() const { return m_folder.path().string(); }

  static std::string without_name(const std::string& name) {
    return about::version_line(name).substr(name.size() + 1);
  }

  const base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "tools.").value();
  process::Environment m_environment = {{"PATH", (m_folder.path() / "path").string()}};
  FakeRunner m_runner;
};

constexpr char k_reinstall[] = " | install all three programs of one release (docs/installing.md)";

TEST_F(DoctorPrograms, OfOursAreThereAndOfOneBuild) {
  const auto builder = install("own/builder-runtime");
  const auto shim = install("own/worker-shim");
  const auto version = without_name("pachbuild");
  m_runner.answer(builder + " --version", {0, about::version_line("builder-runtime") + "\n", ""});
  m_runner.answer(shim + " --version", {0, about::version_line("worker-shim") + "\n", ""});
  EXPECT_THAT(lines_of(check_own_programs(machine())),
              ElementsAre("ok pachbuild: " + version + ", " + folder() + "/own/pachbuild",
                          "ok builder-runtime: " + version + ", " + builder,
                          "ok worker-shim: " + version + ", " + shim));
}

TEST_F(DoctorPrograms, OfAnotherVersionOrBuildAreNamed) {
  const auto builder = install("own/builder-runtime");
  const auto shim = install("own/worker-shim");
  const auto version = without_name("pachbuild");
  m_runner.answer(builder + " --version", {0, "builder-runtime 0.0.9 (abc 2020-01-01)\n", ""});
  m_runner.answer(shim + " --version",
                  {0, "worker-shim " + version.substr(0, version.find(' ')) + " (other 2020-01-01)\n", ""});
  const auto lines = lines_of(check_own_programs(machine()));
  EXPECT_EQ(lines[1], "problem builder-runtime: version 0.0.9 (abc 2020-01-01), but pachbuild is " + version +
                          " (" + builder + ")" + k_reinstall);
  EXPECT_EQ(lines[2],
            "warning worker-shim: another build of the version: " + version.substr(0, version.find(' ')) +
                " (other 2020-01-01), but pachbuild is " + version + " (" + shim + ")" + k_reinstall);
}

TEST_F(DoctorPrograms, OfOursThatAreMissingOrBrokenAreBad) {
  const auto shim = install("own/worker-shim");
  m_runner.answer(shim + " --version", {exit_status(127), "", "noise\ncannot load libc\n"});
  const auto lines = lines_of(check_own_programs(machine()));
  EXPECT_EQ(lines[1],
            "problem builder-runtime: not found beside pachbuild in " + folder() + "/own" + k_reinstall);
  EXPECT_EQ(lines[2], "problem worker-shim: does not work: cannot load libc (" + shim + ")" + k_reinstall);
}

TEST_F(DoctorPrograms, ToolsThatAreMissingAreWarningsWhereTheyAreUseful) {
  EXPECT_THAT(
      lines_of(check_tools(machine(), Clusters::maybe)),
      ElementsAre("warning uv: not found; needed for Python pipelines with packages | pipx install uv, or "
                  "pip install uv in a virtual environment",
                  "warning python3: not found; needed for Python pipelines | sudo apt-get install python3",
                  "warning go: not found; needed for Go pipelines | install Go from https://go.dev/dl",
                  "warning git: not found; needed for dependencies from Git | sudo apt-get install git",
                  "note podman: not found; only needed for --runtime podman",
                  "note docker: not found; only needed for --runtime docker",
                  "note pachctl: not found; only needed for clusters"));
  EXPECT_EQ(lines_of(check_tools(machine(), Clusters::wanted)).at(6),
            "problem pachctl: not found; needed for clusters | install the pachctl version that matches the "
            "cluster");
  EXPECT_TRUE(m_runner.calls().empty());
}

TEST_F(DoctorPrograms, ToolsAreAskedForTheirVersions) {
  const auto uv = install("own/uv");
  const auto go = install("path/go");
  const auto pachctl = install("path/pachctl");
  const auto docker = install("path/docker");
  m_runner.answer(uv + " --version", {0, "uv 0.9.18\n", ""});
  m_runner.answer(go + " version", {0, "\ngo version go1.26 linux/amd64\nmore\n", ""});
  m_runner.answer(pachctl + " version --client-only", {0, "2.12.0", ""});
  const auto lines = lines_of(check_tools(machine(), Clusters::wanted));
  EXPECT_EQ(lines[0], "ok uv: 0.9.18, " + uv);
  EXPECT_EQ(lines[2], "ok go: go1.26 linux/amd64, " + go);
  EXPECT_EQ(lines[5], "warning docker: does not work: did not answer within 5 s (" + docker +
                          ") | sudo apt-get install docker.io");
  EXPECT_EQ(lines[6], "ok pachctl: 2.12.0, " + pachctl);
  EXPECT_THAT(m_runner.calls(), testing::Contains("5000 " + uv + " --version"));
  m_runner.answer(uv + " --version", {0, "of no number\n", ""});
  EXPECT_EQ(lines_of(check_tools(machine(), Clusters::wanted)).at(0), "ok uv: of no number, " + uv);
}

// Even `go version` writes statistics to the home folder.
TEST_F(DoctorPrograms, GoIsAskedWithoutAHome) {
  install("path/go");
  const auto uv = install("path/uv");
  m_environment["HOME"] = "/home/me";
  check_tools(machine(), Clusters::maybe);
  EXPECT_THAT(m_runner.calls_at_home(), ElementsAre(uv + " --version"));
}

TEST_F(DoctorPrograms, AToolThatDoesNotWorkIsBadWhereItIsUseful) {
  const auto uv = install("path/uv");
  const auto git = install("path/git");
  const auto pachctl = install("other/my-pachctl");
  m_environment["PACHCTL"] = pachctl;
  m_runner.answer(uv + " --version", {exit_status(2), "", "error: broken\n"});
  m_runner.answer(git + " --version", {exit_status(3), "", ""});
  m_runner.answer(pachctl + " version --client-only", {exit_status(1), "", "no\n"});
  auto lines = lines_of(check_tools(machine(), Clusters::maybe));
  EXPECT_EQ(lines[0], "problem uv: does not work: error: broken (" + uv +
                          ") | pipx install uv, or pip install uv in a virtual environment");
  EXPECT_EQ(lines[3],
            "problem git: does not work: exited with code 3 (" + git + ") | sudo apt-get install git");
  EXPECT_EQ(lines[6], "warning pachctl: does not work: no (" + pachctl +
                          ") | install the pachctl version that matches the cluster");
  EXPECT_THAT(lines_of(check_tools(machine(), Clusters::wanted)).at(6),
              testing::StartsWith("problem pachctl: "));
}

TEST_F(DoctorPrograms, ImagesOfTheBuildersAreListedByEngine) {
  EXPECT_TRUE(check_images(machine()).empty());
  const auto podman = install("path/podman");
  const auto docker = install("path/docker");
  const std::string words = " images --format {{.Repository}}:{{.Tag}}";
  // Those of the builders that are installed beside the tests.
  const auto images = [](const std::string& prefix, const std::string& without = "") {
    std::vector<std::string> names;
    for (const auto& language : spec::official_languages()) {
      if (language != without) names.push_back(prefix + "pachbuild-" + language + ":" PACHBUILD_VERSION);
    }
    return names;
  };
  const std::string python = "pachbuild-python:" PACHBUILD_VERSION;
  m_runner.answer(podman + words, {0, base::join(images("localhost/"), "\n") + "\n", ""});
  m_runner.answer(docker + words,
                  {0, "x/" + python + "\n" + base::join(images("", "python"), "\n") + "\n", ""});
  EXPECT_THAT(lines_of(check_images(machine())),
              ElementsAre("ok podman images: " + base::join(images(""), ", "),
                          "note docker images: " + base::join(images("", "python"), ", ") +
                              "; missing: " + python + "; only needed for --runtime docker"));
  m_environment["PACHBUILD_BUILDER_IMAGES"] = "x/";
  EXPECT_EQ(lines_of(check_images(machine())).at(1),
            "note docker images: x/" + python + "; missing: " + base::join(images("x/", "python"), ", ") +
                "; only needed for --runtime docker");
}

TEST_F(DoctorPrograms, AnEngineThatDoesNotWorkIsAWarning) {
  const auto podman = install("path/podman");
  const auto docker = install("path/docker");
  m_runner.answer(docker + " images --format {{.Repository}}:{{.Tag}}",
                  {exit_status(1), "", "Cannot connect to the Docker daemon\n"});
  EXPECT_THAT(
      lines_of(check_images(machine())),
      ElementsAre("warning podman images: podman does not work: did not answer within 5 s | podman info",
                  "warning docker images: docker does not work: Cannot connect to the Docker daemon | sudo "
                  "systemctl start docker"));
}

}  // namespace
}  // namespace doctor
