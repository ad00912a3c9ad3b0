// SPDX-License-Identifier: Apache-2.0
// What docker, podman and buildah are called with, and what is made of their answers.
#include "pachbuild/image/tool.h"

#include <gmock/gmock.h>

#include <boost/filesystem/operations.hpp>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/image/publish.h"

namespace image {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using Calls = std::vector<std::string>;

// Stands in for each of the tools: notes its calls and the login that it was given, and answers as they do.
constexpr char k_script[] = R"sh(#!/bin/sh
room=ROOM
echo "${0##*/} $*" >> "$room/calls"
if [ -s "$room/fail" ] && echo "$*" | grep -q "$(cat "$room/fail")"; then echo refused >&2; exit 3; fi
asked="$*"
while [ $# -gt 0 ]; do
  case "$1" in
    --iidfile) echo sha256:0123456789abcdef > "$2" ;;
    --digestfile) echo sha256:d1 > "$2" ;;
    --authfile) cp "$2" "$room/login"; stat -c %a "$2" > "$room/mode" ;;
    --config) cp "$2/config.json" "$room/login"; stat -c %a "$2/config.json" > "$room/mode"
      readlink "$2/contexts" > "$room/contexts" ;;
  esac
  shift
done
case "$asked" in
  *RepoDigests*) cat "$room/digests" ;;
  *inspect*) cat "$room/id" ;;
esac
)sh";

