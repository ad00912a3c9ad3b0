// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/build_folder.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <utility>

#include "base/digest.h"
#include "base/inside.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/go/network.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/source/source_copy.h"
#include "cache/builder_cache.h"
#include "report/report.h"

namespace builder::go {
namespace {

using Arguments = std::vector<std::string>;

struct ModuleFiles {
  std::string go_mod;
  std::string go_sum;
  bool operator==(const ModuleFiles&) const = default;
};

std::string read_or_empty(const fs::path& file) { return base::read_input_file(file).value_or(""); }

ModuleFiles read_files(fs::path go_mod) {
  ModuleFiles files{read_or_empty(go_mod), ""};
  files.go_sum = read_or_empty(go_mod.replace_extension(".sum"));
  return files;
}

base::Status write_files(const fs::path& folder, const ModuleFiles& files) {
  BASE_TRY(base::write_file(folder / "go.mod", files.go_mod));
  if (files.go_sum.empty()) return {};
  return base::write_file(folder / "go.sum", files.go_sum);
}

// "go1.26.8" → "1.26"
std::string language_version(const Toolchain& toolchain) {
  const auto parts = base::split(std::string_view(toolchain.version).substr(2), '.');
  return parts.size() < 2 ? "1.21" : parts[0] + "." + parts[1];
}

// What a source without go.mod begins with.
ModuleFiles made_up_files(const Tree& tree, const Toolchain& toolchain) {
  const std::string path = own_path(tree);
  return {"module " + (path.empty() ? "main" : path) + "\n\ngo " + language_version(toolchain) + "\n", ""};
}

bool has_vendor_folder(const fs::path& source, const Program& program) {
  boost::system::error_code error;
  return fs::is_directory(program.home_in(source) / "vendor", error);
}

Arguments go_command(const BuildPlace& place, const Decision& decision, Arguments arguments) {
  arguments.insert(arguments.begin(), decision.toolchain.go);
  arguments.insert(arguments.begin() + 2, k_no_version_control);
  arguments.insert(arguments.begin() + 3, place.flags.begin(), place.flags.end());
  return arguments;
}

base::Result<process::Finished> run_go_quietly(const BuildPlace& place, const Decision& decision,
                                               Arguments arguments, const Tools& tools) {
  return tools.run_quietly({.arguments = go_command(place, decision, std::move(arguments)),
                            .environment = place.environment,
                            .folder = place.folder});
}

// Whether Go would download what go.mod and go.sum leave open if it were told to.
class Resolution {
 public:
  Resolution(const fs::path& source, const Tree& tree, const Decision& decision, const Tools& tools)
      : m_source(source), m_decision(decision), m_program(decision.program), m_tools(tools) {
    const auto& variables = decision.variables;
    const auto mode = variables.flag("mod");
    const bool is_possible = variables.has_modules() && (!mode || *mode == "mod");
    const bool has_file = m_program.layout == Layout::module &&
                          (mode || !has_vendor_folder(source, m_program)) &&
                          is_file(module_file(source, m_program, variables));
    if (!is_possible || (!has_file && !is_bare())) return;
    m_imports = foreign_imports(tree, m_program.module);
    m_before = is_bare() ? made_up_files(tree, decision.toolchain)
                         : read_files(module_file(source, m_program, variables));
    if (is_bare()) {
      const auto path = module_path(m_before.go_mod);
      std::erase_if(m_imports, [&](const std::string& import) { return base::is_at_or_below(import, path); });
    }
    m_is_needed = !m_imports.empty() || mode;
    if (!m_is_needed) return;
    Inputs inputs = decision.machine;
    inputs.add_value("program", m_program.folder);
    inputs.add_value("tags", base::join(decision.tags, ","));
    inputs.add_value("go.mod", m_before.go_mod);
    inputs.add_value("go.sum", m_before.go_sum);
    inputs.add_value("modules of the source", tree.module_files);
    inputs.add_value("imports", base::join(m_imports, "\n"));
    inputs.add_value("imports of all modules", base::join(foreign_imports(tree), "\n"));
    m_kept = tools.settings().cache / "go" / "resolved" / inputs.key();
  }

  [[nodiscard]] bool is_bare() const { return m_program.layout == Layout::bare; }
  // Otherwise the files are what they need to be.
  [[nodiscard]] bool is_needed() const { return m_is_needed; }
  [[nodiscard]] const ModuleFiles& before() const { return m_before; }

  // The answer for the same question, if there is one: the files as they are to be.
  [[nodiscard]] std::optional<ModuleFiles> kept() const {
    if (!m_is_needed || !is_file(m_kept / "go.mod")) return std::nullopt;
    return read_files(m_kept / "go.mod");
  }

