// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/parallel.h"
#include "pachbuild/commands/assumed.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/commands/dev.h"
#include "pachbuild/commands/dev_cluster.h"
#include "pachbuild/commands/history_options.h"
#include "pachbuild/commands/rerun.h"
#include "pachbuild/commands/round.h"
#include "pachbuild/commands/run_options.h"
#include "pachbuild/commands/run_recorder.h"
#include "pachbuild/commands/show_run.h"
#include "pachbuild/local/session/session.h"
#include "report/report.h"
#include "report/usage.h"

namespace commands {
namespace {

constexpr char k_about_run[] = R"(
Builds the pipeline's source (transform.build.path) with builder-runtime, then runs transform.cmd, or the build's
run.sh, once per datum, as a worker on a cluster would: data in /pfs/<input>, output in /pfs/out. Results are kept
in the cache: a datum whose data and code have not changed is skipped. The output folder changes only if all datums
succeed.

Without options it uses the only spec in the current folder, data/REPO next to it for each repo, and output/ next to
it for the output. The first line that it prints is the full command.

  pachbuild run
  pachbuild run map.json --input scraper=pages --output counts
  pachbuild run -f map.yaml --input scraper=pages --output counts --workers 4 -- --verbose
  pachbuild run -f map.json --input scraper=pages --output counts --datum pages/a.html --logs
  pachbuild run -f map.json --input pfs: --output counts
  pachbuild run --job map@f4de83f7bc204bb7975de966b346fce9
)";

constexpr char k_about_dev[] = R"(
Builds and runs like `pachbuild run`, then waits: an edit to a source, a spec, an ignore file or the data reruns
whatever depends on it, and stops whatever still runs for an older edit. The output of each datum is written as soon
as the datum ends; datums that failed last time run first. On a terminal: r reruns all datums, f reruns failed
datums, o opens the report, q quits.

With --cluster each edit is sent to the cluster like `pachbuild update pipeline`, and the output of the jobs that it
starts is shown. The data is the cluster's, so only the options about specs and the cluster can be used with it.

  pachbuild dev
  pachbuild dev -f map.json --input scraper=pages --output counts
  pachbuild dev --cluster -f map.json
)";

struct Options {
  RunOptions run;
  std::string output;
  std::string short_output;  // of -o: the folder, or "json" beside --output
  bool writes_events = false;
  bool verbose = false;
  int workers = 0;
  bool logs = false;
  bool explain = false;
  bool partial = false;
  bool allow_empty = false;
  bool force = false;
  bool failed = false;
  bool hard_links = false;
  HistoryOptions history;
  bool no_partial = false;
  bool on_cluster = false;
  cluster::Target target;  // of --cluster
  int round = -1;          // of `dev`: where it wants to read how this run ended
};

// -o was the folder before events could be written: it is, unless --output names that.
// That the output can become a folder, or is one.
base::Status check_output(const std::string& option, const std::string& output) {
  boost::system::error_code error;
  if (!base::fs::exists(output, error) || base::fs::is_directory(output, error)) return {};
  return base::fail(base::ErrorKind::cannot_write, option + " " + output, "is not a folder");
}

base::Status settle_output(Options& options, const CLI::App& verb, Invocation& invocation) {
  const bool was_given = verb.count("--output") + verb.count("-o") > 0;
  if (!was_given && options.run.data.job.empty()) {
    BASE_TRY_ASSIGN(options.output, assume_output(invocation, options.run.data.specs.files));
  }
  BASE_TRY(check_output("--output", options.output));
  options.writes_events = !options.output.empty() && options.short_output == "json";
  if (options.writes_events || options.short_output.empty()) return {};
  if (!options.output.empty()) {
    return base::fail(base::ErrorKind::usage, "-o " + options.short_output,
                      "must be json when --output is given", "use only one of the two for the folder");
  }
  BASE_TRY(check_output("-o", options.short_output));
  if (options.short_output == "json")
    report::warn("-o json: writes the output to the folder json; to print events, add --output DIR");
  options.output = options.short_output;
  return {};
}

