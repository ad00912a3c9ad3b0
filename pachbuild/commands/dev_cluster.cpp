// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/commands/dev_cluster.h"

#include <CLI/CLI.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "pachbuild/commands/cluster_options.h"
#include "pachbuild/commands/dev.h"
#include "pachbuild/spec/pipeline_spec.h"

namespace commands {
namespace {

using base::ErrorKind;

constexpr char k_cluster_option[] = "--cluster";

base::Error does_not_go(const std::string& option, const std::string& hint) {
  return {ErrorKind::usage, k_cluster_option, "cannot be combined with " + option, hint};
}

// The words of `update pipeline` for what was given; of a round here it has not all options.
base::Result<std::vector<std::string>> words_of(const CLI::App& verb) {
  static const std::set<std::string> k_shared = {
      "--file", "--jsonnet", "--arg", "--builder-images", "--max-file-size", "--project", "--context"};
  std::vector<std::string> words = {"update", "pipeline"};
  for (const auto* option : verb.get_options()) {
    const auto name = option->get_name(/*positional=*/false, /*all_options=*/false);
    if (option->count() == 0 || name == k_cluster_option) continue;
    if (!k_shared.contains(name)) {
      return base::fail(does_not_go(
          name, "the data, the output and the datums are the cluster's; omit " + name + ", or --cluster"));
    }
    for (const auto& value : option->results()) {
      words.push_back(name);
      words.back() += "=" + value;
    }
  }
  return words;
}

base::Result<std::vector<base::fs::path>> sources_on_cluster(const SpecFiles& specs) {
  BASE_TRY_ASSIGN(const auto sources, sources_of(specs.files, specs.jsonnet, specs.arguments));
  BASE_TRY_ASSIGN(const auto pipelines, spec::load_for_cluster(sources, spec::Target::cluster));
  std::vector<base::fs::path> folders;
  for (const auto& pipeline : pipelines) {
    if (pipeline.spec) folders.push_back(pipeline.spec->transform.build.folder);
  }
  return folders;
}

base::Status check(const SpecFiles& specs, const Invocation& invocation) {
  if (!invocation.after_dashes.empty())
    return base::fail(does_not_go("arguments of the program", "put them into transform.cmd"));
  if (specs.files.size() > 1)
    return base::fail(does_not_go("a second -f", "name the folder that contains the specs"));
  if (!specs.files.empty() && (specs.files[0] == "-" || spec::is_url(specs.files[0]))) {
    return base::fail(ErrorKind::usage, "-f " + specs.files[0],
                      "is neither a file nor a folder, so edits cannot be detected",
                      "save the spec to a file and name the file");
  }
  return {};
}

}  // namespace

void add_cluster_to(CLI::App& verb, bool& on_cluster, cluster::Target& target) {
  auto* cluster =
      verb.add_flag(k_cluster_option, on_cluster,
                    "Send each edit to the cluster, and show what the build and the program print there");
  add_target_options(verb, target);
  for (const auto* name : {"--project", "--context"}) verb.get_option(name)->needs(cluster);
}

base::Result<int> dev_on_cluster(const CLI::App& verb, const SpecFiles& specs, const cluster::Target& target,
                                 const Invocation& invocation) {
  DevOptions dev{
      .specs = specs, .on_cluster = true, .sources = [&specs] { return sources_on_cluster(specs); }};
  BASE_TRY_ASSIGN(dev.round, words_of(verb));
  if (invocation.has_assumed) dev.round.push_back("--file=" + specs.files.front());
  BASE_TRY(check(specs, invocation));
  // No edit mends a pachctl that is missing.
  BASE_TRY(connect(target));
  return run_dev(dev);
}

}  // namespace commands
