// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/modules.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <map>

#include "base/digest.h"
#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/go/network.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/source/source_copy.h"
#include "report/report.h"

namespace builder::go {
namespace {

using base::ErrorKind;
using Arguments = std::vector<std::string>;

constexpr char k_pin_hint[] = "pin them where the source is: go mod tidy, and commit go.mod and go.sum";

struct ModuleFiles {
  std::string go_mod;
  std::string go_sum;
};

std::string read_or_empty(const fs::path& file) { return base::read_input_file(file).value_or(""); }

// Choices that were made before, by what they depend on: <cache>/go/resolved/<key>/.
fs::path kept_folder(const Tools& tools, const ModuleFiles& files, const Tree& tree,
                     const Decision& decision) {
  Inputs inputs = decision.machine;
  inputs.add_value("go.mod", files.go_mod);
  inputs.add_value("go.sum", files.go_sum);
  inputs.add_value("modules of the source", tree.modules);
  inputs.add_value("imports", base::join(foreign_imports(tree), "\n"));
  return tools.settings().cache / "go" / "resolved" / inputs.key();
}

// Nothing is kept of a source that changed meanwhile.
base::Status keep(const fs::path& folder, const fs::path& from, const Decision& decision) {
  BASE_TRY_ASSIGN(const std::string changed, decision.inputs.changed());
  if (!changed.empty()) return {};
  BASE_TRY_ASSIGN(auto fresh, base::TemporaryFolder::make(from, "keep-"));
  for (const std::string name : {"go.mod", "go.sum"}) {
    BASE_TRY(base::write_file(fresh.path() / name, read_or_empty(from / name)));
  }
  BASE_TRY(base::make_folders(folder.parent_path(), base::k_owner_writes));
  // Whoever was first made the choice.
  boost::system::error_code error;
  if (fs::exists(folder, error)) return {};
  static_cast<void>(base::rename_path(fresh.path(), folder));
  return {};
}

base::Status take_kept(const fs::path& folder, const fs::path& to) {
  for (const std::string name : {"go.mod", "go.sum"}) {
    BASE_TRY_ASSIGN(const std::string text, base::read_input_file(folder / name));
    BASE_TRY(base::write_file(to / name, text));
  }
  return {};
}

// "path version" of every line of a go.mod that requires something.
std::map<std::string, std::string> required_modules(std::string_view go_mod) {
  std::map<std::string, std::string> modules;
  bool inside = false;
  for (const auto& line : base::split(go_mod, '\n')) {
    auto text = base::trim(std::string_view(line).substr(0, line.find("//")));
    if (inside && text == ")") inside = false;
    const bool begins = text.rfind("require", 0) == 0;
    if (begins) text = base::trim(text.substr(7));
    if (begins && text == "(") {
      inside = true;
      continue;
    }
    const auto words = base::split(text, ' ');
    if ((inside || begins) && words.size() >= 2) modules[words[0]] = words[1];
  }
  return modules;
}

// The module among these that has the package, the one with the longest path.
std::string module_of(const std::map<std::string, std::string>& modules, const std::string& import) {
  std::string best;
  for (const auto& [path, version] : modules) {
    const bool has = import == path || import.rfind(path + "/", 0) == 0;
    if (has && path.size() > best.size()) best = path;
  }
  return best;
}

bool is_replaced(std::string_view go_mod, const std::string& path) {
  for (const auto& line : base::split(go_mod, '\n')) {
    const auto arrow = line.find("=>");
    if (arrow != std::string::npos && line.substr(0, arrow).find(path) != std::string::npos) return true;
  }
  return false;
}

base::Status run_go(const Tools& tools, const Toolchain& toolchain, const BuildPlace& place,
                    Arguments arguments, const std::string& where, const std::vector<std::string>& imports) {
  arguments.insert(arguments.begin(), toolchain.go);
  BASE_TRY_ASSIGN(const auto finished, tools.run({.arguments = std::move(arguments),
                                                  .environment = place.environment,
                                                  .folder = place.folder}));
  if (finished.ending.succeeded()) return {};
  return base::fail(with_network_in_mind(
      {ErrorKind::step_failed, where, "what it imports cannot be resolved: " + base::join(imports, ", "),
       "see Go's output above; " + std::string(k_pin_hint)},
      place, toolchain, {}, tools));
}

void warn_of_choice(const std::string& what, const ModuleFiles& before, const fs::path& after) {
  const auto known = required_modules(before.go_mod);
  std::vector<std::string> chosen;
  for (const auto& [path, version] : required_modules(read_or_empty(after / "go.mod"))) {
    const auto entry = known.find(path);
    if (entry == known.end() || entry->second != version) chosen.push_back(path + " " + version);
  }
  report::warn(what + (chosen.empty() ? "" : "; chosen: " + base::join(chosen, ", ")));
  report::info(std::string("hint: ") + k_pin_hint);
}

// "go1.26.8" → "1.26"
std::string language_version(const Toolchain& toolchain) {
  const auto parts = base::split(std::string_view(toolchain.version).substr(2), '.');
  return parts.size() < 2 ? "1.21" : parts[0] + "." + parts[1];
}

base::Result<BuildPlace> copied_place(const fs::path& source, const std::string& below,
                                      process::Environment environment, const Tools& tools) {
  BuildPlace place{.environment = std::move(environment)};
  BASE_TRY_ASSIGN(place.workspace, base::Workspace::make(tools.settings().cache / "work", "go-"));
  BASE_TRY_ASSIGN(place.folder, base::path_inside(place.workspace->path(), below, source.string()));
  BASE_TRY(base::make_folders(place.folder.parent_path(), base::k_owner_writes));
  BASE_TRY(copy_source(source, place.folder));
  place.environment["PWD"] = place.folder.string();
  return place;
}

// No go.mod: one is made up, in a copy.
base::Result<BuildPlace> bare_place(const fs::path& source, const Tree& tree, const Decision& decision,
                                    process::Environment environment, const Tools& tools) {
  BASE_TRY_ASSIGN(BuildPlace place, copied_place(source, "source", std::move(environment), tools));
  std::string path = own_path(tree);
  if (path.empty()) path = "main";
  auto imports = foreign_imports(tree);
  std::erase_if(
      imports, [&](const std::string& import) { return import == path || import.rfind(path + "/", 0) == 0; });
  const ModuleFiles before{"module " + path + "\n\ngo " + language_version(decision.toolchain) + "\n", ""};
  BASE_TRY(base::write_file(place.folder / "go.mod", before.go_mod));
  if (imports.empty()) return place;
  const fs::path kept = kept_folder(tools, before, tree, decision);
  boost::system::error_code error;
  if (fs::exists(kept, error)) {
    BASE_TRY(take_kept(kept, place.folder));
    return place;
  }
  BASE_TRY(run_go(tools, decision.toolchain, place, {"mod", "tidy"}, source.string(), imports));
  BASE_TRY(keep(kept, place.folder, decision));
  warn_of_choice(source.string() + ": has no go.mod", before, place.folder);
  return place;
}

// As before modules: a GOPATH that holds nothing but this source.
base::Result<BuildPlace> vendored_place(const fs::path& source, const Tree& tree,
                                        process::Environment environment, const Tools& tools) {
  const std::string path = own_path(tree);
  BASE_TRY_ASSIGN(BuildPlace place, copied_place(source, "gopath/src/" + (path.empty() ? "main" : path),
                                                 std::move(environment), tools));
  place.environment["GOPATH"] = (place.workspace->path() / "gopath").string();
  place.environment["GO111MODULE"] = "off";
  return place;
}

// A go.mod or go.sum that says too little: completed in a copy of the two.
base::Result<BuildPlace> completed_place(const fs::path& source, const Tree& tree, const Decision& decision,
                                         process::Environment environment, const ModuleFiles& before,
                                         const Tools& tools) {
  BuildPlace place{.folder = source, .environment = std::move(environment)};
  BASE_TRY_ASSIGN(place.workspace, base::Workspace::make(tools.settings().cache / "work", "go-"));
  const fs::path& folder = place.workspace->path();
  place.flags = {"-mod=mod", "-modfile=" + (folder / "go.mod").string()};
  BASE_TRY(base::write_file(folder / "go.mod", before.go_mod));
  if (!before.go_sum.empty()) BASE_TRY(base::write_file(folder / "go.sum", before.go_sum));
  const fs::path kept = kept_folder(tools, before, tree, decision);
  boost::system::error_code error;
  if (fs::exists(kept, error)) {
    BASE_TRY(take_kept(kept, folder));
    return place;
  }
  Arguments arguments = {"list", k_no_version_control, "-deps", "-f", "{{with .Module}}{{end}}"};
  arguments.insert(arguments.end(), place.flags.begin(), place.flags.end());
  arguments.emplace_back("./...");
  BASE_TRY(run_go(tools, decision.toolchain, place, arguments, (source / "go.mod").string(),
                  foreign_imports(tree)));
  BASE_TRY(keep(kept, folder, decision));
  warn_of_choice((source / "go.sum").string() + ": lacks lines that the imports need", before, folder);
  return place;
}

// What may name a package of its own (go.dev/ref/mod, "Module paths"): it becomes a folder and a line of a
// go.mod.
// "../x" is an import of old as well, but of a folder beside the importing one.
bool is_import_path(std::string_view text) {
  const auto fits = [](unsigned char character) {
    return std::isalnum(character) != 0 ||
           std::string_view("-._~+/").find(static_cast<char>(character)) != std::string_view::npos;
  };
  const auto parts = base::split(text, '/');
  return std::all_of(text.begin(), text.end(), fits) &&
         std::none_of(parts.begin(), parts.end(), [](const std::string& part) {
           return part.empty() || part.front() == '.' || part.back() == '.';
         });
}

}  // namespace

bool lacks_modules(std::string_view go_mod, std::string_view go_sum,
                   const std::vector<std::string>& imports) {
  const auto modules = required_modules(go_mod);
  const auto has_sum = [&](const std::string& path, const std::string& version) {
    const std::string line = path + " " + version + " h1:";
    return go_sum.rfind(line, 0) == 0 || go_sum.find("\n" + line) != std::string_view::npos;
  };
  return std::any_of(imports.begin(), imports.end(), [&](const std::string& import) {
    const auto module = module_of(modules, import);
    if (module.empty()) return !is_replaced(go_mod, import.substr(0, import.find('/')));
    return !is_replaced(go_mod, module) && !has_sum(module, modules.at(module));
  });
}

std::string own_path(const Tree& tree) {
  for (const auto& package : tree.packages) {
    for (const auto& import : package.imports) {
      for (const auto& other : tree.packages) {
        const std::string end = "/" + other.folder;
        if (other.folder == "." || import.size() <= end.size()) continue;
        if (import.compare(import.size() - end.size(), end.size(), end) == 0 && is_import_path(import)) {
          return import.substr(0, import.size() - end.size());
        }
      }
    }
  }
  return "";
}

base::Result<BuildPlace> prepare_place(const fs::path& source, const Tree& tree, const Decision& decision,
                                       process::Environment environment, const Tools& tools) {
  switch (tree.layout) {
    case Layout::bare:
      return bare_place(source, tree, decision, std::move(environment), tools);
    case Layout::vendored:
      return vendored_place(source, tree, std::move(environment), tools);
    case Layout::workspace:
      return BuildPlace{.folder = source, .environment = std::move(environment)};
    case Layout::module:
      break;
  }
  boost::system::error_code error;
  const ModuleFiles files{read_or_empty(source / "go.mod"), read_or_empty(source / "go.sum")};
  const bool vendored = fs::is_directory(source / "vendor", error);
  if (!vendored && lacks_modules(files.go_mod, files.go_sum, foreign_imports(tree))) {
    return completed_place(source, tree, decision, std::move(environment), files, tools);
  }
  return BuildPlace{.folder = source, .environment = std::move(environment)};
}

}  // namespace builder::go
