// SPDX-License-Identifier: Apache-2.0
// What is seen of a Go source without Go.
#include "builder-runtime/languages/go/build_folder.h"
#include "builder-runtime/languages/go/constraints.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/go/network.h"
#include "builder-runtime/languages/go/program.h"
#include "builder-runtime/languages/go/tree.h"
#include "builder-runtime/languages/go/variables.h"
#include "tests/unit/recorded/reader.h"

namespace builder::go {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::optional<Exclusion>& exclusion) {
  return exclusion ? Json{exclusion->constraint, exclusion->tags} : Json();
}

Json json_of(const Package& package) {
  Json excluded = Json::array();
  for (const auto& file : package.excluded) excluded.push_back({file.name, file.package, json_of(file.why)});
  return {package.folder, package.module,     package.name,      package.imports,   excluded,
          package.uses_c, package.asks_for_c, package.is_hidden, package.is_ignored};
}

Json json_of(const Program& program) {
  return {program.folder, program.why,    static_cast<int>(program.layout),
          program.home,   program.module, program.argument()};
}

RECORDED_READER(go_source, input, answers) {
  const auto tags = standard_tags("amd64");
  const auto tree = read_tree(input.folder, tags);
  if (!tree) return answers.tell_error("tree", tree.error());
  answers.tell("modules", tree->modules);
  answers.tell("workspaces", tree->workspaces);
  Json packages = Json::array();
  for (const auto& package : tree->packages) packages.push_back(json_of(package));
  answers.tell("packages", packages);
  answers.tell("digests", {tree->digest.content, tree->module_files, tree->outline, tree->has_c});
  answers.tell("foreign", foreign_imports(*tree));
  answers.tell("foreign to .", foreign_imports(*tree, "."));
  answers.tell("own path", own_path(*tree));
  const auto settings = read_source_settings(input.folder);
  if (!settings) return answers.tell_error("settings", settings.error());
  const GoVariables variables(settings->go, {});
  const auto told = [](const Program& program) { return json_of(program); };
  answers.tell("program", choose_program(input.folder, *tree, settings->go, variables, "tool"), told);
  answers.tell("named",
               choose_program(input.folder, *tree,
                              {.places = {.file = "pachbuild.toml", .prefix = "", .lines = {}},
                               .package = "./cmd/tool",
                               .tags = {},
                               .ldflags = {},
                               .environment = {}},
                              variables, ""),
               told);
  const auto status = variables.check();
  status ? answers.tell("variables", {variables.may_use_c(), variables.needs_c(), variables.tags(),
                                      variables.architecture()})
         : answers.tell_error("variables", status.error());
  const auto go_mod = input.file("go.mod");
  answers.tell("go.mod",
               {module_path(go_mod), replacement_outside(go_mod), replacement_outside(go_mod, "a/b"),
                required_modules(go_mod), is_ignored(go_mod, "internal"),
                module_of(required_modules(go_mod), "golang.org/x/text/language")});
  const auto go_work = input.file("go.work");
  answers.tell("go.work", {use_targets(go_work), use_outside(go_work), use_outside(go_work, "a"),
                           with_absolute_paths(go_work, "/pfs/source")});
}

RECORDED_READER(go_file, input, answers) {
  const auto text = input.file("main.go");
  answers.tell("package", package_clause(text));
  answers.tell("imports", imports_of(text));
  for (const std::string name :
       {"main.go", "main_test.go", "main_linux.go", "main_windows_amd64.go", "main_arm64.go", "_main.go"})
    answers.tell(name, {is_go_file(name), json_of(exclusion_of(name, text, standard_tags("amd64")))});
}

RECORDED_READER(go_flags, input, answers) {
  Json all = Json::array();
  for (const auto& flag : flags_in(input.line())) all.push_back({flag.name, flag.value});
  answers.tell("flags", all);
  const GoVariables variables({.places = {.file = "pachbuild.toml", .prefix = "", .lines = {}},
                               .package = {},
                               .tags = {},
                               .ldflags = {},
                               .environment = {{"GOFLAGS", input.line()}}},
                              {});
  answers.tell("variables", {variables.tags(), variables.may_use_c(), variables.needs_c(),
                             variables.has_modules(), variables.origin("GOFLAGS")});
  if (const auto status = variables.check(); !status) answers.tell_error("check", status.error());
}

// What Go says when it fails, into an error.
RECORDED_READER(go_failure, input, answers) {
  answers.tell_error("error", go_error({process::Ending::from_wait_status(256), "", input.file("stderr")}));
}

}  // namespace
}  // namespace builder::go
