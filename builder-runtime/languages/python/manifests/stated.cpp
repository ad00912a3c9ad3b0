// SPDX-License-Identifier: Apache-2.0
// All of this is told and decides nothing: what cannot be read asks for nothing.
#include "builder-runtime/languages/python/manifests/stated.h"

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <functional>
#include <set>

#include "base/credentials.h"
#include "base/inside.h"
#include "base/text.h"
#include "builder-runtime/languages/language.h"
#include "builder-runtime/languages/python/manifests/inline_metadata.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "builder-runtime/languages/python/manifests/text_list.h"
#include "builder-runtime/languages/python/packaging/requirement.h"
#include "builder-runtime/source/data.h"
#include "builder-runtime/source/ini.h"

namespace builder::python {
namespace {

using data::Value;
using Texts = std::vector<std::string>;

constexpr char k_pyproject[] = "pyproject.toml";
constexpr std::size_t k_most_named = 8;

std::string named(const Texts& names) {
  if (names.size() <= k_most_named) return base::join(names, ", ");
  const auto end = names.begin() + k_most_named;
  return base::join({names.begin(), end}, ", ") + " and " + std::to_string(names.size() - k_most_named) +
         " more";
}

std::string text_of(const fs::path& source, const std::string& name) {
  if (!base::path_inside(source, name, name)) return "";
  return base::read_input_file(source / name).value_or("");
}

// "==2.1.3", without a wildcard and without other clauses.
std::optional<Version> exact_version(std::string_view specifiers) {
  specifiers = base::trim(specifiers);
  if (!specifiers.starts_with("==") || base::contains(specifiers, ",") || base::contains(specifiers, "*"))
    return std::nullopt;
  specifiers.remove_prefix(specifiers.starts_with("===") ? 3 : 2);
  return Version::parse(base::trim(specifiers));
}

Ask ask_for(std::string name, const Texts& alternatives) {
  Ask ask{.name = std::move(name)};
  ask.text = ask.name;
  for (const auto& text : alternatives) {
    if (base::trim(text).empty()) {
      ask.alternatives.clear();
      return ask;
    }
    if (auto specifiers = Specifiers::parse(text)) ask.alternatives.push_back(std::move(*specifiers));
  }
  if (alternatives.size() == 1) ask.exact = exact_version(alternatives.front());
  ask.text += base::join(alternatives, " || ");
  ask.is_fixed = ask.exact.has_value();
  return ask;
}

std::optional<Ask> ask_of(std::string_view text) {
  const auto requirement = Requirement::parse(text);
  if (!requirement) return std::nullopt;
  Ask ask =
      ask_for(requirement->name, requirement->specifiers.empty() ? Texts{} : Texts{requirement->specifiers});
  ask.is_fixed = ask.is_fixed || !requirement->url.empty();
  return ask;
}

void add(const Texts& texts, Statement& statement) {
  for (const auto& text : texts) {
    if (auto ask = ask_of(text)) statement.asks.push_back(std::move(*ask));
  }
}

// The comment at the top of a file, where tools say that they made it and from what.
std::string top_comment(const std::string& text) {
  std::string comment;
  for (const auto& line : base::split(text, '\n')) {
    const auto content = base::trim(line);
    if (!content.empty() && content.front() != '#') break;
    comment += std::string(content) + "\n";
  }
  return base::contains(comment, "generated") ? comment : "";
}

// Without what follows a requirement: hashes and other options.
std::string without_options(const std::string& line) { return line.substr(0, line.find(" --")); }

void add_requirements(const fs::path& source, const std::string& name, std::set<std::string>& seen,
                      Statement& statement) {
  constexpr std::size_t k_most_files = 64;
  if (seen.size() == k_most_files || !seen.insert(name).second) return;
  for (const auto& line : logical_lines(text_of(source, name))) {
    if (const auto included = included_file(line); !included.empty()) {
      const auto other = (fs::path(name).parent_path() / included).lexically_normal().string();
      if (!line.starts_with("-c") && !line.starts_with("--constraint"))
        add_requirements(source, other, seen, statement);
      continue;
    }
    statement.is_lock = statement.is_lock || base::contains(line, "--hash");
    std::string text = without_options(line);
    for (const std::string_view editable : {"-e", "--editable"}) {
      if (text.starts_with(editable)) text = base::trim(std::string_view(text).substr(editable.size()));
    }
    if (const auto path = text.substr(0, text.find_first_of("[ ;")); path == "." || path == "./")
      statement.includes_project = true;
    if (auto ask = ask_of(text)) statement.asks.push_back(std::move(*ask));
  }
}

Statement requirements_statement(const fs::path& source, const Texts& files) {
  Statement statement{.file = base::join(files, ", ")};
  std::set<std::string> seen;
  for (const auto& file : files) add_requirements(source, file, seen, statement);
  statement.made_by = top_comment(text_of(source, files.front()));
  return statement;
}

// [tool.poetry.dependencies]
void add_poetry(const Value& table, Statement& statement) {
  for (const auto& [name, value] : table.members) {
    if (name == "python" || value.at("optional").is_true()) continue;
    const std::string constraint = value.is(Value::Kind::text) ? value.scalar : value.text("version");
    Ask ask = ask_for(normalised_name(name), from_poetry(constraint).value_or(Texts{}));
    ask.text = ask.name + (constraint.empty() || constraint == "*" ? "" : " " + constraint);
    for (const std::string key : {"git", "url", "path"})
      ask.is_fixed = ask.is_fixed || value.at(key).exists();
    statement.asks.push_back(std::move(ask));
  }
}

Statement project_statement(const Value& project, const std::string& file) {
  Statement statement{.file = file};
  add(project.texts("project.dependencies"), statement);
  if (statement.asks.empty()) add_poetry(project.at("tool.poetry.dependencies"), statement);
  return statement;
}

Statement pipfile_statement(const fs::path& source) {
  Statement statement{.file = "Pipfile"};
  const auto file = data::parse_toml(text_of(source, "Pipfile"), "Pipfile");
  if (!file) return statement;
  for (const auto& [name, value] : file->at("packages").members) {
    const std::string version = value.is(Value::Kind::text) ? value.scalar : value.text("version");
    Ask ask = ask_for(normalised_name(name), version == "*" ? Texts{} : Texts{version});
    for (const std::string key : {"git", "file", "path"})
      ask.is_fixed = ask.is_fixed || value.at(key).exists();
    statement.asks.push_back(std::move(ask));
  }
  return statement;
}

Statement setup_cfg_statement(const fs::path& source) {
  Statement statement{.file = "setup.cfg"};
  const auto ini = data::parse_ini(text_of(source, "setup.cfg"));
  if (const auto* const list = data::find_option(ini, "options", "install_requires")) {
    const char separator = base::contains(list->value, '\n') ? '\n' : ';';
    for (const auto& part : base::split(list->value, separator))
      add({std::string(base::trim(part))}, statement);
  }
  return statement;
}

// What `install_requires=[…]` has in quotes. setup.py is a program: where the list is anything else, it
// cannot be read.
Statement setup_py_statement(const fs::path& source) {
  Statement statement{.file = "setup.py"};
  const std::string text = text_of(source, "setup.py");
  const auto at = text.find("install_requires");
  // Most of those that compute it read the file that counts already.
  if (at == std::string::npos || base::contains(text, "requirements")) return statement;
  statement.is_readable = false;
  const auto open = text.find_first_not_of(" \t\r\n=", at + std::string_view("install_requires").size());
  const auto texts =
      open == std::string::npos ? std::nullopt : texts_of_list(std::string_view(text).substr(open));
  if (!texts) return statement;
  add(*texts, statement);
  statement.is_readable = true;
  return statement;
}

// Of a lock: every package in it, with its version.
Statement lock_statement(const fs::path& source, const Manifest& manifest) {
  Statement statement{.file = manifest.files.front(), .is_lock = true};
  const std::string text = text_of(source, statement.file);
  if (manifest.kind == ManifestKind::pipfile_lock) {
    const auto file = data::read_json(source / statement.file, statement.file);
    if (!file) return statement;
    for (const auto& [name, value] : file->at("default").members)
      statement.asks.push_back(ask_for(normalised_name(name), {value.text("version")}));
    return statement;
  }
  const auto file = data::parse_toml(text, statement.file);
  if (!file) return statement;
  const std::string table = manifest.kind == ManifestKind::pylock ? "packages" : "package";
  for (const auto& package : file->at(table).items) {
    const auto version = package.text("version");
    statement.asks.push_back(
        ask_for(normalised_name(package.text("name")), version.empty() ? Texts{} : Texts{"==" + version}));
  }
  return statement;
}

// "2.1.3"; "2.1" is the beginning of several.
bool is_whole_version(std::string_view version) {
  return std::count(version.begin(), version.end(), '.') >= 2;
}

// "numpy=1.26" and "numpy 1.26.*" of a conda file as pip writes it; nothing for what pip cannot install by
// it.
std::string from_conda(std::string_view text) {
  text = text.substr(0, text.find('#'));
  if (const auto channel = text.rfind("::"); channel != std::string_view::npos)
    text.remove_prefix(channel + 2);
  text = base::trim(text);
  const auto end = std::min(text.find_first_of(" =<>!~"), text.size());
  const std::string name = base::lower(text.substr(0, end));
  if (name.empty() || name == "python" || name == "pip" || name.starts_with('_')) return "";
  std::string version(base::trim(text.substr(end)));
  if (version.empty()) return name;
  if (!version.starts_with('=') && !base::contains("<>!~", version.substr(0, 1))) version = "=" + version;
  if (version.starts_with('=')) {
    // name=version=build and name==version=build; behind one "=" 1.26 is 1.26.*
    const bool is_exact = version.starts_with("==");
    version = version.substr(is_exact ? 2 : 1);
    version = version.substr(0, version.find('='));
    if (!is_exact && !version.ends_with('*') && !is_whole_version(version)) version += ".*";
    version = version.empty() || version == ".*" ? "" : "==" + version;
  }
  const std::string requirement = name + version;
  return Requirement::parse(requirement) ? requirement : name;
}

struct CondaFile {
  std::string name;
  Texts requirements;  // as pip writes them
  std::string python;  // the version of Python that it names
};

std::string_view unquoted(std::string_view text) {
  text = base::trim(text);
  const bool is_quoted = text.size() >= 2 && (text.front() == '"' || text.front() == '\'');
  return is_quoted && text.back() == text.front() ? text.substr(1, text.size() - 2) : text;
}

// An item of the list that is not one of pip.
void add_conda(std::string_view item, CondaFile& file) {
  constexpr std::string_view k_language = "python";
  item = unquoted(item);
  const bool is_python = item.size() > k_language.size() && item.starts_with(k_language) &&
                         base::contains(" =<>!~", item.substr(k_language.size(), 1));
  if (is_python) {
    const auto version = item.find_first_not_of(" =<>!~", k_language.size());
    if (version == std::string_view::npos) return;
    file.python = item.substr(version, item.find_first_of("=,*", version) - version);
    if (file.python.ends_with('.')) file.python.pop_back();
  } else if (const auto requirement = from_conda(item); !requirement.empty()) {
    file.requirements.push_back(requirement);
  }
}

// The text between the first bracket in line `at` and its closing one. If that is further down, `at` moves to
// its line.
std::string text_in_brackets(const Texts& lines, std::size_t& at) {
  std::string text;
  int depth = 0;
  char quote = 0;
  for (std::size_t i = lines[at].find('['); at < lines.size(); ++at, i = 0) {
    const std::string& line = lines[at];
    for (; i < line.size(); ++i) {
      const char character = line[i];
      if (quote != 0) {
        if (character == quote) quote = 0;
      } else if (character == '"' || character == '\'') {
        quote = character;
      } else if (character == '#' && (i == 0 || line[i - 1] == ' ')) {
        break;
      } else if (character == '[' || character == '{') {
        ++depth;
        if (depth == 1) continue;
      } else if (character == ']' || character == '}') {
        --depth;
        if (depth == 0) return text;
      }
      text += character;
    }
    text += ' ';
  }
  return text;
}

// Items are separated by commas, but for those in quotes and in brackets of their own.
Texts items_of(std::string_view list) {
  Texts items = {""};
  int depth = 0;
  char quote = 0;
  for (const char character : list) {
    if (quote != 0) {
      if (character == quote) quote = 0;
    } else if (character == '"' || character == '\'') {
      quote = character;
    } else if (character == '[' || character == '{') {
      ++depth;
    } else if (character == ']' || character == '}') {
      --depth;
    } else if (character == ',' && depth == 0) {
      items.emplace_back();
      continue;
    }
    items.back() += character;
  }
  return items;
}

constexpr std::string_view k_pip = "pip:";

// "[a, b]" of pip, as its own files have them.
void add_pip(std::string_view list, CondaFile& file) {
  for (const auto& item : items_of(list)) {
    if (const auto text = unquoted(item); !text.empty()) file.requirements.emplace_back(text);
  }
}

void add_list(std::string_view list, CondaFile& file) {
  for (const auto& each : items_of(list)) {
    auto item = base::trim(each);
    if (item.starts_with('{') && item.ends_with('}')) item = base::trim(item.substr(1, item.size() - 2));
    if (!item.starts_with(k_pip)) {
      add_conda(item, file);
    } else if (item.ends_with(']') && base::contains(item, '[')) {
      item.remove_suffix(1);
      add_pip(item.substr(item.find('[') + 1), file);
    }
  }
}

// The list `dependencies:`, one "- item" a line or in brackets; the items below "- pip:" are pip's own.
std::optional<CondaFile> read_conda_file(const fs::path& source) {
  constexpr std::string_view k_dependencies = "dependencies:";
  CondaFile file;
  for (const std::string name : {"environment.yml", "environment.yaml"}) {
    if (file.name.empty() && is_file(source / name)) file.name = name;
  }
  if (file.name.empty()) return std::nullopt;
  bool is_list = false;
  constexpr auto k_none = std::string::npos;
  std::size_t pip = k_none;  // how far "- pip:" is indented
  const auto lines = base::split(text_of(source, file.name), '\n');
  const auto has_brackets = [](std::string_view content, std::string_view key) {
    return content.starts_with(key) && base::trim(content.substr(key.size())).starts_with('[');
  };
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const std::string& line = lines[at];
    auto content = base::trim(line);
    if (content.empty() || content.front() == '#') continue;
    const std::size_t indent = line.find_first_not_of(" \t");
    if (content.front() != '-') {
      is_list = content.starts_with(k_dependencies);
      pip = k_none;
      if (has_brackets(content, k_dependencies)) add_list(text_in_brackets(lines, at), file);
      continue;
    }
    if (!is_list) continue;
    content = unquoted(content.substr(1));
    if (pip != k_none && indent <= pip) pip = k_none;
    if (content == k_pip) {
      pip = indent;
    } else if (has_brackets(content, k_pip)) {
      add_pip(text_in_brackets(lines, at), file);
    } else if (pip != k_none) {
      file.requirements.emplace_back(base::trim(content.substr(0, content.find(" #"))));
    } else {
      add_conda(content, file);
    }
  }
  return file;
}

Statement conda_statement(const fs::path& source) {
  const auto file = read_conda_file(source);
  if (!file) return {};
  Statement statement{.file = file->name};
  for (const auto& text : file->requirements) {
    if (included_file(text).empty()) add({text}, statement);
  }
  return statement;
}

// The files that a manifest is made from or with: what they ask for is in it, and its own reader checks that.
Texts files_behind_manifest(ManifestKind kind) {
  switch (kind) {
    case ManifestKind::uv_lock:
    case ManifestKind::poetry_lock:
    case ManifestKind::pdm_lock:
    case ManifestKind::project:
    case ManifestKind::poetry:
      return {k_pyproject};
    case ManifestKind::setup:
      return {"setup.py", "setup.cfg", k_pyproject};
    case ManifestKind::pipfile_lock:
    case ManifestKind::pipfile:
      return {"Pipfile"};
    default:
      return {};
  }
}

// What `other` asks for and does not get, as it is written there.
Texts lost(const Statement& counted, const Statement& other) {
  Texts names;
  for (const auto& ask : other.asks) {
    const auto same = [&](const Ask& one) { return one.name == ask.name; };
    const auto found = std::find_if(counted.asks.begin(), counted.asks.end(), same);
    const bool is_met =
        found != counted.asks.end() &&
        (ask.alternatives.empty() || found->text == ask.text ||
         (found->exact && std::any_of(ask.alternatives.begin(), ask.alternatives.end(),
                                      [&](const Specifiers& one) { return one.allows(*found->exact); })));
    if (!is_met) names.push_back(ask.text);
  }
  return names;
}

bool is_same(const Statement& one, const Statement& other) {
  const auto texts = [](const Statement& statement) {
    std::set<std::string> all;
    for (const auto& ask : statement.asks) all.insert(ask.text);
    return all;
  };
  return texts(one) == texts(other);
}

// Whether one is evidently made from the other, so that it does not matter which of them counts.
bool is_made_from(const Statement& made, const Statement& other) {
  const auto says = [&](std::string_view word) { return base::contains(made.made_by, word); };
  if (says(other.file)) return true;
  if (other.file == k_pyproject && (says("uv export") || says("PDM") || says("poetry"))) return true;
  const bool is_closed = made.is_lock || made.asks.size() > other.asks.size();
  return other.is_readable && is_closed && lost(made, other).empty();
}

// Whether the statement asks for the package and nothing in it fixes this version. A marker may exclude a
// line that fixes another one.
bool is_open(const Statement& statement, const std::string& name, const std::string& version) {
  bool is_asked = false;
  for (const auto& ask : statement.asks) {
    if (ask.name != name) continue;
    if (ask.is_fixed && (!ask.exact || ask.exact == Version::parse(version))) return false;
    is_asked = is_asked || !ask.is_fixed;
  }
  return is_asked;
}

}  // namespace

