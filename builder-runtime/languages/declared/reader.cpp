// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/reader.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cctype>
#include <set>

#include "base/errors.h"
#include "base/inside.h"
#include "base/near.h"
#include "base/relative_path.h"
#include "base/text.h"
#include "builder-runtime/languages/declared/fields.h"
#include "builder-runtime/languages/declared/values.h"
#include "builder-runtime/source/data.h"
#include "contract/builders.h"
#include "contract/layout.h"

namespace builder::declared {
namespace {

using base::ErrorKind;
using data::Value;
using ValueKind = Value::Kind;

constexpr std::uint64_t k_largest_file = std::uint64_t{1} << 20;
constexpr std::size_t k_most_layers = 2;
constexpr std::string_view k_of_builder = "{builder}/";

std::string expected_of(Form form) {
  switch (form) {
    case Form::number:
      return "a number";
    case Form::text:
      return "a string";
    case Form::texts:
      return "a string or a list of strings";
    case Form::tables:
      return "a list of tables";
    case Form::command:
      return "a list of strings";
    case Form::commands:
      return "a list of strings, or a list of such lists";
    case Form::named:
    case Form::text_table:
    case Form::texts_table:
    case Form::table:
      break;
  }
  return "a table";
}

bool is_array_of(const Value& value, bool (*fits)(const Value&)) {
  return value.is(ValueKind::array) && std::all_of(value.items.begin(), value.items.end(), fits);
}
bool is_text(const Value& value) { return value.is(ValueKind::text); }
bool is_table(const Value& value) { return value.is(ValueKind::table); }
bool is_texts(const Value& value) { return is_text(value) || is_array_of(value, is_text); }
bool is_command(const Value& value) { return is_array_of(value, is_text) && !value.items.empty(); }

// Whether the value itself is what `form` wants, whatever is in it.
bool has_outer_form(const Value& value, Form form) {
  switch (form) {
    case Form::number:
      return value.is(ValueKind::number);
    case Form::text:
      return is_text(value);
    case Form::texts:
      return is_text(value) || value.is(ValueKind::array);
    case Form::tables:
    case Form::command:
    case Form::commands:
      return value.is(ValueKind::array);
    case Form::table:
    case Form::named:
    case Form::text_table:
    case Form::texts_table:
      break;
  }
  return is_table(value);
}

// What is in a value of this form; nothing where it has no parts that are checked here. Commands are lists of
// arguments or, where the first of them is a list, of commands.
std::optional<Form> form_of_parts(const Value& value, Form form) {
  switch (form) {
    case Form::texts:
    case Form::command:
    case Form::text_table:
      return Form::text;
    case Form::texts_table:
      return Form::texts;
    case Form::tables:
    case Form::named:
      return Form::table;
    case Form::commands:
      return is_text(value.items.front()) ? Form::text : Form::command;
    case Form::number:
    case Form::text:
    case Form::table:
      break;
  }
  return std::nullopt;
}

bool is_empty_command(const Value& value, Form form) {
  return (form == Form::command || form == Form::commands) && value.items.empty();
}

std::vector<std::string> texts_of(const Value& value) {
  if (is_text(value)) return {value.scalar};
  std::vector<std::string> texts;
  for (const auto& item : value.items) texts.push_back(item.scalar);
  return texts;
}

std::vector<std::string> keys_of(const Shape& shape) {
  std::vector<std::string> keys;
  for (const auto& field : shape.fields) keys.emplace_back(field.key);
  return keys;
}

bool has_zero_byte(const Value& value) {
  return base::contains(value.scalar, '\0') ||
         std::any_of(value.items.begin(), value.items.end(), has_zero_byte) ||
         std::any_of(value.members.begin(), value.members.end(), [](const Value::Member& member) {
           return base::contains(member.key, '\0') || has_zero_byte(member.value);
         });
}

bool is_word(std::string_view text) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.front() >= 'a' && text.front() <= 'z' &&
         std::all_of(text.begin(), text.end(), fits);
}

bool is_variable(std::string_view text) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::all_of(text.begin(), text.end(), fits);
}

