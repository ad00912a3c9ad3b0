// SPDX-License-Identifier: Apache-2.0
// A text in JSON or YAML as a JSON value that still knows where each part of it was written. What is accepted
// is what Pachyderm 2.12 takes: it reads everything with one YAML parser, JSON too.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/position.h"
#include "base/result.h"

namespace spec {

// What stands for standard input in place of a file.
inline constexpr char k_standard_input[] = "-";

// Where each value is written, by JSON pointer ("/transform/build/path").
class Places {
 public:
  Places() = default;
  explicit Places(std::string file) : m_file(std::move(file)) {}
  // Of a text that `file` is not, but makes: errors call it `title`.
  Places(std::string file, std::string title) : m_file(std::move(file)), m_title(std::move(title)) {}

  void add(const std::string& pointer, base::Position position) { m_positions.emplace(pointer, position); }

  // The value, and what is in it, is from `origin`, a word of a command line: errors name that.
  void add_origin(const std::string& pointer, std::string origin) {
    m_origins.emplace(pointer, std::move(origin));
  }

  // Forgets the value and what is in it: another one counts.
  void forget(const std::string& pointer);

  // Of the same text, without any place so far.
  [[nodiscard]] Places without_positions() const;

  // The places of the value alone, which becomes the root.
  [[nodiscard]] Places below(const std::string& pointer) const;

  // The position of the value, or of the nearest one around it.
  [[nodiscard]] base::Position at(std::string pointer) const;

  // "pipeline.json:7:5", or the value's origin: what an error about the value has as its `where`.
  [[nodiscard]] std::string where(const std::string& pointer) const;
  [[nodiscard]] std::string where(base::Position position) const;
  // Whether where() names the word of a command line that has just this value: its field says nothing more.
  [[nodiscard]] bool is_word(const std::string& pointer) const;

  [[nodiscard]] const std::string& file() const { return m_file; }
  // What errors call it.
  [[nodiscard]] std::string name() const;
  // Whether the positions are those of the file's own text.
  [[nodiscard]] bool is_written() const { return m_title.empty(); }

 private:
  std::string m_file;
  std::string m_title;
  std::map<std::string, base::Position> m_positions;
  std::map<std::string, std::string> m_origins;
};

// What a text may start with: no part of the first line.
inline constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

struct Document {
  std::shared_ptr<const nlohmann::json> value;
  Places places;
  // What is allowed and probably not meant: keys that come twice, of which the last counts.
  std::vector<std::string> warnings;
};

// The documents of `text`: YAML documents between "---", or JSON values one after the other. At least one.
// Refused with their position, in errors that name the file of `source`: what is not printable UTF-8 text,
// more than 100 levels, and of YAML what Pachyderm refuses as well: aliases, most tags, keys that are no
// text, numbers that JSON does not have.
base::Result<std::vector<Document>> parse_documents(const std::string& text, const Places& source);
inline base::Result<std::vector<Document>> parse_documents(const std::string& text, const std::string& file) {
  return parse_documents(text, Places(file));
}

// The value as a YAML document that parse_documents() reads as the same.
std::string to_yaml(const nlohmann::json& value);

// The child's pointer: `name` below `pointer`, escaped as RFC 6901 says.
std::string child_pointer(const std::string& pointer, const std::string& name);

}  // namespace spec
