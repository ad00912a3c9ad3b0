// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/builder.h"

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/errors.h"
#include "base/text.h"
#include "base/workspace.h"
#include "pachbuild/commands/interruptible.h"
#include "pachbuild/conformance/examination.h"
#include "pachbuild/local/session/builder_folder.h"
#include "pachbuild/spec/duration.h"
#include "report/usage.h"

namespace commands {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

constexpr char k_about_test[] = R"(
The builder is an image, or a folder with a builder.toml or a build.sh, which then builds on this machine. It builds a
probe: a source whose program writes its arguments to a file, exits with a code, or is killed by a signal, as described in
docs/authoring-builders.md. The probe is built and started as on a cluster's workers; it is also edited and rebuilt, and
built elsewhere to compare the bytes. A builder's probe is the folder probe/ next to its build.sh or builder.toml.

  pachbuild builder test ./my-builder                         check a folder on this machine
  pachbuild builder test ./my-builder --log --keep result     show what builds print, and keep their output
  pachbuild builder test my-builder:1 --junit report.xml      check an image, and write a report for CI
  pachbuild builder test my-builder:1 --env INDEX=https://packages.example.com --mount certificates:/etc/my-ca
)";

struct BuilderOptions {
  std::string builder;
  std::string source;
  std::string junit;
  std::string format = "table";
  ImageOptions image;
  std::vector<std::string> variables;
  std::vector<std::string> mounts;
  std::uint32_t seed = 1;
  std::string timeout = "20s";
  bool log = false;
  std::string keep;
};