Statement statement_of(const fs::path& source, const Manifest& manifest) {
  if (manifest.is_lock()) return lock_statement(source, manifest);
  switch (manifest.kind) {
    case ManifestKind::requirements:
      return requirements_statement(source, manifest.files);
    case ManifestKind::project:
    case ManifestKind::poetry:
      return project_statement(manifest.project, manifest.files.front());
    case ManifestKind::pipfile:
      return pipfile_statement(source);
    case ManifestKind::setup: {
      Statement statement = setup_cfg_statement(source);
      auto script = setup_py_statement(source);
      statement.asks.insert(statement.asks.end(), script.asks.begin(), script.asks.end());
      statement.is_readable = script.is_readable;
      statement.file = manifest.files.front();
      return statement;
    }
    default:
      return {};
  }
}

std::string unpinned_choices(const Statement& statement, const Texts& packages) {
  if (statement.is_lock) return "";
  Texts chosen;
  for (const auto& package : packages) {
    const auto sign = package.find("==");
    if (sign == std::string::npos) continue;
    const auto version = package.substr(sign + 2);
    if (is_open(statement, normalised_name(package.substr(0, sign)), version))
      chosen.push_back(package.substr(0, sign) + " " + version);
  }
  if (chosen.empty()) return "";
  std::sort(chosen.begin(), chosen.end());
  return named(chosen) + " chosen; " + statement.file + " does not pin " +
         (chosen.size() == 1 ? "it" : "them");
}

