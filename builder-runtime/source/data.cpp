// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/data.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace builder::data {
namespace {

using Kind = Value::Kind;
using base::ErrorKind;

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
      value.members.emplace_back(std::string(key.str()), from_toml(member));
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
    for (const auto& [key, member] : json.items()) value.members.emplace_back(key, from_json(member));
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
  BASE_TRY_ASSIGN(const std::string text, base::read_file(file));
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
  BASE_TRY_ASSIGN(const std::string text, base::read_file(file));
  try {
    return from_json(nlohmann::ordered_json::parse(text));
  } catch (const nlohmann::ordered_json::parse_error& error) {
    return base::fail(ErrorKind::bad_input, name, "is not valid JSON at byte " + std::to_string(error.byte));
  }
}

}  // namespace builder::data
