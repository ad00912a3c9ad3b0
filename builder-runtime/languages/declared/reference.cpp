// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/declared/reference.h"

#include "base/text.h"

namespace builder::declared {
namespace {

constexpr std::string_view k_pointer = "#/";

// RFC 6901: "~1" is a slash in a key, "~0" a tilde.
std::string plain_key(std::string key) {
  base::replace_all(key, "~1", "/");
  base::replace_all(key, "~0", "~");
  return key;
}

const data::Value& member_at(const data::Value& value, const std::string& key) {
  static const data::Value absent;
  for (const auto& [name, member] : value.members) {
    if (name == key) return member;
  }
  const auto number = base::parse_number(key);
  if (value.is(data::Value::Kind::array) && number && *number < value.items.size())
    return value.items[*number];
  return absent;
}

}  // namespace

base::Result<Pointer> parse_pointer(const std::string& text) {
  if (!text.starts_with(k_pointer)) {
    return base::fail(base::ErrorKind::bad_input, "", "invalid pointer " + base::quoted(text),
                      "begin it with #/, followed by the keys that lead to the value: #/engines/node");
  }
  Pointer pointer;
  for (auto& key : base::split(text.substr(k_pointer.size()), '/'))
    pointer.push_back(plain_key(std::move(key)));
  return pointer;
}

const data::Value& value_at(const data::Value& value, const Pointer& pointer) {
  const data::Value* reached = &value;
  for (const auto& key : pointer) reached = &member_at(*reached, key);
  return *reached;
}

base::Result<Reference> Reference::parse(const std::string& text) {
  // A file pattern may begin with "#!".
  const auto mark = text.find(k_pointer);
  BASE_TRY_ASSIGN(auto files, FilePattern::compile(text.substr(0, mark)));
  Reference reference{.text = text, .files = std::move(files)};
  if (mark == std::string::npos) return reference;
  if (!reference.files.is_plain()) {
    return base::fail(
        base::ErrorKind::bad_input, "",
        "invalid reference " + base::quoted(text) + ": a pointer needs one file, not a pattern");
  }
  reference.is_value = true;
  BASE_TRY_ASSIGN(reference.pointer, parse_pointer(text.substr(mark)));
  return reference;
}

std::string Reference::described() const {
  return is_value ? base::join(pointer, ".") + " in " + files.text() : files.described();
}

std::string Reference::place() const {
  return files.text() + (is_value ? ": " + base::join(pointer, ".") : "");
}

}  // namespace builder::declared
