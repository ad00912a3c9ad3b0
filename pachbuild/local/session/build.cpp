// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/build.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>

#include "base/digest.h"
#include "base/errors.h"
#include "base/measure.h"
#include "base/text.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "pachbuild/local/plan/tree.h"
#include "pachbuild/local/pool/pool.h"
#include "pachbuild/local/results/scratch.h"
#include "pachbuild/local/session/build_output.h"
#include "pachbuild/local/session/builder_folder.h"
#include "pachbuild/local/session/environment.h"
#include "pachbuild/local/session/phase.h"
#include "pachbuild/source/source.h"
#include "pachbuild/spec/own_command.h"

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
  if (path.starts_with(prefix) && path.size() == prefix.size() + base::k_digest_length + suffix.size()) {
    const std::string digest = path.substr(prefix.size(), base::k_digest_length);
    if (base::is_digest(digest)) return digest;
  }
  return base::sha256_of_file((folder / path).string());
}

// What builds on this machine, and where it starts.
struct BuildCommand {
  std::vector<std::string> words;
  std::string folder = "/";
};

base::Result<BuildCommand> build_command(const spec::PipelineSpec& spec, bool own_script) {
  const auto& build = spec.transform.build;
  const std::string place = spec.places.where("/transform/build/image");
  if (!build.builder.empty() && !own_script) {
    const auto folder = fs::absolute(build.builder).lexically_normal();
    BASE_TRY_ASSIGN(auto words, folder_build_command(folder, place));
    return BuildCommand{std::move(words), folder.string()};
  }
  if (build.language.empty() && !own_script) {
    return base::fail(ErrorKind::bad_input, place,
                      "transform.build.image " + base::quoted(build.image) + " needs a container runtime",
                      "add --runtime podman, use transform.build.language, or add a build.sh to the source");
  }
  BASE_TRY_ASSIGN(auto builder, find_builder_runtime());
  std::vector<std::string> command{std::move(builder)};
  if (!build.language.empty()) command.insert(command.end(), {"--language", build.language});
  return BuildCommand{std::move(command)};
}

// What a builder's image has in its cache (Go's has the compiled standard library) comes into the one on this
// machine.
constexpr char k_take_image_cache[] = R"([ ! -d "$0" ] || cp -R "$0/." "$PACHBUILD_CACHE_DIR/")";

// The tasks of a build in a container: the builder's own script, as on a cluster.
std::vector<Task> tasks_in_container(const spec::PipelineSpec& spec, Task build, const fs::path& cache) {
  build.command = {"sh", "./build.sh"};
  build.environment = network_environment();
  build.environment[contract::k_cache_variable] = k_host_root + cache.string();
  build.environment[contract::k_progress_variable] = "1";
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
  const TellOfBuild& tell;
};

std::uint64_t bytes_of(const std::vector<source::SourceFile>& files) {
  std::uint64_t bytes = 0;
  for (const auto& file : files) {
    boost::system::error_code error;
    const auto size = fs::file_size(file.file, error);
    if (!error) bytes += size;
  }
  return bytes;
}

base::Status perform(std::vector<Task> tasks, const WorkerHost& host, const Site& site) {
  BASE_TRY_ASSIGN(auto pool, Pool::start(1, site.scratch, host, &site.slots));
  for (auto& task : tasks) {
    BuildOutput output(site.tell);
    const auto outcome = pool.run_one(
        std::move(task), site.interruption.descriptor(), [&](std::string_view text) { output.add(text); },
        [&](const std::string& what) { site.tell(Warned{what}); });
    output.finish();
    if (!outcome) return base::fail(outcome.error());
    BASE_TRY(check_build(*outcome));
  }
  return {};
}

base::Status build_here(const spec::PipelineSpec& spec, Task task, bool own_build_script, const Site& site) {
  BASE_TRY_ASSIGN(auto command, build_command(spec, own_build_script));
  task.command = std::move(command.words);
  task.environment = build_environment(site.cache);
  task.environment[contract::k_progress_variable] = "1";
  if (spec::is_official(spec.transform)) task.environment[contract::k_this_machine] = "1";
  add_build_variables(task.environment, spec);
  task.folder = std::move(command.folder);
  return perform({std::move(task)}, *this_machine(), site);
}

base::Status build_in(const spec::PipelineSpec& spec, const Container& container, Task task,
                      const Site& site) {
  const fs::path own = image_cache(container, site.cache);
  BASE_TRY(base::make_folders(own, 0700));
  const auto host = containers_of(container, {{site.scratch}, {own, true}});
  BASE_TRY(perform(tasks_in_container(spec, std::move(task), own), *host, site));
  return base::write_file(own / k_filled, "");
}

}  // namespace

base::Status check_build(const TaskOutcome& outcome) {
  if (outcome.error) return base::fail(*outcome.error);
  if (outcome.result == TaskResult::succeeded) return {};
  for (const auto kind :
       {ErrorKind::step_failed, ErrorKind::usage, ErrorKind::bad_input, ErrorKind::unavailable,
        ErrorKind::bug, ErrorKind::cannot_write, ErrorKind::io, ErrorKind::network}) {
    if (outcome.exit_code == static_cast<int>(kind)) return base::fail(kind, "", "");
  }
  return base::fail(ErrorKind::step_failed, "", "the build failed: " + outcome.reason);
}

