// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/program.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "base/errors.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "contract/pipeline_names.h"
#include "report/report.h"

namespace builder::go {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

constexpr char k_choose_hint[] = "choose one with go.package in pachbuild.toml";

// "./cmd/tool/" → "cmd/tool"; the source itself is ".".
std::string plain_folder(const std::string& text) {
  std::vector<std::string> parts;
  for (const auto& part : base::split(text, '/')) {
    if (!part.empty() && part != ".") parts.push_back(part);
  }
  return parts.empty() ? "." : base::join(parts, "/");
}

// "cmd/tool" → "./cmd/tool", as Go's commands take it.
std::string shown(const std::string& folder) { return folder == "." ? folder : "./" + folder; }

std::string above(const std::string& folder) {
  std::string name = base::folder_of(folder);
  return name.empty() ? "." : name;
}

// "example.com/tool/v2" is called tool.
std::string name_of_module(const std::string& path) {
  const std::string last = base::name_of(path);
  const bool is_version =
      last.size() > 1 && last[0] == 'v' && last.find_first_not_of("0123456789", 1) == std::string::npos;
  return is_version && path.size() > last.size()
             ? base::name_of(path.substr(0, path.size() - last.size() - 1))
             : last;
}

// Where programs show how something is used.
bool is_example(const std::string& folder) {
  const auto names = base::split(folder, '/');
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name == "examples" || name == "example"; });
}

bool is_program(const Package& package) {
  // A file without a package clause is Go's to complain about.
  return package.name == "main" || (package.name.empty() && package.excluded.empty());
}

class Choice {
 public:
  Choice(const fs::path& source, const Tree& tree, const GoSettings& settings, const GoVariables& variables)
      : m_source(source), m_tree(tree), m_settings(settings), m_variables(variables) {}

  base::Result<Program> named() const;
  base::Result<Program> all() const;
  base::Result<Program> found(const std::string& build_pipeline) const;

 private:
  // The programs of the best rank, and how many there are of any.
  struct Candidates {
    std::vector<Program> best;
    std::size_t count = 0;
  };
  [[nodiscard]] base::Result<Candidates> candidates() const;
  [[nodiscard]] base::Result<Program> program_of(const Package& package, std::string why) const;
  // Lower is better.
  [[nodiscard]] std::pair<bool, int> rank_of(const Program& program) const;
  [[nodiscard]] std::string path_of(const std::string& module) const {
    const auto entry = m_tree.modules.find(module);
    return entry == m_tree.modules.end() ? "" : entry->second;
  }
  // The error that there is no program at `where`: in the folder, or (when that is empty) in the whole
  // source.
  [[nodiscard]] tl::unexpected<base::Error> none(const std::string& where, const std::string& folder) const;

  const fs::path& m_source;
  const Tree& m_tree;
  const GoSettings& m_settings;
  const GoVariables& m_variables;
};

// As Go finds go.work and go.mod from the package's folder upwards.
base::Result<Program> Choice::program_of(const Package& package, std::string why) const {
  Program program{.folder = package.folder, .why = std::move(why), .module = package.module};
  boost::system::error_code error;
  if (m_variables.has_workspaces() && m_variables.has_modules()) {
    for (std::string folder = package.folder;; folder = above(folder)) {
      if (const auto entry = m_tree.workspaces.find(folder); entry != m_tree.workspaces.end()) {
        if (!entry->second.contains(package.module)) {
          const std::string file = folder == "." ? "go.work" : folder + "/go.work";
          const std::string what = package.module.empty()
                                       ? shown(package.folder) + " is not in any module"
                                       : "does not list the module in " + shown(package.folder);
          return base::fail(ErrorKind::bad_input, (m_source / file).string(), what,
                            "add it with go work use, or set GOWORK=off in go.environment");
        }
        program.layout = Layout::workspace;
        program.home = folder;
        return program;
      }
      if (folder == ".") break;
    }
  }
  program.home = package.module.empty() ? "." : package.module;
  if (package.module.empty())
    program.layout = fs::is_directory(m_source / "vendor", error) ? Layout::vendored : Layout::bare;
  return program;
}

