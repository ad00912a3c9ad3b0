// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "about/version.h"
#include "base/descriptor_limit.h"
#include "base/text.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/complete.h"
#include "pachbuild/local/worker/sandbox_check.h"
#include "pachbuild/local/worker/worker.h"
#include "report/report.h"
#include "report/usage.h"

namespace commands {
namespace {

constexpr char k_footer[] = R"(
Environment:
  PACHBUILD_CACHE_DIR       folder of all caches (default: ~/.cache/pachbuild)
  PACHBUILD_CACHE_LIMIT     size limit of each cache group (default: 20GiB; 0: no limit)
  PACHBUILD_LOG=json        log as JSON, one object per line on standard error
  PACHBUILD_BUILDER_IMAGES  prefix for the official builder images ("REGISTRY/TEAM/")
  PACHCTL                   path of the pachctl to use

Exit codes:
  0 done, 1 a build or datum failed, 64 usage, 65 invalid source or spec, 69 something needed is missing,
  70 a bug in pachbuild, 73 cannot write, 74 cannot read, 75 network error (try again)
)";
constexpr char k_see_footer[] = "Environment variables and exit codes: see pachbuild --help.";

// The worker that pool.cpp starts: not for people, so not on the command line that is shown.
[[noreturn]] void run_worker(char** arguments) { local::serve_tasks({arguments[2], arguments[3]}); }

// "help": what --help of a verb prints.
void add_help(CLI::App& app, Invocation& invocation) {
  auto words = std::make_shared<std::vector<std::string>>();
  auto* verb = app.add_subcommand("help", "Show the help of a command");
  verb->add_option("COMMAND", *words, "The command, as in: pachbuild help update pipeline")
      ->type_name("COMMAND");
  verb->callback([words, &app, &invocation] {
    invocation.action = [words, &app]() -> base::Result<int> {
      const CLI::App* found = &app;
      for (const auto& word : *words) {
        const auto next =
            found->get_subcommands([&](const CLI::App* each) { return each->get_name() == word; });
        if (next.empty()) return base::fail(report::unknown_word(*found, word));
        found = next.front();
      }
      const auto text =
          found->get_formatter()->make_help(found, report::full_name(*found), CLI::AppFormatMode::Normal);
      std::fputs(text.c_str(), stdout);
      return 0;
    };
  });
}

// "pipeline" and "python-pipeline" below "create" and "update".
void add_create_and_update(CLI::App& app, Invocation& invocation) {
  auto* create = app.add_subcommand("create", "Create pipelines on a cluster")->require_subcommand(1);
  auto* update =
      app.add_subcommand("update", "Create or update pipelines on a cluster")->require_subcommand(1);
  add_submit(*create, *update, invocation);
  add_python_pipeline(*create, *update, invocation);
}

// Who adds which verbs, in the order of the help.
struct Adder {
  void (*add)(CLI::App& app, Invocation& invocation);
  std::vector<std::string_view> verbs;
};

const std::vector<Adder>& adders() {
  static const std::vector<Adder> all = {{add_init, {"init"}},
                                         {add_run, {"run", "dev"}},
                                         {add_rerun, {"rerun"}},
                                         {add_explain, {"explain"}},
                                         {add_shell, {"shell"}},
                                         {add_list, {"list", "glob"}},
                                         {add_graph, {"graph"}},
                                         {add_create_and_update, {"create", "update"}},
                                         {add_status_and_logs, {"status", "logs"}},
                                         {add_remove, {"delete"}},
                                         {add_compare, {"validate", "diff"}},
                                         {add_ignored, {"ignored"}},
                                         {add_inspect, {"inspect"}},
                                         {add_builder, {"builder"}},
                                         {add_cache, {"cache"}},
                                         {add_doctor, {"doctor"}},
                                         {add_help, {}}};  // needs all the others
  return all;
}

// What holds for all verbs is in the program's own footer, to which those of the verbs refer.
void refer_to_footer(CLI::App& above) {
  for (auto* verb : above.get_subcommands([](const CLI::App*) { return true; })) {
    const std::string own(base::trim(verb->get_footer()));
    verb->footer((own.empty() ? "" : own + "\n\n") + k_see_footer);
    refer_to_footer(*verb);
  }
}

// All verbs, or those alone that are added with the first of the words, where it is one: the others' options
// take longer than what most verbs do. Whether these are all.
bool add_verbs(CLI::App& app, Invocation& invocation, std::string_view first = {}) {
  report::set_help_form(app);
  app.set_version_flag("-V,--version", about::version_line("pachbuild"), "Print the version and exit");
  app.require_subcommand(1);
  const auto& all = adders();
  const auto own = std::find_if(all.begin(), all.end(), [&](const Adder& adder) {
    return std::find(adder.verbs.begin(), adder.verbs.end(), first) != adder.verbs.end();
  });
  const bool adds_all = own == all.end();
  for (auto each = all.begin(); each != all.end(); ++each) {
    if (adds_all || each == own) each->add(app, invocation);
  }
  refer_to_footer(app);
  app.footer(k_footer);
  return adds_all;
}

constexpr char k_about[] = "Turns an edited source folder into a running Pachyderm pipeline.";

// For the shells: the words come as they are typed, so nothing parses them.
int print_completions(const std::vector<std::string>& words) {
  Invocation invocation;
  CLI::App app(k_about, "pachbuild");
  add_verbs(app, invocation);
  std::fputs(to_text(complete(app, words)).c_str(), stdout);
  return 0;
}

// Gives the exit code; none where words are wrong and only the verbs of `first` were added: what was meant
// may be one of the others.
std::optional<int> run_verb(Invocation invocation, const std::string& first) {
  CLI::App app(k_about, "pachbuild");
  const bool has_all = add_verbs(app, invocation, first);
  try {
    // From the last to the first, as CLI11 takes them.
    app.parse(std::vector<std::string>(invocation.words.rbegin(), invocation.words.rend()));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help and --version
    if (!has_all) return std::nullopt;
    return report::fail(report::usage_error(app, error));
  }
  if (const auto checked = report::check_values(app); !checked) return report::fail(checked.error());
  invocation.verb = report::full_name(report::reached_verb(app));
  const auto code = invocation.action();
  if (code) return *code;
  // An error without words has been told: by the builder, or by the lines above it.
  return code.error().what.empty() ? static_cast<int>(code.error().kind) : report::fail(code.error());
}

}  // namespace

int run_program(int argc, char** argv) {
  report::set_up();
  if (argc == 4 && std::string(argv[1]) == local::k_worker_command) run_worker(argv);
  if (argc == 2 && std::string(argv[1]) == local::k_sandbox_check_command) return local::check_sandbox();
  if (argc > 1 && std::string(argv[1]) == k_complete_command)
    return print_completions({argv + 2, argv + argc});

  // Fewer may do for what is asked; who needs more says so.
  static_cast<void>(base::raise_descriptor_limit());
  return run_words({argv + 1, argv + argc}, /*is_again=*/false);
}

int run_words(const std::vector<std::string>& words, bool is_again) {
  // What comes after "--" is the program's, byte for byte: nothing here parses it.
  const auto dashes = std::find(words.begin(), words.end(), "--");
  Invocation invocation;
  invocation.words.assign(words.begin(), dashes);
  invocation.is_again = is_again;
  if (dashes != words.end()) invocation.after_dashes.assign(dashes + 1, words.end());
  const auto code = run_verb(invocation, invocation.words.empty() ? "" : invocation.words.front());
  return code ? *code : run_verb(invocation, "").value_or(0);
}

}  // namespace commands
