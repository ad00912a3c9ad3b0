// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <optional>

#include "about/version.h"
#include "base/text.h"
#include "contract/layout.h"
#include "pachbuild/doctor/checks.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "process/find_tool.h"

namespace doctor {
namespace {

namespace fs = base::fs;

constexpr char k_reinstall[] = "install all three programs of one release (docs/installing.md)";

std::string path_variable(const Machine& machine) { return process::value_of(machine.environment, "PATH"); }

// "builder-runtime 0.1.0 (2853b22 2026-11-26)" without the name.
std::string version_in(const std::string& line) {
  const auto space = line.find(' ');
  return space == std::string::npos ? line : line.substr(space + 1);
}

// "0.1.0" of that.
std::string number_in(const std::string& version) { return version.substr(0, version.find(' ')); }

// Finds one of the three programs in these folders, and compares its version with this one.
Finding check_own_program(const Machine& machine, const std::string& name,
                          const std::vector<fs::path>& places) {
  std::optional<std::string> path;
  for (const auto& place : places) {
    if (!path) path = process::find_program(place.string(), "");
  }
  if (!path)
    return problem(name, "not found beside pachbuild in " + places.front().parent_path().string(),
                   k_reinstall);
  const auto line = first_line(machine, {*path, "--version"});
  if (!line) return problem(name, "does not work: " + line.error().what + " (" + *path + ")", k_reinstall);
  const auto version = version_in(*line);
  const auto own = version_in(about::version_line("pachbuild"));
  if (number_in(version) != number_in(own)) {
    return problem(name, "version " + version + ", but pachbuild is " + own + " (" + *path + ")",
                   k_reinstall);
  }
  if (version != own) {
    return warning(
        name, "another build of the version: " + version + ", but pachbuild is " + own + " (" + *path + ")",
        k_reinstall);
  }
  return ok(name, version + ", " + *path);
}

constexpr char k_go[] = "go";
// Even `go version` writes usage statistics below these; without them it has no place for any.
constexpr std::array k_places_of_statistics = {"HOME", "XDG_CONFIG_HOME"};

enum class Need { optional, useful };

struct Tool {
  const char* name;
  std::vector<std::string> question;
  const char* purpose;
  const char* fix;
  Need need;
};

const std::vector<Tool>& tools() {
  static const std::vector<Tool> all = {
      {"uv",
       {"--version"},
       "Python pipelines with packages",
       "pipx install uv, or pip install uv in a virtual environment",
       Need::useful},
      {"python3", {"--version"}, "Python pipelines", "sudo apt-get install python3", Need::useful},
      {k_go, {"version"}, "Go pipelines", "install Go from https://go.dev/dl", Need::useful},
      {"git", {"--version"}, "dependencies from Git", "sudo apt-get install git", Need::useful},
      {"podman", {"--version"}, "--runtime podman", "sudo apt-get install podman", Need::optional},
      {"docker", {"--version"}, "--runtime docker", "sudo apt-get install docker.io", Need::optional},
      {"pachctl",
       {"version", "--client-only"},
       "clusters",
       "install the pachctl version that matches the cluster",
       Need::optional},
  };
  return all;
}

// "2.39.5" of "git version 2.39.5": from the first word with a digit on; all of it where none has one.
std::string without_words(const std::string& line) {
  const auto digit = line.find_first_of("0123456789");
  if (digit == std::string::npos) return line;
  const auto space = line.rfind(' ', digit);
  return space == std::string::npos ? line : line.substr(space + 1);
}

std::optional<std::string> find(const Machine& machine, const Tool& tool) {
  std::string name = tool.name;
  const auto named = process::value_of(machine.environment, "PACHCTL");
  if (name == "pachctl" && !named.empty()) name = named;
  return process::find_tool(name, path_variable(machine), machine.program.parent_path());
}

Finding check_tool(const Machine& machine, const Tool& tool, bool is_needed) {
  const std::string purpose = std::string("needed for ") + tool.purpose;
  const auto path = find(machine, tool);
  if (!path && is_needed) return problem(tool.name, "not found; " + purpose, tool.fix);
  if (!path && tool.need == Need::useful) return warning(tool.name, "not found; " + purpose, tool.fix);
  if (!path) return note(tool.name, "not found; only " + purpose);
  std::vector<std::string> arguments = {*path};
  arguments.insert(arguments.end(), tool.question.begin(), tool.question.end());
  Machine asked = machine;
  for (const auto* variable : k_places_of_statistics) asked.environment.erase(variable);
  const auto version =
      first_line(std::string_view(tool.name) == k_go ? asked : machine, std::move(arguments));
  if (version) return ok(tool.name, without_words(*version) + ", " + *path);
  const std::string what = "does not work: " + version.error().what + " (" + *path + ")";
  // A tool that is not needed cannot fail the examination.
  if (!is_needed && tool.need == Need::optional) return warning(tool.name, what, tool.fix);
  return problem(tool.name, what, tool.fix);
}

std::vector<std::string> official_images(const Machine& machine) {
  std::vector<std::string> names;
  for (const auto& language : spec::official_languages()) {
    spec::Transform transform;
    transform.build.language = language;
    names.push_back(
        spec::images_of(transform, process::value_of(machine.environment, "PACHBUILD_BUILDER_IMAGES"))
            .builder);
  }
  return names;
}

// podman puts "localhost/" before the name of an image that has no registry.
bool is_name_of(const std::string& listed, const std::string& image) {
  return listed == image || listed == "localhost/" + image;
}

Finding check_engine(const Machine& machine, const std::string& engine, const std::string& path) {
  const std::string check = engine + " images";
  const auto finished = ask(machine, {path, "images", "--format", "{{.Repository}}:{{.Tag}}"});
  if (!finished || !finished->ending.succeeded()) {
    const auto why = finished ? base::last_line(finished->errors) : finished.error().what;
    return warning(check, engine + " does not work: " + (why.empty() ? finished->ending.describe() : why),
                   engine == "docker" ? "sudo systemctl start docker" : "podman info");
  }
  std::vector<std::string> missing;
  std::vector<std::string> found;
  const auto listed = base::split(finished->output, '\n');
  for (const auto& image : official_images(machine)) {
    const bool is_there =
        std::any_of(listed.begin(), listed.end(), [&](const auto& one) { return is_name_of(one, image); });
    (is_there ? found : missing).push_back(image);
  }
  if (missing.empty()) return ok(check, base::join(found, ", "));
  const std::string there = found.empty() ? "" : base::join(found, ", ") + "; ";
  return note(check,
              there + "missing: " + base::join(missing, ", ") + "; only needed for --runtime " + engine);
}

}  // namespace

Findings check_own_programs(const Machine& machine) {
  const auto folder = machine.program.parent_path();
  return {ok("pachbuild", version_in(about::version_line("pachbuild")) + ", " + machine.program.string()),
          check_own_program(machine, "builder-runtime", {folder / "builder-runtime"}),
          check_own_program(machine, "worker-shim", {folder / contract::k_shim, contract::k_image_shim})};
}

Findings check_tools(const Machine& machine, Clusters clusters) {
  Findings findings;
  for (const auto& tool : tools()) {
    const bool is_needed = clusters == Clusters::wanted && std::string_view(tool.name) == "pachctl";
    findings.push_back(check_tool(machine, tool, is_needed));
  }
  return findings;
}

Findings check_images(const Machine& machine) {
  Findings findings;
  for (const std::string engine : {"podman", "docker"}) {
    if (const auto path = process::find_program(engine, path_variable(machine)))
      findings.push_back(check_engine(machine, engine, *path));
  }
  return findings;
}

}  // namespace doctor
