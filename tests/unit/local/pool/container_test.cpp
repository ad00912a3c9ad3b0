// SPDX-License-Identifier: Apache-2.0
// What is asked of a container engine, by a script that stands in for it.
#include "pachbuild/local/pool/container.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <map>
#include <optional>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/local/pool/worker_host.h"
#include "process/interruption.h"

namespace local {
namespace {

class FindContainer : public testing::Test {
 protected:
  FindContainer() {
    EXPECT_TRUE(base::write_file(
        path("engine"),
        "#!/bin/sh\ncd '" + m_folder.path().string() +
            "'\necho \"$*\" >> asked\ncase \"$1 $2\" in\n'image inspect') cat id 2> none;;\n'images "
            "--quiet') [ -e "
            "works ] || { echo first >&2; echo 'no daemon ' >&2; exit 1; };;\npull*) [ -e pulls ] && echo ' "
            "sha256:new ' > id;;\nesac\n",
        0755));
    if (const char* const before = std::getenv("PATH")) m_path = before;
    ::setenv("PATH", (m_folder.path().string() + ":" + m_path).c_str(), 1);
  }
  ~FindContainer() override { ::setenv("PATH", m_path.c_str(), 1); }
  [[nodiscard]] base::fs::path path(const std::string& name) const { return m_folder.path() / name; }
  void put(const std::string& name, const std::string& content = "") const {
    ASSERT_TRUE(base::write_file(path(name), content));
  }
  std::string find(Pull pull, const std::string& engine = "engine") {
    static_cast<void>(base::remove_tree(path("asked")));
    const auto container = find_container(engine, "image:1", pull, m_interruption);
    std::string text = container ? container->engine + " " + container->image + " " + container->image_id
                                 : base::format_error(container.error());
    base::replace_all(text, m_folder.path().string(), "TMP");
    return text;
  }
  [[nodiscard]] std::string asked() const { return base::read_file(path("asked")).value_or(""); }

  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "engine.").value();
  std::string m_path;
  process::Interruption m_interruption = process::Interruption::watch().value();
};

TEST_F(FindContainer, AnImageThatIsThereIsNotPulled) {
  put("id", "sha256:0123\n");
  for (const auto pull : {Pull::never, Pull::when_missing}) {
    EXPECT_EQ(find(pull), "TMP/engine image:1 sha256:0123");
    EXPECT_EQ(asked(), "image inspect --format {{.Id}} image:1\n");
  }
}

TEST_F(FindContainer, AnImageThatIsMissingIsPulledWhereThatIsAskedFor) {
  put("works");
  const std::string none =
      "error: image:1: engine has no image with that name\nhint: pull it with --pull; official builder "
      "images can also be "
      "built with scripts/images build\n";
  EXPECT_EQ(find(Pull::never), none);
  EXPECT_EQ(asked(), "image inspect --format {{.Id}} image:1\nimages --quiet\n");
  EXPECT_EQ(find(Pull::when_missing), "error: image:1: cannot be pulled\nhint: see the output above\n");
  put("pulls");
  EXPECT_EQ(find(Pull::when_missing), "TMP/engine image:1 sha256:new");
  EXPECT_EQ(
      asked(),
      "image inspect --format {{.Id}} image:1\nimages --quiet\npull image:1\nimage inspect --format {{.Id}} "
      "image:1\n");
}

TEST_F(FindContainer, AnEngineThatDoesNotWorkIsToldApart) {
  EXPECT_EQ(
      find(Pull::when_missing),
      "error: TMP/engine: does not work: no daemon\nhint: start its service, or try another --runtime\n");
  EXPECT_EQ(find(Pull::never, "no-such-engine"),
            "error: no-such-engine: is not on PATH\nhint: install it, or omit --runtime\n");
}

TEST(NetworkEnvironment, HasTheMachinesProxiesAndCertificates) {
  const std::vector<const char*> names = {"http_proxy",  "https_proxy", "no_proxy",      "HTTP_PROXY",
                                          "HTTPS_PROXY", "NO_PROXY",    "SSL_CERT_FILE", "OTHER_PROXY"};
  std::map<std::string, std::string> before;
  for (const char* const name : names) {
    if (const char* const value = std::getenv(name)) before[name] = value;
    ::unsetenv(name);
  }
  EXPECT_EQ(network_environment(), process::Environment());
  process::Environment expected;
  for (const char* const name : names) {
    ::setenv(name, (std::string("value of ") + name).c_str(), 1);
    expected[name] = std::string("value of ") + name;
  }
  expected.erase("OTHER_PROXY");
  expected.erase("SSL_CERT_FILE");
  EXPECT_EQ(network_environment(), expected) << "there is no such file";
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "network.").value();
  ASSERT_TRUE(base::write_file(folder.path() / "crt", ""));
  ::setenv("SSL_CERT_FILE", (folder.path() / "crt").c_str(), 1);
  ::setenv("no_proxy", "", 1);
  expected.erase("no_proxy");
  for (const char* const name : {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"})
    expected[name] = "/run/pachbuild/ca-certificates.crt";
  EXPECT_EQ(network_environment(), expected);
  EXPECT_EQ(containers_of({}, {})->environment("/cache"), expected);
  for (const char* const name : names) ::unsetenv(name);
  for (const auto& [name, value] : before) ::setenv(name.c_str(), value.c_str(), 1);
}

using Words = std::vector<std::string>;

class ContainerWords : public testing::Test {
 protected:
  ContainerWords() {
    if (const char* const value = std::getenv("SSL_CERT_FILE")) m_before = value;
    ::unsetenv("SSL_CERT_FILE");
  }
  ~ContainerWords() override {
    m_before ? ::setenv("SSL_CERT_FILE", m_before->c_str(), 1) : ::unsetenv("SSL_CERT_FILE");
  }
  // The words of a worker's command, or the error.
  [[nodiscard]] Words words(const std::vector<SharedFolder>& shared) const {
    const auto command = worker_command(m_container, shared, m_user,
                                        {.name = "name",
                                         .folder = "/cache/worker-1",
                                         .socket = "/cache/worker-1/socket",
                                         .program = "/usr/bin/pachbuild"});
    if (!command) return {base::format_error(command.error())};
    EXPECT_EQ(command->environment, process::current_environment());
    EXPECT_EQ(command->orphan_signal, SIGKILL);
    return command->arguments;
  }
  // With these between those that are always the same.
  [[nodiscard]] Words with(const Words& mounts, const std::string& user = "") const {
    const std::string own = std::to_string(::geteuid()) + ":" + std::to_string(::getegid());
    Words all = {m_container.engine,
                 "run",
                 "--rm",
                 "--name=name",
                 "--pull=never",
                 "--log-driver=none",
                 "--network=host",
                 "--security-opt=label=disable",
                 "--user=" + (user.empty() ? own : user)};
    if (::geteuid() != 0 && m_container.engine.ends_with("/podman")) all.emplace_back("--userns=keep-id");
    all.emplace_back("--mount=type=bind,source=/usr/bin/pachbuild,target=/run/pachbuild/pachbuild,readonly");
    all.emplace_back("--mount=type=bind,source=/cache/worker-1/pfs,target=/pfs");
    all.insert(all.end(), mounts.begin(), mounts.end());
    const Words rest = {"--entrypoint=/run/pachbuild/pachbuild", "sha256:1", "worker",
                        "/run/pachbuild/host/cache/worker-1/socket", "/run/pachbuild/host/cache/worker-1"};
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
  }
  std::optional<std::string> m_before;
  Container m_container{.engine = "/usr/bin/docker", .image = "image", .image_id = "sha256:1"};
  std::optional<uid_t> m_user;
};

TEST_F(ContainerWords, NameTheImageTheUserAndWhatIsShared) {
  EXPECT_EQ(words({}), with({}));
  EXPECT_EQ(words({{"/data"}, {"/own", true}, {"/data"}}),
            with({"--mount=type=bind,source=/data,target=/run/pachbuild/host/data,readonly",
                  "--mount=type=bind,source=/own,target=/run/pachbuild/host/own"}))
      << "each once";
  EXPECT_EQ(words({{.path = "/certificates", .inside = "/etc/ca"}, {"/own", true, "/own"}}),
            with({"--mount=type=bind,source=/certificates,target=/etc/ca,readonly",
                  "--mount=type=bind,source=/own,target=/own"}));
  m_container.memory_folders = {"/secrets", "/more"};
  EXPECT_EQ(words({}),
            with({"--mount=type=tmpfs,destination=/secrets", "--mount=type=tmpfs,destination=/more"}));
  m_container.memory_folders.clear();
  m_container.engine = "/usr/bin/podman";
  EXPECT_EQ(words({}), with({}));
  m_user = 1234;
  EXPECT_EQ(words({}), with({}, "1234:1234"));
}

TEST_F(ContainerWords, TheMachinesCertificatesAreMounted) {
  const auto folder = base::TemporaryFolder::make(testing::TempDir(), "container.").value();
  const auto file = (folder.path() / "crt").string();
  ::setenv("SSL_CERT_FILE", file.c_str(), 1);
  EXPECT_EQ(words({}), with({})) << "it is not there";
  ASSERT_TRUE(base::write_file(file, ""));
  EXPECT_EQ(words({}), with({"--mount=type=bind,source=" + file +
                             ",target=/run/pachbuild/ca-certificates.crt,readonly"}));
}

TEST_F(ContainerWords, AFolderWithACommaCannotBeMounted) {
  EXPECT_EQ(
      words({{"/a,b"}}),
      Words{"error: /a,b: has a comma, which a container's mounts cannot have\nhint: rename it, or omit "
            "--runtime\n"});
}

TEST(Places, DifferInWhatTasksSee) {
  Task task;
  task.output = "/out";
  task.inputs = {{.name = "in", .root = "/data"}};
  const auto here = this_machine();
  EXPECT_EQ(here->seen_inside(task).output, "/out");
  EXPECT_EQ(here->folder(), "/");
  EXPECT_FALSE(here->kill("name"));
  const auto inside = containers_of({.engine = "/bin/true", .image = "i", .image_id = "x"}, {});
  EXPECT_EQ(inside->seen_inside(task).output, "/run/pachbuild/host/out");
  EXPECT_EQ(inside->seen_inside(task).inputs[0].root, "/run/pachbuild/host/data");
  EXPECT_EQ(inside->folder(), "");
  EXPECT_TRUE(inside->kill("name"));
  EXPECT_GT(inside->patience(), here->patience());
}

}  // namespace
}  // namespace local