Texts shadowed_statements(const fs::path& source, const Manifest& manifest, const std::string& program) {
  Texts lines;
  if (manifest.kind == ManifestKind::none) return lines;
  std::vector<Statement> others;
  if (is_file(source / "requirements.txt"))
    others.push_back(requirements_statement(source, {"requirements.txt"}));
  if (!manifest.is_inline()) others.push_back(project_statement(manifest.project, k_pyproject));
  others.push_back(setup_cfg_statement(source));
  others.push_back(setup_py_statement(source));
  others.push_back(pipfile_statement(source));
  others.push_back(conda_statement(source));
  if (!program.empty() && is_file(source / program)) {
    if (const auto metadata = read_inline_metadata(source / program, program); metadata && *metadata)
      others.push_back(project_statement((*metadata)->value, program));
  }
  const Texts own = files_behind_manifest(manifest.kind);
  std::erase_if(others, [&](const Statement& other) {
    const auto is_one_of = [&](const Texts& names) {
      return std::find(names.begin(), names.end(), other.file) != names.end();
    };
    return is_one_of(own) || is_one_of(manifest.files) || (other.is_readable && other.asks.empty());
  });
  if (others.empty()) return lines;
  const Statement counted = statement_of(source, manifest);
  const bool has_project = counted.includes_project || manifest.installs_project;
  for (const auto& other : others) {
    const bool is_of_project =
        other.file == k_pyproject || other.file == "setup.cfg" || other.file == "setup.py";
    if (is_of_project && has_project) continue;
    // What has more than the list that counts is a lock of it only if it pins.
    const bool pins = !other.made_by.empty() || std::all_of(other.asks.begin(), other.asks.end(),
                                                            [](const Ask& ask) { return ask.is_fixed; });
    if (is_made_from(counted, other) || (pins && is_made_from(other, counted)) ||
        (other.is_readable && is_same(counted, other)))
      continue;
    Texts names = lost(counted, other);
    if (names.empty()) {
      for (const auto& ask : other.asks) names.push_back(ask.text);
    }
    std::sort(names.begin(), names.end());
    const bool is_conda = other.file.starts_with("environment.");
    lines.push_back(other.file + ": ignored because " + base::join(manifest.files, ", ") +
                    " takes precedence" + (names.empty() ? "" : "; not installed: " + named(names)) +
                    (is_conda ? "; add to " + manifest.files.front() + " what you need from it"
                              : "; to use it instead, set python.dependencies = [\"" + other.file +
                                    "\"] in pachbuild.toml"));
  }
  return lines;
}