// A path of the layer that is not the layer itself, nor what has a meaning at its top.
bool is_in_layer(const std::string& path) {
  if (path.empty() || !base::stays_inside(path)) return false;
  const auto top = base::split(base::clean_path(path), '/').front();
  return !top.empty() && top != contract::k_base_file && top != contract::k_variables_file;
}

// The fault where just one of two things has to be there, and both or neither are.
std::string not_just_one(bool has_both, const std::string& one, const std::string& other) {
  if (has_both) return "has both " + one + " and " + other + "; use only one of the two";
  return "needs " + one + " or " + other;
}

class Reader {
 public:
  explicit Reader(std::string file) : m_file(std::move(file)) {}

  base::Result<Description> read(const Value& file, const std::vector<std::string>& taken) {
    BASE_TRY(check(file, file_shape(), ""));
    m_description.file = m_file;
    BASE_TRY(read_top(file, taken));
    BASE_TRY(read_detect(file.at("detect")));
    BASE_TRY(read_tools(file.at("tools")));
    BASE_TRY(each(file.at("check"), "check", [&](const Value& table) { return read_check(table); }));
    BASE_TRY(each(file.at("layer"), "layer", [&](const Value& table) { return read_layer(table); }));
    BASE_TRY(check_layers(file.at("layer")));
    BASE_TRY(read_start(file.at("start")));
    BASE_TRY(each(file.at("error"), "error", [&](const Value& table) { return read_error(table); }));
    return std::move(m_description);
  }

 private:
  // What is wrong with a value; in the form "FILE:LINE:COLUMN: key".
  [[nodiscard]] tl::unexpected<base::Error> wrong(const Value& value, const std::string& key,
                                                  std::string what, std::string hint = {}) const {
    return base::fail(ErrorKind::bad_input, place_of(value.line, value.column) + key, std::move(what),
                      std::move(hint));
  }
  [[nodiscard]] std::string place_of(int line, int column) const {
    return m_file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
  }
  // The same for an error of a part, which knows neither place nor key.
  [[nodiscard]] tl::unexpected<base::Error> wrong(const Value& value, const std::string& key,
                                                  base::Error error) const {
    return wrong(value, key, std::move(error.what), std::move(error.hint));
  }

  // That the table has only what its shape says, in the form that it says.
  base::Status check(const Value& table, const Shape& shape, const std::string& prefix) const {
    for (const auto& [key, value] : table.members) {
      const auto field = std::find_if(shape.fields.begin(), shape.fields.end(),
                                      [&name = key](const Field& one) { return one.key == name; });
      if (field == shape.fields.end()) {
        return base::fail(
            ErrorKind::bad_input, place_of(value.key_line, value.key_column) + prefix + key, "unknown key",
            base::did_you_mean(key, keys_of(shape), "valid keys: " + base::join(keys_of(shape), ", ")));
      }
      BASE_TRY(check_field(value, *field, prefix + key));
    }
    for (const auto& field : shape.fields) {
      if (field.is_required() && !table.at(field.key).exists())
        return wrong(table, prefix + std::string(field.key), "missing", "add " + std::string(field.add));
    }
    return {};
  }

  // That the value and all that is in it have their forms.
  base::Status check_form(const Value& value, Form form, const std::string& key) const {
    if (!has_outer_form(value, form)) return wrong(value, key, data::must_be(expected_of(form), value));
    if (is_empty_command(value, form)) return wrong(value, key, "must not be empty");
    const auto parts = form_of_parts(value, form);
    if (!parts) return {};
    for (const auto& item : value.items) BASE_TRY(check_form(item, *parts, key));
    for (const auto& [name, member] : value.members) BASE_TRY(check_form(member, *parts, key + "." + name));
    return {};
  }

