// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/near.h"
#include "base/text.h"
#include "contract/builders.h"
#include "pachbuild/commands/builder.h"
#include "pachbuild/commands/interruptible.h"
#include "pachbuild/commands/print_line.h"
#include "pachbuild/commands/project_words.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "pachbuild/starter/builder.h"

namespace commands {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

constexpr char k_about_new[] = R"(
Creates a builder in DIR; the last part of DIR is the name of the language. It gets a builder.toml (explained in
docs/builder-toml.md), a probe, a Dockerfile, and a ci.sh for CI systems, and passes `pachbuild builder test` unchanged.
Without --from it builds scripts for sh; with --from it is a copy of an installed builder. Nothing is overwritten.

  pachbuild builder new lua
  pachbuild builder new builders/team-scripts --from NAME
  pachbuild builder test ./lua
)";

struct NewOptions {
  std::string folder;
  std::string from;
};

base::Result<fs::path> find_model(const std::string& name) {
  if (name.empty()) return fs::path();
  BASE_TRY_ASSIGN(const auto own, base::own_folder());
  const auto folder = contract::builders_folder(own);
  const auto names = contract::installed_builders(folder);
  if (std::find(names.begin(), names.end(), name) != names.end()) return folder / name;
  const std::string all = "installed builders: " + (names.empty() ? "none" : base::join(names, ", "));
  return base::fail(ErrorKind::usage, "--from " + name, "is not an installed builder",
                    base::did_you_mean(name, names, all));
}

base::Result<std::string> language_of(const std::string& folder) {
  if (folder.empty()) return base::fail(ErrorKind::usage, "DIR", "is empty", "name the new folder");
  auto name = base::normal_path(folder).filename().string();
  if (!contract::is_builder_name(name)) {
    return base::fail(ErrorKind::usage, folder, "invalid builder name " + base::quoted(name),
                      "use at most 40 lowercase letters, digits and '-', starting with a letter");
  }
  const auto official = spec::official_languages();
  if (std::find(official.begin(), official.end(), name) != official.end()) {
    return base::fail(ErrorKind::usage, folder, base::quoted(name) + " is the name of an official builder",
                      "choose another name");
  }
  return name;
}

base::Result<int> make_builder(const NewOptions& options) {
  BASE_TRY_ASSIGN(const auto name, language_of(options.folder));
  BASE_TRY_ASSIGN(const auto model, find_model(options.from));
  BASE_TRY_ASSIGN(const auto project, starter::builder_project(name, model));
  BASE_TRY(starter::write_project(options.folder, project));
  print_line("created " + options.folder + ": " +
             (options.from.empty() ? "a builder" : "a copy of the " + options.from + " builder"));
  for (const auto& line : lines_of(project)) print_line(line);
  print_line("check it:");
  print_line("pachbuild builder test " + base::shell_quote(as_argument(options.folder)));
  return 0;
}

}  // namespace

void add_builder_new(CLI::App& builder, Invocation& invocation) {
  auto options = std::make_shared<NewOptions>();
  auto* verb = builder.add_subcommand("new", "Create a new builder");
  verb->add_option("DIR", options->folder, "A new folder, or an existing one without conflicting files")
      ->type_name("DIR")
      ->required();
  verb->add_option("--from", options->from, "Start from this installed builder")->type_name("BUILDER");
  verb->footer(k_about_new)->callback([options, &invocation] {
    invocation.action = [options] {
      return until_interrupted([&](process::Interruption&) { return make_builder(*options); },
                               "interrupted; nothing was written");
    };
  });
}

}  // namespace commands
