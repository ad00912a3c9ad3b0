// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/entry.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cctype>

#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "contract/layout.h"

namespace builder::python {
namespace {

using base::ErrorKind;
using data::Value;

constexpr char k_choose_hint[] = "name the program main.py, or say python.program in pachbuild.toml";
// Python's own names for what is no program.
constexpr std::string_view k_not_programs[] = {"setup.py", "conftest.py", "__init__.py"};

std::string place_of(const SourceSettings& settings) { return settings.file + ": python.program"; }

Entry entry_of_file(const fs::path& source, const std::string& file) {
  return {{std::string(contract::k_source) + "/" + file}, source / file};
}

bool is_identifier_path(const std::string& text) {
  const auto parts = base::split(text, '.');
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) {
    const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c >= 0x80; };
    return !part.empty() && std::isdigit(static_cast<unsigned char>(part.front())) == 0 &&
           std::all_of(part.begin(), part.end(), fits);
  });
}

// The file of a module where it is in the source: "pkg.tool" is pkg/tool.py or pkg/tool/__main__.py.
fs::path file_of_module(const fs::path& source, std::string module, const std::string& package_file) {
  std::replace(module.begin(), module.end(), '.', '/');
  for (const auto& root : {source, source / "src"}) {
    for (const auto& name : {module + ".py", module + "/" + package_file}) {
      if (is_file(root / name)) return root / name;
    }
  }
  return {};
}

// "module:function" as the console script of an installed package would call it, with the source on the
// import path as the program's folder.
base::Result<Entry> entry_of_function(const fs::path& source, const std::string& place,
                                      const std::string& text, const std::string& name) {
  const auto colon = text.find(':');
  const std::string module(base::trim(text.substr(0, colon)));
  const std::string function(base::trim(text.substr(colon + 1)));
  if (!is_identifier_path(module) || !is_identifier_path(function) ||
      name.find_first_of("'\\\n") != std::string::npos) {
    return base::fail(ErrorKind::bad_input, place, "\"" + text + "\" is not of the form module:function");
  }
  const std::string root = function.substr(0, function.find('.'));
  const std::string program = "import sys; sys.path[0] = '" + std::string(contract::k_source) +
                              "'; sys.argv[0] = '" + name + "'; from " + module + " import " + root +
                              "; sys.exit(" + function + "())";
  return Entry{{"-c", program}, file_of_module(source, module, "__init__.py")};
}

base::Result<Entry> chosen_entry(const fs::path& source, const SourceSettings& settings) {
  const std::string& text = settings.python.program;
  const std::string place = place_of(settings);
  if (text.size() > 3 && text.substr(text.size() - 3) == ".py") {
    const auto path = fs::path(text).lexically_normal();
    if (path.is_absolute() || path.begin()->string() == ".." || !is_file(source / path)) {
      return base::fail(ErrorKind::bad_input, place, "there is no file " + text + " in the source");
    }
    return entry_of_file(source, path.string());
  }
  if (text.find(':') != std::string::npos) {
    return entry_of_function(source, place, text, text.substr(0, text.find(':')));
  }
  if (!is_identifier_path(text)) {
    return base::fail(ErrorKind::bad_input, place, "\"" + text + "\" is neither a file nor a module",
                      "write tool.py, package.module or package.module:function");
  }
  return Entry{{"-m", text}, file_of_module(source, text, "__main__.py")};
}

// A line that begins with `if __name__ == "__main__":`, in any of its spellings.
bool has_main_guard(const fs::path& file) {
  const auto text = base::read_input_file(file);
  if (!text) return false;
  for (const auto& line : base::split(*text, '\n')) {
    if (line.rfind("if", 0) != 0) continue;
    std::string packed;
    for (const char character : line) {
      if (character != ' ' && character != '\t' && character != '(' && character != ')') {
        packed += character == '"' ? '\'' : character;
      }
    }
    if (packed.rfind("if__name__=='__main__':", 0) == 0 || packed.rfind("if'__main__'==__name__:", 0) == 0)
      return true;
  }
  return false;
}

std::vector<std::string> programs_at_root(const fs::path& source) {
  std::vector<std::string> names;
  boost::system::error_code error;
  for (fs::directory_iterator entry(source, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool is_program =
        std::find(std::begin(k_not_programs), std::end(k_not_programs), name) == std::end(k_not_programs);
    if (entry->path().extension() == ".py" && is_program && is_file(entry->path())) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

base::Result<Entry> only_program(const fs::path& source) {
  const auto names = programs_at_root(source);
  if (names.size() == 1) return entry_of_file(source, names.front());
  if (names.empty()) {
    return base::fail(ErrorKind::bad_input, source.string(),
                      "has no program: no main.py and no other .py file at its root", k_choose_hint);
  }
  std::vector<std::string> guarded;
  std::copy_if(names.begin(), names.end(), std::back_inserter(guarded),
               [&](const std::string& name) { return has_main_guard(source / name); });
  if (guarded.size() == 1) return entry_of_file(source, guarded.front());
  const bool several = guarded.size() > 1;
  return base::fail(ErrorKind::bad_input, source.string(),
                    several ? "has several programs: " + base::join(guarded, ", ")
                            : "cannot tell which file is the program: " + base::join(names, ", "),
                    k_choose_hint);
}

}  // namespace

base::Result<Entry> find_entry(const fs::path& source, const Value& project, const SourceSettings& settings) {
  if (!settings.python.program.empty()) return chosen_entry(source, settings);
  for (const std::string name : {"main.py", "__main__.py"}) {
    if (is_file(source / name)) return entry_of_file(source, name);
  }
  const Value* scripts = &project.at("project.scripts");
  if (!scripts->exists()) scripts = &project.at("tool.poetry.scripts");
  if (scripts->members.size() == 1 && scripts->members.front().value.is(Value::Kind::text)) {
    const auto& [name, target] = scripts->members.front();
    return entry_of_function(source, "pyproject.toml:" + std::to_string(target.line) + ": " + name,
                             target.scalar, name);
  }
  if (scripts->members.size() > 1 && programs_at_root(source).empty()) {
    std::vector<std::string> names;
    for (const auto& [name, target] : scripts->members) names.push_back(target.scalar);
    return base::fail(ErrorKind::bad_input, "pyproject.toml",
                      "has several scripts: " + base::join(names, ", "), k_choose_hint);
  }
  return only_program(source);
}

}  // namespace builder::python
