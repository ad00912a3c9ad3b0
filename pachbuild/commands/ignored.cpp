// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <boost/filesystem/operations.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/files.h"
#include "base/text.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/print_line.h"
#include "pachbuild/source/source.h"

namespace commands {
namespace {

using base::ErrorKind;
namespace fs = base::fs;

constexpr std::size_t k_rule_shown = 200;

constexpr char k_about_ignored[] = R"(
For each file: whether it is part of the source, and which line decides that. The source is the folder --source,
by default the nearest one around the file that has a .pachignore, else the current one.

  pachbuild ignored data/pages.csv notes/*.md
)";

struct IgnoredOptions {
  std::vector<std::string> paths;
  std::string source;
};

// The folder whose rules count for `file`.
fs::path source_of(const fs::path& file) {
  boost::system::error_code ignored;
  for (fs::path folder = file.parent_path(); !folder.empty(); folder = folder.parent_path()) {
    if (fs::exists(folder / source::k_ignore_file, ignored)) return folder;
    if (folder == folder.root_path()) break;
  }
  return fs::current_path();
}

base::Status explain(const IgnoredOptions& options, const std::string& path) {
  const fs::path file = fs::absolute(path).lexically_normal();
  const fs::path folder =
      options.source.empty() ? source_of(file) : fs::absolute(options.source).lexically_normal();
  const std::string below = file.lexically_relative(folder).string();
  if (below.empty() || below == "." || below.starts_with("..")) {
    return base::fail(ErrorKind::usage, path, "is not below the source folder " + folder.string(),
                      "name a file of the source, or the folder with --source");
  }
  BASE_TRY_ASSIGN(const auto decision, source::decide(folder, below));
  const std::string answer = decision.is_left_out ? "left out" : "part of the source";
  const std::string where = decision.line == 0
                                ? "built in"
                                : std::string(source::k_ignore_file) + ":" + std::to_string(decision.line);
  const std::string reason =
      decision.rule.empty() ? "" : "  (" + where + ": " + base::shortened(decision.rule, k_rule_shown) + ")";
  // Neither a name nor a rule can forge a line.
  print_line(path + ": " + answer + reason);
  return {};
}

base::Result<int> explain_all(const IgnoredOptions& options) {
  for (const auto& path : options.paths) BASE_TRY(explain(options, path));
  return 0;
}

}  // namespace

void add_ignored(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<IgnoredOptions>();
  auto* verb = app.add_subcommand("ignored", "Show which line of .pachignore decides about a file");
  verb->add_option("path", options->paths, "The files; they need not exist")->type_name("PATH")->required();
  verb->add_option("--source", options->source, "The folder of the source")->type_name("DIR");
  verb->footer(k_about_ignored)->callback([options, &invocation] {
    invocation.action = [options] { return explain_all(*options); };
  });
}

}  // namespace commands
