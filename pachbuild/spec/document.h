// SPDX-License-Identifier: Apache-2.0
// A text in JSON or YAML as a JSON value that still knows where each part of it was written.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"

namespace spec {

// A line and a column, both from 1; a column counts characters, not bytes.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
  bool operator==(const Position&) const = default;
};

// Where each value is written, by JSON pointer ("/transform/build/path").
class Places {
 public:
  Places() = default;
  explicit Places(std::string file) : m_file(std::move(file)) {}

  void add(const std::string& pointer, Position position) { m_positions.emplace(pointer, position); }

  // The position of the value, or of the nearest one around it.
  [[nodiscard]] Position at(std::string pointer) const;

  // "pipeline.json:7:5": what an error about the value has as its `where`.
  [[nodiscard]] std::string where(const std::string& pointer) const;

  [[nodiscard]] const std::string& file() const { return m_file; }

 private:
  std::string m_file;
  std::map<std::string, Position> m_positions;
};

struct Document {
  std::shared_ptr<const nlohmann::json> value;
  Places places;
};

enum class Format { json, yaml };

// JSON for *.json, YAML for *.yaml and *.yml, and else by the first character: '{' and '[' start JSON.
Format format_of(const std::string& file, const std::string& text);

// The documents of `text`: JSON values one after the other, YAML documents between "---". At least one.
// Refused with their position, in errors that name `file`: what is not printable UTF-8 text, a key that comes
// twice, more than 100 levels, and of YAML what Pachyderm refuses as well: aliases, tags, keys that are no
// text, numbers that JSON does not have.
base::Result<std::vector<Document>> parse_documents(const std::string& text, Format format,
                                                    const std::string& file);

// The value as a YAML document that parse_documents() reads as the same.
std::string to_yaml(const nlohmann::json& value);

// The child's pointer: `name` below `pointer`, escaped as RFC 6901 says.
std::string child_pointer(const std::string& pointer, const std::string& name);

}  // namespace spec