namespace {

bool looks_like_requirements(const std::string& folder, const fs::path& file) {
  const std::string extension = base::lower(file.extension().string());
  if (extension != ".txt" && extension != ".in" && extension != ".pip") return false;
  const std::string stem = base::lower(file.stem().string());
  const bool is_named =
      base::contains(stem, "requirement") || stem == "reqs" || stem == "deps" || stem == "dependencies";
  const bool is_in_folder =
      base::contains(base::lower(folder), "requirement") || folder == "reqs" || folder == "deps";
  if (!is_named && !is_in_folder) return false;
  const auto lines = logical_lines(base::read_input_file(file).value_or(""));
  return std::any_of(lines.begin(), lines.end(), [](const std::string& line) {
    return !included_file(line).empty() || line.starts_with("-e") || ask_of(without_options(line));
  });
}

// The requirement files below a folder of the source ("" for its root), relative to the source.
void add_lists(const fs::path& source, const std::string& folder, Texts& files) {
  boost::system::error_code error;
  for (fs::directory_iterator entry(source / folder, error), end; entry != end; entry.increment(error)) {
    if (!is_file(entry->path()) || !looks_like_requirements(folder, entry->path())) continue;
    const std::string name = (fs::path(folder) / entry->path().filename()).string();
    if (base::path_inside(source, name, name)) files.push_back(name);
  }
}

// Of several the one that a program most likely needs: not those for developers, and those for production
// first, which usually include the rest.
std::string best_list(const Texts& files) {
  constexpr std::array<std::string_view, 9> k_for_developers = {"dev", "test",  "doc",   "lint",      "build",
                                                                "typ", "style", "bench", "constraint"};
  constexpr std::array<std::string_view, 6> k_for_programs = {"prod", "main",   "run",
                                                              "base", "common", "requirements"};
  const auto place = [&](const std::string& file) {
    const std::string name = base::lower(fs::path(file).filename().string());
    const auto has = [&](std::string_view word) { return base::contains(name, word); };
    if (std::any_of(k_for_developers.begin(), k_for_developers.end(), has)) return k_for_programs.size() + 1;
    const auto found = std::find_if(k_for_programs.begin(), k_for_programs.end(), has);
    return static_cast<std::size_t>(found - k_for_programs.begin());
  };
  return *std::min_element(files.begin(), files.end(), [&](const std::string& one, const std::string& other) {
    return std::pair(place(one), one) < std::pair(place(other), other);
  });
}

}  // namespace

