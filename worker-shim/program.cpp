// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/program.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "about/version.h"
#include "base/errors.h"
#include "base/result.h"
#include "contract/exit_codes.h"
#include "contract/layout.h"
#include "worker-shim/args.h"
#include "worker-shim/cache.h"
#include "worker-shim/check.h"
#include "worker-shim/exec.h"
#include "worker-shim/install.h"
#include "worker-shim/preload/client.h"
#include "worker-shim/prepare.h"
#include "worker-shim/supervise.h"

namespace shim {
namespace {

int report(const base::Error& error, int exit_code = contract::k_shim_failed) {
  std::fputs(base::format_error(error).c_str(), stderr);
  return exit_code;
}

int print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : contract::k_shim_failed;
}

int execute_or_report(char* const* words) {
  const ExecFailure failure = execute(words);
  return report(failure.error, failure.exit_code);
}

// The default command of a pipeline that has none of its own.
int run_script(const Invocation& invocation) {
  std::string script = invocation.build_folder + "/" + contract::k_run_script;
  if (const auto status = check_run_script(invocation.build_folder, script); !status) {
    return report(status.error());
  }
  std::string shell = "sh";
  std::vector<char*> words = {shell.data(), script.data()};
  for (char* const* word = invocation.words; *word != nullptr; ++word) words.push_back(*word);
  words.push_back(nullptr);
  return execute_or_report(words.data());
}

// Who names the environment has seen to its variables.
base::Result<BuildFolder> find_environment_of(const Invocation& invocation) {
  return invocation.environment.empty() ? find_artifact(invocation.build_folder)
                                        : BuildFolder{invocation.environment};
}

// The command with the environment's folder where its own words name it.
class ExpandedWords {
 public:
  ExpandedWords(char* const* words, unsigned count, const std::string& folder) {
    for (; *words != nullptr; ++words)
      m_texts.push_back(m_texts.size() < count ? with_environment(*words, folder) : std::string(*words));
    for (auto& text : m_texts) m_words.push_back(text.data());
    m_words.push_back(nullptr);
  }
  [[nodiscard]] char* const* get() const { return m_words.data(); }

 private:
  std::vector<std::string> m_texts;
  std::vector<char*> m_words;
};

enum class Preloading { possible, impossible };

int run_command(const Invocation& invocation, Preloading preloading) {
  const auto build = find_environment_of(invocation);
  if (!build) return report(build.error());
  if (build->has_variables) {
    if (const auto status = set_variables(invocation.build_folder); !status) return report(status.error());
  }
  if (!build->digest.empty()) {
    const auto environment = prepare_environment(current_cache_settings(), invocation.build_folder,
                                                 build->digest, invocation.words[0]);
    if (!environment) return report(environment.error());
    enter_environment(*environment);
    if (preloading == Preloading::possible)
      preload::run({*environment, preload::modules_to_preload(invocation.imports), invocation.words});
    if (invocation.expanded > 0)
      return execute_or_report(ExpandedWords(invocation.words, invocation.expanded, *environment).get());
  }
  return execute_or_report(invocation.words);
}

int become_program(const Invocation& invocation, Preloading preloading) {
  return invocation.mode == Mode::command ? run_command(invocation, preloading) : run_script(invocation);
}

// Whether nothing has to be unpacked before the program is executed.
bool is_prepared(const Invocation& invocation) {
  if (invocation.mode != Mode::command) return true;
  const auto build = find_environment_of(invocation);
  return build && (build->digest.empty() || has_environment(current_cache_settings(), build->digest));
}

int start_program(const Invocation& invocation) {
  constexpr pid_t k_init = 1;
  if (!invocation.supervision.asked && ::getpid() != k_init)
    return become_program(invocation, Preloading::possible);
  // What outlives the program would end with its supervisor.
  const auto exit_code =
      supervise(invocation.supervision, is_prepared(invocation) ? Start::at_once : Start::prepared,
                [&] { return become_program(invocation, Preloading::impossible); });
  return exit_code ? *exit_code : report(exit_code.error());
}

// As a shell's cd does it, with the variable that programs know their folder from.
base::Status enter_working_folder(const std::string& folder) {
  if (folder.empty()) return {};
  if (::chdir(folder.c_str()) != 0) return base::fail(base::system_error("enter", folder, errno));
  if (std::getenv("PWD") != nullptr) ::setenv("PWD", folder.c_str(), 1);
  return {};
}

int run_mode(const Invocation& invocation) {
  if (const auto status = enter_working_folder(invocation.working_folder); !status)
    return report(status.error());
  if (invocation.check) {
    const Report findings = check(invocation);
    return print(findings.text) == 0 ? findings.exit_code : contract::k_shim_failed;
  }
  switch (invocation.mode) {
    case Mode::run_script:
    case Mode::command:
      return start_program(invocation);
    case Mode::help:
      return print(help_text());
    case Mode::version:
      return print(about::version_line("worker-shim") + "\n");
    case Mode::install:
      break;
  }
  const auto status = install_into(invocation.install_folder);
  return status ? 0 : report(status.error());
}

}  // namespace

int run_program(int argc, char** argv) try {
  const auto invocation = parse_arguments(argc, argv);
  return invocation ? run_mode(*invocation) : report(invocation.error());
} catch (const std::exception& bug) {
  return report({base::ErrorKind::bug, "worker-shim", bug.what(), {}});
}

}  // namespace shim
