// SPDX-License-Identifier: Apache-2.0
// The loaders' own ways to list what a program needs: LD_TRACE_LOADED_OBJECTS for that of glibc (ld.so(8)),
// --list for that of musl (ldso/dynlink.c), which would start the program by the other.
#include "worker-shim/libraries.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "base/unique_fd.h"
#include "worker-shim/executable_format.h"
#include "worker-shim/folders.h"

namespace shim {
namespace {

constexpr std::string_view k_missing_glibc = " => not found";
constexpr std::string_view k_missing_musl = "Error loading shared library ";
constexpr std::string_view k_version_missing = " not found (required by ";

bool is_regular_file(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

// What the loader prints about the program; empty when it cannot be asked.
std::string ask_loader(std::string loader, std::string program) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const base::UniqueFd output(ends[0]);
  base::UniqueFd input(ends[1]);
  std::string list = "--list";
  std::string trace = "LD_TRACE_LOADED_OBJECTS=1";
  std::vector<char*> words = {loader.data()};
  std::vector<char*> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.push_back(*entry);
  if (base::contains(loader, "/ld-musl-")) {
    words.push_back(list.data());
  } else {
    environment.push_back(trace.data());
  }
  words.insert(words.end(), {program.data(), nullptr});
  environment.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), STDERR_FILENO);
  pid_t child = -1;
  const int error =
      ::posix_spawn(&child, loader.c_str(), &actions, nullptr, words.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return {};
  input.reset();
  std::string text = read_to_end(output.get()).value_or("");
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return text;
}

// The libraries that are missing, or the versions of them: "libodd.so.1", "GLIBC_2.38 of /lib/libc.so.6".
std::vector<std::string> missing_in(const std::string& text) {
  std::vector<std::string> missing;
  for (const auto& line : base::split(text, '\n')) {
    const auto found = [&](std::string_view words) { return line.find(words); };
    if (const auto end = found(k_missing_glibc); end != std::string::npos) {
      missing.emplace_back(base::trim(line.substr(0, end)));
    } else if (const auto start = found(k_missing_musl); start != std::string::npos) {
      const auto name = line.substr(start + k_missing_musl.size());
      missing.push_back(name.substr(0, name.find(':')));
    } else if (found(k_version_missing) != std::string::npos) {
      // "PROGRAM: /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by PROGRAM)"
      const auto parts = base::split(line, ':');
      const auto quote = line.find('`');
      const auto version = line.substr(quote + 1, line.find('\'') - quote - 1);
      missing.push_back(version + " of " +
                        std::string(base::trim(parts.size() > 2 ? parts[parts.size() - 2] : parts[0])));
    }
  }
  return missing;
}

}  // namespace

base::Status check_libraries(const std::string& program) {
  if (!is_regular_file(program)) return {};
  const auto format = read_executable_format(program);
  if (format.kind != ExecutableFormat::Kind::elf || format.interpreter.empty()) return {};
  if (format.machine != own_machine()) return {};
  const auto missing = missing_in(ask_loader(format.interpreter, program));
  if (missing.empty()) return {};
  return base::fail(base::ErrorKind::unavailable, program.substr(program.rfind('/') + 1),
                    "needs libraries that this image lacks: " + base::join(missing, ", "),
                    "install them in the transform's image, or build in an image with the same libraries; a "
                    "Go program without cgo needs none (CGO_ENABLED=0)");
}

}  // namespace shim
