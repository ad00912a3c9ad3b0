// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/cache/kinds.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>

#include "cache/builder_cache.h"
#include "contract/builders.h"
#include "contract/layout.h"
#include "pachbuild/local/results/result_store.h"

namespace cached {
namespace {

namespace fs = base::fs;

// Names that the builders keep apart in the folder of a language.
constexpr std::array<std::string_view, 3> k_kept_apart = {"bundles", "bytecode", "locks"};

void add(Content& content, const fs::path& path, const fs::path& lock = {}) {
  const auto used = caches::last_use(path);
  content.parts.push_back({path, lock, used});
  content.used = std::max(content.used, used);
}

// Each entry of the folder is one.
Content entries_of(const fs::path& folder) {
  Content content;
  for (const auto& path : caches::list_folder(folder)) add(content, path);
  content.entries = content.parts.size();
  return content;
}

Content results(const fs::path& cache) {
  const auto store = local::ResultStore::contents(cache);
  Content content;
  for (const auto& folder : store.folders) content.parts.push_back({folder, {}, store.used});
  content.entries = store.records;
  content.used = store.used;
  return content;
}

bool is_log_folder(const fs::path& path) {
  boost::system::error_code error;
  return fs::is_directory(fs::symlink_status(path / "logs", error));
}

// A folder for each pipeline and output folder, with the logs of its datums.
Content logs(const fs::path& cache) {
  Content content;
  for (const auto& folder : caches::list_folder(cache / "run")) {
    if (!is_log_folder(folder)) continue;
    for (const auto& log : caches::list_folder(folder / "logs")) add(content, log);
  }
  content.entries = content.parts.size();
  return content;
}

// What the last run of each pipeline was, the command lines that rerun starts again, and digests of inputs.
Content records(const fs::path& cache) {
  Content content;
  for (const auto* folder : {"last", "commands"}) {
    for (const auto& file : caches::list_folder(cache / "run" / folder)) add(content, file);
  }
  for (const auto& file : caches::list_folder(cache / "run")) {
    if (file.filename().string().starts_with("digests-")) add(content, file);
  }
  content.entries = content.parts.size();
  return content;
}

Content builder_entries(const fs::path& cache, caches::EntryKind kind) {
  Content content;
  for (auto& entry : caches::list_entries(cache)) {
    if (entry.kind != kind) continue;
    content.used = std::max(content.used, entry.used);
    content.parts.push_back({std::move(entry.path), std::move(entry.lock), entry.used});
  }
  content.entries = content.parts.size();
  return content;
}

Content bundles(const fs::path& cache) { return builder_entries(cache, caches::EntryKind::bundle); }
Content bytecode(const fs::path& cache) { return builder_entries(cache, caches::EntryKind::bytecode); }
Content environments(const fs::path& cache) { return builder_entries(cache, caches::EntryKind::environment); }

// What a language's tools keep; a person counts no packages in there, so files are counted.
Content downloads(const fs::path& folder) {
  Content content;
  content.counts_files = true;
  for (const auto& path : caches::list_folder(folder)) {
    const auto name = path.filename().string();
    if (std::find(k_kept_apart.begin(), k_kept_apart.end(), name) == k_kept_apart.end())
      content.parts.push_back({path, {}, {}});
  }
  return content;
}

Content python(const fs::path& cache) { return downloads(cache / "python"); }
Content go(const fs::path& cache) { return downloads(cache / "go"); }
// Of all others that a cache has a folder of.
Content languages(const fs::path& cache) {
  Content content;
  content.counts_files = true;
  for (const auto& folder : caches::list_folder(cache)) {
    const auto name = folder.filename().string();
    if (!contract::is_builder_name(name) || name == "python" || name == "go") continue;
    for (auto& part : downloads(folder).parts) content.parts.push_back(std::move(part));
  }
  return content;
}
Content shims(const fs::path& cache) { return entries_of(cache / contract::k_cache_shims); }
Content tools(const fs::path& cache) { return entries_of(cache / "tools"); }
Content clusters(const fs::path& cache) { return entries_of(cache / "clusters"); }
Content images(const fs::path& cache) { return entries_of(cache / "images"); }

// A socket for each, with a lock beside it.
Content preload(const fs::path& cache) {
  Content content;
  const fs::path folder = cache / contract::k_cache_interpreters;
  for (const auto& path : caches::list_folder(folder)) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) continue;
    add(content, path, fs::path(path.string() + contract::k_interpreter_lock_suffix));
  }
  content.entries = content.parts.size();
  return content;
}

// Those in use as well.
Content workspaces(const fs::path& cache) {
  Content content;
  for (const auto& parent : workspace_parents(cache)) {
    boost::system::error_code error;
    for (fs::directory_iterator entry(parent, error), end; !error && entry != end; entry.increment(error)) {
      if (base::Workspace::is_one(entry->path())) add(content, entry->path());
    }
  }
  content.entries = content.parts.size();
  return content;
}

}  // namespace

std::vector<fs::path> workspace_parents(const fs::path& cache) {
  return {caches::work_folder(cache), cache / "run", local::ResultStore::folder_in(cache)};
}

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      {"results", "outputs of datums, and files fetched from clusters", Guard::runs, results},
      {"logs", "logs of datums", Guard::runs, logs},
      {"records", "last runs, for rerun and explain; digests of inputs", Guard::runs, records},
      {"bundles", "packed results of builds", Guard::builds, bundles},
      {"bytecode", "compiled Python of packages", Guard::builds, bytecode},
      {"environments", "unpacked bundles that programs run from", Guard::environments, environments},
      {"python", "files that uv downloaded and built", Guard::builds, python},
      {"go", "modules, and packages that Go compiled", Guard::builds, go},
      {"languages", "downloads, working copies and passed checks of builders with a builder.toml",
       Guard::builds, languages},
      {"tools", "versions of compilers and other tools", Guard::builds, tools},
      {"images", "caches of builds in containers, by image", Guard::images, images},
      {"clusters", "last known commits of cluster branches", Guard::runs, clusters},
      {"shims", "copies of worker-shim", Guard::runs, shims},
      {"preload", "sockets of preloaded Pythons", Guard::interpreters, preload},
      {"scratch", "folders of builds and runs; unused ones were left by killed programs", Guard::workspaces,
       workspaces},
  };
  return all;
}

const Kind* find_kind(std::string_view name) {
  const auto found =
      std::find_if(kinds().begin(), kinds().end(), [&](const Kind& kind) { return kind.name == name; });
  return found == kinds().end() ? nullptr : &*found;
}

}  // namespace cached
