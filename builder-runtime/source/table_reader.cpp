// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/source/table_reader.h"

#include <algorithm>

#include "base/near.h"
#include "base/text.h"

namespace builder {

base::Status TableReader::read(const std::string& key, std::string& setting) {
  BASE_TRY_ASSIGN(const data::Value* value, take(key, data::Value::Kind::text));
  if (value != nullptr) setting = value->scalar;
  return {};
}

base::Status TableReader::read(const std::string& key, std::optional<bool>& setting) {
  BASE_TRY_ASSIGN(const data::Value* value, take(key, data::Value::Kind::boolean));
  if (value != nullptr) setting = value->is_true();
  return {};
}

base::Status TableReader::read(const std::string& key, bool& setting) {
  BASE_TRY_ASSIGN(const data::Value* value, take(key, data::Value::Kind::boolean));
  if (value != nullptr) setting = value->is_true();
  return {};
}

base::Status TableReader::read(const std::string& key, std::vector<std::string>& setting) {
  const data::Value& found = m_table.at(key);
  BASE_TRY_ASSIGN(
      const data::Value* value,
      take(key, found.is(data::Value::Kind::text) ? data::Value::Kind::text : data::Value::Kind::array));
  if (value == nullptr) return {};
  for (const auto& item : value->items) {
    if (!item.is(data::Value::Kind::text)) return wrong_type(key, item, "a string");
  }
  setting = m_table.texts(key);
  return {};
}

base::Status TableReader::read(const std::string& key, std::map<std::string, std::string>& setting) {
  BASE_TRY_ASSIGN(const data::Value* value, take(key, data::Value::Kind::table));
  if (value == nullptr) return {};
  for (const auto& [name, item] : value->members) {
    if (!item.is(data::Value::Kind::text)) return wrong_type(key + "." + name, item, "a string");
    setting[name] = item.scalar;
  }
  return {};
}

base::Status TableReader::read_table(const std::string& key,
                                     const std::function<base::Status(TableReader&)>& read_members) {
  BASE_TRY_ASSIGN(const data::Value* value, take_table(key));
  if (value == nullptr) return {};
  TableReader reader(*value, m_file, m_name + key + ".");
  BASE_TRY(read_members(reader));
  return reader.finish();
}

base::Status TableReader::finish() const {
  for (const auto& [key, value] : m_table.members) {
    if (std::find(m_known.begin(), m_known.end(), key) != m_known.end()) continue;
    return base::fail(base::ErrorKind::bad_input, place(value, key), "unknown setting",
                      base::did_you_mean(key, m_known, "valid settings: " + base::join(m_known, ", ")));
  }
  return {};
}

base::Result<const data::Value*> TableReader::take(const std::string& key, data::Value::Kind kind) {
  m_known.push_back(key);
  const data::Value& value = m_table.at(key);
  if (!value.exists()) return nullptr;
  if (value.is(kind)) return &value;
  return wrong_type(key, value, std::string(data::name_of(kind)));
}

tl::unexpected<base::Error> TableReader::wrong_type(const std::string& key, const data::Value& value,
                                                    const std::string& expected) const {
  return base::fail(base::ErrorKind::bad_input, place(value, key), data::must_be(expected, value));
}

std::string TableReader::place(const data::Value& value, const std::string& key) const {
  return m_file + ":" + std::to_string(value.line) + ": " + m_name + key;
}

}  // namespace builder
