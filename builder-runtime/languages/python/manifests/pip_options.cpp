// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/pip_options.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>

#include "base/credentials.h"
#include "base/text.h"

namespace builder::python {
namespace {

using base::ErrorKind;

struct Option {
  std::string_view name;
  char letter;  // of its short form; 0: none
  bool has_value;
  std::string_view means;  // of another name
};

constexpr std::array<Option, 25> k_pip_options = {{
    {"--index-url", 'i', true, ""},        {"--pypi-url", 0, true, "--index-url"},
    {"--extra-index-url", 0, true, ""},    {"--no-index", 0, false, ""},
    {"--constraint", 'c', true, ""},       {"--constraints", 0, true, "--constraint"},    // uv's
    {"--requirement", 'r', true, ""},      {"--requirements", 0, true, "--requirement"},  // uv's
    {"--editable", 'e', true, ""},         {"--find-links", 'f', true, ""},
    {"--no-binary", 0, true, ""},          {"--only-binary", 0, true, ""},
    {"--prefer-binary", 0, false, ""},     {"--require-hashes", 0, false, ""},
    {"--no-require-hashes", 0, false, ""}, {"--pre", 0, false, ""},
    {"--all-releases", 0, true, ""},       {"--only-final", 0, true, ""},
    {"--trusted-host", 0, true, ""},       {"--use-feature", 0, true, ""},
    {"--global-option", 0, true, ""},      {"--hash", 0, true, ""},
    {"--config-settings", 'C', true, ""},  {"--config-setting", 0, true, "--config-settings"},
    {"--build-option", 0, true, ""},
}};

const Option* by_letter(char letter) {
  const auto* found = std::find_if(k_pip_options.begin(), k_pip_options.end(), [&](const Option& option) {
    return option.letter != 0 && option.letter == letter;
  });
  return found == k_pip_options.end() ? nullptr : found;
}

// optparse takes a beginning of a name that only one option has.
const Option* by_name(std::string_view name) {
  const Option* found = nullptr;
  for (const auto& option : k_pip_options) {
    if (option.name == name) return &option;
    if (!option.name.starts_with(name)) continue;
    const bool is_same = found != nullptr && option.means == found->name;
    if (found != nullptr && !is_same) return nullptr;
    if (found == nullptr) found = &option;
  }
  return found;
}

std::string_view name_of(const Option& option) { return option.means.empty() ? option.name : option.means; }

// A character as UTF-8.
void append_character(std::string& text, std::uint32_t code) {
  const auto add = [&](std::uint32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0 | (code >> 6));
  } else if (code < 0x10000) {
    add(0xE0 | (code >> 12));
    add(0x80 | ((code >> 6) & 0x3F));
  } else {
    add(0xF0 | (code >> 18));
    add(0x80 | ((code >> 12) & 0x3F));
    add(0x80 | ((code >> 6) & 0x3F));
  }
  add(0x80 | (code & 0x3F));
}

// Units of 2 or 4 bytes.
std::string from_wide(std::string_view bytes, std::size_t width, bool big_endian) {
  std::vector<std::uint32_t> units;
  for (std::size_t at = 0; at + width <= bytes.size(); at += width) {
    std::uint32_t unit = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const auto byte = static_cast<unsigned char>(bytes[at + (big_endian ? i : width - 1 - i)]);
      unit = (unit << 8) | byte;
    }
    units.push_back(unit);
  }
  std::string text;
  for (std::size_t i = 0; i < units.size(); ++i) {
    const auto unit = units[i];
    const bool is_pair = width == 2 && unit >= 0xD800 && unit < 0xDC00 && i + 1 < units.size();
    append_character(text, is_pair ? 0x10000 + ((unit - 0xD800) << 10) + (units[++i] - 0xDC00) : unit);
  }
  return text;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// What is not ASCII in comments becomes question marks.
std::string without_letters_in_comments(std::string text) {
  bool is_comment = false;
  char before = '\n';
  for (char& character : text) {
    if (character == '\n' || character == '\r') is_comment = false;
    is_comment = is_comment || (character == '#' && base::contains(" \t\r\n", before));
    if (is_comment && static_cast<unsigned char>(character) >= 0x80) character = '?';
    before = character;
  }
  return text;
}

// "# -*- coding: latin-1 -*-" → "latin-1"; empty where the first two lines name none.
std::string named_encoding(const std::string& bytes) {
  auto lines = base::split(std::string_view(bytes).substr(0, 1024), '\n');
  lines.resize(std::min<std::size_t>(lines.size(), 2));
  for (const auto& line : lines) {
    const auto at = line.find("coding");
    if (!line.starts_with('#') || at == std::string::npos) continue;
    std::string_view rest = std::string_view(line).substr(at + 6);
    if (rest.empty() || (rest.front() != ':' && rest.front() != '=')) continue;
    rest = base::trim(rest.substr(1));
    std::string name;
    for (const char character : rest) {
      if (std::isalnum(static_cast<unsigned char>(character)) == 0 && character != '-' && character != '_' &&
          character != '.') {
        break;
      }
      name += character == '_' ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    }
    if (!name.empty()) return name;
  }
  return "";
}

base::Status add_option(const Option& option, bool is_whole, std::string value, const std::string& where,
                        RequirementLine& result) {
  const auto name = name_of(option);
  if (option.has_value && value.empty())
    return base::fail(ErrorKind::bad_input, where, std::string(option.name) + " needs a value");
  const bool is_list = name == "--no-binary" || name == "--only-binary";
  constexpr auto k_unknown_to_uv = std::to_array<std::string_view>(
      {"--pypi-url", "--config-settings", "--config-setting", "--global-option", "--build-option",
       "--no-require-hashes", "--all-releases", "--only-final"});
  const bool is_unknown_to_uv =
      std::find(k_unknown_to_uv.begin(), k_unknown_to_uv.end(), option.name) != k_unknown_to_uv.end() ||
      (is_list && base::contains(value, ','));
  result.is_plain = result.is_plain && is_whole && !is_unknown_to_uv;
  result.options.emplace_back(name, std::move(value));
  return {};
}

}  // namespace