class Variable {
 public:
  Variable(const char* name, const std::string& value) : m_name(name) {
    const char* const before = std::getenv(name);
    m_was_set = before != nullptr;
    m_before = m_was_set ? before : "";
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { m_was_set ? ::setenv(m_name, m_before.c_str(), 1) : ::unsetenv(m_name); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* m_name;
  bool m_was_set;
  std::string m_before;
};

class ImageTools : public testing::Test {
 protected:
  ImageTools() {
    write("id", "sha256:0123456789abcdef\n");
    write("digests", "");
    write("fail", "");
    write("docker/config.json", "{}");
  }
  [[nodiscard]] base::fs::path room() const { return m_folder.path(); }
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(base::make_folders((room() / name).parent_path()));
    ASSERT_TRUE(base::write_file(room() / name, text));
  }
  void install(const std::string& tool) const {
    std::string script = k_script;
    base::replace_all(script, "ROOM", "'" + room().string() + "'");
    ASSERT_TRUE(base::make_folders(room() / "bin"));
    ASSERT_TRUE(base::write_file(room() / "bin" / tool, script, 0755));
  }
  base::Result<Tool> find(const std::string& name = "") {
    return Tool::find(name, room() / "scratch", m_runner);
  }
  Tool tool(const std::string& name) {
    install(name);
    return find(name).value();
  }
  // Since the last time, without what is another one each time.
  [[nodiscard]] Calls calls() const {
    Calls all;
    for (auto call : base::split(base::read_file(room() / "calls").value_or(""), '\n')) {
      if (call.empty()) continue;
      for (const std::string option : {"--iidfile ", "--digestfile ", "--authfile ", "--config "}) {
        const auto at = call.find(option);
        if (at == std::string::npos) continue;
        const auto begin = at + option.size();
        call.replace(begin, std::min(call.find(' ', begin), call.size()) - begin, "FILE");
      }
      base::replace_all(call, room().string(), "ROOM");
      all.push_back(call);
    }
    write("calls", "");
    return all;
  }
  [[nodiscard]] std::string text_in(const std::string& name) const {
    return std::string(base::trim(base::read_file(room() / name).value_or("none")));
  }
  static std::string told(const base::Error& error) {
    return std::to_string(static_cast<int>(error.kind)) + " " + base::format_error(error);
  }

  const std::string m_failed = std::to_string(static_cast<int>(base::ErrorKind::step_failed)) + " error: ";
  base::TemporaryFolder m_folder = base::TemporaryFolder::make(testing::TempDir(), "tools.").value();
  const Variable m_path{"PATH", (room() / "bin").string() + ":/usr/bin:/bin"};
  const Variable m_config{"DOCKER_CONFIG", (room() / "docker").string()};
  process::SystemRunner m_runner;
};

TEST_F(ImageTools, TheFirstThatIsThereIsUsed) {
  const std::string path_before = (room() / "bin").string() + ":/usr/bin:/bin";
  const Variable path("PATH", (room() / "bin").string());
  const auto none = find();
  ASSERT_FALSE(none);
  const std::string kind = std::to_string(static_cast<int>(base::ErrorKind::unavailable));
  const std::string rest = ": is not on PATH\nhint: one of the three builds and pushes images: install it\n";
  EXPECT_EQ(told(none.error()), kind + " error: docker, podman, buildah" + rest);
  install("buildah");
  EXPECT_TRUE(find());
  EXPECT_TRUE(find("buildah"));
  const auto podman = find("podman");
  ASSERT_FALSE(podman);
  EXPECT_EQ(told(podman.error()), kind + " error: podman" + rest);
  for (const std::string name : {"podman", "docker"}) {
    install(name);
    const auto found = find().value();
    const Variable whole("PATH", path_before);  // of the script's own programs
    EXPECT_TRUE(found.id_of("x")) << name;
    EXPECT_EQ(calls(), Calls{name + " image inspect --format {{.Id}} x"});
  }
}

TEST_F(ImageTools, BuildAnImageAndGiveItsId) {
  for (const auto& [name, layers] :
       std::map<std::string, std::string>{{"docker", ""}, {"podman", ""}, {"buildah", "--layers "}}) {
    const auto one = tool(name);
    EXPECT_EQ(one.build("/x/Dockerfile", "/x").value(), "sha256:0123456789abcdef");
    EXPECT_EQ(calls(), Calls{name + " build --iidfile FILE --file /x/Dockerfile " + layers + "/x"});
  }
  write("fail", "build");
  EXPECT_EQ(
      told(tool("podman").build("/x/Dockerfile", "/x").error()),
      m_failed + "podman: building /x/Dockerfile failed with exit code 3\nhint: see its output above\n");
  EXPECT_TRUE(base::fs::is_empty(room() / "scratch"));
}

TEST_F(ImageTools, KnowTheIdOfAnImage) {
  const std::string id = "sha256:0123456789abcdef";
  for (const std::string name : {"docker", "podman"}) {
    EXPECT_EQ(tool(name).id_of("a:1").value(), id);
    EXPECT_EQ(calls(), Calls{name + " image inspect --format {{.Id}} a:1"});
  }
  write("id", "0123456789abcdef\n");  // as podman and buildah have it
  EXPECT_EQ(tool("podman").id_of("a:1").value(), id);
  static_cast<void>(calls());
  EXPECT_EQ(tool("buildah").id_of("a:1").value(), id);
  EXPECT_EQ(calls(), Calls{"buildah inspect --type image --format {{.FromImageID}} a:1"});
  write("fail", "inspect");
  EXPECT_EQ(told(tool("podman").id_of("a:1").error()),
            std::to_string(static_cast<int>(base::ErrorKind::bad_input)) +
                " error: a:1: is not on this machine: refused\nhint: build it first, or use --build\n");
}

TEST_F(ImageTools, PushAnImageAndGiveItsDigest) {
  const std::string reference = "h:5000/ann/map:1";
  for (const std::string name : {"podman", "buildah"}) {
    const auto one = tool(name);
    EXPECT_EQ(one.push("sha256:01", reference).value(), "sha256:d1");
    EXPECT_EQ(calls(), Calls{name + " push --digestfile FILE sha256:01 docker://" + reference});
  }
  const auto docker = tool("docker");
  const Calls all = {"docker tag sha256:01 " + reference, "docker push " + reference,
                     "docker image inspect --format {{range .RepoDigests}}{{println .}}{{end}} " + reference};
  write("digests", "h:5000/ann/map2@sha256:d2\nx/h:5000/ann/map@sha256:d3\nh:5000/ann/map@sha256:d4\n\n");
  EXPECT_EQ(docker.push("sha256:01", reference).value(), "sha256:d4");
  EXPECT_EQ(calls(), all);
  write("digests", "h:5000/ann/map2@sha256:d2\n\n");
  EXPECT_EQ(told(docker.push("sha256:01", reference).error()),
            m_failed + "docker: has no digest for " + reference + " after pushing it\n");
  static_cast<void>(calls());
  const std::vector<std::tuple<std::string, std::size_t, std::string>> rows = {
      {"^tag", 1, "tagging failed with exit code 3\nhint: see its output above\n"},
      {"^push", 2, "pushing " + reference + " failed with exit code 3\nhint: see its output above\n"},
      {"^image", 3, "refused\n"}};
  for (const auto& [failing, count, what] : rows) {
    write("fail", failing);
    EXPECT_EQ(told(docker.push("sha256:01", reference).error()), m_failed + "docker: " + what);
    EXPECT_EQ(calls(), Calls(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)));
  }
  const auto podman = tool("podman");
  write("fail", "^push");
  EXPECT_EQ(told(podman.push("sha256:01", reference).error()), m_failed + "podman: " + std::get<2>(rows[1]));
  EXPECT_EQ(text_in("login"), "none");
}

