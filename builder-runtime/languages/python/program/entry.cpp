// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/program/entry.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <iterator>

#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/python/manifests/scripts.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "contract/layout.h"

namespace builder::python {
namespace {

using base::ErrorKind;
using data::Value;

constexpr char k_choose_hint[] = "name the program main.py, or set python.program in pachbuild.toml";
constexpr char k_form_hint[] = "write tool.py, package.module or package.module:function";
constexpr char k_default_name[] = "the default name";
constexpr char k_program_setting[] = "python.program";
// Files at the root that other tools start.
constexpr std::string_view k_not_programs[] = {"setup.py",   "conftest.py",   "__init__.py",
                                               "noxfile.py", "versioneer.py", "fabfile.py",
                                               "dodo.py",    "hatch_build.py"};
// Folders of a source whose packages are not what it is for.
constexpr std::string_view k_not_packages[] = {"test", "tests", "docs", "examples", "build", "dist"};

template <std::size_t N>
bool is_one_of(const std::string_view (&names)[N], const std::string& name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

std::string in_source(const fs::path& folder) { return (contract::k_source / folder).string(); }

Entry entry_of_file(const fs::path& source, const fs::path& file, std::string why) {
  Entry entry;
  entry.arguments = {in_source(file)};
  entry.file = source / file;
  entry.root = file.parent_path();
  entry.program = {file.string(), std::move(why)};
  return entry;
}

bool is_identifier_path(const std::string& text) {
  const auto parts = base::split(text, '.');
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c >= 0x80; };
    return !part.empty() && std::isdigit(static_cast<unsigned char>(part.front())) == 0 &&
           std::all_of(part.begin(), part.end(), fits);
  });
}

bool is_folder(const fs::path& path) {
  boost::system::error_code error;
  return fs::is_directory(path, error);
}

// The names of the folders in a folder of the source, sorted; hidden ones and virtual environments left out.
std::vector<std::string> folders_in(const fs::path& folder) {
  std::vector<std::string> names;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.front() != '.' && is_folder(entry->path()) && !is_file(entry->path() / "pyvenv.cfg"))
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The folders in which packages of the source may be: the source itself, src, and others that are themselves
// no package.
std::vector<fs::path> roots_of(const fs::path& source) {
  std::vector<fs::path> roots = {"", "src"};
  for (const auto& name : folders_in(source)) {
    if (name != "src" && !is_one_of(k_not_packages, name) && !is_file(source / name / "__init__.py"))
      roots.emplace_back(name);
  }
  return roots;
}

// Where a module is in the source: "pkg.tool" is pkg/tool.py or pkg/tool/__main__.py.
struct ModuleFile {
  fs::path root;  // relative to the source
  fs::path file;  // absolute; empty: the source has not got it
};

ModuleFile file_of_module(const fs::path& source, std::string module, const std::string& package_file) {
  std::replace(module.begin(), module.end(), '.', '/');
  for (const auto& root : roots_of(source)) {
    for (const auto& name : {module + ".py", module + "/" + package_file}) {
      if (is_file(source / root / name)) return {root, source / root / name};
    }
  }
  return {};
}

// What puts the folder of the module first on the import path, as the folder of a program is, and behind it
// the source.
std::string path_statement(const fs::path& root) {
  if (root.empty()) return "sys.path[0] = '" + in_source("") + "'";
  return "sys.path[:1] = ['" + in_source(root) + "', '" + in_source("") + "']";
}

// As the console script of an installed package would call it.
base::Result<Entry> entry_of_function(const fs::path& source, const std::string& place,
                                      const std::string& text, const std::string& name, std::string why) {
  const auto colon = text.find(':');
  const std::string module(base::trim(text.substr(0, colon)));
  // Extras may follow: "tool:main [fast]".
  const std::string function(base::trim(
      colon == std::string::npos ? "" : text.substr(colon + 1, text.find('[', colon) - colon - 1)));
  if (!is_identifier_path(module) || !is_identifier_path(function) ||
      name.find_first_of("'\\\n") != std::string::npos) {
    return base::fail(ErrorKind::bad_input, place, "\"" + text + "\" does not have the form module:function");
  }
  const auto [root, file] = file_of_module(source, module, "__init__.py");
  Entry entry;
  entry.function = function.substr(0, function.find('.'));
  entry.arguments = {"-c", "import sys; " + path_statement(root) + "; sys.argv[0] = '" + name + "'; from " +
                               module + " import " + entry.function + "; sys.exit(" + function + "())"};
  entry.file = file;
  entry.root = root;
  entry.program = {module + ":" + function, std::move(why)};
  entry.module = module;
  entry.place = place;
  return entry;
}

// As `python -m` does.
Entry entry_of_module(const fs::path& source, const std::string& place, const std::string& module,
                      std::string why) {
  const auto [root, file] = file_of_module(source, module, "__main__.py");
  Entry entry;
  entry.arguments = {"-m", module};
  if (!root.empty()) {
    entry.arguments = {"-c", "import runpy, sys; " + path_statement(root) + "; runpy.run_module('" + module +
                                 "', run_name='__main__', alter_sys=True)"};
  }
  entry.file = file;
  entry.root = root;
  entry.program = {module, std::move(why)};
  entry.module = module;
  entry.place = place;
  return entry;
}