std::pair<bool, int> Choice::rank_of(const Program& program) const {
  enum { k_root, k_nested, k_loose };
  const bool is_of_root = program.home == "." && program.layout != Layout::bare;
  int rank = is_of_root || program.folder == "." ? k_root : k_nested;
  if (rank != k_root && program.layout == Layout::bare) rank = k_loose;
  return {is_example(program.folder), rank};
}

base::Result<Program> Choice::named() const {
  const std::string where = m_settings.places.where("go.package");
  const std::string& text = m_settings.package;
  std::string wanted = plain_folder(text);
  // The import path of a package of one of the modules.
  std::string best;
  for (const auto& [folder, path] : m_tree.modules) {
    if (path.size() <= best.size() || !base::is_at_or_below(text, path)) continue;
    best = path;
    wanted = plain_folder(folder + text.substr(path.size()));
  }
  for (const auto& package : m_tree.packages) {
    if (package.folder != wanted) continue;
    if (is_program(package)) return program_of(package, m_settings.places.name("go.package"));
    if (package.name.empty()) break;
    return base::fail(ErrorKind::bad_input, where,
                      text + " is package " + package.name + ", not package main");
  }
  for (const auto& package : m_tree.packages) {
    if (package.folder == wanted) return none(where, wanted);
  }
  return base::fail(ErrorKind::bad_input, where, "no Go package in " + text);
}

base::Result<Choice::Candidates> Choice::candidates() const {
  std::vector<Program> programs;
  std::optional<base::Error> unreachable;
  for (const auto& package : m_tree.packages) {
    if (package.is_hidden || package.is_ignored || !is_program(package)) continue;
    auto program = program_of(package, "");
    if (program) {
      programs.push_back(std::move(*program));
    } else if (!unreachable) {
      unreachable = std::move(program).error();
    }
  }
  if (programs.empty()) return unreachable ? base::fail(*unreachable) : none(m_source.string(), "");
  const auto count = programs.size();
  auto best = rank_of(programs.front());
  for (const auto& program : programs) best = std::min(best, rank_of(program));
  std::erase_if(programs, [&](const Program& program) { return rank_of(program) != best; });
  return Candidates{std::move(programs), count};
}

base::Result<Program> Choice::found(const std::string& build_pipeline) const {
  BASE_TRY_ASSIGN(const auto candidates, this->candidates());
  const auto& [programs, all] = candidates;
  const auto choose = [&](Program program, std::string why) {
    program.why = std::move(why);
    return program;
  };
  const std::string of_several = "; chosen from " + std::to_string(all) + " programs";
  if (all == 1) return choose(programs.front(), "the only package main");
  // The root of the source, or of the one module that has all of them.
  const auto& home = programs.front().home;
  const bool is_of_one =
      std::all_of(programs.begin(), programs.end(), [&](const Program& one) { return one.home == home; });
  for (const auto& program : programs) {
    if (program.folder == ".") return choose(program, "at the root" + of_several);
  }
  for (const auto& program : programs) {
    if (is_of_one && program.folder == home)
      return choose(program, "at the root of " + shown(home) + of_several);
  }
  if (programs.size() == 1) {
    const bool is_of_root = rank_of(programs.front()) == std::pair(false, 0);
    return choose(programs.front(), is_of_root ? "the only one in the root module" + of_several
                                               : "the only one that is not an example" + of_several);
  }
  for (const auto& program : programs) {
    if (contract::build_pipeline_of(std::string(base::name_of(program.folder))) == build_pipeline)
      return choose(program, "named after the pipeline" + of_several);
  }
  const auto module = name_of_module(path_of(is_of_one ? programs.front().module : "."));
  for (const auto& program : programs) {
    if (!module.empty() && base::name_of(program.folder) == module)
      return choose(program, "named after the module" + of_several);
  }
  std::vector<std::string> folders;
  for (const auto& program : programs) folders.push_back(program.folder);
  return base::fail(ErrorKind::bad_input, m_source.string(),
                    "contains several programs: " + base::join(folders, ", "), k_choose_hint);
}

