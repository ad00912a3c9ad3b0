// SPDX-License-Identifier: Apache-2.0
// Reads a table of settings strictly: what nobody asks for is an error.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "builder-runtime/source/data.h"

namespace builder {

// Takes the settings of one table one by one; what is left at the end is none of ours.
class TableReader {
 public:
  // `name` is the table's in errors, with a dot at its end: "python."; of the whole file nothing.
  TableReader(const data::Value& table, std::string file, std::string name)
      : m_table(table), m_file(std::move(file)), m_name(std::move(name)) {}

  // What is absent stays as it is.
  base::Status read(const std::string& key, std::string& setting);
  base::Status read(const std::string& key, std::optional<bool>& setting);
  base::Status read(const std::string& key, bool& setting);
  base::Status read(const std::string& key, std::vector<std::string>& setting);
  base::Status read(const std::string& key, std::map<std::string, std::string>& setting);

  // A table of its own inside this one.
  base::Status read_table(const std::string& key,
                          const std::function<base::Status(TableReader&)>& read_members);
  // The same, for whoever reads it later; nothing where it is absent.
  base::Result<const data::Value*> take_table(const std::string& key) {
    return take(key, data::Value::Kind::table);
  }

  // Fails where the table has something else.
  [[nodiscard]] base::Status finish() const;

  // For what is read otherwise: the value, its kind checked; nothing where it is absent.
  base::Result<const data::Value*> take(const std::string& key, data::Value::Kind kind);
  [[nodiscard]] const data::Value& at(const std::string& key) const { return m_table.at(key); }
  [[nodiscard]] const std::string& file() const { return m_file; }
  // "pachbuild.toml:3: python.refresh"
  [[nodiscard]] std::string place(const data::Value& value, const std::string& key) const;
  [[nodiscard]] tl::unexpected<base::Error> wrong_type(const std::string& key, const data::Value& value,
                                                       const std::string& expected) const;

 private:
  const data::Value& m_table;
  std::string m_file;
  std::string m_name;
  std::vector<std::string> m_known;
};

}  // namespace builder
