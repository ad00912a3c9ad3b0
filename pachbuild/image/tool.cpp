// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/image/tool.h"

#include <unistd.h>

#include <array>
#include <boost/filesystem/operations.hpp>
#include <csignal>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"
#include "base/workspace.h"
#include "process/command.h"

namespace image {
namespace {

using base::ErrorKind;
using nlohmann::json;
namespace fs = base::fs;

constexpr std::array k_tools = {"docker", "podman", "buildah"};
constexpr mode_t k_private = 0600;

// The same format for all three: docker's config.json, containers-auth.json(5).
constexpr char k_config[] = "config.json";
// What docker calls docker.io in there.
constexpr char k_docker_hub[] = "https://index.docker.io/v1/";

// Another configuration of docker's still speaks to the engine that the person has chosen.
void use_docker_context(json& config, const fs::path& folder) {
  const auto environment = process::current_environment();
  const auto named = process::value_of(environment, "DOCKER_CONFIG");
  const fs::path own =
      named.empty() ? fs::path(process::value_of(environment, "HOME")) / ".docker" : fs::path(named);
  const auto text = base::read_file(own / k_config);
  const auto chosen = json::parse(text.value_or("{}"), nullptr, /*allow_exceptions=*/false);
  if (chosen.is_object() && chosen.contains("currentContext"))
    config["currentContext"] = chosen["currentContext"];
  boost::system::error_code ignored;
  fs::create_symlink(own / "contexts", folder / "contexts", ignored);
}

base::Result<std::string> read_line(const fs::path& file) {
  BASE_TRY_ASSIGN(const std::string text, base::read_file(file));
  return std::string(base::trim(text));
}

}  // namespace

base::Result<Tool> Tool::find(const std::string& name, const fs::path& scratch,
                              process::SystemRunner& runner) {
  const auto path = process::value_of(process::current_environment(), "PATH");
  for (const std::string tool : k_tools) {
    if (!name.empty() && name != tool) continue;
    if (auto program = process::find_program(tool, path))
      return Tool(tool, std::move(*program), scratch, runner);
  }
  return base::fail(ErrorKind::unavailable, name.empty() ? "docker, podman, buildah" : name, "is not on PATH",
                    "one of the three builds and pushes images: install it");
}

base::Status Tool::run(std::vector<std::string> words, const std::string& what) const {
  words.insert(words.begin(), m_program);
  process::Command command{
      .arguments = std::move(words), .environment = process::current_environment(), .folder = {}};
  command.standard_output = STDERR_FILENO;
  command.orphan_signal = SIGTERM;
  BASE_TRY_ASSIGN(const auto ending, m_runner->run_in_view(command));
  if (ending.succeeded()) return {};
  return base::fail(ErrorKind::step_failed, m_name, what + " failed with " + ending.describe(),
                    "see its output above");
}

base::Result<std::string> Tool::ask(std::vector<std::string> words) const {
  words.insert(words.begin(), m_program);
  process::Command command{
      .arguments = std::move(words), .environment = process::current_environment(), .folder = {}};
  command.orphan_signal = SIGKILL;  // it only looks
  BASE_TRY_ASSIGN(auto finished, m_runner->run(command, {}));
  if (!finished.ending.succeeded()) {
    return base::fail(ErrorKind::step_failed, m_name, std::string(base::trim(finished.errors)));
  }
  return std::string(base::trim(finished.output));
}

base::Result<std::string> Tool::build(const fs::path& dockerfile, const fs::path& context) const {
  BASE_TRY_ASSIGN(const auto folder, base::Workspace::make(m_scratch, "image-"));
  const fs::path id = folder.path() / "id";
  std::vector<std::string> words = {"build", "--iidfile", id.string(), "--file", dockerfile.string()};
  // As the others do without being told: what is unchanged is the same image, with the same id.
  if (m_name == "buildah") words.emplace_back("--layers");
  words.push_back(context.string());
  BASE_TRY(run(std::move(words), "building " + dockerfile.string()));
  return read_line(id);
}

base::Result<std::string> Tool::id_of(const std::string& image) const {
  auto id = m_name == "buildah" ? ask({"inspect", "--type", "image", "--format", "{{.FromImageID}}", image})
                                : ask({"image", "inspect", "--format", "{{.Id}}", image});
  if (!id) {
    return base::fail(ErrorKind::bad_input, image, "is not on this machine: " + id.error().what,
                      "build it first, or use --build");
  }
  return id->starts_with("sha256:") ? *id : "sha256:" + *id;
}

void Tool::log_in(const std::string& registry, const std::string& username, const std::string& password) {
  json config = {{"auths", {{registry, {{"auth", base::base64(username + ":" + password)}}}}}};
  if (registry == "docker.io") config["auths"][k_docker_hub] = config["auths"][registry];
  m_login = config.dump();
}

base::Status Tool::push_with_login(std::vector<std::string> words, const std::string& reference) const {
  if (m_login.empty()) return run(std::move(words), "pushing " + reference);
  BASE_TRY_ASSIGN(const auto folder, process::SecretFolder::make(m_scratch));
  json config = json::parse(m_login);
  if (is_docker()) use_docker_context(config, folder.path());
  const fs::path file = folder.path() / k_config;
  BASE_TRY(base::write_file(file, config.dump(), k_private));
  // An option of docker's own, and one of `push` of the others.
  const std::vector<std::string> options = is_docker()
                                               ? std::vector<std::string>{"--config", folder.path().string()}
                                               : std::vector<std::string>{"--authfile", file.string()};
  words.insert(words.begin() + (is_docker() ? 0 : 1), options.begin(), options.end());
  return run(std::move(words), "pushing " + reference);
}

base::Result<std::string> Tool::push(const std::string& id, const std::string& reference) const {
  if (is_docker()) {
    BASE_TRY(run({"tag", id, reference}, "tagging"));
    BASE_TRY(push_with_login({"push", reference}, reference));
    // "registry.example.com/team/map@sha256:…"
    BASE_TRY_ASSIGN(const std::string pushed, ask({"image", "inspect", "--format",
                                                   "{{range .RepoDigests}}{{println .}}{{end}}", reference}));
    const std::string repository = reference.substr(0, reference.rfind(':'));
    for (const auto& line : base::split(pushed, '\n')) {
      if (line.starts_with(repository + "@")) return line.substr(repository.size() + 1);
    }
    return base::fail(ErrorKind::step_failed, m_name, "has no digest for " + reference + " after pushing it");
  }
  BASE_TRY_ASSIGN(const auto folder, base::Workspace::make(m_scratch, "image-"));
  const fs::path digest = folder.path() / "digest";
  BASE_TRY(
      push_with_login({"push", "--digestfile", digest.string(), id, "docker://" + reference}, reference));
  return read_line(digest);
}

}  // namespace image