std::string unlisted_requirements(const fs::path& source) {
  Texts files;
  add_lists(source, "", files);
  boost::system::error_code error;
  for (fs::directory_iterator entry(source, error), end; entry != end; entry.increment(error)) {
    if (entry->symlink_status(error).type() == fs::directory_file)
      add_lists(source, entry->path().filename().string(), files);
  }
  if (files.empty()) return "";
  std::sort(files.begin(), files.end());
  return named(files) + ": not installed because only requirements.txt is found automatically; to install " +
         (files.size() == 1 ? "it" : "one of them") + ", set python.dependencies = [\"" + best_list(files) +
         "\"] in pachbuild.toml";
}

std::optional<base::Error> conda_error(const fs::path& source) {
  const auto file = read_conda_file(source);
  if (!file) return std::nullopt;
  std::string hint =
      "list its packages in requirements.txt, under their PyPI names, or use an image of your own without "
      "transform.build";
  if (!file->requirements.empty()) {
    Texts lines = file->requirements;
    constexpr std::size_t k_most_lines = 40;
    const bool is_cut = lines.size() > k_most_lines;
    if (is_cut) lines.resize(k_most_lines);
    hint = "list its packages in requirements.txt, one per line, under their PyPI names: " +
           base::join(lines, ", ") + (is_cut ? ", …" : "") +
           (file->python.empty() ? "" : "; write " + file->python + " to .python-version") +
           "; for packages that only conda has, use an image of your own, without transform.build";
  }
  return base::Error{base::ErrorKind::bad_input, file->name, "conda environments cannot be built",
                     base::hide_credentials(hint)};
}

}  // namespace builder::python
