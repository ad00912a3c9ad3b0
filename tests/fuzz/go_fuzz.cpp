// SPDX-License-Identifier: Apache-2.0
// What is seen in a Go source without Go: go.mod, go.work, go.sum, Go files and their constraints,
// modules.txt of a vendor folder in a whole source, and what Go writes into a program.
#include <algorithm>
#include <set>

#include "base/inside.h"
#include "builder-runtime/languages/go/build_folder.h"
#include "builder-runtime/languages/go/build_info.h"
#include "builder-runtime/languages/go/constraints.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/go/program.h"
#include "builder-runtime/languages/go/tree.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;
namespace go = builder::go;

const go::Tags& tags() {
  static const go::Tags all = go::standard_tags("amd64");
  return all;
}

bool stands_in(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

void read_go_mod(std::string_view input) {
  const auto parts = fuzz::parts_of_input(input, 2);
  const std::string module = go::module_path(parts[0]);
  require(module.find('\n') == std::string::npos && stands_in(parts[0], module));
  for (const std::string folder : {".", "a/b"}) static_cast<void>(go::replacement_outside(parts[0], folder));
  for (const auto& [path, version] : go::required_modules(parts[0])) {
    require(stands_in(parts[0], path) && stands_in(parts[0], version));
    require(go::module_of({{path, version}}, path + "/x") == path);
  }
  static_cast<void>(go::module_of(go::required_modules(parts[0]), parts[1]));
  static_cast<void>(go::use_outside(parts[0]));
  for (const auto& target : go::use_targets(parts[0])) require(target.find('\n') == std::string::npos);
}

// A folder in a replace or use line, as `go mod edit` writes it: one that leads out of the source is noticed,
// whatever stands before and behind it.
void follow_a_path(std::string_view input) {
  const auto parts = fuzz::parts_of_input(input, 3);
  std::string path = parts[0];
  const auto is_plain = [](unsigned char byte) {
    return byte > ' ' && byte < 0x7F &&
           std::string_view("\"`'\\,()").find(static_cast<char>(byte)) == std::string_view::npos;
  };
  if (path.empty() || !std::all_of(path.begin(), path.end(), is_plain) || stands_in(path, "//") ||
      stands_in(path, "=>"))
    return;
  if (path.front() != '.' && path.front() != '/') path.insert(0, "./");
  const bool leads_out = !base::stays_inside(path);
  // What stands around it is lines of their own, without quotes that go on.
  if (parts[1].find_first_of("\"`\\()") != std::string::npos ||
      parts[2].find_first_of("\"`\\()") != std::string::npos)
    return;
  for (const std::string quote : {"", "\"", "`"}) {
    const std::string word = quote + path + quote;
    const std::string replace =
        parts[1] + "\nreplace example.com/a v1.0.0 => " + word + " // why\n" + parts[2];
    require(!leads_out || !go::replacement_outside(replace).empty());
    const std::string use = parts[1] + "\nuse " + word + " // why\n" + parts[2];
    require(!leads_out || !go::use_outside(use).empty());
    const auto targets = go::use_targets(use);
    require(std::find(targets.begin(), targets.end(), path) != targets.end());
  }
}

void read_go_file(std::string_view text) {
  const std::string package = go::package_clause(text);
  require(stands_in(text, package));
  const auto imports = go::imports_of(text);
  require(imports.empty() || !package.empty());
  for (const auto& import : imports) require(stands_in(text, import));
  static_cast<void>(go::exclusion_of(text, "package main\n", tags()));
  const auto exclusion = go::exclusion_of("main.go", text, tags());
  if (!exclusion || exclusion->tags.empty()) return;
  // The tags that are said to help do.
  go::Tags more = tags();
  more.insert(exclusion->tags.begin(), exclusion->tags.end());
  require(!go::exclusion_of("main.go", text, more));
}

void read_program(std::string_view bytes) {
  const auto modules = go::modules_in(bytes);
  if (!modules) return;
  require(std::is_sorted(modules->begin(), modules->end()));
  for (const auto& module : *modules)
    require(module.find('\n') == std::string::npos && module.size() <= bytes.size());
}

void read_source(std::string_view input) {
  static const fuzz::Folder folder;
  const auto parts = fuzz::parts_of_input(input, 6);
  folder.clear();
  static constexpr const char* k_names[] = {
      "go.mod", "go.work", "main.go", "cmd/tool/tool.go", "vendor/modules.txt", "lib/go.mod"};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!parts[i].empty()) folder.write(k_names[i], parts[i]);
  }
  const auto tree = go::read_tree(folder.path(), tags());
  if (!tree) return fuzz::require_readable(tree.error());
  const auto again = go::read_tree(folder.path(), tags());
  require(again && again->digest.content == tree->digest.content && again->outline == tree->outline);
  for (const auto& package : tree->packages) {
    require(std::is_sorted(package.imports.begin(), package.imports.end()));
    require(base::stays_inside(package.folder));
  }
  for (const auto& foreign : {go::foreign_imports(*tree), go::foreign_imports(*tree, ".")})
    require(std::is_sorted(foreign.begin(), foreign.end()));
  // It becomes a folder below the copy of the source.
  require(base::stays_inside(go::own_path(*tree)));
  builder::GoSettings settings;
  settings.package = parts[5].substr(0, parts[5].find('\n'));
  const go::GoVariables variables({}, {});
  for (const auto& chosen : {go::choose_program(folder.path(), *tree, {}, variables, "tool"),
                             go::choose_program(folder.path(), *tree, settings, variables, "tool")}) {
    if (!chosen) {
      fuzz::require_readable(chosen.error());
      continue;
    }
    const auto is_chosen = [&](const auto& package) { return package.folder == chosen->folder; };
    require(std::any_of(tree->packages.begin(), tree->packages.end(), is_chosen));
    require(base::stays_inside(chosen->home) && go::is_below(chosen->folder, chosen->home));
  }
}

}  // namespace

FUZZ_TARGET(go_fuzz, input) {
  switch (fuzz::take_choice(input, 5)) {
    case 0:
      return read_go_mod(input);
    case 1:
      return follow_a_path(input);
    case 2:
      return read_go_file(input);
    case 3:
      return read_program(input);
    default:
      return read_source(input);
  }
}
