// SPDX-License-Identifier: Apache-2.0
// TOML and JSON of a source: a tree of bounded depth or an error with a place; pachbuild.toml and
// [tool.pachbuild]: settings or an error.
#include "builder-runtime/source/data.h"
#include "builder-runtime/source/source_settings.h"
#include "tests/fuzz/target.h"

namespace {

using builder::data::Value;
using fuzz::require;

// Inline values, and the tables that a header and a dotted key make.
constexpr int k_deepest = 200;

void check_tree(const Value& value, int depth) {
  require(depth <= k_deepest);
  require(!builder::data::name_of(value.kind).empty());
  for (const auto& item : value.items) check_tree(item, depth + 1);
  for (const auto& [key, member] : value.members) check_tree(member, depth + 1);
}

void check_file(const base::Result<Value>& read) {
  if (!read) {
    fuzz::require_readable(read.error());
    return require(read.error().where.starts_with("x:") || read.error().where == "x");
  }
  check_tree(*read, 0);
}

void check_settings(const fuzz::Folder& folder) {
  const auto settings = builder::read_source_settings(folder.path());
  if (!settings) return fuzz::require_readable(settings.error());
  for (const auto& [name, value] : settings->environment) {
    require(!name.empty() && name.find('=') == std::string::npos && name.find('\0') == std::string::npos);
    require(value.find('\0') == std::string::npos);
  }
}

}  // namespace

FUZZ_TARGET(data_fuzz, input) {
  static const fuzz::Folder folder;
  switch (fuzz::take_choice(input, 4)) {
    case 0:
      folder.write("file", input);
      return check_file(builder::data::read_toml(folder.path() / "file", "x"));
    case 1:
      folder.write("file", input);
      return check_file(builder::data::read_json(folder.path() / "file", "x"));
    case 2:
      folder.clear();
      folder.write("pachbuild.toml", input);
      return check_settings(folder);
    default:
      folder.clear();
      folder.write("pyproject.toml", input);
      return check_settings(folder);
  }
}
