// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "contract/pipeline_names.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/interruptible.h"
#include "pachbuild/commands/print_line.h"
#include "pachbuild/commands/project_words.h"
#include "pachbuild/spec/input.h"
#include "pachbuild/starter/starter.h"
#include "report/report.h"

namespace commands {
namespace {

using base::ErrorKind;

constexpr char k_about_init[] = R"(
Creates a small working pipeline: a spec, a program, sample data, and a README with the next steps. The last line that
it prints is the command that runs the pipeline. Existing files are never replaced.

With --from it converts a pipeline that uses an image: pass its spec, its Dockerfile, or both. The files that the
Dockerfile copies become the source, the packages that it installs with pip become requirements.txt, and the command
is adjusted. A warning with the line in the Dockerfile names each step that is not converted, such as apt-get install.

  pachbuild init demo
  pachbuild init demo --language go
  pachbuild init edges-built --from edges/edges.json --from edges/Dockerfile
)";

struct InitOptions {
  std::string folder = ".";
  std::string language;
  std::string name;
  std::vector<std::string> from;
  std::string context;
};

base::Status check_name(const std::string& name) {
  const bool is_right = spec::is_name(name) && name[0] != '_' && name[0] != '-';
  if (!is_right) {
    return base::fail(ErrorKind::usage, "--name", "invalid name " + base::quoted(name),
                      "a name has letters, digits, '_' and '-', and starts with a letter or digit");
  }
  const std::size_t longest = contract::longest_pipeline_name("");
  if (name.size() <= longest) return {};
  return base::fail(
      ErrorKind::usage, "--name " + name,
      "has " + std::to_string(name.size()) + " characters; the limit is " + std::to_string(longest));
}

base::Result<starter::Start> start_of(const InitOptions& options) {
  if (!options.name.empty()) BASE_TRY(check_name(options.name));
  const std::string default_name = starter::pipeline_name_of(options.folder);
  if (options.from.empty()) {
    if (!options.context.empty())
      return base::fail(ErrorKind::usage, "--context", "needs a Dockerfile", "add --from Dockerfile");
    return starter::sample_project(options.language.empty() ? "python" : options.language,
                                   options.name.empty() ? default_name : options.name);
  }
  return starter::converted_project(
      {options.from, options.context, options.language, options.name, default_name});
}

std::string command_line(const std::string& folder, const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const auto& word : words) quoted.push_back(base::shell_quote(word));
  const std::string line = base::join(quoted, " ");
  if (base::normal_path(folder) == base::normal_path(".")) return line;
  return "cd " + base::shell_quote(as_argument(folder)) + " && " + line;
}

base::Result<int> init(const InitOptions& options) {
  if (options.folder.empty()) return base::fail(ErrorKind::usage, "DIR", "is empty", "name the new folder");
  if (base::printable(options.folder) != options.folder) {
    return base::fail(ErrorKind::usage, options.folder, "has control characters", "choose another name");
  }
  BASE_TRY_ASSIGN(const auto start, start_of(options));
  std::vector<starter::Note> notes = start.notes;
  BASE_TRY(starter::write_project(options.folder, start.project, [&](const auto& folder) -> base::Status {
    if (options.from.empty()) return {};
    BASE_TRY_ASSIGN(const auto faults, starter::check_converted(folder, start.project));
    notes.insert(notes.end(), faults.begin(), faults.end());
    return {};
  }));
  for (const auto& [where, what] : notes)
    report::warn(base::in_one_line({ErrorKind::bad_input, where, what, ""}));
  print_line("created " + options.folder + ": " + start.title);
  for (const auto& line : lines_of(start.project)) print_line(line);
  print_line("run it (README.md has the details):");
  print_line(command_line(options.folder, start.run));
  return 0;
}

}  // namespace

void add_init(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<InitOptions>();
  auto* verb = app.add_subcommand("init", "Create a new pipeline, or convert one that uses an image");
  verb->add_option("DIR", options->folder,
                   "A new folder, or an existing one without conflicting files (default: the current folder)")
      ->type_name("DIR");
  verb->add_option("--language", options->language,
                   "The program's language (default: python; with --from detected from the files)")
      ->type_name("LANGUAGE")
      ->check(CLI::IsMember(starter::languages()));
  verb->add_option("--name", options->name,
                   "The pipeline's name (default: the name of DIR, or the name in the spec)")
      ->type_name("NAME");
  verb->add_option("--from", options->from, "Convert this spec or Dockerfile; may be repeated for both")
      ->type_name("SPEC|DOCKERFILE")
      ->allow_extra_args(false);
  verb->add_option("--context", options->context,
                   "The folder that COPY is relative to (default: the Dockerfile's folder)")
      ->type_name("DIR");
  verb->footer(k_about_init)->callback([options, &invocation] {
    invocation.action = [options] {
      return until_interrupted([&](process::Interruption&) { return init(*options); },
                               "interrupted; nothing was written");
    };
  });
}

}  // namespace commands
