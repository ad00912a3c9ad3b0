// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/go/module.h"

#include <algorithm>
#include <optional>

#include "base/inside.h"
#include "base/text.h"

namespace builder::go {
namespace {

// `text` from its first token on: without white space, comments and a byte order mark.
std::string_view skip_to_token(std::string_view text) {
  constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
  if (text.substr(0, 3) == k_byte_order_mark) text.remove_prefix(3);
  while (true) {
    text = text.substr(std::min(text.find_first_not_of(" \t\r\n;"), text.size()));
    if (text.substr(0, 2) == "//") {
      text = text.substr(std::min(text.find('\n'), text.size()));
    } else if (text.substr(0, 2) == "/*") {
      const auto end = text.find("*/", 2);
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
    } else {
      return text;
    }
  }
}

// A string literal at the start of `text`, without its quotes, and what is behind it.
struct Literal {
  std::string value;
  std::string_view rest;
};

std::optional<Literal> literal_of(std::string_view text) {
  if (text.empty() || (text.front() != '"' && text.front() != '`')) return std::nullopt;
  const auto end = text.find(text.front(), 1);
  if (end == std::string_view::npos) return std::nullopt;
  return Literal{std::string(text.substr(1, end - 1)), text.substr(end + 1)};
}

// The import spec at the start of `text`, which may have a name before its path.
std::optional<Literal> import_spec(std::string_view text) {
  if (auto literal = literal_of(text)) return literal;
  const auto end = text.find_first_of(" \t\r\n\"`();/");
  if (end == 0 || end == std::string_view::npos) return std::nullopt;
  return literal_of(skip_to_token(text.substr(end)));
}

bool climbs_out(std::string_view path) { return !base::stays_inside(std::string(path)); }

// A line of a go.mod up to its comment, which does not begin inside of quotes.
std::string_view without_comment(std::string_view line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quote != 0) {
      if (line[i] == '\\' && quote == '"')
        ++i;
      else if (line[i] == quote)
        quote = 0;
    } else if (line[i] == '"' || line[i] == '`') {
      quote = line[i];
    } else if (line.substr(i, 2) == "//") {
      return line.substr(0, i);
    }
  }
  return line;
}

// A path of a go.mod without its quotes. One with escapes, which no path needs, begins with a '\\'.
std::string unquoted(std::string_view text) {
  const auto literal = literal_of(text);
  if (!literal) return std::string(text);
  const bool has_escapes = text.front() == '"' && base::contains(text, '\\');
  return has_escapes ? "\\" + literal->value : literal->value;
}

// Whether a path that is relative to a folder of the source leads out of the source, or may.
bool leads_out(std::string_view target, std::string_view folder) {
  return target.starts_with('/') || target.starts_with('\\') ||
         climbs_out(std::string(folder) + "/" + std::string(target));
}

}  // namespace

std::string package_clause(std::string_view text) {
  constexpr std::string_view k_package = "package";
  text = skip_to_token(text);
  if (text.substr(0, k_package.size()) != k_package) return "";
  const auto name = skip_to_token(text.substr(k_package.size()));
  return std::string(name.substr(0, name.find_first_of(" \t\r\n;/")));
}

std::string module_path(std::string_view go_mod) {
  for (const auto& line : base::split(go_mod, '\n')) {
    const auto text = base::trim(std::string_view(line).substr(0, line.find("//")));
    if (!text.starts_with("module")) continue;
    auto path = base::trim(text.substr(6));
    while (!path.empty() && (path.front() == '"' || path.front() == '`'))
      path = path.substr(1, path.size() - 2);
    return std::string(path);
  }
  return "";
}

std::string replacement_outside(std::string_view go_mod, std::string_view folder) {
  for (const auto& line : base::split(go_mod, '\n')) {
    const auto text = without_comment(line);
    const auto arrow = text.find("=>");
    if (arrow == std::string_view::npos) continue;
    const auto target = unquoted(base::trim(text.substr(arrow + 2)));
    // A folder starts with one of these, everything else is a module: go.dev/ref/mod, "replace directive".
    if (target.empty() || (target.front() != '/' && target.front() != '.' && target.front() != '\\'))
      continue;
    if (leads_out(target, folder)) return target;
  }
  return "";
}

