// SPDX-License-Identifier: Apache-2.0
#include "builder-runtime/phases/compile.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <optional>

#include "archive/bundle.h"
#include "base/errors.h"
#include "base/measure.h"
#include "base/workspace.h"
#include "builder-runtime/milestone.h"
#include "builder-runtime/store/bundle_store.h"
#include "builder-runtime/store/cache_limit.h"
#include "cache/builder_cache.h"
#include "contract/layout.h"
#include "report/progress.h"

namespace builder {
namespace {

// The fresh tree is what unpacking its bundle would give: the first datum on this machine finds it unpacked.
// Where that fails, the datum unpacks.
void keep_as_environment(const fs::path& tree, const fs::path& cache, const std::string& digest) {
  const fs::path environments = cache / contract::k_cache_environments;
  if (base::make_folders(environments, base::k_owner_writes))
    static_cast<void>(base::rename_path(tree, environments / digest));
  caches::mark_used(environments / digest);
}

// Of all files; of what cannot be read nothing, which whoever packs it says.
std::uint64_t bytes_below(const fs::path& tree) {
  std::uint64_t bytes = 0;
  boost::system::error_code error;
  for (fs::recursive_directory_iterator entry(tree, error), end; entry != end; entry.increment(error)) {
    if (entry->symlink_status().type() != fs::regular_file) continue;
    boost::system::error_code unknown;
    if (const auto size = fs::file_size(entry->path(), unknown); !unknown) bytes += size;
  }
  return bytes;
}

// What the bundle has for worker-shim alone.
struct OwnFiles {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

OwnFiles own_files_of(const fs::path& tree) {
  OwnFiles own;
  for (const auto* name : {contract::k_base_file, contract::k_variables_file}) {
    boost::system::error_code error;
    const auto size = fs::file_size(tree / name, error);
    if (error) continue;
    ++own.count;
    own.bytes += size;
  }
  return own;
}

class Compiler {
 public:
  Compiler(const Plan& plan, const Tools& tools)
      : m_plan(plan), m_cache(tools.settings().cache), m_store(m_cache / plan.language) {}

  base::Result<StoredBundle> run() {
    return find_or_make(m_plan.key, "nothing to do, the bundle is in the cache", [&] { return make_all(); });
  }

  // The input that changed while it was built; empty: none.
  [[nodiscard]] const std::string& changed() const { return m_changed; }
  // The bundles that were made.
  [[nodiscard]] const std::vector<contract::Bundle>& added() const { return m_added; }

 private:
  template <class Make>
  base::Result<StoredBundle> find_or_make(const std::string& key, const std::string& found_text, Make make);
  base::Result<StoredBundle> make_all();
  base::Status check_inputs();
  base::Result<StoredBundle> make(const Layer& layer, const StoredBundle* below);
  base::Result<StoredBundle> keep(const fs::path& file, BundleContent content, const StoredBundle* below,
                                  const std::string& key, const base::Workspace& workspace);

