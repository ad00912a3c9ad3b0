// SPDX-License-Identifier: Apache-2.0
#include "pachbuild/local/results/output_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/filesystem/operations.hpp>
#include <cerrno>
#include <map>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/errors.h"
#include "base/measure.h"
#include "base/parallel.h"
#include "base/relative_path.h"
#include "base/rename.h"
#include "base/stop.h"
#include "base/text.h"
#include "pachbuild/local/plan/file_digests.h"
#include "pachbuild/local/results/own_folder.h"

namespace local {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OutputFolder::File, path, digest, size, modified_ns, inode)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OutputFolder::State, pipeline, files, folders)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OutputFolder::Move, from, to, replaces)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(OutputFolder::Plan, removed_files, removed_folders, moves, missing, state)

namespace {

namespace fs = base::fs;
using base::ErrorKind;
using base::Folder;
using base::folder_of;
using base::folders_above;
using base::name_of;
using base::UniqueFd;
using Json = nlohmann::json;

constexpr const char* k_state = k_own_mark;
constexpr char k_plan[] = "next.json";
constexpr char k_next[] = ".next";  // behind the name of a file that is about to be replaced
constexpr char k_missing[] = "missing";
constexpr char k_lock[] = "lock";
constexpr char k_new[] = "new";
constexpr char k_spare[] = "spare";  // folders that give way to those of the files
constexpr mode_t k_exported_file_mode = 0644;
constexpr mode_t k_exported_folder_mode = 0777;  // the umask applies, as to every folder that a person makes

// What is copied has been counted already.
base::Result<std::string> digest_of_copy(int copy, const std::string& shown) {
  const base::Measure uncounted({});
  return base::sha256_of_descriptor(copy, shown);
}

// The folder may come from somebody else, and with it what says which files are to be removed and moved:
// nothing but files below it is ever meant.
bool is_sound(const OutputFolder::State& state) {
  return std::all_of(state.files.begin(), state.files.end(),
                     [](const auto& file) { return is_output_path(file.path); }) &&
         std::all_of(state.folders.begin(), state.folders.end(), is_output_path);
}

bool is_sound(const OutputFolder::Plan& plan) {
  const auto is_number = [](const std::string& name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
  };
  return is_sound(plan.state) &&
         std::all_of(plan.removed_files.begin(), plan.removed_files.end(), is_output_path) &&
         std::all_of(plan.removed_folders.begin(), plan.removed_folders.end(), is_output_path) &&
         std::all_of(plan.moves.begin(), plan.moves.end(),
                     [&](const auto& move) { return is_number(move.from) && is_output_path(move.to); });
}

// What one of our files holds; nothing when it is missing or something else.
template <class Value>
std::optional<Value> read(const fs::path& folder, const std::string& name) {
  try {
    const Json content = read_own_file(folder, name);
    if (content.is_null()) return std::nullopt;  // as usual, and so without an exception
    auto value = content.get<Value>();
    if (is_sound(value)) return value;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return std::nullopt;
}

// Where files can be moved to by renaming: one file system can be mounted at several places. 0 where the
// kernel does not tell.
std::uint64_t mount_of(const Folder& folder, const std::string& name) {
  struct statx status{};
  constexpr int k_flags = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT;
  if (::statx(folder.descriptor(), name.c_str(), k_flags, STATX_MNT_ID, &status) != 0) return 0;
  return (status.stx_mask & STATX_MNT_ID) != 0 ? status.stx_mnt_id : 0;
}

// Whether a name in our folder is one that this program gives; a run that was killed may leave
// "output.json.Xy12Zz".
bool is_own_name(const std::string& name) {
  const auto stem = name.substr(0, name.find('.', 1));
  return name == k_lock || name == k_new || name == k_spare || stem == k_missing ||
         name.starts_with(k_state) || name.starts_with(k_plan);
}

// Whether this program has made a folder of the hidden name with these entries. Until the first export it has
// no mark yet.
bool is_ours(const fs::path& folder, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), is_own_name) || is_own_folder(folder);
}

std::vector<ResultFile> files_of(const std::vector<DatumOutput>& outputs) {
  std::vector<ResultFile> files;
  for (const auto& output : outputs) files.insert(files.end(), output.files.begin(), output.files.end());
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::string missing_text(const std::vector<MissingDatum>& missing) {
  std::string text;
  for (const auto& datum : missing) text += base::printable(datum.label + ": " + datum.reason) + "\n";
  return text;
}

}  // namespace