fs::path image_cache(const Container& container, const fs::path& cache) {
  const auto digest = container.image_id.substr(container.image_id.find(':') + 1);
  return cache / "images" / digest.substr(0, 16);
}

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

std::string build_key(const spec::PipelineSpec& spec, const Container* container) {
  const auto& build = spec.transform.build;
  boost::system::error_code error;
  base::Sha256 key;
  key.update_field(fs::canonical(build.folder, error).string());
  key.update_field(build.language);
  key.update_field(build.builder.empty() ? build.image : fs::canonical(build.builder, error).string());
  key.update_field(container == nullptr ? "" : container->image_id);
  key.update_field(build.largest_file ? std::to_string(*build.largest_file) : "");
  key.update_field(std::to_string(build.env.size()));
  for (const auto& [name, value] : build.env) {
    key.update_field(name);
    key.update_field(value);
  }
  key.update_field(std::to_string(build.data.size()));
  for (const auto& folder : build.data) key.update_field(folder.string());
  const bool is_own = spec::is_own_command(spec.transform.cmd);
  key.update_field(is_own ? "own command" : "");
  // A build can see the pipeline's name: one program of several is chosen by it, a build.sh may do anything.
  const bool ignores_name = build.image.empty() && (is_own || build.language == "python") &&
                            !fs::exists(build.folder / contract::k_build_script, error);
  key.update_field(ignores_name ? "" : spec.name);
  // Without a command the build must leave a run.sh.
  key.update_field(spec.transform.cmd.empty() ? "run.sh" : "");
  return key.finish();
}

base::Result<Artifact> Builds::get(const std::string& key,
                                   const std::function<base::Result<Artifact>()>& make) {
  std::unique_lock lock(m_mutex);
  const auto [known, is_first] = m_builds.try_emplace(key);
  auto& build = known->second;
  if (!is_first) {
    m_made.wait(lock, [&] { return build.has_value(); });
    if (*build) return *build;
    return base::fail(build->error().kind, "", "");
  }
  const auto settle = [&](base::Result<Artifact> made) {
    lock.lock();
    build = std::move(made);
    m_made.notify_all();
  };
  lock.unlock();
  try {
    auto made = make();
    settle(made);
    return made;
  } catch (...) {
    settle(base::fail(ErrorKind::bug, "", ""));  // nobody waits for ever
    throw;
  }
}

base::Result<Artifact> build(const spec::PipelineSpec& spec, const Container* container,
                             const fs::path& cache, Slots& slots, process::Interruption& interruption,
                             const TellOfBuild& tell) {
  BASE_TRY_ASSIGN(auto workspace, make_scratch(cache));
  const auto shared = std::make_shared<const base::Workspace>(std::move(workspace));
  const fs::path& scratch = shared->path();
  BASE_TRY_ASSIGN(auto source, source::read_source(spec.transform.build));
  BASE_TRY_ASSIGN(const std::string warning, source::add_revision(spec.transform.build.folder, source));
  if (!warning.empty()) tell(Warned{warning});
  if (auto paths = source::left_out_by_git(source); !paths.empty())
    tell(SourceLeftOut{std::move(paths), spec.transform.build.folder.string()});
  auto& files = source.files;
  Artifact artifact{.scratch = shared, .source = scratch / "source", .folder = scratch / "artifact"};
  BASE_TRY(base::make_folders(artifact.source, 0700));
  const auto in_step = [&](const std::string& name, const auto& work) {
    const auto meter = std::make_shared<Meter>();
    meter->all = bytes_of(files);
    tell(BuildSteps{name, meter});
    const base::Measure measure(counted_by(meter));
    return work();
  };
  BASE_TRY(in_step("copying the source", [&] { return source::copy_source(files, artifact.source); }));
  // The digest is that of the copy: the person may be saving a file just now.
  for (auto& file : files) file.file = artifact.source / file.path;
  BASE_TRY_ASSIGN(artifact.source_files,
                  in_step("digesting the source", [&] { return source::file_digests(files); }));
  artifact.source_version = source::source_digest(artifact.source_files);
  tell(BuildSteps{});
  const bool own_build_script = source::has_file(files, contract::k_build_script);
  artifact.lazy = !source::has_own_script(files);

  Task task;
  task.id = artifact.source_version;
  task.inputs = {{contract::k_source_input, artifact.source.string(), "", artifact.source_version}};
  task.output = artifact.folder.string();
  const Site site{cache, scratch, slots, interruption, tell};
  BASE_TRY(container == nullptr ? build_here(spec, task, own_build_script, site)
                                : build_in(spec, *container, task, site));

  boost::system::error_code ignored;
  if (spec.transform.cmd.empty() && !fs::exists(artifact.folder / contract::k_run_script, ignored)) {
    return base::fail(ErrorKind::step_failed, "the build", "did not write run.sh to /pfs/out",
                      "its build.sh must write this file, or transform.cmd must name a command");
  }
  if (!spec.transform.build.builder.empty()) {
    BASE_TRY_ASSIGN(artifact.builder_files, folder_files(spec.transform.build.builder));
  }
  artifact.has_environment = fs::exists(artifact.folder / contract::k_environment_script, ignored);
  artifact.record = base::read_input_file(artifact.folder / contract::k_record).value_or("");
  BASE_TRY_ASSIGN(const auto own, base::own_folder());
  artifact.shim = (own / contract::k_shim).string();
  BASE_TRY_ASSIGN(artifact.version, artifact_version(artifact.folder));
  return artifact;
}

}  // namespace local
