// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/edit.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace spec {
namespace {

// Lines count from 1, columns in characters.
std::size_t offset_of(const std::string& text, base::Position position) {
  std::size_t offset = text.starts_with(k_byte_order_mark) ? k_byte_order_mark.size() : 0;
  for (std::size_t line = 1; line < position.line; ++line) {
    const auto end = text.find('\n', offset);
    if (end == std::string::npos) return text.size();
    offset = end + 1;
  }
  for (std::size_t column = 1; column < position.column && offset < text.size(); ++column) {
    const auto length = base::utf8_length(std::string_view(text).substr(offset));
    offset += length == 0 ? 1 : length;
  }
  return offset;
}

// The end of the scalar that starts at `start`; npos for one that goes over several lines.
std::size_t end_of_scalar(const std::string& text, std::size_t start) {
  const char quote = text[start];
  if (quote == '"' || quote == '\'') {
    for (std::size_t i = start + 1; i < text.size(); ++i) {
      // "\"" in double quotes, "''" in single ones.
      const bool is_escape = quote == '"' ? text[i] == '\\' : text.compare(i, 2, "''") == 0;
      if (is_escape) {
        ++i;
      } else if (text[i] == quote) {
        return i + 1;
      }
    }
    return std::string::npos;
  }
  if (quote == '|' || quote == '>') return std::string::npos;
  // Plain: to the end of the line, a comment, or the end of a flow collection. No image has any of these in
  // its name.
  std::size_t end = text.find_first_of(" \t\r\n,}]", start);
  return end == std::string::npos ? text.size() : end;
}

// Where a collection itself begins: `start` may be that of its tag or anchor ("&name"), which comments and
// line breaks may follow.
std::size_t behind_properties(const std::string& text, std::size_t start) {
  constexpr std::string_view k_space = " \t\r\n";
  while (start < text.size() && (text[start] == '!' || text[start] == '&' || text[start] == '#')) {
    const auto end = text[start] == '#' ? text.find('\n', start) : text.find_first_of(k_space, start);
    start = std::min(text.find_first_not_of(k_space, end), text.size());
  }
  return start;
}

base::Result<std::string> put_image(const std::string& text, const Document& document,
                                    const std::string& new_image) {
  const std::string quoted = nlohmann::json(new_image).dump();
  const auto& transform = document.value->at("transform");
  const bool is_there = transform.contains("image");
  const std::string pointer = is_there ? "/transform/image" : "/transform";
  const std::size_t start = offset_of(text, document.places.at(pointer));
  if (start >= text.size()) {
    return base::fail(base::ErrorKind::bug, document.places.where(pointer), "is beyond the end of the file");
  }
  if (is_there) {
    const std::size_t end = end_of_scalar(text, start);
    if (end == std::string::npos) {
      return base::fail(base::ErrorKind::bad_input, document.places.where(pointer),
                        "is written over several lines, and cannot be replaced",
                        "write the image on one line");
    }
    const auto& image = transform.at("image");
    const std::string named = image.is_string() ? image.get<std::string>() : image.dump();
    const bool is_quoted = text[start] == '"' || text[start] == '\'';
    if (!is_quoted && text.substr(start, end - start) != named) {
      return base::fail(base::ErrorKind::bad_input, document.places.where(pointer),
                        "invalid image name " + base::quoted(named), "write it without spaces, or in quotes");
    }
    return text.substr(0, start) + quoted + text.substr(end);
  }
  const std::size_t first = behind_properties(text, start);
  if (first < text.size() && text[first] == '{') {
    const std::size_t next = text.find_first_not_of(" \t\r\n", first + 1);
    const std::string space = text.substr(first + 1, next - first - 1);
    return text.substr(0, first + 1) + space + "\"image\": " + quoted + "," + (space.empty() ? " " : space) +
           text.substr(next);
  }
  // A block of YAML starts with its first key; the new one stands above it, as far in.
  const std::size_t line = text.rfind('\n', first) + 1;
  return text.substr(0, first) + "image: " + quoted + "\n" + text.substr(line, first - line) +
         text.substr(first);
}

// Whether `changed` says the same as `text`, but for the image.
bool is_only_change(const std::string& text, const std::string& changed, const Document& document,
                    const std::string& new_image) {
  const auto before = parse_documents(text, document.places.without_positions());
  const auto after = parse_documents(changed, document.places.without_positions());
  if (!before || !after || before->size() != after->size()) return false;
  for (std::size_t i = 0; i < before->size(); ++i) {
    auto expected = *(*before)[i].value;
    if ((*before)[i].places.at("/transform") == document.places.at("/transform"))
      expected["transform"]["image"] = new_image;
    if (*(*after)[i].value != expected) return false;
  }
  return true;
}

}  // namespace

base::Result<std::string> with_image(const std::string& text, const Document& document,
                                     const std::string& new_image) {
  BASE_TRY_ASSIGN(auto changed, put_image(text, document, new_image));
  if (is_only_change(text, changed, document, new_image)) return changed;
  return base::fail(base::ErrorKind::bad_input, document.places.where("/transform"),
                    "is written in a way that an image cannot be added to",
                    "add \"image\": " + nlohmann::json(new_image).dump() + " yourself");
}

}  // namespace spec
