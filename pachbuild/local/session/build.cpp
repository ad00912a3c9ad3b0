// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/build.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/digest.h"
#include "base/errors.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "pachbuild/local/plan/tree.h"
#include "pachbuild/local/pool/pool.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/source/source.h"
#include "report/report.h"

namespace local {
namespace {

namespace fs = base::fs;
using base::ErrorKind;

// In the cache of an image: it holds what the image brings.
constexpr char k_filled[] = ".filled";

// What stands for the content of an artifact's file: a bundle is named by its digest, which worker-shim
// verifies.
base::Result<std::string> content_digest(const fs::path& folder, const std::string& path) {
  const std::string prefix = contract::k_bundle_prefix;
  const std::string suffix = contract::k_bundle_suffix;
  if (path.rfind(prefix, 0) == 0 && path.size() == prefix.size() + base::k_digest_length + suffix.size()) {
    const std::string digest = path.substr(prefix.size(), base::k_digest_length);
    if (base::is_digest(digest)) return digest;
  }
  return base::sha256_of_file((folder / path).string());
}

base::Result<std::vector<std::string>> build_command(const spec::PipelineSpec& spec, bool own_script) {
  const auto& build = spec.transform.build;
  if (build.language.empty() && !own_script) {
    return base::fail(ErrorKind::bad_input, spec.places.where("/transform/build/image"),
                      "pachbuild run builds on this machine, not in the image " + build.image,
                      "add --runtime podman, use transform.build.language, or add a build.sh to the source");
  }
  BASE_TRY_ASSIGN(const auto folder, base::own_folder());
  const auto builder = process::find_program((folder / "builder-runtime").string(), "");
  if (!builder) {
    return base::fail(ErrorKind::unavailable, (folder / "builder-runtime").string(), "is missing",
                      "install it beside pachbuild");
  }
  std::vector<std::string> command{*builder};
  if (!build.language.empty()) command.insert(command.end(), {"--language", build.language});
  return command;
}

// The build's answer as this program's: the builder has said what is wrong.
base::Status check(const TaskOutcome& outcome) {
  if (outcome.error) return base::fail(*outcome.error);
  if (outcome.result == TaskResult::succeeded) return {};
  for (const auto kind :
       {ErrorKind::step_failed, ErrorKind::usage, ErrorKind::bad_input, ErrorKind::unavailable,
        ErrorKind::bug, ErrorKind::cannot_write, ErrorKind::io, ErrorKind::network}) {
    if (outcome.exit_code == static_cast<int>(kind)) return base::fail(kind, "", "");
  }
  return base::fail(ErrorKind::step_failed, "the build", "ended with " + outcome.reason);
}

// Each image has a cache of its own on this machine, since its containers do not last.
fs::path image_cache(const Container& container, const fs::path& cache) {
  const auto digest = container.image_id.substr(container.image_id.find(':') + 1);
  return cache / "images" / digest.substr(0, 16);
}

// What a builder's image has in its cache (Go's has the compiled standard library) comes into the one on this
// machine.
constexpr char k_take_image_cache[] = R"([ ! -d "$0" ] || cp -R "$0/." "$PACHBUILD_CACHE_DIR/")";

// The tasks of a build in a container: the builder's own script, as on a cluster.
std::vector<Task> tasks_in_container(const spec::PipelineSpec& spec, Task build, const fs::path& cache) {
  build.command = {"sh", "./build.sh"};
  build.environment = network_environment();
  build.environment[contract::k_cache_variable] = k_host_root + cache.string();
  add_build_variables(build.environment, spec);
  build.folder = "";
  boost::system::error_code error;
  if (fs::exists(cache / k_filled, error)) return {build};
  Task fill = build;
  fill.id = "fill";
  fill.inputs.clear();
  fill.command = {"sh", "-c", k_take_image_cache, contract::k_image_cache};
  fill.output += ".fill";
  return {fill, build};
}

// What a build needs beside its spec.
struct Site {
  const fs::path& cache;
  const fs::path& scratch;
  Slots& slots;
  process::Interruption& interruption;
};

base::Status perform(std::vector<Task> tasks, const Place& place, const Site& site) {
  BASE_TRY_ASSIGN(auto pool, Pool::start(1, site.scratch, place, &site.slots));
  for (auto& task : tasks) {
    BASE_TRY_ASSIGN(const auto outcome, pool.run_one(std::move(task), site.interruption.descriptor()));
    BASE_TRY(check(outcome));
  }
  return {};
}

base::Status build_here(const spec::PipelineSpec& spec, Task task, bool own_build_script, const Site& site) {
  BASE_TRY_ASSIGN(task.command, build_command(spec, own_build_script));
  task.environment = build_environment(site.cache);
  add_build_variables(task.environment, spec);
  task.folder = "/";
  return perform({std::move(task)}, *this_machine(), site);
}

base::Status build_in(const spec::PipelineSpec& spec, const Container& container, Task task,
                      const Site& site) {
  const fs::path own = image_cache(container, site.cache);
  BASE_TRY(base::make_folders(own, 0700));
  const auto place = containers_of(container, {{site.scratch}, {own, true}});
  BASE_TRY(perform(tasks_in_container(spec, std::move(task), own), *place, site));
  return base::write_file(own / k_filled, "");
}

}  // namespace

base::Result<std::string> artifact_version(const fs::path& folder) {
  base::Sha256 digest;
  BASE_TRY(visit_files(folder.string(), "", [&](const std::string& path, const struct stat&) -> base::Status {
    BASE_TRY_ASSIGN(const auto content, content_digest(folder, path));
    digest.update_field(path);
    digest.update_field(content);
    return {};
  }));
  return digest.finish();
}

base::Result<Artifact> build(const spec::PipelineSpec& spec, const Container* container,
                             const fs::path& cache, const fs::path& scratch, Slots& slots,
                             process::Interruption& interruption) {
  BASE_TRY_ASSIGN(auto source,
                  source::read_source(spec.transform.build.folder,
                                      spec.transform.build.largest_file.value_or(source::k_largest_file)));
  BASE_TRY_ASSIGN(const std::string warning, source::add_revision(spec.transform.build.folder, source));
  if (!warning.empty()) report::warn(warning);
  auto& files = source.files;
  Artifact artifact{scratch / "source", scratch / "artifact", {}, {}, true};
  BASE_TRY(base::make_folders(artifact.source, 0700));
  BASE_TRY(source::copy_source(files, artifact.source));
  // The digest is that of the copy: the person may be saving a file just now.
  for (auto& file : files) file.file = artifact.source / file.path;
  BASE_TRY_ASSIGN(artifact.source_version, source::source_digest(files));
  const bool own_build_script = source::has_file(files, contract::k_build_script);
  artifact.lazy = !source::has_own_script(files);

  Task task;
  task.id = artifact.source_version;
  task.inputs = {{contract::k_source_input, artifact.source.string(), "", artifact.source_version}};
  task.output = artifact.folder.string();
  const Site site{cache, scratch, slots, interruption};
  BASE_TRY(container == nullptr ? build_here(spec, task, own_build_script, site)
                                : build_in(spec, *container, task, site));

  boost::system::error_code ignored;
  if (spec.transform.cmd.empty() && !fs::exists(artifact.folder / contract::k_run_script, ignored)) {
    return base::fail(ErrorKind::step_failed, "the build", "left no run.sh in /pfs/out",
                      "its build.sh must write one, or transform.cmd say what to run");
  }
  BASE_TRY_ASSIGN(artifact.version, artifact_version(artifact.folder));
  return artifact;
}

}  // namespace local
