// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "fake_runner.h"
#include "pachbuild/doctor/checks.h"

namespace doctor {
namespace {

using testing::ElementsAre;

class DoctorCluster : public testing::Test {
 protected:
  DoctorCluster() {
    EXPECT_TRUE(base::write_file(m_pachctl, "", 0755));
    ::setenv("PACHCTL", m_pachctl.c_str(), 1);
  }
  ~DoctorCluster() override { ::unsetenv("PACHCTL"); }
  void answer(const std::string& words, FakeRunner::Answer answer) {
    m_runner.answer(m_pachctl.string() + " " + words, std::move(answer));
  }
  std::vector<std::string> check(const std::string& context = "") {
    return lines_of(check_cluster({.runner = &m_runner}, context));
  }
  const base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "cluster.").value();
  const base::fs::path m_pachctl = m_folder.path() / "pachctl";
  FakeRunner m_runner;
};

constexpr char k_version[] = "version --timeout 5s";

TEST_F(DoctorCluster, TellsContextAndVersion) {
  answer("config get active-context", {0, "minikube\n", ""});
  answer(k_version, {0, "COMPONENT VERSION\npachctl   2.12.0\npachd     2.12.3\n", ""});
  EXPECT_THAT(check(), ElementsAre("ok context: minikube", "ok version: Pachyderm 2.12.3"));
  EXPECT_EQ(m_runner.calls().at(1), "10000 " + m_pachctl.string() + " " + k_version);
  EXPECT_THAT(check("other"), ElementsAre("ok context: other", "ok version: Pachyderm 2.12.3"));
}

TEST_F(DoctorCluster, AClientOfAnotherReleaseIsAWarning) {
  answer(k_version, {0, "pachctl 2.11.9\npachd 2.12.0\n", ""});
  EXPECT_EQ(check("c").at(1),
            "warning version: Pachyderm 2.12.0, but pachctl is 2.11.9 | install pachctl 2.12.0");
  answer(k_version, {0, "pachd 2.12.0\n", ""});
  EXPECT_EQ(check("c").at(1), "ok version: Pachyderm 2.12.0");
  answer(k_version, {0, "pachctl 2.12.0\n", ""});
  EXPECT_EQ(check("c").at(1), "ok version: it answers");
  answer(k_version, {0, "pachctl dev\npachd 2.12.0\n", ""});
  EXPECT_EQ(check("c").at(1),
            "warning version: Pachyderm 2.12.0, but pachctl is dev | install pachctl 2.12.0");
}

TEST_F(DoctorCluster, ThatDoesNotAnswerIsBad) {
  answer("config get active-context", {0, "c\n", ""});
  answer(k_version, {exit_status(1), "", "connection refused\n"});
  EXPECT_THAT(check(), ElementsAre("ok context: c",
                                   "problem version: the cluster does not answer: connection refused | "
                                   "pachctl version, pachctl config get active-context"));
  answer("config get active-context", {exit_status(1), "", "no active context\n"});
  EXPECT_THAT(check(), ElementsAre("problem context: no active context | pachctl connect grpc://HOST:PORT"));
}

TEST_F(DoctorCluster, WithoutPachctlIsToldByTheTools) {
  ::setenv("PACHCTL", "/nowhere/pachctl", 1);
  EXPECT_TRUE(check().empty());
}

}  // namespace
}  // namespace doctor
