// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/tree.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "base/digest.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/source_digest.h"

namespace builder::go {
namespace {

// The folder that a use line of the go.work in `folder` names, relative to the source.
std::string used_folder(const std::string& folder, const std::string& target) {
  std::vector<std::string> parts;
  for (auto& part : base::split(folder + "/" + target, '/')) {
    if (part.empty() || part == ".") continue;
    if (part == ".." && !parts.empty() && parts.back() != "..")
      parts.pop_back();
    else
      parts.push_back(std::move(part));
  }
  return parts.empty() ? "." : base::join(parts, "/");
}

// The folder and the own name in a name inside the source; the source itself is ".".
std::pair<std::string, std::string> parts_of(const std::string& name) {
  std::string folder = base::folder_of(name);
  return {folder.empty() ? "." : std::move(folder), base::name_of(name)};
}

bool is_hidden(const std::string& folder) {
  const auto names = base::split(folder, '/');
  return folder != "." && std::any_of(names.begin(), names.end(), is_passed_over);
}

// What Go would read of a source, found while it is read for its digest.
class Collector {
 public:
  explicit Collector(const Tags& tags) : m_tags(tags), m_tags_without_c(tags) {
    m_tags_without_c.erase("cgo");
  }

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
      if (name == "go.mod") {
        m_modules.emplace(folder, module_path(text));
        if (base::contains(text, "ignore")) m_ignoring.emplace(folder, text);
      }
      if (name == "go.work") {
        auto& used = m_workspaces[folder];
        for (const auto& target : use_targets(text)) used.insert(used_folder(folder, target));
      }
      return;
    }
    File file{.package = package_clause(text), .exclusion = exclusion_of(name, text, m_tags)};
    if (!file.exclusion) file.imports = imports_of(text);
    file.asks_for_c = m_tags.contains("cgo") && base::contains(text, "cgo") &&
                      exclusion_of(name, text, m_tags_without_c).has_value() != file.exclusion.has_value();
    const std::scoped_lock lock(m_mutex);
    m_folders[folder].emplace(std::move(name), std::move(file));
  }

  void finish(Tree& tree) {
    base::Sha256 files;
    for (const auto& [path, digest] : m_module_files) {
      files.update_field(path);
      files.update_field(digest);
    }
    tree.module_files = files.finish();
    tree.modules = std::move(m_modules);
    tree.workspaces = std::move(m_workspaces);
    base::Sha256 outline;
    outline.update_field(tree.module_files);
    for (auto& [folder, files_of_package] : m_folders) {
      Package package = package_of(folder, files_of_package);
      package.module = module_of(tree, folder);
      if (const auto ignoring = m_ignoring.find(package.module); ignoring != m_ignoring.end())
        package.is_ignored = is_ignored(ignoring->second, relative_to(package.module, folder));
      tree.has_c = tree.has_c || package.uses_c || package.asks_for_c;
      outline.update_field(package.folder + (package.uses_c ? " C" : "") +
                           (package.asks_for_c ? " cgo" : ""));
      for (const auto& import : package.imports) outline.update_field(import);
      tree.packages.push_back(std::move(package));
    }
    tree.outline = outline.finish();
  }

 private:
  struct File {
    std::string package;
    std::vector<std::string> imports;
    std::optional<Exclusion> exclusion;
    bool asks_for_c = false;
  };
  using Files = std::map<std::string, File>;

  static std::string module_of(const Tree& tree, std::string folder) {
    while (true) {
      if (tree.modules.contains(folder)) return folder;
      if (folder == ".") return "";
      folder = parts_of(folder).first;
    }
  }

  static std::string relative_to(const std::string& module, const std::string& folder) {
    if (module == ".") return folder;
    return folder == module ? "." : folder.substr(module.size() + 1);
  }

  static Package package_of(const std::string& folder, Files& files) {
    Package package{.folder = folder, .is_hidden = is_hidden(folder)};
    std::set<std::string> imports;
    for (auto& [name, file] : files) {
      package.asks_for_c = package.asks_for_c || file.asks_for_c;
      if (file.exclusion) {
        package.excluded.push_back({name, std::move(file.package), std::move(*file.exclusion)});
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
  Tags m_tags_without_c;
  std::mutex m_mutex;
  std::map<std::string, std::string> m_module_files;  // digests by path
  std::map<std::string, std::string> m_modules;
  std::map<std::string, std::string> m_ignoring;  // go.mod files that may have ignore lines
  std::map<std::string, std::set<std::string>> m_workspaces;
  std::map<std::string, Files> m_folders;
};

}  // namespace

bool is_passed_over(const std::string& folder) {
  return folder[0] == '.' || folder[0] == '_' || folder == "testdata" || folder == "vendor" ||
         folder == "node_modules";
}

base::Result<Tree> read_tree(const base::fs::path& source, const Tags& tags) {
  Tree tree;
  Collector collector(tags);
  BASE_TRY_ASSIGN(tree.digest, digest_of_folder(source, Collector::wants,
                                                [&](const std::string& name, std::string_view text) {
                                                  collector.see(name, text);
                                                }));
  collector.finish(tree);
  return tree;
}

bool is_below(const std::string& folder, const std::string& above) {
  return above == "." || base::is_at_or_below(folder, above);
}

std::vector<std::string> foreign_imports(const Tree& tree, const std::string& module) {
  std::set<std::string> foreign;
  const auto entry = tree.modules.find(module);
  const std::string path = entry == tree.modules.end() ? "" : entry->second;
  for (const auto& package : tree.packages) {
    if (package.module != module || package.is_hidden) continue;
    for (const auto& import : package.imports) {
      // Go's own packages have no dot in their first part.
      const bool is_own = !base::contains(import.substr(0, import.find('/')), '.');
      const bool is_here = !path.empty() && base::is_at_or_below(import, path);
      if (!is_own && !is_here) foreign.insert(import);
    }
  }
  return {foreign.begin(), foreign.end()};
}

std::vector<std::string> foreign_imports(const Tree& tree) {
  std::set<std::string> foreign;
  for (const auto& [folder, path] : tree.modules) {
    const auto of_module = foreign_imports(tree, folder);
    foreign.insert(of_module.begin(), of_module.end());
  }
  return {foreign.begin(), foreign.end()};
}

}  // namespace builder::go
