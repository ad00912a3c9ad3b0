// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/filesystem/operations.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "base/json_text.h"
#include "base/text.h"
#include "glob/glob.h"
#include "pachbuild/commands/assumed.h"
#include "pachbuild/commands/cluster_repos.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/data_options.h"
#include "pachbuild/commands/print_line.h"
#include "pachbuild/local/plan/datum_list.h"
#include "pachbuild/local/results/remote_commits.h"
#include "pachbuild/local/session/environment.h"
#include "report/report.h"

namespace commands {
namespace {

using base::ErrorKind;
using nlohmann::json;
namespace fs = base::fs;

constexpr char k_about_list[] = R"(
Lists the datums of a pipeline's input, of folders on this machine or commits on the cluster (pfs:), in Pachyderm's
order and with Pachyderm's ids.

  pachbuild list datum -f join.yaml --input stores=data/stores --input sales=data/sales
  pachbuild list datum -f pipelines --pipeline join --input stores=data/stores --input sales=results/sales -o json
)";

constexpr char k_about_glob[] = R"(
Shows which files in a folder an input's glob matches, and what the glob's groups captured: the values of $1, $2 and
so on in join_on and group_by.

  pachbuild glob '/(*)/*_STOREID(*).txt' data/sales
)";

struct ListOptions {
  DataOptions data;
  std::string format;
};

// As `pachctl list datum --raw` has it, without what only a cluster knows.
json to_json(const local::Datum& datum, const std::string& project) {
  json data = json::array();
  for (const auto* part : datum.parts) {
    const auto& input = *part->input;
    const std::string of = !input.project.empty() ? input.project : project.empty() ? "default" : project;
    const json repo = {{"name", input.repo}, {"type", "user"}, {"project", {{"name", of}}}};
    data.push_back(
        {{"file", {{"commit", {{"repo", repo}}}, {"path", part->pfs_path()}, {"datum", "default"}}},
         {"file_type", part->is_folder() ? "DIR" : "FILE"},
         {"size_bytes", std::to_string(part->commit->bytes_of(part->files))}});
  }
  return {{"datum", {{"id", datum.id}}}, {"data", data}};
}

// A person sees the number by which --datum knows the datum as well; a program that reads the lines does not.
void print_datum(const local::Datum& datum, const spec::PipelineSpec& spec, bool as_json, std::size_t width) {
  if (as_json) {
    std::puts(base::json_text(to_json(datum, spec.project)).c_str());
    return;
  }
  std::string files;
  for (const auto* part : datum.parts) {
    files += (files.empty() ? "" : ", ") + local::repo_key(*part->input) + "@" + part->pfs_path();
  }
  std::string number;
  if (width > 0) {
    number = std::to_string(datum.number);
    number = std::string(width - number.size(), ' ') + number + "  ";
  }
  print_line(number + datum.id + "  " + files);
}

// The place of the one pipeline that is meant.
base::Result<std::size_t> choose(const std::vector<spec::PipelineSpec>& specs, const DataOptions& options) {
  if (options.pipeline.empty() && specs.size() == 1) return 0;
  if (!options.pipeline.empty()) return local::find_pipeline(specs, options.pipeline);
  std::vector<std::string> names;
  for (const auto& spec : specs) names.push_back(spec.name);
  return base::fail(several_pipelines("--pipeline", "is required", names));
}

// What other pipelines write has to be given as well: nothing is run here.
base::Status check_results(const std::vector<spec::PipelineSpec>& specs, const spec::PipelineSpec& reader,
                           const local::GivenRepos& given) {
  for (const auto* input : spec::repo_inputs(reader.input)) {
    const auto writer = local::find_writer(specs, reader, *input);
    boost::system::error_code ignored;
    if (writer == specs.size() || local::given_for(*input, given) != given.end() || given.contains("") ||
        fs::is_directory(spec::data_folder(reader, input->repo), ignored)) {
      continue;
    }
    const auto& name = specs[writer].name;
    return base::fail(
        ErrorKind::usage, reader.places.where(input->pointer + "/repo"),
        "repo " + input->repo + " is the output of pipeline " + name + ", which is not run here",
        "run it with pachbuild run, then add --input " + input->repo + "=output/" + name);
  }
  return {};
}

// Their listings alone: no file is fetched.
base::Status find_remote(const local::Plan& plan, std::map<std::string, local::Commit>& commits) {
  BASE_TRY_ASSIGN(const auto cache, local::cache_folder());
  BASE_TRY_ASSIGN(auto store, local::ResultStore::open(cache));
  const auto repos = cluster_repos();
  local::RemoteCommits remote(store, cache, repos.get());
  for (const auto& [name, address] : plan.remote) {
    BASE_TRY_ASSIGN(commits[name],
                    remote.find(address, [](const std::string& warning) { report::warn(warning); }));
  }
  return {};
}