  base::Status check_field(const Value& value, const Field& field, const std::string& key) const {
    BASE_TRY(check_form(value, field.form, key));
    for (const auto& text : is_texts(value) ? texts_of(value) : std::vector<std::string>()) {
      if (field.kind == Kind::word && !is_word(text)) {
        return wrong(value, key, "invalid name " + base::quoted(text),
                     "use lowercase letters, digits and -, starting with a letter");
      }
    }
    if (!field.words.empty() &&
        std::find(field.words.begin(), field.words.end(), value.scalar) == field.words.end()) {
      const auto given = is_text(value) ? base::quoted(value.scalar) : value.scalar;
      return wrong(value, key,
                   (key == "schema" ? "unsupported version " : "invalid value ") + given + "; expected " +
                       base::join({field.words.begin(), field.words.end()}, ", ", " or "));
    }
    if (field.shape == nullptr) return {};
    if (field.form == Form::table) return check(value, *field.shape, key + ".");
    for (const auto& item : value.items) BASE_TRY(check(item, *field.shape, key + "."));
    for (const auto& [name, member] : value.members)
      BASE_TRY(check(member, *field.shape, key + "." + name + "."));
    return {};
  }

  template <class Read>
  base::Status each(const Value& tables, const std::string& prefix, Read read) {
    m_prefix = prefix + ".";
    for (const auto& table : tables.items) BASE_TRY(read(table));
    return {};
  }

  // Parts of a table, by the function that reads a text. What is absent stays as it is.
  template <class Part, class Parse>
  base::Status read_part(const Value& table, const std::string& key, std::optional<Part>& part, Parse parse) {
    const Value& value = table.at(key);
    if (!value.exists()) return {};
    auto parsed = parse(value.scalar);
    if (!parsed) return wrong(value, m_prefix + key, std::move(parsed).error());
    part = std::move(*parsed);
    return {};
  }
  template <class Part, class Parse>
  base::Status read_parts(const Value& table, const std::string& key, std::vector<Part>& parts, Parse parse) {
    return read_list(table.at(key), m_prefix + key, parts, parse);
  }
  template <class Part, class Parse>
  base::Status read_list(const Value& value, const std::string& key, std::vector<Part>& parts, Parse parse) {
    const std::vector<Value> lone = {value};
    for (const auto& item : is_text(value) ? lone : value.items) {
      auto parsed = parse(item.scalar);
      if (!parsed) return wrong(item, key, std::move(parsed).error());
      parts.push_back(std::move(*parsed));
    }
    return {};
  }

  // A template of which each name has a meaning where it stands.
  [[nodiscard]] auto template_parser(const Names& names) const {
    return [this, &names](const std::string& text) -> base::Result<TextTemplate> {
      BASE_TRY_ASSIGN(auto parsed, TextTemplate::parse(text));
      for (const auto& name : parsed.names()) {
        if (name.name == "program" && m_description.detect.program.empty())
          return base::fail(ErrorKind::bad_input, "", "{program} is not known", "add program to [detect]");
        BASE_TRY(check_name(name, names, m_description.settings));
      }
      return parsed;
    };
  }

  base::Status read_words(const Value& table, const std::string& key, std::optional<TextTemplate>& words,
                          const std::optional<Pattern>& pattern, const Names& others) {
    Names names = others;
    names.groups = &pattern;
    return read_part(table, key, words, template_parser(names));
  }

  // That each named group of a pattern is used.
  base::Status check_groups(const Value& table, const std::string& key, const Pattern& found,
                            const std::vector<std::string>& known) const {
    for (const auto& group : found.groups()) {
      if (std::find(known.begin(), known.end(), group) != known.end()) continue;
      return wrong(table.at(key), m_prefix + key, "the group " + base::quoted(group) + " is not used",
                   base::did_you_mean(group, known, "valid groups: " + base::join(known, ", ")));
    }
    return {};
  }

