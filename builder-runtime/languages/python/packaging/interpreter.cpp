// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/packaging/interpreter.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/text.h"
#include "builder-runtime/languages/language.h"

namespace builder::python {
namespace {

using base::ErrorKind;

constexpr char k_python[] = "python3";
constexpr char k_missing_hint[] = "install Python 3, or build in an image that has it";

// Lines: the base interpreter, its identity, the C library, then the variables of markers. SOABI has the
// version, the flags of the build and the machine; musl has no name for itself.
constexpr char k_question[] = R"py(
import os, platform, sys, sysconfig
print(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))
flags = (sysconfig.get_config_var("SOABI") or "").split("-")
print("-".join([sys.implementation.name, platform.python_version()] + flags[2:]) + getattr(sys, "abiflags", ""))
try:
    print(os.confstr("CS_GNU_LIBC_VERSION"))
except (OSError, ValueError):
    print("musl")
implementation = sys.implementation.version
print("implementation_name", sys.implementation.name)
print("implementation_version", "%d.%d.%d" % implementation[:3])
print("os_name", os.name)
print("platform_machine", platform.machine())
print("platform_python_implementation", platform.python_implementation())
print("platform_release", platform.release())
print("platform_system", platform.system())
print("platform_version", platform.version())
print("python_full_version", platform.python_version())
print("python_version", "%d.%d" % sys.version_info[:2])
print("sys_platform", sys.platform)
)py";
constexpr std::size_t k_answer_lines = 14;

// What pyenv's shim would start, "" for any other program.
struct BehindShim {
  std::string program;
  fs::path choice;  // the file that was read for it; empty: none was
};

// The shim is a script that stays the same while what it starts changes by files and variables. Its rules,
// without a .python-version of the current folder: PYENV_VERSION, else the file "version" of its folder.
BehindShim behind_pyenv_shim(const fs::path& program, const process::Environment& environment) {
  const fs::path root = program.parent_path().parent_path();
  if (program.parent_path().filename() != "shims") return {};
  BehindShim behind;
  std::string version = value_of(environment, "PYENV_VERSION");
  if (version.empty()) {
    behind.choice = root / "version";
    version = base::read_file(behind.choice).value_or("");
  }
  version = base::trim(base::split(base::split(version, '\n').front(), ':').front());
  if (version.empty() || base::contains(version, '/')) return behind;
  const fs::path interpreter = root / "versions" / version / "bin" / k_python;
  if (is_file(interpreter)) behind.program = interpreter.string();
  return behind;
}

base::Result<Interpreter> parse_answer(const std::string& program, const std::string& answer) {
  const auto lines = base::split(base::trim(answer), '\n');
  if (lines.size() != k_answer_lines || !is_file(lines[0])) {
    return base::fail(ErrorKind::unavailable, program, "does not report its version and platform",
                      k_missing_hint);
  }
  Interpreter interpreter{.path = lines[0], .identity = lines[1], .libc = lines[2]};
  for (auto line = lines.begin() + 3; line != lines.end(); ++line) {
    const auto space = line->find(' ');
    interpreter.markers.values[line->substr(0, space)] =
        space == std::string::npos ? "" : line->substr(space + 1);
  }
  interpreter.version = interpreter.markers.values["python_full_version"];
  return interpreter;
}

base::Result<Interpreter> ask(const Tools& tools, std::string program) {
  const auto& environment = tools.settings().environment;
  const auto behind = behind_pyenv_shim(program, environment);
  if (!behind.program.empty()) program = behind.program;
  const std::vector<std::string> question = {program, "-I", "-c", k_question};
  BASE_TRY_ASSIGN(const std::string answer, tools.ask(question, {{"LC_ALL", "C.UTF-8"}}));
  BASE_TRY_ASSIGN(Interpreter interpreter, parse_answer(program, answer));
  interpreter.choice = behind.choice;
  return interpreter;
}

// "python3", "python3.12"; not "python3-config".
bool is_interpreters_name(const std::string& name) {
  constexpr std::string_view k_prefix = "python3";
  if (!name.starts_with(k_prefix)) return false;
  const auto rest = name.substr(k_prefix.size());
  return rest.empty() ||
         (rest.size() > 1 && rest.front() == '.' &&
          std::all_of(rest.begin() + 1, rest.end(), [](char c) { return c >= '0' && c <= '9'; }));
}

void add_programs(const fs::path& folder, std::vector<std::string>& programs) {
  std::vector<std::string> found;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
    if (is_interpreters_name(entry->path().filename().string())) found.push_back(entry->path().string());
  }
  std::sort(found.begin(), found.end());
  programs.insert(programs.end(), found.begin(), found.end());
}

// <folder>/*/bin/python3, the newest last in the alphabet first.
void add_versions(const fs::path& folder, std::vector<std::string>& programs) {
  std::vector<std::string> found;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
    const fs::path program = entry->path() / "bin" / k_python;
    if (is_file(program)) found.push_back(program.string());
  }
  std::sort(found.rbegin(), found.rend());
  programs.insert(programs.end(), found.begin(), found.end());
}

std::vector<std::string> all_interpreters(const process::Environment& environment) {
  const auto below = [&](const std::string& variable, const fs::path& otherwise) {
    const auto value = value_of(environment, variable);
    return value.empty() ? otherwise : fs::path(value);
  };
  std::vector<std::string> programs;
  for (const auto& folder : base::split(value_of(environment, "PATH"), ':')) {
    // A shim of pyenv obeys files of the current folder; what it would choose from is below.
    if (!folder.empty() && fs::path(folder).filename() != "shims") add_programs(folder, programs);
  }
  add_programs("/usr/local/bin", programs);
  const fs::path home = value_of(environment, "HOME");
  add_versions(below("PYENV_ROOT", home / ".pyenv") / "versions", programs);
  add_versions(
      below("UV_PYTHON_INSTALL_DIR", below("XDG_DATA_HOME", home / ".local" / "share") / "uv" / "python"),
      programs);
  return programs;
}

