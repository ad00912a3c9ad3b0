// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/exec.h"

#include <paths.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/errors.h"
#include "base/text.h"
#include "contract/environment.h"
#include "contract/exit_codes.h"
#include "contract/layout.h"
#include "worker-shim/executable_format.h"
#include "worker-shim/folders.h"

namespace shim {
namespace {

using contract::k_command_not_found;
using contract::k_command_not_runnable;

ExecFailure not_runnable(const std::string& path, std::string what, std::string hint = {}) {
  return {k_command_not_runnable,
          {base::ErrorKind::unavailable, path, "cannot be executed: " + std::move(what), std::move(hint)}};
}

bool exists(const std::string& path) { return check_access(path, F_OK) == 0; }

bool is_noexec(const std::string& path) {
  struct statvfs disk{};
  return ::statvfs(path.c_str(), &disk) == 0 && (disk.f_flag & ST_NOEXEC) != 0;
}

// What a person can do depends on whose choice the file system was.
ExecFailure explain_noexec(const std::string& path) {
  const char* const environment = std::getenv(contract::k_environment_variable);
  const bool is_in_cache = environment != nullptr && path.starts_with(std::string(environment) + "/");
  return not_runnable(
      path, "its file system is mounted noexec",
      is_in_cache
          ? std::string("set ") + contract::k_cache_variable + " to a folder on another file system"
          : "start it with its interpreter (sh FILE, python3 FILE), or put it on another file system");
}

// The kernel refused for lack of permission.
ExecFailure explain_denial(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return not_runnable(path, "is a folder");
    if ((status.st_mode & 0111U) == 0) {
      return not_runnable(
          path, "has no execute permission",
          "files in /pfs never have it: start it with its interpreter (sh FILE, python3 FILE)");
    }
    if (is_noexec(path)) return explain_noexec(path);
  }
  const ExecutableFormat format = read_executable_format(path);
  if (!format.interpreter.empty()) {
    return not_runnable(path, "permission denied for it or for its interpreter " + format.interpreter);
  }
  return not_runnable(path, "permission denied");
}

// The file is there, but something that it names is not.
ExecFailure explain_missing_interpreter(const std::string& path) {
  const ExecutableFormat format = read_executable_format(path);
  if (format.kind == ExecutableFormat::Kind::script) {
    return not_runnable(
        path, "its first line names the interpreter '" + format.interpreter + "', which does not exist",
        "install it in the image, or correct the line (it must end without a carriage return)");
  }
  if (!format.interpreter.empty()) {
    return not_runnable(path,
                        "it needs the loader " + format.interpreter + ", which this image does not have",
                        "build it for this image's C library, or statically");
  }
  return not_runnable(path, std::strerror(ENOENT));
}

// The kernel does not know the format.
ExecFailure explain_format(const std::string& path) {
  const ExecutableFormat format = read_executable_format(path);
  switch (format.kind) {
    case ExecutableFormat::Kind::empty:
      return not_runnable(path, "is empty");
    case ExecutableFormat::Kind::script:
      return not_runnable(path,
                          "its interpreter '" + format.interpreter + "' is not a program for this machine");
    case ExecutableFormat::Kind::elf:
      if (format.machine != own_machine()) {
        return not_runnable(path, "is for " + format.machine + ", this machine is " + own_machine());
      }
      return not_runnable(path, "is a damaged program");
    case ExecutableFormat::Kind::other:
      break;
  }
  return not_runnable(path, "is neither a program nor a script with an interpreter line",
                      "start a shell script with #!/bin/sh");
}

ExecFailure explain(const std::string& path, int error_number) {
  switch (error_number) {
    case EACCES:
    case EPERM:
      return explain_denial(path);
    case ENOENT:
      if (exists(path)) return explain_missing_interpreter(path);
      break;
    case ENOTDIR:
      break;
    case ENOEXEC:
      return explain_format(path);
    case E2BIG:
      return not_runnable(path, "its arguments and environment are too long for the kernel");
    default:
      return not_runnable(path, std::strerror(error_number));
  }
  return {k_command_not_found, base::system_error("execute", path, error_number)};
}

// Whether a failed exec of one candidate leaves hope for the next folder of PATH.
bool is_absent(const std::string& path, int error_number) {
  return error_number == ENOTDIR || (error_number == ENOENT && !exists(path));
}

// `name` in one folder of PATH; an empty folder is the current one (POSIX, 8.3).
void join(std::string_view folder, std::string_view name, std::string& path) {
  path.assign(folder.empty() ? "." : folder);
  path += '/';
  path += name;
}

ExecFailure search(char* const* words) {
  const std::string_view name = words[0];
  std::string path;
  std::string denied;  // the first that is there but not for us: told when no other is found
  for (std::string_view folders = search_path();;) {
    const std::size_t end = folders.find(':');
    join(folders.substr(0, end), name, path);
    ::execv(path.c_str(), words);
    const int error_number = errno;
    if (error_number == EACCES) {
      if (denied.empty()) denied = path;
    } else if (!is_absent(path, error_number)) {
      return explain(path, error_number);
    }
    if (end == std::string_view::npos) break;
    folders.remove_prefix(end + 1);
  }
  if (!denied.empty()) return explain(denied, EACCES);
  return {k_command_not_found,
          {base::ErrorKind::unavailable, std::string(name), "command not found",
           "PATH is " + std::string(search_path())}};
}

// An environment can have one name twice. setenv() alone would change the first one, and a shell takes the
// last.
void replace_variable(const char* name, const std::string& value) {
  ::unsetenv(name);
  ::setenv(name, value.c_str(), 1);
}

}  // namespace

std::string_view search_path() {
  const char* const path = std::getenv("PATH");
  return path == nullptr ? _PATH_DEFPATH : path;
}

std::string with_environment(std::string_view text, const std::string& folder) {
  std::string result(text);
  base::replace_all(result, contract::k_environment_mark, folder);
  return result;
}

bool apply_variables(std::string_view text, const std::string& folder) {
  while (!text.empty()) {
    std::string_view variable = text.substr(0, text.find('\0'));
    text.remove_prefix(std::min(text.size(), variable.size() + 1));
    const bool is_list = variable.starts_with('+');
    if (is_list) variable.remove_prefix(1);
    const auto equals = variable.find('=');
    if (equals == std::string_view::npos || equals == 0) return false;
    const std::string name(variable.substr(0, equals));
    std::string value(variable.substr(equals + 1));
    if (!folder.empty()) value = with_environment(value, folder);
    const char* const before = std::getenv(name.c_str());
    // What the pipeline sets counts more.
    if (before != nullptr && !is_list) continue;
    if (before != nullptr && *before != '\0') value += std::string(":") + before;
    replace_variable(name.c_str(), value);
  }
  return true;
}

void enter_environment(const std::string& folder) {
  std::string path = folder + "/bin:";
  path += search_path();
  replace_variable("PATH", path);
  replace_variable(contract::k_environment_variable, folder);
  if (const auto variables = read_text(folder + "/" + contract::k_variables_file))
    apply_variables(*variables, folder);
  // It would take the place of a Python environment.
  if (std::getenv("PYTHONHOME") != nullptr && exists(folder + "/pyvenv.cfg")) ::unsetenv("PYTHONHOME");
}

ExecFailure execute(char* const* words) {
  const std::string_view name = words[0];
  if (name.empty()) {
    return {k_command_not_found, {base::ErrorKind::usage, {}, "the command is empty", {}}};
  }
  if (!base::contains(name, '/')) return search(words);
  ::execv(words[0], words);
  return explain(words[0], errno);
}

}  // namespace shim
