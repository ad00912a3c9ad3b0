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

constexpr char k_answer[] = "answer";

// In the builder's folder; an image has its builder-runtime on PATH. What is printed else goes to the log.
constexpr char k_script[] =
    R"([ ! -e builder.toml ] || set -- --builder . "$@"; exec "$0" "$@" > /pfs/out/answer)";

std::vector<std::string> question(const std::string& runtime, const std::string& language,
                                  const std::string& option) {
  std::vector<std::string> words = {"sh", "-c", k_script, runtime, option};
  if (!language.empty()) words.insert(words.end(), {"--language", language});
  return words;
}

// What the builder says about a copy of a source, and its other output.
struct Answer {
  base::Result<std::string> text;
  std::string printed;
};

base::Result<Answer> ask(Task task, const fs::path& source, const fs::path& scratch, const WorkerHost& host,
                         process::Interruption& interruption) {
  task.inputs = {{contract::k_source_input, source.string(), "", "copy"}};
  task.output = (scratch / "out").string();
  BASE_TRY_ASSIGN(auto pool, Pool::start(1, scratch, host));
  Answer answer;
  const auto keep = [&](std::string_view text) { answer.printed += text; };
  BASE_TRY_ASSIGN(const auto outcome,
                  pool.run_one(std::move(task), interruption.descriptor(), keep, report::warn));
  auto checked = check_build(outcome);
  answer.text = checked ? base::read_file(scratch / "out" / k_answer)
                        : base::Result<std::string>(base::fail(std::move(checked).error()));
  return answer;
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
  std::unique_ptr<WorkerHost> host;
  if (builder.container) {
    const fs::path own = image_cache(*builder.container, cache);
    BASE_TRY(base::make_folders(own, 0700));
    host = containers_of(*builder.container, {{scratch}, {own, true}});
    task.command = question("builder-runtime", "", "--explain");
    task.environment = network_environment();
    task.environment[contract::k_cache_variable] = k_host_root + own.string();
  } else {
    BASE_TRY_ASSIGN(const auto runtime, find_builder_runtime());
    host = this_machine();
    task.command = question(runtime, builder.language, "--explain");
    task.environment = build_environment(cache);
    task.folder = builder.folder.empty() ? "/" : builder.folder.string();
  }
  BASE_TRY_ASSIGN(auto answer, ask(std::move(task), copy, scratch, *host, interruption));
  if (!answer.text) {
    // What a builder prints on its way to an answer is of no use beside it. The person knows the source by
    // another name.
    base::replace_all(answer.printed, contract::k_source, shown_source);
    static_cast<void>(base::write_all(STDERR_FILENO, answer.printed, "standard error"));
  }
  return std::move(answer.text);
}

base::Result<std::string> ask_source_inputs(const spec::PipelineSpec& spec, const fs::path& source,
                                            const fs::path& cache, process::Interruption& interruption) {
  BASE_TRY_ASSIGN(const auto workspace, make_scratch(cache));
  BASE_TRY_ASSIGN(const auto runtime, find_builder_runtime());
  Task task;
  task.id = "source inputs";
  task.command = question(runtime, spec.transform.build.language, "--source-inputs");
  task.environment = build_environment(cache);
  add_build_variables(task.environment, spec);
  task.folder = "/";
  BASE_TRY_ASSIGN(auto answer, ask(std::move(task), source, workspace.path(), *this_machine(), interruption));
  return std::move(answer.text);
}

}  // namespace local
