// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/files.h"
#include "base/inside.h"
#include "base/text.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/data_options.h"
#include "pachbuild/commands/print_line.h"
#include "pachbuild/source/source.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "report/report.h"

namespace commands {
namespace {

using base::ErrorKind;
namespace fs = base::fs;

constexpr std::size_t k_rule_shown = 200;

constexpr char k_about_ignored[] = R"(
Shows whether each PATH is part of the source, and why: because of a line in .pachignore, a default, or a line in a
.gitignore. Without PATH it lists everything that is left out.

The source is that of the spec (by default the only spec in the current folder), or the folder given with --source.
For a PATH outside it, the source is the nearest parent folder with a .pachignore. If there is no spec, and no parent
folder has a .pachignore, the source of a PATH is the current folder.

  pachbuild ignored
  pachbuild ignored data/pages.csv notes/*.md
  pachbuild ignored -f map.json
)";

struct IgnoredOptions {
  std::vector<std::string> paths;
  std::string source;
  SpecFiles specs;
};

// A folder of which files are asked, and what in it is data of pipelines.
struct Subject {
  fs::path folder;
  std::vector<fs::path> data;
};

// The sources that are meant where PATH says nothing of them; none without a spec.
base::Result<std::vector<Subject>> subjects_of(const IgnoredOptions& options) {
  if (!options.source.empty()) return std::vector<Subject>{{options.source, {}}};
  auto files = options.specs;
  if (files.files.empty()) {
    BASE_TRY_ASSIGN(files.files, spec::find_specs("."));
    if (files.files.size() != 1) return std::vector<Subject>();
  }
  const auto specs = files.load();
  if (!specs && options.specs.files.empty()) return std::vector<Subject>();
  if (!specs) return base::fail(specs.error());
  std::vector<Subject> subjects;
  for (const auto& spec : *specs) {
    const auto& build = spec.transform.build;
    if (!spec::is_built(spec.transform)) continue;
    const auto known = std::find_if(subjects.begin(), subjects.end(),
                                    [&](const Subject& each) { return each.folder == build.folder; });
    auto& subject = known == subjects.end() ? subjects.emplace_back(Subject{build.folder, {}}) : *known;
    subject.data.insert(subject.data.end(), build.data.begin(), build.data.end());
  }
  return subjects;
}

// The folder with a .pachignore whose rules count for `file` where no spec says so; none: nullopt.
std::optional<fs::path> source_around(const fs::path& file) {
  boost::system::error_code ignored;
  for (fs::path folder = file.parent_path(); !folder.empty(); folder = folder.parent_path()) {
    if (fs::exists(folder / source::k_ignore_file, ignored)) return folder;
    if (folder == folder.root_path()) break;
  }
  return std::nullopt;
}

// "  (.gitignore:3: *.csv)"
std::string reason_of(const source::Decision& decision) {
  if (decision.rule.empty()) return {};
  const std::string where =
      decision.file.empty() ? "default" : decision.file + ":" + std::to_string(decision.line);
  return "  (" + std::string(decision.is_tracked ? "tracked by git in spite of " : "") + where + ": " +
         base::shortened(decision.rule, k_rule_shown) + ")";
}

std::string answer_of(const source::Decision& decision) {
  return (decision.is_left_out ? ": left out" : ": part of the source") + reason_of(decision);
}

std::string outside_of(const std::vector<Subject>& subjects) {
  std::vector<std::string> folders;
  for (const auto& each : subjects) folders.push_back(each.folder.string());
  return std::string(": left out  (outside the source ") + (folders.size() == 1 ? "folder " : "folders ") +
         base::join(folders, ", ", " and ") + ")";
}

base::Status explain(const IgnoredOptions& options, const std::vector<Subject>& subjects,
                     const std::string& path) {
  const fs::path file = fs::absolute(path).lexically_normal();
  const auto is_around = [&](const Subject& each) {
    return base::path_below(file, fs::absolute(each.folder).lexically_normal()).has_value();
  };
  const auto known = std::find_if(subjects.begin(), subjects.end(), is_around);
  const bool is_named = !options.source.empty();
  const auto around = known != subjects.end() || is_named ? std::nullopt : source_around(file);
  if (known == subjects.end() && !is_named && !around && !subjects.empty()) {
    print_line(path + outside_of(subjects));
    return {};
  }
  const Subject subject = known != subjects.end() ? *known
                          : is_named              ? subjects.front()
                                                  : Subject{around.value_or(fs::current_path()), {}};
  const fs::path folder = fs::absolute(subject.folder).lexically_normal();
  const std::string below = file.lexically_relative(folder).string();
  if (below.empty() || below == "." || below.starts_with("..")) {
    return base::fail(ErrorKind::usage, path, "is not below the source folder " + folder.string(),
                      "name a file of the source, or the folder with --source");
  }
  BASE_TRY_ASSIGN(const auto decision, source::decide(folder, below, subject.data));
  // Neither a name nor a rule can forge a line.
  print_line(path + answer_of(decision));
  return {};
}

base::Status list(const Subject& subject) {
  BASE_TRY_ASSIGN(const auto left_out, source::list_left_out(subject.folder, subject.data));
  std::string before = subject.folder == "." ? "" : subject.folder.string();
  if (!before.empty() && !before.ends_with('/')) before += '/';
  for (const auto& [path, why] : left_out) print_line(before + path + answer_of(why));
  if (left_out.empty()) report::info("nothing is left out of " + subject.folder.string());
  return {};
}

base::Result<int> explain_all(const IgnoredOptions& options, Invocation& invocation) {
  BASE_TRY_ASSIGN(auto subjects, subjects_of(options));
  for (const auto& path : options.paths) BASE_TRY(explain(options, subjects, path));
  if (!options.paths.empty()) return 0;
  if (subjects.empty() && options.specs.files.empty()) {
    // The fault that the spec has, or that there is none.
    auto specs = options.specs;
    BASE_TRY(specs.settle(invocation));
    BASE_TRY(specs.load());
  }
  if (subjects.empty()) {
    return base::fail(ErrorKind::usage, "", "no pipeline of the spec has a source to build",
                      "name a folder with --source");
  }
  for (const auto& subject : subjects) BASE_TRY(list(subject));
  return 0;
}

}  // namespace

void add_ignored(CLI::App& app, Invocation& invocation) {
  auto options = std::make_shared<IgnoredOptions>();
  auto* verb = app.add_subcommand("ignored", "Show what is left out of a source, and why");
  verb->add_option("PATH", options->paths, "The files; they need not exist")->type_name("PATH");
  auto* file = verb->add_option("-f,--file", options->specs.files,
                                "The pipeline spec with the source; may be repeated (default: the only spec "
                                "in the current folder)")
                   ->type_name("SPEC")
                   ->allow_extra_args(false);
  verb->add_option("--source", options->source, "The folder of the source")->type_name("DIR")->excludes(file);
  verb->footer(k_about_ignored)->callback([options, &invocation] {
    invocation.action = [options, &invocation] { return explain_all(*options, invocation); };
  });
}

}  // namespace commands
