// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/run_script/run_script.h"

#include "base/text.h"
#include "contract/environment.h"
#include "contract/exit_codes.h"
#include "contract/layout.h"

namespace builder {
namespace {

using base::shell_quote;

std::string replace_all(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// The cache folder is chosen as worker-shim does (ARCHITECTURE.md, "Caches"): what another user could have
// put there is not executed. A copy gets its name when it is whole; until then a random one, since process
// numbers are not unique where containers share a cache folder.
constexpr char k_shim_part[] = R"sh(
shim=@IMAGE_SHIM@
if ! [ -x "$shim" ]; then
  # This image has no shim: the artifact's own is copied once per container, since /pfs keeps no mode bits.
  use() {
    [ -d "$1" ] || (umask 077 && mkdir -p "$1") 2>/dev/null
    [ -O "$1" ] && [ -w "$1" ] && ! [ -h "$1" ] && cache=$1
  }
  cache=$@VARIABLE@
  [ -n "$cache" ] || use @IMAGE_CACHE@ || use "@PRIVATE_CACHE@-$(id -u)" || :
  shim=$cache/@SHIMS@/@SHIM_DIGEST@/@SHIM@
  if [ -z "$cache" ]; then
    echo "error: run.sh: no folder for the cache can be written; name one in @VARIABLE@" >&2
    exit @FAILED@
  elif ! [ -x "$shim" ]; then
    (
      umask 022
      mkdir -p "${shim%/*}" && copy=$(mktemp "$shim.XXXXXX") || exit
      cat @BUILD_SHIM@ >"$copy" && chmod 755 "$copy" && mv -f "$copy" "$shim" || { rm -f "$copy"; exit 1; }
    ) || exit @FAILED@
  fi
fi
)sh";

std::string shim_part(const RunScript& script) {
  std::string text = k_shim_part;
  for (const auto& [name, value] :
       {std::pair<std::string, std::string>("@IMAGE_SHIM@", contract::k_image_shim),
        {"@VARIABLE@", contract::k_cache_variable},
        {"@IMAGE_CACHE@", contract::k_image_cache},
        {"@PRIVATE_CACHE@", contract::k_private_cache_prefix},
        {"@SHIMS@", contract::k_cache_shims},
        {"@SHIM_DIGEST@", script.shim_digest},
        {"@SHIM@", contract::k_shim},
        {"@BUILD_SHIM@", contract::k_build + std::string("/") + contract::k_shim},
        {"@FAILED@", std::to_string(contract::k_shim_failed)}}) {
    text = replace_all(std::move(text), name, value);
  }
  return text;
}

// A bundle works with the interpreter it was made for and with no other; without one any will do.
std::string interpreter_part(const RunScript& script) {
  const std::string& interpreter = script.start.interpreter;
  if (interpreter.empty()) return "";
  std::string text = "interpreter=" + shell_quote(interpreter) + "\n";
  if (script.bundle_digest.empty()) {
    return text + "[ -x \"$interpreter\" ] || interpreter=" + shell_quote(script.start.command.front()) +
           "\n";
  }
  return text +
         "if ! [ -x \"$interpreter\" ]; then\n"
         "  echo \"error: run.sh: this image has no $interpreter, which the bundle was made for\" >&2\n"
         "  echo \"hint: run the pipeline in the image that built it, or build in an image like this one\" "
         ">&2\n"
         "  exit " +
         std::to_string(contract::k_command_not_found) + "\nfi\n";
}

std::string command_part(const RunScript& script) {
  const bool bundled = !script.bundle_digest.empty();
  std::string line =
      "exec \"$shim\"" + (bundled ? " --environment " + script.bundle_digest : "") + " --exec --";
  const bool substituted = !bundled && !script.start.interpreter.empty();
  for (const auto& word : script.start.command) {
    line +=
        substituted && &word == &script.start.command.front() ? " \"$interpreter\"" : " " + shell_quote(word);
  }
  return line + " \"$@\"\n";
}

// The pipeline's own variables count more.
std::string environment_part(const std::map<std::string, std::string>& environment) {
  std::string text;
  for (const auto& [name, value] : environment) {
    text += "[ -n \"${" + name + "+set}\" ] || export " + name + "=" + shell_quote(value) + "\n";
  }
  return text;
}

std::string folder_part(const std::string& folder) {
  if (folder.empty()) return "";
  return "cd " + shell_quote(folder) + " || exit " + std::to_string(contract::k_shim_failed) + "\n";
}

}  // namespace

std::string run_script_text(const RunScript& script) {
  return "#!/bin/sh\n# Made by builder-runtime " + script.version + " (" + script.builder +
         "): starts the program with all arguments as they are." + shim_part(script) +
         interpreter_part(script) + environment_part(script.start.environment) +
         folder_part(script.start.folder) + command_part(script);
}

}  // namespace builder
