// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/explanation.h"

#include <unistd.h>

#include <string_view>

#include "base/text.h"
#include "base/workspace.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "pachbuild/local/pool/pool.h"
#include "pachbuild/local/results/scratch.h"
#include "pachbuild/local/session/build.h"
#include "pachbuild/local/session/builder_folder.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/source/source.h"
#include "report/report.h"

namespace local {
namespace {

namespace fs = base::fs;

constexpr char k_explanation[] = "explanation";

// In the builder's folder; an image has its builder-runtime on PATH. What is printed else goes to the log.
constexpr char k_script[] =
    R"([ ! -e builder.toml ] || set -- --builder . "$@"; exec "$0" "$@" --explain > /pfs/out/explanation)";

std::vector<std::string> explain_command(const std::string& runtime,
                                         const std::vector<std::string>& options) {
  std::vector<std::string> words = {"sh", "-c", k_script, runtime};
  words.insert(words.end(), options.begin(), options.end());
  return words;
}

}  // namespace

base::Result<std::string> explain_build(const ExplainedBuilder& builder, const std::string& shown_source,
                                        const fs::path& cache, process::Interruption& interruption) {
  BASE_TRY_ASSIGN(const auto workspace, make_scratch(cache));
  const fs::path& scratch = workspace.path();
  const fs::path copy = scratch / "source";
  BASE_TRY_ASSIGN(const auto files, source::list_source(fs::absolute(shown_source)));
  BASE_TRY(base::make_folders(copy, 0700));
  BASE_TRY(source::copy_source(files, copy));
  Task task;
  task.id = "explain";
  task.inputs = {{contract::k_source_input, copy.string(), "", "copy"}};
  task.output = (scratch / "out").string();
  std::unique_ptr<WorkerHost> host;
  if (builder.container) {
    const fs::path own = image_cache(*builder.container, cache);
    BASE_TRY(base::make_folders(own, 0700));
    host = containers_of(*builder.container, {{scratch}, {own, true}});
    task.command = explain_command("builder-runtime", {});
    task.environment = network_environment();
    task.environment[contract::k_cache_variable] = k_host_root + own.string();
  } else {
    BASE_TRY_ASSIGN(const auto runtime, find_builder_runtime());
    host = this_machine();
    task.command = explain_command(runtime, builder.language.empty()
                                                ? std::vector<std::string>()
                                                : std::vector<std::string>{"--language", builder.language});
    task.environment = build_environment(cache);
    task.folder = builder.folder.empty() ? "/" : builder.folder.string();
  }
  BASE_TRY_ASSIGN(auto pool, Pool::start(1, scratch, *host));
  std::string printed;
  const auto keep = [&](std::string_view text) { printed += text; };
  BASE_TRY_ASSIGN(const auto outcome,
                  pool.run_one(std::move(task), interruption.descriptor(), keep, report::warn));
  if (auto checked = check_build(outcome); !checked) {
    // What a builder prints on its way to an answer is of no use beside it. The person knows the source by
    // another name.
    base::replace_all(printed, contract::k_source, shown_source);
    static_cast<void>(base::write_all(STDERR_FILENO, printed, "standard error"));
    return base::fail(std::move(checked).error());
  }
  return base::read_file(scratch / "out" / k_explanation);
}

}  // namespace local
