// SPDX-License-Identifier: Apache-2.0
// A TOML or JSON file of a source, as one tree: who reads a lock does not care which of the two it is in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace builder::data {

class Value {
 public:
  enum class Kind { absent, text, number, boolean, array, table };
  struct Member;

  Kind kind = Kind::absent;
  std::string scalar;           // of a text; of a number or boolean as it is written: "1", "true"
  std::vector<Value> items;     // of an array
  std::vector<Member> members;  // of a table, in the order of the file
  int line = 0;                 // where it begins; 0 where that is not known (JSON)
  int column = 0;
  int key_line = 0;  // where its key is, of what a TOML table has
  int key_column = 0;

  // What is at a path of keys, "tool.poetry.dependencies"; an absent value where there is nothing.
  [[nodiscard]] const Value& at(std::string_view path) const;

  [[nodiscard]] bool is(Kind other) const { return kind == other; }
  [[nodiscard]] bool exists() const { return kind != Kind::absent; }
  [[nodiscard]] bool is_true() const { return kind == Kind::boolean && scalar == "true"; }

  // The text at `path`, or "" where there is none.
  [[nodiscard]] std::string text(std::string_view path) const;
  // The texts of the array at `path`; a lone text counts as an array of one.
  [[nodiscard]] std::vector<std::string> texts(std::string_view path) const;

  // The member of a table with this key, new where there is none.
  Value& member(std::string_view key);
  void remove(std::string_view key);
};

struct Value::Member {
  std::string key;
  Value value;
};

// "a string", "a table": for messages.
std::string_view name_of(Value::Kind kind);

// The fault of a value of the wrong kind: "must be a string, not a table".
std::string must_be(std::string_view expected, const Value& value);

// The whole file as a table. `name` is what errors call it; what cannot be parsed is of kind bad_input.
base::Result<Value> read_toml(const base::fs::path& file, const std::string& name);
// The same of a text.
base::Result<Value> parse_toml(std::string_view text, const std::string& name);
// As JSON where that is what it is: by its name, else by its first character; else as TOML.
base::Result<Value> read_either(const base::fs::path& file, const std::string& name);
base::Result<Value> read_json(const base::fs::path& file, const std::string& name);

Value text_value(const std::string& text);
// A table as a TOML file. Keys are sorted; what read_toml() does not keep, dates and times, is left out.
std::string to_toml(const Value& table);

}  // namespace builder::data
