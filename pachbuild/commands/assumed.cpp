// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/assumed.h"

#include <boost/filesystem/directory.hpp>
#include <boost/filesystem/operations.hpp>

#include "base/text.h"
#include "pachbuild/local/results/output_folder.h"
#include "pachbuild/spec/pipeline_spec.h"
#include "report/report.h"

namespace commands {
namespace {

using base::ErrorKind;
namespace fs = base::fs;

constexpr std::size_t k_specs_named = 10;

std::string named(const std::vector<std::string>& specs) {
  std::vector<std::string> shown;
  for (const auto& spec : specs) {
    if (shown.size() < k_specs_named) shown.push_back(base::shell_quote(spec));
  }
  const auto more = specs.size() - shown.size();
  return base::join(shown, ", ") + (more > 0 ? " and " + std::to_string(more) + " more" : "");
}

// Whether a folder has output of a pipeline, or is empty: so a run that was killed can leave it.
bool has_output_or_nothing(const fs::path& folder) {
  boost::system::error_code error;
  return local::OutputFolder::is_at(folder) ||
         (fs::symlink_status(folder, error).type() == fs::directory_file && fs::is_empty(folder, error) &&
          !error);
}

// Whether a folder is missing, or has nothing but output of one pipeline or several.
bool can_have_output(const fs::path& folder) {
  boost::system::error_code error;
  const auto type = fs::symlink_status(folder, error).type();
  if (type == fs::file_not_found || has_output_or_nothing(folder)) return true;
  if (type != fs::directory_file) return false;
  fs::directory_iterator entry(folder, error);
  while (!error && entry != fs::directory_iterator()) {
    if (!has_output_or_nothing(entry->path())) return false;
    entry.increment(error);
  }
  return !error;
}

}  // namespace

void assume(Invocation& invocation, const std::string& option, const std::string& value) {
  invocation.words.push_back(option);
  invocation.words.push_back(value);
  invocation.has_assumed = true;
}

base::Result<std::string> assume_spec(Invocation& invocation) {
  BASE_TRY_ASSIGN(const auto specs, spec::find_specs("."));
  if (specs.size() == 1) {
    // A name like "-x.json" would be read as an option.
    const auto spec = (specs.front().starts_with('-') ? "./" : "") + specs.front();
    assume(invocation, "-f", spec);
    return spec;
  }
  if (specs.empty()) {
    return base::fail(ErrorKind::usage, "", "the current folder has no pipeline spec",
                      "name one (" + invocation.verb + " -f SPEC), or create a pipeline (pachbuild init)");
  }
  return base::fail(
      ErrorKind::usage, "",
      "the current folder has " + std::to_string(specs.size()) + " pipeline specs: " + named(specs),
      "choose one (" + invocation.verb + " -f " + base::shell_quote(specs.front()) + "), or all of them (" +
          invocation.verb + " -f .)");
}

base::Result<std::string> assume_output(Invocation& invocation, const std::vector<std::string>& files) {
  constexpr char k_folder[] = "output";
  const fs::path first = files.empty() || files.front() == "-" ? "" : files.front();
  boost::system::error_code error;
  const auto beside = fs::is_directory(first, error) ? first : first.parent_path();
  const auto output = (beside / k_folder).lexically_normal().string();
  if (!can_have_output(output)) {
    return base::fail(ErrorKind::usage, output, "exists and is not an output folder of pachbuild",
                      "choose a folder for the output: --output DIR");
  }
  assume(invocation, "--output", output);
  return output;
}

void show_assumed(const Invocation& invocation) {
  if (!invocation.has_assumed && !invocation.is_again) return;
  std::vector<std::string> shown = {"pachbuild"};
  for (const auto& word : invocation.words) shown.push_back(base::shell_quote(word));
  if (!invocation.after_dashes.empty()) shown.emplace_back("--");
  for (const auto& word : invocation.after_dashes) shown.push_back(base::shell_quote(word));
  report::info(base::join(shown, " "));
}

}  // namespace commands
