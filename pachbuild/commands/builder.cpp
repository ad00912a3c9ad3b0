// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/text.h"
#include "base/workspace.h"
#include "contract/exit_codes.h"
#include "contract/layout.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/conformance/examination.h"
#include "report/report.h"

namespace commands {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

constexpr char k_about_test[] = R"(
BUILDER is an image, or a folder with a build.sh, which then runs on this machine. It builds a probe: a source whose
program writes its arguments to a file, ends with a code, or ends by a signal, as docs/authoring-builders.md says.
It is built and started as the workers of a cluster would. A folder's probe is its folder probe/.

  pachbuild builder test etc/pipeline-build/python
  pachbuild builder test pachbuild-python:0.1.0 --source etc/pipeline-build/python/probe --junit report.xml
)";

struct BuilderOptions {
  std::string builder;
  std::string source;
  std::string junit;
  std::string format = "table";
  std::string runtime = "podman";
  bool pull = false;
};

bool is_folder(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

base::Result<fs::path> find_probe(const BuilderOptions& options) {
  const std::string source = options.source.empty() ? options.builder + "/probe" : options.source;
  if (is_folder(source)) return fs::absolute(source);
  const bool guessed = options.source.empty();
  return base::fail(ErrorKind::usage, guessed ? options.builder : "--source " + source,
                    guessed ? "has no folder probe" : "is not a folder",
                    "give the source of a probe: docs/authoring-builders.md says what it does");
}

base::Result<conformance::Subject> find_subject(const BuilderOptions& options,
                                                process::Interruption& interruption) {
  conformance::Subject subject;
  BASE_TRY_ASSIGN(subject.probe, find_probe(options));
  if (!is_folder(options.builder)) {
    const auto pull = options.pull ? local::Pull::when_missing : local::Pull::never;
    BASE_TRY_ASSIGN(subject.container,
                    local::find_container(options.runtime, options.builder, pull, interruption));
    return subject;
  }
  subject.folder = fs::canonical(options.builder);
  boost::system::error_code error;
  if (fs::is_regular_file(subject.folder / contract::k_build_script, error)) return subject;
  return base::fail(ErrorKind::bad_input, options.builder, "has no build.sh",
                    "a builder is a folder with a build.sh, which is started by sh, or an image with one");
}

base::Result<fs::path> world_readable_folder() {
  const char* folder = std::getenv("TMPDIR");
  return fs::absolute(folder == nullptr || *folder == '\0' ? "/tmp" : folder);
}

base::Status print_rows(const BuilderOptions& options, const std::vector<conformance::Row>& rows) {
  const bool json = options.format == "json";
  const auto text = json ? conformance::to_json(options.builder, rows) : conformance::to_table(rows);
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  if (options.junit.empty()) return {};
  return base::write_file(options.junit, conformance::to_junit(options.builder, rows));
}

base::Result<int> test_builder(const BuilderOptions& options, process::Interruption& interruption) {
  BASE_TRY_ASSIGN(const auto subject, find_subject(options, interruption));
  BASE_TRY_ASSIGN(const auto parent, world_readable_folder());
  BASE_TRY_ASSIGN(const auto scratch, base::TemporaryFolder::make(parent, "pachbuild-builder-"));
  // Another user gets into folders of its own in it.
  ::chmod(scratch.path().c_str(), 0755);
  BASE_TRY_ASSIGN(const auto rows, conformance::examine(subject, scratch.path(), interruption));
  BASE_TRY(print_rows(options, rows));
  const auto failed = std::count_if(
      rows.begin(), rows.end(), [](const auto& row) { return row.outcome == conformance::Outcome::failed; });
  if (failed == 0) return 0;
  return base::fail(ErrorKind::step_failed, options.builder,
                    std::to_string(failed) + " of " + base::count_of(rows.size(), "check") + " failed",
                    "docs/authoring-builders.md says what each asks for");
}

base::Result<int> test_builder_until_interrupted(const BuilderOptions& options) {
  BASE_TRY_ASSIGN(auto interruption, process::Interruption::watch());
  auto code = test_builder(options, interruption);
  const auto signal = interruption.signal();
  if (code || !signal) return code;
  report::warn("interrupted");
  return contract::k_signal_base + *signal;
}

void add_test(CLI::App& builder, Invocation& invocation) {
  auto options = std::make_shared<BuilderOptions>();
  auto* verb = builder.add_subcommand("test", "Check a builder against the build.sh protocol");
  verb->add_option("builder", options->builder, "The image, or the folder")->type_name("BUILDER")->required();
  verb->add_option("--source", options->source, "The probe (default: BUILDER/probe)")->type_name("DIR");
  verb->add_option("--junit", options->junit, "Write a report for CI systems")->type_name("FILE");
  verb->add_option("-o,--output", options->format, "table (default) or json")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"table", "json"}));
  verb->add_option("--runtime", options->runtime, "Of an image: podman (default) or docker")
      ->type_name("NAME")
      ->check(CLI::IsMember({"podman", "docker"}));
  verb->add_flag("--pull", options->pull, "Pull the image if the runtime does not have it");
  verb->footer(k_about_test)->callback([options, &invocation] {
    invocation.action = [options] { return test_builder_until_interrupted(*options); };
  });
}

}  // namespace

void add_builder(CLI::App& app, Invocation& invocation) {
  auto* builder = app.add_subcommand("builder", "Check builders");
  builder->require_subcommand(1);
  add_test(*builder, invocation);
}

}  // namespace commands
