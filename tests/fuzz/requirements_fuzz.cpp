// SPDX-License-Identifier: Apache-2.0
// Requirements files and pip.conf: read as uv and pip read them, or refused; nothing outside of the source is
// included, and no credential becomes a part of a key.
#include <algorithm>
#include <set>

#include "base/credentials.h"
#include "builder-runtime/languages/python/manifests/pip_configuration.h"
#include "builder-runtime/languages/python/manifests/requirements.h"
#include "tests/fuzz/target.h"

namespace {

using fuzz::require;
namespace python = builder::python;

void read_lines(std::string_view text) {
  for (const auto& line : python::logical_lines(text)) {
    require(!line.empty() && line.find('\n') == std::string::npos && base::trim(line) == line);
    static_cast<void>(python::included_file(line));
  }
}

void read_files(std::string_view input) {
  static const fuzz::Folder folder;
  const auto parts = fuzz::parts_of_input(input, 3);
  folder.write("source/requirements.txt", parts[0]);
  folder.write("source/sub/more.txt", parts[1]);
  folder.write("source/constraints.txt", parts[2]);
  folder.write("outside.txt", "secret==1\n");
  const process::Environment environment = {{"TOKEN", "Zq9xPasswordXq9z"}, {"NAME", "sub/more.txt"}};
  const auto requirements =
      python::read_requirements(folder.path() / "source", {"requirements.txt"}, environment);
  if (!requirements) return fuzz::require_readable(requirements.error());
  for (const auto& option : requirements->options) require(base::credentials_in(option).empty());
  for (const auto& line : base::split(requirements->inputs.lines(), '\n')) {
    require(line.find("outside.txt") == std::string::npos || line.find("${") != std::string::npos ||
            line.starts_with("variable"));
  }
}

void read_pip_conf(std::string_view text) {
  static const fuzz::Folder folder;
  folder.write("pip.conf", text);
  const auto uv = python::configure_uv({{"PIP_CONFIG_FILE", (folder.path() / "pip.conf").string()}},
                                       "/nowhere/bin/python3", {});
  static const std::set<std::string> known = {
      "PIP_CONFIG_FILE",   "UV_DEFAULT_INDEX",    "UV_EXTRA_INDEX_URL", "UV_CONSTRAINT", "SSL_CERT_FILE",
      "SSL_CLIENT_CERT",   "UV_INSECURE_HOST",    "UV_HTTP_TIMEOUT",    "ALL_PROXY",     "UV_FIND_LINKS",
      "UV_INDEX_STRATEGY", "UV_KEYRING_PROVIDER", "UV_PRERELEASE"};
  for (const auto& [name, value] : uv.environment) {
    require(known.contains(name));
    require(value.find('\n') == std::string::npos);
  }
  for (const auto& argument : uv.arguments) require(argument.find('\0') == std::string::npos);
}

}  // namespace

FUZZ_TARGET(requirements_fuzz, input) {
  switch (fuzz::take_choice(input, 3)) {
    case 0:
      return read_lines(input);
    case 1:
      return read_files(input);
    default:
      return read_pip_conf(input);
  }
}
