// SPDX-License-Identifier: Apache-2.0
// A cache of uv's is folders with a kind and a version in their names: "wheels-v6", "archive-v0",
// "sdists-v11". The one for a way of building has the shared ones as links. Names are not known before uv has
// made them: a folder that is new is moved to where it is shared as soon as no uv runs that could have it
// open.
#include "builder-runtime/languages/python/install/uv_cache.h"

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <vector>

#include "base/text.h"

namespace builder::python {
namespace {

namespace fs = base::fs;

constexpr char k_own[] = "pachbuild";
constexpr char k_lock[] = ".pachbuild-lock";
constexpr std::size_t k_name_length = 32;

// Folders with what was built from sources, and those that are there for the time of a build.
bool is_of_builds(const std::string& name) {
  return name.starts_with("sdists-") || name.starts_with("built-wheels-") || name.starts_with("builds-");
}

bool is_bucket(const fs::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  boost::system::error_code error;
  return base::contains(name, "-v") && !is_of_builds(name) &&
         entry.symlink_status(error).type() == fs::directory_file;
}

std::vector<std::string> buckets_in(const fs::path& folder) {
  std::vector<std::string> names;
  boost::system::error_code error;
  for (fs::directory_iterator entry(folder, error), end; entry != end; entry.increment(error)) {
    if (is_bucket(*entry)) names.push_back(entry->path().filename().string());
  }
  return names;
}

}  // namespace

base::Result<UvCache> UvCache::open(const fs::path& shared, const std::string& key) {
  UvCache cache(shared, shared / k_own / key.substr(0, k_name_length));
  BASE_TRY(base::make_folders(cache.m_folder, base::k_owner_writes));
  cache.share();
  BASE_TRY_ASSIGN(auto use, base::FileLock::acquire(cache.m_folder / k_lock, base::FileLock::Mode::shared));
  cache.m_use = std::move(use);
  return cache;
}

UvCache::~UvCache() {
  if (!m_use || !m_use->held()) return;  // moved away
  m_use.reset();
  share();
}

// None of it has to be: what is not shared is downloaded again.
void UvCache::share() const {
  const auto alone = base::FileLock::try_acquire(m_folder / k_lock);
  if (!alone || !alone->held()) return;
  boost::system::error_code error;
  for (const auto& name : buckets_in(m_folder)) {
    if (!fs::exists(m_shared / name, error)) fs::rename(m_folder / name, m_shared / name, error);
  }
  for (const auto& name : buckets_in(m_shared)) {
    if (!fs::exists(fs::symlink_status(m_folder / name, error)))
      fs::create_symlink(fs::path("..") / ".." / name, m_folder / name, error);
  }
}

}  // namespace builder::python
