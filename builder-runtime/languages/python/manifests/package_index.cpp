// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/manifests/package_index.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/text.h"
#include "builder-runtime/languages/python/manifests/expansion.h"

namespace builder::python {
namespace {

using process::value_of;

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
void add_indexes(const std::vector<PackageIndex>& indexes, const base::fs::path& project,
                 process::Environment& uv) {
  auto variables = uv;
  variables.emplace("PROJECT_ROOT", project.string());
  for (const auto& index : indexes) {
    std::string url = expanded(index.url, variables, Notation::shell);
    // "file:///${PROJECT_ROOT}/wheels", as pdm writes it.
    base::replace_all(url, "file:////", "file:///");
    if (base::contains(url, "://pypi.org/")) continue;  // or what it is replaced by on this machine
    if (!index.is_verified) add_word(uv, "UV_INSECURE_HOST", ' ', host_of(url));
    if (index.is_flat) {
      add_word(uv, "UV_FIND_LINKS", ',', url);
      continue;
    }
    if (index.replaces_default && uv.emplace("UV_DEFAULT_INDEX", url).second) continue;
    const bool is_named =
        !index.name.empty() && std::all_of(index.name.begin(), index.name.end(), [](char character) {
          return std::isalnum(static_cast<unsigned char>(character)) != 0 || character == '_' ||
                 character == '-' || character == '.';
        });
    add_word(uv, "UV_INDEX", ' ', (is_named ? index.name + "=" : std::string()) + url);
    for (const std::string part : {"USERNAME", "PASSWORD"}) {
      const auto poetry = value_of(uv, "POETRY_HTTP_BASIC_" + variable_of(index.name) + "_" + part);
      if (!poetry.empty()) uv.emplace("UV_INDEX_" + variable_of(index.name) + "_" + part, poetry);
    }
  }
}

}  // namespace builder::python