bool is_folder(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// Empty for an image that is to have one.
base::Result<fs::path> find_probe(const BuilderOptions& options, bool is_image) {
  if (options.source.empty() && is_image) return fs::path();
  const std::string source = options.source.empty() ? options.builder + "/probe" : options.source;
  if (is_folder(source)) return fs::canonical(source);
  const bool guessed = options.source.empty();
  return base::fail(ErrorKind::usage, guessed ? options.builder : "--source " + source,
                    guessed ? "has no probe folder" : "is not a folder",
                    "name the source of a probe (see docs/authoring-builders.md)");
}

base::Result<std::map<std::string, std::string>> read_variables(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> variables;
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
      return base::fail(ErrorKind::usage, "--env " + text, "does not have the form NAME=VALUE");
    variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return variables;
}

base::Result<std::vector<local::SharedFolder>> read_mounts(const std::vector<std::string>& texts) {
  std::vector<local::SharedFolder> mounts;
  for (const auto& text : texts) {
    const auto colon = text.rfind(':');
    const std::string path = text.substr(0, colon);
    const std::string inside = colon == std::string::npos ? "" : text.substr(colon + 1);
    if (path.empty() || !inside.starts_with('/') || base::contains(inside, ',')) {
      return base::fail(ErrorKind::usage, "--mount " + text, "does not have the form PATH:PATH",
                        "the first path is on this machine; the second is an absolute path in the container, "
                        "without commas");
    }
    boost::system::error_code error;
    const fs::path found = fs::canonical(path, error);
    if (error) return base::fail(ErrorKind::usage, "--mount " + text, base::quoted(path) + " does not exist");
    mounts.push_back({.path = found, .inside = inside});
  }
  return mounts;
}

base::Result<std::chrono::milliseconds> read_timeout(const std::string& text) {
  const auto duration = spec::parse_duration(text);
  const auto timeout =
      std::chrono::ceil<std::chrono::milliseconds>(duration.value_or(std::chrono::seconds{0}));
  if (timeout.count() > 0) return timeout;
  return base::fail(ErrorKind::usage, "--timeout", "invalid duration " + base::quoted(text),
                    "write a number above 0 with a unit: 30s, 1m30s");
}

// Each build's output, below a line that says which build it is.
void print_log(const std::string& name, const fs::path& log) {
  const auto text = base::read_file(log).value_or("");
  std::fprintf(stderr, "=== build \"%s\"\n%s%s", name.c_str(), text.c_str(),
               text.empty() || text.ends_with('\n') ? "" : "\n");
}

base::Result<conformance::Subject> find_subject(const BuilderOptions& options,
                                                process::Interruption& interruption) {
  BASE_TRY_ASSIGN(const bool is_here, is_builder_folder(options.builder));
  const bool is_image = !is_here;
  conformance::Subject subject{.seed = options.seed};
  BASE_TRY_ASSIGN(subject.variables, read_variables(options.variables));
  BASE_TRY_ASSIGN(subject.patience, read_timeout(options.timeout));
  if (!is_image && !options.mounts.empty()) {
    return base::fail(ErrorKind::usage, "--mount", "is for images",
                      "omit it: the builds of a folder see this machine's files");
  }
  BASE_TRY_ASSIGN(subject.mounts, read_mounts(options.mounts));
  BASE_TRY_ASSIGN(subject.probe, find_probe(options, is_image));
  if (options.log) subject.built = print_log;
  if (is_image) {
    BASE_TRY_ASSIGN(subject.container, options.image.find(options.builder, interruption));
    return subject;
  }
  subject.folder = fs::canonical(options.builder);
  BASE_TRY(local::folder_build_command(subject.folder, options.builder));
  return subject;
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

// Where the builds' results are: a folder that goes again, unless the person wants to have it.
struct Scratch {
  fs::path path;
  std::optional<base::TemporaryFolder> temporary;
};

base::Result<Scratch> make_scratch(const BuilderOptions& options) {
  Scratch scratch;
  if (options.keep.empty()) {
    BASE_TRY_ASSIGN(const auto parent, world_readable_folder());
    BASE_TRY_ASSIGN(scratch.temporary, base::TemporaryFolder::make(parent, "pachbuild-builder-"));
    scratch.path = scratch.temporary->path();
  } else {
    boost::system::error_code error;
    scratch.path = fs::absolute(options.keep);
    if (fs::exists(scratch.path, error) && (!is_folder(options.keep) || !fs::is_empty(scratch.path, error))) {
      return base::fail(ErrorKind::usage, "--keep " + options.keep, "already exists",
                        "name a new folder, or an empty one");
    }
    BASE_TRY(base::make_folders(scratch.path));
  }
  // Another user gets into folders of its own in it.
  ::chmod(scratch.path.c_str(), 0755);
  return scratch;
}

base::Result<int> test_builder(const BuilderOptions& options, process::Interruption& interruption) {
  BASE_TRY_ASSIGN(const auto subject, find_subject(options, interruption));
  BASE_TRY_ASSIGN(const auto scratch, make_scratch(options));
  BASE_TRY_ASSIGN(const auto rows, conformance::examine(subject, scratch.path, interruption));
  BASE_TRY(print_rows(options, rows));
  const auto failed = std::count_if(
      rows.begin(), rows.end(), [](const auto& row) { return row.outcome == conformance::Outcome::failed; });
  if (failed == 0) return 0;
  return base::fail(ErrorKind::step_failed, options.builder,
                    std::to_string(failed) + " of " + base::count_of(rows.size(), "check") + " failed",
                    std::string(options.log ? "" : "--log shows what the builds print; ") +
                        "docs/authoring-builders.md describes each check");
}

}  // namespace

void add_builder_test(CLI::App& builder, Invocation& invocation) {
  auto options = std::make_shared<BuilderOptions>();
  auto* verb = builder.add_subcommand("test", "Check a builder against the build.sh protocol");
  verb->add_option("DIR|IMAGE", options->builder, "The builder: a folder or an image")
      ->type_name("DIR|IMAGE")
      ->required();
  verb->add_option("--source", options->source, "The probe (default: the builder's probe folder)")
      ->type_name("DIR");
  verb->add_option("--env", options->variables,
                   "Set a variable for the builds, as transform.build.env does; may be repeated")
      ->type_name("NAME=VALUE");
  verb->add_option("--mount", options->mounts,
                   "Mount a file or folder of this machine read-only into the builds; only for images; may "
                   "be repeated")
      ->type_name("PATH:PATH");
  verb->add_flag("--log", options->log, "Show what each build prints, on standard error");
  verb->add_option("--keep", options->keep, "Keep the output and the log of each build in a new folder")
      ->type_name("DIR");
  report::check_whole_number(
      *verb->add_option("--seed", options->seed, "The seed for the arguments of the probe (default: 1)")
           ->type_name("N"),
      0, std::numeric_limits<int>::max());
  verb->add_option("--timeout", options->timeout, "How long each run of the probe may take (default: 20s)")
      ->type_name("DURATION");
  verb->add_option("--junit", options->junit, "Write a report for CI systems")->type_name("FILE");
  verb->add_option("-o,--output", options->format, "The output format (default: table)")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"table", "json"}));
  options->image.add_to(*verb);
  verb->footer(k_about_test)->callback([options, &invocation] {
    invocation.action = [options] {
      return until_interrupted(
          [&](process::Interruption& interruption) { return test_builder(*options, interruption); });
    };
  });
}

}  // namespace commands
