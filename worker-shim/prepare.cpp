// SPDX-License-Identifier: Apache-2.0
// How processes agree on who unpacks: each makes sure that the folder env/.tmp-DIGEST exists and waits for a
// lock (flock) on the folder itself. Who gets it while the environment is still missing unpacks into that
// folder and renames it. The kernel frees the lock of a process that dies, so the next in line goes on with
// what is left: nothing, once it has emptied the folder. No lock file stays behind.
#include "worker-shim/prepare.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>

#include "base/digest.h"
#include "base/errors.h"
#include "base/unique_fd.h"
#include "contract/environment.h"
#include "contract/layout.h"
#include "worker-shim/base_environment.h"
#include "worker-shim/exec.h"
#include "worker-shim/folders.h"
#include "worker-shim/libraries.h"
#include "worker-shim/make_room.h"
#include "worker-shim/seal.h"
#include "worker-shim/slow_notice.h"
#include "worker-shim/unpack.h"

namespace shim {
namespace {

// Enough of a digest for a person.
std::string short_name(const std::string& digest) { return digest.substr(0, 12); }

constexpr mode_t k_folder_mode = 0755;

bool is_there(const std::string& path) {
  struct stat status{};
  return ::lstat(path.c_str(), &status) == 0;
}

// A folder env/.tmp-DIGEST, locked for this process until it goes.
class Workplace {
 public:
  enum class Wait { yes, no };

  // Nothing when the folder vanished or became another while we waited, or when it is taken and Wait::no.
  static base::Result<std::optional<Workplace>> lock(const std::string& path, Wait wait) {
    base::UniqueFd folder(::open(path.c_str(), k_folder_itself));
    if (!folder && errno == ENOENT) return std::nullopt;
    if (!folder) return base::fail(base::system_error("read", path, errno));
    while (::flock(folder.get(), wait == Wait::yes ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return std::nullopt;
      if (errno != EINTR) return base::fail(base::system_error("lock", path, errno));
    }
    if (!is_still_at(path, folder.get())) return std::nullopt;
    BASE_TRY(check_ours(path, folder.get()));
    return Workplace(path, std::move(folder));
  }

  [[nodiscard]] const std::string& path() const { return m_path; }
  [[nodiscard]] int folder() const { return m_folder.get(); }

 private:
  Workplace(std::string path, base::UniqueFd folder) : m_path(std::move(path)), m_folder(std::move(folder)) {}

  // Who held the lock before may have renamed or removed the folder, and another may have made a new one.
  static bool is_still_at(const std::string& path, int folder) {
    struct stat named{};
    struct stat opened{};
    return ::lstat(path.c_str(), &named) == 0 && ::fstat(folder, &opened) == 0 &&
           named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
  }

  // It becomes an environment, and its owner can do with it what they like.
  static base::Status check_ours(const std::string& path, int folder) {
    struct stat status{};
    if (::fstat(folder, &status) != 0) return base::fail(base::system_error("read", path, errno));
    if (status.st_uid != ::geteuid()) {
      return base::fail(
          base::ErrorKind::bad_input, path,
          "cannot be trusted: belongs to another user (uid " + std::to_string(status.st_uid) + ")",
          "remove it");
    }
    if ((status.st_mode & 07777U) == k_folder_mode || ::fchmod(folder, k_folder_mode) == 0) return {};
    return base::fail(base::system_error("write", path, errno));
  }

  std::string m_path;
  base::UniqueFd m_folder;
};

base::Result<std::optional<Workplace>> make_workplace(const std::string& path) {
  if (::mkdir(path.c_str(), k_folder_mode) != 0 && errno != EEXIST) {
    return base::fail(base::system_error("create", path, errno));
  }
  return Workplace::lock(path, Workplace::Wait::yes);
}

// The first of those who want the same environment gets the folder at once; the others say when it takes
// long.
base::Result<std::optional<Workplace>> wait_for_workplace(const std::string& path,
                                                          const std::string& digest) {
  auto at_once = Workplace::lock(path, Workplace::Wait::no);
  if (!at_once || *at_once) return at_once;
  if (!is_there(path)) return make_workplace(path);
  const SlowNotice notice("waiting for the process that unpacks environment " + short_name(digest));
  return make_workplace(path);
}

// What processes left that were killed while they unpacked something that nobody asked for again.
void remove_leftovers(const std::string& environments) {
  const Folder folder = open_folder(environments);
  if (!folder) return;
  while (const dirent* const entry = ::readdir(folder.get())) {
    if (!std::string_view(entry->d_name).starts_with(k_unfinished_prefix)) continue;
    const auto unused = Workplace::lock(environments + "/" + entry->d_name, Workplace::Wait::no);
    if (unused && *unused) remove_folder((*unused)->path());
  }
}

// While it lives, files and folders get the modes that they are made with, whatever the user's umask.
class PlainUmask {
 public:
  PlainUmask() : m_before(::umask(022)) {}
  ~PlainUmask() { ::umask(m_before); }
  PlainUmask(const PlainUmask&) = delete;
  PlainUmask& operator=(const PlainUmask&) = delete;