  // The groups of a place, and those that its words name.
  static std::vector<std::string> place_groups(const std::optional<TextTemplate>& say,
                                               const std::optional<TextTemplate>& hint) {
    std::vector<std::string> known = {"file", "line", "column", "what"};
    for (const auto* words : {&say, &hint}) {
      if (!*words) continue;
      for (const auto& name : (*words)->names()) known.push_back(name.name);
    }
    return known;
  }

  // That a key which takes paths has no pattern.
  base::Status check_plain(const Value& value, const std::string& key, const std::string& path) const {
    const auto compiled = FilePattern::compile(path);
    if (compiled && compiled->is_plain()) return {};
    return wrong(value, m_prefix + key, base::quoted(path) + " is a pattern; it must be a path",
                 "list each path");
  }

  base::Status check_in_source(const Value& value, const std::string& key, const std::string& path) const {
    if (path.empty()) return wrong(value, m_prefix + key, "must not be empty");
    if (!base::stays_inside(path))
      return wrong(value, m_prefix + key, base::quoted(path) + " points outside the source");
    return check_plain(value, key, path);
  }

  base::Status check_in_layer(const Value& value, const std::string& key, const std::string& path) const {
    if (!is_in_layer(path)) return outside(value, key, path);
    return check_plain(value, key, path);
  }

  base::Status read_top(const Value& file, const std::vector<std::string>& taken) {
    m_description.language = file.text("language");
    m_description.summary = file.text("summary");
    const auto is_taken = std::find(taken.begin(), taken.end(), m_description.language) != taken.end();
    if (is_taken || !contract::is_builder_name(m_description.language)) {
      return wrong(file.at("language"), "language",
                   "a builder cannot be named " + base::quoted(m_description.language),
                   is_taken ? "builder-runtime builds this language itself"
                            : "the cache uses this name for a folder of its own");
    }
    for (const auto& [name, value] : file.at("settings").members) {
      if (name == k_program_setting || !is_variable(name)) {
        return wrong(value, "settings." + name,
                     name == k_program_setting ? "every builder has this setting" : "invalid name",
                     "letters, digits and _ only");
      }
      m_description.settings[name] = value.scalar;
    }
    return {};
  }

  base::Status read_detect(const Value& table) {
    m_prefix = "detect.";
    auto& detect = m_description.detect;
    BASE_TRY(read_parts(table, "any", detect.any, Reference::parse));
    BASE_TRY(read_parts(table, "program", detect.program, Reference::parse));
    BASE_TRY(read_parts(table, "ignore", detect.ignore, FilePattern::compile));
    detect.variable = table.text("variable");
    if (!detect.variable.empty() && !is_variable(detect.variable))
      return wrong(table.at("variable"), "detect.variable",
                   "invalid variable name " + base::quoted(detect.variable));
    if (detect.any.empty() && detect.program.empty())
      return wrong(table, "detect", "does not identify a source", "list files in any or program");
    if (detect.any.empty()) detect.any = detect.program;
    return {};
  }

  base::Status read_tools(const Value& tools) {
    for (const auto& [name, table] : tools.members) {
      m_prefix = "tools." + name + ".";
      ToolDescription tool;
      tool.name = name;
      tool.line = table.line;
      if (name.empty() || base::contains(name, '/') || name.front() == '-')
        return wrong(table, "tools." + name, "invalid program name");
      tool.run = texts_of(table.at("run"));
      if (!tool.run.empty() && tool.run.front() != name)
        return wrong(table.at("run"), m_prefix + "run", "the first argument must be " + base::quoted(name));
      BASE_TRY(read_part(table, "version", tool.version, pattern));
      if (tool.version) BASE_TRY(check_groups(table, "version", *tool.version, {"version"}));
      BASE_TRY(read_parts(table, "wants", tool.wants, Reference::parse));
      BASE_TRY(read_part(table, "needed_by", tool.needed_by, pattern));
      tool.hint = table.text("hint");
      const bool has_comparison = table.at("compare").exists();
      if (has_comparison) tool.compare = *comparison_of(table.text("compare"));
      if (has_comparison == tool.wants.empty()) {
        return wrong(table, "tools." + name,
                     has_comparison ? "has compare but not wants" : "has wants but not compare");
      }
      if (tool.run.empty() && (tool.version || has_comparison))
        return wrong(table, "tools." + name,
                     std::string("has ") + (tool.version ? "version" : "compare") + " but not run");
      m_description.tools.push_back(std::move(tool));
    }
    return {};
  }

