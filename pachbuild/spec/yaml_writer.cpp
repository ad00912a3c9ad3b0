// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdint>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/text.h"
#include "pachbuild/spec/document.h"

namespace spec {
namespace {

using nlohmann::json;

// The longest key that stands before its colon: YAML's own limit is 1024 characters.
constexpr std::size_t k_longest_plain_key = 1000;

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 1;
};

// Of valid UTF-8, which has been read.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t bytes = byte(0) < 0x80 ? 1 : byte(0) < 0xE0 ? 2 : byte(0) < 0xF0 ? 3 : 4;
  std::uint32_t code = bytes == 1 ? byte(0) : byte(0) & (0x7FU >> bytes);
  for (std::size_t i = 1; i < std::min(bytes, text.size()); ++i) code = code << 6U | (byte(i) & 0x3FU);
  return {code, std::min(bytes, text.size())};
}

// Whether a quoted text may have the character unescaped, and no reader takes it for a line break.
bool is_printable(std::uint32_t code) {
  const bool is_control = code < 0x20 || (code >= 0x7F && code < 0xA0);
  const bool ends_line = code == 0x2028 || code == 0x2029;
  const bool is_no_character = (code & 0xFFFEU) == 0xFFFE || (code >= 0xFDD0 && code <= 0xFDEF);
  return !is_control && !ends_line && !is_no_character && code != 0xFEFF;
}

std::string escaped(std::uint32_t code) {
  switch (code) {
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      std::array<char, 16> text{};
      const char* const form = code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x";
      std::snprintf(text.data(), text.size(), form, code);
      return text.data();
  }
}

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  while (!text.empty()) {
    const auto [code, bytes] = first_character(text);
    if (code == '"' || code == '\\') result += '\\';
    is_printable(code) ? result.append(text.substr(0, bytes)) : result.append(escaped(code));
    text.remove_prefix(bytes);
  }
  return result + '"';
}

// Plain where nothing but text can be meant: not as TRUE or Null, which readers take for a value.
std::string key_text(const std::string& key) {
  constexpr std::string_view k_plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  const std::string small = base::lower(key);
  const bool is_plain = key.size() > 3 && small != "true" && small != "false" && small != "null" &&
                        key.find_first_not_of(k_plain) == std::string::npos;
  return is_plain ? key : in_quotes(key);
}

void write(const json& value, std::size_t indent, std::string& yaml);

// Behind "key:" or "-": a scalar in the same line, or a block in those below it.
void write_value(const json& value, std::size_t indent, std::string& yaml) {
  const bool is_block = value.is_structured() && !value.empty();
  yaml += is_block ? '\n' : ' ';
  if (is_block) return write(value, indent, yaml);
  if (value.is_string()) {
    // Quoted, so that "on", "1" and "~" stay what they are.
    yaml += in_quotes(value.get_ref<const std::string&>());
  } else {
    yaml += value.is_null() ? "~" : value.dump();
  }
  yaml += '\n';
}

// A map or sequence, each of its lines this far in.
void write(const json& value, std::size_t indent, std::string& yaml) {
  constexpr std::size_t k_step = 2;
  const std::string space(indent, ' ');
  if (value.is_object()) {
    for (const auto& [key, child] : value.items()) {
      yaml += space;
      if (const auto text = key_text(key); text.size() <= k_longest_plain_key) {
        yaml.append(text).append(":");
      } else {
        yaml.append("? ").append(text).append("\n").append(space).append(":");
      }
      write_value(child, indent + k_step, yaml);
    }
    return;
  }
  for (const auto& child : value) {
    yaml += space + "-";
    if (!child.is_structured() || child.empty()) {
      write_value(child, indent, yaml);
      continue;
    }
    // The first line of it stands behind the dash.
    const auto at = yaml.size();
    write(child, indent + k_step, yaml);
    yaml.replace(at, indent + k_step, " ");
  }
}

}  // namespace

std::string to_yaml(const json& value) {
  std::string yaml;
  if (value.is_structured() && !value.empty()) {
    write(value, 0, yaml);
  } else {
    write_value(value, 0, yaml);
    yaml.erase(0, 1);
  }
  return yaml;
}

}  // namespace spec