std::string RequirementLine::value(std::string_view option) const {
  for (const auto& [name, value] : options) {
    if (name == option) return value;
  }
  return "";
}

std::vector<std::string> shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool is_word = false;
  char quote = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char character = text[at];
    const bool escapes = character == '\\' && quote != '\'' && at + 1 < text.size() &&
                         (quote == 0 || text[at + 1] == '"' || text[at + 1] == '\\');
    if (escapes) {
      word += text[++at];
      is_word = true;
    } else if (quote != 0) {
      if (character == quote) {
        quote = 0;
      } else {
        word += character;
      }
    } else if (character == '"' || character == '\'') {
      quote = character;
      is_word = true;
    } else if (character == ' ' || character == '\t') {
      if (is_word) words.push_back(std::move(word));
      word.clear();
      is_word = false;
    } else {
      word += character;
      is_word = true;
    }
  }
  if (is_word) words.push_back(std::move(word));
  return words;
}

base::Result<RequirementLine> parse_requirement_line(const std::string& line, const std::string& where) {
  RequirementLine result;
  // As pip: the options begin with the first word that begins with a dash.
  std::size_t begin = 0;
  while (begin < line.size() && line[begin] != '-') {
    const auto space = line.find_first_of(" \t", begin);
    begin = space == std::string::npos ? line.size() : line.find_first_not_of(" \t", space);
    if (begin == std::string::npos) begin = line.size();
  }
  result.requirement = base::trim(std::string_view(line).substr(0, begin));
  const auto rest = std::string_view(line).substr(begin);
  const auto words = shell_words(rest);
  // A quoted word that is a path is no path to uv, which removes quotes around some values only.
  const bool has_quotes = rest.find_first_of("\"'\\") != std::string_view::npos;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.empty() || word.front() != '-') {
      // What follows an editable is part of it for uv ("-e name @ ./folder"), what else is there is passed
      // over.
      if (result.options.empty() || result.options.back().first != "--editable") continue;
      result.options.back().second += " " + word;
      continue;
    }
    const bool is_short = word.size() > 1 && word[1] != '-';
    const auto sign = is_short ? std::string::npos : word.find('=');
    const auto name = is_short ? word.substr(0, 2) : word.substr(0, sign);
    const Option* option = is_short ? by_letter(word[1]) : by_name(name);
    if (option == nullptr) {
      return base::fail(ErrorKind::bad_input, where,
                        base::hide_credentials(word.substr(0, sign)) +
                            " is not an option for requirements files; pip does not accept it either",
                        "remove it; options of pip's command line belong in pip.conf or PIP_… variables");
    }
    bool is_whole = is_short || option->name == name;
    std::string value;
    if (is_short && word.size() > 2) {
      value = word.substr(2);
      is_whole = value.front() == '=';
      if (is_whole) value.erase(0, 1);
    } else if (sign != std::string::npos) {
      value = word.substr(sign + 1);
    } else if (option->has_value && i + 1 < words.size()) {
      value = words[++i];
    }
    if (name_of(*option) == "--editable" && has_quotes) is_whole = false;
    BASE_TRY(add_option(*option, is_whole, std::move(value), where, result));
  }
  return result;
}

base::Result<std::string> decode_requirements(const std::string& bytes, const std::string& where) {
  const std::string_view view = bytes;
  if (view.starts_with("\xEF\xBB\xBF")) return bytes.substr(3);
  if (view.starts_with(std::string_view("\xFF\xFE\0\0", 4))) return from_wide(view.substr(4), 4, false);
  if (view.starts_with(std::string_view("\0\0\xFE\xFF", 4))) return from_wide(view.substr(4), 4, true);
  if (view.starts_with("\xFF\xFE")) return from_wide(view.substr(2), 2, false);
  if (view.starts_with("\xFE\xFF")) return from_wide(view.substr(2), 2, true);
  const auto encoding = named_encoding(bytes);
  if (encoding.empty() || encoding == "utf-8" || encoding == "utf8" || encoding == "utf-8-sig" ||
      is_ascii(bytes)) {
    return bytes;
  }
  for (const std::string_view name : {"latin-1", "latin1", "iso-8859-1", "iso8859-1", "l1"}) {
    if (encoding != name) continue;
    std::string text;
    for (const char byte : bytes) append_character(text, static_cast<unsigned char>(byte));
    return text;
  }
  // In all others that pip reads, what is ASCII means the same, and requirements are.
  std::string text = without_letters_in_comments(bytes);
  if (is_ascii(text)) return text;
  return base::fail(ErrorKind::bad_input, where, "is written in " + encoding + ", which is not supported",
                    "save it as UTF-8");
}

}  // namespace builder::python