bool allow(const std::vector<Pin>& pins, const std::string& text) {
  if (pins.empty()) return true;
  const auto version = Version::parse(text);
  return version &&
         std::all_of(pins.begin(), pins.end(), [&](const Pin& pin) { return pin.allows(*version); });
}

std::string texts_of(const std::vector<Pin>& pins) {
  std::vector<std::string> texts;
  texts.reserve(pins.size());
  for (const auto& pin : pins) texts.push_back(pin.place + " (" + pin.text + ")");
  return base::join(texts, " and ");
}

// Any of the interpreters but the first, which did not fit.
base::Result<Interpreter> find_other(const Tools& tools, const std::vector<Pin>& pins,
                                     const Interpreter& first) {
  std::vector<std::string> versions = {first.version};
  std::vector<std::string> seen = {first.path};
  for (const auto& program : all_interpreters(tools.settings().environment)) {
    auto interpreter = ask(tools, program);
    if (!interpreter || std::find(seen.begin(), seen.end(), interpreter->path) != seen.end()) continue;
    interpreter->choice = first.choice;
    if (allow(pins, interpreter->version)) return *interpreter;
    seen.push_back(interpreter->path);
    versions.push_back(interpreter->version);
  }
  std::sort(versions.begin(), versions.end(), [](const std::string& one, const std::string& other) {
    const auto left = Version::parse(one);
    const auto right = Version::parse(other);
    return left && right ? *left < *right : one < other;
  });
  versions.erase(std::unique(versions.begin(), versions.end()), versions.end());
  return base::fail(
      ErrorKind::unavailable, texts_of(pins),
      "this version of Python is not available here; available: " + base::join(versions, ", "),
      "install it, build in an image that has it (python:X.Y-slim), or change the required version");
}

tl::unexpected<base::Error> malformed(std::string place, const std::string& text,
                                      const std::string& examples) {
  return base::fail(ErrorKind::bad_input, std::move(place), "invalid Python version \"" + text + "\"",
                    "write it like " + examples);
}

}  // namespace

bool Pin::allows(const Version& version) const {
  return std::any_of(alternatives.begin(), alternatives.end(),
                     [&](const Specifiers& specifiers) { return specifiers.allows(version); });
}

base::Result<Pin> pin_of_specifiers(std::string place, const std::string& text) {
  auto specifiers = Specifiers::parse(text);
  if (!specifiers) return malformed(std::move(place), text, ">=3.9, >=3.9,<4 or ==3.11.*");
  return Pin{std::move(place), text, {std::move(*specifiers)}};
}

base::Result<Pin> pin_of_poetry(std::string place, const std::string& text) {
  const auto alternatives = from_poetry(text);
  if (!alternatives) return malformed(std::move(place), text, "^3.9, 3.11.* or >=3.9,<4");
  Pin pin{std::move(place), text, {}};
  for (const auto& alternative : *alternatives) pin.alternatives.push_back(*Specifiers::parse(alternative));
  return pin;
}

base::Result<Pin> pin_of_version(std::string place, const std::string& text) {
  std::string_view number = text;
  for (const std::string_view prefix : {"cpython-", "cpython@", "python-", "cpython", "python"}) {
    if (number.substr(0, prefix.size()) != prefix) continue;
    number.remove_prefix(prefix.size());
    break;
  }
  if (!number.empty() && base::contains("<>=!~", number.front())) {
    return pin_of_specifiers(std::move(place), std::string(number));
  }
  const auto version = Version::parse(number);
  if (!version) return malformed(std::move(place), text, "3.11, 3.11.4 or >=3.9");
  const bool whole = version->release.size() >= 3;
  return Pin{std::move(place), text, {*Specifiers::parse("==" + std::string(number) + (whole ? "" : ".*"))}};
}

base::Status check_agreement(const std::vector<Pin>& pins) {
  // All that exist or may exist soon, each with its first and a late patch.
  constexpr int k_last_minor = 40;
  std::vector<Version> versions;
  for (int minor = 0; minor <= k_last_minor; ++minor) {
    for (const int patch : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 25, 50})
      versions.push_back({.release = {3, minor, patch}});
  }
  const auto agree = [&](const Pin& one, const Pin& other) {
    return std::any_of(versions.begin(), versions.end(),
                       [&](const Version& version) { return one.allows(version) && other.allows(version); });
  };
  for (auto one = pins.begin(); one != pins.end(); ++one) {
    for (auto other = one + 1; other != pins.end(); ++other) {
      if (agree(*one, *other)) continue;
      return base::fail(ErrorKind::bad_input, texts_of({*one, *other}), "contradict each other",
                        "change one, or choose with python.version in pachbuild.toml");
    }
  }
  return {};
}

base::Result<Interpreter> find_interpreter(const Tools& tools, const std::vector<Pin>& pins) {
  BASE_TRY_ASSIGN(const std::string program, tools.find(k_python, k_missing_hint));
  BASE_TRY_ASSIGN(Interpreter interpreter, ask(tools, program));
  if (allow(pins, interpreter.version)) return interpreter;
  return find_other(tools, pins, interpreter);
}

}  // namespace builder::python
