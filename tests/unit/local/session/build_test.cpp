// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/build.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <set>
#include <stdexcept>
#include <thread>

#include "base/digest.h"
#include "base/files.h"

namespace local {
namespace {

class BuildKey : public testing::Test {
 protected:
  BuildKey() {
    for (const auto* name : {"source", "other"}) EXPECT_TRUE(base::make_folders(m_folder.path() / name));
    m_spec.name = "p";
    m_spec.transform.build.language = "python";
    m_spec.transform.build.folder = m_folder.path() / "source";
    m_spec.transform.build.env = {{"A", "1"}};
  }
  using Change = std::function<void(spec::PipelineSpec&)>;
  [[nodiscard]] std::string key(const Change& change, const Container* container = nullptr) const {
    auto spec = m_spec;
    if (change) change(spec);
    return build_key(spec, container);
  }
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "build.").value();
  spec::PipelineSpec m_spec;
};

TEST_F(BuildKey, IsOfAllThatABuildCanSee) {
  std::set<std::string> keys = {key({})};
  EXPECT_EQ(key({}), *keys.begin());
  const Container container{.engine = "podman", .image = "a", .image_id = "sha256:1"};
  const Container other{.engine = "docker", .image = "b", .image_id = "sha256:1"};
  const Container newer{.engine = "podman", .image = "a", .image_id = "sha256:2"};
  const auto is_new = [&](const Change& change) { return keys.insert(key(change)).second; };
  EXPECT_TRUE(is_new([&](auto& spec) { spec.transform.build.folder = m_folder.path() / "other"; }));
  EXPECT_TRUE(is_new([](auto& spec) { spec.transform.build.language = "go"; }));
  EXPECT_TRUE(is_new([](auto& spec) { spec.transform.build.image = "image"; }));
  EXPECT_TRUE(is_new([&](auto& spec) {
    spec.transform.build.image = "./other";
    spec.transform.build.builder = m_folder.path() / "other";
  }));
  EXPECT_FALSE(is_new([&](auto& spec) {
    spec.transform.build.image = "../other";
    spec.transform.build.builder = m_folder.path() / "source/../other";
  })) << "the same folder";
  EXPECT_TRUE(is_new([](auto& spec) { spec.transform.build.largest_file = 7; }));
  EXPECT_TRUE(is_new([](auto& spec) { spec.transform.build.env["A"] = "2"; }));
  EXPECT_TRUE(is_new([](auto& spec) { spec.transform.build.env["B"] = ""; }));
  EXPECT_TRUE(is_new([](auto& spec) { spec.transform.build.env = {{"B", "1"}}; }));
  EXPECT_TRUE(is_new([](auto& spec) { spec.transform.build.env = {}; }));
  EXPECT_TRUE(is_new([](auto& spec) { spec.transform.build.data = {"a"}; }));
  EXPECT_TRUE(is_new([](auto& spec) { spec.transform.build.data = {"b"}; }));
  EXPECT_TRUE(is_new([](auto& spec) { spec.transform.build.data = {"b", "c"}; }));
  EXPECT_TRUE(is_new([](auto& spec) { spec.transform.cmd = {"python3", "/pfs/source/main.py"}; }));
  EXPECT_TRUE(keys.insert(key({}, &container)).second);
  EXPECT_FALSE(keys.insert(key({}, &other)).second) << "the same image";
  EXPECT_TRUE(keys.insert(key({}, &newer)).second);
  EXPECT_FALSE(
      is_new([&](auto& spec) { spec.transform.build.folder = m_folder.path() / "other/../source"; }));
  EXPECT_FALSE(is_new([](auto& spec) { spec.transform.env = {{"X", "of datums"}}; }));
}

TEST_F(BuildKey, HasThePipelinesNameWhereABuildMayUseIt) {
  const auto sees_name = [&](const Change& change) {
    return key(change) != key([&](auto& spec) {
             change(spec);
             spec.name = "q";
           });
  };
  EXPECT_TRUE(sees_name([](auto& spec) { spec.transform.build.language = "go"; }));
  EXPECT_TRUE(sees_name([](auto& spec) { spec.transform.build.language = "declared"; }));
  EXPECT_FALSE(sees_name([](auto& spec) { spec.transform.build.language = "python"; }));
  EXPECT_TRUE(sees_name([](auto& spec) { spec.transform.build.image = "image"; }));
  // With a command of its own Go chooses no program; one of the shim's is none.
  const auto with_command = [](const std::string& word) {
    return [=](auto& spec) {
      spec.transform.build.language = "go";
      spec.transform.cmd = {word};
    };
  };
  EXPECT_FALSE(sees_name(with_command("/pfs/build/tool")));
  EXPECT_TRUE(sees_name(with_command("worker-shim")));
  ASSERT_TRUE(base::write_file(m_folder.path() / "source/build.sh", ""));
  EXPECT_TRUE(sees_name([](auto&) {})) << "it may do anything";
}

TEST(ArtifactVersion, IsOfItsFilesAndOfBundlesByTheirNames) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "artifact.").value();
  const auto put = [&](const std::string& name, const std::string& content) {
    EXPECT_TRUE(base::make_folders((folder.path() / name).parent_path()));
    EXPECT_TRUE(base::write_file(folder.path() / name, content));
  };
  const auto version = [&] { return artifact_version(folder.path()).value(); };
  const std::string digest(64, 'a');
  const std::string bundle = "bundle-" + digest + ".tar.zst";
  put("run.sh", "1");
  put(bundle, "content");
  std::set<std::string> versions = {version()};
  put(bundle, "damaged");
  EXPECT_FALSE(versions.insert(version()).second) << "worker-shim verifies it";
  put("run.sh", "2");
  EXPECT_TRUE(versions.insert(version()).second);
  put("d/run.sh", "2");
  EXPECT_TRUE(versions.insert(version()).second);
  for (const auto& name : {"bundle-" + std::string(64, 'A') + ".tar.zst", "xundle-" + digest + ".tar.zst",
                           "bundle-" + digest + ".tar.zs", "d/" + bundle}) {
    put(name, "1");
    EXPECT_TRUE(versions.insert(version()).second) << name;
    put(name, "2");
    EXPECT_TRUE(versions.insert(version()).second) << name << ": its content counts";
  }
  EXPECT_FALSE(artifact_version(folder.path() / "none"));
}

