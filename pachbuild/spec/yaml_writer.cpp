// SPDX-License-Identifier: Apache-2.0
#include <yaml-cpp/emitter.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "pachbuild/spec/document.h"

namespace spec {
namespace {

using nlohmann::json;

// Plain where nothing but text can be meant.
void write_key(const std::string& key, YAML::Emitter& yaml) {
  constexpr std::string_view k_plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  const bool is_plain = key.size() > 3 && key != "true" && key != "false" && key != "null" &&
                        key.find_first_not_of(k_plain) == std::string::npos;
  if (!is_plain) yaml << YAML::DoubleQuoted;
  yaml << key;
}

void write(const json& value, YAML::Emitter& yaml) {
  if (value.is_object()) {
    yaml << YAML::BeginMap;
    for (const auto& [key, child] : value.items()) {
      yaml << YAML::Key;
      write_key(key, yaml);
      yaml << YAML::Value;
      write(child, yaml);
    }
    yaml << YAML::EndMap;
  } else if (value.is_array()) {
    yaml << YAML::BeginSeq;
    for (const auto& child : value) write(child, yaml);
    yaml << YAML::EndSeq;
  } else if (value.is_string()) {
    // Quoted, so that "on", "1" and "~" stay what they are.
    yaml << YAML::DoubleQuoted << value.get_ref<const std::string&>();
  } else if (value.is_null()) {
    // Not by its word, which the emitter would put in quotes.
    yaml << YAML::Null;
  } else {
    yaml << value.dump();
  }
}

}  // namespace

std::string to_yaml(const json& value) {
  YAML::Emitter yaml;
  write(value, yaml);
  return std::string(yaml.c_str()) + "\n";
}

}  // namespace spec
