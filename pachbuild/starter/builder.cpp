// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/starter/builder.h"

#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <map>
#include <string_view>

#include "base/errors.h"
#include "base/text.h"
#include "contract/builders.h"
#include "contract/layout.h"
#include "pachbuild/starter/readme.h"

namespace starter {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

constexpr char k_dockerfile[] = "Dockerfile";
constexpr char k_base[] = "debian:12.12-slim";

// The value of the first argument of a Dockerfile that is an image: its base.
std::string base_image(const fs::path& dockerfile) {
  for (const auto& line : base::split(base::read_file(dockerfile).value_or(""), '\n')) {
    const auto equals = line.find("_IMAGE=");
    if (line.starts_with("ARG ") && equals != std::string::npos) return line.substr(line.find('=') + 1);
  }
  return k_base;
}

// Under another name, and without the comment for editors, which leads to a schema that is elsewhere.
base::Result<std::string> renamed(const fs::path& description, const std::string& name) {
  BASE_TRY_ASSIGN(const auto text, base::read_input_file(description));
  std::string result;
  bool is_renamed = false;
  for (const auto& line : base::split(text, '\n')) {
    if (line.starts_with("#:schema")) continue;
    const std::string_view whole = line;
    const auto key = base::trim(whole.substr(0, whole.find('=')));
    const bool is_language = !is_renamed && key == "language";
    is_renamed |= is_language;
    result += (is_language ? "language = \"" + name + "\"" : line) + "\n";
  }
  if (result.ends_with("\n\n")) result.pop_back();
  if (is_renamed) return result;
  return base::fail(ErrorKind::bad_input, description.string(), "has no line \"language = …\"");
}

base::Status add_model(Project& project, const std::string& name, const fs::path& model) {
  boost::system::error_code error;
  fs::recursive_directory_iterator entry(model, error);
  for (const fs::recursive_directory_iterator end; !error && entry != end; entry.increment(error)) {
    const auto& file = entry->path();
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    const std::string path = file.lexically_relative(model).string();
    // Of these the new builder has its own, or the official one alone has a use for them.
    if (path == k_dockerfile || path == "README.md" || path == contract::k_build_script ||
        path == contract::k_run_script)
      continue;
    project[path] = {.copy_of = file, .is_executable = (status.st_mode & S_IXUSR) != 0};
  }
  if (error) return base::fail(base::system_error("read", model.string(), error.value()));
  BASE_TRY_ASSIGN(auto description, renamed(model / contract::k_builder_file, name));
  project[contract::k_builder_file] = {.content = std::move(description)};
  return {};
}

}  // namespace

base::Result<Project> builder_project(const std::string& name, const fs::path& model) {
  const std::map<std::string, std::string> values = {
      {"NAME", name},
      {"BASE", model.empty() ? k_base : base_image(model / k_dockerfile)},
      {"VERSION", PACHBUILD_VERSION},
      {"LABEL", std::string(contract::k_builder_label) + "=" + contract::k_builder_label_value}};
  Project project;
  if (model.empty()) {
    for (const std::string path : {"builder.toml", "probe/main.sh"})
      project[path] = {.content = filled_in("builder/" + path, values)};
  } else {
    BASE_TRY(add_model(project, name, model));
  }
  for (const std::string path : {k_dockerfile, contract::k_build_script, "ci.sh"})
    project[path] = {.content = filled_in("builder/" + path, values)};
  return project;
}

}  // namespace starter