TEST(BuildsOfASession, AreMadeOnceAndErrorsToldOnce) {
  Builds builds;
  int made = 0;
  const auto make = [&]() -> base::Result<Artifact> {
    ++made;
    Artifact artifact;
    artifact.version = std::to_string(made);
    return artifact;
  };
  EXPECT_EQ(builds.get("a", make)->version, "1");
  EXPECT_EQ(builds.get("b", make)->version, "2");
  EXPECT_EQ(builds.get("a", make)->version, "1");
  const auto fail = []() -> base::Result<Artifact> {
    return base::fail(base::ErrorKind::bad_input, "where", "what", "hint");
  };
  const auto first = builds.get("c", fail);
  EXPECT_EQ(first.error().what, "what");
  const auto second = builds.get("c", make);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, base::ErrorKind::bad_input);
  EXPECT_EQ(second.error().where + second.error().what + second.error().hint, "");
  EXPECT_THROW(
      static_cast<void>(builds.get("d", []() -> base::Result<Artifact> { throw std::runtime_error("bug"); })),
      std::runtime_error);
  EXPECT_EQ(builds.get("d", make).error().kind, base::ErrorKind::bug);
  EXPECT_EQ(made, 2);
}

TEST(BuildsOfASession, OthersWaitForTheFirst) {
  Builds builds;
  std::atomic<int> made = 0;
  std::atomic<bool> may_end = false;
  std::vector<std::string> versions(4);
  std::vector<std::thread> threads;
  for (auto& version : versions) {
    threads.emplace_back([&] {
      version = builds
                    .get("key",
                         [&]() -> base::Result<Artifact> {
                           ++made;
                           while (!may_end) std::this_thread::yield();
                           Artifact artifact;
                           artifact.version = "made";
                           return artifact;
                         })
                    ->version;
    });
  }
  while (made == 0) std::this_thread::yield();
  may_end = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(versions, std::vector<std::string>(4, "made"));
}

}  // namespace
}  // namespace local
