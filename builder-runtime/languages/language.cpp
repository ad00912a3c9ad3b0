// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/language.h"

#include <sys/utsname.h>

#include <boost/filesystem/operations.hpp>

#include "builder-runtime/languages/go/go.h"
#include "builder-runtime/languages/python/python.h"

namespace builder {
namespace {

// Counts up when a bundle of the same inputs gets another content.
constexpr char k_key_format[] = "3";

}  // namespace

const std::vector<Language>& languages() {
  static const std::vector<Language> all = {python::language(), go::language()};
  return all;
}

std::vector<std::string> names_of_languages() {
  std::vector<std::string> names;
  for (const auto& language : languages()) names.push_back(language.name);
  return names;
}

bool is_file(const fs::path& path) {
  boost::system::error_code error;
  return fs::is_regular_file(path, error);
}

std::string key_base(std::string_view language) {
  return std::string(language) + " " + k_key_format + " " + PACHBUILD_VERSION + " " + architecture();
}

std::string architecture() {
  utsname machine{};
  ::uname(&machine);
  std::string name = machine.machine;
  if (name == "x86_64") return "amd64";
  if (name == "aarch64") return "arm64";
  return name;
}

}  // namespace builder
