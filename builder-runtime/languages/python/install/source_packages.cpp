// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/install/source_packages.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <map>
#include <set>
#include <string_view>

#include "base/errors.h"
#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/python/packaging/record.h"
#include "contract/layout.h"

namespace builder::python {
namespace {

constexpr char k_mirror[] = "source";
constexpr char k_finder[] = "_pachbuild_source";
constexpr std::string_view k_python_suffix = ".py";
constexpr std::string_view k_compiled_suffix = ".so";
constexpr std::string_view k_pycache = "__pycache__";

// Once per import: PathFinder is what looks through sys.path itself. A package that is not in its folder is
// looked for as usual.
constexpr char k_finder_text[] =
    R"py("""Imports the packages of /pfs/source from where they are, with what was built of them. Made by builder-runtime."""
import sys
from _frozen_importlib_external import PathFinder

FOLDERS = {
@FOLDERS@}


class SourceFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        folder = FOLDERS.get(name)
        return PathFinder.find_spec(name, [folder if folder[0] == "/" else sys.prefix + "/" + folder]) if folder else None


sys.meta_path.insert(0, SourceFinder)
)py";

bool is_code(std::string_view name) {
  return name.ends_with(k_python_suffix) || name.ends_with(k_compiled_suffix);
}

// The name of the module that a file is: "fast" for fast.cpython-311-x86_64-linux-gnu.so.
std::string module_of(std::string_view name) { return std::string(name.substr(0, name.find('.'))); }

bool is_identifier(std::string_view name) {
  return !name.empty() && std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c >= 0x80; });
}

// What one import statement finds, with the files that it is installed as.
struct Unit {
  fs::path path;
  bool is_package = false;
  std::vector<std::string> files;  // relative to site-packages
};

// The packages and modules of these files, which are relative to `folder`. A folder without __init__ is a
// namespace: others may have packages in it, too.
void add_units(const fs::path& folder, const std::vector<std::string>& files, std::vector<Unit>& units) {
  std::map<std::string, std::vector<std::string>> folders;
  std::map<std::string, Unit> modules;
  for (const auto& file : files) {
    const auto slash = file.find('/');
    if (slash != std::string::npos) {
      folders[file.substr(0, slash)].push_back(file.substr(slash + 1));
    } else if (is_code(file) && is_identifier(module_of(file))) {
      auto& unit = modules[module_of(file)];
      unit.path = folder / (module_of(file) + std::string(k_python_suffix));
      unit.files.push_back((folder / file).string());
    }
  }
  for (const auto& [name, below] : folders) {
    if (!is_identifier(name) || name == k_pycache) continue;
    const bool is_package = std::any_of(below.begin(), below.end(), [](const std::string& file) {
      return is_code(file) && module_of(file) == "__init__";
    });
    if (!is_package) {
      add_units(folder / name, below, units);
      continue;
    }
    Unit unit{folder / name, true, {}};
    for (const auto& file : below) unit.files.push_back((unit.path / file).string());
    units.push_back(std::move(unit));
  }
  for (auto& [name, unit] : modules) units.push_back(std::move(unit));
}

// What its RECORD lists, without bytecode.
base::Result<std::vector<std::string>> files_of(const fs::path& information) {
  BASE_TRY_ASSIGN(const std::string record, base::read_file(information / "RECORD"));
  std::vector<std::string> files;
  for (auto& path : paths_of_record(record)) {
    const bool is_bytecode = base::contains(path, "__pycache__/") || path.ends_with(".pyc");
    if (base::stays_inside(path) && !is_bytecode) files.push_back(std::move(path));
  }
  return files;
}

// The folders of a project that may be on the import path when it is installed: itself, src, and what other
// build systems are told to take (maturin's python, lib, …).
std::vector<fs::path> import_roots_of(const fs::path& source, const fs::path& project) {
  std::vector<fs::path> roots = {project, project / "src"};
  std::vector<fs::path> others;
  boost::system::error_code error;
  for (fs::directory_iterator entry(source / project, error), end; entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool is_result = name == "build" || name == "dist";
    if (fs::is_directory(entry->status()) && name.front() != '.' && name != "src" && !is_result)
      others.push_back(project / name);
  }
  std::sort(others.begin(), others.end());
  roots.insert(roots.end(), others.begin(), others.end());
  return roots;
}

bool is_in(const fs::path& root, const Unit& unit) {
  return (!unit.is_package && is_file(root / unit.path)) ||
         std::any_of(unit.files.begin(), unit.files.end(),
                     [&](const std::string& file) { return is_file(root / file); });
}

// Whether all that is installed of it are the source's own bytes.
base::Result<bool> is_as_in(const fs::path& root, const Unit& unit, const fs::path& site_packages) {
  boost::system::error_code error;
  for (const auto& file : unit.files) {
    if (!is_file(root / file) ||
        fs::file_size(root / file, error) != fs::file_size(site_packages / file, error)) {
      return false;
    }
    BASE_TRY_ASSIGN(const std::string own, base::read_file(root / file));
    BASE_TRY_ASSIGN(const std::string installed, base::read_file(site_packages / file));
    if (own != installed) return false;
  }
  return true;
}

std::string dotted(const Unit& unit) {
  std::string name = (unit.is_package ? unit.path : unit.path.parent_path() / unit.path.stem()).string();
  std::replace(name.begin(), name.end(), '/', '.');
  return name;
}

std::string python_text(const std::string& text) {
  std::string literal = "\"";
  for (const char character : text) {
    if (character == '"' || character == '\\') literal += '\\';
    literal += character == '\n' ? std::string("\\n") : std::string(1, character);
  }
  return literal + "\"";
}

base::Status make_link(const fs::path& target, const fs::path& link) {
  boost::system::error_code error;
  fs::create_symlink(target, link, error);
  if (error) return base::fail(base::system_error("create", link.string(), error.value()));
  return {};
}

// Links to what a folder of the source has and `to` has not; `is_deep` does the same in all folders that both
// have.
base::Status add_links(const fs::path& source, const fs::path& folder, const fs::path& to, bool is_deep) {
  constexpr std::array<std::string_view, 4> k_left_out = {".git", ".hg", ".svn", "__pycache__"};
  boost::system::error_code error;
  for (fs::directory_iterator entry(source / folder, error), end; entry != end; entry.increment(error)) {
    const fs::path name = entry->path().filename();
    if (std::find(k_left_out.begin(), k_left_out.end(), name.string()) != k_left_out.end()) continue;
    const auto present = fs::symlink_status(to / name);
    if (present.type() == fs::file_not_found) {
      BASE_TRY(make_link(contract::k_source / folder / name, to / name));
    } else if (is_deep && present.type() == fs::directory_file && fs::is_directory(entry->status())) {
      BASE_TRY(add_links(source, folder / name, to / name, is_deep));
    }
  }
  if (error) return base::fail(base::system_error("read", (source / folder).string(), error.value()));
  return {};
}

// Moves a file or folder and leaves a link in its place.
base::Status move_and_link(const fs::path& from, const fs::path& to) {
  BASE_TRY(base::make_folders(to.parent_path(), base::k_owner_writes));
  BASE_TRY(base::rename_path(from, to));
  return make_link(to.lexically_relative(from.parent_path()), from);
}

base::Status move_module(const SourcePackage& package, const fs::path& site_packages, const fs::path& to) {
  for (const auto& file : package.files) BASE_TRY(move_and_link(site_packages / file, to / file));
  const fs::path bytecode = package.path.parent_path() / std::string(k_pycache);
  const std::string prefix = package.path.stem().string() + ".";
  std::vector<fs::path> names;
  boost::system::error_code error;
  for (fs::directory_iterator entry(site_packages / bytecode, error), end; entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with(prefix)) names.push_back(entry->path().filename());
  }
  if (!names.empty()) BASE_TRY(base::make_folders(to / bytecode, base::k_owner_writes));
  for (const auto& name : names) {
    BASE_TRY(base::rename_path(site_packages / bytecode / name, to / bytecode / name));
  }
  return {};
}

// Shared libraries that compiled modules look for beside their package ($ORIGIN/../.name.libs).
base::Status add_library_links(const fs::path& site_packages, const fs::path& to) {
  std::vector<fs::path> folders;
  boost::system::error_code error;
  for (fs::directory_iterator entry(site_packages, error), end; entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.ends_with(".libs") && fs::is_directory(entry->status())) folders.push_back(entry->path());
  }
  for (const auto& folder : folders) {
    const fs::path link = to / folder.filename();
    if (fs::symlink_status(link).type() == fs::file_not_found)
      BASE_TRY(make_link(folder.lexically_relative(to), link));
  }
  return {};
}

}  // namespace

base::Result<std::vector<SourcePackage>> find_source_packages(
    const fs::path& site_packages, const fs::path& source,
    const std::vector<SourceDistribution>& distributions) {
  std::vector<SourcePackage> packages;
  std::set<std::string> names;
  for (const auto& distribution : distributions) {
    BASE_TRY_ASSIGN(const auto files, files_of(distribution.information));
    std::vector<Unit> units;
    add_units("", files, units);
    const auto roots = import_roots_of(source, distribution.project);
    for (auto& unit : units) {
      const auto root = std::find_if(roots.begin(), roots.end(),
                                     [&](const fs::path& folder) { return is_in(source / folder, unit); });
      if (root == roots.end() || !names.insert(dotted(unit)).second) continue;
      BASE_TRY_ASSIGN(const bool is_same, is_as_in(source / *root, unit, site_packages));
      packages.push_back({.name = dotted(unit),
                          .path = unit.path,
                          .root = *root,
                          .is_mirrored = !is_same || !root->empty(),
                          .files = unit.is_package ? std::vector<std::string>() : std::move(unit.files)});
    }
  }
  std::sort(packages.begin(), packages.end(),
            [](const SourcePackage& one, const SourcePackage& other) { return one.name < other.name; });
  return packages;
}

base::Result<std::vector<std::string>> modules_of_distribution(const fs::path& information) {
  BASE_TRY_ASSIGN(const auto files, files_of(information));
  std::vector<std::string> modules;
  for (const auto& file : files) {
    if (!is_code(file)) continue;
    const fs::path path(file);
    std::string module = (path.parent_path() / module_of(path.filename().string())).string();
    std::replace(module.begin(), module.end(), '/', '.');
    modules.push_back(std::move(module));
  }
  return modules;
}

base::Status add_source_finder(const fs::path& site_packages, const std::vector<SourcePackage>& packages) {
  if (packages.empty()) return {};
  std::string folders;
  for (const auto& package : packages) {
    const fs::path top = package.is_mirrored ? fs::path(k_mirror) : fs::path(contract::k_source);
    folders += "    " + python_text(package.name) + ": " +
               python_text((top / package.root / package.path.parent_path()).lexically_normal().string()) +
               ",\n";
  }
  std::string text = k_finder_text;
  constexpr std::string_view k_place = "@FOLDERS@";
  text.replace(text.find(k_place), k_place.size(), folders);
  BASE_TRY(base::write_file(site_packages / (std::string(k_finder) + ".py"), text));
  return base::write_file(site_packages / (std::string(k_finder) + ".pth"),
                          std::string("import ") + k_finder + "\n");
}

base::Status make_source_mirror(const fs::path& environment, const fs::path& site_packages,
                                const fs::path& source, const std::vector<SourcePackage>& packages) {
  const fs::path mirror = environment / k_mirror;
  std::set<fs::path> above;  // folders, relative to the source, of which only a part is installed
  for (const auto& package : packages) {
    if (!package.is_mirrored) continue;
    const fs::path place = package.root / package.path;
    if (package.files.empty()) {
      BASE_TRY(move_and_link(site_packages / package.path, mirror / place));
      BASE_TRY(add_links(source, place, mirror / place, true));
    } else {
      BASE_TRY(move_module(package, site_packages, mirror / package.root));
    }
    BASE_TRY(add_library_links(site_packages, mirror / package.root));
    for (fs::path folder = place; !folder.empty();) {
      folder = folder.parent_path();
      above.insert(folder);
    }
  }
  for (const auto& folder : above) BASE_TRY(add_links(source, folder, mirror / folder, false));
  return {};
}

}  // namespace builder::python