using Listeners = std::vector<std::reference_wrapper<local::Events>>;

// Runs the session; what happens in it goes into the files that are asked for as well.
base::Result<int> run_recorded(const local::Plan& plan, const local::SessionOptions& session,
                               const Options& options, const Invocation& invocation, const Shown& shown,
                               Listeners listeners) {
  if (!options.history.any()) return show_run(plan, session, shown, listeners);
  auto run = begin_history(invocation);
  run.workers = session.workers > 0 ? session.workers : static_cast<int>(base::processors());
  run.runtime = session.engine;
  if (!plan.crons.empty()) run.tick = session.tick;
  RunRecorder recorder(std::move(run), plan);
  listeners.emplace_back(recorder);
  BASE_TRY_ASSIGN(const int code, show_run(plan, session, shown, listeners));
  const auto written = options.history.write(std::move(recorder).finish(code), shown.quiet);
  if (!written && code == 0) return base::fail(written.error());
  if (!written) ::report::fail(written.error());
  return code;
}

// Output is no part of the source that its folder is in.
void leave_out_of_sources(local::Plan& plan, const std::string& output) {
  for (auto& pipeline : plan.pipelines) pipeline.spec.transform.build.data.emplace_back(output);
}

base::Result<int> run(const Options& options, Invocation& invocation) {
  const Invocation given = invocation;  // without the inputs that are assumed
  BASE_TRY_ASSIGN(auto prepared, options.run.prepare(invocation.after_dashes));
  auto& [plan, session] = prepared;
  assume_inputs(invocation, plan);
  if (!options.run.quiet) show_assumed(invocation);
  if (!options.output.empty()) leave_out_of_sources(plan, options.output);
  const bool is_round = options.round >= 0;
  BASE_TRY(options.history.check(plan, options.output));
  if (!given.is_again) session.accepted = [&given] { remember_run(given); };
  session.output = options.output;
  session.workers = options.workers;
  session.partial = options.partial || (is_round && !options.no_partial);
  session.tells_interruption = !is_round;  // `dev` says it
  session.allow_empty = options.allow_empty;
  session.force = options.force;
  session.only_failed = options.failed;
  session.export_by = options.hard_links ? local::ExportBy::hard_link : local::ExportBy::copy;
  // Of a round that nobody watches `dev` prints a line.
  const bool is_quiet = is_round && ::isatty(STDERR_FILENO) == 0 && !options.verbose;
  const Shown shown{.logs = options.logs,
                    .explain = options.explain,
                    .quiet = options.run.quiet || is_quiet,
                    .verbose = options.verbose,
                    .json = options.writes_events};
  RoundEvents events;
  Listeners listeners;
  if (is_round) listeners.emplace_back(events);
  auto code = run_recorded(plan, session, options, invocation, shown, std::move(listeners));
  if (!is_round) return code;
  if (const auto summary = events.summary(code && *code == 0)) write_summary(options.round, *summary);
  return code;
}

// The paths of "NAME=PATH".
std::vector<std::string> paths_of(const std::vector<std::string>& given) {
  std::vector<std::string> paths;
  for (const auto& item : given) {
    const auto equals = item.find('=');
    if (equals != std::string::npos) paths.push_back(item.substr(equals + 1));
  }
  return paths;
}

base::Result<std::vector<base::fs::path>> source_folders(const DataOptions& data) {
  BASE_TRY_ASSIGN(const auto plan, data.plan());
  std::vector<base::fs::path> folders;
  for (const auto& pipeline : plan.pipelines) {
    const auto& transform = pipeline.spec.transform;
    if (spec::is_built(transform)) folders.push_back(transform.build.folder);
    if (!transform.build.builder.empty()) folders.push_back(transform.build.builder);
  }
  return folders;
}