TEST_F(ImageTools, LogInForAPushOnly) {
  const std::string auth = "YW5uOnNlY3JldA==";  // base64(1) of ann:secret
  write("docker/config.json", R"({"currentContext": "mine", "auths": {"other": {}}})");
  write("digests", "h/map@sha256:d4\n");
  auto docker = tool("docker");
  docker.log_in("h", "ann", "secret");
  EXPECT_TRUE(docker.push("sha256:01", "h/map:1"));
  EXPECT_EQ(calls().at(1), "docker --config FILE push h/map:1");
  EXPECT_EQ(json::parse(text_in("login")),
            (json{{"auths", {{"h", {{"auth", auth}}}}}, {"currentContext", "mine"}}));
  EXPECT_EQ(text_in("mode"), "600");
  EXPECT_EQ(text_in("contexts"), (room() / "docker/contexts").string());
  // What docker calls its own registry.
  docker.log_in("docker.io", "ann", "secret");
  write("digests", "docker.io/map@sha256:d4\n");
  for (const std::string config : {"{}", "[]", "{"}) {
    write("docker/config.json", config);
    EXPECT_TRUE(docker.push("sha256:01", "docker.io/map:1"));
    EXPECT_EQ(json::parse(text_in("login")),
              (json{{"auths",
                     {{"docker.io", {{"auth", auth}}}, {"https://index.docker.io/v1/", {{"auth", auth}}}}}}))
        << config;
  }
  // Without a folder of its own it is the home's.
  {
    const Variable unset("DOCKER_CONFIG", "");
    const Variable home("HOME", room().string());
    write(".docker/config.json", R"({"currentContext": "home"})");
    EXPECT_TRUE(docker.push("sha256:01", "docker.io/map:1"));
    EXPECT_EQ(json::parse(text_in("login")).value("currentContext", ""), "home");
    EXPECT_EQ(text_in("contexts"), (room() / ".docker/contexts").string());
  }
  static_cast<void>(calls());
  for (const std::string name : {"podman", "buildah"}) {
    auto one = tool(name);
    one.log_in("h", "ann", "secret");
    write("mode", "");
    EXPECT_TRUE(one.push("sha256:01", "h/map:1"));
    EXPECT_EQ(calls(), Calls{name + " push --authfile FILE --digestfile FILE sha256:01 docker://h/map:1"});
    EXPECT_EQ(json::parse(text_in("login")), (json{{"auths", {{"h", {{"auth", auth}}}}}}));
    EXPECT_EQ(text_in("mode"), "600");
  }
}

TEST_F(ImageTools, PublishEachImageOnce) {
  write("source/Dockerfile", "");
  write("other/Dockerfile", "");
  const auto podman = tool("podman");
  Publisher publisher(podman, {"h", "ann", ""});
  const auto source = room() / "source/Dockerfile";
  const std::string map = "h/ann/map:0123456789ab@sha256:d1";
  EXPECT_EQ(publisher.publish_dockerfile(source, "map:7").value(), map);
  EXPECT_EQ(publisher.publish_dockerfile(room() / "source/../source/Dockerfile", "map").value(), map);
  EXPECT_EQ(calls(),
            (Calls{"podman build --iidfile FILE --file ROOM/source/Dockerfile ROOM/source",
                   "podman push --digestfile FILE sha256:0123456789abcdef docker://h/ann/map:0123456789ab"}));
  // Under another name it is pushed and not built again, from another folder built as well.
  EXPECT_EQ(publisher.publish_dockerfile(source, "x/reduce").value(), "h/ann/reduce:0123456789ab@sha256:d1");
  EXPECT_EQ(calls(), Calls{"podman push --digestfile FILE sha256:0123456789abcdef "
                           "docker://h/ann/reduce:0123456789ab"});
  EXPECT_EQ(publisher.publish_dockerfile(room() / "other/Dockerfile", "map").value(), map);
  EXPECT_EQ(calls(), Calls{"podman build --iidfile FILE --file ROOM/other/Dockerfile ROOM/other"});
  EXPECT_EQ(publisher.publish_image("map").value(), map);
  EXPECT_EQ(calls(), Calls{"podman image inspect --format {{.Id}} map"});
  Publisher tagged(podman, {"h", "", "v1"});
  EXPECT_EQ(tagged.publish_image("old/map:2").value(), "h/map:v1@sha256:d1");
  const auto none = publisher.publish_dockerfile(room() / "none/Dockerfile", "map");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().kind, base::ErrorKind::bad_input);
  EXPECT_EQ(none.error().where, (room() / "none/Dockerfile").string());
  EXPECT_EQ(none.error().what, "cannot read: no such file or folder");
  // What failed is tried again.
  write("fail", "^push");
  EXPECT_FALSE(tagged.publish_image("other"));
  write("fail", "");
  EXPECT_EQ(tagged.publish_image("other").value(), "h/other:v1@sha256:d1");
  write("fail", "^build");
  write("third/Dockerfile", "");
  EXPECT_FALSE(publisher.publish_dockerfile(room() / "third/Dockerfile", "map"));
}

}  // namespace
}  // namespace image
