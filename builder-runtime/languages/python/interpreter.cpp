// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/interpreter.h"

#include <array>
#include <fstream>

#include "base/text.h"
#include "builder-runtime/languages/language.h"

namespace builder::python {
namespace {

using base::ErrorKind;

constexpr char k_python[] = "python3";
constexpr char k_missing_hint[] = "install Python 3, or build in an image that has it";

// One line each: the base interpreter, its identity, the C library. SOABI has the version, the flags of the
// build and the machine; musl has no name for itself.
constexpr char k_question[] = R"py(
import os, platform, sys, sysconfig
print(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
flags = (sysconfig.get_config_var("SOABI") or "").split("-")
print("-".join([sys.implementation.name, platform.python_version()] + flags[2:]) + getattr(sys, "abiflags", ""))
try:
    print(os.confstr("CS_GNU_LIBC_VERSION"))
except (OSError, ValueError):
    print("musl")
)py";

// pyenv's shim is a script that stays the same while what it starts changes by files and variables. Its
// rules, without a .python-version of the current folder: PYENV_VERSION, else the file "version" of its
// folder. Empty for any other program.
std::string behind_pyenv_shim(const fs::path& program, const process::Environment& environment) {
  const fs::path root = program.parent_path().parent_path();
  if (program.parent_path().filename() != "shims") return "";
  std::string version = value_of(environment, "PYENV_VERSION");
  if (version.empty()) version = base::read_file(root / "version").value_or("");
  version = base::trim(base::split(base::split(version, '\n').front(), ':').front());
  if (version.empty() || version.find('/') != std::string::npos) return "";
  const fs::path interpreter = root / "versions" / version / "bin" / k_python;
  return is_file(interpreter) ? interpreter.string() : "";
}

// Programs that are scripts may start another interpreter tomorrow: what they say is not kept.
bool is_script(const std::string& program) {
  std::array<char, 2> start{};
  std::ifstream file(program, std::ios::binary);
  return file.read(start.data(), start.size()) && start[0] == '#' && start[1] == '!';
}

base::Result<Interpreter> parse_answer(const std::string& program, const std::string& answer) {
  const auto lines = base::split(base::trim(answer), '\n');
  if (lines.size() == 3 && is_file(lines[0])) return Interpreter{lines[0], lines[1], lines[2]};
  return base::fail(ErrorKind::unavailable, program, "does not say what it is", k_missing_hint);
}

}  // namespace

base::Result<Interpreter> find_interpreter(const Tools& tools) {
  BASE_TRY_ASSIGN(std::string program, tools.find(k_python, k_missing_hint));
  const auto& environment = tools.settings().environment;
  if (auto real = behind_pyenv_shim(program, environment); !real.empty()) program = std::move(real);
  const std::vector<std::string> question = {program, "-I", "-c", k_question};
  if (!is_script(program)) {
    BASE_TRY_ASSIGN(const std::string answer, tools.ask(question, {{"LC_ALL", "C.UTF-8"}}));
    return parse_answer(program, answer);
  }
  BASE_TRY_ASSIGN(const auto finished,
                  tools.run({.arguments = question, .environment = environment, .folder = "/"}));
  return parse_answer(program, finished.output);
}

}  // namespace builder::python
