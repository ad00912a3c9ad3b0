// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/go.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <csignal>

#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/source_digest.h"
#include "builder-runtime/milestone.h"

namespace builder::go {
namespace {

using base::ErrorKind;

constexpr char k_go_hint[] = "install Go (https://go.dev/dl), or build in an image that has it";
constexpr char k_program[] = "main";

struct Toolchain {
  std::string go;            // the program
  std::string version;       // "go1.26.8"
  std::string architecture;  // what it builds for
};

bool has_flag(const process::Environment& environment, const std::string& flag) {
  return value_of(environment, "GOFLAGS").find(flag) != std::string::npos;
}

// Where Go keeps things; all other GO… variables are the user's settings.
bool is_place(const std::string& name) {
  for (const auto* place : {"GOCACHE", "GOMODCACHE", "GOPATH", "GOTMPDIR", "GOBIN", "GOROOT", "GOPROXY",
                            "GOAUTH", "GOMAXPROCS", "GOMEMLIMIT"}) {
    if (name == place) return true;
  }
  return false;
}

// A static binary unless the user asks for C; caches below ours; no workspace of a folder above the source.
process::Environment go_environment(const Source& source, const Tools& tools) {
  auto environment = tools.settings().environment;
  const fs::path cache = tools.settings().cache / "go";
  environment.emplace("GOCACHE", (cache / "build").string());
  environment.emplace("GOMODCACHE", (cache / "mod").string());
  environment.emplace("GOPATH", (cache / "path").string());
  environment.emplace("CGO_ENABLED", "0");
  if (!is_file(source.folder / "go.work")) environment.emplace("GOWORK", "off");
  // Go takes the current folder's name from here, so that messages have the path that the user knows.
  environment["PWD"] = source.folder.string();
  return environment;
}

// What this very go program is, whatever the environment and the go.mod ask for.
base::Result<Toolchain> find_toolchain(const Tools& tools) {
  BASE_TRY_ASSIGN(const std::string go, tools.find("go", k_go_hint));
  BASE_TRY_ASSIGN(const std::string answer,
                  tools.ask({go, "version"}, {{"GOTOOLCHAIN", "local"}, {"GOENV", "off"}, {"HOME", "/"}}));
  // "go version go1.26.8 linux/amd64"
  const auto words = base::split(base::trim(answer), ' ');
  if (words.size() < 4) return base::fail(ErrorKind::unavailable, go, "does not say its version", k_go_hint);
  const auto chosen = value_of(tools.settings().environment, "GOARCH");
  return Toolchain{go, words[2], chosen.empty() ? architecture() : chosen};
}

base::Result<std::string> key_of(const Source& source, const Tools& tools, const Toolchain& toolchain) {
  base::Sha256 key;
  key.update_field(key_base("go"));
  key.update_field(toolchain.version);
  const auto& environment = tools.settings().environment;
  for (const auto& [name, value] : environment) {
    if ((name.rfind("GO", 0) != 0 && name.rfind("CGO_", 0) != 0) || is_place(name)) continue;
    key.update_field(name);
    key.update_field(value);
  }
  // What "go env -w" wrote.
  const auto config = value_of(environment, "XDG_CONFIG_HOME");
  const auto file = value_of(environment, "GOENV");
  const fs::path standard =
      (config.empty() ? fs::path(value_of(environment, "HOME")) / ".config" : fs::path(config)) / "go" /
      "env";
  const auto content = base::read_file(file.empty() ? standard : fs::path(file));
  key.update_field(content ? *content : "none");
  BASE_TRY_ASSIGN(const std::string digest, digest_of_folder(source.folder));
  key.update_field(digest);
  return key.finish();
}

std::vector<std::string> build_arguments(const std::string& go, const process::Environment& environment,
                                         const fs::path& folder) {
  // No paths and no version control in the binary, no cache that cannot be deleted.
  std::vector<std::string> arguments = {go, "build", "-trimpath", "-buildvcs=false", "-modcacherw"};
  // No symbol tables: a third of the size; tracebacks have their names and lines all the same. The user's
  // own ldflags would be lost by ours.
  if (!has_flag(environment, "-ldflags")) arguments.emplace_back("-ldflags=-s -w -buildid=");
  arguments.insert(arguments.end(), {"-o", folder.string() + "/", "."});
  return arguments;
}

base::Error build_error(const process::Ending& ending) {
  base::Error error{ErrorKind::step_failed, "go build", "ended with " + ending.describe(),
                    "what is wrong is said in Go's own lines above"};
  if (ending.signal() == SIGKILL)
    error.hint = "the memory limit of the container may be too low for this build";
  return error;
}

// Go names the program after the module: the one file in the folder becomes bin/main.
base::Status name_program(const fs::path& folder) {
  boost::system::error_code error;
  const fs::directory_iterator first(folder, error);
  if (error || first == fs::directory_iterator()) {
    return base::fail(ErrorKind::bug, "go build", "made no program and said nothing");
  }
  return base::rename_path(first->path(), folder / k_program);
}

// The modules in the program, from the program itself: "golang.org/x/net v0.30.0".
base::Result<std::vector<std::string>> modules_of(const fs::path& program, const std::string& go,
                                                  const Tools& tools) {
  BASE_TRY_ASSIGN(const auto finished,
                  tools.run({.arguments = {go, "version", "-m", program.string()},
                             .environment = {{"GOTOOLCHAIN", "local"}, {"GOENV", "off"}, {"HOME", "/"}},
                             .folder = "/"}));
  std::vector<std::string> modules;
  for (const auto& line : base::split(finished.output, '\n')) {
    // Tab, "dep" (or "=>" for what replaces it), path, version, sum.
    const auto words = base::split(base::trim(line), '\t');
    if (words.size() >= 3 && words[0] == "dep") modules.push_back(words[1] + " " + words[2]);
  }
  std::sort(modules.begin(), modules.end());
  return modules;
}

base::Result<MadeTree> make_program(const Source& source, const Toolchain& toolchain, const Tools& tools,
                                    const fs::path& tree) {
  Milestone milestone("compile");
  const fs::path folder = tree / "bin";
  BASE_TRY(base::make_folders(folder, base::k_owner_writes));
  const auto environment = go_environment(source, tools);
  BASE_TRY_ASSIGN(const auto finished,
                  tools.run({.arguments = build_arguments(toolchain.go, environment, folder),
                             .environment = environment,
                             .folder = source.folder}));
  if (!finished.ending.succeeded()) return base::fail(build_error(finished.ending));
  BASE_TRY(name_program(folder));
  BASE_TRY_ASSIGN(auto modules, modules_of(folder / k_program, toolchain.go, tools));
  milestone.reached("built with " + base::count_of(modules.size(), "module"));
  return MadeTree{std::move(modules), {}};
}

}  // namespace

bool may_be(const fs::path& source) {
  const auto files = read_go_files(source);
  return files && !files->empty();
}

base::Result<std::string> describe(const Source& source) {
  const auto folder = source.folder.string();
  BASE_TRY_ASSIGN(const auto files, read_go_files(source.folder));
  if (files.empty()) {
    return base::fail(ErrorKind::bad_input, folder, "has no Go files at its root",
                      "the program is package main beside go.mod");
  }
  if (!is_file(source.folder / "go.mod")) {
    return base::fail(ErrorKind::bad_input, folder, "has no go.mod",
                      "make it: go mod init NAME && go mod tidy");
  }
  const auto main_file =
      std::find_if(files.begin(), files.end(), [](const auto& f) { return f.package == "main"; });
  // A file without a clause is Go's to complain about.
  const auto odd_file =
      std::find_if(files.begin(), files.end(), [](const auto& f) { return f.package.empty(); });
  if (main_file == files.end() && odd_file == files.end()) {
    return base::fail(
        ErrorKind::bad_input, folder,
        "has no package main at its root: " + files.front().name + " is package " + files.front().package,
        "a pipeline runs a program: make it package main with a function main");
  }
  BASE_TRY_ASSIGN(const std::string go_mod, base::read_file(source.folder / "go.mod"));
  if (const auto outside = replacement_outside(go_mod); !outside.empty()) {
    return base::fail(ErrorKind::bad_input, (source.folder / "go.mod").string(),
                      "replaces a module by " + outside + ", which is outside the source",
                      "only what is below transform.build.path is built: put the folder there");
  }
  return "module " + module_path(go_mod);
}

base::Result<Plan> plan(const Source& source, const Tools& tools) {
  BASE_TRY_ASSIGN(const Toolchain toolchain, find_toolchain(tools));
  Plan plan;
  BASE_TRY_ASSIGN(plan.key, key_of(source, tools, toolchain));
  plan.platform = {.os = "linux", .architecture = toolchain.architecture};
  plan.start.command = {k_program};
  plan.make = [source, toolchain, &tools](const fs::path& tree) {
    return make_program(source, toolchain, tools, tree);
  };
  return plan;
}

}  // namespace builder::go
