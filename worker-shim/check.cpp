// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/check.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "contract/exit_codes.h"
#include "contract/layout.h"
#include "worker-shim/cache.h"
#include "worker-shim/exec.h"
#include "worker-shim/executable_format.h"
#include "worker-shim/folders.h"
#include "worker-shim/libraries.h"
#include "worker-shim/prepare.h"
#include "worker-shim/record_lines.h"
#include "worker-shim/seal.h"

namespace shim {
namespace {

using contract::k_command_not_found;
using contract::k_command_not_runnable;
using contract::k_shim_failed;

// Collects the lines; the first that does not fit decides the exit code.
class Findings {
 public:
  void tell(std::string_view subject, const std::string& text) {
    constexpr std::size_t k_column = 13;
    m_report.text +=
        std::string(subject) + std::string(k_column - subject.size(), ' ') + base::printable(text) + "\n";
  }
  void fits(std::string_view subject, const std::string& text) { tell(subject, text + ": ok"); }
  void fails(std::string_view subject, const std::string& text, int exit_code) {
    tell(subject, text + ": failed");
    if (m_report.exit_code == 0) m_report.exit_code = exit_code;
  }
  void fails(std::string_view subject, const base::Error& error) {
    tell(subject, base::without_hint(error));
    // Two lines about one fault need its hint once.
    if (!error.hint.empty() && m_hints.insert(error.hint).second) tell("", error.hint);
    if (m_report.exit_code == 0) m_report.exit_code = k_shim_failed;
  }
  [[nodiscard]] Report report() const { return m_report; }