  base::Status read_check(const Value& table) {
    CheckDescription check;
    BASE_TRY(read_parts(table, "files", check.files, FilePattern::compile));
    BASE_TRY(read_command(table.at("run"), m_prefix + "run", check.run, check_names()));
    BASE_TRY(read_part(table, "reject", check.reject, pattern));
    BASE_TRY(read_parts(table, "inputs", check.inputs, Reference::parse));
    BASE_TRY(read_parts(table, "when", check.when, Reference::parse));
    BASE_TRY(read_part(table, "place", check.place, pattern));
    if (check.run.empty() != check.reject.has_value())
      return wrong(table, "check", not_just_one(check.reject.has_value(), "run", "reject"));
    if (check.reject && check.place) return wrong(table.at("place"), "check.place", "needs run");
    const bool has_file = uses(check.run, "file");
    if (!check.run.empty() && has_file == uses(check.run, "files"))
      return wrong(table.at("run"), "check.run", not_just_one(has_file, "{file}", "{files}"));
    const auto& found = check.reject ? check.reject : check.place;
    BASE_TRY(read_words(table, "say", check.say, found, words_names()));
    BASE_TRY(read_words(table, "hint", check.hint, found, words_names()));
    if (found) {
      const std::string key = check.reject ? "reject" : "place";
      BASE_TRY(check_groups(table, key, *found, place_groups(check.say, check.hint)));
    }
    m_description.checks.push_back(std::move(check));
    return {};
  }

  base::Status read_command(const Value& value, const std::string& key, Templates& command,
                            const Names& names) {
    BASE_TRY(read_list(value, key, command, template_parser(names)));
    if (value.items.empty()) return {};
    const auto& first = value.items.front().scalar;
    if (first.empty() || first.front() == '-')
      return wrong(value, key, "the first word is not a program: " + base::quoted(first));
    return {};
  }

  // What is copied, and, of `copy`, what of that is the builder's own.
  base::Status read_copies(const Value& table, const std::string& key,
                           std::vector<CopyDescription>& of_source,
                           std::vector<CopyDescription>* of_builder) {
    for (const auto& [name, targets] : table.at(key).members) {
      const bool is_builders = of_builder != nullptr && name.starts_with(k_of_builder);
      auto& copies = is_builders ? *of_builder : of_source;
      const std::string from = is_builders ? name.substr(k_of_builder.size()) : name;
      if (!base::stays_inside(from)) {
        const std::string folder = is_builders             ? "builder"
                                   : of_builder == nullptr ? "working copy"
                                                           : "source";
        return wrong(targets, m_prefix + key, base::quoted(name) + " points outside the " + folder);
      }
      if (from.empty() || from.starts_with("{builder}"))
        return wrong(targets, m_prefix + key, base::quoted(name) + " is not a path to copy from");
      auto pattern_from = FilePattern::compile(from);
      if (!pattern_from) return wrong(targets, m_prefix + key, std::move(pattern_from).error());
      if (from.starts_with("#!"))
        return wrong(targets, m_prefix + key, "a copy needs a path or a file pattern");
      for (const auto& to : texts_of(targets)) {
        if (to != ".") BASE_TRY(check_in_layer(targets, key, to));
        copies.push_back({*pattern_from, to});
      }
    }
    return {};
  }

