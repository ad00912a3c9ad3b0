// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/spec/own_command.h"

#include <algorithm>

#include "base/relative_path.h"
#include "contract/layout.h"

namespace spec {
namespace {

std::string in_build(const char* name) { return std::string(contract::k_build) + "/" + name; }

Words shim_words(const std::string& shim) { return {shim, "--exec", "--"}; }

// It is read, not started, so that there is one shell; what it does ends in an exec.
Words shell_words() {
  const std::string script = in_build(contract::k_environment_script);
  return {"sh", "-c", "[ ! -e " + script + " ] || . " + script + R"(; exec "$@")", "sh"};
}

bool starts_with(const Words& command, const Words& words) {
  return command.size() > words.size() && std::equal(words.begin(), words.end(), command.begin());
}

}  // namespace

bool is_official(const Transform& transform) {
  return !transform.build.language.empty() && transform.image.empty();
}

bool is_own_command(const Words& command) {
  if (command.empty() || base::name_of(command.front()) == contract::k_shim) return false;
  const std::string run_script = in_build(contract::k_run_script);
  return command.front() != run_script && (command.size() < 2 || command[1] != run_script);
}

CommandPlace image_place(const Transform& transform) {
  return {is_official(transform) ? contract::k_image_shim : ""};
}

Words in_environment(Words command, const CommandPlace& place) {
  if (!is_own_command(command)) return command;
  const Words words = place.shim.empty() ? shell_words() : shim_words(place.shim);
  command.insert(command.begin(), words.begin(), words.end());
  return command;
}

Words without_environment(Words command) {
  for (const auto& words : {shim_words(contract::k_image_shim), shell_words()}) {
    if (starts_with(command, words))
      return {command.begin() + static_cast<std::ptrdiff_t>(words.size()), command.end()};
  }
  return command;
}

std::string folder_of_command(const Transform& transform) {
  const std::string& folder = transform.working_dir;
  if (!folder.empty()) return folder.front() == '/' ? folder : "/" + folder;
  return is_official(transform) && is_own_command(transform.cmd) ? contract::k_source : "";
}

}  // namespace spec
