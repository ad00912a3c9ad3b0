// SPDX-License-Identifier: Apache-2.0
// rerun: the last run that was started in this folder, again.
#include "pachbuild/commands/rerun.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/credentials.h"
#include "base/digest.h"
#include "base/errors.h"
#include "base/files.h"
#include "base/text.h"
#include "pachbuild/commands/commands.h"
#include "pachbuild/local/pool/cbor.h"
#include "pachbuild/local/session/environment.h"

namespace commands {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

constexpr char k_about_rerun[] = R"(
Repeats the last `pachbuild run` in this folder, with the same arguments. Unchanged datums are skipped, as in any
run.

  pachbuild rerun
  pachbuild rerun --failed --logs
  pachbuild rerun --force
)";

constexpr int k_version = 1;

base::Result<fs::path> memory_of_this_folder() {
  boost::system::error_code error;
  const auto folder = fs::current_path(error);
  if (error) return base::fail(base::system_error("read", "the current folder", error.value()));
  BASE_TRY_ASSIGN(const auto cache, local::cache_folder());
  BASE_TRY(base::make_folders(cache / "run" / "commands", 0700));
  return cache / "run" / "commands" / base::sha256(folder.string()).substr(0, 16);
}

std::optional<std::vector<std::string>> recall(const fs::path& memory) {
  const auto known = local::load_sealed(memory, k_version);
  try {
    if (known) return known->at("words").get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
  return std::nullopt;
}

base::Result<int> rerun(const std::vector<std::string>& added) {
  BASE_TRY_ASSIGN(const auto memory, memory_of_this_folder());
  auto words = recall(memory);
  if (!words) {
    return base::fail(ErrorKind::usage, "rerun", "no run is recorded for this folder",
                      "start one with pachbuild run; a run with a password in its arguments is not recorded");
  }
  // Before what is the program's.
  words->insert(std::find(words->begin(), words->end(), "--"), added.begin(), added.end());
  return run_words(*words, /*is_again=*/true);
}

}  // namespace

void remember_run(const Invocation& invocation) {
  auto words = invocation.words;
  if (!invocation.after_dashes.empty()) words.emplace_back("--");
  words.insert(words.end(), invocation.after_dashes.begin(), invocation.after_dashes.end());
  const auto has_password = [](const std::string& word) { return base::hide_credentials(word) != word; };
  const auto memory = memory_of_this_folder();
  if (!memory) return;
  if (std::any_of(words.begin(), words.end(), has_password)) {
    static_cast<void>(base::remove_tree(*memory));
    return;
  }
  static_cast<void>(local::save_sealed(*memory, k_version, {{"words", words}}));
}

void add_rerun(CLI::App& app, Invocation& invocation) {
  auto* verb = app.add_subcommand("rerun", "Repeat the last run in this folder");
  struct Options {
    bool failed = false;
    bool force = false;
    bool quiet = false;
    bool logs = false;
    bool explain = false;
  };
  auto options = std::make_shared<Options>();
  verb->add_flag("--failed", options->failed, "Rerun only the datums that failed");
  verb->add_flag("--force", options->force, "Rerun every datum, even if its result is in the cache");
  verb->add_flag("-q,--quiet", options->quiet, "Print only errors and failures");
  verb->add_flag("--logs", options->logs, "Show the output of every datum that runs");
  verb->add_flag("--explain", options->explain, "Show why the build and each datum runs");
  verb->footer(k_about_rerun)->callback([options, &invocation] {
    invocation.action = [options] {
      std::vector<std::string> added;
      if (options->failed) added.emplace_back("--failed");
      if (options->force) added.emplace_back("--force");
      if (options->quiet) added.emplace_back("--quiet");
      if (options->logs) added.emplace_back("--logs");
      if (options->explain) added.emplace_back("--explain");
      return rerun(added);
    };
  });
}

}  // namespace commands
