// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/tree.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <map>
#include <set>

#include "base/errors.h"
#include "base/text.h"
#include "builder-runtime/languages/go/module.h"
#include "builder-runtime/languages/language.h"

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
  const auto text = base::read_file(source / "go.work");
  if (!text) return folders;
  for (const auto& target : use_targets(*text)) folders.insert(plain_folder(target));
  return folders;
}

class Walk {
 public:
  Walk(fs::path source, const Tags& tags)
      : m_source(std::move(source)), m_tags(tags), m_used(used_folders(m_source)) {}

  base::Status add(const std::string& folder) {
    const fs::path path = folder == "." ? m_source : m_source / folder;
    BASE_TRY_ASSIGN(const auto files, read_go_files(path));
    if (!files.empty()) m_packages.push_back(package_of(folder, files));
    std::vector<std::string> folders;
    boost::system::error_code error;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
      const auto name = entry->path().filename().string();
      // Links to folders are not followed: neither does Go.
      const bool is_folder = entry->symlink_status(error).type() == fs::directory_file;
      if (is_folder && name != "vendor" && name != "testdata" && name[0] != '.' && name[0] != '_')
        folders.push_back(name);
    }
    if (error) return base::fail(base::system_error("read", path.string(), error.value()));
    std::sort(folders.begin(), folders.end());
    for (const auto& name : folders) {
      const std::string below = folder == "." ? name : base::join({folder, name}, "/");
      if (!is_file(path / name / "go.mod") || m_used.contains(below)) BASE_TRY(add(below));
    }
    return {};
  }

  std::vector<Package> finish() { return std::move(m_packages); }

 private:
  Package package_of(const std::string& folder, const std::vector<GoFile>& files) const {
    Package package{.folder = folder};
    std::set<std::string> imports;
    for (const auto& file : files) {
      if (!is_included(file.name, file.text, m_tags)) {
        package.excluded.push_back(file.name);
        continue;
      }
      if (package.name.empty()) package.name = file.package;
      for (auto& import : imports_of(file.text)) imports.insert(std::move(import));
    }
    package.uses_c = imports.erase("C") > 0;
    package.imports.assign(imports.begin(), imports.end());
    return package;
  }

  fs::path m_source;
  const Tags& m_tags;
  std::set<std::string> m_used;
  std::vector<Package> m_packages;
};

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// "example.com/tool/v2" is called tool.
std::string name_of_module(const std::string& path) {
  const std::string last = last_part(path);
  const bool is_version =
      last.size() > 1 && last[0] == 'v' && last.find_first_not_of("0123456789", 1) == std::string::npos;
  return is_version && path.size() > last.size() ? last_part(path.substr(0, path.size() - last.size() - 1))
                                                 : last;
}

base::Result<std::string> named_program(const fs::path& source, const Tree& tree, const std::string& where,
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
  return base::fail(ErrorKind::bad_input, where,
                    "there is no Go package " + package + " in " + source.string());
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
    BASE_TRY_ASSIGN(const std::string text, base::read_file(source / "go.mod"));
    tree.module = module_path(text);
  }
  Walk walk(source, tags);
  BASE_TRY(walk.add("."));
  tree.packages = walk.finish();
  return tree;
}

base::Result<std::string> choose_program(const fs::path& source, const Tree& tree, const GoSettings& settings,
                                         const std::string& pipeline) {
  if (!settings.package.empty())
    return named_program(source, tree, settings.file + ": go.package", settings.package);
  std::vector<std::string> folders;
  for (const auto& package : tree.packages) {
    // A file without a package clause is Go's to complain about.
    const bool is_odd = package.name.empty() && package.excluded.empty();
    if (package.name == "main" || is_odd) folders.push_back(package.folder);
  }
  if (folders.empty()) return no_program(source, tree);
  if (folders.size() == 1 || folders.front() == ".") return folders.front();
  for (const auto& name : {pipeline, name_of_module(tree.module)}) {
    for (const auto& folder : folders) {
      if (!name.empty() && last_part(folder) == name) return folder;
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