base::Result<OutputFolder> OutputFolder::open(const fs::path& path, const std::string& pipeline) {
  boost::system::error_code absent;
  const bool made = !fs::exists(path, absent);
  const fs::path own_path = path / k_own_folder;
  // A pachbuild that ends here may take the folder away in between.
  constexpr int k_attempts = 16;
  for (int attempt = 1;; ++attempt) {
    BASE_TRY(base::make_folders(path));
    BASE_TRY_ASSIGN(auto root, Folder::open(path));
    auto own = root.make_folders(k_own_folder, 0755);
    if (!own && own.error().kind == ErrorKind::step_failed) {
      return base::fail(ErrorKind::cannot_write, own_path.string(),
                        own.error().what + ", and not pachbuild's folder",
                        "choose another --output, or rename it");
    }
    if (!own) return base::fail(std::move(own).error());
    BASE_TRY_ASSIGN(const auto names, own->names());
    if (!is_ours(own_path, names)) {
      return base::fail(ErrorKind::cannot_write, own_path.string(), "was not made by pachbuild",
                        "choose another --output, or rename that folder");
    }
    auto lock = base::FileLock::try_acquire(own_path / k_lock);
    if (!lock && attempt == k_attempts) return base::fail(std::move(lock).error());
    if (!lock || (lock->held() && !fs::exists(own_path / k_lock, absent))) continue;
    if (!lock->held()) {
      return base::fail(ErrorKind::cannot_write, path.string(), "another pachbuild is writing here",
                        "wait for it to end, or choose another --output");
    }
    OutputFolder folder(path, std::move(root), std::move(*own), std::move(*lock), made);
    BASE_TRY(folder.begin(pipeline));
    return folder;
  }
}

bool OutputFolder::is_at(const fs::path& path) {
  const auto own = Folder::open(path / k_own_folder);
  if (!own) return false;
  const auto names = own->names();
  return names && is_ours(path / k_own_folder, *names);
}

std::optional<std::string> OutputFolder::pipeline_at(const fs::path& path) {
  auto state = read<State>(path / k_own_folder, k_state);
  if (!state) return std::nullopt;
  return std::move(state->pipeline);
}

base::Status OutputFolder::begin(const std::string& pipeline) {
  const fs::path own = m_path / k_own_folder;
  const auto check_pipeline = [&](const State& state) -> base::Status {
    if (state.pipeline == pipeline) return {};
    return base::fail(ErrorKind::cannot_write, m_path.string(),
                      "contains the output of pipeline " + state.pipeline,
                      "choose another --output, or remove that folder");
  };
  auto state = read<State>(own, k_state);
  BASE_TRY_ASSIGN(const auto mark, m_own.status(k_state));
  if (mark && !state) {
    return base::fail(ErrorKind::cannot_write, (own / k_state).string(),
                      "is damaged, so pachbuild does not know which files in the folder are its own",
                      "choose another --output, or empty this folder");
  }
  if (state) BASE_TRY(check_pipeline(*state));
  set_state(std::move(state).value_or(State{pipeline, {}, {}}));
  if (const auto plan = read<Plan>(own, k_plan)) {
    BASE_TRY(check_pipeline(plan->state));
    BASE_TRY(carry_out(*plan));
  }
  BASE_TRY_ASSIGN(const auto names, m_own.names());
  for (const auto& name : names) {
    if (name != k_lock && name != k_state && name != k_missing && is_own_name(name))
      BASE_TRY(m_own.remove(name));
  }
  return {};
}

void OutputFolder::set_state(State state) {
  m_state = std::move(state);
  m_owned.clear();
  for (const auto& file : m_state.files) m_owned.insert(file.path);
}

OutputFolder::~OutputFolder() {
  if (m_own.descriptor() < 0) return;  // moved from
  // Best effort: what stays is taken up by the next run, which also completes an export that has begun.
  const auto plan = m_own.status(k_plan);
  if (!plan || *plan) return;
  for (const auto* name : {k_new, k_spare}) static_cast<void>(m_own.remove(name));
  const auto state = m_own.status(k_state);
  if (!state || *state) return;
  static_cast<void>(m_root.remove(k_own_folder));
  boost::system::error_code not_empty;
  if (m_made) fs::remove(m_path, not_empty);
}

