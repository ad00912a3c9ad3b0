// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/tree.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/source_digest.h"

namespace builder::go {
namespace {

using base::ErrorKind;

constexpr char k_choose_hint[] = "say which with go.package in pachbuild.toml";

// "./cmd/tool/" → "cmd/tool"; the source itself is ".".
std::string plain_folder(const std::string& text) {
  std::vector<std::string> parts;
  for (const auto& part : base::split(text, '/')) {
    if (!part.empty() && part != ".") parts.push_back(part);
  }
  return parts.empty() ? "." : base::join(parts, "/");
}

// Folders of a go.work that are used, relative to the source.
std::set<std::string> used_folders(const fs::path& source) {
  std::set<std::string> folders;
  const auto text = base::read_input_file(source / "go.work");
  if (!text) return folders;
  for (const auto& target : use_targets(*text)) folders.insert(plain_folder(target));
  return folders;
}

// The folder and the own name in a name inside the source; the source itself is ".".
std::pair<std::string, std::string> parts_of(const std::string& name) {
  std::string folder = base::folder_of(name);
  return {folder.empty() ? "." : std::move(folder), base::name_of(name)};
}

// What Go would read of a source, found while it is read for its digest.
class Collector {
 public:
  Collector(const Tags& tags, std::set<std::string> used) : m_tags(tags), m_used(std::move(used)) {}

  // Whether the file is shown: one of a package, or one about modules.
  [[nodiscard]] static bool wants(std::string_view path) {
    const auto slash = path.rfind('/');
    const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
    return is_go_file(name) || is_module_file(name);
  }

  void see(const std::string& path, std::string_view text) {
    auto [folder, name] = parts_of(path);
    if (is_module_file(name)) {
      std::string digest = base::sha256(text);
      const std::scoped_lock lock(m_mutex);
      m_module_files.emplace(path, std::move(digest));
      if (name == "go.mod" && folder != "." && !m_used.contains(folder)) m_other_modules.insert(folder);
      return;
    }
    File file{.is_included = is_included(name, text, m_tags)};
    if (file.is_included) {
      file.package = package_clause(text);
      file.imports = imports_of(text);
    }
    const std::scoped_lock lock(m_mutex);
    m_folders[folder].emplace(std::move(name), std::move(file));
  }

  void finish(Tree& tree) {
    base::Sha256 modules;
    for (const auto& [path, digest] : m_module_files) {
      modules.update_field(path);
      modules.update_field(digest);
    }
    tree.modules = modules.finish();
    base::Sha256 outline;
    outline.update_field(tree.modules);
    for (auto& [folder, files] : m_folders) {
      Package package = package_of(folder, files);
      tree.has_c = tree.has_c || package.uses_c;
      outline.update_field(package.folder + (package.uses_c ? " C" : ""));
      for (const auto& import : package.imports) outline.update_field(import);
      if (belongs(folder)) tree.packages.push_back(std::move(package));
    }
    tree.outline = outline.finish();
  }

 private:
  struct File {
    bool is_included = false;
    std::string package;
    std::vector<std::string> imports;
  };
  using Files = std::map<std::string, File>;

  [[nodiscard]] bool belongs(const std::string& folder) const {
    if (folder == ".") return true;
    std::string path;
    for (const auto& name : base::split(folder, '/')) {
      if (name == "vendor" || name == "testdata" || name[0] == '.' || name[0] == '_') return false;
      path += (path.empty() ? "" : "/") + name;
      if (m_other_modules.contains(path)) return false;
    }
    return true;
  }

  static Package package_of(const std::string& folder, Files& files) {
    Package package{.folder = folder};
    std::set<std::string> imports;
    for (auto& [name, file] : files) {
      if (!file.is_included) {
        package.excluded.push_back(name);
        continue;
      }
      if (package.name.empty()) package.name = file.package;
      for (auto& import : file.imports) imports.insert(std::move(import));
    }
    package.uses_c = imports.erase("C") > 0;
    package.imports.assign(imports.begin(), imports.end());
    return package;
  }

  static bool is_module_file(std::string_view name) {
    return name == "go.mod" || name == "go.sum" || name == "go.work" || name == "go.work.sum" ||
           name == "modules.txt";
  }