  // Completes the files, which are in `folder` already and which `place` leads Go to.
  base::Result<ModuleFiles> find_out(const BuildPlace& place, const fs::path& folder) const;

  void warn(const ModuleFiles& after) const;

 private:
  // What the program imports, with C or without where that is open.
  [[nodiscard]] BuildPlace variant(const BuildPlace& place, const std::string& with_c) const {
    BuildPlace same = place;
    if (is_c_open()) same.environment["CGO_ENABLED"] = with_c;
    return same;
  }
  [[nodiscard]] Arguments question() const {
    std::vector<std::string> words = {"list", "-deps", "-f", "{{with .Module}}{{end}}"};
    for (const auto& argument : m_program.arguments()) words.push_back(argument);
    return words;
  }
  // Whether it is still to be found out if C has a part in the program.
  [[nodiscard]] bool is_c_open() const {
    return m_decision.variables.may_use_c() && m_decision.variables.value("CGO_ENABLED").empty();
  }
  [[nodiscard]] base::Result<bool> is_enough(const BuildPlace& place) const;
  [[nodiscard]] base::Status keep(const ModuleFiles& files, const fs::path& scratch) const;

  const fs::path& m_source;
  const Decision& m_decision;
  const Program& m_program;
  const Tools& m_tools;
  bool m_is_needed = false;
  Arguments m_imports;
  ModuleFiles m_before;
  fs::path m_kept;  // <cache>/go/resolved/<key>/
};

// Whether Go takes the source's own files as they are.
base::Result<bool> Resolution::is_enough(const BuildPlace& place) const {
  auto plain = variant(place, "1");
  std::erase_if(plain.flags, [](const std::string& flag) { return flag.starts_with("-mod"); });
  BASE_TRY_ASSIGN(const auto finished, run_go_quietly(plain, m_decision, question(), m_tools));
  return finished.ending.succeeded();
}

base::Result<ModuleFiles> Resolution::find_out(const BuildPlace& place, const fs::path& folder) const {
  BASE_TRY_ASSIGN(const auto finished,
                  run_go(variant(place, "1"), m_source, m_decision, question(), m_tools));
  if (!finished.ending.succeeded())
    return base::fail(explained(finished, place, m_source, m_decision, m_tools));
  auto after = read_files(folder / "go.mod");
  if (after != m_before && !is_bare() && !m_decision.variables.flag("mod")) {
    BASE_TRY_ASSIGN(const bool is_complete, is_enough(place));
    if (is_complete) after = m_before;
  }
  if (after != m_before) {
    // Without C other files count, which may import something else.
    BASE_TRY(run_go_quietly(variant(place, "0"), m_decision, question(), m_tools));
    after = read_files(folder / "go.mod");
  }
  BASE_TRY(keep(after, folder));
  if (after != m_before) warn(after);
  return after;
}

// Nothing is kept of a source that changed meanwhile. The first answer stays.
base::Status Resolution::keep(const ModuleFiles& files, const fs::path& scratch) const {
  BASE_TRY_ASSIGN(const std::string changed, m_decision.inputs.changed());
  if (!changed.empty()) return {};
  BASE_TRY_ASSIGN(auto fresh, base::TemporaryFolder::make(scratch, "keep-"));
  BASE_TRY(write_files(fresh.path(), files));
  BASE_TRY(base::make_folders(m_kept.parent_path(), base::k_owner_writes));
  boost::system::error_code error;
  if (fs::exists(m_kept, error)) return {};
  static_cast<void>(base::rename_path(fresh.path(), m_kept));
  return {};
}

void Resolution::warn(const ModuleFiles& after) const {
  const auto known = required_modules(m_before.go_mod);
  Arguments chosen;
  for (const auto& [path, version] : required_modules(after.go_mod)) {
    const auto entry = known.find(path);
    if (entry == known.end() || entry->second != version) chosen.push_back(path + " " + version);
  }
  // What Go only writes in another form lacks nothing.
  if (chosen.empty() && after.go_sum == m_before.go_sum && !is_bare()) return;
  auto file = module_file(m_source, m_program, m_decision.variables);
  const std::string what =
      is_bare() ? m_source.string() + ": has no go.mod"
                : file.replace_extension(".sum").string() + ": lacks entries that the imports need";
  report::warn(what + (chosen.empty() ? "" : "; chosen: " + base::join(chosen, ", ")));
  const std::string first = is_bare() ? "run go mod init MODULE, then " : "";
  report::info("hint: pin them: " + first + k_tidy);
}

base::Result<std::shared_ptr<base::Workspace>> shared_workspace(const Tools& tools) {
  BASE_TRY_ASSIGN(auto workspace, caches::make_workspace(tools.settings().cache));
  return std::make_shared<base::Workspace>(std::move(workspace));
}

base::Result<BuildPlace> copied_place(const fs::path& source, const std::string& below,
                                      process::Environment environment, const Tools& tools) {
  BuildPlace place{.environment = std::move(environment)};
  BASE_TRY_ASSIGN(place.workspace, shared_workspace(tools));
  BASE_TRY_ASSIGN(place.folder, base::path_inside(place.workspace->path(), below, source.string()));
  place.copy = place.folder;
  BASE_TRY(base::make_folders(place.folder.parent_path(), base::k_owner_writes));
  BASE_TRY(copy_source(source, place.folder));
  place.environment["PWD"] = place.folder.string();
  return place;
}

// No go.mod: one is made up, in a copy.
base::Result<BuildPlace> bare_place(const fs::path& source, const Resolution& resolution,
                                    const ModuleFiles& made_up, process::Environment environment,
                                    Arguments flags, const Tools& tools) {
  BASE_TRY_ASSIGN(BuildPlace place, copied_place(source, "source", std::move(environment), tools));
  place.flags = std::move(flags);
  const auto kept = resolution.kept();
  BASE_TRY(write_files(place.folder, kept.value_or(made_up)));
  if (!resolution.is_needed() || kept) return place;
  BuildPlace resolving = place;
  resolving.flags.emplace_back("-mod=mod");
  BASE_TRY(resolution.find_out(resolving, place.folder));
  return place;
}

// As before modules: a GOPATH that holds nothing but this source.
base::Result<BuildPlace> gopath_place(const fs::path& source, const Tree& tree,
                                      process::Environment environment, Arguments flags, const Tools& tools) {
  const std::string path = own_path(tree);
  BASE_TRY_ASSIGN(BuildPlace place, copied_place(source, "gopath/src/" + (path.empty() ? "main" : path),
                                                 std::move(environment), tools));
  place.flags = std::move(flags);
  place.environment["GOPATH"] = (place.workspace->path() / "gopath").string();
  place.environment["GO111MODULE"] = "off";
  return place;
}

// In the source; what go.mod or go.sum lack is in a copy of the two.
base::Result<BuildPlace> place_in_source(const fs::path& folder, const Resolution& resolution,
                                         process::Environment environment, Arguments flags,
                                         const Tools& tools) {
  BuildPlace place{.folder = folder, .flags = std::move(flags), .environment = std::move(environment)};
  if (!resolution.is_needed()) return place;
  auto files = resolution.kept();
  if (files == resolution.before()) return place;
  BuildPlace completed = place;
  BASE_TRY_ASSIGN(completed.workspace, shared_workspace(tools));
  const fs::path scratch = completed.copy = completed.workspace->path();
  completed.flags.insert(completed.flags.end(), {"-mod=mod", "-modfile=" + (scratch / "go.mod").string()});
  BASE_TRY(write_files(scratch, files.value_or(resolution.before())));
  if (!files) {
    BASE_TRY_ASSIGN(files, resolution.find_out(completed, scratch));
  }
  if (files == resolution.before()) return place;
  return completed;
}

// Go keeps what it learns in a go.work.sum beside the go.work, which is in a copy then.
base::Result<BuildPlace> workspace_place(const fs::path& source, const Tree& tree, const Program& program,
                                         process::Environment environment, Arguments flags,
                                         const Tools& tools) {
  const auto home = program.home_in(source);
  BuildPlace place{.folder = home, .flags = std::move(flags), .environment = std::move(environment)};
  if (foreign_imports(tree).empty() || has_vendor_folder(source, program)) return place;
  BASE_TRY_ASSIGN(place.workspace, shared_workspace(tools));
  place.copy = place.workspace->path();
  BASE_TRY(
      base::write_file(place.copy / "go.work", with_absolute_paths(read_or_empty(home / "go.work"), home)));
  if (is_file(home / "go.work.sum"))
    BASE_TRY(base::write_file(place.copy / "go.work.sum", read_or_empty(home / "go.work.sum")));
  place.environment["GOWORK"] = (place.copy / "go.work").string();
  return place;
}

// What may name a package of its own (go.dev/ref/mod, "Module paths"): it becomes a folder and a line of a
// go.mod.
// "../x" is an import of old as well, but of a folder beside the importing one.
bool is_import_path(std::string_view text) {
  const auto fits = [](unsigned char character) {
    return std::isalnum(character) != 0 || base::contains("-._~+/", static_cast<char>(character));
  };
  const auto parts = base::split(text, '/');
  return std::all_of(text.begin(), text.end(), fits) &&
         std::none_of(parts.begin(), parts.end(), [](const std::string& part) {
           return part.empty() || part.front() == '.' || part.back() == '.';
         });
}

}  // namespace

std::map<std::string, std::string> required_modules(std::string_view go_mod) {
  std::map<std::string, std::string> modules;
  bool inside = false;
  for (const auto& line : base::split(go_mod, '\n')) {
    auto text = base::trim(std::string_view(line).substr(0, line.find("//")));
    if (inside && text == ")") inside = false;
    const bool begins = text.starts_with("require");
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

std::string module_of(const std::map<std::string, std::string>& modules, const std::string& import) {
  std::string best;
  for (const auto& [path, version] : modules) {
    const bool has = base::is_at_or_below(import, path);
    if (has && path.size() > best.size()) best = path;
  }
  return best;
}

std::string own_path(const Tree& tree) {
  for (const auto& package : tree.packages) {
    if (!package.module.empty() || package.is_hidden) continue;
    for (const auto& import : package.imports) {
      for (const auto& other : tree.packages) {
        const std::string end = "/" + other.folder;
        if (other.folder == "." || other.is_hidden || import.size() <= end.size()) continue;
        if (import.compare(import.size() - end.size(), end.size(), end) == 0 && is_import_path(import)) {
          return import.substr(0, import.size() - end.size());
        }
      }
    }
  }
  return "";
}

fs::path module_file(const fs::path& source, const Program& program, const GoVariables& variables) {
  return fs::absolute(variables.flag("modfile").value_or("go.mod"), program.home_in(source));
}

base::Result<process::Finished> run_go(const BuildPlace& place, const fs::path& source,
                                       const Decision& decision, Arguments arguments, const Tools& tools) {
  // What Go's words show in another's place: the path of a private copy as that of the source.
  std::vector<std::pair<std::string, std::string>> renamings;
  if (!place.copy.empty()) {
    const auto shown = decision.program.home_in(source).string();
    renamings = {{place.copy.string(), shown}};
    // Go shows a path from the current folder where that is shorter.
    if (place.copy != place.folder)
      renamings.emplace_back(place.copy.lexically_relative(place.folder).string(), shown);
  }
  Tools::LineFilter renamed;
  if (!renamings.empty()) {
    renamed = [&renamings](std::string_view said) -> std::optional<std::string> {
      std::string line(said);
      for (const auto& [from, to] : renamings) base::replace_all(line, from, to);
      return line;
    };
  }
  return tools.run({.arguments = go_command(place, decision, std::move(arguments)),
                    .environment = place.environment,
                    .folder = place.folder},
                   renamed);
}

base::Result<process::Finished> ask_go(Arguments arguments, const fs::path& folder,
                                       process::Environment environment, const Decision& decision,
                                       const Tools& tools) {
  arguments.insert(arguments.begin(), decision.toolchain.go);
  environment["PWD"] = folder.string();
  return tools.run_quietly(
      {.arguments = std::move(arguments), .environment = std::move(environment), .folder = folder});
}

base::Result<BuildPlace> prepare_place(const fs::path& source, const Tree& tree, const Decision& decision,
                                       process::Environment environment, const Tools& tools) {
  Arguments flags;
  if (!decision.tags.empty()) flags.push_back("-tags=" + base::join(decision.tags, ","));
  const auto& program = decision.program;
  const bool is_bare = program.layout == Layout::bare;
  if (program.layout == Layout::vendored || (is_bare && !decision.variables.has_modules()))
    return gopath_place(source, tree, std::move(environment), std::move(flags), tools);
  if (program.layout == Layout::workspace)
    return workspace_place(source, tree, program, std::move(environment), std::move(flags), tools);
  const Resolution resolution(source, tree, decision, tools);
  if (is_bare) {
    return bare_place(source, resolution, made_up_files(tree, decision.toolchain), std::move(environment),
                      std::move(flags), tools);
  }
  return place_in_source(program.home_in(source), resolution, std::move(environment), std::move(flags),
                         tools);
}

void warn_of_kept_choice(const fs::path& source, const Tree& tree, const Decision& decision,
                         const Tools& tools) {
  const Resolution resolution(source, tree, decision, tools);
  if (const auto kept = resolution.kept(); kept && *kept != resolution.before()) resolution.warn(*kept);
}

}  // namespace builder::go
