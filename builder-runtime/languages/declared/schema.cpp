// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/schema.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "base/json_text.h"
#include "base/text.h"
#include "builder-runtime/languages/declared/fields.h"

namespace builder::declared {
namespace {

using Json = nlohmann::ordered_json;

// A shape and those below it, each before what it has.
void collect(const Shape& shape, std::vector<const Shape*>& shapes) {
  shapes.push_back(&shape);
  for (const auto& field : shape.fields) {
    if (field.shape != nullptr) collect(*field.shape, shapes);
  }
}

std::vector<const Shape*> all_shapes() {
  std::vector<const Shape*> shapes;
  collect(file_shape(), shapes);
  return shapes;
}

// "layer.packages" of "[layer.packages]".
std::string plain_name(const Shape& shape) {
  std::string name;
  for (const char character : shape.name) {
    if (character != '[' && character != ']') name += character;
  }
  return name;
}

Json reference_to(const std::string& name) { return {{"$ref", "#/$defs/" + name}}; }

Json table_of(const Json& values) { return {{"type", "object"}, {"additionalProperties", values}}; }

Json array_of(const Json& items) { return {{"type", "array"}, {"items", items}}; }

Json number_schema(const Field& field) {
  Json numbers = Json::array();
  for (const auto word : field.words) numbers.push_back(base::parse_number(word).value_or(0));
  return {{"enum", numbers}};
}

Json text_schema(const Field& field) {
  if (!field.words.empty()) return {{"enum", field.words}};
  Json schema = {{"type", "string"}};
  if (field.kind == Kind::word) schema["pattern"] = "^[a-z][a-z0-9-]*$";
  return schema;
}

Json form_schema(const Field& field) {
  switch (field.form) {
    case Form::number:
      return number_schema(field);
    case Form::text:
      return text_schema(field);
    case Form::texts:
      return reference_to("texts");
    case Form::table:
      return reference_to(plain_name(*field.shape));
    case Form::tables:
      return array_of(reference_to(plain_name(*field.shape)));
    case Form::named:
      return table_of(reference_to(plain_name(*field.shape)));
    case Form::text_table:
      return table_of({{"type", "string"}});
    case Form::texts_table:
      return table_of(reference_to("texts"));
    case Form::command:
      return reference_to("command");
    case Form::commands:
      return {{"oneOf", {reference_to("command"), array_of(reference_to("command"))}}};
  }
  return {};
}

Json shape_schema(const Shape& shape) {
  Json required = Json::array();
  Json properties = Json::object();
  for (const auto& field : shape.fields) {
    Json schema = {{"description", field.says}};
    schema.update(form_schema(field));
    properties[std::string(field.key)] = schema;
    if (field.is_required()) required.push_back(field.key);
  }
  Json schema = {{"description", shape.about}, {"type", "object"}};
  if (!required.empty()) schema["required"] = required;
  schema["additionalProperties"] = false;
  schema["properties"] = properties;
  return schema;
}

std::string_view form_word(const Field& field) {
  switch (field.form) {
    case Form::number:
      return "number";
    case Form::text:
      return field.kind == Kind::pattern         ? "pattern"
             : field.kind == Kind::file_pattern  ? "file pattern"
             : field.kind == Kind::pointer       ? "pointer"
             : field.kind == Kind::text_template ? "template"
                                                 : "string";
    case Form::texts:
      return field.kind == Kind::file_pattern ? "file patterns"
             : field.kind == Kind::reference  ? "references"
                                              : "strings";
    case Form::table:
      return "table";
    case Form::tables:
      return "tables";
    case Form::named:
      return "table of tables";
    case Form::text_table:
      return field.kind == Kind::text_template ? "table of templates" : "table of strings";
    case Form::texts_table:
      return field.kind == Kind::text_template ? "table of template lists" : "table of lists";
    case Form::command:
      return "command";
    case Form::commands:
      return "command, or several";
  }
  return "";
}

std::string reference_of(const Shape& shape) {
  std::string text = "### `" + std::string(shape.name) + "`\n\n" + std::string(shape.about) + "\n\n";
  for (const auto& field : shape.fields) {
    text += "- **`" + std::string(field.key) + "`** (" + std::string(form_word(field)) +
            (field.is_required() ? ", required" : "") + "): " + std::string(field.says) + "\n";
  }
  return text;
}

}  // namespace

std::string schema_text() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "builder.toml"}};
  Json whole = shape_schema(file_shape());
  whole["description"] = "A builder of pachbuild in one file. docs/builder-toml.md explains it.";
  schema.update(whole);
  Json definitions = {{"texts", {{"oneOf", {{{"type", "string"}}, array_of({{"type", "string"}})}}}},
                      {"command", {{"type", "array"}, {"items", {{"type", "string"}}}, {"minItems", 1}}}};
  for (const auto* shape : all_shapes()) {
    if (shape != &file_shape()) definitions[plain_name(*shape)] = shape_schema(*shape);
  }
  schema["$defs"] = definitions;
  return base::json_lines(schema);
}

std::string reference_text() {
  std::string text;
  for (const auto* shape : all_shapes()) text += (text.empty() ? "" : "\n") + reference_of(*shape);
  return text;
}

}  // namespace builder::declared