  const Tags& m_tags;
  std::set<std::string> m_used;
  std::mutex m_mutex;
  std::map<std::string, std::string> m_module_files;  // digests by path
  std::set<std::string> m_other_modules;              // folders of modules that are not the source's
  std::map<std::string, Files> m_folders;
};

// "example.com/tool/v2" is called tool.
std::string name_of_module(const std::string& path) {
  const std::string last = base::name_of(path);
  const bool is_version =
      last.size() > 1 && last[0] == 'v' && last.find_first_not_of("0123456789", 1) == std::string::npos;
  return is_version && path.size() > last.size()
             ? base::name_of(path.substr(0, path.size() - last.size() - 1))
             : last;
}

base::Result<std::string> named_program(const Tree& tree, const std::string& where,
                                        const std::string& package) {
  std::string name = package;
  if (!tree.module.empty() && name.rfind(tree.module, 0) == 0) name = "." + name.substr(tree.module.size());
  const std::string wanted = plain_folder(name);
  for (const auto& one : tree.packages) {
    if (one.folder != wanted) continue;
    if (one.name == "main") return one.folder;
    return base::fail(ErrorKind::bad_input, where,
                      package + " is package " + one.name + ", not package main");
  }
  return base::fail(ErrorKind::bad_input, where, "no Go package in " + package);
}

// The words for a source without a program.
tl::unexpected<base::Error> no_program(const fs::path& source, const Tree& tree) {
  std::vector<std::string> excluded;
  for (const auto& package : tree.packages) {
    for (const auto& file : package.excluded) {
      excluded.push_back(package.folder == "." ? file : package.folder + "/" + file);
    }
  }
  if (tree.packages.empty()) {
    return base::fail(ErrorKind::bad_input, source.string(), "has no Go files",
                      "the program is package main");
  }
  const auto other = std::find_if(tree.packages.begin(), tree.packages.end(),
                                  [](const Package& p) { return !p.name.empty(); });
  std::string what = "has no package main";
  if (other != tree.packages.end())
    what += "; " + (other->folder == "." ? "the root" : other->folder) + " is package " + other->name;
  if (!excluded.empty()) what += "; build constraints exclude " + base::join(excluded, ", ");
  return base::fail(ErrorKind::bad_input, source.string(), what,
                    "a pipeline runs a program: make it package main with a function main");
}

}  // namespace

base::Result<Tree> read_tree(const fs::path& source, const Tags& tags) {
  Tree tree;
  boost::system::error_code error;
  if (is_file(source / "go.work")) {
    tree.layout = Layout::workspace;
  } else if (!is_file(source / "go.mod")) {
    tree.layout = fs::is_directory(source / "vendor", error) ? Layout::vendored : Layout::bare;
  }
  if (is_file(source / "go.mod")) {
    BASE_TRY_ASSIGN(const std::string text, base::read_input_file(source / "go.mod"));
    tree.module = module_path(text);
  }
  Collector collector(tags, used_folders(source));
  BASE_TRY_ASSIGN(tree.digest, digest_of_folder(source, Collector::wants,
                                                [&](const std::string& name, std::string_view text) {
                                                  collector.see(name, text);
                                                }));
  collector.finish(tree);
  return tree;
}

base::Result<ChosenProgram> choose_program(const fs::path& source, const Tree& tree,
                                           const GoSettings& settings, const std::string& pipeline) {
  if (!settings.package.empty()) {
    const std::string setting = settings.file + ": go.package";
    BASE_TRY_ASSIGN(std::string folder, named_program(tree, setting, settings.package));
    return ChosenProgram{std::move(folder), setting};
  }
  std::vector<std::string> folders;
  for (const auto& package : tree.packages) {
    // A file without a package clause is Go's to complain about.
    const bool is_odd = package.name.empty() && package.excluded.empty();
    if (package.name == "main" || is_odd) folders.push_back(package.folder);
  }
  if (folders.empty()) return no_program(source, tree);
  if (folders.size() == 1) return ChosenProgram{folders.front(), "the only package main"};
  const std::string of_several = " of " + std::to_string(folders.size()) + " programs";
  if (std::find(folders.begin(), folders.end(), ".") != folders.end())
    return ChosenProgram{".", "the one at the root" + of_several};
  for (const auto& [name, whose] :
       {std::pair(pipeline, "pipeline"), {name_of_module(tree.module), "module"}}) {
    for (const auto& folder : folders) {
      if (!name.empty() && base::name_of(folder) == name)
        return ChosenProgram{folder, std::string("the one named like the ") + whose + of_several};
    }
  }
  return base::fail(ErrorKind::bad_input, source.string(),
                    "has several programs: " + base::join(folders, ", "), k_choose_hint);
}

std::vector<std::string> foreign_imports(const Tree& tree) {
  std::set<std::string> foreign;
  for (const auto& package : tree.packages) {
    for (const auto& import : package.imports) {
      // Go's own packages have no dot in their first part.
      const bool is_own = import.substr(0, import.find('/')).find('.') == std::string::npos;
      const bool is_here =
          !tree.module.empty() && (import == tree.module || import.rfind(tree.module + "/", 0) == 0);
      if (!is_own && !is_here) foreign.insert(import);
    }
  }
  return {foreign.begin(), foreign.end()};
}

}  // namespace builder::go
