// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/result_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/digest.h"
#include "base/errors.h"
#include "base/text.h"
#include "pachbuild/local/pool/cbor.h"
#include "pachbuild/local/results/own_folder.h"

namespace local {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(ResultFile, path, digest, size)

namespace {

namespace fs = base::fs;
using base::ErrorKind;
using base::UniqueFd;
using Json = nlohmann::json;

// Raise it when the meaning of a record changes.
constexpr int k_record_version = 2;
constexpr mode_t k_object_mode = 0444;
// Of every object: a program that writes to one changes it.
constexpr timespec k_object_time{1, 0};
constexpr char k_store_lock[] = "lock";
constexpr char k_records[] = "datums";
constexpr char k_objects[] = "objects";
// The path of the file of a record that is about one.
constexpr char k_only_file[] = "file";
// How many bytes may be added before the store has to be looked at again, and for which limit: "LIMIT BYTES".
constexpr char k_room[] = "room";
// There since somebody opened the store who did not find it.
constexpr char k_unmeasured[] = "unmeasured";
// What a file takes on a disk beyond its bytes: half a block, and the record's share.
constexpr std::uint64_t k_file_overhead = 2048;
// Times of files are as coarse as the kernel's tick.
constexpr auto k_time_step = std::chrono::seconds(1);

fs::path below(const fs::path& folder, const std::string& name) { return folder / name.substr(0, 2) / name; }

// A program may have taken the permission to read from its own file.
base::Result<UniqueFd> open_program_file(const base::Folder& folder, const std::string& name) {
  constexpr int k_flags = O_RDONLY | O_NONBLOCK;
  auto file = folder.open_file(name, k_flags);
  if (file) return file;
  const UniqueFd place(::openat(folder.descriptor(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat status{};
  if (!place || ::fstat(place.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
      (status.st_mode & S_IRUSR) != 0)
    return file;
  if (::chmod(("/proc/self/fd/" + std::to_string(place.get())).c_str(), 0600) != 0) return file;
  return folder.open_file(name, k_flags);
}

base::Result<std::optional<std::vector<ResultFile>>> read_record(const fs::path& file) {
  BASE_TRY_ASSIGN(const auto content, base::read_input_file(file, k_largest_sealed_file));
  // What cannot be read, or is not what was written, is as good as none.
  const auto json = from_sealed_cbor(content);
  try {
    if (!json || json->at("version") != k_record_version) return std::nullopt;
    auto files = json->at("files").get<std::vector<ResultFile>>();
    const auto is_sound = [](const auto& result) {
      return is_output_path(result.path) && base::is_digest(result.digest);
    };
    if (std::all_of(files.begin(), files.end(), is_sound)) return files;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return std::nullopt;
}

// The entries of a folder of folders.
std::vector<fs::path> list(const fs::path& folder) {
  std::vector<fs::path> paths;
  boost::system::error_code error;
  for (fs::directory_iterator prefix(folder, error), end; !error && prefix != end; prefix.increment(error)) {
    boost::system::error_code ignored;
    for (fs::directory_iterator entry(prefix->path(), ignored); !ignored && entry != end;
         entry.increment(ignored))
      paths.push_back(entry->path());
  }
  return paths;
}

struct Record {
  fs::path path;
  std::chrono::system_clock::time_point used;
  std::vector<ResultFile> files;
};

std::vector<Record> read_records(const fs::path& folder) {
  std::vector<Record> records;
  for (auto& path : list(folder)) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) continue;
    Record record{path, std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec), {}};
    if (auto files = read_record(path); files && *files) record.files = std::move(**files);
    records.push_back(std::move(record));
  }
  std::sort(records.begin(), records.end(),
            [](const auto& a, const auto& b) { return std::tie(a.used, a.path) < std::tie(b.used, b.path); });
  return records;
}

}  // namespace

fs::path ResultStore::folder_in(const fs::path& cache) { return cache / "results"; }

ResultStore::Contents ResultStore::contents(const fs::path& cache) {
  const fs::path folder = folder_in(cache);
  Contents contents;
  for (const auto* name : {k_records, k_objects}) {
    boost::system::error_code error;
    for (fs::directory_iterator entry(folder / name, error), end; !error && entry != end;
         entry.increment(error))
      contents.folders.push_back(entry->path());
  }
  for (const auto& record : list(folder / k_records)) {
    struct stat status{};
    if (::lstat(record.c_str(), &status) != 0) continue;
    ++contents.records;
    contents.used = std::max(contents.used, std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec));
  }
  return contents;
}

base::Result<base::FileLock> ResultStore::try_lock_alone(const fs::path& cache) {
  const fs::path folder = folder_in(cache);
  BASE_TRY(base::make_folders(folder, 0700));
  return base::FileLock::try_acquire(folder / k_store_lock);
}

ResultStore::ResultStore(fs::path folder, base::FileLock lock, base::Workspace work)
    : m_folder(std::move(folder)),
      m_lock(std::move(lock)),
      m_work(std::move(work)),
      m_number(std::make_unique<std::atomic<std::uint64_t>>(0)),
      m_added(std::make_unique<std::atomic<std::uint64_t>>(0)) {}

base::Result<ResultStore> ResultStore::open(const fs::path& cache) {
  const fs::path folder = folder_in(cache);
  BASE_TRY(base::make_folders(folder, 0700));
  BASE_TRY_ASSIGN(auto lock, base::FileLock::acquire(folder / k_store_lock, base::FileLock::Mode::shared));
  BASE_TRY_ASSIGN(auto work, base::Workspace::make(folder, "work-"));
  // Only this process has it now: what a run adds that is killed, or that ends beside another, is not
  // subtracted.
  if (::rename((folder / k_room).c_str(), (work.path() / k_room).c_str()) != 0)
    BASE_TRY(base::write_file(folder / k_unmeasured, "", 0600));
  return ResultStore(folder, std::move(lock), std::move(work));
}

fs::path ResultStore::object(const std::string& digest) const { return below(m_folder / k_objects, digest); }

fs::path ResultStore::record(const std::string& key) const { return below(m_folder / k_records, key); }

bool ResultStore::is_whole(const ResultFile& file) const {
  struct stat status{};
  return base::is_digest(file.digest) && ::lstat(object(file.digest).c_str(), &status) == 0 &&
         S_ISREG(status.st_mode) && static_cast<std::uint64_t>(status.st_size) == file.size &&
         status.st_mtim.tv_sec == k_object_time.tv_sec && status.st_mtim.tv_nsec == k_object_time.tv_nsec;
}

std::optional<std::vector<ResultFile>> ResultStore::find(const std::string& key) const {
  const auto path = record(key);
  auto files = read_record(path);
  if (!files || !*files) return std::nullopt;
  const bool whole =
      std::all_of((*files)->begin(), (*files)->end(), [&](const auto& file) { return is_whole(file); });
  if (!whole) return std::nullopt;
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
  return std::move(*files);
}

base::Result<std::vector<ResultFile>> ResultStore::add(const std::string& key, const OutputTree& tree) {
  auto files = take_all(tree);
  if (!files) {
    // What cannot be read is what the program, or a process that outlived it, has made of its output.
    if (files.error().kind == ErrorKind::io) files.error().kind = ErrorKind::step_failed;
    return base::fail(std::move(files).error());
  }
  BASE_TRY(remember(key, *files));
  return files;
}

base::Status ResultStore::add_each(const OutputTree& tree, const KeyOf& key_of) {
  BASE_TRY_ASSIGN(const auto listed, tree.list());
  return tree.visit(
      listed, [&](const base::Folder& folder, const std::string& name, const auto& file) -> base::Status {
        BASE_TRY_ASSIGN(const auto key, key_of(file));
        if (key.empty()) return {};
        BASE_TRY_ASSIGN(auto taken, take(folder, name, file));
        taken.path = k_only_file;
        return remember(key, {std::move(taken)});
      });
}

base::Status ResultStore::remember(const std::string& key, const std::vector<ResultFile>& files) {
  const std::string content = to_sealed_cbor({{"version", k_record_version}, {"files", files}});
  const auto path = record(key);
  if (base::read_file(path).value_or("") == content) {
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    return {};
  }
  BASE_TRY(base::make_folders(path.parent_path(), 0700));
  BASE_TRY(base::write_file(path, content, 0600));
  *m_added += content.size() + k_file_overhead;
  return {};
}

base::Result<std::vector<ResultFile>> ResultStore::take_all(const OutputTree& tree) {
  BASE_TRY_ASSIGN(const auto listed, tree.list());
  for (const auto& file : listed) BASE_TRY(check_reserved(file.path));
  std::vector<ResultFile> files;
  files.reserve(listed.size());
  BASE_TRY(tree.visit(
      listed, [&](const base::Folder& folder, const std::string& name, const auto& file) -> base::Status {
        BASE_TRY_ASSIGN(auto taken, take(folder, name, file));
        files.push_back(std::move(taken));
        return {};
      }));
  return files;
}

base::Result<ResultFile> ResultStore::take(const base::Folder& folder, const std::string& name,
                                           const OutputTree::File& file) {
  BASE_TRY_ASSIGN(UniqueFd content, open_program_file(folder, name));
  const fs::path fresh = m_work->path() / std::to_string((*m_number)++);
  struct stat before{};
  struct stat after{};
  const bool renamed = ::fstat(content.get(), &before) == 0 && S_ISREG(before.st_mode) &&
                       ::renameat(folder.descriptor(), name.c_str(), AT_FDCWD, fresh.c_str()) == 0 &&
                       ::lstat(fresh.c_str(), &after) == 0 && after.st_ino == before.st_ino &&
                       after.st_dev == before.st_dev;
  if (!S_ISREG(before.st_mode)) {
    return base::fail(ErrorKind::step_failed, folder.shown(name), "is neither a file nor a folder");
  }
  if (!renamed || !is_ours_alone(content.get())) {
    static_cast<void>(::unlink(fresh.c_str()));
    UniqueFd copy(::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!copy) return base::fail(base::system_error("create", m_folder.string(), errno));
    BASE_TRY(base::copy_content(content.get(), folder.shown(name), copy.get(), m_folder));
    content = std::move(copy);
    ::lseek(content.get(), 0, SEEK_SET);
  }
  if (::fchmod(content.get(), k_object_mode) != 0)
    return base::fail(base::system_error("write", m_folder.string(), errno));
  ResultFile result{file.path, {}, 0};
  BASE_TRY_ASSIGN(result.digest, base::sha256_of_descriptor(content.get(), folder.shown(name)));
  struct stat status{};
  const std::array<timespec, 2> times = {k_object_time, k_object_time};
  if (::fstat(content.get(), &status) != 0 || ::futimens(content.get(), times.data()) != 0)
    return base::fail(base::system_error("write", m_folder.string(), errno));
  result.size = static_cast<std::uint64_t>(status.st_size);
  BASE_TRY(put_in_place(fresh, result));
  return result;
}

base::Status ResultStore::put_in_place(const fs::path& fresh, const ResultFile& file) {
  if (is_whole(file)) {
    ::unlink(fresh.c_str());
    return {};
  }
  const auto path = object(file.digest);
  BASE_TRY(base::make_folders(path.parent_path(), 0700));
  BASE_TRY(base::rename_path(fresh, path));
  *m_added += file.size + k_file_overhead;
  return {};
}

void ResultStore::drop(const std::string& digest) const { ::unlink(object(digest).c_str()); }

base::Result<ResultStore::Removed> ResultStore::shrink(std::uint64_t limit, const ListKept& beside) && {
  Removed removed;
  const auto words = base::split(base::read_file(m_work->path() / k_room).value_or(""), ' ');
  m_work.reset();
  m_lock.reset();
  if (limit == 0) return removed;
  BASE_TRY_ASSIGN(const auto lock, base::FileLock::try_acquire(m_folder / k_store_lock));
  if (!lock.held()) return removed;
  // To look at the whole store takes the longer the more is in it, so the room that was left is remembered.
  boost::system::error_code ignored;
  const bool is_known = words.size() == 2 && base::parse_size(words[0]) == limit &&
                        !fs::exists(m_folder / k_unmeasured, ignored);
  const auto room = is_known ? base::parse_size(words[1]) : std::nullopt;
  const auto set_room = [&](std::uint64_t bytes) {
    return base::write_file(m_folder / k_room,
                            base::join({std::to_string(limit), std::to_string(bytes)}, " "), 0600);
  };
  if (room && *room >= *m_added) {
    BASE_TRY(set_room(*room - *m_added));
    return removed;
  }

  auto kept = beside();
  std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) { return a.used < b.used; });
  const auto records = read_records(m_folder / k_records);
  // Of the objects that records share, the last one that was used keeps them.
  std::map<std::string, std::size_t> uses;
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& record : records) {
    for (const auto& file : record.files) {
      ++uses[file.digest];
      sizes[file.digest] = file.size + k_file_overhead;
    }
  }
  std::uint64_t total = records.size() * k_file_overhead;
  for (const auto& [digest, size] : sizes) total += size;
  for (const auto& file : kept) total += file.bytes;
  const auto stays = [&](const auto& one) { return total <= limit || one.used >= m_begin - k_time_step; };
  auto oldest = kept.begin();
  const auto remove_kept = [&](std::chrono::system_clock::time_point until) {
    for (; oldest != kept.end() && oldest->used <= until && !stays(*oldest); ++oldest) {
      if (::unlink(oldest->path.c_str()) != 0) continue;
      total -= oldest->bytes;
      removed.bytes += oldest->bytes;
    }
  };
  for (const auto& record : records) {
    remove_kept(record.used);
    if (stays(record)) break;
    ::unlink(record.path.c_str());
    ++removed.datums;
    total -= k_file_overhead;
    for (const auto& file : record.files) {
      if (--uses[file.digest] > 0) continue;
      total -= sizes[file.digest];
      removed.bytes += sizes[file.digest];
    }
  }
  remove_kept(std::chrono::system_clock::time_point::max());
  // Also what a run that was killed has left without a record.
  for (const auto& path : list(m_folder / k_objects)) {
    const auto use = uses.find(path.filename().string());
    if (use == uses.end() || use->second == 0) ::unlink(path.c_str());
  }
  fs::remove(m_folder / k_unmeasured, ignored);
  BASE_TRY(set_room(limit > total ? limit - total : 0));
  return removed;
}

}  // namespace local