base::Status OutputFolder::check(const std::vector<DatumOutput>& outputs) const {
  std::set<std::string> wanted;
  for (const auto& output : outputs) {
    for (const auto& file : output.files) wanted.insert(file.path);
  }
  for (const auto& output : outputs) {
    for (const auto& file : output.files) {
      BASE_TRY(base::check_stop());
      BASE_TRY(check_path(file.path, output.label, wanted));
    }
  }
  return {};
}

// That the folders in which something changes can be written: what is known before the first change costs
// nothing.
base::Status OutputFolder::check_writable(const Plan& plan) const {
  std::set<std::string> folders;
  for (const auto& path : plan.removed_files) folders.insert(folder_of(path));
  for (const auto& path : plan.removed_folders) folders.insert(folder_of(path));
  for (const auto& move : plan.moves) folders.insert(folder_of(move.to));
  for (const auto& path : folders) {
    BASE_TRY(base::check_stop());
    std::string existing = path;
    struct stat status{};
    while (!existing.empty() &&
           (::fstatat(m_root.descriptor(), existing.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISDIR(status.st_mode)))
      existing = folder_of(existing);
    const int denied =
        ::faccessat(m_root.descriptor(), existing.empty() ? "." : existing.c_str(), W_OK | X_OK, AT_EACCESS);
    if (denied != 0) return base::fail(base::system_error("write", (m_path / existing).string(), errno));
  }
  return {};
}

base::Status OutputFolder::check_path(const std::string& path, const std::string& label,
                                      const std::set<std::string>& wanted) const {
  const auto foreign = [&](const std::string& place, const std::string& what) {
    return base::fail(ErrorKind::cannot_write, (m_path / place).string(),
                      what + " (datum " + label + " writes " + path + ")",
                      "choose another --output, or move it away");
  };
  struct stat own{};
  ::fstat(m_own.descriptor(), &own);
  const auto own_mount = mount_of(m_own, "");
  std::optional<Folder> folder;
  for (const auto& above : folders_above(path)) {
    const Folder& parent = folder ? *folder : m_root;
    BASE_TRY_ASSIGN(const auto status, parent.status(name_of(above)));
    if (!status) return {};
    if (!S_ISDIR(status->st_mode)) {
      // A file of an earlier export gives way.
      if (is_owned(above) && S_ISREG(status->st_mode)) return {};
      return foreign(above, "exists, and was not written by this pipeline");
    }
    if (status->st_dev != own.st_dev || mount_of(parent, name_of(above)) != own_mount)
      return foreign(above, "is on a different disk from the output folder");
    BASE_TRY_ASSIGN(folder, parent.open_folder(name_of(above)));
  }
  const Folder& parent = folder ? *folder : m_root;
  BASE_TRY_ASSIGN(const auto status, parent.status(name_of(path)));
  if (!status) return {};
  if (mount_of(parent, name_of(path)) != own_mount)
    return foreign(path, "is on another disk than the output folder");
  if (S_ISDIR(status->st_mode)) {
    BASE_TRY_ASSIGN(const auto child, parent.open_folder(name_of(path)));
    BASE_TRY_ASSIGN(const bool gives_way, has_only_ours(child, path, wanted));
    if (gives_way) return {};
  } else if (is_owned(path)) {
    return {};
  }
  return foreign(path, "exists, and was not written by this pipeline");
}

// Whether the folder goes with this export: exports made it, and all its files are theirs and not wanted any
// more.
base::Result<bool> OutputFolder::has_only_ours(const Folder& folder, const std::string& path,
                                               const std::set<std::string>& wanted) const {
  if (!m_state.folders.contains(path)) return false;
  BASE_TRY_ASSIGN(const auto names, folder.names());
  for (const auto& name : names) {
    const std::string entry = base::join_path(path, name);
    BASE_TRY_ASSIGN(const auto status, folder.status(name));
    if (status && S_ISDIR(status->st_mode)) {
      BASE_TRY_ASSIGN(const auto child, folder.open_folder(name));
      BASE_TRY_ASSIGN(const bool ours, has_only_ours(child, entry, wanted));
      if (!ours) return false;
    } else if (!is_owned(entry) || wanted.contains(entry)) {
      return false;
    }
  }
  return true;
}

bool OutputFolder::is_unchanged(const File& file) const {
  const std::string parent = folder_of(file.path);
  const auto folder = parent.empty() ? base::Result<Folder>(Folder(UniqueFd(::dup(m_root.descriptor())), ""))
                                     : m_root.open_folder(parent);
  if (!folder) return false;
  const auto status = folder->status(name_of(file.path));
  return status && *status && S_ISREG((*status)->st_mode) && (*status)->st_ino == file.inode &&
         static_cast<std::uint64_t>((*status)->st_size) == file.size &&
         nanoseconds((*status)->st_mtim) == file.modified_ns;
}

base::Status OutputFolder::publish(const std::vector<DatumOutput>& outputs,
                                   const std::vector<MissingDatum>& missing, const ResultStore& store,
                                   ExportBy by) {
  BASE_TRY_ASSIGN(Plan plan, prepare(files_of(outputs), {}, store, by));
  plan.missing = missing_text(missing);
  return publish_plan(plan);
}

base::Status OutputFolder::add(const std::vector<DatumOutput>& outputs,
                               const std::vector<DatumOutput>& withdrawn,
                               const std::optional<std::vector<MissingDatum>>& missing,
                               const ResultStore& store, ExportBy by) {
  const auto files = files_of(outputs);
  std::set<std::string> paths;
  for (const auto& file : files_of(withdrawn)) paths.insert(file.path);
  std::set<std::string> folders;
  for (const auto& file : files) {
    paths.insert(file.path);
    for (auto& folder : folders_above(file.path)) folders.insert(std::move(folder));
  }
  std::vector<File> kept;
  for (const auto& file : m_state.files) {
    const auto above = folders_above(file.path);
    const bool gives_way =
        paths.contains(file.path) || folders.contains(file.path) ||
        std::any_of(above.begin(), above.end(), [&](const auto& folder) { return paths.contains(folder); });
    if (!gives_way) kept.push_back(file);
  }
  BASE_TRY_ASSIGN(Plan plan, prepare(files, kept, store, by));
  plan.missing =
      missing ? missing_text(*missing) : base::read_file(m_path / k_own_folder / k_missing).value_or("");
  return publish_plan(plan);
}

base::Status OutputFolder::publish_plan(const Plan& plan) {
  BASE_TRY(base::check_stop());
  auto saved = save_ahead(plan);
  if (saved) saved = save(k_plan, to_own_text(plan));
  if (saved) return carry_out(plan);
  for (const std::string name : {k_state, k_missing}) static_cast<void>(m_own.remove(name + k_next));
  static_cast<void>(m_own.remove(k_spare));
  return saved;
}

// Brings all that differs onto the folder's disk.
base::Result<OutputFolder::Plan> OutputFolder::prepare(const std::vector<ResultFile>& files,
                                                       const std::vector<File>& kept,
                                                       const ResultStore& store, ExportBy by) {
  std::map<std::string, const File*> present;
  for (const auto& file : m_state.files) present[file.path] = &file;
  Plan plan;
  plan.state.pipeline = m_state.pipeline;
  plan.state.files.resize(files.size());
  std::vector<std::size_t> changed;  // indices
  std::set<std::string> folders;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto known = present.find(files[i].path);
    if (known != present.end() && known->second->digest == files[i].digest && is_unchanged(*known->second)) {
      plan.state.files[i] = *known->second;
    } else {
      changed.push_back(i);
      plan.moves.push_back({std::to_string(i), files[i].path, known != present.end()});
    }
    for (auto& folder : folders_above(files[i].path)) folders.insert(std::move(folder));
    if (known != present.end()) present.erase(known);
  }
  for (const auto& file : kept) {
    present.erase(file.path);
    for (auto& folder : folders_above(file.path)) folders.insert(std::move(folder));
  }
  for (const auto& [path, file] : present) plan.removed_files.push_back(path);
  for (const auto& folder : m_state.folders) {
    if (!folders.contains(folder)) plan.removed_folders.push_back(folder);
  }
  std::sort(plan.removed_folders.rbegin(), plan.removed_folders.rend());
  std::size_t missing_folders = 0;
  for (const auto& folder : folders) {
    struct stat status{};
    const bool is_there = ::lstat((m_path / folder).c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    if (!is_there || m_state.folders.contains(folder)) plan.state.folders.insert(folder);
    missing_folders += is_there ? 0 : 1;
  }

  BASE_TRY(check_writable(plan));
  BASE_TRY(m_own.make_folders(k_new, 0700));
  auto staged = base::in_parallel(changed.size(), [&](std::size_t number) {
    const auto i = changed[number];
    return stage(files[i], std::to_string(i), store, by, plan.state.files[i]);
  });
  // The folders of the files need room as well.
  for (std::size_t i = 0; staged && i < missing_folders; ++i) {
    auto made = m_own.make_folders(std::string(k_spare) + "/" + std::to_string(i), 0700);
    if (!made) staged = base::fail(std::move(made).error());
  }
  if (!staged) {
    for (const auto* name : {k_new, k_spare}) static_cast<void>(m_own.remove(name));
    return base::fail(std::move(staged).error());
  }
  plan.state.files.insert(plan.state.files.end(), kept.begin(), kept.end());
  return plan;
}

base::Status OutputFolder::stage(const ResultFile& file, const std::string& name, const ResultStore& store,
                                 ExportBy by, File& staged) const {
  BASE_TRY_ASSIGN(const auto folder, m_own.open_folder(k_new));
  const auto object = store.object(file.digest);
  const std::string shown = (m_path / file.path).string();
  const bool linked = by == ExportBy::hard_link &&
                      ::linkat(AT_FDCWD, object.c_str(), folder.descriptor(), name.c_str(), 0) == 0;
  if (by == ExportBy::hard_link && !linked && errno != EMLINK) {
    return base::fail(ErrorKind::usage, "--hard-links",
                      m_path.string() + " and the cache are not on one file system that has hard links",
                      "omit --hard-links, or set PACHBUILD_CACHE_DIR to a folder on the disk of the output");
  }
  if (!linked) {
    const UniqueFd from(::open(object.c_str(), O_RDONLY | O_CLOEXEC));
    if (!from) return base::fail(base::system_error("read", object.string(), errno));
    UniqueFd copy(::openat(folder.descriptor(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!copy) return base::fail(base::system_error("create", shown, errno));
    BASE_TRY(base::copy_content(from.get(), object, copy.get(), shown));
    ::lseek(copy.get(), 0, SEEK_SET);
    const auto digest = digest_of_copy(copy.get(), shown);
    if (!digest) return base::fail(digest.error());
    if (*digest != file.digest) {
      store.drop(file.digest);
      return base::fail(ErrorKind::io, object.string(), "is damaged and was removed",
                        "run again: the datums that wrote it run once more");
    }
    if (::fchmod(copy.get(), k_exported_file_mode) != 0)
      return base::fail(base::system_error("write", shown, errno));
    if (const int error = copy.close(); error != 0)
      return base::fail(base::system_error("write", shown, error));
  }
  struct stat status{};
  if (::fstatat(folder.descriptor(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return base::fail(base::system_error("read", shown, errno));
  staged = {file.path, file.digest, file.size, nanoseconds(status.st_mtim), status.st_ino};
  return {};
}

// Can be cut off anywhere and done again from the start.
base::Status OutputFolder::carry_out(const Plan& plan) {
  const auto folder_with = [&](const std::string& path) {
    const std::string parent = folder_of(path);
    return parent.empty() ? Folder::open(m_path) : m_root.open_folder(parent);
  };
  base::Status first_failure;
  std::set<std::string> failed;  // the paths of files that are as they were
  const auto fail = [&](const std::string& path, base::Error error) {
    failed.insert(path);
    if (first_failure) first_failure = base::fail(std::move(error));
  };
  const auto is_gone = [](int error) {
    return error == ENOENT || error == ENOTDIR || error == EISDIR || error == EPERM;
  };
  // Whether the folder that it was in is none any more, by whoever made it so.
  const auto is_folder_gone = [&](const std::string& path) {
    for (const auto& folder : folders_above(path)) {
      const auto status = m_root.status(folder);
      if (status && (!*status || !S_ISDIR((*status)->st_mode))) return true;
    }
    return false;
  };
  BASE_TRY(m_own.remove(k_spare));
  State state = plan.state;
  for (const auto& path : plan.removed_files) {
    auto parent = folder_with(path);
    if (!parent) {
      if (!is_folder_gone(path)) fail(path, std::move(parent).error());
      continue;
    }
    if (::unlinkat(parent->descriptor(), name_of(path).c_str(), 0) == 0) continue;
    const int error = errno;
    const auto left = parent->status(name_of(path));
    // Somebody's folder in its place stays.
    if (is_gone(error) && left && (!*left || S_ISDIR((*left)->st_mode))) continue;
    fail(path, base::system_error("remove", (m_path / path).string(), error));
  }
  for (const auto& path : plan.removed_folders) {
    const auto parent = folder_with(path);
    if (!parent) {
      if (!is_folder_gone(path)) state.folders.insert(path);
      continue;
    }
    if (::unlinkat(parent->descriptor(), name_of(path).c_str(), AT_REMOVEDIR) == 0) continue;
    // One with files of others in it is theirs now.
    if (errno != ENOENT && errno != ENOTDIR && errno != ENOTEMPTY && errno != EEXIST)
      state.folders.insert(path);
  }
  for (const auto& step : plan.moves) {
    if (auto moved = move(step); !moved) fail(step.to, std::move(moved).error());
  }
  // What could not be changed is still what the export before has left.
  std::erase_if(state.files, [&](const auto& file) { return failed.contains(file.path); });
  for (const auto& file : m_state.files) {
    if (!failed.contains(file.path)) continue;
    state.files.push_back(file);
    for (const auto& folder : folders_above(file.path)) {
      if (m_state.folders.contains(folder)) state.folders.insert(folder);
    }
  }
  if (plan.missing.empty()) {
    BASE_TRY(m_own.remove(k_missing));
  } else {
    BASE_TRY(save_at_end(k_missing, plan.missing));
  }
  BASE_TRY(save_at_end(k_state, to_own_text(state)));
  BASE_TRY(m_own.remove(k_plan));
  BASE_TRY(m_own.remove(k_new));
  set_state(std::move(state));
  return first_failure;
}

base::Status OutputFolder::move(const Move& move) const {
  BASE_TRY_ASSIGN(const auto fresh, m_own.open_folder(k_new));
  BASE_TRY_ASSIGN(const auto waiting, fresh.status(move.from));
  if (!waiting) return {};  // done by the one that was cut off
  const std::string parent = folder_of(move.to);
  auto folder = parent.empty() ? Folder::open(m_path) : m_root.make_folders(parent, k_exported_folder_mode);
  if (!folder) return base::fail(std::move(folder).error());
  const std::string name = name_of(move.to);
  const int failed =
      move.replaces
          ? ::renameat(fresh.descriptor(), move.from.c_str(), folder->descriptor(), name.c_str())
          : base::rename_without_replacing(fresh.descriptor(), move.from, folder->descriptor(), name);
  if (failed == 0) return {};
  if (errno == EEXIST || errno == EISDIR || errno == ENOTEMPTY) {
    return base::fail(ErrorKind::cannot_write, (m_path / move.to).string(),
                      "appeared while the output was being written", "move it away and run again");
  }
  return base::fail(base::system_error("rename", (m_path / move.to).string(), errno));
}

// What is written after the moves has its room before the first of them.
base::Status OutputFolder::save_ahead(const Plan& plan) const {
  if (!plan.missing.empty()) BASE_TRY(save(std::string(k_missing) + k_next, plan.missing));
  return save(std::string(k_state) + k_next, to_own_text(plan.state));
}

// By the file that was saved ahead, unless things have come out otherwise.
base::Status OutputFolder::save_at_end(const std::string& name, const std::string& content) const {
  const auto file = m_path / k_own_folder / name;
  const auto ahead = file.string() + k_next;
  if (base::read_file(ahead).value_or("") == content) return base::rename_path(ahead, file);
  BASE_TRY(save(name, content));
  return m_own.remove(name + k_next);
}

base::Status OutputFolder::save(const std::string& name, const std::string& content) const {
  return base::write_file(m_path / k_own_folder / name, content);
}

}  // namespace local
