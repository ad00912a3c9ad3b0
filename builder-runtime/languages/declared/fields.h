// SPDX-License-Identifier: Apache-2.0
// Every key of builder.toml as data. The reader refuses what is not here, docs/builder.schema.json and the
// reference in docs/builder-toml.md are made of it.
#pragma once

#include <string_view>
#include <vector>

namespace builder::declared {

// What a key may have. Whatever is a list may be a lone text as well.
enum class Form {
  number,
  text,
  texts,        // a list of texts
  table,        // of fixed keys: Field::shape
  tables,       // an array of such tables
  named,        // a table of tables, by names of the author's choice
  text_table,   // a table of strings, by names of the author's choice
  texts_table,  // a table of lists, by names of the author's choice
  command,      // an argument vector
  commands,     // one, or several
};

// What the texts are. Each kind is explained once in docs/builder-toml.md.
enum class Kind { plain, word, file_pattern, reference, pointer, pattern, text_template };

struct Shape;

struct Field {
  std::string_view key;
  Form form = Form::text;
  std::string_view says;  // for the reference: one or two sentences
  Kind kind = Kind::plain;
  std::string_view add;                 // what to add where it is missing; empty: it is not required
  std::vector<std::string_view> words;  // the only ones that a text may be
  const Shape* shape = nullptr;         // of a table, of tables and of named tables

  [[nodiscard]] bool is_required() const { return !add.empty(); }
};

struct Shape {
  std::string_view name;   // in the reference: "[detect]"
  std::string_view about;  // what the table is for
  std::vector<Field> fields;
};

// The whole file.
const Shape& file_shape();

}  // namespace builder::declared
