// SPDX-License-Identifier: Apache-2.0
#include "worker-shim/seal.h"

#include <fcntl.h>
#include <fts.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/unique_fd.h"
#include "contract/layout.h"
#include "worker-shim/folders.h"

namespace shim {
namespace {

constexpr time_t k_check_interval = 3600;
// A seal's seconds begin after the time of files, and have this many bits: two years.
constexpr time_t k_first_seal = k_file_time + 1;
constexpr unsigned k_second_bits = 26;
constexpr std::int64_t k_nanoseconds = 1'000'000'000;

// FNV-1a, 64 bits: the seal is against accidents; nobody is kept from forging it.
class Hash {
 public:
  Hash& add(std::string_view bytes) {
    for (const char c : bytes) m_value = (m_value ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    return *this;
  }
  Hash& add(std::int64_t number) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      m_value = (m_value ^ (static_cast<std::uint64_t>(number) >> shift & 0xffU)) * 0x100000001b3U;
    }
    return *this;
  }
  [[nodiscard]] std::uint64_t value() const { return m_value; }

 private:
  std::uint64_t m_value = 0xcbf29ce484222325U;
};

struct CloseWalk {
  void operator()(FTS* walk) const { ::fts_close(walk); }
};

std::uint64_t hash_of(std::string_view path, const struct stat& status) {
  Hash hash;
  hash.add(path).add(status.st_mode & (S_IFMT | S_IXUSR));
  if (S_ISREG(status.st_mode)) hash.add(status.st_size).add(status.st_mtim.tv_sec);
  return hash.value();
}

// Of all entries below a folder, in whatever order the disk lists them.
std::uint64_t fingerprint(std::string path) {
  char* const roots[] = {path.data(), nullptr};
  const std::unique_ptr<FTS, CloseWalk> walk(::fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, nullptr));
  std::uint64_t sum = 0;
  while (FTSENT* const entry = walk ? ::fts_read(walk.get()) : nullptr) {
    if (entry->fts_level == 0 || entry->fts_info == FTS_DP) continue;
    if (entry->fts_info == FTS_D && std::string_view(entry->fts_name) == "__pycache__") {
      ::fts_set(walk.get(), entry, FTS_SKIP);
      continue;
    }
    const std::string_view whole_path(entry->fts_path, entry->fts_pathlen);
    sum += hash_of(whole_path.substr(path.size()), *entry->fts_statp);
  }
  return sum;
}

timespec seal_of(const std::string& environment) {
  const std::uint64_t hash = Hash().add(static_cast<std::int64_t>(fingerprint(environment))).value();
  return {k_first_seal + static_cast<time_t>(hash >> (64 - k_second_bits)),
          static_cast<std::int64_t>(hash & (~std::uint64_t{0} >> k_second_bits)) % k_nanoseconds};
}

bool is_seal(const timespec& time) {
  return time.tv_sec >= k_first_seal && time.tv_sec < k_first_seal + (time_t{1} << k_second_bits);
}

// An image's layers keep whole seconds only.
bool is_same(const timespec& found, const timespec& expected) {
  return found.tv_sec == expected.tv_sec && (found.tv_nsec == expected.tv_nsec || found.tv_nsec == 0);
}

bool may_write(const std::string& path) { return check_access(path, W_OK) == 0; }

// Whether the disk keeps a time that is set, tried on the folder of all environments.
bool keeps_times(const std::string& folder) {
  const timespec then[] = {{0, UTIME_OMIT}, {k_first_seal, 0}};
  const timespec now[] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  struct stat status{};
  const bool kept = ::utimensat(AT_FDCWD, folder.c_str(), then, 0) == 0 &&
                    ::stat(folder.c_str(), &status) == 0 && status.st_mtim.tv_sec == k_first_seal;
  ::utimensat(AT_FDCWD, folder.c_str(), now, 0);
  return kept;
}

bool is_due(const struct stat& status, const Moment& moment) {
  return status.st_ctim.tv_sec < moment.now - k_check_interval || status.st_ctim.tv_sec < moment.boot;
}

bool has_seal(const struct stat& status) { return (status.st_mode & contract::k_sealed_bit) != 0; }

bool is_known_to_be_whole(const struct stat& status, const Moment& moment) {
  return S_ISDIR(status.st_mode) && has_seal(status) && is_seal(status.st_mtim) && !is_due(status, moment);
}

// Leaves the seal as it is and makes the last change of the inode now.
void stamp(const std::string& environment) {
  const timespec times[] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
  ::utimensat(AT_FDCWD, environment.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

}  // namespace

void seal(const std::string& environment) {
  const base::UniqueFd folder(::open(environment.c_str(), k_folder_itself));
  const timespec times[] = {{0, UTIME_NOW}, seal_of(environment)};
  struct stat status{};
  if (::futimens(folder.get(), times) != 0 || ::fstat(folder.get(), &status) != 0) return;
  if (is_same(status.st_mtim, times[1]))
    ::fchmod(folder.get(), (status.st_mode & 07777U) | contract::k_sealed_bit);
}

Moment current_moment() {
  timespec now{};
  timespec since_boot{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::clock_gettime(CLOCK_BOOTTIME, &since_boot);
  return {now.tv_sec, now.tv_sec - since_boot.tv_sec};
}

bool is_known_to_be_whole(const std::string& environment, const Moment& moment) {
  struct stat status{};
  return ::lstat(environment.c_str(), &status) == 0 && is_known_to_be_whole(status, moment);
}

Wholeness check_environment(const std::string& environment, const Moment& moment) {
  struct stat status{};
  if (::lstat(environment.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return Wholeness::missing;
  if (is_known_to_be_whole(status, moment) || !may_write(environment)) return Wholeness::whole;
  if (!has_seal(status)) {
    if (keeps_times(environment.substr(0, environment.rfind('/')))) seal(environment);
    return Wholeness::whole;
  }
  if (!is_seal(status.st_mtim) || !is_same(status.st_mtim, seal_of(environment))) return Wholeness::damaged;
  stamp(environment);
  return Wholeness::whole;
}

}  // namespace shim
