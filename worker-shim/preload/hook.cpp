// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/preload/hook.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

#include "worker-shim/folders.h"
#include "worker-shim/preload/interpreter.h"

namespace shim::preload {
namespace {

constexpr char k_file[] = "sitecustomize.py";

// Read by any Python, 2 as well. Whatever happens in it, the interpreter must not go on to the program
// unasked: site only tells of errors here.
constexpr std::string_view k_text = R"python(import os
import sys
try:
    with os.fdopen(int(os.environ["PACHBUILD_PRELOADED"].split("\n")[1]), "rb") as file:
        code = compile(file.read().decode("utf-8"), "<preloading>", "exec")
    exec(code, {"__name__": "sitecustomize"})
except BaseException:
    os._exit(1)
if "sitecustomize" not in sys.modules:
    # The interpreter takes it for a module that is not there.
    raise ImportError("", name="sitecustomize")
)python";

bool is_ours_alone(int folder) {
  struct stat status{};
  return ::fstat(folder, &status) == 0 && status.st_uid == ::geteuid() && (status.st_mode & 077U) == 0;
}

}  // namespace

base::UniqueFd make_own_folder(int parent, const char* name) {
  if (::mkdirat(parent, name, 0700) != 0 && errno != EEXIST) return {};
  base::UniqueFd folder(::openat(parent, name, k_folder_itself));
  return folder && is_ours_alone(folder.get()) ? std::move(folder) : base::UniqueFd();
}

bool make_hook(int folder) {
  const base::UniqueFd hook = make_own_folder(folder, k_hook);
  if (!hook) return false;
  const base::UniqueFd present(::openat(hook.get(), k_file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (present && read_to_end(present.get()) == k_text) return true;
  // A random name: processes in two PID namespaces that share the folder may have the same number.
  std::string unfinished = "/proc/self/fd/" + std::to_string(hook.get()) + "/.XXXXXX";
  const base::UniqueFd file(::mkostemp(unfinished.data(), O_CLOEXEC));
  if (!file) return false;
  if (write_all(file.get(), k_text) == 0 && ::renameat(AT_FDCWD, unfinished.c_str(), hook.get(), k_file) == 0)
    return true;
  ::unlink(unfinished.c_str());
  return false;
}

base::UniqueFd interpreter_text() {
  base::UniqueFd file(::memfd_create("interpreter", 0));
  if (file && (write_all(file.get(), k_interpreter) != 0 || ::lseek(file.get(), 0, SEEK_SET) != 0))
    file.reset();
  return file;
}

}  // namespace shim::preload
