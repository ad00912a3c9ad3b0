// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/run_script/run_script.h"

#include "base/text.h"
#include "contract/environment.h"
#include "contract/exit_codes.h"
#include "contract/layout.h"

namespace builder {
namespace {

using base::shell_quote;

// The cache folder is chosen as worker-shim does (ARCHITECTURE.md, "Caches"). Nothing that another user could
// have put there is executed, and no datum pays for that with a process.
//
// Once per container: the shim is copied, and only into a folder that, like everything above it, this user
// and root alone can change (base/trusted_folder.h, in sh). The copy gets its name when it is complete. Until
// then its name is random, since process numbers are not unique where containers share a cache folder.
//
// For each datum: the shell enters the copy's folder, so that the folder cannot be exchanged any more, and
// checks it: folder and copy belong to this user, and the sticky bit, which only the owner can set, keeps
// others from renaming files in it. The shim then changes back (--chdir).
constexpr char k_shim_part[] = R"sh(
shim=@IMAGE_SHIM@ at=
if ! [ -x "$shim" ]; then
  # This image has no shim: the artifact's own is copied once per container, since /pfs keeps no mode bits. It is
  # started from its folder, where nobody can exchange it.
  at=${PWD:-/} shim=./@SHIM@
  ready() {
    cd "$1/@SHIMS@/@SHIM_DIGEST@" 2>/dev/null && [ -O . ] && [ -k . ] && [ -O @SHIM@ ] && ! [ -h @SHIM@ ] && [ -x @SHIM@ ]
  }
  find() {
    ready "$@VARIABLE@" || ready @IMAGE_CACHE@ && return
    for cache in @PRIVATE_CACHE@-*; do ready "$cache" && return; done
    return 1
  }
  # A file for the copy, where only this user and root can change the folder and all above it. Where a user namespace
  # has no number for root, that of /proc/sys stands for it.
  place() (
    set -f
    umask "$2"
    mkdir -p "$1/@SHIMS@" && cd -P "$1/@SHIMS@" || exit
    folder=$PWD last=x root=0
    while :; do
      set -- $(ls -ldn "$folder/")
      case $3 in 0 | "$uid" | "$root") ;; *) exit 1 ;; esac
      case $last$1 in d????-??-* | xd????-??-* | d????????[tT]*) ;; *) exit 1 ;; esac
      [ "$folder" ] || break
      folder=${folder%/*} last= root=$kernel
    done
    mkdir -p @SHIM_DIGEST@ && cd @SHIM_DIGEST@ && chmod 1755 . && copy=$PWD/$(mktemp @SHIM@.XXXXXX) && chmod 755 "$copy" || exit
    [ -x "$copy" ] && echo "$copy" || { rm -f "$copy"; exit 1; }
  )
  if ! find; then
    uid=$(id -u) kernel=$(set -- $(ls -ldn /proc/sys 2>/dev/null); echo "$3")
    { [ "$@VARIABLE@" ] && copy=$(place "$@VARIABLE@" 022); } 2>/dev/null ||
      copy=$(place @IMAGE_CACHE@ 022 2>/dev/null) || copy=$(place "@PRIVATE_CACHE@-$uid" 077 2>/dev/null) || {
      echo "error: @SCRIPT@: no usable cache folder: it must allow programs to run, and only this user may have write access" >&2
      echo "hint: set @VARIABLE@ to a folder that meets both conditions; only this user and root may write to the folders above it" >&2
      exit @FAILED@
    }
    cat @BUILD_SHIM@ >"$copy" && mv -f "$copy" "${copy%.*}" && ready "${copy%/@SHIMS@/*}" || { rm -f "$copy"; exit @FAILED@; }
  fi
  unset OLDPWD
fi
)sh";

std::string shim_part(const RunScript& script, const char* name_of_script) {
  std::string text = k_shim_part;
  for (const auto& [name, value] :
       {std::pair<std::string, std::string>("@IMAGE_SHIM@", contract::k_image_shim),
        {"@VARIABLE@", contract::k_cache_variable},
        {"@IMAGE_CACHE@", contract::k_image_cache},
        {"@PRIVATE_CACHE@", contract::k_private_cache_prefix},
        {"@SHIMS@", contract::k_cache_shims},
        {"@SHIM_DIGEST@", script.shim_digest},
        {"@SHIM@", contract::k_shim},
        {"@SCRIPT@", name_of_script},
        {"@BUILD_SHIM@", contract::k_build + std::string("/") + contract::k_shim},
        {"@FAILED@", std::to_string(contract::k_shim_failed)}}) {
    base::replace_all(text, name, value);
  }
  return text;
}

// A bundle works with the interpreter it was made for and with no other; without one any will do.
std::string interpreter_part(const RunScript& script, const char* name_of_script) {
  const std::string& interpreter = script.start.interpreter;
  if (interpreter.empty()) return "";
  std::string text = "interpreter=" + shell_quote(interpreter) + "\n";
  if (script.bundle_digest.empty()) {
    return text + "[ -x \"$interpreter\" ] || interpreter=" + shell_quote(script.start.command.front()) +
           "\n";
  }
  return text +
         "if ! [ -x \"$interpreter\" ]; then\n"
         "  echo \"error: " +
         std::string(name_of_script) +
         ": $interpreter not found in this image; the bundle was built for it\" >&2\n"
         "  echo \"hint: run in the image that built it, or build in this image\" "
         ">&2\n"
         "  exit " +
         std::to_string(contract::k_command_not_found) +
         "\nfi\n"
         // It would take the place of the environment.
         "unset PYTHONHOME\n";
}

// What starts the shim, as far as the command.
std::string shim_command(const RunScript& script, const std::vector<std::string>& imports,
                         std::size_t expanded_words = 0) {
  return "exec \"$shim\" ${at:+--chdir \"$at\"}" +
         (script.bundle_digest.empty() ? "" : " --environment " + script.bundle_digest) +
         (imports.empty() ? "" : " --imports " + shell_quote(base::join(imports, ","))) +
         (expanded_words == 0 ? "" : " --expand " + std::to_string(expanded_words)) + " --exec --";
}

std::string command_part(const RunScript& script) {
  const bool bundled = !script.bundle_digest.empty();
  std::string line = shim_command(script, script.start.imports, bundled ? script.start.expanded_words : 0);
  const bool substituted = !bundled && !script.start.interpreter.empty();
  for (const auto& word : script.start.command) {
    line +=
        substituted && &word == &script.start.command.front() ? " \"$interpreter\"" : " " + shell_quote(word);
  }
  return line + " \"$@\"\n";
}

// The pipeline's own variables count more.
std::string environment_part(const Start& start) {
  std::string text;
  for (const auto& [name, value] : start.environment) {
    text += "[ -n \"${" + name + "+set}\" ] || export " + name + "=" + shell_quote(value) + "\n";
  }
  return text;
}

// The pipeline's own lists come behind. Where a shim is started, it does so.
std::string lists_part(const Start& start) {
  std::string text;
  for (const auto& [name, value] : start.prepend) {
    text += "export " + name + "=" + shell_quote(value) + "\"${" + name + ":+:$" + name + "}\"\n";
  }
  return text;
}

std::string folder_part(const Start& start) {
  if (start.folder.empty()) return "";
  const std::string quoted = shell_quote(start.folder);
  if (!start.may_start_elsewhere) {
    return "if [ \"$at\" ]; then at=" + quoted + "; else cd " + quoted + " || exit " +
           std::to_string(contract::k_shim_failed) + "; fi\n";
  }
  // A pipeline may have the artifact and not the source: the program then starts where run.sh does.
  return "folder=${" + std::string(contract::k_working_folder) + ":-" + quoted +
         "}\n"
         "if ! [ -x \"$folder/.\" ]; then :; elif [ \"$at\" ]; then at=$folder; else cd \"$folder\" || "
         "exit " +
         std::to_string(contract::k_shim_failed) + "; fi\n";
}

std::string first_lines(const RunScript& script) {
  return "#!/bin/sh\n# Made by builder-runtime " + script.version + " (" + script.builder + "): ";
}

}  // namespace

std::string run_script_text(const RunScript& script) {
  if (const auto& missing = script.start.no_program) {
    const auto line = [](const std::string& text) { return "echo " + shell_quote(text) + " >&2\n"; };
    return first_lines(script) + "there is no program to start.\n" +
           line("error: " + std::string(contract::k_run_script) + ": " + missing->what) +
           line("hint: " + missing->hint) + "exit " + std::to_string(contract::k_command_not_found) + "\n";
  }
  return first_lines(script) + "starts the program with all arguments as they are." +
         shim_part(script, contract::k_run_script) + interpreter_part(script, contract::k_run_script) +
         environment_part(script.start) + folder_part(script.start) + command_part(script);
}

std::string environment_script_text(const RunScript& script) {
  const bool bundled = !script.bundle_digest.empty();
  if (!bundled && script.start.environment.empty() && script.start.prepend.empty()) return "";
  constexpr const char* k_name = contract::k_environment_script;
  return first_lines(script) + "starts the given command in the artifact's environment." +
         (bundled ? shim_part(script, k_name) + interpreter_part(script, k_name) : "\n") +
         environment_part(script.start) +
         (bundled ? shim_command(script, {}) : lists_part(script.start) + "exec") + " \"$@\"\n";
}

std::string environment_variables_text(const Start& start) {
  std::string text;
  for (const auto& [name, value] : start.environment) text += name + "=" + value + std::string(1, '\0');
  for (const auto& [name, value] : start.prepend) text += "+" + name + "=" + value + std::string(1, '\0');
  return text;
}

}  // namespace builder
