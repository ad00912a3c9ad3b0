// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/history_options.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "base/errors.h"
#include "base/files.h"
#include "base/inside.h"
#include "base/unique_fd.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/history/page.h"
#include "pachbuild/history/trace.h"
#include "pachbuild/source/source.h"
#include "report/report.h"

namespace commands {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

constexpr char k_report[] = "--report";
constexpr char k_trace[] = "--trace";

base::Status check_file(const std::string& where, const std::string& path) {
  const auto file = base::resolved_path(path);
  struct stat status{};
  if (path.back() == '/' || (::stat(file.c_str(), &status) == 0 && S_ISDIR(status.st_mode)))
    return base::fail(ErrorKind::usage, where, "is a folder", "name a file in it");
  if (::lstat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    return base::fail(ErrorKind::usage, where, "is not a regular file", "choose another name");
  const auto folder = file.parent_path();
  if (::stat(folder.c_str(), &status) != 0 && errno == ENOENT)
    return base::fail(ErrorKind::usage, where, "the folder " + folder.string() + " does not exist",
                      "create it first");
  // Only making one shows that a file can be made there.
  std::string temporary = file.string() + ".XXXXXX";
  const base::UniqueFd made(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!made) {
    auto error = base::system_error("create", file.string(), errno);
    return base::fail(ErrorKind::cannot_write, where, error.what, error.hint);
  }
  ::unlink(temporary.c_str());
  return {};
}

// A file that changes with every run must not be part of what a run reads.
base::Status check_apart(const std::string& where, const fs::path& file, const local::Plan& plan,
                         const std::string& output) {
  if (!output.empty() && base::path_below(file, base::resolved_path(output))) {
    return base::fail(ErrorKind::usage, where,
                      "is in the --output folder, which contains only the outputs of datums",
                      "choose another folder");
  }
  for (const auto& [name, folder] : plan.folders) {
    if (base::path_below(file, base::resolved_path(folder)))
      return base::fail(ErrorKind::usage, where, "is inside repo " + name, "choose another folder");
  }
  for (const auto& pipeline : plan.pipelines) {
    if (!spec::is_built(pipeline.spec.transform)) continue;
    const auto& builder = pipeline.spec.transform.build.builder;
    if (!builder.empty() && base::path_below(file, base::resolved_path(builder))) {
      return base::fail(ErrorKind::usage, where, "would be a part of the builder " + builder.string(),
                        "choose another folder");
    }
    const auto source = base::resolved_path(pipeline.spec.transform.build.folder.string());
    if (!base::path_below(file, source)) continue;
    BASE_TRY_ASSIGN(const auto decision, source::decide(source, file.lexically_relative(source).string(),
                                                        pipeline.spec.transform.build.data));
    if (decision.is_left_out) continue;
    return base::fail(ErrorKind::usage, where, "is inside the source " + source.string(),
                      "choose another folder, or list the file in " + std::string(source::k_ignore_file));
  }
  return {};
}

}  // namespace

void HistoryOptions::add_to(CLI::App& verb) {
  verb.add_option(k_report, report, "Write a report of the run: one HTML page that needs no network")
      ->type_name("FILE");
  verb.add_option(k_trace, trace, "Write a timeline of the run for ui.perfetto.dev or chrome://tracing")
      ->type_name("FILE");
}

base::Status HistoryOptions::check(const local::Plan& plan, const std::string& output) const {
  for (const auto& [option, path] : {std::pair(k_report, report), std::pair(k_trace, trace)}) {
    if (path.empty()) continue;
    const std::string where = std::string(option) + " " + path;
    BASE_TRY(check_apart(where, base::resolved_path(path), plan, output));
    BASE_TRY(check_file(where, path));
  }
  if (!report.empty() && !trace.empty() && base::resolved_path(report) == base::resolved_path(trace))
    return base::fail(ErrorKind::usage, "--trace " + trace, "--report already writes to this file",
                      "choose another name");
  return {};
}

base::Status HistoryOptions::write(const history::Run& run, bool quiet) const {
  if (!report.empty()) {
    BASE_TRY(base::write_file(base::resolved_path(report), history::page_of(run)));
    if (!quiet) ::report::info("report: " + report);
  }
  if (!trace.empty()) {
    BASE_TRY(base::write_file(base::resolved_path(trace), history::trace_of(run)));
    if (!quiet) ::report::info("trace: " + trace);
  }
  return {};
}

history::Run begin_history(const Invocation& invocation) {
  history::Run run;
  run.version = PACHBUILD_VERSION;
  run.words = invocation.words;
  run.after_dashes = invocation.after_dashes;
  boost::system::error_code error;
  run.folder = fs::current_path(error).string();
  run.started = std::time(nullptr);
  return run;
}

}  // namespace commands