base::Result<Program> Choice::all() const {
  auto chosen = m_settings.package.empty() ? found("") : named();
  if (!chosen && !m_settings.package.empty()) return chosen;
  BASE_TRY_ASSIGN(const auto candidates, this->candidates());
  Program program = chosen ? *chosen : candidates.best.front();
  program.has_names = program.layout == Layout::module || program.layout == Layout::workspace;
  // Elsewhere programs have no names of their own.
  if (!program.has_names) return chosen;
  if (!m_settings.package.empty()) return program;
  if (!chosen) program.no_choice = chosen.error();
  std::map<std::string, std::string> names = {{program_name(m_tree, program.folder), program.folder}};
  for (const auto& other : candidates.best) {
    if (other.folder == program.folder) continue;
    const bool is_beside = other.home == program.home && other.layout == program.layout &&
                           (other.module == program.module || program.layout == Layout::workspace);
    const auto [known, is_new] = names.emplace(program_name(m_tree, other.folder), other.folder);
    if (is_beside && is_new) {
      program.others.push_back(other.folder);
    } else {
      report::warn(shown(other.folder) + " is not built: " +
                   (is_beside ? shown(known->second) + " has the same name"
                              : "it belongs to a different module than " + shown(program.folder)));
    }
  }
  return program;
}

tl::unexpected<base::Error> Choice::none(const std::string& where, const std::string& folder) const {
  std::vector<std::string> excluded;
  std::vector<std::string> tags;
  const Package* other = nullptr;
  bool has_files = false;
  for (const auto& package : m_tree.packages) {
    if (folder.empty() ? package.is_hidden || package.is_ignored : package.folder != folder) continue;
    has_files = true;
    if (other == nullptr && !package.name.empty()) other = &package;
    for (const auto& file : package.excluded) {
      const auto path = package.folder == "." ? file.name : package.folder + "/" + file.name;
      const auto& constraint = file.why.constraint;
      excluded.push_back(constraint.empty() ? path : path + " (" + constraint + ")");
      if (tags.empty() && file.package == "main") tags = file.why.tags;
    }
  }
  if (!has_files) {
    return base::fail(ErrorKind::bad_input, where, "has no Go files", "add a main.go with package main");
  }
  std::string what = "contains no package main";
  if (other != nullptr)
    what += "; " + (other->folder == "." ? "the root" : other->folder) + " is package " + other->name;
  if (!excluded.empty()) what += "; build constraints exclude " + base::join(excluded, ", ");
  std::string hint = "a pipeline runs a program: make it package main with a function main";
  if (!tags.empty()) {
    for (auto& tag : tags) tag = "\"" + tag + "\"";
    hint = "to include it, set go.tags = [" + base::join(tags, ", ") + "] in pachbuild.toml";
  }
  return base::fail(ErrorKind::bad_input, where, what, hint);
}

}  // namespace

std::string Program::argument_of(const std::string& package) const {
  const auto below = home == "." ? package : package == home ? "." : package.substr(home.size() + 1);
  return shown(below);
}

std::vector<std::string> Program::arguments() const {
  std::vector<std::string> all = {argument()};
  for (const auto& other : others) all.push_back(argument_of(other));
  return all;
}

base::Result<Program> choose_program(const fs::path& source, const Tree& tree, const GoSettings& settings,
                                     const GoVariables& variables, const std::string& build_pipeline) {
  const Choice choice(source, tree, settings, variables);
  return settings.package.empty() ? choice.found(build_pipeline) : choice.named();
}

base::Result<Program> choose_all_programs(const fs::path& source, const Tree& tree,
                                          const GoSettings& settings, const GoVariables& variables) {
  return Choice(source, tree, settings, variables).all();
}

std::string program_name(const Tree& tree, const std::string& folder) {
  std::string home;
  for (const auto& package : tree.packages) {
    if (package.folder == folder) home = package.module;
  }
  const auto module = tree.modules.find(home);
  std::string path = module == tree.modules.end() ? "" : module->second;
  if (folder != home)
    path += "/" + (home == "." ? folder : folder.substr(home.empty() ? 0 : home.size() + 1));
  return name_of_module(path);
}

}  // namespace builder::go