  [[nodiscard]] tl::unexpected<base::Error> outside(const Value& value, const std::string& key,
                                                    const std::string& path) const {
    return wrong(value, m_prefix + key, base::quoted(path) + " is not a path inside the layer",
                 "write it relative to the layer: \"bin\", without ..");
  }

  base::Status read_environment(const Value& table, const Names& names,
                                std::map<std::string, TextTemplate>& environment) {
    for (const auto& [name, value] : table.at("environment").members) {
      if (!is_variable(name)) return wrong(value, m_prefix + "environment." + name, "invalid variable name");
      auto parsed = template_parser(names)(value.scalar);
      if (!parsed) return wrong(value, m_prefix + "environment." + name, std::move(parsed).error());
      environment.emplace(name, std::move(*parsed));
    }
    return {};
  }

  base::Status read_layer(const Value& table) {
    LayerDescription layer;
    layer.name = table.at("name").exists() ? table.text("name") : "program";
    layer.has_fixed_path = table.at("path").exists();
    layer.has_work_copy = table.at("work").exists();
    layer.manifest = texts_of(table.at("manifest"));
    const auto& layers = m_description.layers;
    const bool is_second = !layers.empty() && layers.front().name != layer.name;
    const Names names = layer_names(layer, is_second);
    BASE_TRY(read_parts(table, "when", layer.when, Reference::parse));
    BASE_TRY(read_parts(table, "inputs", layer.inputs, Reference::parse));
    BASE_TRY(read_layer_names(table, layer));
    BASE_TRY(read_copies(table, "copy", layer.copy, &layer.copy_of_builder));
    BASE_TRY(read_copies(table, "take", layer.take, nullptr));
    BASE_TRY(read_part(table, "folder", layer.folder, template_parser(names)));
    if (layer.folder && !layer.folder->begins_with("tree") && !layer.folder->begins_with("work") &&
        !layer.folder->begins_with("source")) {
      return wrong(table.at("folder"), m_prefix + "folder", "must start with {tree}, {work} or {source}");
    }
    BASE_TRY(read_environment(table, names, layer.environment));
    BASE_TRY(read_commands(table.at("run"), names, layer.run));
    BASE_TRY(read_parts(table, "keep", layer.keep, layer_pattern));
    BASE_TRY(read_parts(table, "remove", layer.remove, layer_pattern));
    BASE_TRY(read_part(table, "program", layer.program, layer_pattern));
    BASE_TRY(read_parts(table, "executable", layer.executable, FilePattern::compile));
    BASE_TRY(read_links(table, layer));
    BASE_TRY(read_packages(table.at("packages"), layer));
    if (!layer.take.empty() && !layer.has_work_copy)
      return wrong(table.at("take"), m_prefix + "take", "needs work = \"copy\"");
    if (layer.has_work_copy && layer.run.empty())
      return wrong(table.at("work"), m_prefix + "work", "needs run");
    if (layer.run.empty() && layer.copy.empty() && layer.copy_of_builder.empty() && layer.link.empty())
      return wrong(table, "layer", "produces nothing", "it needs run, copy or link");
    if (layer.program && !m_description.detect.program.empty()) {
      return wrong(table.at("program"), m_prefix + "program", "detect.program already names the program",
                   "use any in [detect] for a language whose programs are built");
    }
    m_description.layers.push_back(std::move(layer));
    return {};
  }

