// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/package_index.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/text.h"

namespace builder::python {
namespace {

using process::value_of;

bool is_of_variable(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_';
}

// "${NAME}" and "$NAME" by their values; what is not set stays as it is.
std::string with_values(std::string_view text, const process::Environment& environment) {
  std::string result;
  while (!text.empty()) {
    const auto sign = std::min(text.find('$'), text.size());
    result += text.substr(0, sign);
    text.remove_prefix(sign);
    if (text.empty()) break;
    const bool has_braces = text.substr(1, 1) == "{";
    const auto begin = text.begin() + (has_braces ? 2 : 1);
    const auto end = std::find_if_not(begin, text.end(), is_of_variable);
    const bool is_closed = !has_braces || (end != text.end() && *end == '}');
    const auto entry = environment.find(std::string(begin, end));
    const auto length = static_cast<std::size_t>(end - text.begin()) + (has_braces ? 1 : 0);
    if (begin == end || !is_closed || entry == environment.end()) {
      result += '$';
      text.remove_prefix(1);
    } else {
      result += entry->second;
      text.remove_prefix(length);
    }
  }
  return result;
}

// "https://me:secret@host:8443/simple" → "host:8443"
std::string host_of(const std::string& url) {
  const auto begin = url.find("://");
  if (begin == std::string::npos) return "";
  const auto authority = url.substr(begin + 3, url.find('/', begin + 3) - begin - 3);
  return authority.substr(authority.rfind('@') + 1);
}

std::string with_credentials(const std::string& url, const std::string& user, const std::string& password) {
  const auto begin = url.find("://");
  if (user.empty() || begin == std::string::npos || host_of(url).size() + begin + 3 == url.size()) return url;
  return url.substr(0, begin + 3) + user + (password.empty() ? "" : ":" + password) + "@" +
         url.substr(begin + 3);
}

std::string variable_of(const std::string& name) {
  std::string variable;
  for (const char character : name) {
    const auto byte = static_cast<unsigned char>(character);
    variable += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return variable;
}

void add_word(process::Environment& environment, const std::string& variable, char separator,
              const std::string& word) {
  auto& list = environment[variable];
  if (!list.empty()) list += separator;
  list += word;
}

}  // namespace

PackageIndex index_of(const data::Value& source) {
  const auto& verified = source.at("verify_ssl");
  return {.name = source.text("name"),
          .url = with_credentials(source.text("url"), source.text("username"), source.text("password")),
          .is_flat = source.text("type") == "find_links",
          .is_verified = !verified.exists() || verified.is_true()};
}

std::vector<PackageIndex> pdm_sources(const data::Value& project) {
  std::vector<PackageIndex> indexes;
  for (const auto& source : project.at("tool.pdm.source").items) {
    auto index = index_of(source);
    if (index.url.empty()) continue;
    index.replaces_default = index.name == "pypi";
    indexes.push_back(std::move(index));
  }
  return indexes;
}

// uv knows a package index by its name, and takes its credentials from variables of that name. Poetry's are
// of the same form.
void add_indexes(const std::vector<PackageIndex>& indexes, process::Environment& uv) {
  for (const auto& index : indexes) {
    const auto url = with_values(index.url, uv);
    if (url.find("://pypi.org/") != std::string::npos) continue;  // or what it is replaced by on this machine
    if (!index.is_verified) add_word(uv, "UV_INSECURE_HOST", ' ', host_of(url));
    if (index.is_flat) {
      add_word(uv, "UV_FIND_LINKS", ',', url);
      continue;
    }
    if (index.replaces_default && uv.emplace("UV_DEFAULT_INDEX", url).second) continue;
    const bool is_named =
        !index.name.empty() && std::all_of(index.name.begin(), index.name.end(), [](char character) {
          return is_of_variable(character) || character == '-' || character == '.';
        });
    add_word(uv, "UV_INDEX", ' ', (is_named ? index.name + "=" : std::string()) + url);
    for (const std::string part : {"USERNAME", "PASSWORD"}) {
      const auto poetry = value_of(uv, "POETRY_HTTP_BASIC_" + variable_of(index.name) + "_" + part);
      if (!poetry.empty()) uv.emplace("UV_INDEX_" + variable_of(index.name) + "_" + part, poetry);
    }
  }
}

}  // namespace builder::python
