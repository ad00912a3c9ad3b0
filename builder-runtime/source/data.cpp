// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/data.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/text.h"

// Of arrays and inline tables; toml++ refuses what is deeper.
#define TOML_MAX_NESTED_VALUES 64
#include <toml++/toml.h>

namespace builder::data {
namespace {

using Kind = Value::Kind;
using base::ErrorKind;

// Values are read, copied and destroyed by functions that call themselves: what is nested deeper than
// anything that tools and people write is refused before.
constexpr int k_deepest_json = 100;
// The parts of a dotted key, "a.b.c", each of which is a table.
constexpr int k_longest_key = 32;

// A part of the file that holds neither keys nor values: a comment or a text, from its first character on.
std::size_t end_of_opaque(std::string_view text, std::size_t at) {
  if (text[at] == '#') return std::min(text.find('\n', at), text.size());
  const char quote = text[at];
  const std::string_view delimiter = quote == '"' ? (text.substr(at, 3) == R"(""")" ? R"(""")" : R"(")")
                                                  : (text.substr(at, 3) == "'''" ? "'''" : "'");
  std::size_t end = at + delimiter.size();
  while (end < text.size() && text.substr(end, delimiter.size()) != delimiter) {
    // An unfinished text ends with its line; toml++ says so.
    if (delimiter.size() == 1 && text[end] == '\n') return end;
    end += quote == '"' && text[end] == '\\' ? 2U : 1U;
  }
  return std::min(end + delimiter.size(), text.size());
}

// The line of the first key with more parts than k_longest_key; 0 when there is none. toml++ makes a table of
// each part, however many there are.
int line_of_long_key(std::string_view text) {
  int line = 1;
  int dots = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char character = text[at];
    if (character == '#' || character == '"' || character == '\'') {
      const auto end = end_of_opaque(text, at);
      line += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(at),
                                          text.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
      at = end;
      continue;
    }
    if (character == '\n' || character == '=' || character == ',' || character == '{' || character == '[')
      dots = 0;
    if (character == '\n') ++line;
    if (character == '.' && ++dots >= k_longest_key) return line;
    ++at;
  }
  return 0;
}

tl::unexpected<base::Error> too_deep(const std::string& where) {
  return base::fail(ErrorKind::bad_input, where, "is nested too deeply");
}

template <class Scalar>
Value scalar_of(Kind kind, const Scalar& text) {
  Value value;
  value.kind = kind;
  value.scalar = text;
  return value;
}

// Numbers and dates are compared and printed, never calculated with: their text is enough.
Value from_toml(const toml::node& node) {
  Value value;
  if (const auto* table = node.as_table()) {
    value.kind = Kind::table;
    for (const auto& [key, member] : *table)
      value.members.push_back({std::string(key.str()), from_toml(member)});
  } else if (const auto* array = node.as_array()) {
    value.kind = Kind::array;
    for (const auto& item : *array) value.items.push_back(from_toml(item));
  } else if (const auto* text = node.as_string()) {
    value = scalar_of(Kind::text, text->get());
  } else if (const auto* boolean = node.as_boolean()) {
    value = scalar_of(Kind::boolean, boolean->get() ? "true" : "false");
  } else if (const auto* integer = node.as_integer()) {
    value = scalar_of(Kind::number, std::to_string(integer->get()));
  } else if (const auto* real = node.as_floating_point()) {
    value = scalar_of(Kind::number, nlohmann::json(real->get()).dump());
  } else {
    value.kind = Kind::number;  // a date or time, which nothing here reads
  }
  value.line = static_cast<int>(node.source().begin.line);
  return value;
}

Value from_json(const nlohmann::ordered_json& json) {
  Value value;
  if (json.is_object()) {
    value.kind = Kind::table;
    for (const auto& [key, member] : json.items()) value.members.push_back({key, from_json(member)});
  } else if (json.is_array()) {
    value.kind = Kind::array;
    for (const auto& item : json) value.items.push_back(from_json(item));
  } else if (json.is_string()) {
    value = scalar_of(Kind::text, json.get<std::string>());
  } else if (json.is_boolean()) {
    value = scalar_of(Kind::boolean, json.dump());
  } else if (json.is_number()) {
    value = scalar_of(Kind::number, json.dump());
  }
  return value;
}

void add_to(toml::array& array, const Value& value);
void add_to(toml::table& table, const std::string& key, const Value& value);

toml::array array_of(const Value& value) {
  toml::array array;
  for (const auto& item : value.items) add_to(array, item);
  return array;
}

toml::table table_of(const Value& value) {
  toml::table table;
  for (const auto& [key, member] : value.members) add_to(table, key, member);
  return table;
}

// Calls `add` with the node that a value is; one that is none is left out.
template <class Add>
void with_node(const Value& value, const Add& add) {
  if (value.is(Kind::text)) add(value.scalar);
  if (value.is(Kind::boolean)) add(value.is_true());
  if (value.is(Kind::array)) add(array_of(value));
  if (value.is(Kind::table)) add(table_of(value));
  if (!value.is(Kind::number)) return;
  const auto number = nlohmann::json::parse(value.scalar, nullptr, false);
  if (number.is_number_integer()) add(number.get<std::int64_t>());
  if (number.is_number_float()) add(number.get<double>());
}

void add_to(toml::array& array, const Value& value) {
  with_node(value, [&](const auto& node) { array.push_back(node); });
}

void add_to(toml::table& table, const std::string& key, const Value& value) {
  with_node(value, [&](const auto& node) { table.insert(key, node); });
}

const Value& absent() {
  static const Value value;
  return value;
}

}  // namespace

const Value& Value::at(std::string_view path) const {
  const Value* value = this;
  for (const auto& key : base::split(path, '.')) {
    const Value* next = nullptr;
    for (const auto& [name, member] : value->members) {
      if (name == key) next = &member;
    }
    if (next == nullptr) return absent();
    value = next;
  }
  return *value;
}

std::string Value::text(std::string_view path) const {
  const Value& value = at(path);
  return value.is(Kind::text) ? value.scalar : "";
}

std::vector<std::string> Value::texts(std::string_view path) const {
  const Value& value = at(path);
  if (value.is(Kind::text)) return {value.scalar};
  std::vector<std::string> texts;
  for (const auto& item : value.items) {
    if (item.is(Kind::text)) texts.push_back(item.scalar);
  }
  return texts;
}

Value& Value::member(std::string_view key) {
  kind = Kind::table;
  for (auto& [name, value] : members) {
    if (name == key) return value;
  }
  return members.emplace_back(Member{std::string(key), {}}).value;
}

void Value::remove(std::string_view key) {
  std::erase_if(members, [&](const Member& member) { return member.key == key; });
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::absent:
      return "nothing";
    case Kind::text:
      return "a text";
    case Kind::number:
      return "a number";
    case Kind::boolean:
      return "true or false";
    case Kind::array:
      return "an array";
    case Kind::table:
      return "a table";
  }
  return "";
}

base::Result<Value> read_toml(const base::fs::path& file, const std::string& name) {
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(file));
  if (const int line = line_of_long_key(text); line != 0) return too_deep(name + ":" + std::to_string(line));
  try {
    return from_toml(toml::parse(text));
  } catch (const toml::parse_error& error) {
    const auto place = error.source().begin;
    return base::fail(ErrorKind::bad_input,
                      name + ":" + std::to_string(place.line) + ":" + std::to_string(place.column),
                      "is not valid TOML: " + std::string(error.description()));
  }
}

base::Result<Value> read_json(const base::fs::path& file, const std::string& name) {
  BASE_TRY_ASSIGN(const std::string text, base::read_input_file(file));
  bool is_too_deep = false;
  // What is deeper is not kept.
  const auto keeps = [&](int depth, nlohmann::ordered_json::parse_event_t /*event*/,
                         const nlohmann::ordered_json& /*value*/) {
    is_too_deep = is_too_deep || depth > k_deepest_json;
    return depth <= k_deepest_json;
  };
  try {
    const auto json = nlohmann::ordered_json::parse(text, keeps);
    if (is_too_deep) return too_deep(name);
    return from_json(json);
  } catch (const nlohmann::ordered_json::parse_error& error) {
    return base::fail(ErrorKind::bad_input, name, "is not valid JSON at byte " + std::to_string(error.byte));
  }
}

Value text_value(const std::string& text) { return scalar_of(Kind::text, text); }

std::string to_toml(const Value& table) {
  std::ostringstream text;
  text << table_of(table) << "\n";
  return text.str();
}

}  // namespace builder::data