  base::Status read_layer_names(const Value& table, LayerDescription& layer) {
    for (const auto& path : texts_of(table.at("image"))) {
      if (!path.starts_with('/') || base::contains(path, "**"))
        return wrong(table.at("image"), m_prefix + "image", base::quoted(path) + " is not an absolute path",
                     "* and ? stand for characters of one part of the path");
      ImageDescription image{.text = path};
      for (const auto& part : base::split(base::clean_path(path), '/')) {
        auto compiled = FilePattern::compile(part);
        if (!compiled) return wrong(table.at("image"), m_prefix + "image", std::move(compiled).error());
        image.parts.push_back(std::move(*compiled));
      }
      layer.image.push_back(std::move(image));
    }
    layer.variables = texts_of(table.at("variables"));
    for (const auto& name : layer.variables) {
      if (!is_variable(name.ends_with('*') ? std::string_view(name).substr(0, name.size() - 1) : name))
        return wrong(table.at("variables"), m_prefix + "variables",
                     "invalid variable name " + base::quoted(name));
    }
    for (const auto& name : layer.manifest) BASE_TRY(check_in_source(table.at("manifest"), "manifest", name));
    for (const auto& [name, hint] : table.at("needs").members) {
      BASE_TRY(check_in_source(hint, "needs", name));
      layer.needs[name] = hint.scalar;
    }
    layer.folders = texts_of(table.at("folders"));
    for (const auto& folder : layer.folders) BASE_TRY(check_in_layer(table.at("folders"), "folders", folder));
    if (!table.at("tools").exists()) return {};
    layer.tools = texts_of(table.at("tools"));
    std::vector<std::string> known;
    for (const auto& tool : m_description.tools) known.push_back(tool.name);
    for (const auto& name : *layer.tools) {
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        return wrong(table.at("tools"), m_prefix + "tools", "no tool named " + base::quoted(name),
                     base::did_you_mean(name, known, "add [tools." + name + "]"));
      }
    }
    return {};
  }

  base::Status read_commands(const Value& value, const Names& names, std::vector<Templates>& commands) {
    if (!value.exists()) return {};
    const std::vector<Value> lone = {value};
    for (const auto& item : is_command(value) ? lone : value.items) {
      BASE_TRY(read_command(item, m_prefix + "run", commands.emplace_back(), names));
    }
    return {};
  }

  base::Status read_links(const Value& table, LayerDescription& layer) {
    for (const auto& [path, target] : table.at("link").members) {
      BASE_TRY(check_in_layer(target, "link", path));
      auto parsed = template_parser(link_names())(target.scalar);
      if (!parsed) return wrong(target, m_prefix + "link", std::move(parsed).error());
      if (!parsed->begins_with("source") && !is_in_layer(target.scalar))
        return outside(target, "link", target.scalar);
      layer.link.emplace(path, std::move(*parsed));
    }
    return {};
  }

  base::Status read_packages(const Value& table, LayerDescription& layer) {
    if (!table.exists()) return {};
    const auto prefix = std::exchange(m_prefix, m_prefix + "packages.");
    FilePatterns files;
    BASE_TRY(read_parts(table, "files", files, FilePattern::compile));
    std::optional<Pattern> match;
    BASE_TRY(read_part(table, "match", match, pattern));
    std::optional<Pointer> name;
    std::optional<Pointer> version;
    BASE_TRY(read_part(table, "name", name, parse_pointer));
    BASE_TRY(read_part(table, "version", version, parse_pointer));
    const bool has_fields = name || version;
    if (match.has_value() == has_fields)
      return wrong(table, prefix + "packages", not_just_one(has_fields, "match", "name with version"));
    if (name.has_value() != version.has_value())
      return wrong(table, prefix + "packages",
                   name ? "has name but not version" : "has version but not name");
    if (match && (!match->has_group("name") || !match->has_group("version")))
      return wrong(table.at("match"), m_prefix + "match", "needs the groups name and version");
    if (match) BASE_TRY(check_groups(table, "match", *match, {"name", "version"}));
    layer.packages.emplace(
        PackagesDescription{std::move(files), std::move(match), std::move(name), std::move(version)});
    m_prefix = prefix;
    return {};
  }

  base::Status check_layers(const Value& tables) const {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < m_description.layers.size(); ++i) {
      const auto& name = m_description.layers[i].name;
      if (!names.empty() && names.back() == name) continue;
      if (std::find(names.begin(), names.end(), name) != names.end())
        return wrong(tables.items[i], "layer.name", "the alternatives of " + name + " must be adjacent");
      names.push_back(name);
      if (names.size() > k_most_layers)
        return wrong(tables.items[i], "layer", "too many layers",
                     "at most two can be stacked; alternatives have the same name");
    }
    return {};
  }

  base::Status read_start(const Value& table) {
    m_prefix = "start.";
    auto& start = m_description.start;
    BASE_TRY(read_command(table.at("command"), "start.command", start.command, start_names()));
    BASE_TRY(read_part(table, "folder", start.folder, template_parser(link_names())));
    if (start.folder && !start.folder->begins_with("source"))
      return wrong(table.at("folder"), "start.folder", "must start with {source}");
    BASE_TRY(read_environment(table, start_variable_names(), start.environment));
    for (const auto& [name, value] : table.at("prepend").members) {
      if (!is_variable(name)) return wrong(value, "start.prepend." + name, "invalid variable name");
      BASE_TRY(read_list(value, "start.prepend." + name, start.prepend[name],
                         template_parser(start_variable_names())));
    }
    return {};
  }

  base::Status read_error(const Value& table) {
    std::optional<Pattern> match;
    BASE_TRY(read_part(table, "match", match, pattern));
    std::optional<TextTemplate> say;
    std::optional<TextTemplate> hint;
    BASE_TRY(read_words(table, "say", say, match, words_names()));
    BASE_TRY(read_words(table, "hint", hint, match, words_names()));
    if (!say && !match->has_group("what"))
      return wrong(table, "error", "produces no message", "add say, or a group \"what\" to match");
    BASE_TRY(check_groups(table, "match", *match, place_groups(say, hint)));
    ErrorDescription words{std::move(*match), std::move(say), std::move(hint)};
    if (const Value& code = table.at("code"); code.exists())
      words.kind = static_cast<ErrorKind>(base::parse_number(code.scalar).value_or(1));
    m_description.errors.push_back(std::move(words));
    return {};
  }

  static bool uses(const Templates& templates, std::string_view name) {
    return std::any_of(templates.begin(), templates.end(),
                       [&](const TextTemplate& one) { return one.has(name); });
  }

  static base::Result<Pattern> pattern(const std::string& text) { return Pattern::compile(text); }
  static base::Result<FilePattern> layer_pattern(const std::string& text) {
    if (text.starts_with("#!"))
      return base::fail(ErrorKind::bad_input, "", base::quoted(text) + " is not allowed here", "use paths");
    return FilePattern::compile(text);
  }

  std::string m_file;
  std::string m_prefix;
  Description m_description;
};

}  // namespace

base::Result<Description> parse_builder(std::string_view text, const std::string& file,
                                        const std::vector<std::string>& taken) {
  BASE_TRY_ASSIGN(const Value table, data::parse_toml(text, file));
  if (has_zero_byte(table))
    return base::fail(ErrorKind::bad_input, file, "contains a string with a NUL byte");
  return Reader(file).read(table, taken);
}

base::Result<Description> read_builder(const fs::path& folder, const std::vector<std::string>& taken) {
  boost::system::error_code error;
  const fs::path file = folder / contract::k_builder_file;
  if (!fs::is_directory(folder, error))
    return base::fail(ErrorKind::usage, folder.string(), error ? "no such folder" : "is not a folder",
                      "a builder is a folder with a builder.toml");
  if (!fs::exists(file, error))
    return base::fail(ErrorKind::usage, folder.string(), "has no builder.toml",
                      "a builder is a folder with a builder.toml (docs/builder-toml.md)");
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(file, k_largest_file));
  BASE_TRY_ASSIGN(auto description, parse_builder(text, file.string(), taken));
  description.folder = folder;
  return description;
}

}  // namespace builder::declared