 private:
  const mode_t m_before;
};

// Renames a folder. One that is there already, which is damaged, changes places with it in one step, so that
// its users always find one, and then goes. Some disks cannot do that (a layer of an image): there it goes
// first. Gives the number of the system's error, 0 when it worked.
int replace_folder(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return 0;
  if (errno != EEXIST && errno != ENOTEMPTY) return errno;
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) {
    remove_folder(from);
    return 0;
  }
  remove_folder(to);
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

int move_entries(const std::string& from, const std::string& to) {
  const Folder folder = open_folder(from);
  if (!folder) return errno;
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(folder.get());
    if (entry == nullptr) return errno;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (::rename((from + "/" + entry->d_name).c_str(), (to + "/" + entry->d_name).c_str()) != 0) return errno;
  }
}

// For a folder that is in a layer of an image, since somebody left it there: what is new in it can be
// renamed, it itself cannot (overlayfs). A new folder takes its place.
base::Status put_in_place_by_entries(const std::string& from, const std::string& environment) {
  const std::string path = from + "-moved";
  while (true) {
    BASE_TRY_ASSIGN(const auto place, make_workplace(path));
    if (!place) continue;
    empty_folder(path);
    int error_number = move_entries(from, path);
    if (error_number == 0) {
      seal(path);
      error_number = replace_folder(path, environment);
    }
    remove_folder(error_number == 0 ? from : path);
    if (error_number == 0) return {};
    return base::fail(base::system_error("rename", environment, error_number));
  }
}

base::Status put_in_place(const Workplace& workplace, const std::string& environment) {
  const int error_number = replace_folder(workplace.path(), environment);
  if (error_number == EXDEV) return put_in_place_by_entries(workplace.path(), environment);
  if (error_number != 0) return base::fail(base::system_error("rename", environment, error_number));
  return {};
}

// Told once, when something is unpacked there: the C library's own words for it are "permission denied" and
// "failed to map segment from shared object".
void warn_of_noexec(const Workplace& workplace, const std::string& environments) {
  struct statvfs disk{};
  if (::fstatvfs(workplace.folder(), &disk) != 0 || (disk.f_flag & ST_NOEXEC) == 0) return;
  std::fprintf(stderr,
               "worker-shim: the file system of %s is mounted noexec: programs and shared libraries of the "
               "environment cannot be used; set %s to a folder on another file system\n",
               environments.c_str(), contract::k_cache_variable);
}

// What all environments of one artifact have in common.
struct Request {
  const CacheSettings& settings;
  const std::string& build_folder;
  const std::string& program;
};

enum class Role { top, base };

base::Result<std::string> prepare(const Request& request, Role role, const std::string& digest);

base::Status unpack_in(const Workplace& workplace, const Request& request, const std::string& environments,
                       const std::string& bundle, const std::string& digest) {
  const auto make_room = [&] { return remove_oldest_environment(environments); };
  empty_folder(workplace.path());
  warn_of_noexec(workplace, environments);
  {
    const SlowNotice notice("unpacking environment " + short_name(digest) + ", once for this container");
    BASE_TRY(unpack({bundle, digest, workplace.folder(), environments, make_room}));
  }
  // Its digest was right, so what it names as its base was made before it: there is no circle.
  BASE_TRY_ASSIGN(const std::string base, base_of(workplace.path()));
  if (!base.empty()) {
    BASE_TRY_ASSIGN(const std::string below, prepare(request, Role::base, base));
    BASE_TRY(lay_on_base(workplace.folder(), below, environments, make_room));
  }
  BASE_TRY(check_libraries(workplace.path() + "/bin/" + request.program));
  seal(workplace.path());
  return put_in_place(workplace, environments + "/" + digest);
}

constexpr char k_folder_hint[] = "name the folder that a build wrote: the one with run.sh and build.json";

// Of a pipeline's /pfs/build its spec lacks the input. Any other folder was named by a person.
base::Error missing_build(const std::string& build_folder) {
  if (build_folder != contract::k_build)
    return {base::ErrorKind::bad_input, build_folder, "no such folder", k_folder_hint};
  return {base::ErrorKind::bad_input, build_folder, "the input 'build' is missing",
          "the pipeline's input must be a cross that includes {\"pfs\": {\"name\": \"build\", \"repo\": "
          "\"<pipeline>_build\", "
          "\"branch\": \"build\", \"glob\": \"/\", \"lazy\": true}}; pachbuild update pipeline adds it"};
}

base::Error not_a_folder(const std::string& build_folder) {
  return {base::ErrorKind::bad_input, build_folder, "is not a folder", k_folder_hint};
}

// A file of the build that cannot be read, or its folder when that is why.
base::Error unreadable(const std::string& build_folder, const std::string& file, int error_number,
                       const char* hint) {
  struct stat status{};
  if (::stat(build_folder.c_str(), &status) != 0) return missing_build(build_folder);
  if (!S_ISDIR(status.st_mode)) return not_a_folder(build_folder);
  base::Error error = base::system_error("read", file, error_number);
  error.hint = hint;
  return error;
}

std::string path_of(const std::string& build_folder, const std::string& prefix, const std::string& digest) {
  return build_folder + "/" + prefix + digest + contract::k_bundle_suffix;
}

base::Status check_file(const std::string& build_folder, const std::string& bundle) {
  if (::access(bundle.c_str(), R_OK) == 0) return {};
  return base::fail(
      unreadable(build_folder, bundle, errno,
                 "run.sh and its bundle come from one build; build again if one of them was changed"));
}

base::Result<std::string> prepare(const Request& request, Role role, const std::string& digest) {
  // Files of a base are those of other environments too: it is looked at whole each time.
  const Moment moment = role == Role::base ? k_end_of_time : current_moment();
  BASE_TRY_ASSIGN(std::string found, find_environment(request.settings, digest));
  if (!found.empty() && check_environment(found, moment) == Wholeness::whole) return found;
  const std::string bundle = path_of(
      request.build_folder, role == Role::base ? contract::k_base_prefix : contract::k_bundle_prefix, digest);
  BASE_TRY(check_file(request.build_folder, bundle));
  const PlainUmask umask;
  BASE_TRY_ASSIGN(const std::string environments, make_environments_folder(request.settings));
  BASE_TRY(check_environment_of_others(environments, digest, request.settings.user));
  std::string environment = environments + "/" + digest;
  const std::string unfinished = environments + "/" + k_unfinished_prefix + digest;
  while (true) {
    BASE_TRY_ASSIGN(const auto workplace, wait_for_workplace(unfinished, digest));
    const Wholeness now = check_environment(environment, moment);
    if (now == Wholeness::whole) {
      if (workplace) remove_folder(workplace->path());
      return environment;
    }
    if (!workplace) continue;
    if (now == Wholeness::damaged) {
      std::fprintf(stderr,
                   "worker-shim: environment %s was changed after it was unpacked: unpacking it again\n",
                   short_name(digest).c_str());
    }
    remove_leftovers(environments);
    auto status = unpack_in(*workplace, request, environments, bundle, digest);
    if (!status) {
      remove_folder(workplace->path());
      return base::fail(std::move(status).error());
    }
    return environment;
  }
}

// The digest in the name of a bundle; empty for other names.
std::string_view digest_of(std::string_view name) {
  constexpr std::string_view k_prefix = contract::k_bundle_prefix;
  constexpr std::string_view k_suffix = contract::k_bundle_suffix;
  if (name.size() != k_prefix.size() + base::k_digest_length + k_suffix.size()) return {};
  if (!name.starts_with(k_prefix) || !name.ends_with(k_suffix)) return {};
  const auto digest = name.substr(k_prefix.size(), base::k_digest_length);
  return base::is_digest(digest) ? digest : std::string_view();
}

}  // namespace

std::string bundle_path(const std::string& build_folder, const std::string& digest) {
  return path_of(build_folder, contract::k_bundle_prefix, digest);
}

base::Status check_bundle(const std::string& build_folder, const std::string& digest) {
  return check_file(build_folder, bundle_path(build_folder, digest));
}

base::Result<std::string> prepare_environment(const CacheSettings& settings, const std::string& build_folder,
                                              const std::string& digest, const std::string& program) {
  return prepare({settings, build_folder, program}, Role::top, digest);
}

bool has_environment(const CacheSettings& settings, const std::string& digest) {
  const auto found = find_environment(settings, digest);
  return found && !found->empty() && is_known_to_be_whole(*found);
}

base::Result<BuildFolder> find_artifact(const std::string& build_folder) {
  const Folder folder = open_folder(build_folder);
  if (!folder && errno == ENOENT) return base::fail(missing_build(build_folder));
  if (!folder && errno == ENOTDIR) return base::fail(not_a_folder(build_folder));
  if (!folder) return base::fail(base::system_error("read", build_folder, errno));
  BuildFolder found;
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(folder.get());
    // A folder that cannot be read is not one without a bundle.
    if (entry == nullptr && errno != 0) return base::fail(base::system_error("read", build_folder, errno));
    if (entry == nullptr) return found;
    const std::string_view name = entry->d_name;
    if (name == contract::k_environment_variables) found.has_variables = true;
    const std::string_view digest = digest_of(name);
    if (digest.empty()) continue;
    if (!found.digest.empty()) {
      return base::fail(base::ErrorKind::bad_input, build_folder, "has more than one bundle",
                        "choose one with --environment DIGEST");
    }
    found.digest = digest;
  }
}

base::Status set_variables(const std::string& build_folder) {
  const std::string path = build_folder + "/" + contract::k_environment_variables;
  const auto text = read_text(path);
  if (!text) return base::fail(base::system_error("read", path, errno));
  if (apply_variables(*text, "")) return {};
  return base::fail(base::ErrorKind::bad_input, path, "was not written by builder-runtime");
}

base::Status check_run_script(const std::string& build_folder, const std::string& script) {
  if (::access(script.c_str(), R_OK) == 0) return {};
  const char* const hint = build_folder == contract::k_build
                               ? "the build must write /pfs/out/run.sh: check the log of the build pipeline"
                               : k_folder_hint;
  return base::fail(unreadable(build_folder, script, errno, hint));
}

}  // namespace shim