base::Result<int> dev(const Options& options, Invocation& invocation) {
  DevOptions dev{.specs = options.run.data.specs,
                 .data = paths_of(options.run.data.inputs),
                 .secrets = paths_of(options.run.secrets),
                 .output = options.output,
                 .report = options.history.report,
                 .after_dashes = invocation.after_dashes,
                 .sources = [&data = options.run.data] { return source_folders(data); }};
  // The rounds are `run` with the words of this; a spec that has a fault tells nothing of its repos yet.
  if (const auto plan = options.run.data.plan()) {
    assume_inputs(invocation, *plan);
    for (const auto& [repo, folder] : plan->assumed) dev.data.push_back(folder);
  }
  if (!options.run.quiet) show_assumed(invocation);
  auto& words = invocation.words;
  words.at(0) = "run";
  dev.round = words;
  return run_dev(dev);
}

// The words of a round that a person would have given: `dev` adds its own after them.
void forget_round(std::vector<std::string>& words) {
  words.erase(std::find(words.begin(), words.end(), k_round_option), words.end());
}

enum class Verb { run, dev };

void add_verb(CLI::App& app, Invocation& invocation, Verb which) {
  auto options = std::make_shared<Options>();
  auto* verb = which == Verb::run ? app.add_subcommand("run", "Build a pipeline and run it on this machine")
                                  : app.add_subcommand("dev", "Run a pipeline again after each edit");
  options->run.add_to(*verb);
  if (which == Verb::run) options->run.data.add_job_to(*verb);
  verb->add_option("--output", options->output,
                   "The folder for the output of all datums; created if it does not exist (default: output/ "
                   "next to the spec)")
      ->type_name("DIR");
  verb->add_option("-o", options->short_output,
                   "Same as --output; or, in addition to --output, json: print one JSON event per line on "
                   "standard output")
      ->type_name("DIR|json");
  auto* quiet = verb->add_flag("-q,--quiet", options->run.quiet, "Print only errors and failures");
  verb->add_flag("-v,--verbose", options->verbose, "Also print each datum's start and end")->excludes(quiet);
  report::check_whole_number(*verb->add_option("-w,--workers", options->workers,
                                               "How many datums run at once (default: one per processor)")
                                  ->type_name("N"),
                             1, 1024);
  verb->add_flag(
      "--logs", options->logs,
      "Show what every datum prints while it runs, with the datum's number and name before each line");
  verb->add_flag("--explain", options->explain,
                 "Show why the build and each datum runs: the differences from the last run");
  verb->add_flag("--failed", options->failed, "Run only the datums that failed in the last run");
  verb->add_flag("--force", options->force, "Run every datum, even if its result is in the cache");
  // A round takes all that `dev` takes.
  auto* partial =
      verb->add_flag("--partial", options->partial,
                     "Write the output of each datum as soon as the datum ends, even if others fail");
  auto* no_partial = verb->add_flag("--no-partial", options->no_partial,
                                    "Change the output folder only if all datums succeed");
  (which == Verb::run ? no_partial : partial)->group("");
  if (which == Verb::run) verb->add_option(k_round_option, options->round)->group("");
  verb->add_flag("--allow-empty", options->allow_empty, "Allow an input without datums");
  verb->add_flag("--hard-links", options->hard_links,
                 "Make output files read-only hard links into the cache, which avoids a second copy of large "
                 "outputs");
  options->history.add_to(*verb);
  if (which == Verb::dev) add_cluster_to(*verb, options->on_cluster, options->target);
  report::add_usage_after_dashes(*verb, "ARGS...");
  verb->footer(which == Verb::run ? k_about_run : k_about_dev)->callback([options, &invocation, which, verb] {
    invocation.action = [options, &invocation, which, verb]() -> base::Result<int> {
      BASE_TRY(options->run.data.settle(invocation));
      if (options->on_cluster) {
        show_assumed(invocation);
        return dev_on_cluster(*verb, options->run.data.specs, options->target, invocation);
      }
      BASE_TRY(settle_output(*options, *verb, invocation));
      if (which == Verb::dev) return dev(*options, invocation);
      if (options->round >= 0) forget_round(invocation.words);
      return run(*options, invocation);
    };
  });
}

}  // namespace

void add_run(CLI::App& app, Invocation& invocation) {
  add_verb(app, invocation, Verb::run);
  add_verb(app, invocation, Verb::dev);
}

}  // namespace commands
