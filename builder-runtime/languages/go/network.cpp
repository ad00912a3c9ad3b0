// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/network.h"

#include "base/text.h"
#include "base/workspace.h"

namespace builder::go {
namespace {

namespace fs = base::fs;

// Of 2017, so no proxy is too far behind to have it.
constexpr char k_known_module[] = "golang.org/x/text@v0.3.0";

base::Result<process::Finished> ask_go(std::vector<std::string> arguments, const fs::path& folder,
                                       process::Environment environment, const Toolchain& toolchain,
                                       const Tools& tools) {
  arguments.insert(arguments.begin(), toolchain.go);
  environment["PWD"] = folder.string();
  return tools.run_quietly(
      {.arguments = std::move(arguments), .environment = std::move(environment), .folder = folder});
}

// Without any network: is what they import here?
base::Result<bool> has_modules(const BuildPlace& place, const Toolchain& toolchain,
                               const std::vector<std::string>& packages, const Tools& tools) {
  std::vector<std::string> arguments = {"list", k_no_version_control,           "-deps", "-e",
                                        "-f",   "{{with .Error}}missing{{end}}"};
  arguments.insert(arguments.end(), place.flags.begin(), place.flags.end());
  arguments.insert(arguments.end(), packages.begin(), packages.end());
  auto environment = place.environment;
  environment["GOPROXY"] = "off";
  BASE_TRY_ASSIGN(const auto finished,
                  ask_go(std::move(arguments), place.folder, std::move(environment), toolchain, tools));
  return finished.ending.succeeded() && base::trim(finished.output).empty();
}

// With an empty cache, so that an answer can only come from the proxy. A proxy that is a folder, and none at
// all, always answer; where modules come from their own servers nothing can be said.
base::Result<bool> proxy_answers(const BuildPlace& place, const Toolchain& toolchain, const Tools& tools) {
  // Outside of the source, whose go.mod may be what is wrong.
  auto environment = place.environment;
  for (const auto& [name, value] : process::Environment{
           {"GOTOOLCHAIN", "local"}, {"GOWORK", "off"}, {"GOFLAGS", "-modcacherw"}, {"GONOSUMDB", "*"}}) {
    environment[name] = value;
  }
  BASE_TRY_ASSIGN(const auto setting, ask_go({"env", "GOPROXY"}, "/", environment, toolchain, tools));
  if (!setting.output.starts_with("http")) return true;
  BASE_TRY_ASSIGN(const auto workspace, base::Workspace::make(tools.settings().cache / "work", "go-"));
  environment["GOMODCACHE"] = (workspace.path() / "mod").string();
  environment["GOPROXY"] = setting.output.substr(0, setting.output.find_first_of(",|\n"));
  BASE_TRY_ASSIGN(const auto finished,
                  ask_go({"list", "-m", k_known_module}, "/", std::move(environment), toolchain, tools));
  return finished.ending.succeeded();
}

}  // namespace

base::Error with_network_in_mind(base::Error failure, const BuildPlace& place, const Toolchain& toolchain,
                                 const std::vector<std::string>& packages, const Tools& tools) {
  if (!packages.empty() && has_modules(place, toolchain, packages, tools).value_or(true)) return failure;
  if (proxy_answers(place, toolchain, tools).value_or(true)) return failure;
  return {base::ErrorKind::network, failure.where,
          "modules are missing here and the module proxy does not answer",
          "check the network and the proxies that Go is set up for (GOPROXY, HTTPS_PROXY), then try again"};
}

}  // namespace builder::go
