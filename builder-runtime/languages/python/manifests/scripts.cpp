// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/scripts.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "builder-runtime/languages/python/manifests/text_list.h"
#include "builder-runtime/source/ini.h"

namespace builder::python {
namespace {

namespace fs = base::fs;
using data::Value;

constexpr std::string_view k_console_scripts = "console_scripts";

std::string place_of(const std::string& file, int line, const std::string& name) {
  return file + ":" + std::to_string(line) + ": " + name;
}

Scripts of_pyproject(const Value& project) {
  Scripts scripts{.file = "pyproject.toml", .project = project.text("project.name"), .all = {}};
  if (scripts.project.empty()) scripts.project = project.text("tool.poetry.name");
  const Value* table = &project.at("project.scripts");
  if (!table->exists()) table = &project.at("tool.poetry.scripts");
  for (const auto& [name, value] : table->members) {
    if (value.text("type") == "file") continue;
    std::string target = value.is(Value::Kind::text) ? value.scalar : value.text("reference");
    if (target.empty()) target = value.text("callable");
    if (!target.empty())
      scripts.all.push_back({name, std::move(target), place_of(scripts.file, value.line, name)});
  }
  return scripts;
}

// "name = package.module:function"
void add_line(std::string_view text, int line, Scripts& scripts) {
  const auto sign = text.find('=');
  if (sign == std::string_view::npos) return;
  const std::string name(base::trim(text.substr(0, sign)));
  const std::string target(base::trim(text.substr(sign + 1)));
  if (!name.empty() && !target.empty())
    scripts.all.push_back({name, target, place_of(scripts.file, line, name)});
}

Scripts of_setup_cfg(const fs::path& source) {
  Scripts scripts{.file = "setup.cfg", .project = "", .all = {}};
  const auto ini = data::parse_ini(base::read_input_file(source / scripts.file).value_or(""));
  if (const auto* const name = data::find_option(ini, "metadata", "name")) scripts.project = name->value;
  if (const auto* const list = data::find_option(ini, "options.entry_points", k_console_scripts)) {
    for (const auto& line : base::split(list->value, '\n')) add_line(line, list->line, scripts);
  }
  return scripts;
}

// What is written of them: entry_points={"console_scripts": ["a=b:c"]}, or the text
// "[console_scripts]\na=b:c".
Scripts of_setup_py(const fs::path& source) {
  Scripts scripts{.file = "setup.py", .project = "", .all = {}};
  const std::string content = base::read_input_file(source / scripts.file).value_or("");
  const std::string_view text = content;
  const auto at = text.find(k_console_scripts);
  if (at == std::string_view::npos) return scripts;
  const int line = 1 + static_cast<int>(std::count(content.begin(),
                                                   content.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
  std::string_view rest = text.substr(at + k_console_scripts.size());
  if (rest.starts_with(']')) {
    rest = rest.substr(1, rest.find_first_of("[\"'", 1) - 1);
    for (const auto& one : base::split(rest, '\n')) add_line(one, line, scripts);
    return scripts;
  }
  rest.remove_prefix(std::min(rest.find_first_not_of("\"': \t\r\n="), rest.size()));
  const auto lines = texts_of_list(rest).value_or(std::vector<std::string>{});
  for (const auto& one : lines) add_line(one, line, scripts);
  return scripts;
}

}  // namespace

Scripts read_scripts(const fs::path& source, const Value& project) {
  Scripts scripts = of_pyproject(project);
  // With [project], setuptools takes them from elsewhere only where it says so.
  const auto dynamic = project.texts("project.dynamic");
  const bool is_whole = project.at("project").exists() &&
                        std::none_of(dynamic.begin(), dynamic.end(), [](const std::string& field) {
                          return field == "scripts" || field == "entry-points";
                        });
  if (!scripts.all.empty() || is_whole) return scripts;
  for (auto* const read : {of_setup_cfg, of_setup_py}) {
    if (Scripts others = read(source); !others.all.empty()) {
      if (others.project.empty()) others.project = scripts.project;
      return others;
    }
  }
  return scripts;
}

}  // namespace builder::python