namespace {

// What stands behind a verb, in its lines and in its blocks.
std::vector<std::string> arguments_of(std::string_view verb, std::string_view file) {
  std::vector<std::string> arguments;
  bool inside = false;
  for (const auto& line : base::split(file, '\n')) {
    auto text = base::trim(without_comment(line));
    if (inside && text == ")") {
      inside = false;
      continue;
    }
    if (!inside) {
      const auto rest = text.substr(std::min(verb.size(), text.size()));
      if (!text.starts_with(verb) || rest.find_first_of(" \t(") != 0) continue;
      text = base::trim(rest);
      inside = text == "(";
      if (inside) continue;
    }
    if (!text.empty()) arguments.push_back(unquoted(text));
  }
  return arguments;
}

}  // namespace

std::string go_version(std::string_view file) {
  const auto versions = arguments_of("go", file);
  return versions.empty() ? "" : versions.front();
}

std::vector<std::string> use_targets(std::string_view go_work) { return arguments_of("use", go_work); }

bool is_ignored(std::string_view go_mod, std::string_view folder) {
  const auto ignored = arguments_of("ignore", go_mod);
  const std::string path = "/" + std::string(folder) + "/";
  return std::any_of(ignored.begin(), ignored.end(), [&](std::string_view target) {
    const bool is_rooted = target.starts_with("./");
    if (is_rooted) target.remove_prefix(2);
    while (target.ends_with('/')) target.remove_suffix(1);
    const auto found = path.find("/" + std::string(target) + "/");
    return !target.empty() && (is_rooted ? found == 0 : found != std::string::npos);
  });
}

std::string use_outside(std::string_view go_work, std::string_view folder) {
  for (const auto& target : use_targets(go_work)) {
    if (leads_out(target, folder)) return target;
  }
  return "";
}

std::string with_absolute_paths(std::string_view go_work, const base::fs::path& folder) {
  const auto absolute = [&](std::string_view target) {
    const auto path = base::normal_path(folder / unquoted(base::trim(target))).string();
    const std::string quote = base::contains(path, '"') ? "`" : "\"";
    return quote + path + quote;
  };
  std::string result;
  std::string block;  // "use", "replace": what the lines in ( ) are about
  for (const auto& line : base::split(go_work, '\n')) {
    auto text = base::trim(without_comment(line));
    std::string verb = block;
    if (block.empty()) verb = text.substr(0, text.find_first_of(" \t("));
    const auto rest = block.empty() ? base::trim(text.substr(verb.size())) : text;
    if (rest == "(") {
      block = verb;
    } else if (rest == ")") {
      block.clear();
    } else if (verb == "use" && !rest.empty()) {
      text = {};
      result += (block.empty() ? "use " : "") + absolute(rest);
    } else if (const auto arrow = rest.find("=>"); verb == "replace" && arrow != std::string_view::npos) {
      const auto target = base::trim(rest.substr(arrow + 2));
      if (unquoted(target).starts_with('.')) {
        result += (block.empty() ? "replace " : "") + std::string(rest.substr(0, arrow + 2)) + " " +
                  absolute(target);
        text = {};
      }
    }
    result += std::string(text) + "\n";
  }
  return result;
}

std::vector<std::string> imports_of(std::string_view text) {
  std::vector<std::string> imports;
  constexpr std::string_view k_import = "import";
  text = skip_to_token(text);
  if (package_clause(text).empty()) return imports;
  text = skip_to_token(text.substr(std::string_view("package").size()));
  text = skip_to_token(text.substr(std::min(text.find_first_of(" \t\r\n;/"), text.size())));
  while (text.substr(0, k_import.size()) == k_import) {
    text = skip_to_token(text.substr(k_import.size()));
    const bool group = text.substr(0, 1) == "(";
    if (group) text = skip_to_token(text.substr(1));
    while (auto spec = import_spec(text)) {
      imports.push_back(std::move(spec->value));
      text = skip_to_token(spec->rest);
      if (!group) break;
    }
    if (!group) continue;
    if (text.substr(0, 1) != ")") break;
    text = skip_to_token(text.substr(1));
  }
  return imports;
}

bool is_go_file(std::string_view name) {
  return name.ends_with(".go") && !name.ends_with("_test.go") && name[0] != '_' && name[0] != '.';
}

}  // namespace builder::go
