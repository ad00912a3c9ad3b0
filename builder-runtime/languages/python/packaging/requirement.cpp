// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/packaging/requirement.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace builder::python {
namespace {

bool is_separator(char character) { return character == '-' || character == '_' || character == '.'; }

bool is_of_name(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || is_separator(character);
}

}  // namespace

std::string normalised_name(std::string_view name) {
  std::string result;
  for (const char character : name) {
    if (!is_separator(character)) {
      result += static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    } else if (result.empty() || result.back() != '-') {
      result += '-';
    }
  }
  return result;
}

std::optional<Requirement> Requirement::parse(std::string_view text) {
  text = base::trim(text);
  Requirement requirement;
  const auto name_end =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_of_name) - text.begin());
  if (name_end == 0 || is_separator(text.front())) return std::nullopt;
  requirement.name = normalised_name(text.substr(0, name_end));
  text = base::trim(text.substr(name_end));
  if (text.substr(0, 1) == "[") {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    for (const auto& extra : base::split(text.substr(1, end - 1), ',')) {
      if (!base::trim(extra).empty()) requirement.extras.push_back(normalised_name(base::trim(extra)));
    }
    text = base::trim(text.substr(end + 1));
  }
  if (text.substr(0, 1) == "@") {
    // A URL may hold a semicolon; the one of the marker has a space before it.
    const auto semicolon = text.find(" ;");
    requirement.url =
        base::trim(text.substr(1, semicolon == std::string_view::npos ? semicolon : semicolon - 1));
    if (semicolon != std::string_view::npos) requirement.marker = base::trim(text.substr(semicolon + 2));
    return requirement;
  }
  const auto semicolon = text.find(';');
  std::string_view specifiers = base::trim(text.substr(0, semicolon));
  if (semicolon != std::string_view::npos) requirement.marker = base::trim(text.substr(semicolon + 1));
  if (specifiers.size() >= 2 && specifiers.front() == '(' && specifiers.back() == ')') {
    specifiers = base::trim(specifiers.substr(1, specifiers.size() - 2));
  }
  if (!specifiers.empty() && !base::contains("<>=!~", specifiers.front())) {
    return std::nullopt;
  }
  requirement.specifiers = specifiers;
  return requirement;
}

std::string Requirement::text() const {
  std::string result = name;
  if (!extras.empty()) result += "[" + base::join(extras, ",") + "]";
  result += url.empty() ? specifiers : " @ " + url;
  return marker.empty() ? result : result + " ; " + marker;
}

}  // namespace builder::python
