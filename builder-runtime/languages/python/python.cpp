// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/languages/python/python.h"

#include "base/digest.h"
#include "base/text.h"
#include "builder-runtime/languages/python/environment.h"
#include "builder-runtime/languages/python/interpreter.h"
#include "builder-runtime/languages/python/requirements.h"
#include "builder-runtime/languages/source_digest.h"
#include "contract/layout.h"

namespace builder::python {
namespace {

using base::ErrorKind;

constexpr char k_program[] = "main.py";
constexpr char k_uv_hint[] = "install uv (pip install uv), or build in an image that has it";

// Variables of uv that cannot change what is installed, or are secrets.
bool is_irrelevant(const std::string& name) {
  for (const auto* prefix :
       {"UV_CACHE_DIR", "UV_CONCURRENT_", "UV_HTTP_", "UV_LINK_MODE", "UV_NO_PROGRESS", "UV_LOCK_TIMEOUT",
        "UV_COMPILE_BYTECODE", "UV_KEYRING_PROVIDER", "UV_PYTHON_DOWNLOADS"}) {
    if (name.rfind(prefix, 0) == 0) return true;
  }
  for (const auto* part : {"PASSWORD", "USERNAME", "TOKEN", "CREDENTIALS"}) {
    if (name.find(part) != std::string::npos) return true;
  }
  return false;
}

// "https://user:word@host/simple" without what is before the '@'.
std::string without_credentials(std::string text) {
  for (std::size_t at = 0; (at = text.find("://", at)) != std::string::npos;) {
    at += 3;
    const auto end = std::min(text.find_first_of("/ \t\n", at), text.size());
    const auto sign = text.rfind('@', end - 1);
    if (sign != std::string::npos && sign >= at && sign < end) text.erase(at, sign + 1 - at);
  }
  return text;
}

// uv's configuration, where uv looks for it: docs.astral.sh/uv, "Configuration files".
std::vector<fs::path> configuration_files(const fs::path& source, const process::Environment& environment) {
  std::vector<fs::path> files = {source / "uv.toml", source / "pyproject.toml", "/etc/uv/uv.toml"};
  if (const auto chosen = value_of(environment, "UV_CONFIG_FILE"); !chosen.empty())
    files.emplace_back(chosen);
  const auto config = value_of(environment, "XDG_CONFIG_HOME");
  files.push_back((config.empty() ? fs::path(value_of(environment, "HOME")) / ".config" : fs::path(config)) /
                  "uv" / "uv.toml");
  return files;
}

base::Result<std::string> key_of(const Source& source, const Requirements& requirements, const Tools& tools,
                                 const Interpreter& interpreter, const std::string& uv_version) {
  base::Sha256 key;
  for (const auto& part : {key_base("python"), uv_version, interpreter.path, interpreter.identity,
                           interpreter.libc, requirements.digest}) {
    key.update_field(part);
  }
  const auto& environment = tools.settings().environment;
  for (const auto& [name, value] : environment) {
    if (name.rfind("UV_", 0) != 0 || is_irrelevant(name)) continue;
    key.update_field(name);
    key.update_field(without_credentials(value));
  }
  for (const auto& file : configuration_files(source.folder, environment)) {
    const auto content = base::read_file(file);
    key.update_field(content ? *content : "none");
  }
  if (requirements.uses_files) {
    BASE_TRY_ASSIGN(const std::string digest, digest_of_folder(source.folder));
    key.update_field(digest);
  }
  return key.finish();
}

base::Status add_bundle(Plan& plan, const Source& source, const Requirements& requirements,
                        const Tools& tools, const Interpreter& interpreter) {
  BASE_TRY_ASSIGN(const std::string uv, tools.find("uv", k_uv_hint));
  BASE_TRY_ASSIGN(const std::string uv_version, tools.ask({uv, "--version"}, {}));
  BASE_TRY_ASSIGN(plan.key, key_of(source, requirements, tools, interpreter, uv_version));
  plan.platform.libc = interpreter.libc;
  // The environment has it first on PATH.
  plan.start.command.front() = "python";
  plan.make = [installation = Installation{source.folder, uv, interpreter, requirements.uses_files},
               &tools](const fs::path& tree) { return make_environment(installation, tools, tree); };
  return {};
}

constexpr char k_check[] = R"py(
import sys, traceback
try:
    with open(sys.argv[1], "rb") as file:
        compile(file.read(), sys.argv[1], "exec", dont_inherit=True)
except (SyntaxError, ValueError) as error:
    sys.exit("".join(traceback.format_exception_only(type(error), error)).rstrip())
)py";

// Tells a typing error now and not once a datum. Each content is checked once per interpreter.
base::Status check_program(const fs::path& program, const Interpreter& interpreter, const Tools& tools) {
  BASE_TRY_ASSIGN(const std::string text, base::read_file(program));
  base::Sha256 digest;
  digest.update_field(interpreter.identity);
  digest.update_field(text);
  const fs::path checked = tools.settings().cache / "python" / "checked";
  const fs::path mark = checked / digest.finish();
  if (is_file(mark)) return {};
  BASE_TRY_ASSIGN(
      const auto finished,
      tools.run({.arguments = {interpreter.path, "-I", "-S", "-W", "ignore", "-c", k_check, program.string()},
                 .environment = {{"LC_ALL", "C.UTF-8"}},
                 .folder = "/"}));
  if (!finished.ending.succeeded()) {
    return base::fail(ErrorKind::step_failed, program.string(), "is not valid Python",
                      "what is wrong is said in Python's own lines above");
  }
  BASE_TRY(base::make_folders(checked, base::k_owner_writes));
  return base::write_file(mark, "");
}

}  // namespace

base::Result<std::string> describe(const Source& source) {
  if (!is_file(source.folder / k_program) && !source.has_run_script) {
    return base::fail(ErrorKind::bad_input, source.folder.string(), "has no main.py",
                      "main.py is what runs: name the program so, or add a run.sh that starts another");
  }
  BASE_TRY_ASSIGN(const Requirements requirements, read_requirements(source.folder, {}));
  if (!is_file(source.folder / k_requirements)) return "no requirements.txt";
  return "requirements.txt with " + base::count_of(requirements.count, "requirement");
}

base::Result<Plan> plan(const Source& source, const Tools& tools) {
  BASE_TRY_ASSIGN(const Requirements requirements,
                  read_requirements(source.folder, tools.settings().environment));
  BASE_TRY_ASSIGN(const Interpreter interpreter, find_interpreter(tools));
  if (!source.has_run_script) BASE_TRY(check_program(source.folder / k_program, interpreter, tools));
  Plan plan;
  plan.platform = {.os = "linux", .architecture = architecture(), .interpreter = interpreter.identity};
  plan.start = {.command = {"python3", std::string(contract::k_source) + "/" + k_program},
                .folder = contract::k_source,
                .interpreter = interpreter.path};
  if (requirements.count > 0) BASE_TRY(add_bundle(plan, source, requirements, tools, interpreter));
  return plan;
}

}  // namespace builder::python
