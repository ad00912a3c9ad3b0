// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/network.h"

#include <fnmatch.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/credentials.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/go/module_fault.h"
#include "builder-runtime/missing.h"
#include "cache/builder_cache.h"

namespace builder::go {
namespace {

namespace fs = base::fs;

// Of 2017, so no proxy is too far behind to have it.
constexpr char k_known_module[] = "golang.org/x/text@v0.3.0";
// More are not named.
constexpr std::size_t k_most_named = 5;

// The go.mod that Go reads in the place.
fs::path file_of(const BuildPlace& place, const fs::path& source, const Decision& decision) {
  constexpr std::string_view k_flag = "-modfile=";
  for (const auto& flag : place.flags) {
    if (flag.starts_with(k_flag)) return flag.substr(k_flag.size());
  }
  if (decision.program.layout == Layout::bare) return place.folder / "go.mod";
  return module_file(source, decision.program, decision.variables);
}

// The packages that the program imports and that are not here, found without any network; nothing when Go
// cannot tell, or when they are not looked for in modules.
std::optional<std::vector<std::string>> missing_packages(const BuildPlace& place, const fs::path& source,
                                                         const Decision& decision, const Tools& tools) {
  const auto layout = decision.program.layout;
  if (layout == Layout::workspace || layout == Layout::vendored) return std::nullopt;
  const auto workspace = caches::make_workspace(tools.settings().cache);
  if (!workspace) return std::nullopt;
  // In a copy, so that what lacks a line in go.sum and is here does not count as missing.
  const fs::path file = file_of(place, source, decision);
  auto sums = file;
  sums.replace_extension(".sum");
  const auto& scratch = workspace->path();
  if (!base::write_file(scratch / "go.mod", base::read_input_file(file).value_or("")) ||
      !base::write_file(scratch / "go.sum", base::read_input_file(sums).value_or("")))
    return std::nullopt;
  std::vector<std::string> arguments = {
      "list", k_no_version_control, "-deps", "-e", "-f", "{{with .Error}}{{$.ImportPath}}{{end}}"};
  std::copy_if(place.flags.begin(), place.flags.end(), std::back_inserter(arguments),
               [](const std::string& flag) { return !flag.starts_with("-mod"); });
  const std::string modfile = "-modfile=" + (scratch / "go.mod").string();
  arguments.insert(arguments.end(), {"-mod=mod", modfile});
  for (const auto& argument : decision.program.arguments()) arguments.push_back(argument);
  auto environment = place.environment;
  environment["GOPROXY"] = "off";
  environment["GOVCS"] = "*:off";
  environment["GONOPROXY"] = "none";
  const auto finished = ask_go(std::move(arguments), place.folder, environment, decision, tools);
  if (!finished || !finished->ending.succeeded()) return std::nullopt;
  const auto modules = required_modules(base::read_input_file(file).value_or(""));
  const auto own = module_path(base::read_input_file(file).value_or(""));
  std::vector<std::string> missing;
  std::vector<std::string> question = {"list",  "-m",      "-e", "-f", "{{if not .Dir}}{{.Path}}{{end}}",
                                       modfile, "-mod=mod"};
  const auto options = question.size();
  for (auto& line : base::split(finished->output, '\n')) {
    // Go's own packages and the source's are not fetched.
    const bool is_fetched = base::contains(line.substr(0, line.find('/')), '.');
    if (!is_fetched || base::is_at_or_below(line, own)) continue;
    if (auto module = module_of(modules, line); !module.empty()) question.push_back(std::move(module));
    missing.push_back(std::move(line));
  }
  if (question.size() == options) return missing;
  // A module that is here may just not have the package.
  const auto answer = ask_go(std::move(question), place.folder, std::move(environment), decision, tools);
  if (!answer || !answer->ending.succeeded()) return std::nullopt;
  const auto absent = base::split(answer->output, '\n');
  std::erase_if(missing, [&](const std::string& package) {
    const auto module = module_of(modules, package);
    return !module.empty() && std::find(absent.begin(), absent.end(), module) == absent.end();
  });
  return missing;
}

struct Proxy {
  std::string setting;  // GOPROXY
  bool answers = true;
};

// With an empty cache, so that an answer can only come from the proxy. A proxy that is a folder, and none at
// all, always answer; where modules come from their own servers nothing can be said.
base::Result<Proxy> ask_proxy(const BuildPlace& place, const Decision& decision, const Tools& tools) {
  // Outside of the source, whose go.mod may be what is wrong.
  auto environment = place.environment;
  for (const auto& [name, value] : process::Environment{{"GOTOOLCHAIN", "local"},
                                                        {"GO111MODULE", "on"},
                                                        {"GOWORK", "off"},
                                                        {"GOFLAGS", "-modcacherw"},
                                                        {"GONOSUMDB", "*"}}) {
    environment[name] = value;
  }
  BASE_TRY_ASSIGN(const auto setting, ask_go({"env", "GOPROXY"}, "/", environment, decision, tools));
  Proxy proxy{std::string(base::trim(setting.output))};
  if (!proxy.setting.starts_with("http")) return proxy;
  BASE_TRY_ASSIGN(const auto workspace, caches::make_workspace(tools.settings().cache));
  environment["GOMODCACHE"] = (workspace.path() / "mod").string();
  environment["GOPROXY"] = proxy.setting.substr(0, proxy.setting.find_first_of(",|"));
  BASE_TRY_ASSIGN(const auto finished,
                  ask_go({"list", "-m", k_known_module}, "/", std::move(environment), decision, tools));
  proxy.answers = finished.ending.succeeded();
  return proxy;
}

// Whether one of the patterns of GOPRIVATE is that of the path's beginning ("go help private").
bool is_private(const std::string& path, const GoVariables& variables) {
  auto patterns = variables.value("GONOPROXY");
  if (patterns.empty()) patterns = variables.value("GOPRIVATE");
  for (const auto& pattern : base::split(patterns, ',')) {
    if (pattern.empty()) continue;
    const auto depth = std::count(pattern.begin(), pattern.end(), '/');
    std::size_t end = 0;
    for (auto i = 0; i <= depth && end != std::string::npos; ++i) end = path.find('/', i == 0 ? 0 : end + 1);
    if (::fnmatch(pattern.c_str(), path.substr(0, end).c_str(), FNM_PATHNAME) == 0) return true;
  }
  return false;
}

base::Error cannot_fetch(base::Error failure, const std::vector<std::string>& packages, const fs::path& file,
                         const std::string& proxy, const GoVariables& variables) {
  const auto required = required_modules(base::read_input_file(file).value_or(""));
  std::set<std::string> names;
  std::string path;
  for (const auto& package : packages) {
    const auto module = module_of(required, package);
    if (path.empty()) path = module.empty() ? package : module;
    names.insert(module.empty() ? package : module + " " + required.at(module));
  }
  std::vector<std::string> named(names.begin(), names.end());
  if (named.size() > k_most_named) {
    named.resize(k_most_named);
    named.push_back("… (" + std::to_string(names.size()) + " in total)");
  }
  failure.what = "cannot fetch " + base::join(named, ", ");
  if (proxy == "off") {
    failure.what += ": GOPROXY is off";
    failure.hint = "set GOPROXY, or commit the modules with the source (go mod vendor)";
    return failure;
  }
  const auto host = path.substr(0, path.find('/'));
  if (is_private(path, variables)) {
    failure.what += " from " + host + ", which is private (GOPRIVATE)";
    failure.hint =
        "see Go's output above; give the build access to " + host +
        " in ~/.netrc or the file that NETRC names, or commit the modules with the source (go mod vendor)";
    return failure;
  }
  failure.what += " (GOPROXY=" + base::hide_credentials(proxy) + ")";
  failure.hint =
      "see Go's output above; check the path and version; if the module is private, set GOPRIVATE=" + path +
      " and give the build access to " + host +
      " in ~/.netrc or the file that NETRC names, or set GOPROXY to a proxy that has it";
  return failure;
}

bool has_vendor_folder(const BuildPlace& place) {
  boost::system::error_code error;
  return fs::is_directory(place.folder / "vendor", error);
}

}  // namespace

base::Error go_error(const process::Finished& finished) {
  return {base::ErrorKind::step_failed, "go build", finished.ending.predicate(),
          "see Go's output above" + missing_hint(finished.errors)};
}

base::Error explained(const process::Finished& finished, const BuildPlace& place, const fs::path& source,
                      const Decision& decision, const Tools& tools) {
  const auto& variables = decision.variables;
  base::Error failure = go_error(finished);
  if (value_of(place.environment, "GO111MODULE") == "off" || !variables.has_modules()) {
    if (variables.has_modules()) return failure;
    failure.what += " with GO111MODULE=off, which ignores go.mod";
    failure.hint = "see Go's output above; remove GO111MODULE from " + variables.origin("GO111MODULE");
    return failure;
  }
  if (auto fault = module_fault(finished, place, source, decision, tools)) return std::move(*fault);
  const auto mode = variables.flag("mod");
  if ((!mode || mode == "vendor") && has_vendor_folder(place)) {
    // Nothing is fetched then, also of what the folder lacks.
    failure.hint += "; if vendor/ does not match go.mod, run go mod vendor and commit the folder";
    return failure;
  }
  if (mode == "vendor") {
    failure.what += ": GOFLAGS has -mod=vendor, but the source has no vendor folder";
    failure.hint =
        "run go mod vendor and commit the folder, or remove -mod=vendor from " + variables.origin("GOFLAGS");
    return failure;
  }
  const auto missing = missing_packages(place, source, decision, tools);
  if (missing && missing->empty()) return failure;
  const bool is_bare = decision.program.layout == Layout::bare;
  const auto where = (is_bare ? source : module_file(source, decision.program, variables)).string();
  const auto proxy = ask_proxy(place, decision, tools);
  if (!proxy) return failure;
  if (!proxy->answers) {
    return {base::ErrorKind::network, where,
            "modules are missing, and the module proxy does not answer (GOPROXY=" +
                base::hide_credentials(proxy->setting) + ")",
            "check the network and Go's proxy settings (GOPROXY, HTTPS_PROXY), then try again"};
  }
  if (!missing) return failure;
  failure.where = where;
  return cannot_fetch(std::move(failure), *missing, file_of(place, source, decision), proxy->setting,
                      variables);
}

}  // namespace builder::go
