// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/document.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "base/merge_conflict.h"
#include "base/text.h"
#include "pachbuild/spec/tree_builder.h"

namespace spec {
namespace {

std::string hexadecimal(const char* form, unsigned char byte) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), form, byte);
  return text.data();
}

// "U+0085": the control character that a text begins with; else empty. Those of U+0080 to U+009F have two
// bytes.
std::string control_character(std::string_view text) {
  constexpr char k_form[] = "U+%04X";
  const auto first = static_cast<unsigned char>(text.front());
  const auto second = static_cast<unsigned char>(text.size() > 1 ? text[1] : 0);
  if (first < 0x20) return hexadecimal(k_form, first);
  return first == 0xC2 && second >= 0x80 && second <= 0x9F ? hexadecimal(k_form, second) : "";
}

base::Status check_text(const std::string& text, const Places& source) {
  std::string_view rest = text;
  while (!rest.empty()) {
    const char first = rest.front();
    const bool white = first == '\n' || first == '\r' || first == '\t' || first == '\x7f';
    const std::size_t length = white ? 1 : base::utf8_length(rest);
    if (length == 0) {
      const std::string control = control_character(rest);
      return base::fail(
          base::ErrorKind::bad_input, source.where(base::PositionFinder(text).at(text.size() - rest.size())),
          control.empty() ? "invalid UTF-8: byte " + hexadecimal("0x%02x", static_cast<unsigned char>(first))
                          : "control character " + control + " is not allowed");
    }
    rest.remove_prefix(length);
  }
  return {};
}

// What is known of the value at `pointer`, or of the nearest one around it; nothing where there is none.
template <typename Value>
const Value* nearest(const std::map<std::string, Value>& known, std::string pointer) {
  while (true) {
    const auto found = known.find(pointer);
    if (found != known.end()) return &found->second;
    const std::size_t slash = pointer.rfind('/');
    if (slash == std::string::npos) return nullptr;
    pointer.resize(slash);
  }
}

}  // namespace

Places Places::without_positions() const {
  Places result(m_file, m_title);
  result.m_origins = m_origins;
  return result;
}

base::Position Places::at(std::string pointer) const {
  const auto* position = nearest(m_positions, std::move(pointer));
  return position == nullptr ? base::Position{} : *position;
}

std::string Places::name() const {
  if (!m_title.empty()) return m_title;
  return m_file == k_standard_input ? "standard input" : m_file;
}

std::string Places::where(const std::string& pointer) const {
  const auto* origin = nearest(m_origins, pointer);
  return origin == nullptr ? where(at(pointer)) : *origin;
}

bool Places::is_word(const std::string& pointer) const {
  const auto* origin = nearest(m_origins, pointer);
  const auto whole = m_origins.find("");
  return origin != nullptr && (whole == m_origins.end() || origin != &whole->second);
}

std::string Places::where(base::Position position) const { return name() + ":" + base::to_text(position); }

void Places::forget(const std::string& pointer) {
  m_positions.erase(pointer);
  const std::string inside = pointer + "/";
  auto place = m_positions.lower_bound(inside);
  while (place != m_positions.end() && place->first.starts_with(inside)) place = m_positions.erase(place);
}

Places Places::below(const std::string& pointer) const {
  Places result = without_positions();
  result.add("", at(pointer));
  const std::string inside = pointer + "/";
  for (auto place = m_positions.lower_bound(inside);
       place != m_positions.end() && place->first.starts_with(inside); ++place) {
    result.add(place->first.substr(pointer.size()), place->second);
  }
  return result;
}

std::string child_pointer(const std::string& pointer, const std::string& name) {
  std::string result = pointer + "/";
  for (const char character : name) {
    if (character == '~') {
      result += "~0";
    } else if (character == '/') {
      result += "~1";
    } else {
      result += character;
    }
  }
  return result;
}

base::Status TreeBuilder::open(nlohmann::json empty_container, std::size_t offset) {
  if (m_open.size() == k_deepest_nesting) {
    return fail(offset, "is nested more than " + std::to_string(k_deepest_nesting) + " levels deep");
  }
  std::string pointer = next_pointer();
  nlohmann::json& container = put(std::move(empty_container), offset);
  m_open.push_back({&container, std::move(pointer), {}, {}});
  return {};
}

void TreeBuilder::key(std::string name, std::size_t offset) {
  Level& level = m_open.back();
  const base::Position position = m_finder.at(offset);
  const auto [first, is_new] = level.keys.emplace(name, position);
  if (!is_new) {
    m_document.warnings.push_back(m_document.places.where(position) + ": duplicate key " +
                                  base::quoted(name) + ": this value is used; the first is on line " +
                                  std::to_string(first->second.line));
    m_document.places.forget(child_pointer(level.pointer, name));
  }
  level.key = std::move(name);
}

base::Status TreeBuilder::scalar(nlohmann::json value, std::size_t offset) {
  put(std::move(value), offset);
  return {};
}

nlohmann::json& TreeBuilder::put(nlohmann::json value, std::size_t offset) {
  m_document.places.add(next_pointer(), m_finder.at(offset));
  if (m_open.empty()) {
    m_root = std::make_shared<nlohmann::json>(std::move(value));
    return *m_root;
  }
  Level& level = m_open.back();
  if (level.container->is_array()) return level.container->emplace_back(std::move(value));
  return (*level.container)[level.key] = std::move(value);
}

std::string TreeBuilder::next_pointer() const {
  if (m_open.empty()) return {};
  const Level& level = m_open.back();
  const bool in_list = level.container->is_array();
  return child_pointer(level.pointer, in_list ? std::to_string(level.container->size()) : level.key);
}

tl::unexpected<base::Error> TreeBuilder::fail(std::size_t offset, const std::string& what,
                                              const std::string& hint) {
  m_fault = m_finder.at(offset);
  return base::fail(base::ErrorKind::bad_input, m_source.where(m_fault), what, hint);
}

Document TreeBuilder::take() {
  m_document.value = std::move(m_root);
  return std::exchange(m_document, Document{nullptr, m_source});
}

base::Result<std::vector<Document>> parse_documents(const std::string& text, const Places& source) {
  const std::string content =
      text.starts_with(k_byte_order_mark) ? text.substr(k_byte_order_mark.size()) : text;
  BASE_TRY(check_text(content, source));
  // JSON has its own reader: YAML's does not know halves of a character ("\ud83d\ude00") nor values without a
  // line between them, and has worse words for what is wrong.
  base::Position json_fault;
  base::Position yaml_fault;
  auto documents = read_json(content, source, json_fault);
  if (!documents) {
    auto yaml = read_yaml(content, source, yaml_fault);
    // The reader that came further knows what the text was meant to be.
    const std::string_view start = base::trim(content);
    const bool looks_like_json = start.starts_with('{') || start.starts_with('[');
    if (yaml || yaml_fault > json_fault || (yaml_fault == json_fault && !looks_like_json))
      documents = std::move(yaml);
  }
  // Two whole objects with markers around them are a text to YAML.
  const auto is_text = [](const Document& document) { return document.value->is_string(); };
  if (!documents || std::any_of(documents->begin(), documents->end(), is_text)) {
    if (auto conflict = base::merge_conflict(content, source.name())) return base::fail(std::move(*conflict));
  }
  if (!documents) return documents;
  if (documents->empty()) return base::fail(base::ErrorKind::bad_input, source.name(), "is empty");
  return documents;
}

}  // namespace spec