base::Result<Entry> chosen_entry(const fs::path& source, const SourceSettings& settings) {
  const std::string& text = settings.python.program;
  const std::string place = settings.places.where(k_program_setting);
  const std::string why = settings.places.name(k_program_setting);
  if (text.size() > 3 && text.substr(text.size() - 3) == ".py") {
    const auto path = fs::path(text).lexically_normal();
    if (path.is_absolute() || path.begin()->string() == ".." || !is_file(source / path)) {
      return base::fail(ErrorKind::bad_input, place, "no file " + text + " in the source");
    }
    return entry_of_file(source, path, why);
  }
  if (base::contains(text, ':')) {
    return entry_of_function(source, place, text, text.substr(0, text.find(':')), why);
  }
  if (!is_identifier_path(text)) {
    return base::fail(ErrorKind::bad_input, place, "\"" + text + "\" is neither a file nor a module",
                      k_form_hint);
  }
  Entry entry = entry_of_module(source, place, text, why);
  if (const auto package = file_of_module(source, text, "__init__.py");
      entry.file.empty() && !package.file.empty()) {
    return base::fail(ErrorKind::bad_input, place,
                      "the package " + text + " has no __main__.py, so it cannot be run", k_form_hint);
  }
  return entry;
}

// A line that begins with `if __name__ == "__main__":`, in any of its spellings.
bool has_main_guard(const fs::path& file) {
  const auto text = base::read_input_file(file);
  if (!text) return false;
  for (const auto& line : base::split(*text, '\n')) {
    if (!line.starts_with("if")) continue;
    std::string packed;
    for (const char character : line) {
      if (character != ' ' && character != '\t' && character != '(' && character != ')') {
        packed += character == '"' ? '\'' : character;
      }
    }
    if (packed.starts_with("if__name__=='__main__':") || packed.starts_with("if'__main__'==__name__:"))
      return true;
  }
  return false;
}

bool is_test(const std::string& name) { return name.starts_with("test_") || name.ends_with("_test.py"); }

std::vector<std::string> programs_at_root(const fs::path& source) {
  std::vector<std::string> names;
  boost::system::error_code error;
  for (fs::directory_iterator entry(source, error), end; entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (entry->path().extension() == ".py" && !is_one_of(k_not_programs, name) && !is_test(name) &&
        is_file(entry->path())) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Packages that `python -m` runs, with the folder that they are in.
std::vector<std::string> packages_with_main(const fs::path& source) {
  std::vector<std::string> names;
  for (const auto& root : roots_of(source)) {
    if (is_file(source / root / "__main__.py")) continue;  // it is such a package itself
    for (const auto& name : folders_in(source / root)) {
      if (is_identifier_path(name) && !is_one_of(k_not_packages, name) &&
          is_file(source / root / name / "__main__.py") &&
          std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  return names;
}

// The script that has the project's name, however it is spelled: what `uvx` and `pipx run` start.
const Script* script_of_project(const Scripts& scripts) {
  const auto found = std::find_if(scripts.all.begin(), scripts.all.end(), [&](const Script& script) {
    return normalised_name(script.name) == normalised_name(scripts.project);
  });
  return found == scripts.all.end() ? nullptr : &*found;
}

base::Result<Entry> only_candidate(const fs::path& source, const std::vector<Script>& scripts) {
  const auto files = programs_at_root(source);
  const auto packages = packages_with_main(source);
  if (files.size() == 1 && packages.empty())
    return entry_of_file(source, files.front(), "the only .py file at the root");
  std::vector<std::string> guarded;
  std::copy_if(files.begin(), files.end(), std::back_inserter(guarded),
               [&](const std::string& name) { return has_main_guard(source / name); });
  if (guarded.size() == 1 && packages.empty())
    return entry_of_file(source, guarded.front(), "the only file at the root with a __main__ guard");
  if (packages.size() == 1 && guarded.empty() && scripts.empty())
    return entry_of_module(source, packages.front(), packages.front(), "the only package with a __main__.py");
  std::vector<std::string> candidates;
  for (const auto& script : scripts) candidates.push_back(script.target);
  candidates.insert(candidates.end(), guarded.begin(), guarded.end());
  candidates.insert(candidates.end(), packages.begin(), packages.end());
  if (!candidates.empty()) {
    return base::fail(ErrorKind::bad_input, source.string(),
                      "contains several programs: " + base::join(candidates, ", "), k_choose_hint);
  }
  if (!files.empty()) {
    return base::fail(ErrorKind::bad_input, source.string(),
                      "cannot tell which file is the program: " + base::join(files, ", "), k_choose_hint);
  }
  return base::fail(ErrorKind::bad_input, source.string(),
                    "no program found: expected main.py or another .py file at the root", k_choose_hint);
}

}  // namespace

std::vector<Entry> find_entries(const fs::path& source) {
  std::vector<Entry> entries;
  for (const auto& name : programs_at_root(source)) entries.push_back(entry_of_file(source, name, ""));
  return entries;
}

bool has_package_with_main(const fs::path& source) { return !packages_with_main(source).empty(); }

base::Result<Entry> find_entry(const fs::path& source, const Value& project, const SourceSettings& settings) {
  if (!settings.python.program.empty()) return chosen_entry(source, settings);
  for (const std::string name : {"main.py", "__main__.py"}) {
    if (is_file(source / name)) return entry_of_file(source, name, k_default_name);
  }
  const auto scripts = read_scripts(source, project);
  const auto entry_of_script = [&](const Script& script, const std::string& why) {
    return entry_of_function(source, script.place, script.target, script.name, why);
  };
  if (scripts.all.size() == 1)
    return entry_of_script(scripts.all.front(), "the only script of " + scripts.file);
  if (const Script* const script = script_of_project(scripts)) {
    return entry_of_script(*script, "the script of " + scripts.file + " that is named after the project");
  }
  return only_candidate(source, scripts.all);
}

}  // namespace builder::python
