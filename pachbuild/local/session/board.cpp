// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/session/board.h"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/digest.h"
#include "base/errors.h"
#include "base/stop.h"

namespace local {
namespace {

constexpr std::chrono::milliseconds k_between_looks{100};

}  // namespace

void Board::add(const std::string& key, Commit commit) {
  const std::lock_guard lock(m_mutex);
  m_entries[key].commit = std::move(commit);
  m_changed.notify_all();
}

void Board::add_result(const std::string& key, std::vector<Commit::File> files) {
  auto commit = commit_of_files(std::move(files));
  commit.is_ours = true;
  commit.folder = (m_folder / base::sha256(key)).string();
  add(key, std::move(commit));
}

void Board::add_remote(const std::string& key, Commit commit) {
  commit.folder = (m_folder / base::sha256(key)).string();
  add(key, std::move(commit));
}

void Board::give_up(const std::string& key, const std::string& writer) {
  const std::lock_guard lock(m_mutex);
  auto& entry = m_entries[key];
  if (entry.commit) return;
  entry.writer = writer;
  m_changed.notify_all();
}

void Board::fail(const std::string& key, const base::Error& error) {
  const std::lock_guard lock(m_mutex);
  auto& entry = m_entries[key];
  if (entry.commit) return;
  entry.error = error;
  m_changed.notify_all();
}

base::Result<std::optional<std::string>> Board::wait_for(const std::vector<std::string>& keys) {
  std::unique_lock lock(m_mutex);
  while (true) {
    bool all = true;
    for (const auto& key : keys) {
      const auto& entry = m_entries[key];
      if (entry.writer) return entry.writer;
      if (entry.error) {
        base::Error error{entry.error->kind, "", ""};
        if (!std::exchange(m_is_told, true)) error = *entry.error;
        return base::fail(std::move(error));
      }
      all = all && entry.commit.has_value();
    }
    if (all) return std::optional<std::string>();
    BASE_TRY(base::check_stop());
    m_changed.wait_for(lock, k_between_looks);
  }
}

const Commit& Board::at(const std::string& key) const {
  const std::lock_guard lock(m_mutex);
  return m_entries.at(key).commit.value();
}

base::Status Board::check_out(const std::string& key, const std::vector<Commit::Range>& needed) {
  std::unique_lock lock(m_mutex);
  auto& entry = m_entries.at(key);
  lock.unlock();
  const std::lock_guard one_at_a_time(entry.checking_out);
  const auto& commit = *entry.commit;
  if (!commit.is_ours) return {};
  entry.checked_out.resize(commit.files.size());
  std::vector<std::size_t> places;
  const auto add = [&](const Commit::Range& range) {
    for (auto i = range.begin; i < range.end; ++i) {
      if (!entry.checked_out[i]) places.push_back(i);
      entry.checked_out[i] = true;
    }
  };
  if (commit.is_remote()) {
    for (const auto& range : needed) add(range);
  } else {
    add(commit.all());
  }
  std::vector<ResultFile> files;
  if (commit.is_remote()) {
    BASE_TRY_ASSIGN(files, m_remote.fetch(commit, places));
  } else {
    for (const auto place : places) {
      const auto& file = commit.files[place];
      files.push_back({file.path, file.digest, file.size});
    }
  }
  return link(commit.folder, files);
}

// Hard links: nothing is copied, and a file in the folder is the one in the store, which is read-only.
base::Status Board::link(const base::fs::path& folder, const std::vector<ResultFile>& files) const {
  BASE_TRY(base::make_folders(folder, 0700));
  std::string last_parent;
  for (const auto& file : files) {
    BASE_TRY(base::check_stop());
    const base::fs::path target = folder / file.path;
    if (const auto parent = target.parent_path().string(); parent != last_parent) {
      BASE_TRY(base::make_folders(parent, 0700));
      last_parent = parent;
    }
    if (file.size == 0) {
      BASE_TRY(base::write_file(target, "", 0444));
      continue;
    }
    const auto object = m_store.object(file.digest);
    if (::link(object.c_str(), target.c_str()) == 0) continue;
    if (errno != EMLINK && errno != EPERM && errno != EXDEV)
      return base::fail(base::system_error("read", object.string(), errno));
    // The file system has no more names for it, or none at all.
    BASE_TRY(base::copy_regular_file(object.string(), target, 0444));
  }
  return {};
}

}  // namespace local