 private:
  Report m_report;
  std::set<std::string> m_hints;  // those that are told
};

bool is_executable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

// A command as PATH finds it; empty when it does not.
std::string find_program(const std::string& name) {
  if (base::contains(name, '/')) return is_executable(name) ? name : "";
  for (const auto& folder : base::split(search_path(), ':')) {
    std::string path = (folder.empty() ? "." : folder) + "/" + name;
    if (is_executable(path)) return path;
  }
  return "";
}

void check_program(Findings& findings, const std::string& name) {
  const std::string path = find_program(name);
  if (path.empty()) return findings.fails("command", name + " does not exist", k_command_not_found);
  const ExecutableFormat format = read_executable_format(path);
  if (format.kind == ExecutableFormat::Kind::elf && format.machine != own_machine()) {
    return findings.fails("command", path + " is for " + format.machine, k_command_not_runnable);
  }
  if (const auto status = check_libraries(path); !status) return findings.fails("command", status.error());
  findings.fits("command", path);
}

// "2.36" as numbers that compare.
std::vector<long> version_of(const std::string& text) {
  std::vector<long> numbers;
  for (const auto& part : base::split(text, '.')) numbers.push_back(std::strtol(part.c_str(), nullptr, 10));
  return numbers;
}

// The C library of this image, as build.json names it; empty when there is none. The GNU one says in its own
// file which it is.
std::string own_libc() {
  constexpr std::string_view k_words = "stable release version ";
#if defined(__x86_64__)
  constexpr char k_machine[] = "x86_64";
#else
  constexpr char k_machine[] = "aarch64";
#endif
  const std::string machine = k_machine;
  for (const auto& folder :
       {"/lib/" + machine + "-linux-gnu", std::string("/lib64"), "/usr/lib/" + machine + "-linux-gnu",
        std::string("/usr/lib64"), std::string("/lib"), std::string("/usr/lib")}) {
    const auto content = read_text(folder + "/libc.so.6");
    const auto at = content ? content->find(k_words) : std::string::npos;
    if (at == std::string::npos) continue;
    const auto version = content->substr(at + k_words.size(), 16);
    return "glibc " +
           version.substr(0, version.find_first_not_of("0123456789.")).substr(0, version.find(".\n"));
  }
  return ::access(("/lib/ld-musl-" + machine + ".so.1").c_str(), F_OK) == 0 ? "musl" : "";
}

// The GNU C library runs what was made for it or an older one.
bool libc_fits(const std::string& needed, const std::string& own) {
  constexpr std::string_view k_glibc = "glibc ";
  if (!needed.starts_with(k_glibc) || !own.starts_with(k_glibc)) return needed == own;
  return version_of(own.substr(k_glibc.size())) >= version_of(needed.substr(k_glibc.size()));
}

void check_platform(Findings& findings, const RecordLines& needed) {
  const std::string machine = needed.os + "/" + needed.architecture;
  if (machine == "linux/" + own_machine()) {
    findings.fits("platform", machine);
  } else {
    findings.fails("platform", "needs " + machine + ", this is linux/" + own_machine(),
                   k_command_not_runnable);
  }
  if (needed.libc.empty()) return;
  const std::string own = own_libc();
  const std::string text = "needs " + needed.libc + ", this image has " + (own.empty() ? "none" : own);
  if (libc_fits(needed.libc, own)) {
    findings.fits("C library", text);
  } else {
    findings.fails("C library", text, k_command_not_runnable);
  }
}

// The interpreter that a generated run.sh insists on, when there is a bundle.
std::string interpreter_of(const std::string& script) {
  constexpr std::string_view k_assignment = "interpreter=";
  for (const auto& line : base::split(script, '\n')) {
    if (!line.starts_with(k_assignment)) continue;
    std::string path = line.substr(k_assignment.size());
    if (path.size() > 1 && path.front() == '\'') path = path.substr(1, path.size() - 2);
    return path;
  }
  return "";
}

void check_interpreter(Findings& findings, const RecordLines& record, const std::string& script) {
  if (record.interpreter.empty() || !record.has_bundle) return;
  const std::string path = interpreter_of(script);
  if (path.empty()) return;  // a run.sh of the source's own
  const std::string text = "needs " + record.interpreter + " as " + path;
  if (!is_executable(path))
    return findings.fails("interpreter", text + ", which does not exist", k_command_not_found);
  const ExecutableFormat format = read_executable_format(path);
  if (format.machine != own_machine()) {
    return findings.fails("interpreter", text + ", which is for " + format.machine, k_command_not_runnable);
  }
  findings.fits("interpreter", text);
}

void tell_environment(Findings& findings, const std::string& build, const std::string& digest,
                      const RecordLines* record) {
  if (digest.empty()) return findings.tell("environment", "none: nothing was installed or compiled");
  const auto found = find_environment(current_cache_settings(), digest);
  if (!found) return findings.fails("environment", found.error());
  if (!found->empty()) {
    enter_environment(*found);
    const bool whole = check_environment(*found) == Wholeness::whole;
    return findings.tell("environment",
                         *found + (whole ? "" : " was changed; it is unpacked again by the next run"));
  }
  if (const auto status = check_bundle(build, digest); !status)
    return findings.fails("environment", status.error());
  std::string text = "not unpacked yet: " + bundle_path(build, digest);
  if (record != nullptr && record->has_bundle) {
    text += " (" + base::format_bytes(record->bytes) + ", unpacked " +
            base::format_bytes(record->unpacked_bytes) + " in " + base::count_of(record->files, "file") + ")";
  }
  findings.tell("environment", text);
}

std::string join_words(char* const* words) {
  std::string text;
  for (; *words != nullptr; ++words) text += " " + base::shell_quote(*words);
  return text;
}

// What would be executed; with a run.sh its text, which a lazy input gives only once.
std::string check_run(Findings& findings, const Invocation& invocation) {
  if (invocation.mode == Mode::command) {
    findings.tell("runs", join_words(invocation.words).substr(1));
    return "";
  }
  const std::string script = invocation.build_folder + "/" + contract::k_run_script;
  if (const auto status = check_run_script(invocation.build_folder, script); !status) {
    findings.fails("runs", status.error());
    return "";
  }
  findings.tell("runs", "sh " + script + join_words(invocation.words));
  return read_text(script).value_or("");
}

// Empty where there is no environment; nothing where that cannot be known.
std::optional<std::string> digest_to_use(Findings& findings, const Invocation& invocation) {
  if (!invocation.environment.empty()) return invocation.environment;
  const auto folder = find_artifact(invocation.build_folder);
  if (folder) return folder->digest;
  findings.fails("environment", folder.error());
  return std::nullopt;
}

}  // namespace

Report check(const Invocation& invocation) {
  Findings findings;
  findings.tell("shim", "worker-shim " PACHBUILD_VERSION " for linux/" + own_machine());
  const std::string script = check_run(findings, invocation);
  const std::string path = invocation.build_folder + "/" + contract::k_record;
  const auto text = read_text(path);
  const auto record = read_record_lines(text.value_or(""));
  if (record) {
    findings.tell("artifact", invocation.build_folder + ": " + record->builder +
                                  ", made by builder-runtime " + record->version + ", starts " +
                                  base::join(record->command, " "));
  } else if (text) {
    const auto content = base::trim(*text);
    const bool is_object = content.starts_with('{') && content.size() > 1 && content.ends_with('}');
    findings.fails("artifact", is_object
                                   ? base::Error{base::ErrorKind::bad_input, path,
                                                 "was not written by this version of builder-runtime",
                                                 "use the same version of pachbuild to build and to run"}
                                   : base::Error{base::ErrorKind::bad_input, path, "is not valid JSON",
                                                 "build the source again"});
  } else {
    findings.tell("artifact", invocation.build_folder + ": no build.json, so its platform is not known");
  }
  if (const auto digest = digest_to_use(findings, invocation))
    tell_environment(findings, invocation.build_folder, *digest, record ? &*record : nullptr);
  if (record) {
    check_platform(findings, *record);
    check_interpreter(findings, *record, script);
  }
  if (invocation.mode == Mode::command) check_program(findings, invocation.words[0]);
  return findings.report();
}

}  // namespace shim