  const Plan& m_plan;
  const fs::path& m_cache;
  const BundleStore m_store;
  std::vector<contract::Bundle> m_added;
  std::string m_changed;
};

// To be called before anything is stored.
base::Status Compiler::check_inputs() {
  BASE_TRY_ASSIGN(m_changed, m_plan.inputs.changed());
  if (m_changed.empty()) return {};
  return base::fail(base::ErrorKind::io, m_changed, "changed during the build");
}

template <class Make>
base::Result<StoredBundle> Compiler::find_or_make(const std::string& key, const std::string& found_text,
                                                  Make make) {
  Milestone milestone("compile");
  auto found = m_store.find(key);
  if (!found.bundle) {
    BASE_TRY_ASSIGN(const auto lock, m_store.lock(key, [] {
      report::info("compile: the same build is already running; waiting for it");
    }));
    // Another build may have made it meanwhile.
    found = m_store.find(key);
    if (!found.bundle) {
      if (!found.damage.empty()) report::warn("cache: " + found.damage + "; building it again");
      return make();
    }
  }
  for (const auto& bundle : found.bundle->content.bundles) {
    caches::mark_used(m_cache / contract::k_cache_environments / bundle.digest);
  }
  milestone.reached(found_text);
  return std::move(*found.bundle);
}

// Needs the lock of the plan's key.
base::Result<StoredBundle> Compiler::make_all() {
  BASE_TRY_ASSIGN(const auto layers, m_plan.layers());
  std::optional<StoredBundle> below;
  for (const auto& layer : layers) {
    const auto make_layer = [&] { return make(layer, below ? &*below : nullptr); };
    if (layer.key == m_plan.key) return make_layer();
    BASE_TRY_ASSIGN(below,
                    find_or_make(layer.key, "the installed dependencies are in the cache", make_layer));
  }
  BASE_TRY(check_inputs());
  BASE_TRY_ASSIGN(const auto workspace, caches::make_workspace(m_cache));
  return m_store.add_name(m_plan.key, std::move(*below), workspace);
}

base::Result<StoredBundle> Compiler::make(const Layer& layer, const StoredBundle* below) {
  Milestone milestone("compile");
  BASE_TRY_ASSIGN(const auto workspace, caches::make_workspace(m_cache));
  const fs::path tree = workspace.path() / "tree";
  BASE_TRY(base::make_folders(tree, base::k_owner_writes));
  BASE_TRY_ASSIGN(auto made,
                  below != nullptr && layer.make_over
                      ? layer.make_over(tree, {below->folder, below->content.bundles.front().digest})
                      : layer.make(tree));
  BASE_TRY(check_inputs());
  if (below != nullptr) {
    BASE_TRY(base::write_file(tree / contract::k_base_file, below->content.bundles.front().digest + "\n"));
  }
  BASE_TRY(archives::normalise_modes(tree));

  milestone = Milestone("compile");
  const fs::path file = workspace.path() / "bundle";
  report::Step step("packing", bytes_below(tree), report::Step::Unit::bytes);
  const auto packed = [&] {
    const base::Measure measure([&](std::uint64_t bytes) { step.advance(bytes); });
    return archives::write_bundle(
        tree, file,
        layer.is_remade_by_each_edit ? archives::Compression::fast : archives::Compression::usual);
  }();
  if (!packed) return base::fail(packed.error());
  const auto& summary = *packed;
  contract::Bundle bundle{.file = file_of_bundle(contract::k_bundle_prefix, summary.digest),
                          .digest = summary.digest,
                          .bytes = summary.bytes,
                          .unpacked_bytes = summary.unpacked_bytes,
                          .files = summary.files};
  const auto own = own_files_of(tree);
  m_added.push_back(bundle);
  BASE_TRY_ASSIGN(auto stored,
                  keep(file, {{std::move(bundle)}, std::move(made)}, below, layer.key, workspace));
  if (below == nullptr) keep_as_environment(tree, m_cache, summary.digest);
  milestone.reached("packed " + base::count_of(summary.files - own.count, "file") + ", " +
                    base::format_bytes(summary.unpacked_bytes - own.bytes));
  return stored;
}

base::Result<StoredBundle> Compiler::keep(const fs::path& file, BundleContent content,
                                          const StoredBundle* below, const std::string& key,
                                          const base::Workspace& workspace) {
  std::vector<fs::path> files = {file};
  if (below != nullptr) {
    auto base = below->content.bundles.front();
    files.push_back(below->folder / base.file);
    base.file = file_of_bundle(contract::k_base_prefix, base.digest);
    content.bundles.push_back(std::move(base));
    auto& packages = content.made.packages;
    packages.insert(packages.end(), below->content.made.packages.begin(), below->content.made.packages.end());
    std::sort(packages.begin(), packages.end());
    auto& modules = content.made.modules;
    modules.insert(modules.end(), below->content.made.modules.begin(), below->content.made.modules.end());
    std::sort(modules.begin(), modules.end());
  }
  return m_store.add(key, files, std::move(content), workspace);
}

// Where run.sh and the bundle set the same, run.sh comes first.
void add_variables(const Start& start, contract::BuildRecord& record) {
  record.environment = start.environment;
  record.prepend = start.prepend;
  for (const auto& [name, value] : start.bundle_variables) {
    if (name.starts_with('+')) {
      record.prepend.emplace(name.substr(1), value);
    } else {
      record.environment.emplace(name, value);
    }
  }
}

}  // namespace

base::Result<Compiled> compile(const Plan& plan, const Tools& tools) {
  Artifact artifact;
  artifact.start = plan.start;
  artifact.record = {.builder = plan.language,
                     .version = PACHBUILD_VERSION,
                     .key = plan.key,
                     .platform = plan.platform,
                     .program = plan.program,
                     .command = plan.start.command,
                     .imports = plan.start.imports};
  add_variables(plan.start, artifact.record);
  if (plan.key.empty()) return Compiled{std::move(artifact), {}, ""};
  Compiler compiler(plan, tools);
  const auto stored = compiler.run();
  if (!compiler.changed().empty()) return Compiled{std::nullopt, {}, compiler.changed()};
  if (!stored) return base::fail(stored.error());
  artifact.added = compiler.added();
  artifact.bundles = stored->folder;
  stored->content.put_into(artifact.record);
  if (plan.choices) {
    if (const auto text = plan.choices(artifact.record.packages); !text.empty())
      report::info("compile: " + text);
  }
  return Compiled{std::move(artifact), stored->content.made.modules, ""};
}

}  // namespace builder