base::Result<int> list_datums(const ListOptions& options, Invocation& invocation) {
  BASE_TRY_ASSIGN(const auto specs, options.data.specs.load());
  BASE_TRY_ASSIGN(const auto chosen, choose(specs, options.data));
  const auto& spec = specs[chosen];
  BASE_TRY_ASSIGN(const auto repos, options.data.repos());
  BASE_TRY(check_results(specs, spec, repos));
  BASE_TRY_ASSIGN(const auto plan, local::make_plan({spec}, repos));
  assume_inputs(invocation, plan);
  show_assumed(invocation);
  std::map<std::string, local::Commit> commits;
  for (const auto& [name, folder] : plan.folders) {
    BASE_TRY_ASSIGN(commits[name], local::commit_of_folder(folder, nullptr));
  }
  if (!plan.remote.empty()) BASE_TRY(find_remote(plan, commits));
  BASE_TRY_ASSIGN(const auto tick, options.data.tick_time());
  for (const auto& name : plan.crons) commits[name] = local::commit_of_files({local::tick_file(tick)});
  local::Commits all;
  for (const auto& [name, commit] : commits) all[name] = &commit;
  auto datums = local::DatumList::make(spec.input, all);
  if (!datums && datums.error().where.empty()) datums.error().where = spec.places.where("/input");
  if (!datums) return base::fail(std::move(datums).error());
  const std::size_t width = ::isatty(STDOUT_FILENO) == 1 ? std::to_string(datums->size()).size() : 0;
  for (std::size_t i = 0; i < datums->size(); ++i)
    print_datum(datums->at(i), spec, options.format == "json", width);
  return 0;
}

struct GlobOptions {
  std::string pattern;
  std::string folder;
};

base::Result<int> show_matches(const GlobOptions& options) {
  spec::RepoInput input;
  input.glob = glob::clean_input_glob(options.pattern);
  BASE_TRY_ASSIGN(const auto pattern, glob::Glob::compile(input.glob, glob::Separator::slash));
  boost::system::error_code error;
  const auto folder = fs::canonical(options.folder, error);
  if (error) {
    auto fault = base::read_error(options.folder, error.value());
    fault.kind = ErrorKind::usage;
    return base::fail(std::move(fault));
  }
  if (!fs::is_directory(folder, error))
    return base::fail(ErrorKind::usage, options.folder, "is not a folder",
                      "name the folder that contains it");
  BASE_TRY_ASSIGN(const auto commit, local::commit_of_folder(folder, nullptr));
  BASE_TRY_ASSIGN(const auto matches, local::list_matches(input, commit));
  if (matches.empty()) {
    const auto meant = local::did_you_mean_glob(input, commit);
    report::info("no file in " + options.folder + " matches " + base::quoted(options.pattern) +
                 (meant.empty() ? "" : "; " + meant));
  }
  for (const auto& match : matches) {
    std::string line = match.pfs_path();
    const auto groups = pattern.capture(match.path.empty() ? "" : "/" + match.path);
    for (std::size_t i = 1; groups && i < groups->size(); ++i) {
      line += "  $" + std::to_string(i) + "=" + groups->at(i);
    }
    print_line(line);
  }
  return 0;
}

}  // namespace

void add_list(CLI::App& app, Invocation& invocation) {
  auto* list = app.add_subcommand("list", "List the datums of a pipeline")->require_subcommand(1);
  auto options = std::make_shared<ListOptions>();
  auto* verb = list->add_subcommand("datum", "List the datums of a pipeline's input");
  options->data.add_to(*verb);
  verb->add_option("-o,--output", options->format,
                   "json: one object per line, as printed by pachctl list datum --raw")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"json"}));
  verb->footer(k_about_list)->callback([options, &invocation] {
    invocation.action = [options, &invocation]() -> base::Result<int> {
      BASE_TRY(options->data.settle(invocation));
      return list_datums(*options, invocation);
    };
  });

  auto glob_options = std::make_shared<GlobOptions>();
  auto* matches = app.add_subcommand("glob", "Show which files in a folder an input's glob matches");
  matches->add_option("GLOB", glob_options->pattern, "The glob, as in input.pfs.glob")
      ->type_name("GLOB")
      ->required();
  matches->add_option("DIR", glob_options->folder, "The folder that stands for the repo")
      ->type_name("DIR")
      ->required();
  matches->footer(k_about_glob)->callback([glob_options, &invocation] {
    invocation.action = [glob_options] { return show_matches(*glob_options); };
  });
}

}  // namespace commands
