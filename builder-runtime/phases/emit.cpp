// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/phases/emit.h"

#include <boost/filesystem/operations.hpp>

#include "base/errors.h"
#include "builder-runtime/milestone.h"
#include "builder-runtime/run_script/run_script.h"
#include "builder-runtime/store/bundle_store.h"
#include "contract/layout.h"

namespace builder {
namespace {

constexpr char k_temporary_prefix[] = ".pachbuild-";
constexpr mode_t k_script_mode = 0755;

bool is_ours(const std::string& name) {
  const auto starts = [&](std::string_view prefix) { return name.rfind(prefix, 0) == 0; };
  const std::string_view suffix = contract::k_bundle_suffix;
  const bool bundle = (starts(contract::k_bundle_prefix) || starts(contract::k_base_prefix)) &&
                      std::string_view(name).ends_with(suffix);
  return bundle || starts(k_temporary_prefix) || name == contract::k_record || name == contract::k_shim;
}

// run.sh goes first: from then on no one takes what is left for an artifact.
base::Status remove_former_artifact(const fs::path& out) {
  BASE_TRY(base::remove_tree(out / contract::k_run_script));
  std::vector<fs::path> former;
  boost::system::error_code error;
  for (fs::directory_iterator entry(out, error), end; !error && entry != end; entry.increment(error)) {
    if (is_ours(entry->path().filename().string())) former.push_back(entry->path());
  }
  if (error) return base::fail(base::system_error("read", out.string(), error.value()));
  for (const auto& path : former) BASE_TRY(base::remove_tree(path));
  return {};
}

base::Result<std::string> script_text(const Artifact& artifact, const Source& source, const Tools& tools) {
  if (source.has_run_script) return base::read_file(source.folder / contract::k_run_script);
  BASE_TRY_ASSIGN(std::string shim_digest, tools.digest_of(tools.settings().shim));
  const auto& bundles = artifact.record.bundles;
  return run_script_text({.builder = artifact.record.builder,
                          .version = artifact.record.version,
                          .bundle_digest = bundles.empty() ? "" : bundles.front().digest,
                          .shim_digest = std::move(shim_digest),
                          .start = artifact.start});
}

// The artifact's files in a folder of their own, in the order in which they become visible.
base::Result<std::vector<std::string>> prepare(const fs::path& folder, const Artifact& artifact,
                                               const Source& source, const Tools& tools) {
  std::vector<std::string> names;
  for (const auto& bundle : artifact.record.bundles) {
    names.push_back(bundle.file);
    BASE_TRY(base::link_or_copy_file(artifact.bundles / bundle.file, folder / bundle.file, k_bundle_mode));
  }
  names.emplace_back(contract::k_shim);
  BASE_TRY(base::copy_regular_file(tools.settings().shim, folder / names.back(), k_script_mode));
  names.emplace_back(contract::k_record);
  BASE_TRY(base::write_file(folder / names.back(), contract::to_json(artifact.record)));
  names.emplace_back(contract::k_run_script);
  BASE_TRY_ASSIGN(const std::string script, script_text(artifact, source, tools));
  BASE_TRY(base::write_file(folder / names.back(), script, k_script_mode));
  return names;
}

// The error about a file where it is made, as one about the file that it was to become.
base::Error in_place(base::Error error, const fs::path& temporary, const fs::path& out) {
  const fs::path relative = fs::path(error.where).lexically_relative(temporary);
  if (!relative.empty() && *relative.begin() != "..") error.where = (out / relative).string();
  return error;
}

std::string summary_of(const Artifact& artifact, const Source& source) {
  std::string text = source.has_run_script ? "the source's own run.sh" : "run.sh";
  for (const auto& bundle : artifact.record.bundles) {
    const auto name = bundle.file.substr(0, bundle.file.find('-') + 1) + bundle.digest.substr(0, 12);
    text += ", " + name + " " + base::format_bytes(bundle.bytes);
  }
  return text;
}

}  // namespace

base::Status emit(const Artifact& artifact, const Source& source, const Tools& tools) {
  Milestone milestone("emit");
  const fs::path& out = tools.settings().out;
  BASE_TRY(base::make_folders(out));
  // Of two builds into one folder the later one replaces what the other made, and never a part of it.
  BASE_TRY_ASSIGN(const auto lock, base::FileLock::acquire_folder(out));
  BASE_TRY(remove_former_artifact(out));
  BASE_TRY_ASSIGN(const auto folder, base::TemporaryFolder::make(out, k_temporary_prefix));
  const auto names = prepare(folder.path(), artifact, source, tools);
  if (!names) return base::fail(in_place(names.error(), folder.path(), out));
  for (const auto& name : *names) BASE_TRY(base::rename_path(folder.path() / name, out / name));
  milestone.reached(summary_of(artifact, source));
  return {};
}

}  // namespace builder
