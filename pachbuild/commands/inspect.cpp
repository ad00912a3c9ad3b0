// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/files.h"
#include "base/text.h"
#include "contract/build_record.h"
#include "contract/layout.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/print_line.h"

namespace commands {
namespace {

using base::ErrorKind;

constexpr char k_about_inspect[] = R"(
DIR is the output of a build (from builder-runtime --out DIR or a build pipeline), or its build.json.

In the values of variables, {env} stands for the folder of the unpacked bundle.

  pachbuild inspect artifact
  pachbuild inspect --requirements artifact > requirements.txt
)";

constexpr char k_hint[] = "name the output folder of a build";

struct InspectOptions {
  std::string artifact;
  bool requirements = false;
};

base::Result<contract::BuildRecord> read_record(const std::string& artifact) {
  const base::fs::path given(artifact);
  const bool is_file = given.filename() == contract::k_record;
  const base::fs::path file = is_file ? given : given / contract::k_record;
  const auto text = base::read_file(file);
  if (!text) {
    return base::fail(ErrorKind::bad_input, file.string(), text.error().what, k_hint);
  }
  auto record = contract::parse_build_record(*text, file.string());
  if (!record && record.error().hint.empty()) record.error().hint = k_hint;
  return record;
}

// A name in its column, and what belongs to it, a line each.
void print_row(const std::string& name, const std::vector<std::string>& values) {
  constexpr std::size_t k_column = 12;
  std::string first = name + std::string(k_column - name.size(), ' ');
  for (const auto& value : values) {
    print_line(first + value);
    first = std::string(k_column, ' ');
  }
}

std::string platform_text(const contract::Platform& platform) {
  std::string text = platform.os + "/" + platform.architecture;
  for (const auto& part : {platform.libc, platform.interpreter}) {
    if (!part.empty()) text += ", " + part;
  }
  return text;
}

std::vector<std::string> bundle_texts(const contract::BuildRecord& record) {
  std::vector<std::string> texts;
  for (const auto& bundle : record.bundles) {
    texts.push_back(bundle.file + ", " + base::format_bytes(bundle.bytes) + ", unpacked " +
                    base::format_bytes(bundle.unpacked_bytes) + " in " +
                    base::count_of(bundle.files, "file"));
  }
  return texts;
}

void print_record(const contract::BuildRecord& record) {
  std::vector<std::string> command;
  for (const auto& word : record.command) command.push_back(base::shell_quote(word));
  std::vector<std::string> environment;
  for (const auto& [name, value] : record.environment)
    environment.push_back(name + "=" + base::shell_quote(value));
  for (const auto& [name, value] : record.prepend)
    environment.push_back(name + "=" + base::shell_quote(value) + ":$" + name);
  print_row("builder", {record.builder + " " + record.version});
  print_row("platform", {platform_text(record.platform)});
  if (!record.key.empty()) print_row("key", {record.key});
  print_row("bundle", bundle_texts(record));
  if (const auto& program = record.program; !program.name.empty())
    print_row("program", {program.name + " (" + program.chosen + ")"});
  print_row("command", {base::join(command, " ")});
  print_row("variables", environment);
  print_row("packages", record.packages);
}

base::Result<int> inspect(const InspectOptions& options) {
  BASE_TRY_ASSIGN(const auto record, read_record(options.artifact));
  if (!options.requirements) {
    print_record(record);
    return 0;
  }
  if (record.builder != "python") {
    return base::fail(ErrorKind::bad_input, options.artifact,
                      "was built by the builder " + record.builder + ", which has no requirements");
  }
  for (const auto& line : record.requirements.empty() ? record.packages : record.requirements)
    print_line(line);
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<InspectOptions>();
  auto* verb = app.add_subcommand("inspect", "Describe an artifact");
  verb->add_option("DIR", options->artifact, "The folder")->type_name("DIR")->required();
  verb->add_flag("--requirements", options->requirements,
                 "Print the Python packages as a requirements file with their hashes");
  verb->footer(k_about_inspect)->callback([options, &invocation] {
    invocation.action = [options] { return inspect(*options); };
  });
}

}  // namespace commands
