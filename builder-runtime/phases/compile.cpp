// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/phases/compile.h"

#include <sys/stat.h>

#include <boost/filesystem/operations.hpp>
#include <cerrno>

#include "archive/bundle.h"
#include "base/errors.h"
#include "base/workspace.h"
#include "builder-runtime/milestone.h"
#include "builder-runtime/store/bundle_store.h"
#include "builder-runtime/store/cache_limit.h"
#include "contract/layout.h"

namespace builder {
namespace {

// The fresh tree is what unpacking its bundle would give: the first datum on this machine finds it unpacked.
// Where that fails, the datum unpacks.
void keep_as_environment(const fs::path& tree, const fs::path& cache, const std::string& digest) {
  const fs::path environments = cache / contract::k_cache_environments;
  if (base::make_folders(environments, base::k_owner_writes))
    static_cast<void>(base::rename_path(tree, environments / digest));
  mark_used(environments / digest);
}

base::Result<StoredBundle> make_bundle(const Plan& plan, const Tools& tools, const BundleStore& store) {
  Milestone milestone("compile");
  const fs::path& cache = tools.settings().cache;
  BASE_TRY_ASSIGN(const auto workspace, base::Workspace::make(cache / "work", "build-"));
  const fs::path tree = workspace.path() / "tree";
  BASE_TRY(base::make_folders(tree, base::k_owner_writes));
  BASE_TRY_ASSIGN(auto made, plan.make(tree));
  BASE_TRY(archives::normalise_modes(tree));

  milestone = Milestone("compile");
  const fs::path file = workspace.path() / "bundle";
  BASE_TRY_ASSIGN(const auto summary,
                  archives::write_bundle(tree, file,
                                         plan.is_remade_by_each_edit ? archives::Compression::fast
                                                                     : archives::Compression::usual));
  contract::Bundle bundle{.file = contract::k_bundle_prefix + summary.digest + contract::k_bundle_suffix,
                          .digest = summary.digest,
                          .bytes = summary.bytes,
                          .unpacked_bytes = summary.unpacked_bytes,
                          .files = summary.files};
  BASE_TRY_ASSIGN(auto stored, store.add(plan.key, file, {std::move(bundle), std::move(made)}, workspace));
  keep_as_environment(tree, cache, summary.digest);
  milestone.reached("packed " + base::count_of(summary.files, "file") + " of " +
                    base::format_bytes(summary.unpacked_bytes));
  return stored;
}

struct Bundle {
  StoredBundle stored;
  bool is_new = false;
};

base::Result<Bundle> find_or_make_bundle(const Plan& plan, const Tools& tools) {
  Milestone milestone("compile");
  const BundleStore store(tools.settings().cache / plan.language);
  auto found = store.find(plan.key);
  if (!found.bundle) {
    BASE_TRY_ASSIGN(const auto lock, store.lock(plan.key, [] {
      report::info("compile: the same build is running already; waiting for it");
    }));
    // Another build may have made it meanwhile.
    found = store.find(plan.key);
    if (!found.bundle) {
      if (!found.damage.empty()) report::warn("cache: " + found.damage + "; building it again");
      BASE_TRY_ASSIGN(auto made, make_bundle(plan, tools, store));
      return Bundle{std::move(made), true};
    }
  }
  mark_used(tools.settings().cache / contract::k_cache_environments / found.bundle->content.bundle.digest);
  milestone.reached("nothing to do, the bundle is in the cache");
  return Bundle{std::move(*found.bundle), false};
}

}  // namespace

base::Result<Artifact> compile(const Plan& plan, const Tools& tools) {
  Artifact artifact;
  artifact.start = plan.start;
  artifact.record = {.builder = plan.language,
                     .version = PACHBUILD_VERSION,
                     .key = plan.key,
                     .platform = plan.platform,
                     .command = plan.start.command,
                     .environment = plan.start.environment};
  if (plan.key.empty()) return artifact;
  BASE_TRY_ASSIGN(const auto bundle, find_or_make_bundle(plan, tools));
  artifact.is_new = bundle.is_new;
  artifact.bundle = bundle.stored.path;
  bundle.stored.content.put_into(artifact.record);
  return artifact;
}

}  // namespace builder
